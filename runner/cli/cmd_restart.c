/* SPDX-License-Identifier: MIT
 *
 * restart = stop, when it runs, and start. The new run has the options given here.
 */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/start_options.h"
#include "ops/address.h"
#include "ops/ops.h"

#include <stdlib.h>

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

static int run(int argc, char **argv)
{
    struct start_options options = {0};
    struct error err = {0};
    int code = start_options_parse(argc, argv, &options);

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
    .usage = "restart [OPTIONS] FILE|DAG",
    .doc = "Stop a run and start it again.",
    .help = "The options are those of start (see 'dagrun start --help'); those of the stopped\n"
            "run are not kept. A file with errors leaves the old run as it is.\n",
    .run = run,
};
