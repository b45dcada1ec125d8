/* SPDX-License-Identifier: MIT */
#include "core/graph.h"

#include "base/text.h"
#include "core/graph_canvas.h"
#include "core/graph_label.h"
#include "core/graph_route.h"

#include <stdlib.h>
#include <string.h>

/* Nobody can follow more, and routing is cubic in the lines between two layers. */
enum { BOXES_MAX = 200, NETS_MAX = 40 };

enum { BOX_ROWS = 3, BOX_SIDES = 4, GAP_LEAST = 4 };

struct picture {
    const struct dag *dag;
    struct layout_graph graph;
    struct graph_channel *channels; /* by layer: the room after it */
    char **labels;                  /* by node */
    int *lefts;                     /* by layer */
    int *widths;
    int width;
    int height;
};

static char *label_of(const struct dag *dag, size_t n, bool with_program, bool unicode)
{
    const struct dag_node *node = &dag->nodes[n];
    char *program = graph_label_program(dag, n);
    struct text_buf label = {0};

    text_append(&label, node->name);
    if (with_program && strcmp(program, node->name) != 0)
        text_appendf(&label, " (%s)", program);
    if (node->client_count > 1)
        text_appendf(&label, " %s%zu", unicode ? "×" : "x", node->client_count);
    free(program);
    return text_take(&label);
}

static void make_labels(struct picture *picture, bool with_program, bool unicode)
{
    const struct dag *dag = picture->dag;

    picture->labels =
        mem_arena_alloc(&picture->graph.arena, dag->node_count * sizeof(char *));
    for (size_t n = 0; n < dag->node_count; n++) {
        char *label = label_of(dag, n, with_program, unicode);

        picture->labels[n] = mem_arena_strdup(&picture->graph.arena, label);
        picture->graph.vertices[n].width = graph_label_columns(label) + BOX_SIDES;
        free(label);
    }
}

static void init_graph(struct picture *picture)
{
    const struct dag *dag = picture->dag;
    struct layout_node *nodes = mem_alloc(dag->node_count * sizeof *nodes);
    struct layout_edge *edges = mem_alloc(dag->edge_count * sizeof *edges);
    struct layout_spec spec = {.nodes = nodes,
                               .node_count = dag->node_count,
                               .edges = edges,
                               .edge_count = dag->edge_count};

    for (size_t e = 0; e < dag->edge_count; e++)
        edges[e] = (struct layout_edge){.from = dag->edges[e].from, .to = dag->edges[e].to};
    layout_graph_init(&picture->graph, &spec);
    layout_order(&picture->graph);
    free(nodes);
    free(edges);
}

/* A box is as high as its entries need. False when there are too many lines. */
static bool make_channels(struct picture *picture)
{
    struct layout_graph *graph = &picture->graph;

    picture->channels =
        mem_arena_alloc(&graph->arena, graph->layer_count * sizeof *picture->channels);
    for (size_t l = 0; l < graph->layer_count; l++) {
        graph_route_nets(&picture->channels[l], graph, l, &graph->arena);
        if (picture->channels[l].net_count > NETS_MAX)
            return false;
    }
    for (size_t n = 0; n < picture->dag->node_count; n++) {
        struct layout_vertex *vertex = &graph->vertices[n];
        size_t entries = 0;

        if (vertex->layer > 0)
            entries = graph_route_entries(&picture->channels[vertex->layer - 1], n);
        vertex->height = entries > 1 ? 2 * (int)entries + 1 : BOX_ROWS;
    }
    return true;
}

static int gap_of(const struct graph_channel *channel)
{
    int gap = 2 * channel->columns + 2;

    return gap > GAP_LEAST ? gap : GAP_LEAST;
}

static void measure_across(struct picture *picture)
{
    struct layout_graph *graph = &picture->graph;
    size_t bytes = (graph->layer_count + 1) * sizeof(int);

    picture->widths = mem_arena_alloc(&graph->arena, bytes);
    picture->lefts = mem_arena_alloc(&graph->arena, bytes);
    for (size_t v = 0; v < graph->vertex_count; v++) {
        int *width = &picture->widths[graph->vertices[v].layer];

        *width = graph->vertices[v].width > *width ? graph->vertices[v].width : *width;
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        picture->width = picture->lefts[l] + picture->widths[l];
        picture->lefts[l + 1] = picture->width + gap_of(&picture->channels[l]);
    }
}

static void measure_down(struct picture *picture)
{
    const struct layout_graph *graph = &picture->graph;
    int last = 0;

    for (size_t v = 0; v < graph->vertex_count; v++) {
        int bottom = graph->vertices[v].y + graph->vertices[v].height / 2;

        last = bottom > last ? bottom : last;
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        const struct graph_channel *channel = &picture->channels[l];

        for (size_t n = 0; n < channel->net_count; n++) {
            for (size_t i = 0; i < channel->nets[n].source_count; i++) {
                int row = channel->nets[n].sources[i].turn_row;

                last = row > last ? row : last;
            }
        }
    }
    picture->height = last + 1;
}

static bool route(struct picture *picture)
{
    struct layout_graph *graph = &picture->graph;
    struct layout_gaps gaps = {.node = 0, .line = 0, .grid = 2};

    if (!make_channels(picture))
        return false;
    layout_place(graph, &gaps);
    for (size_t l = 0; l < graph->layer_count; l++)
        graph_route_columns(&picture->channels[l], graph);
    measure_down(picture);
    return true;
}

static void draw_vertex(struct graph_canvas *canvas, const struct picture *picture,
                        size_t v)
{
    const struct layout_vertex *vertex = &picture->graph.vertices[v];
    int x = picture->lefts[vertex->layer];
    int width = picture->widths[vertex->layer];
    int text = x + (width - vertex->width) / 2 + BOX_SIDES / 2;

    if (vertex->node == LAYOUT_NONE) {
        graph_canvas_across(canvas, x, x + width, vertex->y, v);
        return;
    }
    graph_canvas_box(canvas, x, vertex->y - vertex->height / 2, width, vertex->height);
    graph_canvas_text(canvas, text, vertex->y, picture->labels[v]);
    if (vertex->out_count > 0)
        graph_canvas_exit(canvas, x + width - 1, vertex->y);
}

static void draw_net(struct graph_canvas *canvas, const struct picture *picture, size_t l,
                     const struct graph_net *net)
{
    int left = picture->lefts[l] + picture->widths[l];
    int right = picture->lefts[l + 1] - 1;
    int trunk = net->column < 0 ? right : left + 1 + 2 * net->column;
    size_t owner = net->sources[0].vertex;
    int top = net->targets[0].row;
    int bottom = top;

    for (size_t i = 0; i < net->source_count; i++) {
        const struct graph_pin *pin = &net->sources[i];
        int turn = left + 1 + 2 * pin->turn_column;

        top = pin->turn_row < top ? pin->turn_row : top;
        bottom = pin->turn_row > bottom ? pin->turn_row : bottom;
        if (pin->turn_column < 0) {
            graph_canvas_across(canvas, left - 1, trunk, pin->row, owner);
            continue;
        }
        graph_canvas_across(canvas, left - 1, turn, pin->row, owner);
        graph_canvas_down(canvas, turn, pin->row, pin->turn_row, owner);
        graph_canvas_across(canvas, turn, trunk, pin->turn_row, owner);
    }
    for (size_t i = 0; i < net->target_count; i++) {
        const struct graph_pin *pin = &net->targets[i];

        top = pin->row < top ? pin->row : top;
        bottom = pin->row > bottom ? pin->row : bottom;
        graph_canvas_across(canvas, trunk, right + 1, pin->row, owner);
        if (picture->graph.vertices[pin->vertex].node != LAYOUT_NONE)
            graph_canvas_arrow(canvas, right, pin->row);
    }
    if (net->column >= 0)
        graph_canvas_down(canvas, trunk, top, bottom, owner);
}

static void draw(const struct picture *picture, bool unicode, struct text_buf *out)
{
    const struct layout_graph *graph = &picture->graph;
    struct graph_canvas canvas;

    graph_canvas_init(&canvas, picture->width, picture->height, unicode);
    for (size_t l = 0; l + 1 < graph->layer_count; l++) {
        for (size_t n = 0; n < picture->channels[l].net_count; n++)
            draw_net(&canvas, picture, l, &picture->channels[l].nets[n]);
    }
    for (size_t v = 0; v < graph->vertex_count; v++)
        draw_vertex(&canvas, picture, v);
    graph_canvas_print(&canvas, out);
    graph_canvas_clear(&canvas);
}

char *graph_ascii(const struct dag *dag, const struct graph_ascii_style *style)
{
    struct picture picture = {.dag = dag};
    struct text_buf out = {0};

    if (dag->node_count > BOXES_MAX)
        return graph_list(dag, style->unicode);
    init_graph(&picture);
    if (route(&picture)) {
        make_labels(&picture, true, style->unicode);
        measure_across(&picture);
        if (picture.width > style->width) {
            make_labels(&picture, false, style->unicode);
            measure_across(&picture);
        }
        if (picture.width <= style->width)
            draw(&picture, style->unicode, &out);
    }
    layout_graph_clear(&picture.graph);
    return out.len > 0 ? text_take(&out) : graph_list(dag, style->unicode);
}

char *graph_list(const struct dag *dag, bool unicode)
{
    struct text_buf out = {0};

    for (size_t i = 0; i < dag->node_count; i++) {
        const struct dag_node *node = &dag->nodes[dag->order[i]];
        char *label = label_of(dag, dag->order[i], true, unicode);

        text_appendf(&out, "%s\n", label);
        free(label);
        for (size_t o = 0; o < node->output_count; o++) {
            const struct dag_edge *edge = &dag->edges[node->outputs[o]];
            const char *branch = o + 1 < node->output_count ? "├─▶" : "└─▶";

            text_appendf(&out, "  %s %s\n", unicode ? branch : "->",
                         dag->nodes[edge->to].name);
        }
    }
    return text_take(&out);
}
