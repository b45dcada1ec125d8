/* SPDX-License-Identifier: MIT
 *
 * partition_append.c - what a Produce request brings: checks, then the log.
 * The order of the checks is Kafka's: of two faults it names the same one.
 */
#include "ledger/log/partition_private.h"

#include "base/mem.h"
#include "base/text.h"
#include "ledger/log/records.h"
#include "ledger/wire/bytes.h"

#include <inttypes.h>

enum {
    MAGIC_AT = 16,
    PREFIX_TO_MAGIC = 17,
    SIZE_MIN = 14,                    /* Kafka: the smallest record of format 0 */
    VERSION_ZSTD = 7,                 /* of Produce */
    VERSION_BUMPS_EPOCH = 12,         /* of Produce: transactions version 2 */
    UNPACKED_MAX = 256 * 1024 * 1024, /* of a batch that must be looked into */
    RECORD_ERRORS_MAX = 100,
};

/* A batch on its way into the log. */
struct incoming {
    struct partition *partition;
    const struct partition_append_how *how;
    struct partition_appended *out;
    uint8_t *data;
    struct batch batch;
    struct records_builder builder; /* for another codec */
};

/* ---- the bytes ----------------------------------------------------------- */

/* Size of the batch at data; 0: no whole one is there. */
static enum kafka_error batch_size(const uint8_t *data, int64_t len, int64_t *size)
{
    *size = 0;
    if (len < BATCH_PREFIX_BYTES)
        return KAFKA_NONE;
    int32_t rest = (int32_t)bytes_get32(data + 8);
    if (rest < SIZE_MIN)
        return KAFKA_CORRUPT_MESSAGE;
    if (len < PREFIX_TO_MAGIC)
        return KAFKA_NONE;
    if (data[MAGIC_AT] > BATCH_MAGIC)
        return KAFKA_CORRUPT_MESSAGE;
    if (len >= (int64_t)rest + BATCH_PREFIX_BYTES)
        *size = (int64_t)rest + BATCH_PREFIX_BYTES;
    return KAFKA_NONE;
}

/* One whole batch of version 2, and nothing whole behind it. */
static enum kafka_error check_shape(struct incoming *in, int64_t len)
{
    int64_t size, more;
    enum kafka_error error = batch_size(in->data, len, &size);

    if (error != KAFKA_NONE)
        return error;
    if (size == 0 || in->data[MAGIC_AT] != BATCH_MAGIC)
        return KAFKA_INVALID_RECORD;
    if (size < BATCH_HEADER_BYTES)
        return KAFKA_CORRUPT_MESSAGE;
    in->out->log_start_offset = log_start(in->partition->log);
    if (batch_read(in->data, (size_t)size, &in->batch) !=
        KAFKA_NONE) /* negative numbers */
        return batch_crc_ok(in->data, (size_t)size) ? KAFKA_INVALID_RECORD
                                                    : KAFKA_CORRUPT_MESSAGE;
    error = batch_codec(&in->batch) == BATCH_ZSTD && in->how->version < VERSION_ZSTD
                ? KAFKA_UNSUPPORTED_COMPRESSION_TYPE
                : batch_size(in->data + size, len - size, &more);
    if (error == KAFKA_NONE && more > 0)
        error = KAFKA_INVALID_RECORD;
    if (error != KAFKA_NONE)
        in->out->log_start_offset = -1;
    return error;
}

static enum kafka_error check_content(const struct incoming *in)
{
    const struct log_config *config = log_config(in->partition->log);
    const struct batch *batch = &in->batch;

    if (batch->base_offset != 0)
        return KAFKA_INVALID_RECORD;
    if (batch->size > config->max_message_bytes)
        return KAFKA_MESSAGE_TOO_LARGE;
    if (!batch_crc_ok(in->data, (size_t)batch->size))
        return KAFKA_CORRUPT_MESSAGE;
    if (batch_codec(batch) > BATCH_ZSTD)
        return KAFKA_UNKNOWN_SERVER_ERROR; /* Kafka fails on it as unexpected, too */
    if (batch->last_offset_delta < 0 || batch->record_count <= 0 ||
        (int64_t)batch->last_offset_delta + 1 != batch->record_count)
        return KAFKA_INVALID_RECORD;
    if (batch_is_control(batch) ||
        (batch->producer_id >= 0 && batch->base_sequence < 0))
        return KAFKA_INVALID_RECORD;
    return KAFKA_NONE;
}

/* ---- single records: only where a topic's configs need them looked at ---- */

static bool time_is_wrong(const struct incoming *in, int64_t timestamp)
{
    int64_t now = in->how->wall_ms, before = in->partition->timestamp_before_max_ms;
    int64_t after = in->partition->timestamp_after_max_ms, age;

    if (in->partition->log_append_time || timestamp == -1)
        return false;
    if (__builtin_sub_overflow(now, timestamp, &age))
        return true;
    return age > before || age < -after;
}

static int64_t add_capped(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

/* A client must leave the type to the topic; with a time of its own it is only
 * corrected. */
static bool type_is_wrong(const struct incoming *in, int64_t timestamp)
{
    return (in->batch.attributes & BATCH_LOG_APPEND_TIME) != 0 &&
           (in->partition->log_append_time || timestamp == -1);
}

static const char *type_text(const struct incoming *in, const struct record *record)
{
    return mem_arena_printf(
        in->how->arena,
        "Invalid timestamp type in message DefaultRecord(offset=%" PRId64
        ", timestamp=%" PRId64
        ", key=%d bytes, value=%d bytes). Producer should not set "
        "timestamp type to LogAppendTime.",
        record->offset, record->timestamp,
        record->key_len < 0 ? 0 : (int)record->key_len,
        record->value_len < 0 ? 0 : (int)record->value_len);
}

static const char *time_text(const struct incoming *in, const struct record *record)
{
    int64_t now = in->how->wall_ms;

    if (type_is_wrong(in, record->timestamp))
        return type_text(in, record);
    return mem_arena_printf(in->how->arena,
                            "Timestamp %" PRId64 " of message with offset %" PRId64
                            " is out of range. The timestamp should be within [%" PRId64
                            ", %" PRId64 "]",
                            record->timestamp, record->offset,
                            add_capped(now, -in->partition->timestamp_before_max_ms),
                            add_capped(now, in->partition->timestamp_after_max_ms));
}

static const char *key_text(const struct incoming *in)
{
    return mem_arena_printf(
        in->how->arena,
        "Compacted topic cannot accept message without key in topic "
        "partition %s",
        partition_name(in->partition));
}

static enum kafka_error check_record(const struct incoming *in,
                                     const struct record *record, bool need_keys)
{
    if (need_keys && record->key_len < 0)
        return KAFKA_INVALID_RECORD;
    if (type_is_wrong(in, record->timestamp) || time_is_wrong(in, record->timestamp))
        return KAFKA_INVALID_TIMESTAMP;
    return KAFKA_NONE;
}

static void add_error(struct incoming *in, struct partition_record_error *list,
                      int32_t index, const char *message)
{
    if (in->out->records_count == RECORD_ERRORS_MAX)
        return;
    list[in->out->records_count++] =
        (struct partition_record_error){.index = index, .message = message};
    in->out->records = list;
}

static const char *summary(const struct incoming *in, enum kafka_error error,
                           int32_t count)
{
    struct text_buf text = {0};

    if (error == KAFKA_INVALID_TIMESTAMP)
        return "One or more records have been rejected due to invalid timestamp";
    text_appendf(
        &text,
        "One or more records have been rejected due to %d record errors in total, "
        "and only showing the first three errors at most: [",
        (int)count);
    for (int32_t i = 0; i < 3 && i < in->out->records_count; i++)
        text_appendf(&text, "%sRecordError(batchIndex=%d, message='%s')",
                     i > 0 ? ", " : "", (int)in->out->records[i].index,
                     in->out->records[i].message);
    text_append(&text, "]");
    const char *kept = mem_arena_strndup(in->how->arena, text.data, text.len);
    text_buf_clear(&text);
    return kept;
}

/* Walk over the records, collect what is wrong with each; the first fault is the
 * answer. */
static enum kafka_error walk_records(struct incoming *in, struct records *walk,
                                     bool need_keys)
{
    struct partition_record_error *list = NULL;
    enum kafka_error first = KAFKA_NONE;
    struct record record;
    int32_t wrong = 0, index = 0;
    int more;

    if (in->how->arena != NULL)
        list = mem_arena_alloc(in->how->arena, RECORD_ERRORS_MAX * sizeof(*list));
    for (; (more = records_next(walk, &record)) == 1; index++) {
        enum kafka_error error = check_record(in, &record, need_keys);
        if (error == KAFKA_NONE)
            continue;
        wrong++;
        first = first == KAFKA_NONE ? error : first;
        if (list != NULL)
            add_error(in, list, index,
                      error == KAFKA_INVALID_TIMESTAMP ? time_text(in, &record)
                                                       : key_text(in));
    }
    if (more < 0)
        return KAFKA_INVALID_RECORD;
    if (wrong > 0 && list != NULL)
        in->out->message = summary(in, first, wrong);
    return first;
}

static enum kafka_error check_records(struct incoming *in)
{
    struct partition *partition = in->partition;
    bool need_keys = log_config(partition->log)->compact_policy;
    bool wrong_type = type_is_wrong(in, in->batch.max_timestamp);
    bool old_ones =
        !partition->log_append_time && partition->timestamp_before_max_ms != INT64_MAX;
    struct records walk = {0};

    if (!need_keys && !wrong_type && !old_ones &&
        !time_is_wrong(in, in->batch.max_timestamp))
        return KAFKA_NONE;
    enum kafka_error error =
        records_begin(&walk, in->data, (size_t)in->batch.size, UNPACKED_MAX);
    /* What cannot be unpacked is a surprise to Kafka, too. */
    error = error == KAFKA_NONE ? walk_records(in, &walk, need_keys)
                                : KAFKA_UNKNOWN_SERVER_ERROR;
    records_clear(&walk);
    return error;
}

/* ---- the topic's codec --------------------------------------------------- */

static enum kafka_error build_again(struct incoming *in)
{
    struct batch model = in->batch;
    struct records walk = {0};
    struct record record;
    size_t size = 0;
    int more = -1;

    model.attributes =
        (int16_t)((model.attributes & ~BATCH_CODEC_MASK) | in->partition->compression);
    enum kafka_error error =
        records_begin(&walk, in->data, (size_t)in->batch.size, UNPACKED_MAX);
    if (error == KAFKA_NONE) {
        in->builder.level = in->partition->level;
        records_build(&in->builder, &model);
        while ((more = records_next(&walk, &record)) == 1)
            records_add(&in->builder, &record);
        const uint8_t *made = more == 0 ? records_finish(&in->builder, &size) : NULL;
        if (made == NULL || batch_read(made, size, &in->batch) != KAFKA_NONE)
            error = KAFKA_INVALID_RECORD;
        else
            in->data = (uint8_t *)(uintptr_t)made; /* the builder's, ours to change */
    }
    records_clear(&walk);
    return error;
}

static enum kafka_error fit_codec(struct incoming *in)
{
    const struct log_config *config = log_config(in->partition->log);
    enum kafka_error error = KAFKA_NONE;

    if (in->partition->compression >= 0 &&
        in->partition->compression != (int)batch_codec(&in->batch)) {
        error = build_again(in);
        if (error == KAFKA_NONE && in->batch.size > config->max_message_bytes)
            error = KAFKA_MESSAGE_TOO_LARGE;
    }
    if (error == KAFKA_NONE && in->batch.size > config->segment_bytes)
        error = KAFKA_RECORD_LIST_TOO_LARGE;
    return error;
}

/* ---- the append ---------------------------------------------------------- */

static enum kafka_error check_producer(struct incoming *in)
{
    const struct producers_how how = {
        .verified = in->how->verified,
        .bumps_epoch = in->how->version >= VERSION_BUMPS_EPOCH,
    };
    struct producers_duplicate duplicate;
    enum kafka_error error = KAFKA_NONE;

    if (in->batch.producer_id < 0)
        return KAFKA_NONE;
    switch (producers_check(in->partition->producers, &in->batch, &how, &duplicate,
                            &error)) {
    case PRODUCERS_NEW:
        break;
    case PRODUCERS_REFUSED:
        return error;
    case PRODUCERS_DUPLICATE:
        in->out->duplicate = true;
        in->out->base_offset = duplicate.base_offset;
        in->out->last_offset = duplicate.last_offset;
        in->out->log_append_ms = duplicate.max_timestamp;
        break;
    }
    return KAFKA_NONE;
}

static enum kafka_error append(struct incoming *in)
{
    struct partition *partition = in->partition;
    struct batch *batch = &in->batch;
    int64_t now = in->how->wall_ms;

    batch->base_offset = log_end(partition->log);
    batch_place(in->data, batch->base_offset, BATCH_LEADER_EPOCH);
    if (partition->log_append_time) {
        batch_stamp(in->data, (size_t)batch->size, now);
        batch->max_timestamp = now;
        in->out->log_append_ms = now;
    } else if (batch->attributes & BATCH_LOG_APPEND_TIME) {
        batch->attributes &= ~BATCH_LOG_APPEND_TIME;
        batch->leader_epoch = BATCH_LEADER_EPOCH;
        batch_write_header(in->data, batch);
    }
    enum kafka_error error =
        partition_write(partition, in->data, (size_t)batch->size, now);
    if (error != KAFKA_NONE)
        return error;
    in->out->base_offset = batch->base_offset;
    in->out->last_offset = batch_last_offset(batch);
    if (batch->producer_id >= 0)
        producers_append(partition->producers, batch, now);
    partition_written(partition, (size_t)batch->size);
    return KAFKA_NONE;
}

static enum kafka_error check_and_append(struct incoming *in, int64_t len)
{
    enum kafka_error error = check_shape(in, len);

    if (error != KAFKA_NONE)
        return error;
    error = check_content(in);
    if (error == KAFKA_NONE)
        error = check_records(in);
    if (error == KAFKA_NONE)
        error = fit_codec(in);
    if (error == KAFKA_NONE)
        error = check_producer(in);
    if (error == KAFKA_NONE && !in->out->duplicate)
        error = append(in);
    return error;
}

enum kafka_error partition_append(struct partition *partition, uint8_t *records,
                                  int64_t len, const struct partition_append_how *how,
                                  struct partition_appended *out)
{
    struct incoming in = {
        .partition = partition, .how = how, .out = out, .data = records};

    *out = (struct partition_appended){
        .base_offset = -1,
        .last_offset = -1,
        .log_append_ms = -1,
        .log_start_offset = -1,
    };
    enum kafka_error error = check_and_append(&in, len);
    records_builder_clear(&in.builder);
    if (error != KAFKA_NONE)
        out->log_append_ms = -1;
    if (error == KAFKA_CORRUPT_MESSAGE || error == KAFKA_MESSAGE_TOO_LARGE ||
        error == KAFKA_RECORD_LIST_TOO_LARGE)
        out->log_start_offset = -1; /* as Kafka answers these */
    return error;
}

bool partition_asks_coordinator(struct partition *partition, const uint8_t *records,
                                int64_t len, int64_t *producer_id, int16_t *epoch)
{
    struct batch batch;
    int64_t size;

    *producer_id = -1;
    *epoch = -1;
    if (batch_size(records, len, &size) != KAFKA_NONE || size < BATCH_HEADER_BYTES ||
        records[MAGIC_AT] != BATCH_MAGIC ||
        batch_read(records, (size_t)size, &batch) != KAFKA_NONE)
        return false;
    *producer_id = batch.producer_id;
    *epoch = batch.producer_epoch;
    if (!batch_is_transactional(&batch) || batch.producer_id < 0 ||
        partition_in_transaction(partition, batch.producer_id, batch.producer_epoch))
        return false;
    producers_ask(partition->producers, &batch);
    return true;
}
