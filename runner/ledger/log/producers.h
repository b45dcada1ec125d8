/* SPDX-License-Identifier: MIT
 *
 * producers.h - what one partition knows of the producers that have an id: which epoch,
 * which batches came last, which transaction is open; the last stable offset and the
 * list of aborted transactions. Layer: ledger/log. It never writes records.
 *
 * Kafka 4.2's rules: a batch among a producer's last 5 is a duplicate; sequences count
 * up to 2^31-1 and go on at 0; a lower epoch is fenced; a new epoch begins with
 * sequence 0; a producer that is not known may begin with any sequence, unless it
 * speaks transactions version 2 (Produce 12), then with 0.
 *
 * The state lives in two files of the partition's folder. "producers" is a snapshot
 * taken at roll and clean close; the batch headers after it are replayed
 * (producers_replay). "aborted" lists the aborted transactions (aborted.h). Both are
 * made again from the log when they do not fit it. About 220 bytes a producer,
 * PRODUCERS_MAX idle ones: beyond it those that rest longest are forgotten, as by
 * expiry.
 */
#ifndef LEDGER_LOG_PRODUCERS_H
#define LEDGER_LOG_PRODUCERS_H

#include "base/error.h"
#include "ledger/log/aborted.h"
#include "ledger/log/batch.h"
#include "ledger/wire/errors.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PRODUCERS_BATCHES = 5,
    PRODUCERS_MAX = 65536, /* idle ones a partition */
    PRODUCERS_ASKED_MAX = 4096,
    PRODUCERS_EXPIRE_MS = 24 * 60 * 60 * 1000 /* producer.id.expiration.ms */
};

struct producers;

/* One producer, as DescribeProducers shows it. */
struct producers_state {
    int64_t producer_id;
    int16_t epoch;
    int32_t last_sequence; /* -1: none */
    int64_t last_ms;       /* wall clock: its last write */
    int32_t coordinator_epoch;
    int64_t transaction_offset; /* first of the open transaction; -1: none open */
    int64_t last_offset;        /* of its last batch, -1: none */
};

/* Where a duplicate was written. */
struct producers_duplicate {
    int64_t base_offset;
    int64_t last_offset;
    int64_t max_timestamp;
};

enum producers_verdict {
    PRODUCERS_NEW,       /* append it, then producers_append */
    PRODUCERS_DUPLICATE, /* answer with the old offset */
    PRODUCERS_REFUSED,   /* answer *error */
};

/* How a batch came, for producers_check. */
struct producers_how {
    bool verified;    /* the coordinator knows the partition in this open transaction */
    bool bumps_epoch; /* transactions version 2 */
};

/*
 * Load the snapshot and the aborted list of the partition's folder. Returns NULL on
 * failure to read or make files; damaged ones are logged and begun anew. *replay_from
 * is the offset from which the log's batches must be handed to producers_replay.
 * log_start and log_end as of the log; a snapshot beyond log_end is not used.
 */
struct producers *producers_open(const char *dir, int64_t log_start, int64_t log_end,
                                 int64_t wall_ms, int64_t *replay_from,
                                 struct error *err);
/* Forget all; files stay as they are. */
void producers_close(struct producers *producers);

/* Write the snapshot as of log_end: at roll and clean close. Atomic by rename. */
int producers_snapshot(struct producers *producers, int64_t log_end, struct error *err);

/* ---- queries ------------------------------------------------------------- */

int64_t producers_count(const struct producers *producers);
int64_t producers_open_count(const struct producers *producers); /* open transactions */
/* First offset of the oldest open transaction; INT64_MAX: none is open. */
int64_t producers_first_unstable(const struct producers *producers);
/* Has the producer a transaction open here in this epoch? */
bool producers_in_transaction(const struct producers *producers, int64_t producer_id,
                              int16_t epoch);
bool producers_find(const struct producers *producers, int64_t producer_id,
                    struct producers_state *out);

/* Return false to end the walk. Nothing may be changed meanwhile. */
typedef bool producers_each_fn(void *arg, const struct producers_state *state);
void producers_each(const struct producers *producers, producers_each_fn *fn,
                    void *arg);

/*
 * The aborted transactions that have records in [from, to). Returns their number; *out
 * is borrowed until the next call. -1: their file cannot be read.
 */
int32_t producers_aborted(struct producers *producers, int64_t from, int64_t to,
                          const struct producers_aborted **out, struct error *err);

/* ---- changes ------------------------------------------------------------- */

/* May this data batch of a client be appended? Changes nothing. */
enum producers_verdict producers_check(const struct producers *producers,
                                       const struct batch *batch,
                                       const struct producers_how *how,
                                       struct producers_duplicate *duplicate,
                                       enum kafka_error *error);
/*
 * The coordinator is about to be asked for this batch: until one was appended, no batch
 * of the producer with a higher sequence is taken.
 */
void producers_ask(struct producers *producers, const struct batch *batch);
/* The data batch was appended; its base_offset is the one it got. */
void producers_append(struct producers *producers, const struct batch *batch,
                      int64_t wall_ms);

/*
 * May a marker of this producer be written? INVALID_PRODUCER_EPOCH,
 * TRANSACTION_COORDINATOR_FENCED. bumps_epoch: it must be above the epoch of the
 * records.
 */
enum kafka_error producers_check_marker(const struct producers *producers,
                                        int64_t producer_id, int16_t epoch,
                                        int32_t coordinator_epoch, bool bumps_epoch);
/* A marker was written at offset. */
void producers_marker(struct producers *producers, int64_t producer_id, int16_t epoch,
                      int32_t coordinator_epoch, bool commit, int64_t offset,
                      int64_t wall_ms);

/*
 * A batch that is in the log after the snapshot: data or marker, in order of offsets.
 * commit and coordinator_epoch are of a marker.
 */
void producers_replay(struct producers *producers, const struct batch *batch,
                      bool commit, int32_t coordinator_epoch, int64_t wall_ms);

/* The log now begins here: forget aborted transactions that ended before. */
void producers_trim(struct producers *producers, int64_t log_start);
/* Forget producers that have not written for expire_ms and have no transaction open. */
void producers_expire(struct producers *producers, int64_t wall_ms, int64_t expire_ms);

#endif
