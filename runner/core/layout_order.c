/* SPDX-License-Identifier: MIT */
#include "core/layout_graph.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 8, SWAP_VERTICES_MAX = 2000 };

struct candidate {
    double centre;
    size_t place;
    size_t vertex;
};

static int by_centre(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;

    if (x->centre < y->centre)
        return -1;
    if (x->centre > y->centre)
        return 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;

    return (x > y) - (x < y);
}

/* The mean place of the neighbours; a vertex without any stays where it is. */
static double centre_of(const struct layout_graph *graph, size_t v, bool forward)
{
    const struct layout_vertex *vertex = &graph->vertices[v];
    const size_t *near = forward ? vertex->in : vertex->out;
    size_t count = forward ? vertex->in_count : vertex->out_count;
    double sum = 0;

    if (count == 0)
        return (double)vertex->place;
    for (size_t i = 0; i < count; i++)
        sum += (double)graph->vertices[near[i]].place;
    return sum / (double)count;
}

static void sort_layer(struct layout_graph *graph, struct layout_layer *layer,
                       bool forward, struct candidate *room)
{
    for (size_t i = 0; i < layer->count; i++) {
        size_t v = layer->vertices[i];

        room[i] = (struct candidate){centre_of(graph, v, forward), i, v};
    }
    qsort(room, layer->count, sizeof *room, by_centre);
    for (size_t i = 0; i < layer->count; i++) {
        layer->vertices[i] = room[i].vertex;
        graph->vertices[room[i].vertex].place = i;
    }
}

static void sweep(struct layout_graph *graph, bool forward, struct candidate *room)
{
    for (size_t i = 0; i < graph->layer_count; i++) {
        size_t l = forward ? i : graph->layer_count - 1 - i;

        sort_layer(graph, &graph->layers[l], forward, room);
    }
}

/*
 * Crossings between a layer and the next: the lines, sorted by their left end, are put
 * into a tree of counts by their right end; those already in it further down cross.
 * Barth, Jünger, Mutzel: "Simple and efficient bilayer cross counting" (2002).
 */
static size_t crossings_after(const struct layout_graph *graph, size_t l, size_t *tree,
                              size_t *places)
{
    const struct layout_layer *layer = &graph->layers[l];
    size_t first = 1;
    size_t crossings = 0;

    while (first < graph->layers[l + 1].count)
        first *= 2;
    memset(tree, 0, 2 * first * sizeof *tree);
    for (size_t i = 0; i < layer->count; i++) {
        const struct layout_vertex *vertex = &graph->vertices[layer->vertices[i]];

        for (size_t j = 0; j < vertex->out_count; j++)
            places[j] = graph->vertices[vertex->out[j]].place;
        qsort(places, vertex->out_count, sizeof *places, by_number);
        for (size_t j = 0; j < vertex->out_count; j++) {
            size_t at = places[j] + first;

            for (tree[at]++; at > 1; at /= 2) {
                if (at % 2 == 0)
                    crossings += tree[at + 1];
                tree[at / 2]++;
            }
        }
    }
    return crossings;
}

size_t layout_crossings(const struct layout_graph *graph)
{
    size_t *tree = mem_alloc(4 * (graph->vertex_count + 1) * sizeof *tree);
    size_t *places = mem_alloc((graph->vertex_count + 1) * sizeof *places);
    size_t crossings = 0;

    for (size_t l = 0; l + 1 < graph->layer_count; l++)
        crossings += crossings_after(graph, l, tree, places);
    free(tree);
    free(places);
    return crossings;
}

/* Lines of a and b to one side that cross when a is above b. */
static size_t pair_crossings(const struct layout_graph *graph, size_t a, size_t b,
                             bool left)
{
    const struct layout_vertex *x = &graph->vertices[a];
    const struct layout_vertex *y = &graph->vertices[b];
    const size_t *xs = left ? x->in : x->out;
    const size_t *ys = left ? y->in : y->out;
    size_t x_count = left ? x->in_count : x->out_count;
    size_t y_count = left ? y->in_count : y->out_count;
    size_t crossings = 0;

    for (size_t i = 0; i < x_count; i++) {
        for (size_t j = 0; j < y_count; j++)
            crossings += graph->vertices[xs[i]].place > graph->vertices[ys[j]].place;
    }
    return crossings;
}

/* Exchange neighbours of a layer where that saves crossings: what centres can't see. */
static bool swap_neighbours(struct layout_graph *graph)
{
    bool better = false;

    for (size_t l = 0; l < graph->layer_count; l++) {
        struct layout_layer *layer = &graph->layers[l];

        for (size_t i = 0; i + 1 < layer->count; i++) {
            size_t a = layer->vertices[i];
            size_t b = layer->vertices[i + 1];
            size_t now = pair_crossings(graph, a, b, true) +
                         pair_crossings(graph, a, b, false);
            size_t then = pair_crossings(graph, b, a, true) +
                          pair_crossings(graph, b, a, false);

            if (then >= now)
                continue;
            layer->vertices[i] = b;
            layer->vertices[i + 1] = a;
            graph->vertices[b].place = i;
            graph->vertices[a].place = i + 1;
            better = true;
        }
    }
    return better;
}

static void keep(const struct layout_graph *graph, size_t *places)
{
    for (size_t v = 0; v < graph->vertex_count; v++)
        places[v] = graph->vertices[v].place;
}

static void put_back(struct layout_graph *graph, const size_t *places)
{
    for (size_t v = 0; v < graph->vertex_count; v++) {
        struct layout_vertex *vertex = &graph->vertices[v];

        vertex->place = places[v];
        graph->layers[vertex->layer].vertices[places[v]] = v;
    }
}

static void sort_neighbours(const struct layout_graph *graph, size_t *near, size_t count,
                            struct candidate *room)
{
    for (size_t i = 0; i < count; i++)
        room[i] = (struct candidate){0, graph->vertices[near[i]].place, near[i]};
    qsort(room, count, sizeof *room, by_centre);
    for (size_t i = 0; i < count; i++)
        near[i] = room[i].vertex;
}

void layout_order(struct layout_graph *graph)
{
    struct candidate *room = mem_alloc(graph->vertex_count * sizeof *room);
    size_t *best = mem_alloc(graph->vertex_count * sizeof *best);
    size_t least = layout_crossings(graph);

    keep(graph, best);
    for (int i = 0; i < SWEEPS && least > 0; i++) {
        size_t crossings;

        sweep(graph, i % 2 == 0, room);
        /* Quadratic in the lines of a box, so only where a reader could see it. */
        for (int n = 0; n < SWEEPS && graph->vertex_count <= SWAP_VERTICES_MAX; n++) {
            if (!swap_neighbours(graph))
                break;
        }
        crossings = layout_crossings(graph);
        if (crossings < least) {
            least = crossings;
            keep(graph, best);
        }
    }
    put_back(graph, best);
    for (size_t v = 0; v < graph->vertex_count; v++) {
        struct layout_vertex *vertex = &graph->vertices[v];

        sort_neighbours(graph, vertex->in, vertex->in_count, room);
        sort_neighbours(graph, vertex->out, vertex->out_count, room);
    }
    free(room);
    free(best);
}
