/* SPDX-License-Identifier: MIT
 *
 * append.c - writing at the end of a log, and when to begin a new segment.
 */
#include "base/mem.h"
#include "ledger/log/log_private.h"

#include <inttypes.h>

/* What is about to be appended. */
struct incoming {
    int64_t end; /* offset behind it */
    int64_t max_timestamp;
    int64_t len;
};

static enum kafka_error look_at(const struct log *log, const uint8_t *data, size_t len,
                                struct incoming *out)
{
    struct batch batch;

    *out = (struct incoming){log->end, INT64_MIN, (int64_t)len};
    for (size_t at = 0; at < len; at += (size_t)batch.size) {
        enum kafka_error error = batch_read(data + at, len - at, &batch);

        if (error != KAFKA_NONE)
            return error;
        if ((size_t)batch.size > len - at || batch.base_offset != out->end ||
            batch.leader_epoch != BATCH_LEADER_EPOCH)
            return KAFKA_CORRUPT_MESSAGE;
        out->end = batch_next_offset(&batch);
        if (batch.max_timestamp > out->max_timestamp)
            out->max_timestamp = batch.max_timestamp;
    }
    return len > 0 ? KAFKA_NONE : KAFKA_CORRUPT_MESSAGE;
}

/* The time a segment may take: compaction with a maximum lag needs it sealed by then.
 */
static int64_t segment_ms(const struct log *log)
{
    const struct log_config *config = &log->config;
    int64_t limit = config->segment_ms;

    if (config->compact_policy && config->max_compaction_lag_ms < limit)
        limit = config->max_compaction_lag_ms;
    /* Spread by something that differs from log to log and stays the same. */
    if (config->segment_jitter_ms > 0 && limit > 0)
        limit -= (int64_t)(((uintptr_t)log / 64 + (uint64_t)log_last(log)->base) *
                           UINT64_C(11400714819323198485) %
                           (uint64_t)(config->segment_jitter_ms < limit
                                          ? config->segment_jitter_ms
                                          : limit));
    return limit;
}

/* A segment's age counts from its first batch's time, by the batches' own clock. */
static int64_t age_of(struct log *log, int64_t max_timestamp, int64_t wall_ms)
{
    struct segment *active = log_last(log);

    if (log->roll_timestamp == SEGMENT_TIME_UNKNOWN) {
        struct error ignored = {0};
        struct walk walk;
        struct batch first;

        log->roll_timestamp = -1;
        walk_begin(&walk, log, active, 0, WALK_HEADERS);
        if (walk_next(&walk, &first, &ignored) > 0)
            log->roll_timestamp = first.max_timestamp;
        walk_end(&walk);
    }
    if (log->roll_timestamp >= 0 && max_timestamp >= 0)
        return max_timestamp - log->roll_timestamp;
    return wall_ms - log->roll_created;
}

static bool must_roll(struct log *log, const struct incoming *incoming, int64_t wall_ms)
{
    const struct segment *active = log_last(log);
    int64_t index_bytes =
        (active->index.count + active->index.pending_count + 1LL) * INDEX_ENTRY_BYTES;

    if (active->size == 0)
        return false;
    return active->size > log->config.segment_bytes - incoming->len ||
           incoming->end - 1 - active->base > INT32_MAX ||
           (index_bytes > log->config.index_bytes && active->indexed > 0) ||
           age_of(log, incoming->max_timestamp, wall_ms) > segment_ms(log);
}

/* Before the first append after opening: from now on a crash leaves things to check. */
static int wake(struct log *log, struct error *err)
{
    log->used = true;
    if (log->marked_clean && log_save(log, false, err) != 0)
        return -1;
    if (log->hot == NULL)
        log->hot = mem_alloc(sizeof(*log->hot));
    return 0;
}

static void take_in(struct log *log, const uint8_t *data,
                    const struct incoming *incoming)
{
    struct segment *active = log_last(log);
    struct log_hot *hot = log->hot;
    struct batch batch;

    hot->appends[hot->next_append++ % HOT_PLACES] =
        (struct place){log->end, active->size, active->base};
    if (active->size == 0)
        log->roll_timestamp = incoming->max_timestamp;
    for (int64_t at = 0; at < incoming->len; at += batch.size) {
        (void)batch_read(data + at, (size_t)(incoming->len - at), &batch);
        segment_note(active, &batch, data + at, log->config.index_interval_bytes);
    }
    log->bytes += incoming->len;
    log->end = incoming->end;
}

static void flush_if_due(struct log *log, int64_t wall_ms)
{
    struct sync *sync = pool_sync(log->pool);

    log_written(log);
    if (sync == NULL || (log->end - log->flushed < log->config.flush_messages &&
                         wall_ms - log->flush_wall_ms < log->config.flush_ms))
        return;
    log->flush_wall_ms = wall_ms;
    (void)sync_ticket(sync);
}

enum kafka_error log_append(struct log *log, const uint8_t *data, size_t len,
                            int64_t wall_ms, struct error *err)
{
    struct incoming incoming;
    enum kafka_error error = look_at(log, data, len, &incoming);
    struct segment *active;

    if (error != KAFKA_NONE)
        return error;
    if (incoming.len > log->config.segment_bytes)
        return KAFKA_RECORD_LIST_TOO_LARGE;
    if (log->failed) {
        error_set(err, ERROR_INTERNAL, "%s: an earlier flush to disk failed",
                  log->name);
        return KAFKA_STORAGE_ERROR;
    }
    if (wake(log, err) != 0 ||
        (must_roll(log, &incoming, wall_ms) && log_roll(log, wall_ms, err) != 0))
        return KAFKA_STORAGE_ERROR;
    active = log_last(log);
    log_reserve(log, active, incoming.len);
    if (file_write(active->file, data, len, active->size, err) != 0) {
        struct error ignored = {0};

        /* If even this fails, the next append writes over the rest all the same. */
        (void)file_cut(active->file, active->size, &ignored);
        return KAFKA_STORAGE_ERROR;
    }
    take_in(log, data, &incoming);
    flush_if_due(log, wall_ms);
    return KAFKA_NONE;
}
