/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cli_broker.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/table.h"
#include "ops/clean.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct options {
    const char *address;
    const char *brokers;
    bool yes;
    bool json;
    struct cli_params params;
};

static const char *const fates[] = {
    [CLEAN_DELETE] = "delete",
    [CLEAN_GONE] = "gone already",
    [CLEAN_FOREIGN] = "stays: dagrun did not make it",
    [CLEAN_REMADE] = "stays: made anew by somebody else",
};

static const char *const fate_words[] = {
    [CLEAN_DELETE] = "delete", [CLEAN_GONE] = "gone", [CLEAN_FOREIGN] = "foreign",
    [CLEAN_REMADE] = "remade",
};

static const struct grid_column columns[] = {
    {"WHAT", 0, false, false},      {"NAME", 0, false, false},
    {"PARTITIONS", 1, true, false}, {"FATE", 0, false, false},
    {"MEMBER", 0, false, true},     {NULL, 0, false, false},
};

static void print_text(const struct clean_plan *plan)
{
    struct grid *grid = grid_new(columns);

    for (size_t i = 0; i < plan->count; i++) {
        const struct clean_item *item = &plan->items[i];

        grid_text(grid, "", item->what == CLEAN_TOPIC ? "topic" : "group");
        grid_text(grid, "", item->name);
        if (item->partitions > 0)
            grid_format(grid, "", "%d", item->partitions);
        else
            grid_text(grid, "", NULL);
        grid_text(grid, "", fates[item->fate]);
        grid_text(grid, "", item->member);
    }
    grid_print(grid, stdout, 0, table_color(stdout));
    grid_free(grid);
}

static void print_json(const struct clean_plan *plan, bool done)
{
    json_t *object = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < plan->count; i++) {
        const struct clean_item *item = &plan->items[i];

        (void)json_array_append_new(
            list, json_pack("{s:s,s:o,s:s,s:o}", "what",
                            item->what == CLEAN_TOPIC ? "topic" : "group", "name",
                            json_text(item->name), "fate", fate_words[item->fate], "member",
                            json_text(item->member)));
    }
    (void)json_object_set_new(object, "dag", json_text(plan->dag));
    (void)json_object_set_new(object, "done", json_boolean(done));
    (void)json_object_set_new(object, "items", list);
    cli_print_json(object);
}

static void carry_out(const struct ops *ops, const struct clean_plan *plan,
                      const struct broker_config *config, const struct options *options,
                      struct error *err)
{
    bool any = plan->count > 0;
    bool done;

    for (size_t i = 0; i < plan->count && options->yes; i++) {
        if (plan->items[i].member) {
            (void)fputs("dagrun: waiting for the sessions of its last clients to run out "
                        "(10 to 30 s)\n",
                        stderr);
            break;
        }
    }
    done = options->yes && clean_carry_out(ops, plan, config, err) == 0;

    if (options->json)
        print_json(plan, done);
    else if (any)
        print_text(plan);
    if (!any && !options->json)
        (void)fprintf(stderr, "dagrun: nothing of '%s' is on the broker\n", plan->dag);
    else if (done)
        (void)fprintf(stderr,
                      "dagrun: cleaned; the next start of '%s' begins as if it had never "
                      "run. Its runs stay in the history (prune)\n",
                      plan->dag);
    else if (!options->yes)
        (void)fprintf(stderr,
                      "dagrun: nothing was deleted. --yes deletes these with all records "
                      "in them, and what '%s' would resume from\n",
                      plan->dag);
}

/* What is recorded is about the topics of the last run: those of one that was elsewhere
 * before can't be told from somebody else's, and deleting nothing is not cleaning. */
static int check_broker(const struct clean_plan *plan, const struct history_last *last,
                        const char *named, struct error *err)
{
    bool any = plan->count == 0;

    for (size_t i = 0; i < plan->count; i++)
        any = any || (plan->items[i].topic_id && plan->items[i].fate == CLEAN_DELETE);
    if (named == NULL || any || last->broker == NULL || strcmp(named, last->broker) == 0)
        return 0;
    error_set(err, ERROR_CONFLICT,
              "no topic of the last run of '%s' is on %s: that run was on %s; without "
              "--brokers it is cleaned there, and what earlier runs left on %s is for "
              "'dagrun start --fresh --brokers %s' to take up or for Kafka's tools to delete",
              plan->dag, named, last->broker, named, named);
    return -1;
}

static void clean_dag(const struct ops *ops, const char *dag, const struct options *options,
                      struct error *err)
{
    struct history_last last = {0};
    struct cli_broker broker = {0};
    struct clean_plan plan = {0};

    if (ops_history(ops) == NULL)
        error_set(err, ERROR_NOT_FOUND, "'%s' has not run yet", dag);
    else if (history_last_run(ops_history(ops), dag, &last, err) == 0 &&
             cli_broker_find(&last, dag, options->brokers, &options->params, &broker,
                             err) == 0 &&
             clean_plan(ops, dag, &last, &broker.config, &plan, err) == 0 &&
             check_broker(&plan, &last, options->brokers, err) == 0)
        carry_out(ops, &plan, &broker.config, options, err);
    clean_plan_clear(&plan);
    cli_broker_clear(&broker);
    history_last_clear(&last);
}

static int clean(const struct options *options, struct error *err)
{
    struct address address;
    struct ops *ops = cli_ops_at(options->address, &address, err);

    if (ops && (address.node || address.edge || address.has_run))
        error_set(err, ERROR_INPUT, "a DAG expected, got %s", options->address);
    else if (ops)
        clean_dag(ops, address.dag, options, err);
    if (ops && options->yes)
        cli_audit_at("clean", &address, NULL, err);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

static int parse(struct options *options, int argc, char **argv)
{
    struct error err = {0};

    for (int i = 1; i < argc; i++) {
        const char *value;

        if (strcmp(argv[i], "--yes") == 0) {
            options->yes = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if ((value = cli_option(argc, argv, &i, "--brokers")) != NULL) {
            options->brokers = value;
        } else if ((value = cli_option(argc, argv, &i, "--param")) != NULL) {
            if (cli_params_add(&options->params, value, &err) != 0)
                return cli_fail(&err);
        } else if (argv[i][0] == '-') {
            return cmd_unknown_option("clean", argv[i]);
        } else if (options->address) {
            return cli_usage("clean", "one DAG expected, got %s as well", argv[i]);
        } else {
            options->address = argv[i];
        }
    }
    return options->address ? 0 : cli_usage("clean", "DAG is missing");
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    struct error err = {0};
    int code = parse(&options, argc, argv);

    if (code == 0 && clean(&options, &err) != 0)
        code = cli_fail(&err);
    cli_params_clear(&options.params);
    return code;
}

extern const struct cmd cmd_clean;
const struct cmd cmd_clean = {
    .name = "clean",
    .usage = "clean [OPTIONS] DAG",
    .doc = "Delete a dag's topics, consumer groups and state.",
    .help = "  DAG             its name or its YAML file; it must not run\n"
            "  --yes           do it; without it everything is only listed\n"
            "  --json          the list as JSON\n"
            "  --brokers LIST  the broker, instead of the one that the dag ran on\n"
            "  --param N=V     value of ${N} in the YAML's kafka properties\n\n"
            "Unread records, dead letters and checkpoints are lost. Topics that dagrun did\n"
            "not make stay, and so do runs and logs (see prune).\n",
    .run = run,
};
