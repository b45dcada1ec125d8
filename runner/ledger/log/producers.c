/* SPDX-License-Identifier: MIT */
#include "ledger/log/producers_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <utlist.h>

static struct producer *find(const struct producers *producers, int64_t id)
{
    struct producer *found;

    HASH_FIND(hh, producers->table, &id, sizeof(id), found);
    return found;
}

/* ---- opening and closing ------------------------------------------------- */

static void clear_asked(struct producers *producers)
{
    struct producers_asked *asked = producers->asked;

    HASH_CLEAR(hh, producers->asked);
    while (asked != NULL) {
        struct producers_asked *next = asked->hh.next;
        free(asked);
        asked = next;
    }
}

static void clear_table(struct producers *producers)
{
    struct producer *producer = producers->table;

    HASH_CLEAR(hh, producers->table);
    while (producer != NULL) {
        struct producer *next = producer->hh.next;
        free(producer);
        producer = next;
    }
    producers->open = NULL;
    producers->open_count = 0;
    clear_asked(producers);
}

/* The snapshot may be used when the log still holds everything that it stands for, and
 * the aborted list everything that it had then. */
static bool snapshot_fits(const struct producers *producers, int64_t end,
                          int64_t last_aborted, int64_t log_start, int64_t log_end)
{
    return end <= log_end && (last_aborted < log_start ||
                              last_aborted == aborted_last(&producers->aborted));
}

static int load(struct producers *producers, int64_t log_start, int64_t log_end,
                int64_t *replay_from, struct error *err)
{
    int64_t end = log_start, last_aborted = -1;
    enum producers_load loaded = producers_read(producers, &end, &last_aborted);
    bool usable = loaded == PRODUCERS_LOADED && end <= log_end;

    *replay_from = usable ? end : log_start;
    if (aborted_open(&producers->aborted, producers->dir, *replay_from, err) != 0)
        return -1;
    if (usable && snapshot_fits(producers, end, last_aborted, log_start, log_end)) {
        producers->saved_end = end;
        return 0;
    }
    if (loaded != PRODUCERS_NONE)
        log_write(
            LOG_WARN, "ledger", NULL,
            "%s: the snapshot of the producers does not fit the log; it is made again",
            producers->dir);
    clear_table(producers);
    producers_unlink(producers);
    *replay_from = log_start;
    return aborted_reset(&producers->aborted, err);
}

struct producers *producers_open(const char *dir, int64_t log_start, int64_t log_end,
                                 int64_t wall_ms, int64_t *replay_from,
                                 struct error *err)
{
    struct producers *producers = mem_alloc(sizeof(*producers));

    producers->dir = mem_strdup(dir);
    producers->aborted.dir = producers->dir;
    producers->saved_end = -1;
    if (load(producers, log_start, log_end, replay_from, err) != 0) {
        producers_close(producers);
        return NULL;
    }
    if (*replay_from < log_start)
        *replay_from = log_start;
    producers_trim(producers, log_start);
    producers_expire(producers, wall_ms, PRODUCERS_EXPIRE_MS);
    return producers;
}

void producers_close(struct producers *producers)
{
    if (producers == NULL)
        return;
    clear_table(producers);
    aborted_clear(&producers->aborted);
    free(producers->dir);
    free(producers);
}

int producers_snapshot(struct producers *producers, int64_t log_end, struct error *err)
{
    if (producers->saved_end == log_end)
        return 0;
    /* The list first: a snapshot that knows more than the list is not used. */
    if (aborted_save(&producers->aborted, err) != 0 ||
        producers_write(producers, log_end, err) != 0)
        return -1;
    producers->saved_end = log_end;
    return 0;
}

/* ---- queries ------------------------------------------------------------- */

int64_t producers_count(const struct producers *producers)
{
    return HASH_COUNT(producers->table);
}

int64_t producers_open_count(const struct producers *producers)
{
    return (int64_t)producers->open_count;
}

int64_t producers_first_unstable(const struct producers *producers)
{
    return producers->open != NULL ? producers->open->transaction : INT64_MAX;
}

bool producers_in_transaction(const struct producers *producers, int64_t producer_id,
                              int16_t epoch)
{
    const struct producer *producer = find(producers, producer_id);

    return producer != NULL && producer->transaction >= 0 && producer->epoch == epoch;
}

static struct producers_state state_of(const struct producer *producer)
{
    return (struct producers_state){
        .producer_id = producer->id,
        .epoch = producer->epoch,
        .last_sequence = producer->batches > 0 ? producer->last_sequence : -1,
        .last_ms = producer->last_ms,
        .coordinator_epoch = producer->coordinator_epoch,
        .transaction_offset = producer->transaction,
        .last_offset = producer->batches > 0 ? producer->last_offset[0] : -1,
    };
}

bool producers_find(const struct producers *producers, int64_t producer_id,
                    struct producers_state *out)
{
    const struct producer *producer = find(producers, producer_id);

    if (producer != NULL)
        *out = state_of(producer);
    return producer != NULL;
}

void producers_each(const struct producers *producers, producers_each_fn *fn, void *arg)
{
    for (const struct producer *p = producers->table; p != NULL; p = p->hh.next) {
        struct producers_state state = state_of(p);
        if (!fn(arg, &state))
            return;
    }
}

int32_t producers_aborted(struct producers *producers, int64_t from, int64_t to,
                          const struct producers_aborted **out, struct error *err)
{
    return aborted_find(&producers->aborted, from, to, out, err);
}

/* ---- sequences ----------------------------------------------------------- */

/* Sequences count modulo 2^31. */
static int32_t sequence_add(int32_t sequence, int32_t count)
{
    return (int32_t)(((uint32_t)sequence + (uint32_t)count) & INT32_MAX);
}

static bool find_duplicate(const struct producer *producer, const struct batch *batch,
                           struct producers_duplicate *out)
{
    int32_t last = producer->last_sequence;
    int32_t batch_last = sequence_add(batch->base_sequence, batch->last_offset_delta);

    for (int i = 0; i < producer->batches; i++) {
        int32_t first = sequence_add(last, -producer->delta[i]);
        if (first == batch->base_sequence && last == batch_last) {
            *out = (struct producers_duplicate){
                .base_offset = producer->last_offset[i] - producer->delta[i],
                .last_offset = producer->last_offset[i],
                .max_timestamp = producer->timestamp[i],
            };
            return true;
        }
        last = sequence_add(first, -1);
    }
    return false;
}

/* Is this the sequence that a batch of this producer has to begin with now? */
static bool in_sequence(const struct producer *producer, const struct batch *batch)
{
    if (producer->epoch == -1)
        return true;
    if (producer->epoch != batch->producer_epoch)
        return batch->base_sequence == 0;
    if (producer->batches == 0) /* nothing since the epoch began with a marker */
        return batch->base_sequence == 0;
    return batch->base_sequence == sequence_add(producer->last_sequence, 1);
}

static struct producers_asked *find_asked(const struct producers *producers, int64_t id)
{
    struct producers_asked *asked;

    HASH_FIND(hh, producers->asked, &id, sizeof(id), asked);
    return asked;
}

void producers_ask(struct producers *producers, const struct batch *batch)
{
    struct producers_asked *asked = find_asked(producers, batch->producer_id);

    if (asked == NULL) {
        /* They are few and short-lived, unless somebody makes up ids. */
        if (HASH_COUNT(producers->asked) >= PRODUCERS_ASKED_MAX)
            return;
        asked = mem_alloc(sizeof(*asked));
        asked->id = batch->producer_id;
        asked->epoch = -1;
        HASH_ADD(hh, producers->asked, id, sizeof(asked->id), asked);
    }
    if (batch->producer_epoch > asked->epoch ||
        (batch->producer_epoch == asked->epoch &&
         batch->base_sequence < asked->sequence)) {
        asked->epoch = batch->producer_epoch;
        asked->sequence = batch->base_sequence;
    }
}

static void forget_asked(struct producers *producers, int64_t id)
{
    struct producers_asked *asked = find_asked(producers, id);

    if (asked != NULL) {
        HASH_DEL(producers->asked, asked);
        free(asked);
    }
}

static enum kafka_error check_state(const struct producer *producer,
                                    const struct batch *batch,
                                    const struct producers_how *how, bool open)
{
    if (batch_is_transactional(batch) && !open && !how->verified)
        return KAFKA_INVALID_TXN_STATE;
    if (producer != NULL && batch->producer_epoch < producer->epoch)
        return KAFKA_INVALID_PRODUCER_EPOCH;
    /* With version 2 the coordinator knows the producer: without any state here this
     * must be its first batch, not a later one that overtook it. */
    if (batch_is_transactional(batch) && !open && how->bumps_epoch &&
        batch->base_sequence != 0 && (producer == NULL || producer->batches == 0))
        return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (producer != NULL && !in_sequence(producer, batch))
        return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (producer != NULL && producer->transaction >= 0 &&
        !batch_is_transactional(batch))
        return KAFKA_INVALID_TXN_STATE;
    return KAFKA_NONE;
}

static bool overtakes(const struct producers *producers, const struct batch *batch)
{
    const struct producers_asked *asked =
        producers->asked != NULL ? find_asked(producers, batch->producer_id) : NULL;

    return asked != NULL && batch->base_sequence > asked->sequence;
}

enum producers_verdict producers_check(const struct producers *producers,
                                       const struct batch *batch,
                                       const struct producers_how *how,
                                       struct producers_duplicate *duplicate,
                                       enum kafka_error *error)
{
    const struct producer *producer = find(producers, batch->producer_id);
    bool same_epoch = producer != NULL && producer->epoch == batch->producer_epoch;

    if (same_epoch && find_duplicate(producer, batch, duplicate))
        return PRODUCERS_DUPLICATE;
    *error =
        check_state(producer, batch, how, same_epoch && producer->transaction >= 0);
    if (*error == KAFKA_NONE && overtakes(producers, batch))
        *error = KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    return *error == KAFKA_NONE ? PRODUCERS_NEW : PRODUCERS_REFUSED;
}

/* ---- changes ------------------------------------------------------------- */

static size_t idle_count(const struct producers *producers)
{
    return HASH_COUNT(producers->table) - producers->open_count;
}

/* When there are too many: the producers that rest longest are forgotten, a good part
 * of them at once. */
static void make_room(struct producers *producers, int64_t wall_ms)
{
    for (int64_t age = PRODUCERS_EXPIRE_MS / 2; age >= 1; age /= 2) {
        producers_expire(producers, wall_ms, age);
        if (idle_count(producers) < PRODUCERS_MAX / 4 * 3)
            return;
    }
    producers_expire(producers, wall_ms, 0);
}

static struct producer *find_or_add(struct producers *producers, int64_t id,
                                    int64_t wall_ms)
{
    struct producer *producer = find(producers, id);

    if (producer != NULL)
        return producer;
    if (idle_count(producers) >= PRODUCERS_MAX)
        make_room(producers, wall_ms);
    producer = mem_alloc(sizeof(*producer));
    producer->id = id;
    producer->epoch = -1;
    producer->transaction = -1;
    producer->coordinator_epoch = -1;
    HASH_ADD(hh, producers->table, id, sizeof(producer->id), producer);
    return producer;
}

static void set_epoch(struct producer *producer, int16_t epoch)
{
    if (producer->epoch != epoch) {
        producer->epoch = epoch;
        producer->batches = 0;
    }
}

static void add_batch(struct producer *producer, const struct batch *batch)
{
    /* Only a log that lost records or was compacted has gaps. */
    if (producer->batches > 0 &&
        batch->base_sequence != sequence_add(producer->last_sequence, 1))
        producer->batches = 0;
    if (producer->batches < PRODUCERS_BATCHES)
        producer->batches++;
    for (int i = producer->batches - 1; i > 0; i--) {
        producer->last_offset[i] = producer->last_offset[i - 1];
        producer->timestamp[i] = producer->timestamp[i - 1];
        producer->delta[i] = producer->delta[i - 1];
    }
    producer->last_offset[0] = batch_last_offset(batch);
    producer->timestamp[0] = batch->max_timestamp;
    producer->delta[0] = batch->last_offset_delta;
    producer->last_sequence =
        sequence_add(batch->base_sequence, batch->last_offset_delta);
}

void producers_begin(struct producers *producers, struct producer *producer,
                     int64_t first_offset)
{
    DL_APPEND2(producers->open, producer, prev_open, next_open);
    producers->open_count++;
    producer->transaction = first_offset;
}

/* Take a producer's transaction off the list of open ones. */
static void finish(struct producers *producers, struct producer *producer)
{
    DL_DELETE2(producers->open, producer, prev_open, next_open);
    producers->open_count--;
    producer->transaction = -1;
}

void producers_append(struct producers *producers, const struct batch *batch,
                      int64_t wall_ms)
{
    struct producer *producer = find_or_add(producers, batch->producer_id, wall_ms);

    set_epoch(producer, batch->producer_epoch);
    add_batch(producer, batch);
    producer->last_ms = wall_ms;
    if (batch_is_transactional(batch) && producers->asked != NULL)
        forget_asked(producers, batch->producer_id);
    if (batch_is_transactional(batch) && producer->transaction < 0)
        producers_begin(producers, producer, batch->base_offset);
}

enum kafka_error producers_check_marker(const struct producers *producers,
                                        int64_t producer_id, int16_t epoch,
                                        int32_t coordinator_epoch, bool bumps_epoch)
{
    const struct producer *producer = find(producers, producer_id);

    if (producer == NULL)
        return KAFKA_NONE;
    /* The same epoch with nothing open is this marker a second time. */
    bool again = epoch == producer->epoch && producer->transaction < 0;
    if (epoch < producer->epoch || (bumps_epoch && epoch == producer->epoch && !again))
        return KAFKA_INVALID_PRODUCER_EPOCH;
    if (coordinator_epoch < producer->coordinator_epoch)
        return KAFKA_TRANSACTION_COORDINATOR_FENCED;
    return KAFKA_NONE;
}

void producers_marker(struct producers *producers, int64_t producer_id, int16_t epoch,
                      int32_t coordinator_epoch, bool commit, int64_t offset,
                      int64_t wall_ms)
{
    struct producer *producer = find_or_add(producers, producer_id, wall_ms);
    int64_t first = producer->transaction;

    forget_asked(producers, producer_id);
    set_epoch(producer, epoch);
    producer->coordinator_epoch = coordinator_epoch;
    producer->last_ms = wall_ms;
    if (first < 0)
        return;
    finish(producers, producer);
    if (commit)
        return;
    int64_t stable = producers_first_unstable(producers);
    struct producers_aborted entry = {
        .producer_id = producer_id,
        .first_offset = first,
        .last_offset = offset,
        .last_stable_offset = stable < offset + 1 ? stable : offset + 1,
    };
    aborted_add(&producers->aborted, &entry);
}

void producers_replay(struct producers *producers, const struct batch *batch,
                      bool commit, int32_t coordinator_epoch, int64_t wall_ms)
{
    if (batch->producer_id < 0)
        return;
    if (batch_is_control(batch))
        producers_marker(producers, batch->producer_id, batch->producer_epoch,
                         coordinator_epoch, commit, batch->base_offset, wall_ms);
    else
        producers_append(producers, batch, wall_ms);
}

void producers_trim(struct producers *producers, int64_t log_start)
{
    struct error err = {0};

    aborted_trim(&producers->aborted, log_start, &err);
    if (error_is_set(&err)) /* they stay in the list a while longer */
        log_write(LOG_WARN, "ledger", NULL, "%s", err.text);
}

void producers_expire(struct producers *producers, int64_t wall_ms, int64_t expire_ms)
{
    struct producer *producer, *next;

    if (HASH_COUNT(producers->asked) > PRODUCERS_ASKED_MAX / 2) /* those who gave up */
        clear_asked(producers);
    HASH_ITER(hh, producers->table, producer, next)
    {
        if (producer->transaction < 0 && wall_ms - producer->last_ms >= expire_ms) {
            HASH_DEL(producers->table, producer);
            free(producer);
        }
    }
}
