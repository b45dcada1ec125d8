/* SPDX-License-Identifier: MIT
 *
 * times.c - looking records up by their timestamps.
 */
#include "ledger/log/log_private.h"
#include "ledger/log/records.h"

/* What is looked for, and what was found; offset -1: nothing yet. */
struct search {
    int64_t timestamp;
    int64_t start;
    int64_t offset, found;
    struct records records;
};

/* The first record of the batch that is late enough. 1, 0: none, -1 and err. */
static int search_batch(struct search *search, const uint8_t *data,
                        const struct batch *batch)
{
    struct record record;

    if (records_begin(&search->records, data, (size_t)batch->size, UNPACK_MAX) !=
        KAFKA_NONE) {
        /* The checksum is right, so a client sent it like this: all that is known. */
        search->offset = batch->base_offset;
        search->found = batch->max_timestamp;
        return 1;
    }
    while (records_next(&search->records, &record) > 0) {
        if (record.timestamp < search->timestamp || record.offset < search->start)
            continue;
        search->offset = record.offset;
        search->found = record.timestamp;
        return 1;
    }
    return 0;
}

static int search_segment(struct log *log, struct segment *segment,
                          struct search *search, struct error *err)
{
    struct index_entry by_time, by_offset;
    struct batch batch;
    struct walk walk;
    int status;

    if (segment_find(log, segment, INDEX_TIME, search->timestamp, &by_time, err) != 0 ||
        segment_find(log, segment, INDEX_OFFSET, search->start, &by_offset, err) != 0)
        return -1;
    if (by_offset.position > by_time.position)
        by_time = by_offset;
    walk_begin(&walk, log, segment, by_time.position, WALK_HEADERS);
    while ((status = walk_next(&walk, &batch, err)) > 0) {
        const uint8_t *data;

        if (batch.max_timestamp < search->timestamp ||
            batch_next_offset(&batch) <= search->start)
            continue;
        data = walk_data(&walk, &batch, err);
        status = data == NULL ? -1 : search_batch(search, data, &batch);
        if (status != 0)
            break;
    }
    walk_end(&walk);
    return status;
}

static enum kafka_error find(struct log *log, int64_t timestamp, int64_t *offset,
                             int64_t *found_timestamp, struct error *err)
{
    struct search search = {
        .timestamp = timestamp, .start = log->start, .offset = -1, .found = -1};
    int status = 0;

    for (size_t i = log_segment_of(log, log->start); i < log->count && status == 0;
         i++) {
        struct segment *segment = &log->segments[i];

        status = segment_load(log, segment, err);
        if (status == 0 && segment->max_timestamp >= timestamp && segment->size > 0)
            status = search_segment(log, segment, &search, err);
    }
    records_clear(&search.records);
    *offset = search.offset;
    *found_timestamp = search.found;
    return status < 0 ? KAFKA_STORAGE_ERROR : KAFKA_NONE;
}

enum kafka_error log_find_time(struct log *log, int64_t timestamp, int64_t *offset,
                               int64_t *found_timestamp, struct error *err)
{
    return find(log, timestamp, offset, found_timestamp, err);
}

/* The largest timestamp of the batch's records from start on; -1: none. */
static int64_t largest_of_batch(struct search *search, const uint8_t *data,
                                const struct batch *batch)
{
    struct record record;
    int64_t largest = -1;

    if (batch->base_offset >= search->start ||
        records_begin(&search->records, data, (size_t)batch->size, UNPACK_MAX) !=
            KAFKA_NONE)
        return batch->max_timestamp;
    while (records_next(&search->records, &record) > 0)
        if (record.offset >= search->start && record.timestamp > largest)
            largest = record.timestamp;
    return largest;
}

/* The same of the segment in which the log begins: what it had may be deleted. */
static int largest_of_first(struct log *log, int64_t *largest, struct error *err)
{
    struct segment *segment = &log->segments[log_segment_of(log, log->start)];
    struct search search = {.start = log->start};
    struct index_entry from;
    struct batch batch;
    struct walk walk;
    int status;

    if (segment_find(log, segment, INDEX_OFFSET, log->start, &from, err) != 0)
        return -1;
    walk_begin(&walk, log, segment, from.position, WALK_HEADERS);
    while ((status = walk_next(&walk, &batch, err)) > 0) {
        const uint8_t *data;
        int64_t time;

        if (batch_next_offset(&batch) <= log->start)
            continue;
        data = walk_data(&walk, &batch, err);
        if (data == NULL) {
            status = -1;
            break;
        }
        time = largest_of_batch(&search, data, &batch);
        if (time > *largest)
            *largest = time;
    }
    walk_end(&walk);
    records_clear(&search.records);
    return status;
}

/* The largest timestamp from segment first on. */
static int largest_from(struct log *log, size_t first, int64_t *largest,
                        struct error *err)
{
    for (size_t i = first; i < log->count; i++) {
        if (segment_load(log, &log->segments[i], err) != 0)
            return -1;
        if (log->segments[i].max_timestamp > *largest)
            *largest = log->segments[i].max_timestamp;
    }
    return 0;
}

enum kafka_error log_find_max_time(struct log *log, int64_t *offset, int64_t *timestamp,
                                   struct error *err)
{
    size_t first = log_segment_of(log, log->start);
    int64_t largest = -1;
    enum kafka_error error;

    *offset = *timestamp = -1;
    if (largest_from(log, first, &largest, err) != 0)
        return KAFKA_STORAGE_ERROR;
    if (largest < 0) /* a log whose records have no timestamps has no largest one */
        return KAFKA_NONE;
    error = find(log, largest, offset, timestamp, err);
    if (error != KAFKA_NONE || *offset >= 0)
        return error;
    largest = -1; /* the record that had it is deleted */
    if (largest_of_first(log, &largest, err) < 0 ||
        largest_from(log, first + 1, &largest, err) != 0)
        return KAFKA_STORAGE_ERROR;
    return largest < 0 ? KAFKA_NONE : find(log, largest, offset, timestamp, err);
}
