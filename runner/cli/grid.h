/* SPDX-License-Identifier: MIT
 *
 * grid.h - text in columns: as wide as its content, fitted to a terminal.
 * Layer: cli. Everything that goes in is made safe for a terminal.
 */
#ifndef CLI_GRID_H
#define CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define GRID_OFF "\x1b[0m"
#define GRID_BOLD "\x1b[1m"
#define GRID_DIM "\x1b[2m"
#define GRID_RED "\x1b[31m"
#define GRID_GREEN "\x1b[32m"
#define GRID_YELLOW "\x1b[33m"
#define GRID_CYAN "\x1b[36m"

/* Lines of text, with the columns that each takes. Zero-initialise; lines_clear. */
struct lines {
    char **items;
    size_t *widths;
    size_t count;
    size_t capacity;
};
/* Add one line, cut to width (0: no limit), in color ("": none). text is made safe. */
void lines_add(struct lines *lines, const char *text, int width, const char *color);
void lines_print(const struct lines *lines, FILE *out);
void lines_clear(struct lines *lines);

struct grid_column {
    const char *title;
    int weight;       /* when too wide, the smallest weights go first; 0: never goes */
    bool right;       /* numbers */
    bool only_if_any; /* left out while every cell is empty */
};

struct grid;

/* columns ends with a NULL title and must outlive the grid. */
struct grid *grid_new(const struct grid_column *columns);
void grid_free(struct grid *grid);

/* The next cell, row by row, left to right. color: "" none. */
void grid_text(struct grid *grid, const char *color, const char *text); /* NULL: empty */
void grid_format(struct grid *grid, const char *color, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void grid_count(struct grid *grid, const char *color, int64_t count); /* 1,234 */

/* Title and rows into lines; width 0: no limit; color: whether colours are meant. */
void grid_render(struct grid *grid, int width, bool color, struct lines *out);
/* The same onto a stream. */
void grid_print(struct grid *grid, FILE *out, int width, bool color);

/* The colour of a run's or node's state, "" for none. */
const char *grid_state_color(const char *state);

/* text without what a terminal would act on; the caller frees. NULL gives "". */
char *grid_safe(const char *text);

#endif
