/* SPDX-License-Identifier: MIT
 *
 * layout_graph.h - the layered graph between the steps of a layout: boxes and dummies.
 * Layer: core (pure). Inside of layout; graph_ascii uses it too, for it has character
 * cells and routes its own lines.
 *
 * The steps, in this order: layout_graph_init, layout_order, layout_place.
 */
#ifndef CORE_LAYOUT_GRAPH_H
#define CORE_LAYOUT_GRAPH_H

#include "core/layout.h"

#include <stdint.h>

#define LAYOUT_NONE SIZE_MAX

/* A box, or a dummy: the place where a line passes a layer (or its label stands). */
struct layout_vertex {
    size_t node; /* index of the spec; LAYOUT_NONE: a dummy */
    size_t layer;
    size_t place; /* from the top of its layer */
    int width;
    int height;
    int y; /* of its middle; layout_place sets it */
    size_t *in; /* vertices of the layer before and after, by place */
    size_t in_count;
    size_t *out;
    size_t out_count;
};

struct layout_layer {
    size_t *vertices; /* from top to bottom */
    size_t count;
};

/* The dummies of an edge have consecutive numbers. */
struct layout_chain {
    size_t first;
    size_t count; /* 0 although the edge is long: too many dummies, drawn straight */
    size_t label; /* the dummy that is as large as the label, or LAYOUT_NONE */
};

struct layout_graph {
    struct mem_arena arena;
    struct layout_vertex *vertices; /* the boxes first, by index of the spec */
    size_t vertex_count;
    struct layout_layer *layers;
    size_t layer_count;
    size_t step; /* layers from a box to the next: 2 when there are labels */
    struct layout_chain *chains; /* by edge */
};

struct layout_gaps {
    int node;
    int line;
    int grid; /* every y is a multiple of this, ≥ 1 */
};

void layout_graph_init(struct layout_graph *graph, const struct layout_spec *spec);
void layout_graph_clear(struct layout_graph *graph);

/* Order every layer so that few lines cross. */
void layout_order(struct layout_graph *graph);
size_t layout_crossings(const struct layout_graph *graph);

/* Set every y, so that lines are short and nothing overlaps; the least top is 0. */
void layout_place(struct layout_graph *graph, const struct layout_gaps *gaps);

#endif
