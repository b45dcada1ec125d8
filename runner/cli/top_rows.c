/* SPDX-License-Identifier: MIT */
#include "cli/top_rows.h"

#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *title; /* of its column, as the head says it */
    char key;
} sorts[TOP_SORTS] = {
    [TOP_CPU] = {"cpu", "CPU", 'c'},    [TOP_MEMORY] = {"memory", "memory", 'm'},
    [TOP_IN] = {"in", "in/s", 'i'},     [TOP_OUT] = {"out", "out/s", 'o'},
    [TOP_LAG] = {"lag", "lag", 'l'},
};

const char *top_sort_name(enum top_sort sort)
{
    return sorts[sort].name;
}

int top_sort_find(const char *name)
{
    for (int i = 0; i < TOP_SORTS; i++) {
        bool is_key = name[0] == sorts[i].key && name[1] == '\0';

        if (is_key || strcmp(sorts[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* A node, or one client of it. Strings are the status objects'. */
struct row {
    const char *dag;
    int64_t run;
    const char *node;
    const char *client; /* NULL: the node as a whole */
    const char *state;
    bool silent; /* its runner says nothing any more */
    int64_t pid;
    int64_t up;
    int64_t want;
    int64_t rss_bytes;
    int64_t lag; /* -1: unknown */
    int64_t dead;
    int64_t restarts;
    double cpu_percent;
    double in_per_s;
    double out_per_s;
    double key; /* what it is sorted by */
};

struct rows {
    struct row *items;
    size_t count;
    size_t capacity;
    size_t runs;
    struct row sum; /* of all clients, shown or not */
};

/* ------------------------------------------------------------------------- collecting */

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static double key_of(const struct row *row, enum top_sort sort)
{
    switch (sort) {
    case TOP_MEMORY:
        return (double)row->rss_bytes;
    case TOP_IN:
        return row->in_per_s;
    case TOP_OUT:
        return row->out_per_s;
    case TOP_LAG:
        return (double)row->lag;
    case TOP_CPU:
    case TOP_SORTS:
        break;
    }
    return row->cpu_percent;
}

static void add_row(struct rows *rows, struct row *row, enum top_sort sort)
{
    row->key = key_of(row, sort);
    rows->items = mem_grow(rows->items, rows->count, &rows->capacity, sizeof *rows->items);
    rows->items[rows->count++] = *row;
}

/* What nodes and clients have alike. */
static void read_both(struct row *row, const json_t *object)
{
    row->state = json_get_string(object, "state", "?");
    row->dead = json_get_int(object, "dead", 0);
    row->restarts = json_get_int(object, "restarts", 0);
    row->in_per_s = number(object, "in_per_s");
    row->out_per_s = number(object, "out_per_s");
}

static void read_client(struct row *row, const json_t *client)
{
    read_both(row, client);
    row->client = json_get_string(client, "client", "?");
    row->pid = json_get_int(client, "pid", 0);
    row->up = row->pid > 0;
    row->want = 1;
    row->rss_bytes = json_get_int(client, "rss_bytes", 0);
    row->lag = json_get_int(client, "lag", -1);
    row->cpu_percent = number(client, "cpu_percent");
}

static void read_node(struct row *row, const json_t *node)
{
    read_both(row, node);
    row->up = json_get_int(node, "up", 0);
    row->want = json_get_int(node, "want", 0);
    row->lag = json_get_int(node, "backlog", -1);
}

static void add_node(struct rows *rows, const struct top_view *view, struct row row,
                     const json_t *node)
{
    const json_t *clients = json_object_get(node, "clients");
    struct row whole = row;

    read_node(&whole, node);
    for (size_t c = 0; c < json_array_size(clients); c++) {
        struct row client = row;

        read_client(&client, json_array_get(clients, c));
        whole.rss_bytes += client.rss_bytes;
        whole.cpu_percent += client.cpu_percent;
        if (view->clients)
            add_row(rows, &client, view->sort);
    }
    if (!view->clients)
        add_row(rows, &whole, view->sort);
    rows->sum.up += whole.up;
    rows->sum.want += whole.want;
    rows->sum.rss_bytes += whole.rss_bytes;
    rows->sum.cpu_percent += whole.cpu_percent;
}

static void add_run(struct rows *rows, const struct top_view *view, const json_t *status)
{
    const json_t *nodes = json_object_get(status, "nodes");
    struct row row = {.dag = json_get_string(status, "dag", "?"),
                      .run = json_get_int(status, "run", 0),
                      .silent = json_object_get(status, "stale_since_ms") != NULL};

    if (view->dag && strcmp(view->dag, row.dag) != 0)
        return;
    rows->runs++;
    for (size_t n = 0; n < json_array_size(nodes); n++) {
        const json_t *node = json_array_get(nodes, n);

        row.node = json_get_string(node, "node", "?");
        if (view->node == NULL || strcmp(view->node, row.node) == 0)
            add_node(rows, view, row, node);
    }
}

static int by_name(const struct row *a, const struct row *b)
{
    int order = strcmp(a->dag, b->dag);

    if (order == 0)
        order = strcmp(a->node, b->node);
    if (order == 0 && a->client && b->client)
        order = strcmp(a->client, b->client);
    return order;
}

static int by_key(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;

    if (left->key != right->key)
        return left->key < right->key ? 1 : -1;
    return by_name(left, right);
}

static struct rows collect(const json_t *all, const struct top_view *view)
{
    struct rows rows = {0};

    for (size_t i = 0; i < json_array_size(all); i++)
        add_run(&rows, view, json_array_get(all, i));
    if (rows.count > 1)
        qsort(rows.items, rows.count, sizeof *rows.items, by_key);
    return rows;
}

/* ---------------------------------------------------------------------------- as text */

static const struct grid_column columns[] = {
    {"NAME", 0, false, false}, {"STATE", 0, false, false},   {"CLIENTS", 5, true, true},
    {"PID", 3, true, true},    {"CPU %", 0, true, false},    {"MEMORY", 8, true, false},
    {"IN/s", 7, true, false},  {"OUT/s", 6, true, false},    {"LAG", 9, true, false},
    {"DEAD", 4, true, true},   {"RESTARTS", 2, true, true},  {NULL, 0, false, false},
};

static void add_name(struct grid *grid, const struct row *row)
{
    char *name = mem_printf("%s/%s%s%s", row->dag, row->node, row->client ? "." : "",
                            row->client ? row->client : "");

    grid_text(grid, "", name);
    free(name);
}

static void add_rate(struct grid *grid, double rate)
{
    if (rate > 0 && rate < 9.95)
        grid_format(grid, "", "%.1f", rate);
    else
        grid_count(grid, "", (int64_t)(rate + 0.5));
}

static void add_nonzero(struct grid *grid, int64_t count)
{
    if (count > 0)
        grid_count(grid, GRID_YELLOW, count);
    else
        grid_text(grid, "", NULL);
}

static void add_number_or_not(struct grid *grid, int64_t count, bool known)
{
    if (known)
        grid_format(grid, "", "%" PRId64, count);
    else
        grid_text(grid, "", NULL);
}

static void add_cells(struct grid *grid, const struct row *row)
{
    char text[TEXT_NUMBER];

    add_name(grid, row);
    grid_text(grid, row->silent ? GRID_RED : grid_state_color(row->state),
              row->silent ? "no answer" : row->state);
    if (row->client)
        grid_text(grid, "", NULL);
    else
        grid_format(grid, row->up < row->want ? GRID_YELLOW : "", "%" PRId64 "/%" PRId64,
                    row->up, row->want);
    add_number_or_not(grid, row->pid, row->client && row->pid > 0);
    grid_format(grid, "", "%.1f", row->cpu_percent);
    text_format_bytes(row->rss_bytes, text);
    grid_text(grid, "", text);
    add_rate(grid, row->in_per_s);
    add_rate(grid, row->out_per_s);
    if (row->lag >= 0)
        grid_count(grid, "", row->lag);
    else
        grid_text(grid, "", "-");
    add_nonzero(grid, row->dead);
    add_nonzero(grid, row->restarts);
}

static void add_head(const struct rows *rows, const struct top_view *view,
                     struct top_size size, bool color, struct lines *out)
{
    const struct row *sum = &rows->sum;
    char memory[TEXT_NUMBER];
    char *text;

    text_format_bytes(sum->rss_bytes, memory);
    text = mem_printf("%zu run%s, %" PRId64 " of %" PRId64 " clients up, CPU %.0f %%, memory "
                      "%s; by %s",
                      rows->runs, rows->runs == 1 ? "" : "s", sum->up, sum->want,
                      sum->cpu_percent, memory, sorts[view->sort].title);
    lines_add(out, text, size.width, color ? GRID_BOLD : "");
    free(text);
}

void top_render(const json_t *all, const struct top_view *view, struct top_size size,
                bool color, struct lines *out)
{
    enum { HEAD = 2, REST = 1 }; /* lines: head and titles; what does not fit */
    struct rows rows = collect(all, view);
    struct grid *grid = grid_new(columns);
    size_t room = size.height > HEAD + REST ? (size_t)size.height - HEAD : 1;
    bool fits = size.height == 0 || rows.count <= room;
    size_t shown = fits ? rows.count : room - (room > 1 ? REST : 0);

    add_head(&rows, view, size, color, out);
    for (size_t i = 0; i < shown; i++)
        add_cells(grid, &rows.items[i]);
    grid_render(grid, size.width, color, out);
    if (!fits) {
        char *text = mem_printf("%zu more", rows.count - shown);

        lines_add(out, text, size.width, color ? GRID_DIM : "");
        free(text);
    }
    grid_free(grid);
    free(rows.items);
}

/* ---------------------------------------------------------------------------- as JSON */

static json_t *row_json(const struct row *row)
{
    json_t *object = json_pack(
        "{s:o,s:I,s:o,s:o,s:I,s:I,s:f,s:I,s:f,s:f,s:I,s:I,s:I}", "dag",
        json_text(row->dag), "run", (json_int_t)row->run, "node", json_text(row->node),
        "state", json_text(row->state), "up", (json_int_t)row->up, "want",
        (json_int_t)row->want, "cpu_percent", row->cpu_percent, "rss_bytes",
        (json_int_t)row->rss_bytes, "in_per_s", row->in_per_s, "out_per_s", row->out_per_s,
        "lag", (json_int_t)row->lag, "dead", (json_int_t)row->dead, "restarts",
        (json_int_t)row->restarts);

    if (row->client) {
        (void)json_object_set_new(object, "client", json_text(row->client));
        (void)json_object_set_new(object, "pid", json_integer(row->pid));
    }
    return object;
}

json_t *top_json(const json_t *all, const struct top_view *view)
{
    struct rows rows = collect(all, view);
    json_t *list = json_array();

    for (size_t i = 0; i < rows.count; i++)
        (void)json_array_append_new(list, row_json(&rows.items[i]));
    free(rows.items);
    return json_pack("{s:I,s:I,s:I,s:f,s:I,s:s,s:o}", "runs", (json_int_t)rows.runs, "up",
                     (json_int_t)rows.sum.up, "want", (json_int_t)rows.sum.want,
                     "cpu_percent", rows.sum.cpu_percent, "rss_bytes",
                     (json_int_t)rows.sum.rss_bytes, "sort", sorts[view->sort].name,
                     "rows", list);
}
