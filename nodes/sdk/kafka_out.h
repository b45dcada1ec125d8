/* SPDX-License-Identifier: MIT
 *
 * kafka_out.h - writing: outputs, delivery reports, back-pressure, what is refused.
 * Layer: sdk.
 *
 * Every write carries a tag (part.h). A write that the broker refuses for what it is
 * (too large, invalid) is tried once more alone in its batch, because a batch is refused
 * as a whole; when it is refused then too, its record becomes a dead letter.
 * Records without a key go to the partitions in turn (spread.h): librdkafka would put a
 * burst into one partition.
 */
#ifndef SDK_KAFKA_OUT_H
#define SDK_KAFKA_OUT_H

#include "base/error.h"
#include "sdk/emission.h"
#include "sdk/spread.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>

struct client;

struct out_topic {
    const char *name;
    rd_kafka_topic_t *handle;
    rd_kafka_topic_t *strict_handle;
    int64_t max_record; /* 0: unknown */
    int64_t acked;
    struct spread spread; /* of records without a key */
    atomic_bool reached; /* something was acknowledged */
    bool is_dlq;
};

/* A copy of a write that waits for its second try. */
struct out_retry {
    struct out_retry *next;
    struct out_topic *topic;
    uint64_t tag;
    int64_t timestamp_ms;
    rd_kafka_headers_t *headers;
    char *key; /* NULL: none */
    char *value;
    size_t key_len;
    size_t value_len;
};

struct kafka_out {
    rd_kafka_t *rk; /* NULL until there is something to write */
    rd_kafka_t *strict;
    rd_kafka_queue_t *queue;
    rd_kafka_queue_t *strict_queue;
    struct out_topic *topics;
    size_t count;
    struct out_topic dlq;
    struct out_retry *retries;
    struct out_retry *last_retry; /* while there are any */
    int64_t retry_count;
    int64_t unreported; /* writes without a report */
    int64_t limit;      /* of unreported: take no more records beyond it */
    int64_t produced;
    int64_t acked;
};

/* Open the producer when the node has outputs. */
int kafka_out_open(struct client *client, struct error *err);
void kafka_out_close(struct client *client);

/* One write to one topic, with what rd_kafka_produceva needs. */
struct out_write {
    struct out_topic *topic;
    uint64_t tag;
    struct emission emission;
    rd_kafka_headers_t *headers; /* NULL: none; moved when the write is accepted */
};

/*
 * Hand it to librdkafka, which copies it; waits while its queue is full, serving events.
 * Returns 0, or the code of what librdkafka refuses for good, nothing having changed.
 */
rd_kafka_resp_err_t kafka_out_write(struct client *client, const struct out_write *write);

/* Would the topic's broker refuse it for its size? */
bool kafka_out_too_large(const struct client *client, const struct out_topic *topic,
                         const struct emission *emission,
                         const rd_kafka_headers_t *headers);

/* A dead letter's topic, its producer opened if need be. NULL: the client has failed. */
struct out_topic *kafka_out_dlq(struct client *client);

/* Take all delivery reports that are there. */
void kafka_out_serve(struct client *client);

/* A copy of a message's bytes, for what comes after its report is gone. */
struct out_retry *kafka_out_copy(const rd_kafka_message_t *message);
void kafka_out_free_copy(struct out_retry *copy);

/* Give writes that wait for it their second try. */
void kafka_out_retry(struct client *client);

#endif
