/* SPDX-License-Identifier: MIT
 *
 * The graph of a run with coordinates. Its nodes and edges are those of the history, so
 * that a run is drawn as it was, whatever its YAML says now.
 */
#include "core/layout.h"
#include "ops/ops.h"

#include <string.h>

/* Pixels: room for a name, a state and rates in every box, for a rate on every line. */
enum {
    CHAR_WIDTH = 8,
    BOX_SIDES = 28,
    BOX_WIDTH_MIN = 176,
    BOX_HEIGHT = 72,
    LABEL_WIDTH = 148,
    LABEL_HEIGHT = 20,
    LAYER_GAP = 56,
    NODE_GAP = 20,
    LINE_GAP = 14,
};

static int box_width(const char *name)
{
    int width = (int)strlen(name) * CHAR_WIDTH + BOX_SIDES;

    return width < BOX_WIDTH_MIN ? BOX_WIDTH_MIN : width;
}

/* The index of a node, or count when a damaged history lacks it. */
static size_t index_of(const struct history_details *details, const char *name)
{
    size_t i = 0;

    while (i < details->node_count && strcmp(details->nodes[i].node, name) != 0)
        i++;
    return i;
}

static json_t *points_json(const struct layout_line *line)
{
    json_t *points = json_array();

    for (size_t i = 0; i < line->point_count; i++)
        (void)json_array_append_new(
            points, json_pack("[i,i]", line->points[i].x, line->points[i].y));
    return points;
}

static json_t *box_json(const struct layout_box *box)
{
    return json_pack("{s:i,s:i,s:i,s:i}", "x", box->x, "y", box->y, "width", box->width,
                     "height", box->height);
}

static json_t *drawing(const struct ops_run *run,
                       const struct history_edge *const *edges, size_t edge_count,
                       const struct layout *layout)
{
    const struct history_details *details = &run->details;
    json_t *nodes = json_array();
    json_t *lines = json_array();

    for (size_t i = 0; i < details->node_count; i++)
        (void)json_array_append_new(
            nodes, json_pack("{s:o,s:o,s:b,s:I,s:o}", "node",
                             json_text(details->nodes[i].node), "program",
                             json_text(details->nodes[i].program), "source",
                             details->nodes[i].group == NULL, "layer",
                             (json_int_t)layout->layers[i], "box",
                             box_json(&layout->nodes[i])));
    for (size_t i = 0; i < edge_count; i++)
        (void)json_array_append_new(
            lines,
            json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "edge", json_text(edges[i]->edge),
                      "from", json_text(edges[i]->from), "to", json_text(edges[i]->to),
                      "topic", json_text(edges[i]->topic), "points",
                      points_json(&layout->lines[i]), "label",
                      box_json(&layout->lines[i].label)));
    return json_pack("{s:o,s:I,s:i,s:i,s:o,s:o}", "dag", json_text(details->run.dag),
                     "run", (json_int_t)details->run.run, "width", layout->width,
                     "height", layout->height, "nodes", nodes, "edges", lines);
}

json_t *ops_graph_json(const struct ops_run *run)
{
    const struct history_details *details = &run->details;
    struct mem_arena arena = {0};
    struct layout_node *nodes =
        mem_arena_alloc(&arena, (details->node_count + 1) * sizeof *nodes);
    struct layout_edge *edges =
        mem_arena_alloc(&arena, (details->edge_count + 1) * sizeof *edges);
    const struct history_edge **drawn =
        mem_arena_alloc(&arena, (details->edge_count + 1) * sizeof *drawn);
    struct layout_spec spec = {.nodes = nodes,
                               .node_count = details->node_count,
                               .edges = edges,
                               .layer_gap = LAYER_GAP,
                               .node_gap = NODE_GAP,
                               .line_gap = LINE_GAP};
    struct layout *layout;
    json_t *graph;

    for (size_t i = 0; i < details->node_count; i++)
        nodes[i] = (struct layout_node){box_width(details->nodes[i].node), BOX_HEIGHT};
    for (size_t i = 0; i < details->edge_count; i++) {
        size_t from = index_of(details, details->edges[i].from);
        size_t to = index_of(details, details->edges[i].to);

        if (from == details->node_count || to == details->node_count)
            continue;
        drawn[spec.edge_count] = &details->edges[i];
        edges[spec.edge_count++] =
            (struct layout_edge){from, to, LABEL_WIDTH, LABEL_HEIGHT};
    }
    layout = layout_new(&spec);
    graph = drawing(run, drawn, spec.edge_count, layout);
    layout_free(layout);
    mem_arena_clear(&arena);
    return graph;
}
