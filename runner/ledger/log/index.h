/* SPDX-License-Identifier: MIT
 *
 * index.h - the sparse index of one segment: an entry about every index.interval.bytes.
 * Layer: ledger/log.
 *
 * An entry stands between two batches and says what lies before it: the next offset,
 * the position, the largest timestamp, and the chain: a checksum over the first 21
 * bytes of every batch so far. A batch's own checksum leaves those out but for itself;
 * so what two neighbouring entries enclose is proved to be what was written
 * (segment_check). A segment that is complete has an entry at its very end; the
 * beginning needs none. Every entry carries a checksum of its own, so a broken index is
 * noticed and made anew.
 */
#ifndef LEDGER_LOG_INDEX_H
#define LEDGER_LOG_INDEX_H

#include "ledger/log/file.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    INDEX_ENTRY_BYTES = 24,
    INDEX_PENDING = 64,
    INDEX_CHAIN_BYTES = 21, /* of a batch: base offset to checksum */
    INDEX_BEGIN = -1,       /* the number of the entry that stands nowhere */
    INDEX_UNKNOWN = -1,     /* count: not looked at yet */
};

struct index_entry {
    int64_t offset;
    int64_t position;
    int64_t max_timestamp; /* -1: nothing before */
    uint32_t chain;
};

struct index {
    struct log_file *file;
    struct index_entry *pending; /* not written yet; only where a segment grows */
    int64_t base;
    int32_t count; /* on disk */
    int32_t pending_count;
};

enum index_key { INDEX_OFFSET, INDEX_POSITION, INDEX_TIME };

/* The number of entries; looks at the file the first time. -1 and err. */
int32_t index_count(struct index *index, struct error *err);

/* Entry number i, INDEX_BEGIN … count - 1. 1: it is damaged. -1 and err: cannot read.
 */
int index_get(struct index *index, int32_t i, struct index_entry *out,
              struct error *err);

/*
 * The last entry whose offset or position is at most key, or before which no timestamp
 * reaches key. *number and the results are as with index_get.
 */
int index_find(struct index *index, enum index_key by, int64_t key, int32_t *number,
               struct index_entry *out, struct error *err);

/* Add an entry behind the others. It is written later, with others; when that fails
 * (disk full) the entry may be left out, which costs time only. */
void index_add(struct index *index, const struct index_entry *entry);

/* Write what is pending and free its memory. */
int index_write(struct index *index, struct error *err);

/* Keep the first count entries only. */
int index_cut(struct index *index, int32_t count, struct error *err);

#endif
