/* SPDX-License-Identifier: MIT */
#include "ledger/txn/txns_private.h"

#include "base/mem.h"

#include <stdlib.h>

enum { END_BUMPS = 5 }; /* version of EndTxn: transactions version 2 */

static const char *const STATE_TEXT[TXN_STATES] = {
    [TXN_EMPTY] = "Empty",
    [TXN_ONGOING] = "Ongoing",
    [TXN_PREPARE_COMMIT] = "PrepareCommit",
    [TXN_PREPARE_ABORT] = "PrepareAbort",
    [TXN_COMPLETE_COMMIT] = "CompleteCommit",
    [TXN_COMPLETE_ABORT] = "CompleteAbort",
};

const char *txn_state_text(enum txn_state state)
{
    return STATE_TEXT[state];
}

enum txn_state txn_state_find(struct wire_string text, bool *known)
{
    *known = true;
    for (int i = 0; i < TXN_STATES; i++)
        if (wire_string_is(text, STATE_TEXT[i]))
            return (enum txn_state)i;
    *known = wire_string_is(text, "Dead") || wire_string_is(text, "PrepareEpochFence");
    return TXN_STATES;
}

/* ---- opening and closing ------------------------------------------------- */

struct txns *txns_open(struct store *store, const struct txns_host *host,
                       int64_t now_ms, int64_t wall_ms, struct error *err)
{
    struct txns *txns = mem_alloc(sizeof(*txns));

    txns->store = store;
    txns->host = *host;
    txns->due_ms = INT64_MAX;
    txns->expiry_ms = now_ms;
    if (txns_load(txns, now_ms, wall_ms, err) != 0) {
        txns_close(txns);
        return NULL;
    }
    return txns;
}

void txns_close(struct txns *txns)
{
    if (txns == NULL)
        return;
    struct txn *txn = txns->table;
    HASH_CLEAR(hh, txns->table);
    while (txn != NULL) {
        struct txn *next = txn->hh.next;
        txn_partitions_free(txn->data.partitions, txn->data.partitions_count);
        free(txn->id);
        free(txn);
        txn = next;
    }
    free(txns);
}

struct txn *txns_lookup(const struct txns *txns, struct wire_string id)
{
    struct txn *txn = NULL;

    if (id.len > 0)
        HASH_FIND(hh, txns->table, id.data, (size_t)id.len, txn);
    return txn;
}

/* ---- EndTxn -------------------------------------------------------------- */

/* What an EndTxn means in the state that the transaction is in. */
enum end_action {
    END_INVALID = 0, /* INVALID_TXN_STATE */
    END_DECIDE,
    END_AGAIN, /* it happened before: say yes */
    END_WAIT,  /* CONCURRENT_TRANSACTIONS */
};

/* [state][commit]: transactions version 1. */
static const enum end_action END_V1[TXN_STATES][2] = {
    [TXN_ONGOING] = {END_DECIDE, END_DECIDE},
    [TXN_PREPARE_COMMIT] = {END_INVALID, END_WAIT},
    [TXN_PREPARE_ABORT] = {END_WAIT, END_INVALID},
    [TXN_COMPLETE_COMMIT] = {END_INVALID, END_AGAIN},
    [TXN_COMPLETE_ABORT] = {END_AGAIN, END_INVALID},
};

/*
 * [state][commit][retry]: version 2. retry: it names the epoch before the last end, so
 * it repeats that one; otherwise it ends a transaction, which may have nothing in it.
 */
static const enum end_action END_V2[TXN_STATES][2][2] = {
    [TXN_EMPTY] = {{END_DECIDE, END_DECIDE}, {END_INVALID, END_INVALID}},
    [TXN_ONGOING] = {{END_DECIDE, END_DECIDE}, {END_DECIDE, END_DECIDE}},
    [TXN_PREPARE_COMMIT] = {{END_INVALID, END_INVALID}, {END_WAIT, END_WAIT}},
    [TXN_PREPARE_ABORT] = {{END_WAIT, END_WAIT}, {END_INVALID, END_INVALID}},
    [TXN_COMPLETE_COMMIT] = {{END_DECIDE, END_INVALID}, {END_INVALID, END_AGAIN}},
    [TXN_COMPLETE_ABORT] = {{END_DECIDE, END_AGAIN}, {END_INVALID, END_INVALID}},
};

static enum kafka_error choose_v1(const struct txn_data *data,
                                  const struct txns_producer *who, bool commit,
                                  enum end_action *action)
{
    if (data->producer.id != who->id)
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    if (data->producer.epoch != who->epoch)
        return KAFKA_PRODUCER_FENCED;
    *action = END_V1[data->state][commit];
    return KAFKA_NONE;
}

static enum kafka_error choose_v2(const struct txn_data *data,
                                  const struct txns_producer *who, bool commit,
                                  enum end_action *action)
{
    bool overflowed = data->previous_id == who->id &&
                      who->epoch == TXN_EPOCH_EXHAUSTED && data->producer.epoch == 0;
    bool bumped = data->producer.epoch == who->epoch + 1;
    bool same = data->producer.epoch == who->epoch;
    bool prepared =
        data->state == TXN_PREPARE_COMMIT || data->state == TXN_PREPARE_ABORT;
    bool complete =
        data->state == TXN_COMPLETE_COMMIT || data->state == TXN_COMPLETE_ABORT;
    bool valid = prepared ? bumped : complete ? bumped || overflowed || same : same;

    if (data->producer.id != who->id && !overflowed)
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    if (!valid)
        return KAFKA_PRODUCER_FENCED;
    *action = END_V2[data->state][commit][bumped || overflowed];
    return KAFKA_NONE;
}

static enum kafka_error end(struct txns *txns, struct txn *txn, bool commit,
                            bool bumps_epoch, const struct txns_time *time)
{
    enum kafka_error error = txn_decide(txns, txn, commit, bumps_epoch, false, time);

    if (error == KAFKA_NONE)
        txn_complete(txns, txn, time);
    return error;
}

/* What the producer goes on with, also while the end is still being carried out. */
static struct txns_producer next_producer(const struct txn_data *data)
{
    if (data->next_id != TXN_NO_ID)
        return (struct txns_producer){.id = data->next_id, .epoch = 0};
    return data->producer;
}

enum kafka_error txns_end(struct txns *txns, const struct txns_writer *who, bool commit,
                          int16_t version, const struct txns_time *time,
                          struct txns_producer *out)
{
    bool bumps = version >= END_BUMPS;
    enum end_action action = END_INVALID;

    *out = (struct txns_producer){.id = TXN_NO_ID, .epoch = -1};
    if (who->transactional_id.len <= 0)
        return KAFKA_INVALID_REQUEST;
    struct txn *txn = txns_lookup(txns, who->transactional_id);
    if (txn == NULL)
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    enum kafka_error error =
        bumps ? choose_v2(&txn->data, &who->producer, commit, &action)
              : choose_v1(&txn->data, &who->producer, commit, &action);
    if (error != KAFKA_NONE)
        return error;
    if (action == END_INVALID)
        return KAFKA_INVALID_TXN_STATE;
    if (action == END_WAIT)
        return KAFKA_CONCURRENT_TRANSACTIONS;
    if (action == END_DECIDE)
        error = end(txns, txn, commit, bumps, time);
    if (error == KAFKA_NONE && bumps)
        *out = next_producer(&txn->data);
    return error;
}

/* ---- administration ------------------------------------------------------ */

static struct txns_view view_of(const struct txn *txn)
{
    bool over =
        txn->data.state == TXN_COMPLETE_COMMIT || txn->data.state == TXN_COMPLETE_ABORT;

    return (struct txns_view){
        .transactional_id = {.data = txn->id, .len = txn->id_len},
        .state = txn->data.state,
        .producer = txn->data.producer,
        .timeout_ms = txn->data.timeout_ms,
        .start_ms = txn->data.start_ms,
        .partitions = txn->data.partitions,
        .partitions_count = over ? 0 : txn->data.partitions_count,
    };
}

bool txns_find(struct txns *txns, struct wire_string transactional_id,
               struct txns_view *out)
{
    const struct txn *txn = txns_lookup(txns, transactional_id);

    if (txn != NULL)
        *out = view_of(txn);
    return txn != NULL;
}

int64_t txns_count(const struct txns *txns)
{
    return HASH_COUNT(txns->table);
}

void txns_each(struct txns *txns, txns_each_fn *fn, void *arg)
{
    for (const struct txn *txn = txns->table; txn != NULL; txn = txn->hh.next) {
        struct txns_view view = view_of(txn);
        if (!fn(arg, &view))
            return;
    }
}
