/* SPDX-License-Identifier: MIT */
#include "core/graph.h"

#include "base/text.h"
#include "core/graph_label.h"

#include <stdlib.h>
#include <string.h>

static void append_dot(struct text_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            text_append(out, "\\");
        text_append_bytes(out, text, 1);
    }
}

/* Name, below it the program unless it has the same name, and the number of clients. */
static void append_lines(struct text_buf *out, const struct dag *dag, size_t n,
                         const char *line_break,
                         void (*append)(struct text_buf *, const char *))
{
    const struct dag_node *node = &dag->nodes[n];
    char *program = graph_label_program(dag, n);

    append(out, node->name);
    if (node->client_count > 1)
        text_appendf(out, " ×%zu", node->client_count);
    if (strcmp(program, node->name) != 0) {
        text_append(out, line_break);
        append(out, program);
    }
    free(program);
}

char *graph_dot(const struct dag *dag)
{
    struct text_buf out = {0};

    text_append(&out, "digraph \"");
    append_dot(&out, dag->name);
    text_append(&out, "\" {\n"
                      "  rankdir=LR\n"
                      "  node [shape=box style=rounded fontname=\"monospace\"]\n"
                      "  edge [fontname=\"monospace\" fontsize=10]\n");
    for (size_t n = 0; n < dag->node_count; n++) {
        text_append(&out, "  \"");
        append_dot(&out, dag->nodes[n].name);
        text_append(&out, "\" [label=\"");
        append_lines(&out, dag, n, "\\n", append_dot);
        text_append(&out, "\"]\n");
    }
    for (size_t e = 0; e < dag->edge_count; e++) {
        char *topic = graph_label_topic(dag, e);

        text_append(&out, "  \"");
        append_dot(&out, dag->nodes[dag->edges[e].from].name);
        text_append(&out, "\" -> \"");
        append_dot(&out, dag->nodes[dag->edges[e].to].name);
        text_append(&out, "\"");
        if (topic) {
            text_append(&out, " [label=\"");
            append_dot(&out, topic);
            text_append(&out, "\"]");
        }
        text_append(&out, "\n");
        free(topic);
    }
    text_append(&out, "}\n");
    return text_take(&out);
}

/* Mermaid has numbered entities, #35; is #. Everything that it could read as its own or
 * as HTML or Markdown becomes one. */
static void append_mermaid(struct text_buf *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\"#&<>`\\;*_$", *text))
            text_appendf(out, "#%d;", *text);
        else
            text_append_bytes(out, text, 1);
    }
}

/* Numbers as ids: a node called "end" would end a Mermaid graph. */
char *graph_mermaid(const struct dag *dag)
{
    struct text_buf out = {0};

    text_append(&out, "flowchart LR\n");
    for (size_t n = 0; n < dag->node_count; n++) {
        text_appendf(&out, "  n%zu[\"", n);
        append_lines(&out, dag, n, "<br/>", append_mermaid);
        text_append(&out, "\"]\n");
    }
    for (size_t e = 0; e < dag->edge_count; e++) {
        char *topic = graph_label_topic(dag, e);

        text_appendf(&out, "  n%zu -->", dag->edges[e].from);
        if (topic) {
            text_append(&out, "|\"");
            append_mermaid(&out, topic);
            text_append(&out, "\"|");
        }
        text_appendf(&out, " n%zu\n", dag->edges[e].to);
        free(topic);
    }
    return text_take(&out);
}
