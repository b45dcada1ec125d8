/* SPDX-License-Identifier: MIT */
#include "ledger/log/partition_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

/* A crash costs reading the batch headers after the last snapshot: at most a segment
 * and this many bytes. */
enum { SNAPSHOT_BYTES = 16 * 1024 * 1024 };

void partition_config_default(struct partition_config *config)
{
    log_config_default(&config->log);
    config->log_append_time = false;
    config->timestamp_before_max_ms = INT64_MAX;
    config->timestamp_after_max_ms = 3600 * 1000;
    config->compression = -1;
}

/* ---- opening and closing ------------------------------------------------- */

struct replay {
    struct producers *producers;
    int64_t wall_ms;
};

static int replay_batch(void *arg, const struct batch *batch, const uint8_t *data)
{
    const struct replay *replay = arg;
    struct batch_control control = {.marker = BATCH_MARKER_UNKNOWN};

    if (batch_is_control(batch)) {
        if (data != NULL)
            control = batch_control_read(data, (size_t)batch->size);
        if (control.marker == BATCH_MARKER_UNKNOWN)
            return 0;
    }
    producers_replay(replay->producers, batch, control.marker == BATCH_COMMIT,
                     control.coordinator_epoch, replay->wall_ms);
    return 0;
}

static int open_producers(struct partition *partition, int64_t wall_ms,
                          struct error *err)
{
    struct replay replay = {.wall_ms = wall_ms};
    int64_t start = log_start(partition->log), end = log_end(partition->log), from;

    partition->producers =
        producers_open(log_dir(partition->log), start, end, wall_ms, &from, err);
    if (partition->producers == NULL)
        return -1;
    replay.producers = partition->producers;
    if (from >= end)
        return 0;
    return log_each_batch(partition->log, from, replay_batch, &replay, err);
}

struct partition *partition_open(struct log_pool *pool, const char *dir,
                                 const char *name,
                                 const struct partition_config *config, int64_t wall_ms,
                                 struct error *err)
{
    struct log_report report = {0};
    struct partition *partition = mem_alloc(sizeof(*partition));

    partition->log = log_open(pool, dir, name, &config->log, wall_ms, &report, err);
    if (partition->log == NULL || open_producers(partition, wall_ms, err) != 0) {
        error_prefix(err, "partition %s", name);
        partition_abandon(partition);
        return NULL;
    }
    partition_configure(partition, config);
    partition->snapshot_active = log_active(partition->log);
    return partition;
}

static void snapshot(struct partition *partition)
{
    struct error err = {0};

    if (producers_snapshot(partition->producers, log_end(partition->log), &err) != 0)
        log_write(LOG_WARN, "ledger", NULL, "%s",
                  err.text); /* replayed from an older one */
    partition->snapshot_bytes = 0;
}

void partition_close(struct partition *partition)
{
    if (partition == NULL)
        return;
    if (log_end(partition->log) > 0)
        snapshot(partition);
    producers_close(partition->producers);
    log_close(partition->log);
    free(partition);
}

void partition_abandon(struct partition *partition)
{
    if (partition == NULL)
        return;
    producers_close(partition->producers);
    if (partition->log != NULL)
        log_abandon(partition->log);
    free(partition);
}

void partition_configure(struct partition *partition,
                         const struct partition_config *config)
{
    log_configure(partition->log, &config->log);
    partition->log_append_time = config->log_append_time;
    partition->timestamp_before_max_ms = config->timestamp_before_max_ms;
    partition->timestamp_after_max_ms = config->timestamp_after_max_ms;
    partition->compression = (int8_t)config->compression;
    partition->level = config->level;
}

void partition_listen(struct partition *partition, partition_moved_fn *fn, void *arg)
{
    partition->moved = fn;
    partition->moved_arg = arg;
}

static void moved(struct partition *partition)
{
    if (partition->moved != NULL)
        partition->moved(partition->moved_arg, partition);
}

/* ---- queries ------------------------------------------------------------- */

struct log *partition_log(struct partition *partition)
{
    return partition->log;
}

const char *partition_name(const struct partition *partition)
{
    return log_name(partition->log);
}

int64_t partition_start(const struct partition *partition)
{
    return log_start(partition->log);
}

int64_t partition_end(const struct partition *partition)
{
    return log_end(partition->log);
}

int64_t partition_last_stable(const struct partition *partition)
{
    int64_t unstable = producers_first_unstable(partition->producers);
    int64_t start = log_start(partition->log), end = log_end(partition->log);

    if (unstable > end)
        return end;
    return unstable < start ? start : unstable; /* its beginning was deleted */
}

bool partition_in_transaction(const struct partition *partition, int64_t producer_id,
                              int16_t epoch)
{
    return producers_in_transaction(partition->producers, producer_id, epoch);
}

int64_t partition_open_transactions(const struct partition *partition)
{
    return producers_open_count(partition->producers);
}

bool partition_producer(const struct partition *partition, int64_t producer_id,
                        struct producers_state *out)
{
    return producers_find(partition->producers, producer_id, out);
}

void partition_each_producer(const struct partition *partition, producers_each_fn *fn,
                             void *arg)
{
    producers_each(partition->producers, fn, arg);
}

static bool view_aborted(void *arg, int64_t producer_id, int64_t offset)
{
    struct partition *partition = arg;
    const struct producers_aborted *aborted;
    struct error err = {0};
    int32_t count =
        producers_aborted(partition->producers, offset, offset + 1, &aborted, &err);

    for (int32_t i = 0; i < count; i++)
        if (aborted[i].producer_id == producer_id)
            return true;
    return false;
}

static bool view_last(void *arg, int64_t producer_id, int64_t last_offset)
{
    const struct partition *partition = arg;
    struct producers_state state;

    return producers_find(partition->producers, producer_id, &state) &&
           state.last_offset == last_offset;
}

void partition_view(struct partition *partition, struct log_view *out)
{
    *out = (struct log_view){
        .first_unstable = partition_last_stable(partition),
        .aborted = view_aborted,
        .last_of_producer = view_last,
        .arg = partition,
    };
}

/* ---- reading ------------------------------------------------------------- */

static enum kafka_error failed(const struct partition *partition,
                               enum kafka_error error, const struct error *err)
{
    if (error_is_set(err))
        log_write(LOG_ERROR, "ledger", NULL, "%s: %s", log_name(partition->log),
                  err->text);
    return error;
}

/* The transactions whose records a read_committed reader must leave out. */
static enum kafka_error find_aborted(struct partition *partition, int64_t offset,
                                     struct partition_slice *out)
{
    struct error err = {0};

    out->aborted_count = 0;
    if (out->slice.len == 0)
        return KAFKA_NONE;
    out->aborted_count = producers_aborted(partition->producers, offset,
                                           out->slice.next, &out->aborted, &err);
    if (out->aborted_count >= 0)
        return KAFKA_NONE;
    log_slice_release(out->slice.file);
    out->slice = (struct log_slice){0};
    out->aborted_count = 0;
    return failed(partition, KAFKA_STORAGE_ERROR, &err);
}

enum kafka_error partition_read(struct partition *partition, int64_t offset,
                                int64_t max_bytes, bool whole, bool read_committed,
                                struct partition_slice *out)
{
    struct error err = {0};

    *out = (struct partition_slice){
        .high_watermark = log_end(partition->log),
        .last_stable_offset = partition_last_stable(partition),
        .log_start_offset = log_start(partition->log),
        .aborted_count = -1,
    };
    int64_t limit = read_committed ? out->last_stable_offset : out->high_watermark;
    enum kafka_error error =
        log_read(partition->log, offset, max_bytes, limit, whole, &out->slice, &err);
    if (error != KAFKA_NONE)
        return failed(partition, error, &err);
    return read_committed ? find_aborted(partition, offset, out) : KAFKA_NONE;
}

enum kafka_error partition_list(struct partition *partition, int64_t timestamp,
                                bool read_committed, int64_t *offset,
                                int64_t *found_timestamp)
{
    struct error err = {0};
    int64_t limit =
        read_committed ? partition_last_stable(partition) : log_end(partition->log);
    enum kafka_error error = KAFKA_NONE;

    *offset = *found_timestamp = -1;
    if (timestamp == PARTITION_LATEST) {
        *offset = limit;
    } else if (timestamp == PARTITION_EARLIEST ||
               timestamp == PARTITION_EARLIEST_LOCAL) {
        *offset = log_start(partition->log);
    } else {
        error = timestamp == PARTITION_MAX_TIMESTAMP
                    ? log_find_max_time(partition->log, offset, found_timestamp, &err)
                    : log_find_time(partition->log, timestamp, offset, found_timestamp,
                                    &err);
        if (error != KAFKA_NONE || *offset >= limit)
            *offset = *found_timestamp = -1;
    }
    return failed(partition, error, &err);
}

/* ---- writing ------------------------------------------------------------- */

enum kafka_error partition_write(struct partition *partition, const uint8_t *data,
                                 size_t len, int64_t wall_ms)
{
    struct error err = {0};
    enum kafka_error error = log_append(partition->log, data, len, wall_ms, &err);

    return failed(partition, error, &err);
}

void partition_written(struct partition *partition, size_t len)
{
    int64_t active = log_active(partition->log);

    partition->snapshot_bytes += (int64_t)len;
    if (active != partition->snapshot_active) {
        partition->snapshot_active = active;
        if (partition->snapshot_bytes >= SNAPSHOT_BYTES)
            snapshot(partition);
    }
    moved(partition);
}

enum kafka_error partition_marker(struct partition *partition,
                                  const struct partition_mark *mark)
{
    uint8_t data[BATCH_MARKER_BYTES];
    struct batch_control control = {
        .marker = mark->commit ? BATCH_COMMIT : BATCH_ABORT,
        .coordinator_epoch = mark->coordinator_epoch,
    };
    int64_t offset = log_end(partition->log);
    enum kafka_error error =
        producers_check_marker(partition->producers, mark->producer_id, mark->epoch,
                               mark->coordinator_epoch, mark->bumps_epoch);

    if (error != KAFKA_NONE)
        return error;
    batch_control(data, mark->producer_id, mark->epoch, control, mark->wall_ms);
    batch_place(data, offset, BATCH_LEADER_EPOCH);
    error = partition_write(partition, data, sizeof(data), mark->wall_ms);
    if (error != KAFKA_NONE)
        return error;
    producers_marker(partition->producers, mark->producer_id, mark->epoch,
                     mark->coordinator_epoch, mark->commit, offset, mark->wall_ms);
    partition_written(partition, sizeof(data));
    return KAFKA_NONE;
}

enum kafka_error partition_delete_before(struct partition *partition, int64_t offset,
                                         int64_t wall_ms, int64_t *low)
{
    struct error err = {0};
    int64_t end = log_end(partition->log);

    *low = -1;
    if (!log_config(partition->log)->delete_policy)
        return KAFKA_POLICY_VIOLATION;
    if (offset == -1)
        offset = end;
    if (offset < 0 || offset > end)
        return KAFKA_OFFSET_OUT_OF_RANGE;
    if (offset > log_start(partition->log)) {
        enum kafka_error error =
            log_delete_before(partition->log, offset, wall_ms, &err);
        if (error != KAFKA_NONE)
            return failed(partition, error, &err);
        partition_trimmed(partition);
    }
    *low = log_start(partition->log);
    return KAFKA_NONE;
}

void partition_trimmed(struct partition *partition)
{
    producers_trim(partition->producers, log_start(partition->log));
    moved(partition);
}

void partition_expire(struct partition *partition, int64_t wall_ms)
{
    producers_expire(partition->producers, wall_ms, PRODUCERS_EXPIRE_MS);
}
