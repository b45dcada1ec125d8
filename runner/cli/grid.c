/* SPDX-License-Identifier: MIT */
#include "cli/grid.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, NAME_MIN = 4 };

char *grid_safe(const char *text)
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

const char *grid_state_color(const char *state)
{
    static const struct {
        const char *state;
        const char *color;
    } colors[] = {
        {"running", GRID_GREEN},   {"succeeded", GRID_GREEN}, {"starting", GRID_CYAN},
        {"draining", GRID_CYAN},   {"paused", GRID_YELLOW},   {"backoff", GRID_YELLOW},
        {"degraded", GRID_YELLOW}, {"stopped", GRID_YELLOW},  {"failed", GRID_RED},
        {"interrupted", GRID_RED}, {"waiting", GRID_DIM},
    };

    for (size_t i = 0; i < sizeof colors / sizeof *colors; i++) {
        if (strcmp(colors[i].state, state) == 0)
            return colors[i].color;
    }
    return "";
}

/* Columns on the screen: one a code point, which is right for nearly all that we print. */
static size_t screen_width(const char *text)
{
    size_t count = 0;

    for (const char *c = text; *c; c++)
        count += ((unsigned char)*c & 0xc0) != 0x80;
    return count;
}

/* Cut safe text to width columns in place, the last one a mark. */
static void cut(char *text, size_t width)
{
    char *last = text;
    size_t count = 0;

    for (char *c = text; *c; c++) {
        if (((unsigned char)*c & 0xc0) == 0x80)
            continue;
        if (++count > width) {
            last[0] = width > 0 ? '~' : '\0';
            last[width > 0] = '\0';
            return;
        }
        last = c;
    }
}

/* ---------------------------------------------------------------------------- lines */

/* text is taken; width: without its escapes. */
static void add_taken(struct lines *lines, char *text, size_t width)
{
    size_t capacity = lines->capacity;

    lines->items = mem_grow(lines->items, lines->count, &capacity, sizeof *lines->items);
    if (capacity != lines->capacity)
        lines->widths = mem_resize(lines->widths, capacity * sizeof *lines->widths);
    lines->capacity = capacity;
    lines->widths[lines->count] = width;
    lines->items[lines->count++] = text;
}

void lines_add(struct lines *lines, const char *text, int width, const char *color)
{
    char *safe = grid_safe(text);
    size_t used;

    if (width > 0)
        cut(safe, (size_t)width);
    used = screen_width(safe);
    if (*color) {
        char *colored = mem_printf("%s%s" GRID_OFF, color, safe);

        free(safe);
        safe = colored;
    }
    add_taken(lines, safe, used);
}

void lines_print(const struct lines *lines, FILE *out)
{
    for (size_t i = 0; i < lines->count; i++) {
        (void)fputs(lines->items[i], out);
        (void)fputc('\n', out);
    }
}

void lines_clear(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i]);
    free(lines->items);
    free(lines->widths);
    *lines = (struct lines){0};
}

/* ----------------------------------------------------------------------------- grid */

struct cell {
    char *text;
    const char *color;
    size_t width;
};

struct grid {
    const struct grid_column *columns;
    size_t column_count;
    size_t *widths; /* 0: not shown */
    struct cell *cells;
    size_t cell_count;
    size_t cell_capacity;
};

struct grid *grid_new(const struct grid_column *columns)
{
    struct grid *grid = mem_alloc(sizeof *grid);

    grid->columns = columns;
    while (columns[grid->column_count].title)
        grid->column_count++;
    grid->widths = mem_alloc(grid->column_count * sizeof *grid->widths);
    return grid;
}

void grid_free(struct grid *grid)
{
    if (grid == NULL)
        return;
    for (size_t i = 0; i < grid->cell_count; i++)
        free(grid->cells[i].text);
    free(grid->cells);
    free(grid->widths);
    free(grid);
}

void grid_text(struct grid *grid, const char *color, const char *text)
{
    char *safe = grid_safe(text);

    grid->cells =
        mem_grow(grid->cells, grid->cell_count, &grid->cell_capacity, sizeof *grid->cells);
    grid->cells[grid->cell_count++] = (struct cell){safe, color, screen_width(safe)};
}

void grid_format(struct grid *grid, const char *color, const char *format, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    grid_text(grid, color, text);
}

void grid_count(struct grid *grid, const char *color, int64_t count)
{
    char text[TEXT_NUMBER];

    text_format_count(count, text);
    grid_text(grid, color, text);
}

static void measure(struct grid *grid)
{
    for (size_t c = 0; c < grid->column_count; c++) {
        size_t title = strlen(grid->columns[c].title);
        size_t width = 0;

        for (size_t i = c; i < grid->cell_count; i += grid->column_count) {
            if (grid->cells[i].width > width)
                width = grid->cells[i].width;
        }
        if (width < title && (width > 0 || !grid->columns[c].only_if_any))
            width = title;
        grid->widths[c] = width;
    }
}

static size_t total_width(const struct grid *grid)
{
    size_t width = 0;

    for (size_t c = 0; c < grid->column_count; c++) {
        if (grid->widths[c] > 0)
            width += grid->widths[c] + (width > 0 ? GAP : 0);
    }
    return width;
}

/* Leave columns out until it fits; what stays too wide is cut at the first column. */
static void fit(struct grid *grid, size_t width)
{
    enum { WEIGHT_MAX = 20 };
    size_t total;

    for (int weight = 1; total_width(grid) > width && weight < WEIGHT_MAX; weight++) {
        for (size_t c = 0; c < grid->column_count; c++) {
            if (grid->columns[c].weight == weight)
                grid->widths[c] = 0;
        }
    }
    total = total_width(grid);
    if (total > width) {
        size_t rest = total - width;

        grid->widths[0] =
            grid->widths[0] > rest + NAME_MIN ? grid->widths[0] - rest : NAME_MIN;
    }
}

static void append_cell(struct text_buf *line, const struct grid_column *column,
                        size_t width, const char *text, const char *color)
{
    char *shown = mem_strdup(text);
    int pad;

    cut(shown, width);
    pad = (int)(width - screen_width(shown));
    if (line->len > 0)
        text_appendf(line, "%*s", GAP, "");
    if (column->right)
        text_appendf(line, "%*s", pad, "");
    text_appendf(line, "%s%s%s", color, shown, *color ? GRID_OFF : "");
    if (!column->right)
        text_appendf(line, "%*s", pad, "");
    free(shown);
}

static void end_line(struct text_buf *line, size_t width, struct lines *out)
{
    while (line->len > 0 && line->data[line->len - 1] == ' ')
        line->data[--line->len] = '\0';
    add_taken(out, line->len > 0 ? text_take(line) : mem_strdup(""), width);
    text_buf_clear(line);
}

void grid_render(struct grid *grid, int width, bool color, struct lines *out)
{
    struct text_buf line = {0};
    size_t total;

    measure(grid);
    if (width > 0)
        fit(grid, (size_t)width);
    total = total_width(grid);
    for (size_t c = 0; c < grid->column_count; c++) {
        if (grid->widths[c] > 0)
            append_cell(&line, &grid->columns[c], grid->widths[c], grid->columns[c].title,
                        color ? GRID_BOLD : "");
    }
    end_line(&line, total, out);
    for (size_t i = 0; i + grid->column_count <= grid->cell_count;
         i += grid->column_count) {
        for (size_t c = 0; c < grid->column_count; c++) {
            const struct cell *cell = &grid->cells[i + c];

            if (grid->widths[c] > 0)
                append_cell(&line, &grid->columns[c], grid->widths[c], cell->text,
                            color && *cell->text ? cell->color : "");
        }
        end_line(&line, total, out);
    }
}

void grid_print(struct grid *grid, FILE *out, int width, bool color)
{
    struct lines lines = {0};

    grid_render(grid, width, color, &lines);
    lines_print(&lines, out);
    lines_clear(&lines);
}
