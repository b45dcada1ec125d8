/* SPDX-License-Identifier: MIT
 *
 * txns_end.c - how transactions end: decided, marked, settled, complete; and what time
 * and restarts do to them.
 */
#include "ledger/txn/txns_private.h"

#include "base/log.h"

#include <utlist.h>

enum { EXPIRY_CHECK_MS = 60 * 60 * 1000 };

/* ---- which are busy ------------------------------------------------------ */

static bool is_prepared(enum txn_state state)
{
    return state == TXN_PREPARE_COMMIT || state == TXN_PREPARE_ABORT;
}

void txn_watch(struct txns *txns, struct txn *txn, int64_t due_ms)
{
    bool busy = txn->data.state == TXN_ONGOING || is_prepared(txn->data.state);
    bool listed = txn->prev != NULL; /* utlist: the head's prev is the tail */

    txn->due_ms = due_ms;
    if (busy && !listed) {
        DL_APPEND(txns->busy, txn);
    } else if (!busy && listed) {
        DL_DELETE(txns->busy, txn);
        txn->prev = txn->next = NULL;
    }
    if (busy && due_ms < txns->due_ms)
        txns->due_ms = due_ms;
}

/* ---- the decision -------------------------------------------------------- */

enum kafka_error txn_decide(struct txns *txns, struct txn *txn, bool commit,
                            bool bumps_epoch, bool fence, const struct txns_time *time)
{
    struct txn_data next = txn->data;

    if (txn->data.state !=
        TXN_ONGOING) { /* the abort of a transaction without anything */
        next.start_ms = time->wall_ms;
        next.partitions = NULL;
        next.partitions_count = 0;
    }
    next.state = commit ? TXN_PREPARE_COMMIT : TXN_PREPARE_ABORT;
    next.bumps_epoch = bumps_epoch;
    next.previous_id = txn->data.producer.id;
    next.next_id = TXN_NO_ID;
    next.updated_ms = time->wall_ms;
    if (bumps_epoch) {
        if (!fence && txn->data.producer.epoch >= TXN_EPOCH_EXHAUSTED &&
            (next.next_id = txns_new_id(txns)) == TXN_NO_ID)
            return KAFKA_COORDINATOR_NOT_AVAILABLE;
        next.last_epoch = txn->data.producer.epoch;
        next.producer.epoch++;
    }
    if (!txn_save(txns, txn, &next, true))
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    txn->marked = 0;
    txn->recovered = txn->complained = false;
    txn_watch(txns, txn, time->now_ms);
    return KAFKA_NONE;
}

/* ---- carrying it out ----------------------------------------------------- */

/* Mark one partition. False: its disk refused, to be tried again. */
static bool mark(struct txns *txns, struct txn *txn, const struct txns_partition *where,
                 int64_t wall_ms)
{
    const struct partition_mark marker = {
        .producer_id = txn->data.producer.id,
        .epoch = txn->data.producer.epoch,
        .coordinator_epoch = TXNS_COORDINATOR_EPOCH,
        .commit = txn->data.state == TXN_PREPARE_COMMIT,
        .bumps_epoch = txn->data.bumps_epoch,
        .wall_ms = wall_ms,
    };
    struct producers_state state;
    bool broken = false;

    if (wire_string_is(where->topic, TXNS_OFFSETS_TOPIC))
        return true; /* settled at once for all groups */
    struct partition *partition =
        txns->host.partition(txns->host.arg, where->topic, where->index, &broken);
    if (partition == NULL)
        return !broken; /* its topic is gone */
    if (txn->recovered && (!partition_producer(partition, marker.producer_id, &state) ||
                           state.transaction_offset < 0))
        return true; /* marked before the restart, or never written to */
    enum kafka_error error = partition_marker(partition, &marker);
    if (error != KAFKA_NONE && error != KAFKA_STORAGE_ERROR)
        log_write(LOG_WARN, "ledger", NULL, "%s: no marker for transactional.id %s: %s",
                  partition_name(partition), txn->id, kafka_error_text(error));
    return error != KAFKA_STORAGE_ERROR;
}

static bool mark_all(struct txns *txns, struct txn *txn, int64_t wall_ms)
{
    for (; txn->marked < txn->data.partitions_count; txn->marked++)
        if (!mark(txns, txn, &txn->data.partitions[txn->marked], wall_ms))
            return false;
    return true;
}

static bool settle(struct txns *txns, const struct txn *txn)
{
    bool commit = txn->data.state == TXN_PREPARE_COMMIT;
    struct error err = {0};

    for (int32_t i = 0; i < txn->data.partitions_count; i++)
        if (wire_string_is(txn->data.partitions[i].topic, TXNS_OFFSETS_TOPIC))
            return txns->host.settle(txns->host.arg, txn->data.producer.id, commit,
                                     &err) == 0;
    return true;
}

static bool finish(struct txns *txns, struct txn *txn, int64_t wall_ms)
{
    struct txn_data next = txn->data;

    next.state =
        next.state == TXN_PREPARE_COMMIT ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT;
    next.previous_id = next.producer.id;
    next.updated_ms = wall_ms;
    if (next.next_id != TXN_NO_ID)
        next.producer = (struct txns_producer){.id = next.next_id, .epoch = 0};
    next.next_id = TXN_NO_ID;
    return txn_save(txns, txn, &next, false);
}

void txn_complete(struct txns *txns, struct txn *txn, const struct txns_time *time)
{
    if (mark_all(txns, txn, time->wall_ms) && settle(txns, txn) &&
        finish(txns, txn, time->wall_ms)) {
        txn_watch(txns, txn, INT64_MAX);
        return;
    }
    if (!txn->complained)
        log_write(LOG_WARN, "ledger", NULL,
                  "the end of a transaction of %s waits for the disk", txn->id);
    txn->complained = true;
    txn_watch(txns, txn, time->now_ms + TXNS_RETRY_MS);
}

bool txns_end_kept(struct txns *txns, struct wire_string transactional_id)
{
    const struct txn *txn = txns_lookup(txns, transactional_id);

    for (int32_t i = 0; txn != NULL && i < txn->data.partitions_count; i++) {
        const struct txns_partition *where = &txn->data.partitions[i];
        bool broken = false;
        struct partition *partition =
            txns->host.partition(txns->host.arg, where->topic, where->index, &broken);

        if (broken || (partition != NULL && log_failed(partition_log(partition))))
            return false;
    }
    return true;
}

/* ---- time ---------------------------------------------------------------- */

static void on_due(struct txns *txns, struct txn *txn, const struct txns_time *time)
{
    if (txn->data.state == TXN_ONGOING) {
        log_write(LOG_INFO, "ledger", NULL,
                  "a transaction of %s took longer than %d ms and is aborted", txn->id,
                  (int)txn->data.timeout_ms);
        if (txn_decide(txns, txn, false, true, true, time) != KAFKA_NONE) {
            txn_watch(txns, txn, time->now_ms + TXNS_RETRY_MS);
            return;
        }
    }
    txn_complete(txns, txn, time);
}

static void forget_expired(struct txns *txns, int64_t wall_ms)
{
    struct txn *txn, *next;

    HASH_ITER(hh, txns->table, txn, next)
    {
        bool busy = txn->data.state == TXN_ONGOING || is_prepared(txn->data.state);
        if (!busy && wall_ms - txn->data.updated_ms >= TXNS_EXPIRE_MS)
            txn_forget(txns, txn);
    }
}

int64_t txns_tick(struct txns *txns, int64_t now_ms, int64_t wall_ms)
{
    const struct txns_time time = {.now_ms = now_ms, .wall_ms = wall_ms};
    struct txn *txn, *next;
    int64_t due = INT64_MAX;

    if (now_ms >= txns->expiry_ms) {
        forget_expired(txns, wall_ms);
        txns->expiry_ms = now_ms + EXPIRY_CHECK_MS;
    }
    if (now_ms >= txns->due_ms) {
        DL_FOREACH_SAFE(txns->busy, txn, next)
        if (txn->due_ms <= now_ms)
            on_due(txns, txn, &time);
        DL_FOREACH(txns->busy, txn)
        if (txn->due_ms < due)
            due = txn->due_ms;
        txns->due_ms = due;
    }
    return txns->due_ms < txns->expiry_ms ? txns->due_ms : txns->expiry_ms;
}

/* ---- after a power cut --------------------------------------------------- */

static bool contains(const struct txn_data *data, const struct txns_partition *where)
{
    for (int32_t i = 0; i < data->partitions_count; i++)
        if (txn_partition_compare(&data->partitions[i], where) == 0)
            return true;
    return false;
}

struct reconciling {
    struct txns *txns;
    struct txns_partition where;
    struct partition *partition;
    struct partition_mark *marks; /* to be written */
    size_t count, capacity;
    int64_t wall_ms;
};

/* What became of a transaction that the partition has open: true, *mark says how to end
 * it; false, it is still open or its end is under way. */
static bool find_end(const struct reconciling *work, const struct producers_state *open,
                     struct partition_mark *mark)
{
    for (struct txn *txn = work->txns->table; txn != NULL; txn = txn->hh.next) {
        const struct txn_data *data = &txn->data;
        if ((data->producer.id != open->producer_id &&
             data->previous_id != open->producer_id) ||
            !contains(data, &work->where))
            continue;
        bool same = data->producer.epoch == open->epoch;
        if (is_prepared(data->state) || (data->state == TXN_ONGOING && same))
            return false;
        bool last = data->bumps_epoch ? data->last_epoch == open->epoch : same;
        mark->commit = data->state == TXN_COMPLETE_COMMIT && last;
        mark->epoch = (int16_t)(open->epoch + (data->bumps_epoch && last ? 1 : 0));
    }
    return true;
}

static bool note_open(void *arg, const struct producers_state *state)
{
    struct reconciling *work = arg;
    struct partition_mark marker = {
        .producer_id = state->producer_id,
        .epoch = state->epoch,
        .coordinator_epoch = state->coordinator_epoch > TXNS_COORDINATOR_EPOCH
                                 ? state->coordinator_epoch
                                 : TXNS_COORDINATOR_EPOCH,
        .wall_ms = work->wall_ms,
    };

    if (state->transaction_offset >= 0 && find_end(work, state, &marker)) {
        work->marks =
            mem_grow(work->marks, work->count, &work->capacity, sizeof(marker));
        work->marks[work->count++] = marker;
    }
    return true;
}

void txns_reconcile(struct txns *txns, struct wire_string topic, int32_t index,
                    struct partition *partition, int64_t wall_ms)
{
    struct reconciling work = {
        .txns = txns,
        .where = {.topic = topic, .index = index},
        .partition = partition,
        .wall_ms = wall_ms,
    };

    if (partition_open_transactions(partition) == 0)
        return;
    partition_each_producer(partition, note_open, &work);
    for (size_t i = 0; i < work.count; i++) {
        enum kafka_error error = partition_marker(partition, &work.marks[i]);
        log_write(
            LOG_WARN, "ledger", NULL,
            "%s: the end of a transaction of producer %lld was lost; it is %s: %s",
            partition_name(partition), (long long)work.marks[i].producer_id,
            work.marks[i].commit ? "committed" : "aborted", kafka_error_text(error));
    }
    free(work.marks);
}
