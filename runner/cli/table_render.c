/* SPDX-License-Identifier: MIT
 *
 * Columns are described once; each is as wide as its content, and the least important go
 * first when the terminal is narrow. Colour only repeats what a word says.
 */
#include "cli/table_render.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 80, COLUMNS_MAX = 12, GAP = 2, BAR = 12, ERRORS_MAX = 4 };

#define COLOR_OFF "\x1b[0m"
#define COLOR_BOLD "\x1b[1m"
#define COLOR_DIM "\x1b[2m"
#define COLOR_RED "\x1b[31m"
#define COLOR_GREEN "\x1b[32m"
#define COLOR_YELLOW "\x1b[33m"
#define COLOR_CYAN "\x1b[36m"

typedef void cell_fn(const json_t *node, char text[CELL]);

struct column {
    const char *title;
    cell_fn *fill;
    int weight; /* the smallest goes first; 0: never goes */
    bool right;
    bool only_if_any; /* left out while it is empty everywhere */
};

/* -------------------------------------------------------------------------- helpers */

char *table_safe(const char *text)
{
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);

    if (out == NULL)
        return mem_strdup("");
    text_print_safe(out, text ? text : "", text ? strlen(text) : 0);
    (void)fclose(out);
    return data;
}

bool table_is_over(const json_t *status)
{
    const char *state = json_get_string(status, "state", "");

    return strcmp(state, "starting") != 0 && strcmp(state, "running") != 0 &&
           strcmp(state, "draining") != 0;
}

char *table_run_name(const json_t *status)
{
    char *dag = table_safe(json_get_string(status, "dag", "?"));
    char *name = mem_printf("%s@%" PRId64, dag, json_get_int(status, "run", 0));

    free(dag);
    return name;
}

/* Columns on the screen: one a code point, which is right for all that we print. */
static size_t columns(const char *text)
{
    size_t count = 0;

    for (const char *c = text; *c; c++) {
        if (*c == '\x1b') {
            c = strchr(c, 'm');
            if (c == NULL)
                break;
        } else if (((unsigned char)*c & 0xc0) != 0x80) {
            count++;
        }
    }
    return count;
}

static void add_line(struct table_lines *out, char *text)
{
    size_t capacity = out->capacity;

    out->items = mem_grow(out->items, out->count, &capacity, sizeof *out->items);
    if (capacity != out->capacity)
        out->widths = mem_resize(out->widths, capacity * sizeof *out->widths);
    out->capacity = capacity;
    out->widths[out->count] = columns(text);
    out->items[out->count++] = text;
}

void table_lines_clear(struct table_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i]);
    free(lines->items);
    free(lines->widths);
    *lines = (struct table_lines){0};
}

/* Cut text, which has no escapes, to width columns in place. */
static void cut(char *text, int width)
{
    char *c = text;
    char *last = text;
    int count = 0;

    for (; *c; c++) {
        if (((unsigned char)*c & 0xc0) == 0x80)
            continue;
        if (++count > width) {
            *last = '\0';
            if (width > 0)
                (void)strcat(last, "~"); /* in place of the last character, never longer */
            return;
        }
        last = c;
    }
}

static const char *state_color(const char *state)
{
    static const struct {
        const char *state;
        const char *color;
    } colors[] = {
        {"running", COLOR_GREEN},   {"succeeded", COLOR_GREEN}, {"starting", COLOR_CYAN},
        {"draining", COLOR_CYAN},   {"paused", COLOR_YELLOW},   {"backoff", COLOR_YELLOW},
        {"degraded", COLOR_YELLOW}, {"stopped", COLOR_YELLOW},  {"failed", COLOR_RED},
        {"interrupted", COLOR_RED}, {"waiting", COLOR_DIM},
    };

    for (size_t i = 0; i < sizeof colors / sizeof *colors; i++) {
        if (strcmp(colors[i].state, state) == 0)
            return colors[i].color;
    }
    return "";
}

/* ---------------------------------------------------------------------------- cells */

static void cell_text(const json_t *node, const char *key, char text[CELL])
{
    char *safe = table_safe(json_get_string(node, key, ""));

    (void)snprintf(text, CELL, "%s", safe);
    free(safe);
}

static void cell_node(const json_t *node, char text[CELL])
{
    cell_text(node, "node", text);
}

static void cell_state(const json_t *node, char text[CELL])
{
    cell_text(node, "state", text);
}

static void cell_clients(const json_t *node, char text[CELL])
{
    (void)snprintf(text, CELL, "%" PRId64 "/%" PRId64, json_get_int(node, "up", 0),
                   json_get_int(node, "want", 0));
}

static void cell_count(const json_t *node, const char *key, char text[CELL])
{
    char number[TEXT_NUMBER];

    text_format_count(json_get_int(node, key, 0), number);
    (void)snprintf(text, CELL, "%s", number);
}

static void cell_rate(const json_t *node, const char *key, char text[CELL])
{
    const json_t *value = json_object_get(node, key);
    double rate = json_number_value(value);
    char number[TEXT_NUMBER];

    text_format_count((int64_t)(rate + 0.5), number);
    if (!json_is_number(value))
        text[0] = '\0';
    else if (rate > 0 && rate < 9.95)
        (void)snprintf(text, CELL, "%.1f", rate);
    else
        (void)snprintf(text, CELL, "%s", number);
}

static void cell_in_rate(const json_t *node, char text[CELL])
{
    cell_rate(node, "in_per_s", text);
}

static void cell_out_rate(const json_t *node, char text[CELL])
{
    cell_rate(node, "out_per_s", text);
}

static void cell_backlog(const json_t *node, char text[CELL])
{
    text[0] = '\0';
    if (json_get_int(node, "backlog", -1) >= 0)
        cell_count(node, "backlog", text);
}

static void cell_progress(const json_t *node, char text[CELL])
{
    const json_t *value = json_object_get(node, "progress");
    double progress = json_number_value(value);
    char bar[BAR + 1];

    text[0] = '\0';
    if (!json_is_number(value))
        return;
    progress = progress < 0 ? 0 : progress > 1 ? 1 : progress;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < (int)(progress * BAR) ? '=' : ' ';
    bar[BAR] = '\0';
    /* 100 only when all is done: rounding must not promise it. */
    (void)snprintf(text, CELL, "[%s] %3d%%", bar, (int)(progress * 100));
}

static void cell_nonzero(const json_t *node, const char *key, char text[CELL])
{
    text[0] = '\0';
    if (json_get_int(node, key, 0) != 0)
        cell_count(node, key, text);
}

static void cell_dead_any(const json_t *node, char text[CELL])
{
    cell_nonzero(node, "dead", text);
}

static void cell_restarts(const json_t *node, char text[CELL])
{
    cell_nonzero(node, "restarts", text);
}

static void cell_in(const json_t *node, char text[CELL])
{
    cell_count(node, "in", text);
}

static void cell_answered(const json_t *node, char text[CELL])
{
    cell_count(node, "answered", text);
}

static void cell_dropped(const json_t *node, char text[CELL])
{
    cell_count(node, "dropped", text);
}

static void cell_dead(const json_t *node, char text[CELL])
{
    cell_count(node, "dead", text);
}

static void cell_out(const json_t *node, char text[CELL])
{
    cell_count(node, "out", text);
}

static const struct column live_columns[] = {
    {"NODE", cell_node, 0, false, false},
    {"STATE", cell_state, 0, false, false},
    {"CLIENTS", cell_clients, 3, true, false},
    {"IN/s", cell_in_rate, 5, true, false},
    {"OUT/s", cell_out_rate, 4, true, false},
    {"BACKLOG", cell_backlog, 6, true, false},
    {"PROGRESS", cell_progress, 2, false, true},
    {"DEAD", cell_dead_any, 7, true, true},
    {"RESTARTS", cell_restarts, 1, true, true},
};

static const struct column final_columns[] = {
    {"NODE", cell_node, 0, false, false},
    {"STATE", cell_state, 0, false, false},
    {"IN", cell_in, 6, true, false},
    {"ANSWERED", cell_answered, 3, true, false},
    {"DROPPED", cell_dropped, 2, true, false},
    {"DEAD", cell_dead, 5, true, false},
    {"OUT", cell_out, 4, true, false},
    {"RESTARTS", cell_restarts, 1, true, true},
};

/* ----------------------------------------------------------------------------- grid */

struct grid {
    const struct column *columns;
    size_t column_count;
    char (*cells)[COLUMNS_MAX][CELL];
    const json_t **nodes; /* in the order shown */
    size_t rows;
    int widths[COLUMNS_MAX]; /* 0: not shown */
};

static void fill_grid(struct grid *grid)
{
    grid->cells = mem_alloc((grid->rows + 1) * sizeof *grid->cells);
    for (size_t c = 0; c < grid->column_count; c++) {
        size_t width = grid->columns[c].only_if_any ? 0 : strlen(grid->columns[c].title);

        for (size_t r = 0; r < grid->rows; r++) {
            size_t used;

            grid->columns[c].fill(grid->nodes[r], grid->cells[r][c]);
            used = columns(grid->cells[r][c]);
            if (used > width)
                width = used;
        }
        if (width > 0 && width < strlen(grid->columns[c].title))
            width = strlen(grid->columns[c].title);
        grid->widths[c] = (int)width;
    }
}

static int grid_width(const struct grid *grid)
{
    int width = 0;

    for (size_t c = 0; c < grid->column_count; c++) {
        if (grid->widths[c] > 0)
            width += grid->widths[c] + (width > 0 ? GAP : 0);
    }
    return width;
}

/* Leave columns out until it fits; what stays too wide is cut at the node's name. */
static void fit_grid(struct grid *grid, int width)
{
    int too_much;

    for (int weight = 1; width > 0 && grid_width(grid) > width && weight < 10; weight++) {
        for (size_t c = 0; c < grid->column_count; c++) {
            if (grid->columns[c].weight == weight)
                grid->widths[c] = 0;
        }
    }
    too_much = width > 0 ? grid_width(grid) - width : 0;
    if (too_much > 0)
        grid->widths[0] = grid->widths[0] - too_much > 4 ? grid->widths[0] - too_much : 4;
}

static void append_cell(struct text_buf *line, const struct column *column, int width,
                        char *text, const char *color)
{
    int pad;

    cut(text, width);
    pad = width - (int)columns(text);
    if (line->len > 0)
        text_appendf(line, "%*s", GAP, "");
    if (column->right)
        text_appendf(line, "%*s", pad, "");
    text_appendf(line, "%s%s%s", color, text, *color ? COLOR_OFF : "");
    if (!column->right)
        text_appendf(line, "%*s", pad, "");
}

static void trim(struct text_buf *line)
{
    while (line->len > 0 && line->data[line->len - 1] == ' ')
        line->data[--line->len] = '\0';
}

static const char *cell_color(const struct column *column, const char *text, bool color)
{
    if (!color)
        return "";
    if (column->fill == cell_state)
        return state_color(text);
    if (column->fill == cell_dead_any ||
        (column->fill == cell_dead && strcmp(text, "0") != 0))
        return COLOR_YELLOW;
    return "";
}

static void render_grid(struct grid *grid, int width, bool color, struct table_lines *out)
{
    struct text_buf line = {0};

    fit_grid(grid, width);
    for (size_t c = 0; c < grid->column_count; c++) {
        char title[CELL];

        (void)snprintf(title, sizeof title, "%s", grid->columns[c].title);
        if (grid->widths[c] > 0)
            append_cell(&line, &grid->columns[c], grid->widths[c], title,
                        color ? COLOR_BOLD : "");
    }
    trim(&line);
    add_line(out, text_take(&line));
    for (size_t r = 0; r < grid->rows; r++) {
        for (size_t c = 0; c < grid->column_count; c++) {
            char *text = grid->cells[r][c];

            if (grid->widths[c] > 0)
                append_cell(&line, &grid->columns[c], grid->widths[c], text,
                            cell_color(&grid->columns[c], text, color));
        }
        trim(&line);
        add_line(out, text_take(&line));
    }
}

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

/* The nodes of the status in its order, at most room of them. Returns how many. */
static size_t choose(const json_t *nodes, size_t room, const json_t **out)
{
    size_t count = json_array_size(nodes);
    bool *taken = mem_alloc(count + 1);
    size_t chosen = 0;
    size_t at = 0;

    for (int level = 0; level <= 3; level++) {
        for (size_t i = 0; i < count && chosen < room; i++) {
            if (urgency(json_array_get(nodes, i)) == level) {
                taken[i] = true;
                chosen++;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (taken[i])
            out[at++] = json_array_get(nodes, i);
    }
    free(taken);
    return at;
}

/* ----------------------------------------------------------------------- whole pages */

static void add_cut(struct table_lines *out, char *text, int width, const char *color)
{
    if (width > 0)
        cut(text, width);
    if (*color) {
        add_line(out, mem_printf("%s%s" COLOR_OFF, color, text));
        free(text);
    } else {
        add_line(out, text);
    }
}

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

static void add_head(const json_t *status, int width, bool color, struct table_lines *out)
{
    const json_t *broker = json_object_get(status, "broker");
    const char *state = json_get_string(status, "state", "?");
    char *name = table_run_name(status);
    char *safe_state = table_safe(state);
    char *address = table_safe(json_get_string(broker, "address", ""));
    bool down = !table_is_over(status) && !json_get_bool(broker, "up", true);
    char time[TEXT_NUMBER];

    elapsed(status, time);
    add_cut(out,
            mem_printf("%s  %s%s%s%s%s%s", name, safe_state, *time ? "  " : "", time,
                       *address ? "  broker " : "", address, down ? " is down" : ""),
            width, !color ? "" : down ? COLOR_RED : state_color(state));
    free(name);
    free(safe_state);
    free(address);
}

static void add_errors(const json_t *nodes, size_t room, int width, bool color,
                       struct table_lines *out)
{
    for (size_t i = 0; i < json_array_size(nodes) && room > 0; i++) {
        const json_t *node = json_array_get(nodes, i);
        const char *error = json_get_string(node, "last_error", "");
        char *safe;
        char *name;

        if (*error == '\0')
            continue;
        safe = table_safe(error);
        name = table_safe(json_get_string(node, "node", "?"));
        add_cut(out, mem_printf("%s: %s", name, safe), width, color ? COLOR_YELLOW : "");
        free(safe);
        free(name);
        room--;
    }
}

static size_t count_errors(const json_t *nodes)
{
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(nodes); i++)
        count += *json_get_string(json_array_get(nodes, i), "last_error", "") != '\0';
    return count < ERRORS_MAX ? count : ERRORS_MAX;
}

/* How many node lines there is room for, with a line that counts the others. */
static size_t node_room(size_t nodes, size_t errors, int height)
{
    size_t fixed = 2 + errors;
    size_t room;

    if (height == 0)
        return nodes;
    room = (size_t)height > fixed ? (size_t)height - fixed : 1;
    return nodes <= room ? nodes : room > 1 ? room - 1 : 1;
}

static void render(const json_t *status, struct table_size size, bool color,
                   struct grid *grid, struct table_lines *out)
{
    const json_t *nodes = json_object_get(status, "nodes");
    size_t count = json_array_size(nodes);
    size_t errors = count_errors(nodes);

    if (size.height > 0 && (size_t)size.height < errors + 4)
        errors = 0;
    add_head(status, size.width, color, out);
    grid->nodes = mem_alloc((count + 1) * sizeof *grid->nodes);
    grid->rows = choose(nodes, node_room(count, errors, size.height), grid->nodes);
    fill_grid(grid);
    if (count > 0 && (size.height == 0 || size.height > 2))
        render_grid(grid, size.width, color, out);
    if (grid->rows < count && (size.height == 0 || size.height > 3))
        add_cut(out, mem_printf("and %zu more nodes", count - grid->rows), size.width,
                color ? COLOR_DIM : "");
    add_errors(nodes, errors, size.width, color, out);
    free(grid->nodes);
    free(grid->cells);
}

void table_render_live(const json_t *status, struct table_size size, bool color,
                       struct table_lines *out)
{
    struct grid grid = {.columns = live_columns,
                        .column_count = sizeof live_columns / sizeof *live_columns};

    render(status, size, color, &grid, out);
}

void table_render_final(const json_t *status, struct table_size size, bool color,
                        struct table_lines *out)
{
    struct grid grid = {.columns = final_columns,
                        .column_count = sizeof final_columns / sizeof *final_columns};

    render(status, size, color, &grid, out);
}
