/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "ops/prune.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct options {
    const char *dag;
    struct prune_spec spec;
    bool has_rule;
    bool dry_run;
    bool json;
};

static void print_json(const struct prune_plan *plan, size_t count, bool done)
{
    json_t *object = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct history_run_row *run = &plan->runs.items[i];

        (void)json_array_append_new(list, json_pack("{s:s,s:I}", "dag", run->dag, "run",
                                                    (json_int_t)run->run));
    }
    (void)json_object_set_new(object, "done", json_boolean(done));
    (void)json_object_set_new(object, "runs", list);
    (void)json_object_set_new(object, "audit", json_integer(plan->deeds));
    cli_print_json(object);
}

static void print_plan(const struct prune_plan *plan, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct history_run_row *run = &plan->runs.items[i];
        char started[CLOCK_TEXT];

        cli_time_text(run->started_ms, started);
        (void)printf("%s@%" PRId64 "  %s\n", run->dag, run->run, started);
    }
}

static const char *runs_word(size_t count)
{
    return count == 1 ? "run with its logs" : "runs with their logs";
}

static void audit(const struct options *options, size_t count, const struct error *err)
{
    cli_audit("prune", options->spec.dag, options->spec.dag,
              json_pack("{s:I,s:i,s:I}", "runs", (json_int_t)count, "keep",
                        options->spec.keep, "before_ms",
                        (json_int_t)options->spec.before_ms),
              err);
}

static void carry_out(const struct ops *ops, const struct prune_plan *plan,
                      const struct options *options, struct error *err)
{
    size_t count = plan->runs.count;

    if (!options->dry_run && (count > 0 || plan->deeds > 0)) {
        (void)prune_carry_out(ops, plan, &count, err);
        audit(options, count, err);
    }
    if (options->json)
        print_json(plan, count, !options->dry_run);
    else
        print_plan(plan, count);
    (void)fflush(stdout);
    if (plan->deeds > 0)
        (void)fprintf(stderr, "dagrun: %" PRId64 " of the audit %s\n", plan->deeds,
                      options->dry_run ? "would go" : "gone");
    if (plan->runs.count == 0)
        (void)fputs("dagrun: no run is that old\n", stderr);
    else
        (void)fprintf(stderr, "dagrun: %zu %s %s\n", count, runs_word(count),
                      options->dry_run ? "would go" : "gone");
}

static int prune(struct options *options, struct error *err)
{
    struct ops *ops = cli_ops(err);
    struct address address = {0};
    struct prune_plan plan = {0};

    if (ops && options->dag && address_resolve(ops, options->dag, &address, err) == 0) {
        options->spec.dag = address.dag;
        if (address.node || address.edge || address.has_run)
            error_set(err, ERROR_INPUT, "a DAG expected, got %s", options->dag);
    }
    if (ops && !error_is_set(err) && prune_plan(ops, &options->spec, &plan, err) == 0)
        carry_out(ops, &plan, options, err);
    prune_plan_clear(&plan);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

static int parse_keep(const char *text, struct prune_spec *spec)
{
    int64_t keep;

    if (!text_parse_int(text, &keep) || keep < 0 || keep > INT32_MAX)
        return cli_usage("prune", "--keep %s: expected a number of runs", text);
    spec->keep = (int)keep;
    return 0;
}

static int parse(struct options *options, int argc, char **argv)
{
    struct error err = {0};

    for (int i = 1; i < argc; i++) {
        const char *value;
        int code = 0;

        if (strcmp(argv[i], "--dry-run") == 0) {
            options->dry_run = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if ((value = cli_option(argc, argv, &i, "--older")) != NULL) {
            options->has_rule = true;
            if (cli_parse_time(value, &options->spec.before_ms, &err) != 0)
                return cli_fail(&err);
        } else if ((value = cli_option(argc, argv, &i, "--keep")) != NULL) {
            options->has_rule = true;
            code = parse_keep(value, &options->spec);
        } else if (argv[i][0] == '-') {
            code = cmd_unknown_option("prune", argv[i]);
        } else if (options->dag) {
            code = cli_usage("prune", "one DAG expected, got %s as well", argv[i]);
        } else {
            options->dag = argv[i];
        }
        if (code != 0)
            return code;
    }
    return options->has_rule ? 0 : cli_usage("prune", "say --older TIME, --keep N or both");
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    struct error err = {0};
    int code = parse(&options, argc, argv);

    if (code != 0)
        return code;
    return prune(&options, &err) == 0 ? 0 : cli_fail(&err);
}

extern const struct cmd cmd_prune;
const struct cmd cmd_prune = {
    .name = "prune",
    .usage = "prune [OPTIONS] [DAG]",
    .doc = "Take old runs and their logs out of the history.",
    .help = "  DAG           only its runs\n"
            "  --older TIME  only runs begun before: 30d (ago), 2026-11-01, …; without DAG\n"
            "                the audit before that goes as well\n"
            "  --keep N      the newest N runs of each dag stay\n"
            "  --dry-run     only say which runs would go\n"
            "  --json        {\"done\": …, \"runs\": […], \"audit\": COUNT}\n\n"
            "A run that lives stays. Nothing that a later start resumes from is lost: offsets,\n"
            "checkpoints and the numbers of runs are kept apart. The file does not shrink;\n"
            "its room is used again.\n",
    .run = run,
};
