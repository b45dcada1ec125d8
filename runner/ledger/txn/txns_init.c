/* SPDX-License-Identifier: MIT
 *
 * txns_init.c - InitProducerId: producer ids and the epochs that fence.
 */
#include "ledger/txn/txns_private.h"

#include "base/mem.h"

#include <stdlib.h>

static bool exhausted(int16_t epoch)
{
    return epoch >= TXN_EPOCH_EXHAUSTED;
}

/* May a producer that says who it is get an epoch? As KIP-360 has it. */
static bool is_expected(const struct txn_data *data,
                        const struct txns_producer *expected)
{
    return expected->id == TXN_NO_ID || data->producer.epoch == -1 ||
           expected->id == data->producer.id ||
           (expected->id == data->previous_id && exhausted(expected->epoch));
}

/* The epoch is used up: go on with a new producer id. */
static enum kafka_error rotate(struct txns *txns, const struct txn_data *old,
                               const struct txns_producer *expected,
                               struct txn_data *next)
{
    next->producer = (struct txns_producer){.id = txns_new_id(txns), .epoch = 0};
    next->last_epoch = expected->id != TXN_NO_ID ? old->producer.epoch : -1;
    return next->producer.id == TXN_NO_ID ? KAFKA_COORDINATOR_NOT_AVAILABLE
                                          : KAFKA_NONE;
}

static enum kafka_error bump(const struct txn_data *old,
                             const struct txns_producer *expected,
                             struct txn_data *next)
{
    if (expected->id == TXN_NO_ID) {
        next->producer.epoch++;
        next->last_epoch = -1;
    } else if (old->producer.epoch == -1 || expected->epoch == old->producer.epoch) {
        next->producer.epoch++;
        next->last_epoch = old->producer.epoch;
    } else if (expected->epoch != old->last_epoch) {
        return KAFKA_PRODUCER_FENCED;
    } /* else it asks again: the epoch that it did not hear of */
    return KAFKA_NONE;
}

static enum kafka_error next_epoch(struct txns *txns, const struct txn_data *old,
                                   const struct txns_init *init, struct txn_data *next)
{
    const struct txns_producer *expected = &init->expected;

    if (exhausted(old->producer.epoch) &&
        (expected->id == TXN_NO_ID || expected->epoch == old->producer.epoch))
        return rotate(txns, old, expected, next);
    return bump(old, expected, next);
}

static enum kafka_error begin_epoch(struct txns *txns, struct txn *txn,
                                    const struct txns_init *init,
                                    const struct txns_time *time)
{
    struct txn_data next = txn->data;

    next.state = TXN_EMPTY;
    next.bumps_epoch = false;
    next.timeout_ms = init->timeout_ms;
    next.previous_id = txn->data.producer.id;
    next.next_id = TXN_NO_ID;
    next.start_ms = -1;
    next.updated_ms = time->wall_ms;
    next.partitions = NULL;
    next.partitions_count = 0;
    enum kafka_error error = next_epoch(txns, &txn->data, init, &next);
    if (error == KAFKA_NONE && !txn_save(txns, txn, &next, true))
        error = KAFKA_COORDINATOR_NOT_AVAILABLE;
    return error;
}

/*
 * An open transaction stands in the way: abort it. Kafka lets the client ask again
 * after that; here it is done at once, unless a disk refuses, so that he need not.
 */
static enum kafka_error fence(struct txns *txns, struct txn *txn,
                              const struct txns_init *init,
                              const struct txns_time *time)
{
    enum kafka_error error = txn_decide(txns, txn, false, true, true, time);

    if (error != KAFKA_NONE)
        return error;
    txn_complete(txns, txn, time);
    if (txn->data.state != TXN_COMPLETE_ABORT)
        return KAFKA_CONCURRENT_TRANSACTIONS;
    return begin_epoch(txns, txn, init, time);
}

static enum kafka_error init_known(struct txns *txns, struct txn *txn,
                                   const struct txns_init *init,
                                   const struct txns_time *time)
{
    if (!is_expected(&txn->data, &init->expected))
        return KAFKA_PRODUCER_FENCED;
    switch (txn->data.state) {
    case TXN_PREPARE_COMMIT:
    case TXN_PREPARE_ABORT:
        return KAFKA_CONCURRENT_TRANSACTIONS;
    case TXN_ONGOING:
        return fence(txns, txn, init, time);
    default:
        return begin_epoch(txns, txn, init, time);
    }
}

static enum kafka_error init_new(struct txns *txns, const struct txns_init *init,
                                 const struct txns_time *time,
                                 struct txns_producer *out)
{
    struct txn *txn = mem_alloc(sizeof(*txn));

    txn->id =
        mem_strndup(init->transactional_id.data, (size_t)init->transactional_id.len);
    txn->id_len = init->transactional_id.len;
    txn->data.producer = (struct txns_producer){.id = txns_new_id(txns), .epoch = -1};
    txn->data.last_epoch = -1;
    enum kafka_error error = txn->data.producer.id == TXN_NO_ID
                                 ? KAFKA_COORDINATOR_NOT_AVAILABLE
                                 : begin_epoch(txns, txn, init, time);
    if (error == KAFKA_NONE) {
        HASH_ADD_KEYPTR(hh, txns->table, txn->id, (size_t)txn->id_len, txn);
        *out = txn->data.producer;
    } else {
        free(txn->id);
        free(txn);
    }
    return error;
}

enum kafka_error txns_init(struct txns *txns, const struct txns_init *init,
                           const struct txns_time *time, struct txns_producer *out)
{
    *out = (struct txns_producer){.id = TXN_NO_ID, .epoch = -1};
    if (init->transactional_id.len < 0) {
        int64_t id = txns_new_id(txns);
        if (id == TXN_NO_ID)
            return KAFKA_COORDINATOR_NOT_AVAILABLE;
        *out = (struct txns_producer){.id = id, .epoch = 0};
        return KAFKA_NONE;
    }
    if (init->transactional_id.len == 0)
        return KAFKA_INVALID_REQUEST;
    if (init->timeout_ms <= 0 || init->timeout_ms > TXNS_TIMEOUT_MAX_MS)
        return KAFKA_INVALID_TRANSACTION_TIMEOUT;
    struct txn *txn = txns_lookup(txns, init->transactional_id);
    if (txn == NULL)
        return init_new(txns, init, time, out);
    enum kafka_error error = init_known(txns, txn, init, time);
    if (error == KAFKA_NONE)
        *out = txn->data.producer;
    return error;
}
