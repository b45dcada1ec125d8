/* SPDX-License-Identifier: MIT
 *
 * batch.h - one record batch of message format v2: its header, its checksum, its place.
 * Layer: ledger/log (pure). Nothing here looks at single records; see records.h.
 *
 * The checksum covers everything from the attributes on. The base offset, the length,
 * the leader epoch and the magic stand before it, so a batch is given its place for
 * free.
 */
#ifndef LEDGER_LOG_BATCH_H
#define LEDGER_LOG_BATCH_H

#include "ledger/wire/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BATCH_HEADER_BYTES = 61,
    BATCH_PREFIX_BYTES = 12, /* base offset and length */
    BATCH_MARKER_BYTES = 78, /* a batch made by batch_control */
    BATCH_LEADER_EPOCH = 0,
    BATCH_MAGIC = 2,
};

enum batch_codec {
    BATCH_NONE = 0,
    BATCH_GZIP = 1,
    BATCH_SNAPPY = 2,
    BATCH_LZ4 = 3,
    BATCH_ZSTD = 4,
};

/* Bits of the attributes. */
enum {
    BATCH_CODEC_MASK = 0x07,
    BATCH_LOG_APPEND_TIME = 0x08,
    BATCH_TRANSACTIONAL = 0x10,
    BATCH_CONTROL = 0x20,
    BATCH_DELETE_HORIZON = 0x40, /* base_timestamp says when its tombstones may go */
};

struct batch {
    int64_t base_offset;
    int64_t base_timestamp;
    int64_t max_timestamp;
    int64_t producer_id;
    int32_t size; /* all of its bytes, with the 12 before the length counts */
    int32_t leader_epoch;
    uint32_t crc;
    int32_t last_offset_delta;
    int32_t base_sequence;
    int32_t record_count;
    int16_t attributes;
    int16_t producer_epoch;
};

/*
 * Decode the header of the batch at data; len bytes are there, the batch may be longer
 * (compare out->size). KAFKA_CORRUPT_MESSAGE: shorter than a header or nonsense sizes;
 * KAFKA_INVALID_RECORD: another message format. The checksum is not looked at.
 */
enum kafka_error batch_read(const uint8_t *data, size_t len, struct batch *out);

/* Whether the checksum of the whole batch of size bytes at data is right. */
bool batch_crc_ok(const uint8_t *data, size_t size);

static inline int64_t batch_last_offset(const struct batch *batch)
{
    return batch->base_offset + batch->last_offset_delta;
}

static inline int64_t batch_next_offset(const struct batch *batch)
{
    return batch->base_offset + batch->last_offset_delta + 1;
}

static inline enum batch_codec batch_codec(const struct batch *batch)
{
    return (enum batch_codec)(batch->attributes & BATCH_CODEC_MASK);
}

static inline bool batch_is_transactional(const struct batch *batch)
{
    return (batch->attributes & BATCH_TRANSACTIONAL) != 0;
}

static inline bool batch_is_control(const struct batch *batch)
{
    return (batch->attributes & BATCH_CONTROL) != 0;
}

/* Give a batch its place in the log; the checksum stays right. */
void batch_place(uint8_t *data, int64_t base_offset, int32_t leader_epoch);

/* LogAppendTime: set max_timestamp and the type bit, compute the checksum again. */
void batch_stamp(uint8_t *data, size_t size, int64_t wall_ms);

/* Write every field of batch (size and crc too, crc computed here) before its records.
 */
void batch_write_header(uint8_t *data, struct batch *batch);

/* What a control batch says. */
enum batch_marker { BATCH_ABORT = 0, BATCH_COMMIT = 1, BATCH_MARKER_UNKNOWN = -1 };

struct batch_control {
    enum batch_marker marker;
    int32_t coordinator_epoch;
};

/* Make a COMMIT or ABORT marker, not yet placed: BATCH_MARKER_BYTES at data. */
void batch_control(uint8_t data[BATCH_MARKER_BYTES], int64_t producer_id,
                   int16_t producer_epoch, struct batch_control control,
                   int64_t wall_ms);

/* What the control batch of size bytes says; BATCH_MARKER_UNKNOWN when it is no marker.
 */
struct batch_control batch_control_read(const uint8_t *data, size_t size);

#endif
