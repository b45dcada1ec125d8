/* SPDX-License-Identifier: MIT
 *
 * table_render.h - a status object as lines of text, for table.c and plain.c.
 * Layer: cli, private to the table. Pure.
 */
#ifndef CLI_TABLE_RENDER_H
#define CLI_TABLE_RENDER_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

struct table_lines {
    char **items;
    size_t *widths; /* columns on the screen */
    size_t count;
    size_t capacity;
};

struct table_size {
    int width;  /* 0: no limit */
    int height; /* 0: no limit */
};

/* The live layout: head, a line a node with rates and backlog, errors. */
void table_render_live(const json_t *status, struct table_size size, bool color,
                       struct table_lines *out);
/* The layout of a run that has ended: totals instead of rates. */
void table_render_final(const json_t *status, struct table_size size, bool color,
                        struct table_lines *out);
void table_lines_clear(struct table_lines *lines);

/* Is the run of this status over? */
bool table_is_over(const json_t *status);

/* "arithmetic@12"; the caller frees. */
char *table_run_name(const json_t *status);

/* text without what a terminal would act on; the caller frees. NULL gives "". */
char *table_safe(const char *text);

#endif
