/* SPDX-License-Identifier: MIT
 *
 * source.h - a node without input: it is polled, and its place is checkpointed.
 * Layer: sdk. Its window's offsets are the positions that the program gives, plus one.
 */
#ifndef SDK_SOURCE_H
#define SDK_SOURCE_H

#include "base/error.h"
#include "sdk/dagnode.h"
#include "sdk/part.h"

struct client;

struct source {
    struct part *part; /* NULL: the node has inputs */
    bool finished;     /* everything there is was made */
    bool waits;        /* until poll_at_ms or its descriptor */
    int64_t poll_at_ms;
    int64_t position; /* of the last emission */
    int64_t out_before; /* by earlier attempts of this run */
};

/* Prepare the window; read what earlier attempts counted, as soon as the broker answers. */
void source_open(struct client *client);

/* Make records for a while; true when there may be more at once. */
bool source_work(struct client *client);

/* dagnode_emit() from on_poll. */
int source_emit(struct client *client, const struct dagnode_output *output,
                struct dagnode_error *err);

int64_t source_position(const struct client *client); /* acknowledged */
int64_t source_out(const struct client *client);      /* acknowledged, with out_before */

#endif
