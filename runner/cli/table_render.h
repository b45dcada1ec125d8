/* SPDX-License-Identifier: MIT
 *
 * table_render.h - a status object as lines of text, for table.c and plain.c.
 * Layer: cli, private to the table. Pure, but for the time of a run that goes on.
 */
#ifndef CLI_TABLE_RENDER_H
#define CLI_TABLE_RENDER_H

#include "base/json.h"
#include "cli/grid.h"

#include <stdbool.h>
#include <stddef.h>

struct table_size {
    int width;  /* 0: no limit */
    int height; /* 0: no limit */
};

/* The live layout: head, a line a node with rates and backlog, errors. */
void table_render_live(const json_t *status, struct table_size size, bool color,
                       struct lines *out);
/* The layout of a run that has ended: totals instead of rates. */
void table_render_final(const json_t *status, struct table_size size, bool color,
                        struct lines *out);

/* Is the run of this status over? */
bool table_is_over(const json_t *status);

/* "arithmetic@12"; the caller frees. */
char *table_run_name(const json_t *status);

#endif
