/* SPDX-License-Identifier: MIT
 *
 * top_rows.h - status objects as the sorted rows of 'dagrun top': text or JSON.
 * Layer: cli, private to top. Pure.
 */
#ifndef CLI_TOP_ROWS_H
#define CLI_TOP_ROWS_H

#include "base/json.h"
#include "cli/grid.h"

#include <stdbool.h>

enum top_sort { TOP_CPU, TOP_MEMORY, TOP_IN, TOP_OUT, TOP_LAG, TOP_SORTS };

/* "cpu", "memory", "in", "out", "lag"; -1: none of them. */
const char *top_sort_name(enum top_sort sort);
int top_sort_find(const char *name);

struct top_view {
    enum top_sort sort; /* largest first; equal ones by their names */
    bool clients;       /* a row a client, else a row a node */
    const char *dag;    /* only this one; NULL: all */
    const char *node;   /* only this one; NULL: all */
};

struct top_size {
    int width;  /* 0: no limit */
    int height; /* 0: no limit; rows that don't fit are counted in the last line */
};

/* all: an array of status objects, borrowed during the call. */
void top_render(const json_t *all, const struct top_view *view, struct top_size size,
                bool color, struct lines *out);

/* The same as one object, owned by the caller. */
json_t *top_json(const json_t *all, const struct top_view *view);

#endif
