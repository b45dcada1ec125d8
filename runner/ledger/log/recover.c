/* SPDX-License-Identifier: MIT
 *
 * recover.c - opening a log's folder: which segments there are, what a crash has left.
 */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/log/log_private.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BASE_DIGITS = 20 };

/* Segment bases found in the folder. */
struct bases {
    int64_t *list;
    size_t count, capacity;
};

struct folder {
    struct bases logs;  /* with a .log */
    struct bases swaps; /* with a .log.swap */
};

static void remove_name(const struct log *log, const char *name)
{
    char path[FILE_PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", log->dir, name);
    (void)unlink(path);
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name), end = strlen(suffix);

    return len >= end && strcmp(name + len - end, suffix) == 0;
}

static void add_base(struct bases *bases, int64_t base)
{
    bases->list =
        mem_grow(bases->list, bases->count, &bases->capacity, sizeof(*bases->list));
    bases->list[bases->count++] = base;
}

/* Names of ours begin with the base offset in twenty digits. */
static bool parse_base(const char *name, int64_t *base)
{
    char *end;

    if (strlen(name) <= BASE_DIGITS || strspn(name, "0123456789") != BASE_DIGITS)
        return false;
    errno = 0;
    *base = strtoll(name, &end, 10);
    return errno == 0;
}

static void take_name(struct log *log, struct folder *folder, const char *name)
{
    int64_t base;

    if (!parse_base(name, &base))
        return;
    if (ends_with(name, FILE_DELETED) || ends_with(name, FILE_CLEANED))
        remove_name(log, name);
    else if (strcmp(name + BASE_DIGITS, FILE_LOG) == 0)
        add_base(&folder->logs, base);
    else if (strcmp(name + BASE_DIGITS, FILE_LOG FILE_SWAP) == 0)
        add_base(&folder->swaps, base);
}

static int compare_bases(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static int read_folder(struct log *log, struct folder *folder, struct error *err)
{
    DIR *dir = opendir(log->dir);
    const struct dirent *entry;

    if (dir == NULL) {
        error_set(err, ERROR_INTERNAL, "cannot list %s: %s", log->dir, strerror(errno));
        return -1;
    }
    while ((entry = readdir(dir)) != NULL)
        take_name(log, folder, entry->d_name);
    (void)closedir(dir);
    if (folder->logs.count > 0)
        qsort(folder->logs.list, folder->logs.count, sizeof(int64_t), compare_bases);
    return 0;
}

/* How far the compacted segment reaches: its index ends there. */
static int64_t swap_end(struct log *log, int64_t base)
{
    struct index index = {.file = file_new(log->pool, log->dir, base, FILE_INDEX),
                          .base = base,
                          .count = INDEX_UNKNOWN};
    struct index_entry last = {.offset = base};
    struct error ignored = {0};
    int32_t count;

    /* Else that was done already, and the old segments had gone before. */
    if (file_rename(log->dir, base, FILE_INDEX FILE_SWAP, FILE_INDEX, &ignored) == 0) {
        count = index_count(&index, &ignored);
        if (count < 0 || index_get(&index, count - 1, &last, &ignored) != 0)
            last.offset = base;
    }
    file_drop(index.file);
    return last.offset;
}

/*
 * Compaction had written a segment whole and was about to put it in the place of
 * others: do it. The old ones go first, so that this can be interrupted again.
 */
static int finish_swap(struct log *log, struct bases *logs, int64_t base,
                       struct error *err)
{
    int64_t end = swap_end(log, base);
    size_t kept = 0;

    for (size_t i = 0; i < logs->count; i++) {
        int64_t old = logs->list[i];

        if (old < base || (old > base && old >= end)) {
            logs->list[kept++] = old;
        } else if (old > base) {
            file_remove(log->dir, old, FILE_INDEX);
            file_remove(log->dir, old, FILE_LOG);
        }
    }
    logs->count = kept;
    if (file_rename(log->dir, base, FILE_LOG FILE_SWAP, FILE_LOG, err) != 0)
        return -1;
    add_base(logs, base);
    qsort(logs->list, logs->count, sizeof(int64_t), compare_bases);
    return 0;
}

static int add_segments(struct log *log, const struct bases *logs, struct error *err)
{
    char path[FILE_PATH_BYTES];
    struct stat status;

    for (size_t i = 0; i < logs->count; i++) {
        struct segment *segment = log_add_segment(log, logs->list[i]);

        file_path(path, log->dir, segment->base, FILE_LOG);
        if (stat(path, &status) != 0) {
            error_set(err, ERROR_INTERNAL, "cannot look at %s: %s", path,
                      strerror(errno));
            return -1;
        }
        segment->size = segment->trusted_from = status.st_size;
        segment->end = i + 1 < logs->count ? logs->list[i + 1] : INT64_MAX;
        log->bytes += segment->size;
    }
    return 0;
}

/* The active segment as it was when the log was closed; nothing of it needs reading. */
static bool is_as_closed(struct log *log, int64_t closed_end)
{
    struct segment *active = log_last(log);
    struct index_entry last;

    if (closed_end < 0 || !segment_last_entry(active, &last) ||
        last.position != active->size || last.offset != closed_end)
        return false;
    active->chain = last.chain;
    active->indexed = active->size;
    active->end = closed_end;
    active->max_timestamp = last.max_timestamp;
    active->loaded = true;
    return true;
}

/* Where checking begins: the last index entry that is before keep and within the file.
 */
static void find_begin(struct segment *segment, struct segment_rescan *rescan)
{
    struct error ignored = {0};
    int32_t number;
    struct index_entry entry;

    if (index_find(&segment->index, INDEX_POSITION, segment->size, &number, &entry,
                   &ignored) != 0)
        return;
    while (entry.offset > rescan->keep)
        if (index_get(&segment->index, --number, &entry, &ignored) != 0)
            return;
    rescan->number = number;
    rescan->from = entry;
}

/* Check the segment from keep on, cut it where it is torn. 1: it was cut. -1 and err.
 */
static int check_segment(struct log *log, size_t i, int64_t keep,
                         struct log_report *report, struct error *err)
{
    struct segment *segment = &log->segments[i];
    struct segment_rescan rescan = {
        .number = INDEX_BEGIN,
        .from = {.offset = segment->base, .max_timestamp = -1},
        .keep = keep,
        .limit = segment->end,
        .may_cut = true,
    };
    int64_t size = segment->size;
    bool last = i + 1 == log->count, was_longer;
    struct error ignored = {0};
    struct index_entry known;

    if (index_count(&segment->index, &ignored) < 0) {
        if (file_create(segment->index.file, err) != 0)
            return -1;
        segment->index.count = 0;
    }
    was_longer = segment_last_entry(segment, &known) && known.position > size;
    find_begin(segment, &rescan);
    if (segment_rescan(log, segment, &rescan, err) != 0)
        return -1;
    segment->loaded = true;
    report->checked_bytes += rescan.checked;
    if (rescan.cut > 0 && file_cut(segment->file, segment->size, err) != 0)
        return -1;
    report->cut_bytes += rescan.cut;
    log->bytes -= size - segment->size;
    if (was_longer) /* written after the batches before it, so those were there */
        segment_name_missing(log, segment, segment->end, known.offset);
    if (!last && segment->end == rescan.limit)
        return segment_finish(segment, err);
    return last ? 0 : 1;
}

static void drop_after(struct log *log, size_t i, struct log_report *report)
{
    while (log->count > i + 1) {
        struct segment *segment = log_last(log);

        report->cut_bytes += segment->size;
        log->bytes -= segment->size;
        log_defer(log, segment, 0);
        log->count--;
    }
}

static int check_tail(struct log *log, int64_t keep, struct log_report *report,
                      struct error *err)
{
    for (size_t i = log_segment_of(log, keep); i < log->count; i++) {
        int cut = check_segment(log, i, keep, report, err);

        if (cut < 0)
            return -1;
        if (cut > 0)
            drop_after(log, i, report);
    }
    return 0;
}

/* Offsets that were on disk must not be given to other records: go on behind them. */
static int go_on_at(struct log *log, int64_t offset, int64_t wall_ms,
                    struct log_report *report, struct error *err)
{
    struct segment *active = log_last(log);
    struct damage lost = {.base = active->base,
                          .from = active->size,
                          .to = active->size,
                          .lost_from = log->end,
                          .lost_to = offset};

    if (log->end >= offset)
        return 0;
    report->lost_from = log->end;
    report->lost_to = offset;
    log_damage(log, &lost);
    log_name_damages(log);
    if (segment_finish(active, err) != 0)
        return -1;
    active->end = log->end = offset;
    return log_new_segment(log, offset, wall_ms, err);
}

static void tell(const struct log *log, const struct log_report *report)
{
    char fields[160];

    (void)snprintf(fields, sizeof(fields), "partition=%s", log->name);
    if (report->cut_bytes > 0)
        log_write(LOG_WARN, "ledger", fields,
                  "the broker had not closed this log: %" PRId64
                  " bytes behind offset %" PRId64
                  " were not completely written and are cut off",
                  report->cut_bytes, log->end);
    else if (report->unclean)
        log_write(
            LOG_INFO, "ledger", fields,
            "the broker had not closed this log; it is whole up to offset %" PRId64,
            log->end);
}

static int recover(struct log *log, const struct checkpoint *saved, int64_t wall_ms,
                   struct log_report *report, struct error *err)
{
    int64_t keep =
        saved->flushed > saved->closed_end ? saved->flushed : saved->closed_end;

    if (is_as_closed(log, saved->closed_end)) {
        log->marked_clean = true;
    } else {
        report->unclean = true;
        if (check_tail(log, keep, report, err) != 0)
            return -1;
        log_give_back_lost(log_last(log));
    }
    log->end = log_last(log)->end;
    log->flushed = saved->flushed < log->end ? saved->flushed : log->end;
    if (go_on_at(log, keep > log->start ? keep : log->start, wall_ms, report, err) != 0)
        return -1;
    if (pool_sync(log->pool) == NULL)
        log->flushed = log_last(log)->base;
    else if (log->flushed < log->end)
        log_written(log);
    tell(log, report);
    return 0;
}

static int open_segments(struct log *log, const struct checkpoint *saved,
                         int64_t wall_ms, struct log_report *report, struct error *err)
{
    size_t old = 0;

    log->roll_timestamp = SEGMENT_TIME_UNKNOWN;
    log->roll_created = wall_ms;
    log->saved_active = -1;
    log->clean = saved->clean;
    log->sparse = saved->sparse;
    log->start =
        saved->start > log->segments[0].base ? saved->start : log->segments[0].base;
    if (recover(log, saved, wall_ms, report, err) != 0)
        return -1;
    while (old + 1 < log->count && log->segments[old + 1].base <= log->start)
        old++;
    log_drop_segments(log, old, wall_ms);
    return 0;
}

static int begin_log(struct log *log, const struct checkpoint *saved, int64_t wall_ms,
                     struct log_report *report, struct error *err)
{
    int64_t base = saved->flushed > saved->start ? saved->flushed : saved->start;

    if (saved->closed_end > base)
        base = saved->closed_end;
    if (log_new_segment(log, base, wall_ms, err) != 0)
        return -1;
    log->start = log->end = log->flushed = log->clean = base;
    if (saved->start < base) {
        struct damage lost = {.base = base, .lost_from = saved->start, .lost_to = base};

        report->lost_from = saved->start;
        report->lost_to = base;
        log_damage(log, &lost);
        log_name_damages(log);
    }
    return log_save(log, false, err);
}

/* The checkpoint, and what can be known when it is lost. */
static int read_checkpoint(struct log *log, const struct bases *logs,
                           struct checkpoint *saved, struct error *err)
{
    int status = checkpoint_read(log->dir, saved, err);
    int64_t start;

    if (status < 0)
        return -1;
    if (status > 0 && logs->count > 0) {
        log->gaps = true;
        saved->flushed = logs->list[logs->count - 1];
    }
    status = checkpoint_read_start(log->dir, &start, err);
    if (status == 0 && start > saved->start)
        saved->start = start;
    return status < 0 ? -1 : 0;
}

int log_recover(struct log *log, int64_t wall_ms, struct log_report *report,
                struct error *err)
{
    struct folder folder = {0};
    struct checkpoint saved = {.closed_end = -1};
    int status = read_folder(log, &folder, err);

    for (size_t i = 0; i < folder.swaps.count && status == 0; i++)
        status = finish_swap(log, &folder.logs, folder.swaps.list[i], err);
    if (status == 0)
        status = read_checkpoint(log, &folder.logs, &saved, err);
    if (status == 0 && folder.logs.count == 0)
        status = begin_log(log, &saved, wall_ms, report, err);
    else if (status == 0 && (status = add_segments(log, &folder.logs, err)) == 0)
        status = open_segments(log, &saved, wall_ms, report, err);
    free(folder.logs.list);
    free(folder.swaps.list);
    return status == 0 ? 0 : -1;
}
