/* SPDX-License-Identifier: MIT
 *
 * history_fixture.h - a folder for a history of one test, and looks into its file.
 */
#ifndef TESTS_SUPPORT_HISTORY_FIXTURE_H
#define TESTS_SUPPORT_HISTORY_FIXTURE_H

#include "host/history.h"

extern struct fixture {
    char folder[64];
    char path[96]; /* of the file in it */
} fixture;

void fixture_begin(void);
void fixture_end(void);

struct history *fixture_open_history(void);
/* Returns the number of the run. */
int64_t fixture_begin_run(struct history *history, const char *dag);
void fixture_add_event(struct history *history, const char *text);
void fixture_add_node(struct history *history, const char *node, int64_t in);
/* Edges, with what a later start asks about them. */
void fixture_fill_edges(struct history *history);

/* A number from the file, over a connection of its own. */
int64_t fixture_ask(const char *sql);
void fixture_change(const char *sql);

#endif
