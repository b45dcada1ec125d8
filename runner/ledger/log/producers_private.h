/* SPDX-License-Identifier: MIT
 *
 * producers_private.h - what producers.c and its snapshot file share. Layer:
 * ledger/log.
 */
#ifndef LEDGER_LOG_PRODUCERS_PRIVATE_H
#define LEDGER_LOG_PRODUCERS_PRIVATE_H

#include "ledger/log/producers.h"

#include <uthash.h>

/* Sequences of the batches follow from the last one: they are gapless. */
struct producer {
    int64_t id;
    int64_t transaction; /* first offset of the open one, -1: none */
    int64_t last_ms;
    int64_t last_offset[PRODUCERS_BATCHES]; /* newest first */
    int64_t timestamp[PRODUCERS_BATCHES];
    int32_t delta[PRODUCERS_BATCHES]; /* last offset - first offset */
    int32_t last_sequence;
    int32_t coordinator_epoch;
    int16_t epoch; /* -1: none yet */
    uint8_t batches;
    struct producer *prev_open, *next_open;
    UT_hash_handle hh;
};

/*
 * A batch whose producer's transaction was not open here: the coordinator was asked,
 * and its answer may have been no. Later batches of the producer must not overtake it.
 */
struct producers_asked {
    int64_t id;
    int32_t sequence; /* the lowest one of the epoch */
    int16_t epoch;
    UT_hash_handle hh;
};

struct producers {
    char *dir;
    struct producer *table;        /* uthash by id */
    struct producers_asked *asked; /* the same */
    struct producer *open; /* with a transaction, in order of their first offsets */
    size_t open_count;
    struct aborted aborted;
    int64_t saved_end; /* log end of the snapshot on disk, -1: none */
};

/* Add a transaction that is not older than those open. */
void producers_begin(struct producers *producers, struct producer *producer,
                     int64_t first_offset);

enum producers_load { PRODUCERS_LOADED, PRODUCERS_NONE, PRODUCERS_DAMAGED };
/*
 * Read the snapshot into the empty table. *end is the log end that it stands for and
 * *aborted_last the newest marker in the aborted list then. Anything but LOADED leaves
 * the table empty.
 */
enum producers_load producers_read(struct producers *producers, int64_t *end,
                                   int64_t *aborted_last);
int producers_write(struct producers *producers, int64_t end, struct error *err);
void producers_unlink(struct producers *producers);

#endif
