/* SPDX-License-Identifier: MIT
 *
 * flushes.h - answers that wait until what they say is on the disk (policy "always").
 * Layer: ledger/api. What was written to logs is flushed by the sync thread, for many
 * answers at once; the store is flushed before each answer by ledger.c.
 */
#ifndef LEDGER_API_FLUSHES_H
#define LEDGER_API_FLUSHES_H

#include "ledger/server/request.h"

#include <stdbool.h>
#include <stdint.h>

struct flush_wait;
struct topic;

/*
 * Some flush has failed, maybe of something else: make an error of every part of the
 * response that speaks of a partition for which flushes_kept is false.
 */
typedef void flushes_check_fn(struct ledger *ledger, const struct request *request,
                              void *response);

/*
 * Answer when all that has been written to logs by now is on the disk; with policy
 * "interval" at once. response is copied, what it points to lies in the request's
 * arena.
 */
void flushes_answer(struct ledger *ledger, struct request *request,
                    const void *response, flushes_check_fn *check);

/* Whether what was written to this partition can be flushed, as far as is known. */
bool flushes_kept(const struct topic *topic, int32_t index);

/* After sync_poll: answer who has waited long enough. */
void flushes_poll(struct ledger *ledger);

#endif
