/* SPDX-License-Identifier: MIT
 *
 * graph_label.h - what the pictures of a dag say about a node or an edge.
 * Layer: core (pure). Inside of graph. The texts are plain: each format escapes them.
 */
#ifndef CORE_GRAPH_LABEL_H
#define CORE_GRAPH_LABEL_H

#include "core/dag.h"

/*
 * The node's program as the YAML means it: a built-in's name, or a path, relative to the
 * YAML's folder when it is inside. Control characters are \xHH. The caller frees.
 */
char *graph_label_program(const struct dag *dag, size_t node);

/* The topic when the YAML names one, made safe; else NULL. The caller frees. */
char *graph_label_topic(const struct dag *dag, size_t edge);

/* Columns on a terminal: code points; the text is UTF-8. */
int graph_label_columns(const char *text);

#endif
