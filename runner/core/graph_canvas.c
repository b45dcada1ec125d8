/* SPDX-License-Identifier: MIT */
#include "core/graph_canvas.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT = 1, RIGHT = 2, UP = 4, DOWN = 8, ALL = 15 };
enum { GLYPH = 5 }; /* a UTF-8 character and its NUL */

struct graph_cell {
    char glyph[GLYPH]; /* wins over lines when not empty */
    unsigned char across; /* LEFT, RIGHT */
    unsigned char down;   /* UP, DOWN */
    size_t across_owner;
    size_t down_owner;
};

/* By the arms that meet in a cell. */
static const char *const unicode_lines[ALL + 1] = {
    [LEFT] = "─",
    [RIGHT] = "─",
    [LEFT | RIGHT] = "─",
    [UP] = "│",
    [DOWN] = "│",
    [UP | DOWN] = "│",
    [RIGHT | DOWN] = "┌",
    [LEFT | DOWN] = "┐",
    [RIGHT | UP] = "└",
    [LEFT | UP] = "┘",
    [UP | DOWN | RIGHT] = "├",
    [UP | DOWN | LEFT] = "┤",
    [LEFT | RIGHT | DOWN] = "┬",
    [LEFT | RIGHT | UP] = "┴",
    [ALL] = "┼",
};

static struct graph_cell *cell_at(const struct graph_canvas *canvas, int x, int y)
{
    assert(x >= 0 && x < canvas->width && y >= 0 && y < canvas->height);
    return &canvas->cells[(size_t)y * (size_t)canvas->width + (size_t)x];
}

void graph_canvas_init(struct graph_canvas *canvas, int width, int height, bool unicode)
{
    size_t count = (size_t)width * (size_t)height;

    *canvas = (struct graph_canvas){.width = width, .height = height, .unicode = unicode};
    canvas->cells = mem_alloc(count * sizeof *canvas->cells);
}

void graph_canvas_clear(struct graph_canvas *canvas)
{
    free(canvas->cells);
    *canvas = (struct graph_canvas){0};
}

void graph_canvas_across(struct graph_canvas *canvas, int from, int to, int y,
                         size_t owner)
{
    int last = from > to ? from : to;

    for (int x = from < to ? from : to; x <= last; x++) {
        struct graph_cell *cell = cell_at(canvas, x, y);

        cell->across_owner = owner;
        if (x != from && x != to)
            cell->across = LEFT | RIGHT;
        else if (from != to)
            cell->across |= x == last ? LEFT : RIGHT;
    }
}

void graph_canvas_down(struct graph_canvas *canvas, int x, int from, int to, size_t owner)
{
    int last = from > to ? from : to;

    for (int y = from < to ? from : to; y <= last; y++) {
        struct graph_cell *cell = cell_at(canvas, x, y);

        cell->down_owner = owner;
        if (y != from && y != to)
            cell->down = UP | DOWN;
        else if (from != to)
            cell->down |= y == last ? UP : DOWN;
    }
}

static void put(struct graph_canvas *canvas, int x, int y, const char *unicode,
                const char *ascii)
{
    const char *glyph = canvas->unicode ? unicode : ascii;

    memcpy(cell_at(canvas, x, y)->glyph, glyph, strlen(glyph) + 1);
}

void graph_canvas_box(struct graph_canvas *canvas, int x, int y, int width, int height)
{
    int right = x + width - 1;
    int bottom = y + height - 1;

    for (int i = x + 1; i < right; i++) {
        put(canvas, i, y, "─", "-");
        put(canvas, i, bottom, "─", "-");
    }
    for (int i = y + 1; i < bottom; i++) {
        put(canvas, x, i, "│", "|");
        put(canvas, right, i, "│", "|");
    }
    put(canvas, x, y, "┌", "+");
    put(canvas, right, y, "┐", "+");
    put(canvas, x, bottom, "└", "+");
    put(canvas, right, bottom, "┘", "+");
}

void graph_canvas_text(struct graph_canvas *canvas, int x, int y, const char *text)
{
    while (*text) {
        struct graph_cell *cell = cell_at(canvas, x++, y);
        size_t len = 1;

        while (len + 1 < GLYPH && ((unsigned char)text[len] & 0xc0) == 0x80)
            len++;
        memcpy(cell->glyph, text, len);
        cell->glyph[len] = '\0';
        text += len;
    }
}

void graph_canvas_arrow(struct graph_canvas *canvas, int x, int y)
{
    put(canvas, x, y, "▶", ">");
}

void graph_canvas_exit(struct graph_canvas *canvas, int x, int y)
{
    put(canvas, x, y, "├", "|");
}

static const char *ascii_line(unsigned arms)
{
    if (arms == 0)
        return " ";
    if ((arms & (UP | DOWN)) == 0)
        return "-";
    return (arms & (LEFT | RIGHT)) == 0 ? "|" : "+";
}

static const char *glyph_of(const struct graph_canvas *canvas,
                            const struct graph_cell *cell)
{
    unsigned arms = cell->across | cell->down;

    if (cell->glyph[0])
        return cell->glyph;
    if (cell->across && cell->down && cell->across_owner != cell->down_owner)
        arms = cell->down;
    if (!canvas->unicode || arms == 0)
        return ascii_line(arms);
    return unicode_lines[arms];
}

void graph_canvas_print(const struct graph_canvas *canvas, struct text_buf *out)
{
    for (int y = 0; y < canvas->height; y++) {
        int spaces = 0;

        for (int x = 0; x < canvas->width; x++) {
            const char *glyph = glyph_of(canvas, cell_at(canvas, x, y));

            if (strcmp(glyph, " ") == 0) {
                spaces++;
                continue;
            }
            text_appendf(out, "%*s", spaces, "");
            spaces = 0;
            text_append(out, glyph);
        }
        text_append(out, "\n");
    }
}
