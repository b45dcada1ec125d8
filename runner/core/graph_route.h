/* SPDX-License-Identifier: MIT
 *
 * graph_route.h - lines of a text picture between two layers: rows in, rows out, and a
 * column for every vertical piece, so that different lines cross but never join.
 * Layer: core (pure). Inside of graph.
 *
 * Vertices of the left layer that feed the same vertices of the right one make up one
 * net: its line collects, runs down one trunk and spreads. Every net enters a box at a row
 * of its own. This is channel routing: where the line leaving a row and another one
 * entering that row would overlap, the first net's trunk must stand left of the second's;
 * a net in a cycle of such conditions first steps aside to a row that nobody uses.
 */
#ifndef CORE_GRAPH_ROUTE_H
#define CORE_GRAPH_ROUTE_H

#include "core/layout_graph.h"

#include <stdbool.h>

/* An end of a net: where it leaves a vertex on the left or reaches one on the right. */
struct graph_pin {
    size_t vertex;
    int row;
    int turn_row;    /* where it meets the trunk: row, unless it steps aside */
    int turn_column; /* of the step aside; -1: none */
};

struct graph_net {
    struct graph_pin *sources;
    size_t source_count;
    struct graph_pin *targets;
    size_t target_count;
    int column; /* of the trunk; -1: one straight line */
    bool routed;
};

/* The room after a layer. */
struct graph_channel {
    struct graph_net *nets;
    size_t net_count;
    int columns;
};

/* The nets after a layer of an ordered graph; memory is the arena's. */
void graph_route_nets(struct graph_channel *channel, const struct layout_graph *graph,
                      size_t layer, struct mem_arena *arena);

/* How many nets enter a vertex. */
size_t graph_route_entries(const struct graph_channel *channel, size_t vertex);

/* After layout_place: set rows and columns. */
void graph_route_columns(struct graph_channel *channel, const struct layout_graph *graph);

#endif
