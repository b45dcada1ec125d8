/* SPDX-License-Identifier: MIT
 *
 * kafka_in.h - reading: membership of the group, assignment, records.
 * Layer: sdk.
 *
 * An assignment is not taken in the callback: its committed offsets are asked first, in
 * the loop, as often as the broker needs (kafka_in_assign.c). Taken away is at once, after
 * what is in hand was finished and committed.
 */
#ifndef SDK_KAFKA_IN_H
#define SDK_KAFKA_IN_H

#include "base/error.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct client;
struct part;

enum { KAFKA_IN_BATCH = 1024 };

struct kafka_in {
    rd_kafka_t *rk; /* NULL: the node has no inputs */
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *batch[KAFKA_IN_BATCH];
    size_t at; /* the batch's next record */
    size_t filled;
    bool more;      /* the queue may hold something */
    bool discarded; /* taken from the queue and thrown away: positions are too high */
    bool refresh;   /* positions may have moved */
    struct part *last; /* part of the record before; NULL: look for it */
    bool left;      /* the group has taken our partitions back */
    bool lost;      /* membership was lost; no commit has been confirmed since */
    bool reopen;    /* the handle is of no use any more: kafka_in_reopen */
    int64_t outside_since_ms; /* without a place in the group since it was lost; 0: in it */
    unsigned epoch; /* of the assignment: grows when one is taken away */
    unsigned stride; /* records between two looks at the clock */
    rd_kafka_topic_partition_list_t *assigning;
    int64_t assign_at_ms;
};

int kafka_in_open(struct client *client, struct error *err);
void kafka_in_close(struct client *client);

/*
 * The broker says that another process has our instance id. When we have just lost our
 * membership and joined anew, that other one is ourselves: a request of the old
 * membership that still waited to be sent. True then, and in.reopen is set.
 */
bool kafka_in_is_fenced_by_itself(struct client *client);

/*
 * Has our membership been lost for so long that the handle may have given up? librdkafka
 * 2.15.1 forgets a broker that left the cluster's metadata, as one does that is shut down
 * in good order, and now and then does not look for it again.
 */
bool kafka_in_is_stuck(const struct client *client);

/* Go on with a new handle; what was not committed is taken again. */
int kafka_in_reopen(struct client *client, struct error *err);

/* librdkafka's rebalance callback; opaque is the client. */
void kafka_in_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                        rd_kafka_topic_partition_list_t *list, void *opaque);

/* Nothing is ours any more. */
void kafka_in_drop(struct client *client);

/* Go on with a new assignment; returns when to call again. */
int64_t kafka_in_assign(struct client *client);

/* Take records for a while; true when there may be more. */
bool kafka_in_work(struct client *client);

/* Stop and start delivery; membership and rebalances go on. */
void kafka_in_pause(struct client *client, bool paused);

/* Throw away what was fetched and not taken. */
void kafka_in_discard(struct client *client);

/* Take nothing more for good, but stay in the group until the end. */
void kafka_in_stop(struct client *client);

/* At rest: move windows over markers that follow the last record. */
void kafka_in_refresh(struct client *client);

/* Leave for good: in.left once the group has taken the partitions back. */
void kafka_in_leave(struct client *client);

#endif
