/* SPDX-License-Identifier: MIT
 *
 * Colour only repeats what a word says. When not all nodes fit, those in trouble stay.
 */
#include "cli/table_render.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 12, ERRORS_MAX = 4, UNREADY_MS = 10000 };

bool table_is_over(const json_t *status)
{
    const char *state = json_get_string(status, "state", "");

    return strcmp(state, "starting") != 0 && strcmp(state, "running") != 0 &&
           strcmp(state, "draining") != 0;
}

char *table_run_name(const json_t *status)
{
    char *dag = grid_safe(json_get_string(status, "dag", "?"));
    char *name = mem_printf("%s@%" PRId64, dag, json_get_int(status, "run", 0));

    free(dag);
    return name;
}

/* ---------------------------------------------------------------------------- cells */

static void add_state(struct grid *grid, const json_t *node)
{
    const char *state = json_get_string(node, "state", "");

    grid_text(grid, grid_state_color(state), state);
}

static void add_rate(struct grid *grid, const json_t *node, const char *key)
{
    const json_t *value = json_object_get(node, key);
    double rate = json_number_value(value);

    if (!json_is_number(value))
        grid_text(grid, "", NULL);
    else if (rate > 0 && rate < 9.95)
        grid_format(grid, "", "%.1f", rate);
    else
        grid_count(grid, "", (int64_t)(rate + 0.5));
}

/* Empty where there is nothing to say: the eye finds what is there. */
static void add_nonzero(struct grid *grid, const json_t *node, const char *key)
{
    if (json_get_int(node, key, 0) != 0)
        grid_count(grid, GRID_YELLOW, json_get_int(node, key, 0));
    else
        grid_text(grid, "", NULL);
}

static void add_progress(struct grid *grid, const json_t *node)
{
    const json_t *value = json_object_get(node, "progress");
    double progress = json_number_value(value);
    char bar[BAR + 1];

    progress = progress < 0 ? 0 : progress > 1 ? 1 : progress;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < (int)(progress * BAR) ? '=' : ' ';
    bar[BAR] = '\0';
    if (json_is_number(value)) /* rounded down: 100 % only when all is done */
        grid_format(grid, "", "[%s] %3d%%", bar, (int)(progress * 100));
    else
        grid_text(grid, "", NULL);
}

static void add_live_row(struct grid *grid, const json_t *node)
{
    grid_text(grid, "", json_get_string(node, "node", ""));
    add_state(grid, node);
    grid_format(grid, "", "%" PRId64 "/%" PRId64, json_get_int(node, "up", 0),
                json_get_int(node, "want", 0));
    add_rate(grid, node, "in_per_s");
    add_rate(grid, node, "out_per_s");
    if (json_get_int(node, "backlog", -1) >= 0)
        grid_count(grid, "", json_get_int(node, "backlog", 0));
    else
        grid_text(grid, "", NULL);
    add_progress(grid, node);
    add_nonzero(grid, node, "dead");
    add_nonzero(grid, node, "restarts");
}

static const struct grid_column live_columns[] = {
    {"NODE", 0, false, false},    {"STATE", 0, false, false},
    {"CLIENTS", 3, true, false},  {"IN/s", 5, true, false},
    {"OUT/s", 4, true, false},    {"BACKLOG", 6, true, false},
    {"PROGRESS", 2, false, true}, {"DEAD", 7, true, true},
    {"RESTARTS", 1, true, true},  {NULL, 0, false, false},
};

static void add_final_row(struct grid *grid, const json_t *node)
{
    int64_t dead = json_get_int(node, "dead", 0);

    grid_text(grid, "", json_get_string(node, "node", ""));
    add_state(grid, node);
    grid_count(grid, "", json_get_int(node, "in", 0));
    grid_count(grid, "", json_get_int(node, "answered", 0));
    grid_count(grid, "", json_get_int(node, "dropped", 0));
    grid_count(grid, dead ? GRID_YELLOW : "", dead);
    grid_count(grid, "", json_get_int(node, "out", 0));
    add_nonzero(grid, node, "repeats");
    add_nonzero(grid, node, "restarts");
}

static const struct grid_column final_columns[] = {
    {"NODE", 0, false, false},    {"STATE", 0, false, false}, {"IN", 6, true, false},
    {"ANSWERED", 3, true, false}, {"DROPPED", 2, true, false}, {"DEAD", 5, true, false},
    {"OUT", 4, true, false},      {"REPEATS", 1, true, true},  {"RESTARTS", 1, true, true},
    {NULL, 0, false, false},
};

/* ------------------------------------------------------------------- choice of nodes */

/* What needs a look first, when not all nodes fit: 0 is most urgent. */
static int urgency(const json_t *node)
{
    const char *state = json_get_string(node, "state", "");

    if (strcmp(state, "failed") == 0 || strcmp(state, "backoff") == 0)
        return 0;
    if (json_get_int(node, "dead", 0) > 0 || json_get_int(node, "backlog", 0) > 0)
        return 1;
    return strcmp(state, "done") == 0 || strcmp(state, "waiting") == 0 ? 3 : 2;
}

/* Mark at most room nodes, the most urgent ones. Returns how many. */
static size_t choose(const json_t *nodes, size_t room, bool *chosen)
{
    size_t total = json_array_size(nodes);
    size_t count = 0;

    for (int level = 0; level <= 3; level++) {
        for (size_t i = 0; i < total && count < room; i++) {
            if (urgency(json_array_get(nodes, i)) == level) {
                chosen[i] = true;
                count++;
            }
        }
    }
    return count;
}

/* ----------------------------------------------------------------------- whole pages */

struct page {
    const json_t *status;
    struct table_size size;
    bool color;
    const struct grid_column *columns;
    void (*add_row)(struct grid *grid, const json_t *node);
};

static void elapsed(const json_t *status, char text[TEXT_NUMBER])
{
    int64_t since_ms = json_get_int(status, "since_ms", 0);
    int64_t now_ms = json_get_int(status, "ended_ms", 0);

    text[0] = '\0';
    if (now_ms == 0)
        now_ms = json_get_int(status, "now_ms", clock_wall_ms());
    if (since_ms > 0)
        text_format_duration(now_ms > since_ms ? now_ms - since_ms : 0, text);
}

static bool broker_is_down(const json_t *status)
{
    const json_t *broker = json_object_get(status, "broker");

    return !table_is_over(status) && !json_get_bool(broker, "up", true) &&
           json_get_string(broker, "error", NULL) != NULL;
}

static void add_head(const struct page *page, struct lines *out)
{
    const char *state = json_get_string(page->status, "state", "?");
    const char *address =
        json_get_string(json_object_get(page->status, "broker"), "address", "");
    bool down = broker_is_down(page->status);
    char *name = table_run_name(page->status);
    char time[TEXT_NUMBER];
    char *line;

    elapsed(page->status, time);
    line = mem_printf("%s  %s%s%s%s%s%s", name, state, *time ? "  " : "", time,
                      *address ? "  broker " : "", address, down ? " is down" : "");
    lines_add(out, line, page->size.width,
              !page->color ? "" : down ? GRID_RED : grid_state_color(state));
    free(line);
    free(name);
}

/* How many clients of the node hang before their first word; a line each, room of them. */
static size_t add_unready(const struct page *page, const json_t *node, size_t room,
                          struct lines *out)
{
    const json_t *clients = json_object_get(node, "clients");
    const char *dag = json_get_string(page->status, "dag", "?");
    const char *name = json_get_string(node, "node", "?");
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(clients); i++) {
        const json_t *client = json_array_get(clients, i);
        const char *number = json_get_string(client, "client", "?");
        int64_t since_ms = json_get_int(client, "uptime_ms", 0);
        char time[TEXT_NUMBER];
        char *line;

        if (strcmp(json_get_string(client, "state", ""), "starting") != 0 ||
            since_ms < UNREADY_MS || count++ >= room)
            continue;
        text_format_duration(since_ms, time);
        line = mem_printf("%s.%s: has not said for %s that it is ready (its log: dagrun logs "
                          "%s/%s.%s)",
                          name, number, time, dag, name, number);
        lines_add(out, line, page->size.width, page->color ? GRID_YELLOW : "");
        free(line);
    }
    return count;
}

/* What is wrong, a line each, at most room of them. */
static size_t add_troubles(const struct page *page, size_t room, struct lines *out)
{
    const json_t *nodes = json_object_get(page->status, "nodes");
    const json_t *broker = json_object_get(page->status, "broker");
    const char *degraded = json_get_string(page->status, "history_degraded", NULL);
    const char *color = page->color ? GRID_YELLOW : "";
    size_t count = 0;

    if (broker_is_down(page->status) && count++ < room)
        lines_add(out, json_get_string(broker, "error", ""), page->size.width, color);
    if (degraded && count++ < room)
        lines_add(out, degraded, page->size.width, color);
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        const char *error = json_get_string(node, "last_error", "");
        char *line;

        count += add_unready(page, node, room > count ? room - count : 0, out);
        if (*error == '\0' || count++ >= room)
            continue;
        line = mem_printf("%s: %s", json_get_string(node, "node", "?"), error);
        lines_add(out, line, page->size.width, color);
        free(line);
    }
    return count;
}

static size_t count_troubles(const struct page *page)
{
    struct lines none = {0};
    size_t count = add_troubles(page, 0, &none);

    lines_clear(&none);
    return count < ERRORS_MAX ? count : ERRORS_MAX;
}

/* How many node lines there is room for, with a line that counts the others. */
static size_t node_room(size_t nodes, size_t troubles, int height)
{
    size_t fixed = 2 + troubles;
    size_t room;

    if (height == 0)
        return nodes;
    room = (size_t)height > fixed ? (size_t)height - fixed : 1;
    return nodes <= room ? nodes : room > 1 ? room - 1 : 1;
}

static void add_nodes(const struct page *page, size_t room, struct lines *out)
{
    const json_t *nodes = json_object_get(page->status, "nodes");
    size_t total = json_array_size(nodes);
    bool *chosen = mem_alloc((total + 1) * sizeof *chosen);
    size_t shown = choose(nodes, room, chosen);
    struct grid *grid = grid_new(page->columns);
    char *line;

    for (size_t i = 0; i < total; i++) {
        if (chosen[i])
            page->add_row(grid, json_array_get(nodes, i));
    }
    grid_render(grid, page->size.width, page->color, out);
    grid_free(grid);
    free(chosen);
    if (shown == total)
        return;
    line = mem_printf("and %zu more nodes", total - shown);
    lines_add(out, line, page->size.width, page->color ? GRID_DIM : "");
    free(line);
}

static void render(const struct page *page, struct lines *out)
{
    size_t total = json_array_size(json_object_get(page->status, "nodes"));
    size_t troubles = count_troubles(page);
    int height = page->size.height;

    if (height > 0 && (size_t)height < troubles + 4)
        troubles = 0;
    add_head(page, out);
    if (total > 0 && (height == 0 || height > 3))
        add_nodes(page, node_room(total, troubles, height), out);
    (void)add_troubles(page, troubles, out);
}

void table_render_live(const json_t *status, struct table_size size, bool color,
                       struct lines *out)
{
    struct page page = {status, size, color, live_columns, add_live_row};

    render(&page, out);
}

void table_render_final(const json_t *status, struct table_size size, bool color,
                        struct lines *out)
{
    struct page page = {status, size, color, final_columns, add_final_row};

    render(&page, out);
}
