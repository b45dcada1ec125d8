/* SPDX-License-Identifier: MIT */
#include "core/graph.h"

#include "base/text.h"
#include "core/graph_label.h"
#include "core/layout.h"

#include <stdlib.h>
#include <string.h>

/* Pixels. A character of the 13 px monospace font is at most 8 wide everywhere. */
enum {
    MARGIN = 16,
    CHAR_WIDTH = 8,
    SMALL_CHAR_WIDTH = 7,
    BOX_SIDES = 28,
    BOX_HEIGHT = 46,
    LABEL_HEIGHT = 18,
    LAYER_GAP = 64,
    NODE_GAP = 20,
    LINE_GAP = 14,
    ARROW = 8,
};

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark}\n"
    "text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328;"
    "text-anchor:middle}\n"
    ".small{font-size:11px;fill:#57606a}\n"
    ".back{fill:#fff}\n"
    ".node rect{fill:#f6f8fa;stroke:#57606a}\n"
    ".edge path{fill:none;stroke:#57606a;stroke-width:1.5}\n"
    ".edge .head{fill:#57606a;stroke:none}\n"
    "@media (prefers-color-scheme:dark){\n"
    "text{fill:#e6edf3}\n"
    ".small{fill:#9198a1}\n"
    ".back{fill:#0d1117}\n"
    ".node rect{fill:#161b22;stroke:#9198a1}\n"
    ".edge path{stroke:#9198a1}\n"
    ".edge .head{fill:#9198a1}\n"
    "}\n"
    "</style>\n";

struct labels {
    char **programs; /* by node; NULL: as its name */
    char **topics;   /* by edge; NULL: none */
};

static void append_xml(struct text_buf *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("&<>\"'", *text))
            text_appendf(out, "&#%d;", *text);
        else
            text_append_bytes(out, text, 1);
    }
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int node_width(const struct dag_node *node, const char *program)
{
    char clients[TEXT_NUMBER] = "";
    int name;

    if (node->client_count > 1)
        (void)snprintf(clients, sizeof clients, " ×%zu", node->client_count);
    name = (graph_label_columns(node->name) + graph_label_columns(clients)) * CHAR_WIDTH;
    return larger(name, program ? graph_label_columns(program) * SMALL_CHAR_WIDTH : 0) +
           BOX_SIDES;
}

static void labels_init(struct labels *labels, const struct dag *dag)
{
    labels->programs = mem_alloc(dag->node_count * sizeof *labels->programs);
    labels->topics = mem_alloc(dag->edge_count * sizeof *labels->topics);
    for (size_t n = 0; n < dag->node_count; n++) {
        char *program = graph_label_program(dag, n);

        if (strcmp(program, dag->nodes[n].name) != 0)
            labels->programs[n] = program;
        else
            free(program);
    }
    for (size_t e = 0; e < dag->edge_count; e++)
        labels->topics[e] = graph_label_topic(dag, e);
}

static void labels_clear(struct labels *labels, const struct dag *dag)
{
    for (size_t n = 0; n < dag->node_count; n++)
        free(labels->programs[n]);
    for (size_t e = 0; e < dag->edge_count; e++)
        free(labels->topics[e]);
    free(labels->programs);
    free(labels->topics);
}

static struct layout *lay_out(const struct dag *dag, const struct labels *labels)
{
    struct layout_node *nodes = mem_alloc(dag->node_count * sizeof *nodes);
    struct layout_edge *edges = mem_alloc(dag->edge_count * sizeof *edges);
    struct layout_spec spec = {.nodes = nodes,
                               .node_count = dag->node_count,
                               .edges = edges,
                               .edge_count = dag->edge_count,
                               .layer_gap = LAYER_GAP,
                               .node_gap = NODE_GAP,
                               .line_gap = LINE_GAP};
    struct layout *layout;

    for (size_t n = 0; n < dag->node_count; n++) {
        nodes[n].width = node_width(&dag->nodes[n], labels->programs[n]);
        nodes[n].height = BOX_HEIGHT;
    }
    for (size_t e = 0; e < dag->edge_count; e++) {
        const char *topic = labels->topics[e];

        edges[e] = (struct layout_edge){.from = dag->edges[e].from, .to = dag->edges[e].to};
        if (topic) {
            edges[e].label_width = (graph_label_columns(topic) + 1) * SMALL_CHAR_WIDTH;
            edges[e].label_height = LABEL_HEIGHT;
        }
    }
    layout = layout_new(&spec);
    free(nodes);
    free(edges);
    return layout;
}

static void append_path(struct text_buf *out, const struct layout_line *line)
{
    struct layout_point last = line->points[0];
    size_t end = line->point_count - 1;

    text_appendf(out, "<path d=\"M%d %d", last.x, last.y);
    for (size_t i = 1; i <= end; i++) {
        struct layout_point to = line->points[i];

        if (i % 2 == 1 || to.y == last.y) {
            text_appendf(out, "H%d", i == end ? to.x - ARROW : to.x);
        } else {
            int middle = (last.x + to.x) / 2;
            int x = i + 1 == end && line->points[end].x == to.x ? to.x - ARROW : to.x;

            text_appendf(out, "C%d %d %d %d %d %d", middle, last.y, middle, to.y, x, to.y);
        }
        last = to;
    }
    text_appendf(out, "\"/><path class=\"head\" d=\"M%d %dl%d %dv%dz\"/>\n", last.x, last.y,
                 -ARROW - 1, -ARROW / 2 - 1, 2 * (ARROW / 2 + 1));
}

static void append_edge(struct text_buf *out, const struct dag *dag, size_t e,
                        const struct layout_line *line, const char *topic)
{
    const struct layout_box *label = &line->label;

    text_append(out, "<g class=\"edge\"><title>");
    append_xml(out, dag->nodes[dag->edges[e].from].name);
    text_append(out, " to ");
    append_xml(out, dag->nodes[dag->edges[e].to].name);
    text_append(out, "</title>");
    append_path(out, line);
    if (topic && label->width > 0) {
        text_appendf(out,
                     "<rect class=\"back\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
                     "<text class=\"small\" x=\"%d\" y=\"%d\">",
                     label->x, label->y, label->width, label->height,
                     label->x + label->width / 2, label->y + label->height / 2 + 4);
        append_xml(out, topic);
        text_append(out, "</text>");
    }
    text_append(out, "</g>\n");
}

static void append_node(struct text_buf *out, const struct dag_node *node,
                        const struct layout_box *box, const char *program)
{
    int x = box->x + box->width / 2;
    int y = box->y + box->height / 2;

    text_appendf(out,
                 "<g class=\"node\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
                 "rx=\"6\"/><text x=\"%d\" y=\"%d\">",
                 box->x, box->y, box->width, box->height, x, program ? y - 3 : y + 4);
    append_xml(out, node->name);
    if (node->client_count > 1)
        text_appendf(out, " ×%zu", node->client_count);
    text_append(out, "</text>");
    if (program) {
        text_appendf(out, "<text class=\"small\" x=\"%d\" y=\"%d\">", x, y + 13);
        append_xml(out, program);
        text_append(out, "</text>");
    }
    text_append(out, "</g>\n");
}

/* The same graph in words, for those who can't see it. */
static void append_description(struct text_buf *out, const struct dag *dag)
{
    text_append(out, "<title id=\"title\">The graph of ");
    append_xml(out, dag->name);
    text_appendf(out, "</title>\n<desc id=\"desc\">%zu nodes, %zu edges.", dag->node_count,
                 dag->edge_count);
    for (size_t i = 0; i < dag->node_count; i++) {
        const struct dag_node *node = &dag->nodes[dag->order[i]];

        for (size_t o = 0; o < node->output_count; o++) {
            text_append(out, o == 0 ? " " : ", ");
            if (o == 0) {
                append_xml(out, node->name);
                text_append(out, " feeds ");
            }
            append_xml(out, dag->nodes[dag->edges[node->outputs[o]].to].name);
        }
        text_append(out, node->output_count > 0 ? "." : "");
    }
    text_append(out, "</desc>\n");
}

char *graph_svg(const struct dag *dag)
{
    struct labels labels;
    struct layout *layout;
    struct text_buf out = {0};
    int width;
    int height;

    labels_init(&labels, dag);
    layout = lay_out(dag, &labels);
    width = layout->width + 2 * MARGIN;
    height = layout->height + 2 * MARGIN;
    text_appendf(&out,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                 "viewBox=\"%d %d %d %d\" role=\"img\" aria-labelledby=\"title desc\">\n",
                 width, height, -MARGIN, -MARGIN, width, height);
    append_description(&out, dag);
    text_append(&out, style);
    text_appendf(&out,
                 "<rect class=\"back\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
                 -MARGIN, -MARGIN, width, height);
    for (size_t e = 0; e < dag->edge_count; e++)
        append_edge(&out, dag, e, &layout->lines[e], labels.topics[e]);
    for (size_t n = 0; n < dag->node_count; n++)
        append_node(&out, &dag->nodes[n], &layout->nodes[n], labels.programs[n]);
    text_append(&out, "</svg>\n");
    layout_free(layout);
    labels_clear(&labels, dag);
    return text_take(&out);
}
