/* SPDX-License-Identifier: MIT
 *
 * compact.c - compaction of a log in small steps: map the keys of the dirty part, write
 * the segments anew without what is outdated, swap them in.
 *
 * A new segment is written beside the old ones (.cleaned), flushed, and renamed to
 * .swap: from then on it is what counts, also after a crash (recover.c). Only then do
 * the old ones go and does it get its name.
 */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/log/cleaner.h"
#include "ledger/log/log_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_KEYS = 786432, /* 24 MiB */
    CHUNK_BYTES = 256 * 1024,
    RETRY_MS = 60000,
};

enum phase { MAPPING, WRITING, FLUSHING, FLUSHED };

struct compaction {
    struct log *log;
    struct cleaner cleaner;
    enum phase phase;
    int64_t from, limit;     /* offsets of the dirty part */
    size_t segment;          /* being read */
    int64_t position;        /* in it; -1: at the beginning */
    size_t group, group_end; /* the segments that become one */
    struct segment out;
    bool has_out;
    struct codec_buffer chunk; /* the end of out, not written yet */
    struct sync_entry sync;
};

static void drop_out(struct compaction *compaction)
{
    struct log *log = compaction->log;

    if (!compaction->has_out)
        return;
    segment_clear(&compaction->out);
    compaction->has_out = false;
    file_remove(log->dir, compaction->out.base, FILE_LOG FILE_CLEANED);
    file_remove(log->dir, compaction->out.base, FILE_INDEX FILE_CLEANED);
}

void compaction_free(struct log *log)
{
    struct compaction *compaction = log->compaction;

    if (compaction == NULL)
        return;
    if (pool_sync(log->pool) != NULL)
        sync_forget(pool_sync(log->pool), &compaction->sync);
    drop_out(compaction);
    cleaner_clear(&compaction->cleaner);
    codec_buffer_clear(&compaction->chunk);
    pool_release(log->pool, log);
    free(compaction);
    log->compaction = NULL;
}

bool log_compactable(struct log *log, int64_t first_unstable, int64_t wall_ms)
{
    if (log->compaction != NULL)
        return log->compaction->phase != FLUSHING;
    return log->config.compact_policy && !log->failed &&
           wall_ms >= log->compact_after && !pool_is_claimed(log->pool, log) &&
           log_is_dirty(log, first_unstable, wall_ms);
}

static void collect(struct sync *sync, struct sync_entry *entry)
{
    struct compaction *compaction =
        (struct compaction *)((char *)entry - offsetof(struct compaction, sync));
    struct log_file *files[] = {compaction->out.file, compaction->out.index.file};
    struct error ignored = {0};

    for (size_t i = 0; i < 2; i++) {
        int fd = file_pin(files[i], &ignored);

        sync_add(sync, fd, fd < 0 ? NULL : file_unpin, files[i]);
    }
}

static void flushed(struct sync_entry *entry, int error)
{
    struct compaction *compaction =
        (struct compaction *)((char *)entry - offsetof(struct compaction, sync));

    if (error == 0)
        compaction->phase = FLUSHED;
    else
        compaction_free(compaction->log);
}

static void begin(struct log *log, const struct log_view *view, int64_t wall_ms)
{
    struct compaction *compaction = mem_alloc(sizeof(*compaction));

    log->compaction = compaction;
    compaction->log = log;
    compaction->from = log_dirty_from(log);
    compaction->limit = log_dirty_limit(log, view->first_unstable, wall_ms);
    compaction->segment = log_segment_of(log, compaction->from);
    compaction->position = -1;
    compaction->sync = (struct sync_entry){.collect = collect, .done = flushed};
    cleaner_init(&compaction->cleaner, MAX_KEYS, log->config.delete_retention_ms);
    compaction->cleaner.mapped_to = compaction->limit;
}

/* Continue the walk through the segment where the last step left it. */
static int resume(struct compaction *compaction, struct walk *walk, int64_t from,
                  struct error *err)
{
    struct log *log = compaction->log;
    struct segment *segment = &log->segments[compaction->segment];
    struct index_entry entry;

    if (compaction->position < 0) {
        if (segment_find(log, segment, INDEX_OFFSET, from, &entry, err) != 0)
            return -1;
        compaction->position = entry.position;
    }
    walk_begin(walk, log, segment, compaction->position, WALK_ALL);
    return 0;
}

/* One batch of the walk is done, or there was none: what is left of the budget. */
static void leave(struct compaction *compaction, struct walk *walk, int more)
{
    compaction->position = walk->position;
    walk_end(walk);
    if (more != 0)
        return;
    compaction->segment++;
    compaction->position = -1;
}

static void end_mapping(struct compaction *compaction)
{
    compaction->phase = WRITING;
    compaction->segment = compaction->group = compaction->group_end = 0;
    compaction->position = -1;
}

/* Take in keys until the budget is used up, the segment ends or the map is full. */
static int map_some(struct compaction *compaction, const struct log_view *view,
                    int64_t *budget, struct error *err)
{
    struct cleaner *cleaner = &compaction->cleaner;
    struct batch batch;
    struct walk walk;
    bool full = false;
    int more = 1;

    if (compaction->log->segments[compaction->segment].base >= compaction->limit) {
        end_mapping(compaction);
        return 0;
    }
    if (resume(compaction, &walk, compaction->from, err) != 0)
        return -1;
    while (*budget > 0 && !full && (more = walk_next(&walk, &batch, err)) > 0) {
        const uint8_t *data = walk_data(&walk, &batch, err);

        if (data == NULL)
            more = -1;
        else
            full = !cleaner_map(cleaner, view, &batch, data);
        if (data == NULL)
            break;
        *budget -= batch.size;
    }
    leave(compaction, &walk, more);
    if (full) {
        cleaner->mapped_to = batch.base_offset;
        end_mapping(compaction);
    }
    return more < 0 ? -1 : 0;
}

/* The next segments that fit into one. */
static void choose_group(struct compaction *compaction)
{
    const struct log *log = compaction->log;
    size_t end = compaction->group;
    int64_t bytes = 0, base = log->segments[compaction->group].base;

    while (end < log->count &&
           log->segments[end].base < compaction->cleaner.mapped_to) {
        bytes += log->segments[end].size;
        if (end > compaction->group && (bytes > log->config.segment_bytes ||
                                        log->segments[end].end - base > INT32_MAX))
            break;
        end++;
    }
    compaction->group_end = end;
}

static int begin_group(struct compaction *compaction, struct error *err)
{
    struct log *log = compaction->log;
    struct segment *out = &compaction->out;

    choose_group(compaction);
    segment_init(out, log->pool, log->dir, log->segments[compaction->group].base);
    file_drop(out->file);
    file_drop(out->index.file);
    out->file = file_new(log->pool, log->dir, out->base, FILE_LOG FILE_CLEANED);
    out->index.file = file_new(log->pool, log->dir, out->base, FILE_INDEX FILE_CLEANED);
    out->index.count = 0;
    out->max_timestamp = -1;
    compaction->has_out = true;
    compaction->chunk.len = 0;
    compaction->segment = compaction->group;
    compaction->position = -1;
    if (file_create(out->file, err) != 0 || file_create(out->index.file, err) != 0)
        return -1;
    return 0;
}

static int write_chunk(struct compaction *compaction, struct error *err)
{
    struct segment *out = &compaction->out;
    struct codec_buffer *chunk = &compaction->chunk;
    size_t len = chunk->len;

    chunk->len = 0;
    return file_write(out->file, chunk->data, len, out->size - (int64_t)len, err);
}

static int emit(struct compaction *compaction, const uint8_t *data, size_t size,
                struct error *err)
{
    struct codec_buffer *chunk = &compaction->chunk;
    struct batch batch;

    if (batch_read(data, size, &batch) != KAFKA_NONE)
        return -1;
    codec_reserve(chunk, size);
    memcpy(chunk->data + chunk->len, data, size);
    chunk->len += size;
    segment_note(&compaction->out, &batch, data,
                 compaction->log->config.index_interval_bytes);
    return chunk->len >= CHUNK_BYTES ? write_chunk(compaction, err) : 0;
}

/* All of the group is written: its index ends with where the group ends, always. */
static int end_group(struct compaction *compaction, struct error *err)
{
    struct log *log = compaction->log;
    struct segment *out = &compaction->out;
    struct index_entry last = {log->segments[compaction->group_end - 1].end, out->size,
                               out->max_timestamp, out->chain};

    if (write_chunk(compaction, err) != 0)
        return -1;
    out->end = last.offset;
    /* The one entry that must be there: none before it may hold it up. */
    if (index_write(&out->index, err) != 0)
        return -1;
    index_add(&out->index, &last);
    if (index_write(&out->index, err) != 0)
        return -1;
    /* Offsets are missing in what is swapped in: after a crash that must not look like
     * a loss, nor may it lie behind the recovery point. */
    if (log->sparse < out->end)
        log->sparse = out->end;
    if (log_save(log, log->marked_clean, err) != 0)
        return -1;
    log_written(log);
    if (pool_sync(log->pool) == NULL) {
        compaction->phase = FLUSHED;
        return 0;
    }
    compaction->phase = FLUSHING;
    sync_dirty(pool_sync(log->pool), &compaction->sync);
    return 0;
}

static int write_some(struct compaction *compaction, const struct log_view *view,
                      int64_t wall_ms, int64_t *budget, struct error *err)
{
    struct batch batch;
    struct walk walk;
    int more = 1;

    if (!compaction->has_out && begin_group(compaction, err) != 0)
        return -1;
    if (compaction->segment == compaction->group_end)
        return end_group(compaction, err);
    if (resume(compaction, &walk, 0, err) != 0)
        return -1;
    while (*budget > 0 && (more = walk_next(&walk, &batch, err)) > 0) {
        const uint8_t *data = walk_data(&walk, &batch, err), *kept;
        size_t size;

        if (data == NULL) {
            more = -1;
            break;
        }
        kept = cleaner_filter(&compaction->cleaner, view, &batch, data, wall_ms, &size);
        *budget -= batch.size + (kept != NULL ? (int64_t)size : 0);
        if (kept != NULL && emit(compaction, kept, size, err) != 0) {
            more = -1;
            break;
        }
    }
    leave(compaction, &walk, more);
    return more < 0 ? -1 : 0;
}

static int commit(const struct log *log, int64_t base, struct error *err)
{
    if (file_rename(log->dir, base, FILE_INDEX FILE_CLEANED, FILE_INDEX FILE_SWAP,
                    err) != 0)
        return -1;
    if (file_rename(log->dir, base, FILE_LOG FILE_CLEANED, FILE_LOG FILE_SWAP, err) ==
        0)
        return 0;
    file_remove(log->dir, base, FILE_INDEX FILE_SWAP);
    return -1;
}

/* Put the new segment in the place of its group. */
static int swap(struct compaction *compaction, int64_t wall_ms, struct error *err)
{
    struct log *log = compaction->log;
    struct segment *out = &compaction->out, *place = &log->segments[compaction->group];
    size_t gone = compaction->group_end - compaction->group;
    int64_t base = out->base;

    if (commit(log, base, err) != 0)
        return -1;
    for (size_t i = 0; i < gone; i++) {
        log->bytes -= place[i].size;
        log_defer(log, &place[i], wall_ms);
    }
    if (file_rename(log->dir, base, FILE_INDEX FILE_SWAP, FILE_INDEX, err) != 0 ||
        file_rename(log->dir, base, FILE_LOG FILE_SWAP, FILE_LOG, err) != 0)
        log->failed = true; /* the next start finishes it */
    segment_clear(out);
    compaction->has_out = false;
    segment_init(place, log->pool, log->dir, base);
    place->size = out->size;
    place->end = out->end;
    place->max_timestamp = out->max_timestamp;
    place->loaded = true;
    log->bytes += out->size;
    memmove(place + 1, place + gone,
            (log->count - compaction->group_end) * sizeof(*place));
    log->count -= gone - 1;
    if (log->hot != NULL)
        *log->hot = (struct log_hot){0};
    log->dir_dirty = true;
    log_written(log);
    compaction->phase = WRITING;
    compaction->group++;
    return log->failed ? -1 : 0;
}

static bool is_over(const struct compaction *compaction)
{
    const struct log *log = compaction->log;

    return compaction->phase == WRITING && !compaction->has_out &&
           log->segments[compaction->group].base >= compaction->cleaner.mapped_to;
}

static int finish(struct compaction *compaction, struct error *err)
{
    struct log *log = compaction->log;

    log->clean = compaction->cleaner.mapped_to;
    log_write(LOG_INFO, "ledger", NULL,
              "%s: compacted up to offset %" PRId64 ", %" PRId64 " bytes remain",
              log->name, log->clean, log->bytes);
    compaction_free(log);
    return log_save(log, log->marked_clean, err);
}

static int step(struct compaction *compaction, const struct log_view *view,
                int64_t wall_ms, int64_t *budget, struct error *err)
{
    if (is_over(compaction))
        return finish(compaction, err);
    switch (compaction->phase) {
    case MAPPING:
        return map_some(compaction, view, budget, err);
    case WRITING:
        return write_some(compaction, view, wall_ms, budget, err);
    case FLUSHED:
        return swap(compaction, wall_ms, err);
    case FLUSHING:
        break;
    }
    return 0;
}

bool log_compact_step(struct log *log, const struct log_view *view, int64_t wall_ms,
                      int64_t budget_bytes)
{
    struct error err = {0};
    int status = 0;

    if (log->compaction == NULL) {
        if (!log_compactable(log, view->first_unstable, wall_ms) ||
            !pool_claim(log->pool, log))
            return false;
        begin(log, view, wall_ms);
    }
    while (status == 0 && budget_bytes > 0 && log->compaction != NULL &&
           log->compaction->phase != FLUSHING)
        status = step(log->compaction, view, wall_ms, &budget_bytes, &err);
    if (status != 0) {
        log_write(LOG_WARN, "ledger", NULL,
                  "%s: compaction failed, it is tried again: %s", log->name, err.text);
        log->compact_after = wall_ms + RETRY_MS;
        compaction_free(log);
    }
    return log->compaction != NULL && log->compaction->phase != FLUSHING;
}
