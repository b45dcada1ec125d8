/* SPDX-License-Identifier: MIT */
#include "cli/show_samples.h"

#include "cli/cli_ops.h"
#include "cli/grid.h"
#include "cli/table.h"
#include "ops/samples.h"

#include <stdio.h>

enum { LINES = 30 };

static const struct {
    const char *name;
    int decimals;
} cells[] = {
    {"in_per_s", 1}, {"out_per_s", 1}, {"backlog", 0},     {"backlog_s", 1},
    {"p50_ms", 1},   {"p99_ms", 1},    {"cpu_percent", 0}, {"rss_bytes", 0},
};
enum { CELLS = sizeof cells / sizeof *cells };

static const struct grid_column columns[] = {
    {"FROM", 0, false, false},   {"IN/S", 0, true, false},    {"OUT/S", 0, true, false},
    {"WAITING", 0, true, false}, {"SECONDS", 2, true, false}, {"P50 MS", 3, true, true},
    {"P99 MS", 3, true, true},   {"CPU %", 1, true, true},    {"MEMORY", 1, true, true},
    {NULL, 0, false, false},
};

static void add_line(struct grid *grid, const json_t *samples, size_t at)
{
    const json_t *metrics = json_object_get(samples, "metrics");
    char time[CLOCK_TEXT];

    cli_time_text(
        json_integer_value(json_array_get(json_object_get(samples, "time_ms"), at)),
        time);
    grid_text(grid, "", time);
    for (int c = 0; c < CELLS; c++) {
        const json_t *metric = json_object_get(metrics, cells[c].name);
        const json_t *value = json_array_get(json_object_get(metric, "mean"), at);

        if (!json_is_number(value))
            grid_text(grid, "", NULL);
        else
            grid_format(grid, "", "%.*f", cells[c].decimals, json_number_value(value));
    }
}

static void print(const json_t *samples)
{
    size_t count = json_array_size(json_object_get(samples, "time_ms"));
    struct grid *grid;

    if (count == 0) {
        (void)puts("no samples are left of it (they are kept for up to seven days)");
        return;
    }
    grid = grid_new(columns);
    for (size_t i = 0; i < count; i++)
        add_line(grid, samples, i);
    grid_print(grid, stdout, table_width(stdout), table_color(stdout));
    grid_free(grid);
}

void show_samples(const struct ops *ops, const struct address *address, bool json,
                  struct error *err)
{
    const struct ops_samples_query query = {.dag = address->dag,
                                            .run = address->run,
                                            .node = address->node,
                                            .client = address->client,
                                            .edge = address->edge,
                                            .points = json ? 0 : LINES};
    json_t *samples = ops_samples_json(ops, &query, err);

    if (samples && json) {
        cli_print_json(samples);
        return;
    }
    if (samples)
        print(samples);
    json_decref(samples);
}
