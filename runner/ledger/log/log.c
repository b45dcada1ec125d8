/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/log/log_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAVE_EVERY_BYTES = 32 << 20 };

void log_config_default(struct log_config *config)
{
    const int64_t day_ms = 24LL * 60 * 60 * 1000;

    *config = (struct log_config){
        .segment_bytes = 1 << 30,
        .segment_ms = 7 * day_ms,
        .index_interval_bytes = 4096,
        .index_bytes = 10 << 20,
        .max_message_bytes = 1048588,
        .flush_messages = INT64_MAX,
        .flush_ms = INT64_MAX,
        .file_delete_delay_ms = 60000,
        .delete_policy = true,
        .retention_ms = 7 * day_ms,
        .retention_bytes = -1,
        .min_cleanable_dirty_ratio = 0.5,
        .delete_retention_ms = day_ms,
        .max_compaction_lag_ms = INT64_MAX,
    };
}

void log_configure(struct log *log, const struct log_config *config)
{
    log->config = *config;
    if (log->config.index_interval_bytes > INTERVAL_MAX)
        log->config.index_interval_bytes = INTERVAL_MAX;
}

const struct log_config *log_config(const struct log *log)
{
    return &log->config;
}

const char *log_name(const struct log *log)
{
    return log->name;
}

const char *log_dir(const struct log *log)
{
    return log->dir;
}

int64_t log_start(const struct log *log)
{
    return log->start;
}

int64_t log_end(const struct log *log)
{
    return log->end;
}

int64_t log_bytes(const struct log *log)
{
    return log->bytes;
}

int64_t log_flushed(const struct log *log)
{
    return log->flushed;
}

int64_t log_active(const struct log *log)
{
    return log_last(log)->base;
}

bool log_failed(const struct log *log)
{
    return log->failed;
}

struct segment *log_add_segment(struct log *log, int64_t base)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity == 0 ? 1 : log->capacity * 2;
        log->segments =
            mem_resize(log->segments, log->capacity * sizeof(struct segment));
    }
    segment_init(&log->segments[log->count++], log->pool, log->dir, base);
    return log_last(log);
}

static void close_directory(void *fd)
{
    (void)close((int)(intptr_t)fd);
}

/* That there are no descriptors left says nothing against the file. */
static bool is_short_of_descriptors(int fd)
{
    return fd < 0 && (errno == EMFILE || errno == ENFILE);
}

static bool add_path(struct sync *sync, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (is_short_of_descriptors(fd)) {
        sync_later(sync);
        return false;
    }
    sync_add(sync, fd, fd < 0 ? NULL : close_directory, (void *)(intptr_t)fd);
    return true;
}

/* Hand over what was written behind the recovery point. */
static void collect(struct sync *sync, struct sync_entry *entry)
{
    struct log *log = (struct log *)((char *)entry - offsetof(struct log, sync));
    char path[FILE_PATH_BYTES];

    log->flushing = log->end;
    for (size_t i = log_segment_of(log, log->flushed); i < log->count; i++) {
        struct error err = {0};
        int fd = file_pin(log->segments[i].file, &err);

        if (is_short_of_descriptors(fd))
            sync_later(sync);
        else
            sync_add(sync, fd, fd < 0 ? NULL : file_unpin, log->segments[i].file);
    }
    if (log->checkpoint_dirty) {
        (void)snprintf(path, sizeof(path), "%s/" CHECKPOINT_NAME, log->dir);
        log->checkpoint_dirty = !add_path(sync, path, O_RDWR);
    }
    if (log->start_dirty) {
        (void)snprintf(path, sizeof(path), "%s/" CHECKPOINT_START, log->dir);
        log->start_dirty = !add_path(sync, path, O_RDWR);
    }
    if (log->dir_dirty)
        log->dir_dirty = !add_path(sync, log->dir, O_RDONLY | O_DIRECTORY);
    if (log->dir_new) {
        (void)snprintf(path, sizeof(path), "%s/..", log->dir);
        log->dir_new = !add_path(sync, path, O_RDONLY | O_DIRECTORY);
    }
}

/*
 * After a failed fsync the kernel may have thrown the pages away and the next one
 * succeeds: nothing is known about the file any more until it is read again.
 */
static void flushed(struct sync_entry *entry, int error)
{
    struct log *log = (struct log *)((char *)entry - offsetof(struct log, sync));
    struct error err = {0};

    if (error != 0) {
        log->failed = true;
        log_write(
            LOG_ERROR, "ledger", NULL,
            "%s: flushing to disk failed: %s; the partition takes no more records "
            "until the broker is started again",
            log->name, strerror(error));
        return;
    }
    if (log->flushing > log->flushed)
        log->flushed = log->flushing;
    /* A recovery point that is a little old only costs reading. */
    if (log_last(log)->base != log->saved_active ||
        log_last(log)->size - log->saved_size >= SAVE_EVERY_BYTES)
        (void)log_save(log, log->marked_clean, &err);
}

void log_written(struct log *log)
{
    struct sync *sync = pool_sync(log->pool);

    if (sync != NULL)
        sync_dirty(sync, &log->sync);
}

int log_new_segment(struct log *log, int64_t base, int64_t wall_ms, struct error *err)
{
    struct segment *segment = log_add_segment(log, base);

    if (file_create(segment->file, err) != 0 ||
        file_create(segment->index.file, err) != 0) {
        file_remove(log->dir, base, FILE_LOG); /* or it is found at the next start */
        segment_clear(segment);
        log->count--;
        return -1;
    }
    if (log->config.preallocate) {
        struct error ignored = {0};
        int fd = file_fd(segment->file, &ignored);

        if (fd >= 0)
            (void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, log->config.segment_bytes);
        segment->reserved = log->config.segment_bytes;
    }
    segment->index.count = 0;
    segment->max_timestamp = -1;
    segment->loaded = true;
    log->roll_failed = false;
    log->roll_timestamp = -1;
    log->roll_created = wall_ms;
    log->dir_dirty = true;
    log_written(log);
    return 0;
}

int log_roll(struct log *log, int64_t wall_ms, struct error *err)
{
    struct segment *active = log_last(log);

    if (active->size == 0)
        return 0;
    if (segment_finish(active, err) != 0 ||
        log_new_segment(log, log->end, wall_ms, err) != 0)
        return -1;
    if (pool_sync(log->pool) ==
        NULL) /* then nobody asks for more than the kernel does */
        log->flushed = log->end;
    active = log_last(log) - 1;
    log_give_back(active);
    file_rest(active->index.file);
    return 0;
}

size_t log_segment_of(const struct log *log, int64_t offset)
{
    size_t low = 0, high = log->count;

    if (offset >= log_last(log)->base) /* nearly always */
        return log->count - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (log->segments[middle].base <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int make_folder(struct log *log, struct error *err)
{
    if (mkdir(log->dir, 0755) == 0)
        log->dir_new = true;
    else if (errno != EEXIST)
        error_set(err, ERROR_INTERNAL, "cannot make %s: %s", log->dir, strerror(errno));
    return error_is_set(err) ? -1 : 0;
}

static void destroy(struct log *log)
{
    struct sync *sync = pool_sync(log->pool);

    if (sync != NULL)
        sync_forget(sync, &log->sync);
    compaction_free(log);
    for (size_t i = 0; i < log->count; i++)
        segment_clear(&log->segments[i]);
    for (size_t i = 0; i < log->deferred_count; i++)
        free(log->deferred[i].path);
    free(log->deferred);
    free(log->damages);
    free(log->segments);
    free(log->hot);
    free(log->dir);
    free(log->name);
    free(log);
}

struct log *log_open(struct log_pool *pool, const char *dir, const char *name,
                     const struct log_config *config, int64_t wall_ms,
                     struct log_report *report, struct error *err)
{
    struct log *log = mem_alloc(sizeof(*log));

    *report = (struct log_report){0};
    log->pool = pool;
    log->dir = mem_strdup(dir);
    log->name = mem_strdup(name);
    log->sync = (struct sync_entry){.collect = collect, .done = flushed};
    log->flush_wall_ms = wall_ms;
    log_configure(log, config);
    if (make_folder(log, err) == 0 && log_recover(log, wall_ms, report, err) == 0)
        return log;
    error_prefix(err, "%s: ", name);
    destroy(log);
    return NULL;
}

void log_close(struct log *log)
{
    struct error err = {0};

    if (log == NULL)
        return;
    compaction_free(log);
    log_give_back(log_last(log));
    log_remove_due(log, INT64_MAX, true);
    if (!log->marked_clean && !log->failed &&
        (segment_finish(log_last(log), &err) != 0 || log_save(log, true, &err) != 0))
        log_write(LOG_WARN, "ledger", NULL,
                  "%s: closed without its mark, it will be checked when opened: %s",
                  log->name, err.text);
    destroy(log);
}

void log_abandon(struct log *log)
{
    if (log != NULL)
        destroy(log);
}
