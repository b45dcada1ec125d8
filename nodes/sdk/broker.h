/* SPDX-License-Identifier: MIT
 *
 * broker.h - is the broker reachable? librdkafka says when it is not; whether it is back
 * is asked once a second, without blocking.
 * Layer: sdk.
 */
#ifndef SDK_BROKER_H
#define SDK_BROKER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct client;

struct broker {
    bool reachable;
    bool asking;
    int64_t ask_at_ms;
    rd_kafka_t *rk; /* borrowed */
    rd_kafka_queue_t *queue;
};

/* rk NULL: this client needs no broker. */
void broker_init(struct broker *broker, struct client *client, rd_kafka_t *rk);
void broker_clear(struct broker *broker);

void broker_lost(struct broker *broker);
static inline void broker_seen(struct broker *broker)
{
    broker->reachable = true;
}

/* Take answers, ask when it is time. */
void broker_step(struct broker *broker, int64_t now_ms);

#endif
