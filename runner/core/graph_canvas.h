/* SPDX-License-Identifier: MIT
 *
 * graph_canvas.h - character cells to draw boxes and lines on.
 * Layer: core (pure). Inside of graph. Lines know whose they are: where two of the same
 * owner meet they connect, where two owners meet the vertical one passes over the other.
 */
#ifndef CORE_GRAPH_CANVAS_H
#define CORE_GRAPH_CANVAS_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct graph_canvas {
    struct graph_cell *cells;
    int width;
    int height;
    bool unicode;
};

void graph_canvas_init(struct graph_canvas *canvas, int width, int height, bool unicode);
void graph_canvas_clear(struct graph_canvas *canvas);

/* From cell to cell, both included, in any order. */
void graph_canvas_across(struct graph_canvas *canvas, int from, int to, int y,
                         size_t owner);
void graph_canvas_down(struct graph_canvas *canvas, int x, int from, int to,
                       size_t owner);

/* What stands in a cell in place of lines. */
void graph_canvas_box(struct graph_canvas *canvas, int x, int y, int width, int height);
void graph_canvas_text(struct graph_canvas *canvas, int x, int y, const char *text);
void graph_canvas_arrow(struct graph_canvas *canvas, int x, int y); /* to the right */
void graph_canvas_exit(struct graph_canvas *canvas, int x, int y);  /* of a box's side */

/* All rows, without spaces at their ends. */
void graph_canvas_print(const struct graph_canvas *canvas, struct text_buf *out);

#endif
