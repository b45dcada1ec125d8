/* SPDX-License-Identifier: MIT
 *
 * dags: which have run, from which file, and what their last run came to.
 */
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct grid_column columns[] = {
    {"DAG", 0, false, false},  {"RUN", 3, true, false},  {"STATE", 0, false, false},
    {"WHY", 1, false, true},   {"YAML", 2, false, false}, {NULL, 0, false, false},
};

static void print_text(const json_t *dags)
{
    struct grid *grid = grid_new(columns);

    for (size_t i = 0; i < json_array_size(dags); i++) {
        const json_t *dag = json_array_get(dags, i);
        const json_t *last = json_object_get(dag, "last");
        const char *state = json_get_string(last, "state", "");

        grid_text(grid, "", json_get_string(dag, "dag", "?"));
        grid_format(grid, "", "%" PRId64, json_get_int(last, "run", 0));
        grid_text(grid, grid_state_color(state), state);
        grid_text(grid, "", json_get_string(last, "text", NULL));
        grid_text(grid, "", json_get_string(dag, "yaml", NULL));
    }
    if (json_array_size(dags) > 0)
        grid_print(grid, stdout, table_width(stdout), table_color(stdout));
    else
        (void)fputs("dagrun: no dag has run yet\n", stderr);
    grid_free(grid);
}

static int run(int argc, char **argv)
{
    struct error err = {0};
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    struct ops *ops;
    json_t *dags;

    if (argc > 1 && !json)
        return cmd_unknown_option(argv[0], argv[1]);
    ops = cli_ops(&err);
    dags = ops ? ops_dags_json(ops, &err) : NULL;
    if (dags && !json)
        print_text(json_object_get(dags, "dags"));
    if (dags && json)
        cli_print_json(json_incref(dags));
    json_decref(dags);
    ops_close(ops);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

extern const struct cmd cmd_dags;
const struct cmd cmd_dags = {
    .name = "dags",
    .usage = "dags [--json]",
    .doc = "List the dags that have run, with their last run.",
    .help = "  --json  {\"dags\": [...]}, with the YAML file and the last run of each\n",
    .run = run,
};
