/* SPDX-License-Identifier: MIT
 *
 * graph.h - a dag as a picture: text for a terminal, Graphviz, Mermaid or SVG.
 * Layer: core (pure). Every text is UTF-8, ends with a newline and is the caller's to
 * free. Labels are escaped for their format; control characters show as \xHH.
 */
#ifndef CORE_GRAPH_H
#define CORE_GRAPH_H

#include "core/dag.h"

#include <stdbool.h>

struct graph_ascii_style {
    int width;    /* columns; a graph that is wider comes as an indented list */
    bool unicode; /* box-drawing characters instead of + - | */
};

/*
 * Boxes and lines. A line that passes another one keeps going straight: only corners and
 * branches connect. Nodes that feed the same readers share one line.
 */
char *graph_ascii(const struct dag *dag, const struct graph_ascii_style *style);

/* The list that graph_ascii falls back to: every node, below it the nodes it feeds. */
char *graph_list(const struct dag *dag, bool unicode);

char *graph_dot(const struct dag *dag);
char *graph_mermaid(const struct dag *dag);

/* Self-contained, light or dark as the reader's system is, with title and description. */
char *graph_svg(const struct dag *dag);

#endif
