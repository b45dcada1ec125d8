/* SPDX-License-Identifier: MIT
 *
 * cleaner.h - what compaction keeps of a batch. Layer: ledger/log (pure but for the
 * view's functions). compact.c reads, writes and swaps segments; the decisions are
 * here.
 *
 * The rules are Kafka's: the last value of each key stays; a tombstone stays until
 * delete.retention.ms after compaction first saw it, which is written into its batch as
 * the delete horizon; records of aborted transactions go; a transaction's marker goes
 * once a pass has found none of its records, after the same delay; of a producer's last
 * batch at least the header stays, which has its sequence number.
 */
#ifndef LEDGER_LOG_CLEANER_H
#define LEDGER_LOG_CLEANER_H

#include "ledger/log/keymap.h"
#include "ledger/log/log.h"
#include "ledger/log/records.h"

struct cleaner_producer;

struct cleaner {
    struct keymap map;
    int64_t mapped_to; /* the map knows all keys below this offset */
    int64_t delete_retention_ms;
    struct cleaner_producer *producers; /* whose transaction is being walked through */
    struct records records;
    struct records_builder builder;
};

void cleaner_init(struct cleaner *cleaner, size_t max_keys,
                  int64_t delete_retention_ms);
void cleaner_clear(struct cleaner *cleaner);

/* First pass: take in the keys of a batch. False: there is no room for them. */
bool cleaner_map(struct cleaner *cleaner, const struct log_view *view,
                 const struct batch *batch, const uint8_t *data);

/*
 * Second pass, from the log's beginning: what remains of the batch, *size bytes, the
 * batch itself or a new one valid until the next call. NULL: nothing.
 */
const uint8_t *cleaner_filter(struct cleaner *cleaner, const struct log_view *view,
                              const struct batch *batch, const uint8_t *data,
                              int64_t wall_ms, size_t *size);

#endif
