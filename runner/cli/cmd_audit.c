/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cli_page.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/table.h"
#include "ops/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *dag; /* NULL: all */
    struct cli_page page;
};

static const struct grid_column columns[] = {
    {"TIME", 6, false, false},  {"WHO", 5, false, false},    {"FROM", 2, false, false},
    {"ACTION", 0, false, false}, {"TARGET", 4, false, false}, {"RESULT", 0, false, false},
    {"TEXT", 1, false, true},   {NULL, 0, false, false},
};

static void add_row(struct grid *grid, const struct history_deed *deed)
{
    char at[CLOCK_TEXT];

    cli_time_text(deed->ts_ms, at);
    grid_text(grid, "", at);
    if (deed->role)
        grid_format(grid, "", "%s (%s)", deed->who, deed->role);
    else
        grid_text(grid, "", *deed->who ? deed->who : "-");
    grid_text(grid, "", deed->origin);
    grid_text(grid, "", deed->action);
    grid_text(grid, "", deed->target);
    grid_text(grid, deed->ok ? "" : GRID_RED, deed->ok ? "ok" : "refused");
    grid_text(grid, "", deed->text ? deed->text : deed->detail);
}

static void print_text(const struct audit_list *list)
{
    struct grid *grid;

    if (list->deeds.count == 0) {
        (void)fputs("dagrun: nothing that was done matches\n", stderr);
        return;
    }
    grid = grid_new(columns);
    for (size_t i = 0; i < list->deeds.count; i++)
        add_row(grid, &list->deeds.items[i]);
    grid_print(grid, stdout, table_width(stdout), table_color(stdout));
    grid_free(grid);
    (void)fflush(stdout);
    cli_page_more(list->next);
}

static int show(const struct options *options)
{
    struct error err = {0};
    struct ops *ops = cli_ops(&err);
    struct audit_filter filter = {.dag = options->dag,
                                  .since_ms = options->page.since_ms,
                                  .after = options->page.after,
                                  .limit = options->page.limit};
    struct audit_list list = {0};

    if (ops && audit_list(ops, &filter, &list, &err) == 0) {
        if (options->page.json)
            cli_print_json(audit_json(&list));
        else
            print_text(&list);
    }
    audit_list_clear(&list);
    ops_close(ops);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

static int parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = cli_option(argc, argv, &i, "--dag");
        int code = 0;

        if (value)
            options->dag = value;
        else
            code = cli_page_option("audit", &options->page, argc, argv, &i);
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

extern const struct cmd cmd_audit;
const struct cmd cmd_audit = {
    .name = "audit",
    .usage = "audit [OPTIONS]",
    .doc = "List who did what, the newest first: starts, stops, changes, refusals.",
    .help = "  --dag DAG       only what was done to this dag, by its name\n"
            "  --since TIME    only what was done since: 2h (ago), 7d, 2026-11-21, …\n"
            "  --limit N       at most N (50; up to 1000)\n"
            "  --after CURSOR  the next page, as the last one named it\n"
            "  --json          {\"audit\": […], \"next\": CURSOR or null}, times in UTC\n\n"
            "Commands are recorded with the user of the system and the pid, what comes over\n"
            "HTTP with the user of the web server, the role and the address.\n",
    .run = run,
};
