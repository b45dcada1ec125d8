/* SPDX-License-Identifier: MIT
 *
 * aborted.h - the aborted transactions of one partition, in order of their markers.
 * Layer: ledger/log. Part of producers.h.
 *
 * The newest are in memory, all up to the last aborted_save in the file "aborted" of
 * the partition's folder: 40 bytes each, with a checksum. What came after is found
 * again from the log by producers_replay. Entries before the log's start leave the file
 * in aborted_save once they are the half of it.
 */
#ifndef LEDGER_LOG_ABORTED_H
#define LEDGER_LOG_ABORTED_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { ABORTED_IN_MEMORY = 4096 };

/* One aborted transaction; its records are between first and last offset. */
struct producers_aborted {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset;        /* of the marker */
    int64_t last_stable_offset; /* right after it */
};

struct aborted {
    const char *dir; /* borrowed */
    int64_t filed;   /* entries in the file */
    int64_t dead;    /* of them before the log's start */
    int64_t first;   /* number of entries[0], counted as those in the file */
    struct producers_aborted *entries;
    size_t count, capacity;
    struct producers_aborted *found; /* answer of aborted_find */
    size_t found_capacity;
};

/*
 * Read the file. Entries from the first damaged one on, and those whose marker is at or
 * after limit, are cut off. -1: the file cannot be read or cut.
 */
int aborted_open(struct aborted *list, const char *dir, int64_t limit,
                 struct error *err);
void aborted_clear(struct aborted *list);
/* Forget all of them, the file as well. */
int aborted_reset(struct aborted *list, struct error *err);

/* Offset of the newest marker, -1: there is none. */
int64_t aborted_last(const struct aborted *list);

/*
 * Those with records in [from, to). Returns their number; *out is borrowed until the
 * next call. -1: the file could not be read.
 */
int32_t aborted_find(struct aborted *list, int64_t from, int64_t to,
                     const struct producers_aborted **out, struct error *err);

/* Markers come in order. */
void aborted_add(struct aborted *list, const struct producers_aborted *entry);
/* The log begins at start now. */
void aborted_trim(struct aborted *list, int64_t start, struct error *err);
/* Put what is only in memory into the file. -1: disk full …, nothing is lost here. */
int aborted_save(struct aborted *list, struct error *err);

#endif
