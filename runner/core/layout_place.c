/* SPDX-License-Identifier: MIT */
#include "core/layout_graph.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SWEEPS = 8 };

/* How much a bend costs: a line that passes layers is to be straight before all else. */
enum { WEIGHT_BOXES = 1, WEIGHT_MIXED = 2, WEIGHT_DUMMIES = 8 };

/* Vertices of a layer that touch each other move as one block. */
struct block {
    double sum; /* of weight × wish */
    double weight;
    size_t count;
};

struct place_work {
    struct layout_graph *graph;
    struct layout_gaps gaps;
    double *y;         /* by vertex */
    double *distance;  /* by vertex: its middle's least distance to the layer's first */
    struct block *blocks;
};

static bool is_dummy(const struct layout_vertex *vertex)
{
    return vertex->node == LAYOUT_NONE;
}

static double weight_of(const struct layout_vertex *a, const struct layout_vertex *b)
{
    if (is_dummy(a) && is_dummy(b))
        return WEIGHT_DUMMIES;
    return is_dummy(a) || is_dummy(b) ? WEIGHT_MIXED : WEIGHT_BOXES;
}

/* Least distance of the middles of two vertices, the first above the second. */
static int distance_of(const struct layout_vertex *a, const struct layout_vertex *b,
                       const struct layout_gaps *gaps)
{
    bool line = is_dummy(a) && is_dummy(b);
    int least = (a->height + b->height + 1) / 2 + (line ? gaps->line : gaps->node);

    return (least + gaps->grid - 1) / gaps->grid * gaps->grid;
}

static void set_distances(struct place_work *work)
{
    const struct layout_graph *graph = work->graph;

    for (size_t l = 0; l < graph->layer_count; l++) {
        const struct layout_layer *layer = &graph->layers[l];

        for (size_t i = 1; i < layer->count; i++) {
            size_t a = layer->vertices[i - 1];
            size_t b = layer->vertices[i];

            work->distance[b] = work->distance[a] + distance_of(&graph->vertices[a],
                                                                &graph->vertices[b],
                                                                &work->gaps);
        }
    }
}

/* Where a vertex would like to be: at the weighted mean of its neighbours on one side. */
static struct block wish_of(const struct place_work *work, size_t v, bool forward)
{
    const struct layout_vertex *vertex = &work->graph->vertices[v];
    const size_t *near = forward ? vertex->in : vertex->out;
    size_t count = forward ? vertex->in_count : vertex->out_count;
    struct block wish = {.count = 1};

    for (size_t i = 0; i < count; i++) {
        double weight = weight_of(vertex, &work->graph->vertices[near[i]]);

        wish.sum += weight * (work->y[near[i]] - work->distance[v]);
        wish.weight += weight;
    }
    if (count == 0) {
        wish.sum = work->y[v] - work->distance[v];
        wish.weight = 1;
    }
    return wish;
}

static double mean(const struct block *block)
{
    return block->sum / block->weight;
}

/*
 * Least squares under "at least this distance": with the distances taken off, the places
 * must only not decrease, and pooling blocks that do solves that exactly in O(n).
 */
static void place_layer(struct place_work *work, size_t l, bool forward)
{
    const struct layout_layer *layer = &work->graph->layers[l];
    size_t count = 0;
    size_t at = 0;

    for (size_t i = 0; i < layer->count; i++) {
        work->blocks[count++] = wish_of(work, layer->vertices[i], forward);
        while (count > 1 &&
               mean(&work->blocks[count - 2]) > mean(&work->blocks[count - 1])) {
            struct block *into = &work->blocks[count - 2];

            into->sum += into[1].sum;
            into->weight += into[1].weight;
            into->count += into[1].count;
            count--;
        }
    }
    for (size_t b = 0; b < count; b++) {
        for (size_t i = 0; i < work->blocks[b].count; i++, at++) {
            size_t v = layer->vertices[at];

            work->y[v] = mean(&work->blocks[b]) + work->distance[v];
        }
    }
}

/* Distances are multiples of the grid: rounding down keeps them, but for its own errors. */
static void snap_layer(struct place_work *work, size_t l)
{
    const struct layout_layer *layer = &work->graph->layers[l];

    for (size_t i = 0; i < layer->count; i++) {
        size_t v = layer->vertices[i];
        int y = (int)floor(work->y[v] / work->gaps.grid + 1e-6) * work->gaps.grid;

        if (i > 0) {
            size_t above = layer->vertices[i - 1];
            int least = work->graph->vertices[above].y +
                        (int)(work->distance[v] - work->distance[above]);

            y = y > least ? y : least;
        }
        work->graph->vertices[v].y = y;
        work->y[v] = y;
    }
}

static void move_to_zero(struct layout_graph *graph)
{
    int top = 0;

    for (size_t v = 0; v < graph->vertex_count; v++) {
        const struct layout_vertex *vertex = &graph->vertices[v];
        int y = vertex->y - vertex->height / 2;

        top = v == 0 || y < top ? y : top;
    }
    for (size_t v = 0; v < graph->vertex_count; v++)
        graph->vertices[v].y -= top;
}

void layout_place(struct layout_graph *graph, const struct layout_gaps *gaps)
{
    size_t count = graph->vertex_count;
    struct place_work work = {
        .graph = graph,
        .gaps = *gaps,
        .y = mem_alloc(count * sizeof *work.y),
        .distance = mem_alloc(count * sizeof *work.distance),
        .blocks = mem_alloc(count * sizeof *work.blocks),
    };

    set_distances(&work);
    for (size_t v = 0; v < count; v++)
        work.y[v] = work.distance[v];
    for (int i = 0; i < SWEEPS; i++) {
        bool forward = i % 2 == 0;

        for (size_t l = 0; l < graph->layer_count; l++)
            place_layer(&work, forward ? l : graph->layer_count - 1 - l, forward);
    }
    /* The last pass goes from snapped to wish, so that a straight line stays one. */
    for (size_t l = 0; l < graph->layer_count; l++) {
        if (l > 0)
            place_layer(&work, l, true);
        snap_layer(&work, l);
    }
    move_to_zero(graph);
    free(work.y);
    free(work.distance);
    free(work.blocks);
}
