/* SPDX-License-Identifier: MIT */
#include "ledger/log/segment.h"

#include "ledger/log/crc.h"
#include "ledger/log/log_private.h"

#include <stdlib.h>

void segment_init(struct segment *segment, struct log_pool *pool, const char *dir,
                  int64_t base)
{
    *segment = (struct segment){
        .file = file_new(pool, dir, base, FILE_LOG),
        .index = {.file = file_new(pool, dir, base, FILE_INDEX),
                  .base = base,
                  .count = INDEX_UNKNOWN},
        .base = base,
        .end = base,
        .max_timestamp = SEGMENT_TIME_UNKNOWN,
    };
}

void segment_clear(struct segment *segment)
{
    file_drop(segment->file);
    file_drop(segment->index.file);
    free(segment->index.pending);
    segment->index.pending = NULL;
}

void segment_name_missing(struct log *log, const struct segment *segment, int64_t from,
                          int64_t to)
{
    struct damage missing = {.base = segment->base,
                             .from = segment->size,
                             .to = segment->size,
                             .lost_from = from,
                             .lost_to = to};

    if (from < to)
        log_damage(log, &missing);
    log_name_damages(log);
}

bool segment_last_entry(struct segment *segment, struct index_entry *out)
{
    struct error ignored = {0};
    int32_t count = index_count(&segment->index, &ignored);

    return count >= 0 && index_get(&segment->index, count - 1, out, &ignored) == 0;
}

/* Whether offsets before a sealed segment's end can only be missing by a loss. */
static bool is_dense(const struct log *log, const struct segment *segment)
{
    return !log->gaps && segment->base >= log->sparse;
}

static int rebuild(struct log *log, struct segment *segment, struct error *err)
{
    struct segment_rescan rescan = {
        .number = INDEX_BEGIN,
        .from = {.offset = segment->base, .max_timestamp = -1},
        .keep = INT64_MAX,
        .limit = segment->end,
    };
    struct index_entry last;
    bool was_longer =
        segment_last_entry(segment, &last) && last.position > segment->size;
    int64_t end;

    if (file_create(segment->index.file, err) != 0)
        return -1;
    segment->index.count = 0;
    if (segment_rescan(log, segment, &rescan, err) != 0)
        return -1;
    segment->loaded = true;
    if (segment == log_last(log))
        return 0;
    if (segment_finish(segment, err) != 0)
        return -1;
    end = segment->end;
    segment->end = rescan.limit;
    if (is_dense(log, segment))
        segment_name_missing(log, segment, end, segment->end);
    else if (was_longer)
        segment_name_missing(log, segment, end, last.offset);
    return 0;
}

/* An index is complete when its last entry stands at the segment's end. */
static bool is_complete(struct log *log, struct segment *segment)
{
    struct index_entry last;

    if (!segment_last_entry(segment, &last) || last.position != segment->size ||
        last.offset > segment->end)
        return false;
    segment->max_timestamp = last.max_timestamp;
    if (is_dense(log, segment))
        segment_name_missing(log, segment, last.offset, segment->end);
    return true;
}

int segment_load(struct log *log, struct segment *segment, struct error *err)
{
    if (segment->loaded)
        return 0;
    if (!is_complete(log, segment))
        return rebuild(log, segment, err);
    segment->loaded = true;
    return 0;
}

int segment_find(struct log *log, struct segment *segment, enum index_key by,
                 int64_t key, struct index_entry *out, struct error *err)
{
    int32_t number;
    int status;

    if (segment_load(log, segment, err) != 0)
        return -1;
    status = index_find(&segment->index, by, key, &number, out, err);
    if (status <= 0)
        return status;
    if (rebuild(log, segment, err) != 0)
        return -1;
    return index_find(&segment->index, by, key, &number, out, err) == 0 ? 0 : -1;
}

void segment_note(struct segment *segment, const struct batch *batch,
                  const uint8_t *data, int64_t interval)
{
    if (segment->size - segment->indexed >= interval) {
        struct index_entry entry = {batch->base_offset, segment->size,
                                    segment->max_timestamp, segment->chain};

        index_add(&segment->index, &entry);
        segment->indexed = segment->size;
    }
    segment->chain = crc32c(segment->chain, data, INDEX_CHAIN_BYTES);
    segment->size += batch->size;
    segment->end = batch_next_offset(batch);
    if (batch->max_timestamp > segment->max_timestamp)
        segment->max_timestamp = batch->max_timestamp;
}

int segment_finish(struct segment *segment, struct error *err)
{
    struct index_entry end = {segment->end, segment->size, segment->max_timestamp,
                              segment->chain};

    if (segment->size > segment->indexed) {
        /* This one may not be left out. */
        if (segment->index.pending_count == INDEX_PENDING &&
            index_write(&segment->index, err) != 0)
            return -1;
        index_add(&segment->index, &end);
        segment->indexed = segment->size;
    }
    return index_write(&segment->index, err);
}

const struct damage *segment_damage(const struct log *log,
                                    const struct segment *segment, int64_t position)
{
    const struct damage *first = NULL;

    for (size_t i = 0; i < log->damage_count; i++) {
        const struct damage *damage = &log->damages[i];

        if (damage->base == segment->base && damage->to > position &&
            (first == NULL || damage->from < first->from))
            first = damage;
    }
    return first;
}

/* What lies between two index entries, in memory. */
struct interval {
    struct index_entry from, to;
    const uint8_t *data;
};

/* Whether walking over the interval's batches arrives at its end with the same chain.
 */
static bool is_whole(const struct interval *interval)
{
    int64_t size = interval->to.position - interval->from.position, at = 0;
    int64_t expected = interval->from.offset;
    uint32_t chain = interval->from.chain;
    struct batch batch;

    while (at < size) {
        if (batch_read(interval->data + at, (size_t)(size - at), &batch) !=
                KAFKA_NONE ||
            batch.size > size - at || batch.base_offset < expected)
            return false;
        chain = crc32c(chain, interval->data + at, INDEX_CHAIN_BYTES);
        expected = batch_next_offset(&batch);
        at += batch.size;
    }
    return chain == interval->to.chain && expected <= interval->to.offset;
}

/*
 * The headers are proved by the chain, so a wrong checksum costs that batch only. When
 * the chain is wrong, nobody knows which batch is: the interval is lost.
 */
static void check_interval(struct log *log, struct segment *segment,
                           const struct interval *interval)
{
    int64_t size = interval->to.position - interval->from.position;
    struct batch batch;

    if (!is_whole(interval)) {
        struct damage all = {.base = segment->base,
                             .from = interval->from.position,
                             .to = interval->to.position,
                             .lost_from = interval->from.offset,
                             .lost_to = interval->to.offset};

        log_damage(log, &all);
        return;
    }
    for (int64_t at = 0; at < size; at += batch.size) {
        (void)batch_read(interval->data + at, (size_t)(size - at), &batch);
        if (!batch_crc_ok(interval->data + at, (size_t)batch.size)) {
            int64_t from = interval->from.position + at;
            struct damage one = {.base = segment->base,
                                 .from = from,
                                 .to = from + batch.size,
                                 .lost_from = batch.base_offset,
                                 .lost_to = batch_next_offset(&batch)};

            log_damage(log, &one);
        }
    }
}

static void remember_checked(struct segment *segment, int64_t from, int64_t to)
{
    if (from == segment->checked_to) {
        segment->checked_to = to;
    } else if (to == segment->checked_from) {
        segment->checked_from = from;
    } else {
        segment->checked_from = from;
        segment->checked_to = to;
    }
    if (segment->checked_to >= segment->trusted_from &&
        segment->checked_from < segment->trusted_from)
        segment->trusted_from = segment->checked_from;
}

/* The interval around position. 1: an entry is damaged. -1 and err. */
static int find_interval(struct segment *segment, int64_t position,
                         struct interval *interval, struct error *err)
{
    int32_t number, count = index_count(&segment->index, err);
    int status;

    if (count < 0)
        return -1;
    status = index_find(&segment->index, INDEX_POSITION, position, &number,
                        &interval->from, err);
    if (status != 0)
        return status;
    if (number + 1 >= count)
        return 1;
    return index_get(&segment->index, number + 1, &interval->to, err);
}

static int check_at(struct log *log, struct segment *segment, int64_t position,
                    int64_t *next, struct error *err)
{
    struct interval interval;
    struct pool_buffer buffer;
    int64_t size;
    int status = find_interval(segment, position, &interval, err);

    if (status < 0)
        return -1;
    if (status > 0 || interval.to.position <= position ||
        interval.to.position > segment->size) {
        *next = segment->size; /* making the index anew checks everything */
        return rebuild(log, segment, err);
    }
    size = interval.to.position - interval.from.position;
    buffer = pool_take_buffer(log->pool, (size_t)size);
    interval.data = buffer.data;
    status = file_read(segment->file, buffer.data, (size_t)size, interval.from.position,
                       err);
    if (status > 0)
        error_set(err, ERROR_INTERNAL, "%s/%020lld.log is shorter than it was",
                  log->dir, (long long)segment->base);
    if (status == 0) {
        check_interval(log, segment, &interval);
        remember_checked(segment, interval.from.position, interval.to.position);
        *next = interval.to.position;
    }
    pool_give_buffer(log->pool, buffer);
    return status == 0 ? 0 : -1;
}

/* Whether the damage found last reaches up to position. */
static bool is_damaged_before(const struct log *log, const struct segment *segment,
                              int64_t position)
{
    const struct damage *last;

    if (log->damage_count == 0)
        return false;
    last = &log->damages[log->damage_count - 1];
    return !last->named && last->base == segment->base && last->to == position;
}

int segment_check(struct log *log, struct segment *segment, int64_t from, int64_t to,
                  struct error *err)
{
    int status = segment_load(log, segment, err);

    /* A damage is followed to its end, so that one line can name all of it. */
    while (status == 0 && from < segment->trusted_from &&
           (from < to || is_damaged_before(log, segment, from))) {
        if (from >= segment->checked_from && from < segment->checked_to)
            from = segment->checked_to;
        else
            status = check_at(log, segment, from, &from, err);
    }
    log_name_damages(log);
    return status;
}
