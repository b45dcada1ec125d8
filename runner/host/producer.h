/* SPDX-License-Identifier: MIT
 *
 * producer.h - write records in transactions: all of one are there, or none.
 * Layer: host. Blocking: for the commands (dlq), never on the runner's loop.
 *
 * A transactional id belongs to one writer. Opening ends whatever an earlier one of
 * that id, killed perhaps, still had under way: nothing of it can arrive afterwards, so
 * what is in the topic then is all that ever will be.
 */
#ifndef HOST_PRODUCER_H
#define HOST_PRODUCER_H

#include "base/error.h"
#include "host/broker.h"
#include "host/tap.h"

struct producer;

/* ERROR_UNREACHABLE: no broker within timeout_ms; ERROR_INPUT: a property is refused.
 */
struct producer *producer_open(const struct broker_config *config, const char *id,
                               int timeout_ms, struct error *err);
/* Ends an open transaction without effect. NULL is fine. */
void producer_close(struct producer *producer);

/*
 * Write count records to a topic in one transaction; partition -1: by the key. Their
 * bytes are copied. On failure nothing of them is there, except with ERROR_TIMEOUT:
 * then only a new producer of the same id knows.
 */
int producer_write(struct producer *producer, const char *topic,
                   const struct tap_record *records, size_t count, int timeout_ms,
                   struct error *err);

#endif
