/* SPDX-License-Identifier: MIT
 *
 * retain.c - what leaves a log at its beginning: by time, by size, by request.
 */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/log/log_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void defer_file(struct log *log, int64_t base, const char *kind,
                       const char *deleted, int64_t due_wall_ms)
{
    struct error ignored = {0};
    char path[FILE_PATH_BYTES];

    if (file_rename(log->dir, base, kind, deleted, &ignored) != 0)
        return;
    file_path(path, log->dir, base, deleted);
    log->deferred = mem_grow(log->deferred, log->deferred_count,
                             &log->deferred_capacity, sizeof(*log->deferred));
    log->deferred[log->deferred_count++] =
        (struct deferred){mem_strdup(path), due_wall_ms};
}

void log_defer(struct log *log, struct segment *segment, int64_t wall_ms)
{
    int64_t due = wall_ms + log->config.file_delete_delay_ms;

    log_forget_damages(log, segment->base);
    segment_clear(segment);
    defer_file(log, segment->base, FILE_LOG, FILE_LOG FILE_DELETED, due);
    defer_file(log, segment->base, FILE_INDEX, FILE_INDEX FILE_DELETED, due);
    log->dir_dirty = true;
    log_written(log);
}

void log_remove_due(struct log *log, int64_t wall_ms, bool all)
{
    size_t kept = 0;

    for (size_t i = 0; i < log->deferred_count; i++) {
        if (!all && log->deferred[i].due_wall_ms > wall_ms) {
            log->deferred[kept++] = log->deferred[i];
            continue;
        }
        (void)unlink(log->deferred[i].path);
        free(log->deferred[i].path);
    }
    log->deferred_count = kept;
}

void log_drop_segments(struct log *log, size_t count, int64_t wall_ms)
{
    if (count == 0)
        return;
    compaction_free(log);
    for (size_t i = 0; i < count; i++) {
        log->bytes -= log->segments[i].size;
        log_defer(log, &log->segments[i], wall_ms);
    }
    log->count -= count;
    for (size_t i = 0; i < log->count; i++)
        log->segments[i] = log->segments[i + count];
    if (log->start < log->segments[0].base)
        log->start = log->segments[0].base;
    log_remove_due(log, wall_ms, false);
}

/* In both files, or as it was in both. */
static int save_start(struct log *log, int64_t start, struct error *err)
{
    int64_t before = log->start;
    struct error ignored = {0};

    if (checkpoint_write_start(log->dir, start, err) != 0)
        return -1;
    log->start = start;
    log->start_dirty = true;
    log->dir_dirty = true;
    /* A log that is marked as closed stays so: nothing was appended. */
    if (log_save(log, log->marked_clean, err) == 0)
        return 0;
    log->start = before;
    (void)checkpoint_write_start(log->dir, before, &ignored);
    return -1;
}

enum kafka_error log_delete_before(struct log *log, int64_t offset, int64_t wall_ms,
                                   struct error *err)
{
    size_t old = 0;

    if (offset < log->start || offset > log->end)
        return KAFKA_OFFSET_OUT_OF_RANGE;
    if (offset == log->start)
        return KAFKA_NONE;
    if (save_start(log, offset, err) != 0)
        return KAFKA_STORAGE_ERROR;
    log_written(log);
    while (old + 1 < log->count && log->segments[old + 1].base <= offset)
        old++;
    log_drop_segments(log, old, wall_ms);
    return KAFKA_NONE;
}

/* The time of a segment's youngest record; of one without times, of its last write. */
static int64_t time_of(struct log *log, struct segment *segment)
{
    struct error err = {0};
    struct stat status;
    int fd;

    if (segment_load(log, segment, &err) != 0)
        return INT64_MAX;
    if (segment->max_timestamp >= 0)
        return segment->max_timestamp;
    fd = file_fd(segment->file, &err);
    if (fd < 0 || fstat(fd, &status) != 0)
        return INT64_MAX;
    return status.st_mtim.tv_sec * 1000LL + status.st_mtim.tv_nsec / 1000000;
}

/* An empty active segment stays. */
static bool may_go(const struct log *log, size_t i)
{
    return i + 1 < log->count || (i < log->count && log->segments[i].size > 0);
}

/* How many segments at the beginning are older than allowed. */
static size_t expired(struct log *log, int64_t wall_ms)
{
    size_t count = 0;

    if (log->config.retention_ms < 0)
        return 0;
    while (may_go(log, count)) {
        int64_t time = time_of(log, &log->segments[count]);

        if (time > wall_ms || wall_ms - time <= log->config.retention_ms)
            break;
        count++;
    }
    return count;
}

/* How many segments at the beginning the log can do without and still be large enough.
 */
static size_t surplus(const struct log *log)
{
    int64_t over = log->bytes - log->config.retention_bytes;
    size_t count = 0;

    if (log->config.retention_bytes < 0)
        return 0;
    while (may_go(log, count) && over - log->segments[count].size >= 0)
        over -= log->segments[count++].size;
    return count;
}

static bool delete_old(struct log *log, int64_t wall_ms)
{
    size_t by_time = expired(log, wall_ms), by_size = surplus(log);
    size_t count = by_time > by_size ? by_time : by_size;
    struct error err = {0};
    char fields[160];

    if (count == 0)
        return false;
    /* The active segment may go too, but there is always one. */
    if (count == log->count && log_roll(log, wall_ms, &err) != 0) {
        if (!log->roll_failed)
            log_write(LOG_WARN, "ledger", NULL, "%s: cannot begin a new segment: %s",
                      log->name, err.text);
        log->roll_failed = true;
        if (--count == 0)
            return false;
    }
    log_drop_segments(log, count, wall_ms);
    (void)snprintf(fields, sizeof(fields), "partition=%s", log->name);
    log_write(LOG_INFO, "ledger", fields,
              "%zu segments deleted by retention; the log begins at %" PRId64, count,
              log->start);
    return count > 0;
}

/* Nobody has read or written since last time: no descriptors, no memory for speed. */
static void rest(struct log *log)
{
    struct error ignored = {0};

    if (index_write(&log_last(log)->index, &ignored) != 0)
        return;
    if (!log->config.preallocate)
        log_give_back(log_last(log));
    free(log->hot);
    log->hot = NULL;
    for (size_t i = 0; i < log->count; i++) {
        file_rest(log->segments[i].file);
        file_rest(log->segments[i].index.file);
    }
}

bool log_retain(struct log *log, int64_t wall_ms)
{
    bool moved = log->config.delete_policy && delete_old(log, wall_ms);

    log_remove_due(log, wall_ms, false);
    if (!log->used)
        rest(log);
    log->used = false;
    return moved;
}
