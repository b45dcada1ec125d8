/* SPDX-License-Identifier: MIT
 *
 * start.h - the steps of a start, in their order. Each sends its requests and names the
 * next step; start_step() goes on when all are answered. start.c asks what there is,
 * start_last.c compares it with what the last run left, start_topics.c makes what is
 * missing, start_commit.c sets the start offsets.
 * Layer: run, and only for it.
 */
#ifndef RUN_START_H
#define RUN_START_H

#include "run/run_state.h"

enum { START_LEADER_LIMIT_MS = 30000, START_GROUP_LIMIT_MS = 20000 };

/* start.c */
void start_begin(struct run *run);
void start_step(struct run *run);
/* Every done function begins with this. True when the request as a whole went wrong. */
bool start_answered(struct run *run, const struct broker_reply *reply, const char *what);
void start_grow_edge(struct run_edge *edge, size_t count);

/* start_last.c */
/* The user said that what is unread on this edge is to be skipped. */
bool start_gives_up(const struct run *run, const struct run_edge *edge);
void start_find_offsets(struct run *run);
/* start_topics.c */
void start_make_topics(struct run *run);
/* Topics are being made, and not all answers are in. */
bool start_makes_topics(const struct run *run);
/* start_commit.c */
void start_commit_offsets(struct run *run);

#endif
