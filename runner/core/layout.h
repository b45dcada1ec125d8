/* SPDX-License-Identifier: MIT
 *
 * layout.h - where the boxes and lines of a graph go: layers from left to right.
 * Layer: core (pure). It knows sizes and connections only, no text and no dag, so that
 * `dagrun graph` and the web page share it. The unit is the caller's (pixels).
 *
 * Longest-path layers, dummy vertices where a line passes a layer, barycentre sweeps for
 * few crossings, least-squares positions for straight lines. O((V + E) log V) a sweep,
 * V counting dummies, of which there are at most LAYOUT_DUMMIES_MAX. The same input gives
 * the same output everywhere.
 */
#ifndef CORE_LAYOUT_H
#define CORE_LAYOUT_H

#include "base/mem.h"

#include <stddef.h>

/* Lines beyond this are drawn straight to their end instead of around what is between. */
enum { LAYOUT_DUMMIES_MAX = 20000 };

struct layout_node {
    int width;
    int height;
};

struct layout_edge {
    size_t from; /* indices into nodes; the graph has no cycle */
    size_t to;
    int label_width; /* 0: no label */
    int label_height;
};

struct layout_spec {
    const struct layout_node *nodes;
    size_t node_count;
    const struct layout_edge *edges;
    size_t edge_count;
    int layer_gap; /* free room between two layers, beside that for labels */
    int node_gap;  /* free room above and below a box */
    int line_gap;  /* free room between two lines that pass a layer side by side */
};

struct layout_point {
    int x;
    int y;
};

struct layout_box {
    int x; /* of the left upper corner; y grows downwards */
    int y;
    int width;
    int height;
};

/*
 * A line begins at the middle of the right side of its first box and ends at the middle of
 * the left side of its last one; x never decreases. From an even point to the next it is
 * level, inside of a layer; from an odd one to the next it crosses the room between two
 * layers: draw a curve there.
 */
struct layout_line {
    struct layout_point *points;
    size_t point_count;
    struct layout_box label; /* width 0: none. Nothing else is in this place */
};

struct layout {
    struct mem_arena arena;
    struct layout_box *nodes;  /* by index of the spec's nodes */
    struct layout_line *lines; /* by index of the spec's edges */
    size_t *layers;            /* of each node, 0 = left */
    int width;
    int height;
};

/* Never NULL. The caller frees; spec may be gone after the call. */
struct layout *layout_new(const struct layout_spec *spec);
void layout_free(struct layout *layout);

#endif
