/* SPDX-License-Identifier: MIT
 *
 * dead.h - dead letters: the original record and why it failed, in the node's own topic.
 * Layer: sdk. The record's offset moves only after the dead letter is acknowledged.
 */
#ifndef SDK_DEAD_H
#define SDK_DEAD_H

#include "sdk/kafka_out.h"

struct part;

struct dead_letter {
    struct emission original;    /* key, value, timestamp */
    rd_kafka_headers_t *headers; /* the original's or NULL: moved */
    const char *failed_at;       /* DECODE TRANSFORM SINK WRITE */
    const char *reason;
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/* A record that the broker refused, waiting for its original bytes. */
struct dead_refused {
    struct dead_refused *next;
    uint64_t tag;
    char *output; /* name of the topic that refused it */
    char *reason;
    struct out_retry *bytes;  /* a source's record; NULL: read it again */
};

struct dead_queue {
    struct dead_refused *first;
    int64_t count;
    int64_t said;       /* "dead" lines in this second */
    int64_t said_at_ms; /* when it began */
    rd_kafka_t *reader; /* reads records again; NULL until needed */
    rd_kafka_queue_t *reader_queue;
    bool reading;  /* the first one is on its way */
    bool assigned; /* the reader fetches */
};

/* Write the letter for the record with this tag, and mark the record as dead. */
void dead_letter_send(struct client *client, uint64_t tag, struct dead_letter *letter);

/* A delivery report refused the write for good: the letter follows in dead_step. */
void dead_refused(struct client *client, const struct out_topic *topic,
                  const rd_kafka_message_t *message, const char *reason);

/* Go on with refused records; never blocks. */
void dead_step(struct client *client);
void dead_clear(struct client *client);

#endif
