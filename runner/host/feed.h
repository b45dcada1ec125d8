/* SPDX-License-Identifier: MIT
 *
 * feed.h - append records to a topic from a command (`dagrun send DAG/NODE`).
 * Layer: host. Blocking: for the commands, never on the runner's loop. Idempotent
 * producer; a record counts only when the broker has acknowledged it.
 */
#ifndef HOST_FEED_H
#define HOST_FEED_H

#include "base/error.h"
#include "host/broker.h"

#include <stddef.h>
#include <stdint.h>

struct feed;

/* ERROR_NOT_FOUND: no such topic; ERROR_UNREACHABLE: no broker within timeout_ms. */
struct feed *feed_open(const struct broker_config *config, const char *topic,
                       int timeout_ms, struct error *err);
/* Queue a record (waits while the queue is full); key NULL: none, timestamp now.
 * -1 and err when it can't be: too large (ERROR_INPUT). */
int feed_add(struct feed *feed, const char *key, size_t key_len, const char *value,
             size_t value_len, struct error *err);
/* Wait until all are acknowledged. -1 and err when some are not within timeout_ms. */
int feed_flush(struct feed *feed, int timeout_ms, struct error *err);
int64_t feed_acknowledged(const struct feed *feed);
void feed_close(struct feed *feed); /* drops what is not acknowledged */

#endif
