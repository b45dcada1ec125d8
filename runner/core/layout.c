/* SPDX-License-Identifier: MIT */
#include "core/layout.h"

#include "core/layout_graph.h"

#include <stdlib.h>

/* The left side of every layer, and behind the last one the whole width. */
static int *layer_lefts(const struct layout_graph *graph, int gap)
{
    int *widths = mem_alloc((graph->layer_count + 1) * sizeof *widths);
    int left = 0;

    for (size_t v = 0; v < graph->vertex_count; v++) {
        const struct layout_vertex *vertex = &graph->vertices[v];

        if (vertex->width > widths[vertex->layer])
            widths[vertex->layer] = vertex->width;
    }
    for (size_t l = 0; l <= graph->layer_count; l++) {
        int width = widths[l];

        widths[l] = left;
        left += width + gap;
    }
    return widths;
}

static struct layout_box box_of(const struct layout_vertex *vertex, const int *lefts,
                                int gap)
{
    int right = lefts[vertex->layer + 1] - gap;
    struct layout_box box = {
        .x = (lefts[vertex->layer] + right - vertex->width) / 2,
        .y = vertex->y - vertex->height / 2,
        .width = vertex->width,
        .height = vertex->height,
    };

    return box;
}

static void add_point(struct layout_line *line, int x, int y)
{
    line->points[line->point_count++] = (struct layout_point){x, y};
}

/* A box's line first runs level to its layer's side, so that no curve cuts a wider box. */
static void draw_line(struct layout *layout, const struct layout_graph *graph, size_t e,
                      const struct layout_edge *edge, const int *lefts, int gap)
{
    const struct layout_vertex *from = &graph->vertices[edge->from];
    const struct layout_vertex *to = &graph->vertices[edge->to];
    const struct layout_chain *chain = &graph->chains[e];
    const struct layout_box *first = &layout->nodes[edge->from];
    struct layout_line *line = &layout->lines[e];

    line->points = mem_arena_alloc(&layout->arena,
                                   (2 * chain->count + 4) * sizeof *line->points);
    add_point(line, first->x + first->width, from->y);
    add_point(line, lefts[from->layer + 1] - gap, from->y);
    for (size_t i = 0; i < chain->count; i++) {
        const struct layout_vertex *dummy = &graph->vertices[chain->first + i];

        add_point(line, lefts[dummy->layer], dummy->y);
        add_point(line, lefts[dummy->layer + 1] - gap, dummy->y);
        if (chain->first + i == chain->label)
            line->label = box_of(dummy, lefts, gap);
    }
    add_point(line, lefts[to->layer], to->y);
    add_point(line, layout->nodes[edge->to].x, to->y);
}

struct layout *layout_new(const struct layout_spec *spec)
{
    struct layout *layout = mem_alloc(sizeof *layout);
    struct layout_gaps gaps = {.node = spec->node_gap, .line = spec->line_gap, .grid = 1};
    struct layout_graph graph;
    int *lefts;
    int gap;

    layout_graph_init(&graph, spec);
    layout_order(&graph);
    layout_place(&graph, &gaps);
    gap = spec->layer_gap / (int)graph.step;
    lefts = layer_lefts(&graph, gap);
    layout->nodes =
        mem_arena_alloc(&layout->arena, spec->node_count * sizeof *layout->nodes);
    layout->layers =
        mem_arena_alloc(&layout->arena, spec->node_count * sizeof *layout->layers);
    layout->lines =
        mem_arena_alloc(&layout->arena, spec->edge_count * sizeof *layout->lines);
    for (size_t v = 0; v < graph.vertex_count; v++) {
        struct layout_box box = box_of(&graph.vertices[v], lefts, gap);

        if (v < spec->node_count) {
            layout->nodes[v] = box;
            layout->layers[v] = graph.vertices[v].layer / graph.step;
        }
        if (box.y + box.height > layout->height)
            layout->height = box.y + box.height;
    }
    if (graph.layer_count > 0)
        layout->width = lefts[graph.layer_count] - gap;
    for (size_t e = 0; e < spec->edge_count; e++)
        draw_line(layout, &graph, e, &spec->edges[e], lefts, gap);
    free(lefts);
    layout_graph_clear(&graph);
    return layout;
}

void layout_free(struct layout *layout)
{
    if (layout == NULL)
        return;
    mem_arena_clear(&layout->arena);
    free(layout);
}
