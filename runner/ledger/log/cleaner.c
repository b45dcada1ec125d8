/* SPDX-License-Identifier: MIT */
#include "ledger/log/cleaner.h"

#include "base/mem.h"

#include <stdlib.h>
#include <uthash.h>

enum { UNPACK_BYTES = 64 << 20 };

/* Batches of its transaction that this pass has met. */
struct cleaner_producer {
    int64_t producer_id;
    bool aborted, kept;
    UT_hash_handle hh;
};

void cleaner_init(struct cleaner *cleaner, size_t max_keys, int64_t delete_retention_ms)
{
    *cleaner = (struct cleaner){.delete_retention_ms = delete_retention_ms};
    keymap_init(&cleaner->map, max_keys);
}

void cleaner_clear(struct cleaner *cleaner)
{
    struct cleaner_producer *producer, *next;

    HASH_ITER(hh, cleaner->producers, producer, next)
    {
        HASH_DEL(cleaner->producers, producer);
        free(producer);
    }
    keymap_clear(&cleaner->map);
    records_clear(&cleaner->records);
    records_builder_clear(&cleaner->builder);
}

static bool is_aborted(const struct log_view *view, const struct batch *batch)
{
    return batch_is_transactional(batch) && !batch_is_control(batch) &&
           view->aborted != NULL &&
           view->aborted(view->arg, batch->producer_id, batch->base_offset);
}

bool cleaner_map(struct cleaner *cleaner, const struct log_view *view,
                 const struct batch *batch, const uint8_t *data)
{
    struct record record;

    if (batch_is_control(batch) || is_aborted(view, batch))
        return true;
    if ((size_t)batch->record_count > cleaner->map.max_keys)
        return true; /* would never fit; its keys are not compared */
    if (!keymap_has_room(&cleaner->map, (size_t)batch->record_count))
        return false;
    if (records_begin(&cleaner->records, data, (size_t)batch->size, UNPACK_BYTES) !=
        KAFKA_NONE)
        return true;
    while (records_next(&cleaner->records, &record) > 0)
        if (record.key != NULL)
            keymap_put(&cleaner->map, record.key, (size_t)record.key_len,
                       record.offset);
    return true;
}

static struct cleaner_producer *find_producer(struct cleaner *cleaner,
                                              int64_t producer_id)
{
    struct cleaner_producer *producer;

    HASH_FIND(hh, cleaner->producers, &producer_id, sizeof(producer_id), producer);
    if (producer == NULL) {
        producer = mem_alloc(sizeof(*producer));
        producer->producer_id = producer_id;
        HASH_ADD(hh, cleaner->producers, producer_id, sizeof(producer_id), producer);
    }
    return producer;
}

/* Whether the marker ends a transaction of which this pass has met no batch. */
static bool marks_nothing(struct cleaner *cleaner, const struct batch *batch,
                          const uint8_t *data)
{
    enum batch_marker marker = batch_control_read(data, (size_t)batch->size).marker;
    struct cleaner_producer *producer;
    bool nothing;

    if (batch->record_count == 0)
        return true;
    if (marker == BATCH_MARKER_UNKNOWN)
        return false;
    producer = find_producer(cleaner, batch->producer_id);
    nothing = marker == BATCH_ABORT ? !producer->aborted : !producer->kept;
    HASH_DEL(cleaner->producers, producer);
    free(producer);
    return nothing;
}

/* Whether all records of the batch may go; markers only behind their horizon. */
static bool may_discard(struct cleaner *cleaner, const struct log_view *view,
                        const struct batch *batch, const uint8_t *data)
{
    struct cleaner_producer *producer;
    bool aborted;

    if (batch_is_control(batch))
        return marks_nothing(cleaner, batch, data);
    if (!batch_is_transactional(batch))
        return false;
    aborted = is_aborted(view, batch);
    producer = find_producer(cleaner, batch->producer_id);
    if (aborted)
        producer->aborted = true;
    else
        producer->kept = true;
    return aborted;
}

static bool is_past_horizon(const struct batch *batch, int64_t wall_ms)
{
    return (batch->attributes & BATCH_DELETE_HORIZON) != 0 &&
           batch->base_timestamp <= wall_ms;
}

static bool keeps_record(struct cleaner *cleaner, const struct batch *batch,
                         const struct record *record, int64_t wall_ms)
{
    if (batch_is_control(batch) || record->offset >= cleaner->mapped_to)
        return true;
    if (record->key == NULL || record->offset < keymap_get(&cleaner->map, record->key,
                                                           (size_t)record->key_len))
        return false;
    return record->value != NULL || !is_past_horizon(batch, wall_ms);
}

/* What a walk over the batch's records has found. */
struct survey {
    int32_t kept;
    bool tombstones; /* among those kept */
    bool unreadable;
};

static struct survey look_at(struct cleaner *cleaner, const struct batch *batch,
                             const uint8_t *data, int64_t wall_ms)
{
    struct survey survey = {0};
    struct record record;
    int more = -1;

    if (records_begin(&cleaner->records, data, (size_t)batch->size, UNPACK_BYTES) ==
        KAFKA_NONE)
        while ((more = records_next(&cleaner->records, &record)) > 0)
            if (keeps_record(cleaner, batch, &record, wall_ms)) {
                survey.kept++;
                survey.tombstones |= record.value == NULL;
            }
    survey.unreadable = more < 0;
    return survey;
}

static const uint8_t *rebuild(struct cleaner *cleaner, const struct batch *batch,
                              const struct batch *model, const uint8_t *data,
                              int64_t wall_ms, size_t *size)
{
    struct record record;

    records_build(&cleaner->builder, model);
    if (records_begin(&cleaner->records, data, (size_t)batch->size, UNPACK_BYTES) !=
        KAFKA_NONE)
        return NULL;
    while (records_next(&cleaner->records, &record) > 0)
        if (keeps_record(cleaner, batch, &record, wall_ms))
            records_add(&cleaner->builder, &record);
    return records_finish(&cleaner->builder, size);
}

/* Nothing remains; but a producer's last sequence number is in its last batch's header.
 */
static const uint8_t *empty(struct cleaner *cleaner, const struct log_view *view,
                            const struct batch *batch, size_t *size)
{
    struct batch model = *batch;

    if (batch->producer_id < 0 || view->last_of_producer == NULL ||
        !view->last_of_producer(view->arg, batch->producer_id,
                                batch_last_offset(batch)))
        return NULL;
    model.attributes &= (int16_t)~BATCH_CODEC_MASK;
    records_build(&cleaner->builder, &model);
    return records_finish(&cleaner->builder, size);
}

const uint8_t *cleaner_filter(struct cleaner *cleaner, const struct log_view *view,
                              const struct batch *batch, const uint8_t *data,
                              int64_t wall_ms, size_t *size)
{
    bool discard = may_discard(cleaner, view, batch, data);
    bool control = batch_is_control(batch), has_horizon;
    struct batch model = *batch;
    struct survey survey;
    const uint8_t *rebuilt;

    *size = (size_t)batch->size;
    if (discard && (!control || is_past_horizon(batch, wall_ms)))
        return empty(cleaner, view, batch, size);
    survey = look_at(cleaner, batch, data, wall_ms);
    if (survey.unreadable)
        return data; /* as it was sent; that is not ours to judge */
    if (survey.kept == 0)
        return empty(cleaner, view, batch, size);
    has_horizon = (batch->attributes & BATCH_DELETE_HORIZON) != 0;
    if (!has_horizon && (control ? discard : survey.tombstones)) {
        model.attributes |= BATCH_DELETE_HORIZON;
        model.base_timestamp = wall_ms + cleaner->delete_retention_ms;
    } else if (survey.kept == batch->record_count) {
        return data;
    }
    rebuilt = rebuild(cleaner, batch, &model, data, wall_ms, size);
    if (rebuilt != NULL)
        return rebuilt;
    *size = (size_t)batch->size; /* could not be compressed again */
    return data;
}
