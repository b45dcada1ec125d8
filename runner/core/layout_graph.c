/* SPDX-License-Identifier: MIT */
#include "core/layout_graph.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

/* Neighbours of all vertices in one array each way: count, then cut, then fill. */
struct segments {
    size_t *from;
    size_t *to;
    size_t count;
};

/*
 * Longest distance from a source, times the step; Kahn's order, so that no recursion is
 * needed. Returns the number of layers.
 */
static size_t assign_layers(struct layout_graph *graph, const struct layout_spec *spec)
{
    size_t *missing = mem_alloc(spec->node_count * sizeof *missing);
    size_t *start = mem_alloc((spec->node_count + 1) * sizeof *start);
    size_t *next = mem_alloc(spec->edge_count * sizeof *next);
    size_t *queue = mem_alloc(spec->node_count * sizeof *queue);
    size_t head = 0;
    size_t tail = 0;
    size_t layers = 0;

    for (size_t e = 0; e < spec->edge_count; e++) {
        missing[spec->edges[e].to]++;
        start[spec->edges[e].from]++;
    }
    for (size_t n = 0; n < spec->node_count; n++)
        start[n + 1] += start[n];
    for (size_t e = spec->edge_count; e-- > 0;)
        next[--start[spec->edges[e].from]] = spec->edges[e].to;
    for (size_t n = 0; n < spec->node_count; n++) {
        if (missing[n] == 0)
            queue[tail++] = n;
    }
    while (head < tail) {
        size_t n = queue[head++];
        size_t layer = graph->vertices[n].layer;

        layers = layer + 1 > layers ? layer + 1 : layers;
        for (size_t i = start[n]; i < start[n + 1]; i++) {
            struct layout_vertex *to = &graph->vertices[next[i]];

            if (to->layer < layer + graph->step)
                to->layer = layer + graph->step;
            if (--missing[next[i]] == 0)
                queue[tail++] = next[i];
        }
    }
    assert(tail == spec->node_count); /* no cycle */
    free(missing);
    free(start);
    free(next);
    free(queue);
    return layers;
}

static size_t span_of(const struct layout_graph *graph, const struct layout_edge *edge)
{
    return graph->vertices[edge->to].layer - graph->vertices[edge->from].layer;
}

/* The longest span whose lines may still have dummies, all shorter ones included. */
static size_t longest_with_dummies(const struct layout_graph *graph,
                                   const struct layout_spec *spec)
{
    size_t *lines = mem_alloc((graph->layer_count + 1) * sizeof *lines);
    size_t dummies = 0;
    size_t span = 1;

    for (size_t e = 0; e < spec->edge_count; e++)
        lines[span_of(graph, &spec->edges[e])]++;
    while (span < graph->layer_count) {
        dummies += lines[span + 1] * span;
        if (dummies > LAYOUT_DUMMIES_MAX)
            break;
        span++;
    }
    free(lines);
    return span;
}

static size_t plan_chains(struct layout_graph *graph, const struct layout_spec *spec)
{
    size_t longest = longest_with_dummies(graph, spec);
    size_t count = spec->node_count;

    graph->chains = mem_arena_alloc(&graph->arena, spec->edge_count * sizeof *graph->chains);
    for (size_t e = 0; e < spec->edge_count; e++) {
        size_t span = span_of(graph, &spec->edges[e]);
        struct layout_chain *chain = &graph->chains[e];

        chain->first = count;
        chain->count = span > longest ? 0 : span - 1;
        chain->label = LAYOUT_NONE;
        if (spec->edges[e].label_width > 0 && chain->count > 0)
            chain->label = chain->first + chain->count / 2;
        count += chain->count;
    }
    return count;
}

static void add_dummies(struct layout_graph *graph, const struct layout_spec *spec,
                        struct segments *segments)
{
    for (size_t e = 0; e < spec->edge_count; e++) {
        const struct layout_edge *edge = &spec->edges[e];
        const struct layout_chain *chain = &graph->chains[e];
        size_t last = edge->from;

        if (chain->count == 0 && span_of(graph, edge) > 1)
            continue;
        for (size_t i = 0; i <= chain->count; i++) {
            size_t v = i < chain->count ? chain->first + i : edge->to;

            segments->from[segments->count] = last;
            segments->to[segments->count++] = v;
            if (v != edge->to) {
                bool is_label = v == chain->label;

                graph->vertices[v].node = LAYOUT_NONE;
                graph->vertices[v].layer = graph->vertices[last].layer + 1;
                graph->vertices[v].width = is_label ? edge->label_width : 0;
                graph->vertices[v].height = is_label ? edge->label_height : 1;
            }
            last = v;
        }
    }
}

static void link_neighbours(struct layout_graph *graph, const struct segments *segments)
{
    size_t *in = mem_arena_alloc(&graph->arena, segments->count * sizeof *in);
    size_t *out = mem_arena_alloc(&graph->arena, segments->count * sizeof *out);

    for (size_t i = 0; i < segments->count; i++) {
        graph->vertices[segments->from[i]].out_count++;
        graph->vertices[segments->to[i]].in_count++;
    }
    for (size_t v = 0; v < graph->vertex_count; v++) {
        struct layout_vertex *vertex = &graph->vertices[v];

        vertex->in = in;
        vertex->out = out;
        in += vertex->in_count;
        out += vertex->out_count;
        vertex->in_count = 0;
        vertex->out_count = 0;
    }
    for (size_t i = 0; i < segments->count; i++) {
        struct layout_vertex *from = &graph->vertices[segments->from[i]];
        struct layout_vertex *to = &graph->vertices[segments->to[i]];

        from->out[from->out_count++] = segments->to[i];
        to->in[to->in_count++] = segments->from[i];
    }
}

static void fill_layers(struct layout_graph *graph)
{
    graph->layers =
        mem_arena_alloc(&graph->arena, graph->layer_count * sizeof *graph->layers);
    for (size_t v = 0; v < graph->vertex_count; v++)
        graph->layers[graph->vertices[v].layer].count++;
    for (size_t l = 0; l < graph->layer_count; l++) {
        struct layout_layer *layer = &graph->layers[l];

        layer->vertices =
            mem_arena_alloc(&graph->arena, layer->count * sizeof *layer->vertices);
        layer->count = 0;
    }
    for (size_t v = 0; v < graph->vertex_count; v++) {
        struct layout_layer *layer = &graph->layers[graph->vertices[v].layer];

        graph->vertices[v].place = layer->count;
        layer->vertices[layer->count++] = v;
    }
}

static bool has_labels(const struct layout_spec *spec)
{
    for (size_t e = 0; e < spec->edge_count; e++) {
        if (spec->edges[e].label_width > 0)
            return true;
    }
    return false;
}

void layout_graph_init(struct layout_graph *graph, const struct layout_spec *spec)
{
    struct layout_vertex *boxes = mem_alloc(spec->node_count * sizeof *boxes);
    struct segments segments = {0};

    *graph = (struct layout_graph){.vertices = boxes};
    /* A label stands in a layer of its own, between those of the boxes. */
    graph->step = has_labels(spec) ? 2 : 1;
    graph->layer_count = assign_layers(graph, spec);
    graph->vertex_count = plan_chains(graph, spec);
    graph->vertices = mem_arena_alloc(&graph->arena,
                                      graph->vertex_count * sizeof *graph->vertices);
    for (size_t n = 0; n < spec->node_count; n++) {
        graph->vertices[n] = boxes[n];
        graph->vertices[n].node = n;
        graph->vertices[n].width = spec->nodes[n].width;
        graph->vertices[n].height = spec->nodes[n].height;
    }
    free(boxes);
    segments.from = mem_alloc((spec->edge_count + graph->vertex_count) * sizeof(size_t));
    segments.to = mem_alloc((spec->edge_count + graph->vertex_count) * sizeof(size_t));
    add_dummies(graph, spec, &segments);
    link_neighbours(graph, &segments);
    fill_layers(graph);
    free(segments.from);
    free(segments.to);
}

void layout_graph_clear(struct layout_graph *graph)
{
    mem_arena_clear(&graph->arena);
    *graph = (struct layout_graph){0};
}
