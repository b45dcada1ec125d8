/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "core/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *file;
    const char *brokers;
    bool json;
    struct cli_params params;
};

static void print_text(const struct plan *plan, const char *brokers, const char *why)
{
    char *text = plan_text(plan);

    text_printf_safe(stdout, "%s\nbroker: %s (%s)\n", text, brokers, why);
    free(text);
}

static void print_json(const struct plan *plan, const char *brokers, const char *why)
{
    json_t *object = plan_json_value(plan);
    json_t *broker = json_object();
    char *line;

    (void)json_object_set_new(broker, "address", json_text(brokers));
    (void)json_object_set_new(broker, "why", json_text(why));
    (void)json_object_set_new(object, "broker", broker);
    line = json_line(object);
    (void)puts(line);
    free(line);
    json_decref(object);
}

static int print_plan(const struct options *options)
{
    struct error err = {0};
    struct dag *dag = cli_load_dag(options->file, &options->params, true, &err);
    const char *brokers = NULL;
    const char *why = NULL;
    struct plan *plan;

    if (dag)
        brokers = cli_brokers(dag, options->brokers, &why, &err);
    if (brokers == NULL) {
        dag_free(dag);
        return cli_fail(&err);
    }
    plan = plan_build(dag);
    if (options->json)
        print_json(plan, brokers, why);
    else
        print_text(plan, brokers, why);
    plan_free(plan);
    dag_free(dag);
    return 0;
}

static int parse(struct options *options, int argc, char **argv)
{
    struct error err = {0};

    for (int i = 1; i < argc; i++) {
        const char *value;

        if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if ((value = cli_option(argc, argv, &i, "--brokers")) != NULL) {
            options->brokers = value;
        } else if ((value = cli_option(argc, argv, &i, "--param")) != NULL) {
            if (cli_params_add(&options->params, value, &err) != 0)
                return cli_fail(&err);
        } else if (argv[i][0] == '-' && strcmp(argv[i], "-") != 0) {
            return cmd_unknown_option("plan", argv[i]);
        } else if (options->file) {
            return cli_usage("plan", "one FILE expected, got %s as well", argv[i]);
        } else {
            options->file = argv[i];
        }
    }
    return options->file ? 0 : cli_usage("plan", "FILE is missing");
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    int code = parse(&options, argc, argv);

    if (code == 0)
        code = print_plan(&options);
    cli_params_clear(&options.params);
    return code;
}

extern const struct cmd cmd_plan;
const struct cmd cmd_plan = {
    .name = "plan",
    .usage = "plan [OPTIONS] FILE",
    .doc = "Show what a dag becomes: topics, groups, clients; start nothing.",
    .help = "  FILE            a YAML file; - reads standard input\n"
            "  --brokers LIST  the broker, instead of kafka.brokers and DAGRUN_BROKERS\n"
            "  --param N=V     value of ${N} in the file; may be repeated\n"
            "  --json          the plan as JSON\n",
    .run = run,
};
