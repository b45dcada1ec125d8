/* SPDX-License-Identifier: MIT
 *
 * commit.h - committing: the offsets of the inputs with their totals, or the checkpoint
 * of a source.
 * Layer: sdk. Asynchronous, one at a time; what a commit may hold is window->low.
 */
#ifndef SDK_COMMIT_H
#define SDK_COMMIT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct client;

struct commit {
    rd_kafka_t *rk; /* borrowed; NULL: nowhere (a source without a checkpoint) */
    rd_kafka_queue_t *queue;
    bool in_flight;
    bool finished;        /* finished: true is in the commit under way */
    bool finish_confirmed;
    int64_t sent_low;     /* a source's window->low in the commit under way */
    int64_t sent_at_ms;
    int64_t idle_at_ms;   /* everything is finished since; 0: it is not */
    int64_t retry_at_ms;
    int burst;            /* commits at rest that followed each other */
};

void commit_init(struct client *client, rd_kafka_t *rk);
void commit_clear(struct client *client);

/* Take the broker's answers. */
void commit_serve(struct client *client);

/* Commit when it is time; returns when to look again (INT64_MAX: when something happens). */
int64_t commit_step(struct client *client);

/* Is everything that is finished also confirmed? */
bool commit_is_clean(const struct client *client);

/* Commit what is finished and wait for the answer, at most until deadline_ms. */
void commit_wait(struct client *client, int64_t deadline_ms);

#endif
