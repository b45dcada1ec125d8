/* SPDX-License-Identifier: MIT */
#include "ledger/log/records.h"

#include "base/mem.h"
#include "ledger/wire/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT_BYTES = 10 };

enum kafka_error records_begin(struct records *walk, const uint8_t *data, size_t size,
                               size_t max_bytes)
{
    enum kafka_error error = batch_read(data, size, &walk->batch);

    if (error != KAFKA_NONE)
        return error;
    if ((size_t)walk->batch.size != size)
        return KAFKA_CORRUPT_MESSAGE;
    walk->left = walk->batch.record_count;
    walk->next = data + BATCH_HEADER_BYTES;
    walk->end = data + size;
    /* A batch that compaction has emptied keeps its codec but has nothing to unpack. */
    if (batch_codec(&walk->batch) == BATCH_NONE || walk->next == walk->end)
        return KAFKA_NONE;
    error = codec_unpack(batch_codec(&walk->batch), walk->next,
                         (size_t)(walk->end - walk->next), max_bytes, &walk->unpacked);
    walk->next = walk->unpacked.data;
    walk->end = walk->next != NULL ? walk->next + walk->unpacked.len : NULL;
    return error;
}

/* A zigzag number; false when it does not end in time. */
static bool take_number(const uint8_t **at, const uint8_t *end, int64_t *out)
{
    uint64_t raw = 0;

    for (unsigned shift = 0; *at < end && shift < 7 * VARINT_BYTES; shift += 7) {
        uint8_t byte = *(*at)++;

        raw |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
            return true;
        }
    }
    return false;
}

/* A length, then so many bytes; -1 is null. */
static bool take_bytes(const uint8_t **at, const uint8_t *end, const uint8_t **out,
                       int32_t *len)
{
    int64_t number;

    if (!take_number(at, end, &number) || number < -1 || number > end - *at)
        return false;
    *len = (int32_t)number;
    *out = number < 0 ? NULL : *at;
    *at += number < 0 ? 0 : number;
    return true;
}

static bool skip_headers(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *bytes;
    int64_t count;
    int32_t len;

    if (!take_number(at, end, &count) || count < 0 || count > end - *at)
        return false;
    for (; count > 0; count--)
        if (!take_bytes(at, end, &bytes, &len) || len < 0 ||
            !take_bytes(at, end, &bytes, &len))
            return false;
    return true;
}

static bool take_record(const struct batch *batch, const uint8_t *at,
                        const uint8_t *end, struct record *out)
{
    int64_t time_delta, offset_delta;

    if (at == end)
        return false;
    out->attributes = (int8_t)*at++;
    if (!take_number(&at, end, &time_delta) || !take_number(&at, end, &offset_delta) ||
        offset_delta < 0 || offset_delta > INT32_MAX)
        return false;
    /* Wraps when the sender lies; that is only a strange time. */
    out->timestamp =
        batch->attributes & BATCH_LOG_APPEND_TIME
            ? batch->max_timestamp
            : (int64_t)((uint64_t)batch->base_timestamp + (uint64_t)time_delta);
    out->offset = batch->base_offset + offset_delta;
    if (!take_bytes(&at, end, &out->key, &out->key_len) ||
        !take_bytes(&at, end, &out->value, &out->value_len))
        return false;
    out->headers = at;
    if (!skip_headers(&at, end))
        return false;
    out->headers_len = (int32_t)(at - out->headers);
    return at == end;
}

int records_next(struct records *walk, struct record *out)
{
    int64_t len;

    if (walk->left == 0)
        return walk->next == walk->end ? 0 : -1;
    if (!take_number(&walk->next, walk->end, &len) || len < 0 ||
        len > walk->end - walk->next ||
        !take_record(&walk->batch, walk->next, walk->next + len, out))
        return -1;
    walk->next += len;
    walk->left--;
    return 1;
}

void records_clear(struct records *walk)
{
    codec_buffer_clear(&walk->unpacked);
    *walk = (struct records){0};
}

void records_build(struct records_builder *builder, const struct batch *model)
{
    builder->batch = *model;
    builder->batch.record_count = 0;
    builder->plain.len = 0;
    builder->max_timestamp = INT64_MIN;
    codec_reserve(&builder->plain, BATCH_HEADER_BYTES);
    builder->plain.len = BATCH_HEADER_BYTES;
}

static size_t number_bytes(int64_t value)
{
    uint64_t raw = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    size_t len = 1;

    for (; raw >= 0x80; raw >>= 7)
        len++;
    return len;
}

static void put_number(struct codec_buffer *out, int64_t value)
{
    uint64_t raw = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);

    for (; raw >= 0x80; raw >>= 7)
        out->data[out->len++] = (uint8_t)(raw | 0x80);
    out->data[out->len++] = (uint8_t)raw;
}

static void put_bytes(struct codec_buffer *out, const uint8_t *data, int32_t len)
{
    if (len > 0)
        memcpy(out->data + out->len, data, (size_t)len);
    out->len += len > 0 ? (size_t)len : 0;
}

void records_add(struct records_builder *builder, const struct record *record)
{
    struct codec_buffer *out = &builder->plain;
    int64_t time_delta = (int64_t)((uint64_t)record->timestamp -
                                   (uint64_t)builder->batch.base_timestamp);
    int64_t offset_delta = record->offset - builder->batch.base_offset;
    size_t key = record->key_len > 0 ? (size_t)record->key_len : 0;
    size_t value = record->value_len > 0 ? (size_t)record->value_len : 0;
    size_t len = 1 + number_bytes(time_delta) + number_bytes(offset_delta) +
                 number_bytes(record->key_len) + key + number_bytes(record->value_len) +
                 value + (size_t)record->headers_len;

    codec_reserve(out, VARINT_BYTES + len);
    put_number(out, (int64_t)len);
    out->data[out->len++] = (uint8_t)record->attributes;
    put_number(out, time_delta);
    put_number(out, offset_delta);
    put_number(out, record->key_len);
    put_bytes(out, record->key, record->key_len);
    put_number(out, record->value_len);
    put_bytes(out, record->value, record->value_len);
    put_bytes(out, record->headers, record->headers_len);
    builder->batch.record_count++;
    if (record->timestamp > builder->max_timestamp)
        builder->max_timestamp = record->timestamp;
}

const uint8_t *records_finish(struct records_builder *builder, size_t *size)
{
    struct batch *batch = &builder->batch;
    struct codec_buffer *out = &builder->plain;

    if (batch->record_count > 0 && (batch->attributes & BATCH_LOG_APPEND_TIME) == 0)
        batch->max_timestamp = builder->max_timestamp;
    if (batch_codec(batch) != BATCH_NONE && batch->record_count > 0) {
        builder->packed.len = 0;
        codec_reserve(&builder->packed, BATCH_HEADER_BYTES);
        builder->packed.len = BATCH_HEADER_BYTES;
        if (codec_pack(batch_codec(batch), builder->level,
                       out->data + BATCH_HEADER_BYTES, out->len - BATCH_HEADER_BYTES,
                       &builder->packed) != 0)
            return NULL;
        out = &builder->packed;
    }
    if (out->len > INT32_MAX)
        return NULL;
    batch->size = (int32_t)out->len;
    batch_write_header(out->data, batch);
    *size = out->len;
    return out->data;
}

void records_builder_clear(struct records_builder *builder)
{
    codec_buffer_clear(&builder->plain);
    codec_buffer_clear(&builder->packed);
    *builder = (struct records_builder){0};
}
