/* SPDX-License-Identifier: MIT
 *
 * table.h - the state of a run on a terminal: a table that repaints itself in place, and
 * the same table once; and plain lines where there is no terminal.
 * Layer: cli. The input is the status object of the control socket (docs/protocol.md),
 * borrowed during the call. Names and texts in it never reach the terminal unescaped.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

/*
 * A live table on out. The size of the terminal is asked before every painting, so that
 * resizing is harmless; where out has none (a test), width and height are used. color:
 * see table_color. out stays open.
 */
struct table *table_new(FILE *out, int width, int height, bool color);
void table_free(struct table *table); /* leaves the screen as it is */

/* Paint the status where the last one stood. Nothing is written when nothing changed. */
void table_update(struct table *table, const json_t *status);

/* A line above the table: prefix " | " text, as of a sink or a message. prefix may be NULL. */
void table_line(struct table *table, const char *prefix, const char *text, size_t len);

/* Take the live table away and leave the summary of a run that has ended. */
void table_finish(struct table *table, const json_t *status);

/* The table once, all of it, at most width columns wide (0: no limit): dagrun status. */
void table_print(FILE *out, const json_t *status, int width, bool color);

/* One line a state change since before (NULL: the first): run, nodes, restarts, errors. */
void plain_update(FILE *out, const json_t *before, const json_t *status);

/* The summary of table_finish, without a table before it. */
void plain_finish(FILE *out, const json_t *status);

/* Is out a terminal that may have colour (NO_COLOR unset, TERM not dumb)? */
bool table_color(FILE *out);
/* The columns of out's terminal; 0 when it is none. */
int table_width(FILE *out);

#endif
