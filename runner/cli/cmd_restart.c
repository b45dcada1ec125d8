/* SPDX-License-Identifier: MIT
 *
 * restart = stop, when it runs, and start: the new run has the options given here. Of a
 * node or a client: new processes within the run.
 */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cli_target.h"
#include "cli/cmd.h"
#include "cli/start_options.h"
#include "ops/actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct cmd cmd_start;
extern const struct cmd cmd_stop;

static bool is_live(const char *dag, struct error *err)
{
    struct address address = {0};
    struct ops *ops = cli_ops_at(dag, &address, err);
    bool live = ops && ops_is_live(ops, address.dag);

    address_clear(&address);
    ops_close(ops);
    return live;
}

static int stop(const char *name)
{
    char *dag = mem_strdup(name);
    char *words[] = {"stop", dag, NULL};
    int code = cmd_stop.run(2, words);

    free(dag);
    return code;
}

/* Before anything is stopped: a file with errors leaves the old run alone. */
static int check_file(const struct start_options *options, struct error *err)
{
    char *path = start_find_file(options->file, err);
    struct dag *dag = path ? cli_load_dag(path, &options->params, true, err) : NULL;
    int result = dag ? 0 : -1;

    dag_free(dag);
    free(path);
    return result;
}

/* DAG/NODE or DAG/NODE.N, and no file. */
static bool names_a_node(const char *text)
{
    return strchr(text, '/') && access(text, F_OK) != 0 &&
           (strlen(text) < 5 || strcmp(text + strlen(text) - 5, ".yaml") != 0);
}

static int restart_node(const char *text)
{
    struct error err = {0};
    struct address address = {0};
    struct ops *ops =
        cli_target("restart", text, TARGET_NODE | TARGET_CLIENT, &address, &err);

    if (ops && address.node == NULL)
        error_set(&err, ERROR_INPUT, "restart takes FILE, DAG, DAG/NODE or DAG/NODE.N");
    else if (ops && ops_restart(ops, address.dag, address.node, address.client, &err) == 0)
        text_printf_safe(stdout, "%s: finishes what is in hand, then starts again\n", text);
    if (ops && address.node)
        cli_audit_at("restart", &address, NULL, &err);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

static int run(int argc, char **argv)
{
    struct start_options options = {0};
    struct error err = {0};
    int code = start_options_parse(argc, argv, &options);

    if (code == 0 && names_a_node(options.file)) {
        code = argc > 2 ? cli_usage("restart", "a node is restarted without options")
                        : restart_node(options.file);
        start_options_clear(&options);
        return code;
    }
    if (code == 0 && check_file(&options, &err) != 0)
        code = *err.text ? cli_fail(&err) : error_exit_code(err.kind);
    else if (code == 0 && is_live(options.file, &err))
        code = stop(options.file);
    else if (error_is_set(&err))
        code = cli_fail(&err);
    start_options_clear(&options);
    return code == 0 ? cmd_start.run(argc, argv) : code;
}

extern const struct cmd cmd_restart;
const struct cmd cmd_restart = {
    .name = "restart",
    .usage = "restart [OPTIONS] FILE|DAG, or restart DAG/NODE[.N]",
    .doc = "Stop a run and start it again, or one node of it.",
    .help = "A node, or one client of it, finishes what is in hand and gets a new process; the\n"
            "run goes on.\n\n"
            "The options are those of start (see 'dagrun start --help'); those of the stopped\n"
            "run are not kept. A file with errors leaves the old run as it is.\n",
    .run = run,
};
