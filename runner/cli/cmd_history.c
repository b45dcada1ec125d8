/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cli_page.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct options {
    const char *dag;   /* NULL: all */
    const char *state; /* NULL: all */
    struct cli_page page;
};

static const struct grid_column columns[] = {
    {"RUN", 0, false, false},     {"STATE", 0, false, false}, {"STARTED", 6, false, false},
    {"DURATION", 5, true, false}, {"EXIT", 4, true, false},   {"DEAD", 3, true, true},
    {"TRIGGER", 2, false, false}, {"WHY", 1, false, true},    {NULL, 0, false, false},
};

static void add_row(struct grid *grid, const struct history_run_row *run)
{
    bool live = ops_state_is_live(run->state);
    char started[CLOCK_TEXT];
    char span[CLOCK_TEXT];

    cli_time_text(run->started_ms, started);
    cli_span_text(run->started_ms, live ? clock_wall_ms() : run->ended_ms, span);
    grid_format(grid, "", "%s@%" PRId64, run->dag, run->run);
    grid_text(grid, grid_state_color(run->state), run->state);
    grid_text(grid, "", started);
    grid_text(grid, "", span);
    if (run->exit_code >= 0)
        grid_format(grid, "", "%d", run->exit_code);
    else
        grid_text(grid, "", "-");
    if (run->dead > 0)
        grid_count(grid, GRID_YELLOW, run->dead);
    else
        grid_text(grid, "", NULL);
    grid_text(grid, "", run->trigger);
    grid_text(grid, "", run->text);
}

static void print_text(const struct ops_runs *runs, const struct options *options)
{
    struct grid *grid;

    if (runs->list.count == 0) {
        (void)fprintf(stderr, "dagrun: no %s\n",
                      options->state || options->page.since_ms
                          ? "run matches"
                          : "run is in the history yet");
    } else {
        grid = grid_new(columns);
        for (size_t i = 0; i < runs->list.count; i++)
            add_row(grid, &runs->list.items[i]);
        grid_print(grid, stdout, table_width(stdout), table_color(stdout));
        grid_free(grid);
    }
    (void)fflush(stdout);
    cli_page_more(runs->cursor);
}

static int show(const struct options *options)
{
    struct error err = {0};
    struct ops *ops = cli_ops(&err);
    struct ops_filter filter = {.state = options->state,
                                .since_ms = options->page.since_ms,
                                .after = options->page.after,
                                .limit = options->page.limit};
    struct address address = {0};
    struct ops_runs runs = {0};

    if (ops && options->dag && address_resolve(ops, options->dag, &address, &err) == 0) {
        filter.dag = address.dag;
        if (address.node || address.edge || address.has_run)
            error_set(&err, ERROR_INPUT, "a DAG expected, got %s", options->dag);
    }
    if (ops && !error_is_set(&err) && ops_runs(ops, &filter, &runs, &err) == 0) {
        if (options->page.json)
            cli_print_json(ops_runs_json(&runs));
        else
            print_text(&runs, options);
    }
    ops_runs_clear(&runs);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

static int parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = cli_option(argc, argv, &i, "--state");
        int code = 0;

        if (value)
            options->state = value;
        else if (argv[i][0] == '-')
            code = cli_page_option("history", &options->page, argc, argv, &i);
        else if (options->dag)
            code = cli_usage("history", "one DAG expected, got %s as well", argv[i]);
        else
            options->dag = argv[i];
        if (code != 0)
            return code;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct options options = {.page = cli_page_first()};
    int code = parse(&options, argc, argv);

    return code == 0 ? show(&options) : code;
}

extern const struct cmd cmd_history;
const struct cmd cmd_history = {
    .name = "history",
    .usage = "history [OPTIONS] [DAG]",
    .doc = "List runs, the newest first.",
    .help = "  DAG             only this one: its name or its YAML file\n"
            "  --state STATE   only runs in this state: starting, running, draining,\n"
            "                  succeeded, degraded, failed, stopped, interrupted\n"
            "  --since TIME    only runs begun since: 2h (ago), 7d, 2026-11-21, …\n"
            "  --limit N       at most N runs (50; up to 1000)\n"
            "  --after CURSOR  the next page, as the last one named it\n"
            "  --json          {\"runs\": […], \"next\": CURSOR or null}, times in UTC\n",
    .run = run,
};
