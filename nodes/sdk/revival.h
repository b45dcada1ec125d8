/* SPDX-License-Identifier: MIT
 *
 * revival.h - librdkafka's handles find their brokers again after an outage.
 * Layer: sdk.
 *
 * A Kafka that starts or ends may answer with metadata that names no broker. librdkafka
 * (2.10 to 2.15.1 at least, its issue 5301) then drops every broker that it knew, those
 * of bootstrap.servers too, and never looks for one again: a producer keeps its records
 * for good. Naming the bootstrap servers once more ends that; a handle that has them
 * takes no notice.
 */
#ifndef SDK_REVIVAL_H
#define SDK_REVIVAL_H

#include <stdbool.h>
#include <stdint.h>

struct client;

struct revival {
    bool wanted;
    int64_t next_ms;
    int64_t back_ms; /* since when the broker is reachable again; 0: it is not */
};

/* A handle has lost all its brokers. */
void revival_begin(struct client *client);

/* Every few seconds, until a minute after the broker has come back. */
void revival_step(struct client *client);

#endif
