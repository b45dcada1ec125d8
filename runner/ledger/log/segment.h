/* SPDX-License-Identifier: MIT
 *
 * segment.h - one file of batches and its index: finding, checking, walking,
 * recovering. Layer: ledger/log, private to it. log_private.h has the log that segments
 * belong to.
 */
#ifndef LEDGER_LOG_SEGMENT_H
#define LEDGER_LOG_SEGMENT_H

#include "ledger/log/batch.h"
#include "ledger/log/index.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEGMENT_TIME_UNKNOWN = INT32_MIN };

struct segment {
    struct log_file *file;
    struct index index;
    int64_t base;
    int64_t size;
    int64_t end;           /* next offset; of a sealed segment the next one's base */
    int64_t max_timestamp; /* -1: none; SEGMENT_TIME_UNKNOWN: not looked at yet */
    /* Bytes from trusted_from on were written or checked by this process, and those in
     * checked_from … checked_to have been checked. */
    int64_t trusted_from, checked_from, checked_to;
    int64_t indexed;  /* position of the last index entry; where it grows */
    int64_t reserved; /* the disk's blocks are taken up to here */
    uint32_t chain;   /* over all its batches; where it grows */
    bool loaded;      /* the index is known to be complete */
};

/* Bytes of a segment that are not what was written, and the offsets lost with them. */
struct damage {
    int64_t base; /* of the segment */
    int64_t from, to;
    int64_t lost_from, lost_to;
    bool named; /* in the log */
};

struct log;

void segment_init(struct segment *segment, struct log_pool *pool, const char *dir,
                  int64_t base);
void segment_clear(struct segment *segment); /* drops its files, leaves them on disk */

/* Make sure that the index is there and complete, if need be by reading the segment. */
int segment_load(struct log *log, struct segment *segment, struct error *err);

/* The index's last entry; false when there is none that can be read. */
bool segment_last_entry(struct segment *segment, struct index_entry *out);

/* Offsets from … to were behind the segment's end, and are not any more: name them. */
void segment_name_missing(struct log *log, const struct segment *segment, int64_t from,
                          int64_t to);

/* index_find on an index that is made anew should it turn out to be damaged. */
int segment_find(struct log *log, struct segment *segment, enum index_key by,
                 int64_t key, struct index_entry *out, struct error *err);

/* Make sure that the bytes from … to are checked; damages are added to the log's. */
int segment_check(struct log *log, struct segment *segment, int64_t from, int64_t to,
                  struct error *err);

/* Take a batch just written at position into index, chain, times and size. */
void segment_note(struct segment *segment, const struct batch *batch,
                  const uint8_t *data, int64_t interval);
/* An index entry at the end, so that the index is complete. */
int segment_finish(struct segment *segment, struct error *err);

/*
 * Read everything from an index entry (number, entry) on, compare checksums and
 * continuity and write the index anew from there. What is bad before offset keep is a
 * damage and skipped. What is bad behind it ends the segment there, and so does damage
 * up to the end if may_cut: cut says how many bytes remain in the file behind the good
 * ones.
 */
struct segment_rescan {
    int32_t number;
    struct index_entry from;
    int64_t keep;
    int64_t limit;   /* no batch of the segment may reach beyond this offset */
    bool may_cut;    /* the file may be cut behind its last good batch */
    int64_t cut;     /* out: bytes at the end that are no batches */
    int64_t checked; /* out: bytes read */
};
int segment_rescan(struct log *log, struct segment *segment,
                   struct segment_rescan *rescan, struct error *err);

/* The first damage that ends behind position, or NULL. */
const struct damage *segment_damage(const struct log *log,
                                    const struct segment *segment, int64_t position);

/* A walk over batches. It sees checked ones only and steps over damages. */
struct walk {
    struct log *log;
    struct segment *segment;
    int64_t at;       /* position of the batch that walk_next gave */
    int64_t position; /* of the one that comes */
    int64_t expected; /* offset below which no batch may begin */
    int64_t ahead;    /* bytes to read at once */
    struct pool_buffer buffer;
    int64_t buffer_at;
    int64_t buffer_len;
};

enum { WALK_HEADERS = 4096, WALK_ALL = 256 * 1024 };

/* From a position where a batch begins. ahead: WALK_HEADERS to look at headers,
 * WALK_ALL to read the batches as well. */
void walk_begin(struct walk *walk, struct log *log, struct segment *segment,
                int64_t position, int64_t ahead);
/* 1: *out is the next batch. 0: the segment's end. -1 and err. */
int walk_next(struct walk *walk, struct batch *out, struct error *err);
/* The bytes of the batch that walk_next gave, valid until the next call; NULL and err.
 */
const uint8_t *walk_data(struct walk *walk, const struct batch *batch,
                         struct error *err);
void walk_end(struct walk *walk);

#endif
