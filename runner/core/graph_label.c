/* SPDX-License-Identifier: MIT */
#include "core/graph_label.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static char *safe(const char *text)
{
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);

    if (out == NULL)
        return mem_strdup("");
    text_print_safe(out, text, strlen(text));
    (void)fclose(out);
    return data;
}

char *graph_label_program(const struct dag *dag, size_t node)
{
    const char *program = dag->nodes[node].program;
    size_t len = dag->dir ? strlen(dag->dir) : 0;

    if (dag->nodes[node].program_is_path && len > 0 &&
        strncmp(program, dag->dir, len) == 0 && program[len] == '/')
        program += len + 1;
    return safe(program);
}

char *graph_label_topic(const struct dag *dag, size_t edge)
{
    const struct dag_edge *e = &dag->edges[edge];

    return e->topic_given ? safe(e->topic) : NULL;
}

int graph_label_columns(const char *text)
{
    int columns = 0;

    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}
