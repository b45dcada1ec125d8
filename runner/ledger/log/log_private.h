/* SPDX-License-Identifier: MIT
 *
 * log_private.h - what the files of ledger/log know of a log. Layer: ledger/log,
 * private.
 */
#ifndef LEDGER_LOG_PRIVATE_H
#define LEDGER_LOG_PRIVATE_H

#include "ledger/log/log.h"
#include "ledger/log/segment.h"
#include "ledger/log/sync.h"

#include <stddef.h>

enum {
    HOT_PLACES = 4,
    UNPACK_MAX = 64 << 20, /* batches that grow beyond are not looked into */
    INTERVAL_MAX =
        1 << 20, /* index entries are at least this dense: checks read that much */
};

/* A batch begins at this offset and position. */
struct place {
    int64_t offset;
    int64_t position;
    int64_t base; /* of the segment */
};

/* Where reading is likely to go on: a log that rests has none of this. */
struct log_hot {
    struct place reads[HOT_PLACES];   /* where reads ended */
    struct place appends[HOT_PLACES]; /* where appends began */
    unsigned next_read, next_append;
};

struct deferred {
    char *path;
    int64_t due_wall_ms;
};

struct compaction;

struct log {
    struct log_pool *pool;
    char *dir;
    char *name;
    struct log_config config;
    struct segment *segments; /* by base; the last one grows */
    size_t count, capacity;
    int64_t start, end;
    int64_t bytes;
    int64_t clean;         /* offsets below have been compacted */
    int64_t sparse;        /* offsets below may be missing: compaction took them */
    int64_t compact_after; /* wall time; after a failure */
    int64_t flushed;       /* recovery point */
    int64_t flushing;      /* the recovery point when the round that runs is over */
    int64_t saved_active, saved_size; /* where the saved recovery point is */
    int64_t roll_timestamp; /* of the active segment's first batch; -1: none */
    int64_t roll_created;
    int64_t flush_wall_ms; /* last time that flush.ms asked for a flush */
    struct sync_entry sync;
    struct log_hot *hot;
    struct damage *damages;
    size_t damage_count, damage_capacity;
    struct deferred *deferred;
    size_t deferred_count, deferred_capacity;
    struct compaction *compaction;
    bool marked_clean;     /* the checkpoint on disk says that the log was closed */
    bool dir_new;          /* its folder was made since the last flush */
    bool dir_dirty;        /* files were made or renamed since the last flush */
    bool checkpoint_dirty; /* written since the last flush */
    bool start_dirty;      /* the same */
    bool gaps; /* offsets may be missing anywhere: nobody knows what was compacted */
    bool failed;
    bool roll_failed; /* when retention wanted a new segment, which was said */
    bool used;        /* since log_retain looked last */
};

static inline struct segment *log_last(const struct log *log)
{
    return &log->segments[log->count - 1];
}

/* checkpoint.c */
#define CHECKPOINT_NAME "checkpoint"
#define CHECKPOINT_START "start" /* only in logs whose records somebody deleted */

struct checkpoint {
    int64_t start, flushed, clean, sparse;
    int64_t closed_end; /* end offset when it was closed; -1: it is open */
};
/* 0: read; 1: there is none or it is damaged; -1 and err. */
int checkpoint_read(const char *dir, struct checkpoint *out, struct error *err);
int checkpoint_write(const char *dir, const struct checkpoint *checkpoint,
                     struct error *err);
/* The start offset alone; results as above. */
int checkpoint_read_start(const char *dir, int64_t *start, struct error *err);
int checkpoint_write_start(const char *dir, int64_t start, struct error *err);
/* Write the log's; closed: with the mark of a clean end. */
int log_save(struct log *log, bool closed, struct error *err);

/* log.c */
struct segment *log_add_segment(struct log *log,
                                int64_t base); /* in memory, at the end */
int log_new_segment(struct log *log, int64_t base, int64_t wall_ms, struct error *err);
/* Index of the segment that holds offset, or would. */
size_t log_segment_of(const struct log *log, int64_t offset);
/* Delete the first count segments, from disk too after the delay; start moves on. */
void log_drop_segments(struct log *log, size_t count, int64_t wall_ms);
void log_defer(struct log *log, struct segment *segment, int64_t wall_ms);
void log_remove_due(struct log *log, int64_t wall_ms, bool all);
void log_written(struct log *log); /* something is to be flushed */

/* space.c: blocks of the disk ahead of a segment's end. */
/* Before len bytes are appended. */
void log_reserve(struct log *log, struct segment *segment, int64_t len);
void log_give_back(struct segment *segment);
/* What a broker that was killed had reserved. */
void log_give_back_lost(struct segment *segment);

/* damage.c */
void log_damage(struct log *log,
                const struct damage *damage); /* one after the other: one */
void log_name_damages(struct log *log);       /* in the log, those that were not */
void log_forget_damages(struct log *log, int64_t base);

/* recover.c: find the segments in the folder and check what a crash may have broken. */
int log_recover(struct log *log, int64_t wall_ms, struct log_report *report,
                struct error *err);

/* dirty.c: the part of the log that compaction has not seen, which it may look at. */
int64_t log_dirty_from(const struct log *log);
int64_t log_dirty_limit(struct log *log, int64_t first_unstable, int64_t wall_ms);
bool log_is_dirty(struct log *log, int64_t first_unstable, int64_t wall_ms);

/* compact.c */
void compaction_free(struct log *log);

#endif
