/* SPDX-License-Identifier: MIT */
#include "ledger/log/batch.h"

#include "ledger/log/crc.h"
#include "ledger/wire/bytes.h"

/* Where the fields stand. */
enum {
    AT_BASE_OFFSET = 0,
    AT_LENGTH = 8,
    AT_LEADER_EPOCH = 12,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21, /* the checksum begins here */
    AT_LAST_OFFSET_DELTA = 23,
    AT_BASE_TIMESTAMP = 27,
    AT_MAX_TIMESTAMP = 35,
    AT_PRODUCER_ID = 43,
    AT_PRODUCER_EPOCH = 51,
    AT_BASE_SEQUENCE = 53,
    AT_RECORD_COUNT = 57,
};

enum kafka_error batch_read(const uint8_t *data, size_t len, struct batch *out)
{
    int32_t length;

    if (len < AT_MAGIC + 1)
        return KAFKA_CORRUPT_MESSAGE;
    if (data[AT_MAGIC] != BATCH_MAGIC)
        return data[AT_MAGIC] < BATCH_MAGIC ? KAFKA_INVALID_RECORD
                                            : KAFKA_CORRUPT_MESSAGE;
    length = (int32_t)bytes_get32(data + AT_LENGTH);
    if (len < BATCH_HEADER_BYTES || length < BATCH_HEADER_BYTES - BATCH_PREFIX_BYTES ||
        length > INT32_MAX - BATCH_PREFIX_BYTES)
        return KAFKA_CORRUPT_MESSAGE;
    *out = (struct batch){
        .base_offset = (int64_t)bytes_get64(data + AT_BASE_OFFSET),
        .base_timestamp = (int64_t)bytes_get64(data + AT_BASE_TIMESTAMP),
        .max_timestamp = (int64_t)bytes_get64(data + AT_MAX_TIMESTAMP),
        .producer_id = (int64_t)bytes_get64(data + AT_PRODUCER_ID),
        .size = length + BATCH_PREFIX_BYTES,
        .leader_epoch = (int32_t)bytes_get32(data + AT_LEADER_EPOCH),
        .crc = bytes_get32(data + AT_CRC),
        .last_offset_delta = (int32_t)bytes_get32(data + AT_LAST_OFFSET_DELTA),
        .base_sequence = (int32_t)bytes_get32(data + AT_BASE_SEQUENCE),
        .record_count = (int32_t)bytes_get32(data + AT_RECORD_COUNT),
        .attributes = (int16_t)bytes_get16(data + AT_ATTRIBUTES),
        .producer_epoch = (int16_t)bytes_get16(data + AT_PRODUCER_EPOCH),
    };
    if (out->base_offset < 0 || out->last_offset_delta < 0 || out->record_count < 0 ||
        out->base_offset > INT64_MAX - INT32_MAX - 1)
        return KAFKA_CORRUPT_MESSAGE;
    return KAFKA_NONE;
}

bool batch_crc_ok(const uint8_t *data, size_t size)
{
    return size >= BATCH_HEADER_BYTES &&
           bytes_get32(data + AT_CRC) ==
               crc32c(0, data + AT_ATTRIBUTES, size - AT_ATTRIBUTES);
}

void batch_place(uint8_t *data, int64_t base_offset, int32_t leader_epoch)
{
    bytes_put64(data + AT_BASE_OFFSET, (uint64_t)base_offset);
    bytes_put32(data + AT_LEADER_EPOCH, (uint32_t)leader_epoch);
}

static void write_crc(uint8_t *data, size_t size)
{
    bytes_put32(data + AT_CRC, crc32c(0, data + AT_ATTRIBUTES, size - AT_ATTRIBUTES));
}

void batch_stamp(uint8_t *data, size_t size, int64_t wall_ms)
{
    uint16_t attributes = bytes_get16(data + AT_ATTRIBUTES);

    bytes_put16(data + AT_ATTRIBUTES, attributes | BATCH_LOG_APPEND_TIME);
    bytes_put64(data + AT_MAX_TIMESTAMP, (uint64_t)wall_ms);
    write_crc(data, size);
}

void batch_write_header(uint8_t *data, struct batch *batch)
{
    bytes_put64(data + AT_BASE_OFFSET, (uint64_t)batch->base_offset);
    bytes_put32(data + AT_LENGTH, (uint32_t)(batch->size - BATCH_PREFIX_BYTES));
    bytes_put32(data + AT_LEADER_EPOCH, (uint32_t)batch->leader_epoch);
    data[AT_MAGIC] = BATCH_MAGIC;
    bytes_put16(data + AT_ATTRIBUTES, (uint16_t)batch->attributes);
    bytes_put32(data + AT_LAST_OFFSET_DELTA, (uint32_t)batch->last_offset_delta);
    bytes_put64(data + AT_BASE_TIMESTAMP, (uint64_t)batch->base_timestamp);
    bytes_put64(data + AT_MAX_TIMESTAMP, (uint64_t)batch->max_timestamp);
    bytes_put64(data + AT_PRODUCER_ID, (uint64_t)batch->producer_id);
    bytes_put16(data + AT_PRODUCER_EPOCH, (uint16_t)batch->producer_epoch);
    bytes_put32(data + AT_BASE_SEQUENCE, (uint32_t)batch->base_sequence);
    bytes_put32(data + AT_RECORD_COUNT, (uint32_t)batch->record_count);
    write_crc(data, (size_t)batch->size);
    batch->crc = bytes_get32(data + AT_CRC);
}

/*
 * The one record of a marker. Its key is (version 0, type), its value (version 0,
 * coordinator epoch); lengths are zigzag varints of one byte.
 */
enum { MARKER_RECORD_BYTES = BATCH_MARKER_BYTES - BATCH_HEADER_BYTES };

void batch_control(uint8_t data[BATCH_MARKER_BYTES], int64_t producer_id,
                   int16_t producer_epoch, struct batch_control control,
                   int64_t wall_ms)
{
    struct batch batch = {
        .base_timestamp = wall_ms,
        .max_timestamp = wall_ms,
        .producer_id = producer_id,
        .producer_epoch = producer_epoch,
        .base_sequence = -1,
        .record_count = 1,
        .size = BATCH_MARKER_BYTES,
        .leader_epoch = BATCH_LEADER_EPOCH,
        .attributes = BATCH_TRANSACTIONAL | BATCH_CONTROL,
    };
    uint8_t *record = data + BATCH_HEADER_BYTES;

    record[0] = (MARKER_RECORD_BYTES - 1) << 1;
    record[1] = 0; /* attributes */
    record[2] = 0; /* timestamp delta */
    record[3] = 0; /* offset delta */
    record[4] = 4 << 1;
    bytes_put16(record + 5, 0);
    bytes_put16(record + 7, (uint16_t)control.marker);
    record[9] = 6 << 1;
    bytes_put16(record + 10, 0);
    bytes_put32(record + 12, (uint32_t)control.coordinator_epoch);
    record[16] = 0; /* headers */
    batch_write_header(data, &batch);
}

struct batch_control batch_control_read(const uint8_t *data, size_t size)
{
    struct batch_control unknown = {BATCH_MARKER_UNKNOWN, 0};
    const uint8_t *record = data + BATCH_HEADER_BYTES;
    uint16_t type;

    /* Compaction writes timestamp deltas of any length: go by the key's place after
     * them. */
    if (size < BATCH_MARKER_BYTES)
        return unknown;
    record += 2;
    for (int varints = 0; varints < 2; record++)
        if (record >= data + size - 13)
            return unknown;
        else if ((*record & 0x80) == 0)
            varints++;
    if (record[0] != 4 << 1)
        return unknown;
    type = bytes_get16(record + 3);
    if (type > BATCH_COMMIT || record[5] != 6 << 1)
        return unknown;
    return (struct batch_control){(enum batch_marker)type,
                                  (int32_t)bytes_get32(record + 8)};
}
