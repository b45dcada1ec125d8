/* SPDX-License-Identifier: MIT
 *
 * partition_private.h - what partition.c and partition_append.c share. Layer:
 * ledger/log.
 */
#ifndef LEDGER_LOG_PARTITION_PRIVATE_H
#define LEDGER_LOG_PARTITION_PRIVATE_H

#include "ledger/log/partition.h"

struct partition {
    struct log *log;
    struct producers *producers;
    bool log_append_time;
    int8_t compression;
    int level;
    int64_t timestamp_before_max_ms;
    int64_t timestamp_after_max_ms;
    int64_t snapshot_bytes;  /* appended since the last snapshot */
    int64_t snapshot_active; /* log_active then */
    partition_moved_fn *moved;
    void *moved_arg;
};

/*
 * Append a placed batch; on success batch->base_offset is its offset. Logs what a disk
 * refuses.
 */
enum kafka_error partition_write(struct partition *partition, const uint8_t *data,
                                 size_t len, int64_t wall_ms);
/* After the producers know of it: snapshot if due, tell the listener. */
void partition_written(struct partition *partition, size_t len);

#endif
