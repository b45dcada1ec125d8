/* SPDX-License-Identifier: MIT
 *
 * partition.h - one partition: its log and its producers, and the checks that Kafka
 * makes before a batch is appended. Layer: ledger/log. One node: what is appended is
 * replicated, so the high watermark is the log end.
 */
#ifndef LEDGER_LOG_PARTITION_H
#define LEDGER_LOG_PARTITION_H

#include "base/error.h"
#include "base/mem.h"
#include "ledger/log/log.h"
#include "ledger/log/producers.h"
#include "ledger/wire/errors.h"

#include <stdbool.h>
#include <stdint.h>

struct partition;

/* What a topic's configs say. config_to_log fills log; the rest stands beside it. */
struct partition_config {
    struct log_config log;
    bool log_append_time;            /* message.timestamp.type=LogAppendTime */
    int64_t timestamp_before_max_ms; /* message.timestamp.before.max.ms */
    int64_t timestamp_after_max_ms;  /* message.timestamp.after.max.ms */
    int compression;                 /* -1: producer; else an enum batch_codec */
    int level;                       /* of that codec, see codec_pack */
};

/* Kafka's defaults for what stands beside log. */
void partition_config_default(struct partition_config *config);

/*
 * Open the partition in this folder ("topic-3"), making it when it is missing. After a
 * crash the tail of the log is checked and the producers are replayed. config is
 * copied. name is for log lines: "topic-3". Errors: NULL.
 */
struct partition *partition_open(struct log_pool *pool, const char *dir,
                                 const char *name,
                                 const struct partition_config *config, int64_t wall_ms,
                                 struct error *err);
/* Clean close: producers' snapshot, log closed with its mark. NULL is fine. */
void partition_close(struct partition *partition);
/* Close without writing anything; its folder is about to be removed. NULL is fine. */
void partition_abandon(struct partition *partition);

/* ---- queries ------------------------------------------------------------- */

struct log *
partition_log(struct partition *partition); /* retention, compaction, sync */
/* What log_compact_step wants to know; valid until the partition changes. */
void partition_view(struct partition *partition, struct log_view *out);
const char *partition_name(const struct partition *partition);
int64_t partition_start(const struct partition *partition);       /* log start offset */
int64_t partition_end(const struct partition *partition);         /* = high watermark */
int64_t partition_last_stable(const struct partition *partition); /* LSO */
bool partition_in_transaction(const struct partition *partition, int64_t producer_id,
                              int16_t epoch);
int64_t partition_open_transactions(const struct partition *partition);
bool partition_producer(const struct partition *partition, int64_t producer_id,
                        struct producers_state *out);
/* DescribeProducers: every producer that is not forgotten. */
void partition_each_producer(const struct partition *partition, producers_each_fn *fn,
                             void *arg);

/*
 * What a Fetch of one partition is answered with. slice is to be released as log.h
 * says; its len is 0 when there is nothing to read at offset yet.
 */
struct partition_slice {
    struct log_slice slice;
    int64_t high_watermark;
    int64_t last_stable_offset;
    int64_t log_start_offset;
    const struct producers_aborted *aborted; /* borrowed until the partition changes */
    int32_t aborted_count;                   /* -1: null, as for read_uncommitted */
};

/*
 * Read whole batches from the one that holds offset on: up to max_bytes; whole: at
 * least one batch, even a larger one. The watermarks are set with every answer. Returns
 * KAFKA_OFFSET_OUT_OF_RANGE, KAFKA_CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR.
 */
enum kafka_error partition_read(struct partition *partition, int64_t offset,
                                int64_t max_bytes, bool whole, bool read_committed,
                                struct partition_slice *out);

/*
 * ListOffsets. timestamp: a time in ms, or one of these. found_timestamp is -1 where
 * Kafka answers none. An offset of -1: there is no such record. At most limit (high
 * watermark or LSO, by isolation) is answered.
 */
enum {
    PARTITION_LATEST = -1,
    PARTITION_EARLIEST = -2,
    PARTITION_MAX_TIMESTAMP = -3,
    PARTITION_EARLIEST_LOCAL = -4,
};
enum kafka_error partition_list(struct partition *partition, int64_t timestamp,
                                bool read_committed, int64_t *offset,
                                int64_t *found_timestamp);

/* ---- changes ------------------------------------------------------------- */

void partition_configure(struct partition *partition,
                         const struct partition_config *config);

struct partition_append_how {
    int64_t wall_ms;
    int16_t version; /* of the Produce request */
    bool verified;   /* txns_produce said KAFKA_NONE for this batch */
    struct mem_arena
        *arena; /* for the texts of out; may be NULL: then there are none */
};

/* A record that was refused, by its place in the batch. */
struct partition_record_error {
    int32_t index;
    const char *message; /* in the arena */
};

struct partition_appended {
    int64_t base_offset; /* -1 on error; the old one for a duplicate */
    int64_t last_offset;
    int64_t log_append_ms; /* -1 unless the topic has LogAppendTime */
    int64_t log_start_offset;
    bool duplicate;
    const char *message; /* for error_message; NULL: none */
    const struct partition_record_error *records;
    int32_t records_count;
};

/*
 * Is the batch transactional without its producer having a transaction open here? Then
 * ask txns_produce() first and hand its yes in as how.verified. Broken batches say
 * false: partition_append names what is wrong with them. The two out parameters are
 * always set
 * (-1 without a producer id). Until a batch of the producer was appended, none with a
 * higher sequence than the one asked for is taken.
 */
bool partition_asks_coordinator(struct partition *partition, const uint8_t *records,
                                int64_t len, int64_t *producer_id, int16_t *epoch);

/*
 * Append what a Produce request brought for this partition: one batch of version 2. The
 * bytes are changed in place (offset, leader epoch, time). All or nothing; on any error
 * nothing has happened. Transactional batches of a request without transactional.id are
 * the caller's to refuse (TRANSACTIONAL_ID_AUTHORIZATION_FAILED).
 * Returns MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, CORRUPT_MESSAGE, INVALID_RECORD,
 * INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE, UNSUPPORTED_FOR_MESSAGE_FORMAT,
 * OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE,
 * KAFKA_STORAGE_ERROR.
 */
enum kafka_error partition_append(struct partition *partition, uint8_t *records,
                                  int64_t len, const struct partition_append_how *how,
                                  struct partition_appended *out);

struct partition_mark {
    int64_t producer_id;
    int16_t epoch;
    int32_t coordinator_epoch;
    bool commit;
    bool bumps_epoch; /* transactions version 2: an epoch above that of the records */
    int64_t wall_ms;
};

/* Write the marker that ends a producer's transaction. */
enum kafka_error partition_marker(struct partition *partition,
                                  const struct partition_mark *mark);

/*
 * DeleteRecords up to offset (-1: the high watermark). *low is the new log start.
 * OFFSET_OUT_OF_RANGE above the high watermark, POLICY_VIOLATION without delete policy.
 */
enum kafka_error partition_delete_before(struct partition *partition, int64_t offset,
                                         int64_t wall_ms, int64_t *low);

/* After retention moved the log's start: producers follow, the listener is told. */
void partition_trimmed(struct partition *partition);
/* Forget producers that are idle for a day. Cheap; once every 10 minutes is enough. */
void partition_expire(struct partition *partition, int64_t wall_ms);

/*
 * Have fn called whenever the end or the LSO moved. One listener; NULL: none. It must
 * not change the partition.
 */
typedef void partition_moved_fn(void *arg, struct partition *partition);
void partition_listen(struct partition *partition, partition_moved_fn *fn, void *arg);

#endif
