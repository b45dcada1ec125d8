/* SPDX-License-Identifier: MIT
 *
 * log.h - the log of one partition: segments of record batches in one folder.
 * Layer: ledger/log. It knows offsets, bytes and times, not producers or transactions;
 * partition.h puts those on top.
 *
 * Folder:  00000000000000000000.log    batches, the name is the first offset
 *          00000000000000000000.index  offset → position, max timestamp (index.h)
 *          checkpoint                  start offset, recovery point, clean offset
 *          start                       the start offset once more
 *          *.deleted, *.cleaned, *.swap are on their way out or in
 * Files of other names are left alone.
 *
 * Time is handed in. Descriptors are opened when needed and belong to the pool.
 * docs/decisions/0007-damaged-logs.md says what happens to bytes that went bad.
 */
#ifndef LEDGER_LOG_LOG_H
#define LEDGER_LOG_LOG_H

#include "base/error.h"
#include "ledger/log/batch.h"
#include "ledger/wire/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log;
struct sync;

/* What all logs of a broker share: open descriptors (LRU) and the flushing thread. */
struct log_pool;

/* max_open 0: as many as the process may have, less a reserve. sync NULL: never flush.
 */
struct log_pool *log_pool_new(size_t max_open, struct sync *sync);
void log_pool_free(struct log_pool *pool); /* after the last log, slice and sync_stop */

/* The topic's configs that a log obeys; -1 in retention_*: no limit. */
struct log_config {
    int64_t segment_bytes;        /* segment.bytes */
    int64_t segment_ms;           /* segment.ms */
    int64_t segment_jitter_ms;    /* segment.jitter.ms */
    int64_t index_interval_bytes; /* index.interval.bytes */
    int64_t index_bytes;          /* segment.index.bytes */
    int64_t max_message_bytes;    /* max.message.bytes: obeyed by the partition */
    int64_t flush_messages;       /* flush.messages */
    int64_t flush_ms;             /* flush.ms */
    int64_t file_delete_delay_ms; /* file.delete.delay.ms */
    bool delete_policy;           /* cleanup.policy has "delete" */
    bool compact_policy;          /* cleanup.policy has "compact" */
    int64_t retention_ms;
    int64_t retention_bytes;
    double min_cleanable_dirty_ratio;
    int64_t delete_retention_ms;
    int64_t min_compaction_lag_ms;
    int64_t max_compaction_lag_ms;
    bool preallocate;
};

/* Kafka's defaults. */
void log_config_default(struct log_config *config);

/* What log_open found; all zero when the log was closed in good order. */
struct log_report {
    bool unclean;          /* the broker did not close it */
    int64_t checked_bytes; /* read again and compared with their checksums */
    int64_t cut_bytes;     /* removed from the end: never completely written */
    int64_t lost_from,
        lost_to; /* offsets that were there and are not any more; equal: none */
};

/*
 * Open the log in dir, making the folder and the first segment when there is none.
 * name ("topic-0") is for log lines. After a crash what lies behind the recovery point
 * is checked and a torn end cut off, which *report and one log line say. NULL and err
 * when the files cannot be read or written.
 */
struct log *log_open(struct log_pool *pool, const char *dir, const char *name,
                     const struct log_config *config, int64_t wall_ms,
                     struct log_report *report, struct error *err);

/* Writes the mark of a clean end (sync_flush first, so that it is true after a power
 * cut as well). Slices that are out stay valid. */
void log_close(struct log *log);
/* Close without a mark and without writing; its folder is about to be removed. */
void log_abandon(struct log *log);

void log_configure(struct log *log, const struct log_config *config);
const struct log_config *log_config(const struct log *log);

const char *log_name(const struct log *log);
const char *log_dir(const struct log *log);
int64_t log_start(const struct log *log); /* first offset that may be read */
int64_t log_end(const struct log *log);   /* offset of the next record */
int64_t log_bytes(const struct log *log); /* of all segments */
int64_t
log_flushed(const struct log *log); /* recovery point: all before it is on disk */
int64_t log_active(const struct log *log); /* base offset of the segment that grows; it
                                            * changes when the log rolls */
bool log_failed(const struct log *log); /* a flush failed: it takes no more appends */

/*
 * Append one or more whole batches, already placed from log_end on (batch_place). One
 * write; nothing is done per record. Rolls to a new segment first when that is due.
 * KAFKA_STORAGE_ERROR and err (disk full …): nothing was appended, a later one may
 * work.
 */
enum kafka_error log_append(struct log *log, const uint8_t *data, size_t len,
                            int64_t wall_ms, struct error *err);

/* Begin a new segment now, unless the active one is empty. */
int log_roll(struct log *log, int64_t wall_ms, struct error *err);

/* Whole batches in a file. Hand file to log_slice_release when the bytes were sent. */
struct log_slice {
    int fd; /* valid as long as the slice */
    int64_t position;
    int64_t len; /* 0: nothing to read; then there is nothing to release */
    int64_t
        offset;   /* of the first batch, which may begin before the offset asked for */
    int64_t next; /* reading goes on here */
    void *file;
};

/*
 * Batches from the one that holds offset on, together at most max_bytes, none that
 * begins at or after limit (log_end, or the last stable offset). The first batch comes
 * whole even when it is larger, if min_one. What comes back was written by this process
 * or has passed its checksums; damaged ranges are left out and named in the log.
 * KAFKA_OFFSET_OUT_OF_RANGE: not within log_start … log_end. KAFKA_STORAGE_ERROR: err.
 */
enum kafka_error log_read(struct log *log, int64_t offset, int64_t max_bytes,
                          int64_t limit, bool min_one, struct log_slice *out,
                          struct error *err);
void log_slice_release(void *file);

/*
 * The first record at or after log_start whose timestamp is at least timestamp. *offset
 * is -1 when there is none. Compressed batches are opened to find the very record.
 */
enum kafka_error log_find_time(struct log *log, int64_t timestamp, int64_t *offset,
                               int64_t *found_timestamp, struct error *err);

/* The first record with the largest timestamp (ListOffsets -3); *offset -1: log is
 * empty. */
enum kafka_error log_find_max_time(struct log *log, int64_t *offset, int64_t *timestamp,
                                   struct error *err);

/* data: the whole batch of a control batch (size bytes), NULL for others. Non-zero:
 * stop. */
typedef int log_batch_fn(void *arg, const struct batch *batch, const uint8_t *data);

/* All batches from the one that holds offset from on. -1 and err: fn stopped, or a read
 * failed. Damaged ranges are left out and named in the log. */
int log_each_batch(struct log *log, int64_t from, log_batch_fn *fn, void *arg,
                   struct error *err);

/* Records before offset (log_start … log_end) are gone, also after a crash. */
enum kafka_error log_delete_before(struct log *log, int64_t offset, int64_t wall_ms,
                                   struct error *err);

/*
 * Delete segments that retention no longer keeps (policy delete), remove files whose
 * delete delay is over, give back memory of a log that rests. True: log_start moved.
 */
bool log_retain(struct log *log, int64_t wall_ms);

/* What only the transactions know; compaction asks for it. Functions may be NULL. */
struct log_view {
    int64_t first_unstable; /* nothing at or after it is touched; log_end when all is
                               stable */
    bool (*aborted)(void *arg, int64_t producer_id, int64_t offset);
    /* the batch holds the last sequence number of a producer that is still known */
    bool (*last_of_producer)(void *arg, int64_t producer_id, int64_t last_offset);
    void *arg;
};

/* Whether compaction has something to do (policy compact; dirty ratio, lags). Cheap. */
bool log_compactable(struct log *log, int64_t first_unstable, int64_t wall_ms);

/*
 * Do about budget_bytes of compaction's reading and writing. True: more is to be done,
 * call again. Failures are logged and end the attempt; the log stays as it was.
 */
bool log_compact_step(struct log *log, const struct log_view *view, int64_t wall_ms,
                      int64_t budget_bytes);

#endif
