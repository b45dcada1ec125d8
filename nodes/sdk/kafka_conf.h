/* SPDX-License-Identifier: MIT
 *
 * kafka_conf.h - librdkafka handles with the SDK's settings and the user's on top.
 * Layer: sdk. What the promises rest on (commits by hand, idempotence, no silent jump to
 * the end) can't be overridden; what only tunes can.
 */
#ifndef SDK_KAFKA_CONF_H
#define SDK_KAFKA_CONF_H

#include "base/error.h"
#include "sdk/config.h"

#include <librdkafka/rdkafka.h>

struct client;

/* What Java's clients do with keys, unless the user says otherwise. */
#define KAFKA_PARTITIONER "murmur2_random"

enum kafka_role {
    KAFKA_CONSUMER,   /* the group's member */
    KAFKA_COMMITTER,  /* commits a source's checkpoint, reads nothing */
    KAFKA_REFETCHER,  /* reads single records again, commits nothing */
    KAFKA_PRODUCER,
    KAFKA_STRICT_PRODUCER, /* one record a batch: whoever is refused is to blame */
};

/* NULL and err when a property is refused. The client is the callbacks' opaque. */
rd_kafka_t *kafka_open(struct client *client, enum kafka_role role, struct error *err);

/* Wake the client's loop when something is put into the queue. */
void kafka_wake(struct client *client, rd_kafka_queue_t *queue);

/* An error event of a handle: remember a lost broker, stop on a fatal one. */
void kafka_error(struct client *client, rd_kafka_t *rk, rd_kafka_resp_err_t code,
                 const char *reason);

#endif
