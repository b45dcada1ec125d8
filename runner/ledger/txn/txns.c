/* SPDX-License-Identifier: MIT */
#include "ledger/txn/txns_private.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    PRODUCE_ADDS = 12,       /* from this version on Produce adds its partition itself */
    PRODUCE_ABORTABLE = 11,  /* and from this one on it knows TRANSACTION_ABORTABLE */
    OFFSET_COMMIT_ADDS = 5,  /* the same of TxnOffsetCommit */
    OFFSET_COMMIT_ABORTABLE = 4,
    END_BUMPS = 5, /* of EndTxn: transactions version 2 */
};

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

/* ---- opening and closing ---------------------------------------------------------- */

struct txns *txns_open(struct store *store, const struct txns_host *host, int64_t now_ms,
                       int64_t wall_ms, struct error *err)
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

/* ---- InitProducerId --------------------------------------------------------------- */

static bool exhausted(int16_t epoch)
{
    return epoch >= TXN_EPOCH_EXHAUSTED;
}

/* May a producer that says who it is get an epoch? As KIP-360 has it. */
static bool is_expected(const struct txn_data *data, const struct txns_producer *expected)
{
    return expected->id == TXN_NO_ID || data->producer.epoch == -1 ||
           expected->id == data->producer.id ||
           (expected->id == data->previous_id && exhausted(expected->epoch));
}

/* The epoch is used up: go on with a new producer id. */
static enum kafka_error rotate(struct txns *txns, const struct txn_data *old,
                               const struct txns_producer *expected, struct txn_data *next)
{
    next->producer = (struct txns_producer){.id = txns_new_id(txns), .epoch = 0};
    next->last_epoch = expected->id != TXN_NO_ID ? old->producer.epoch : -1;
    return next->producer.id == TXN_NO_ID ? KAFKA_COORDINATOR_NOT_AVAILABLE : KAFKA_NONE;
}

static enum kafka_error bump(const struct txn_data *old,
                             const struct txns_producer *expected, struct txn_data *next)
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
 * An open transaction stands in the way: abort it. Kafka lets the client ask again after
 * that; here it is done at once, unless a disk refuses, so that he need not.
 */
static enum kafka_error fence(struct txns *txns, struct txn *txn,
                              const struct txns_init *init, const struct txns_time *time)
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
                                 const struct txns_time *time, struct txns_producer *out)
{
    struct txn *txn = mem_alloc(sizeof(*txn));

    txn->id = mem_strndup(init->transactional_id.data, (size_t)init->transactional_id.len);
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

/* ---- adding partitions ------------------------------------------------------------ */

/* Whether who is the producer that may go on with the transaction now. */
static enum kafka_error check_writer(struct txns *txns, const struct txns_writer *who,
                                     struct txn **out)
{
    if (who->transactional_id.len <= 0)
        return KAFKA_INVALID_REQUEST;
    struct txn *txn = *out = txns_lookup(txns, who->transactional_id);
    if (txn == NULL || txn->data.producer.id != who->producer.id)
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    if (txn->data.producer.epoch != who->producer.epoch)
        return KAFKA_PRODUCER_FENCED;
    if (txn->data.state == TXN_PREPARE_COMMIT || txn->data.state == TXN_PREPARE_ABORT)
        return KAFKA_CONCURRENT_TRANSACTIONS;
    return KAFKA_NONE;
}

/* Where the partition is in the sorted list, or belongs. */
static int32_t lower_bound(const struct txn_data *data, const struct txns_partition *wanted)
{
    int32_t low = 0, high = data->partitions_count;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (txn_partition_compare(&data->partitions[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool contains(const struct txn_data *data, const struct txns_partition *wanted)
{
    int32_t place = lower_bound(data, wanted);

    return place < data->partitions_count &&
           txn_partition_compare(&data->partitions[place], wanted) == 0;
}

static struct txns_partition copy_of(const struct txns_partition *partition)
{
    return (struct txns_partition){
        .topic = {.data = mem_strndup(partition->topic.data, (size_t)partition->topic.len),
                  .len = partition->topic.len},
        .index = partition->index,
    };
}

static void insert(struct txn_data *data, const struct txns_partition *partition)
{
    int32_t place = lower_bound(data, partition);

    if (place < data->partitions_count &&
        txn_partition_compare(&data->partitions[place], partition) == 0)
        return;
    memmove(&data->partitions[place + 1], &data->partitions[place],
            (size_t)(data->partitions_count - place) * sizeof(*data->partitions));
    data->partitions[place] = copy_of(partition);
    data->partitions_count++;
}

static bool contains_all(const struct txn_data *data,
                         const struct txns_partition *partitions, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (!contains(data, &partitions[i]))
            return false;
    return true;
}

static enum kafka_error add(struct txns *txns, struct txn *txn,
                            const struct txns_partition *partitions, int32_t count,
                            const struct txns_time *time)
{
    struct txn_data next = txn->data;
    bool begins = txn->data.state != TXN_ONGOING;
    int32_t kept = begins ? 0 : txn->data.partitions_count;

    next.partitions = mem_alloc((size_t)(kept + count) * sizeof(*next.partitions) + 1);
    next.partitions_count = 0;
    for (int32_t i = 0; i < kept; i++)
        next.partitions[next.partitions_count++] = copy_of(&txn->data.partitions[i]);
    for (int32_t i = 0; i < count; i++)
        insert(&next, &partitions[i]);
    next.state = TXN_ONGOING;
    next.updated_ms = time->wall_ms;
    next.previous_id = txn->data.producer.id;
    if (begins)
        next.start_ms = time->wall_ms;
    if (!txn_save(txns, txn, &next, false)) {
        txn_partitions_free(next.partitions, next.partitions_count);
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    if (begins)
        txn_watch(txns, txn, time->now_ms + txn->data.timeout_ms);
    return KAFKA_NONE;
}

enum kafka_error txns_add(struct txns *txns, const struct txns_writer *who,
                          const struct txns_partition *partitions, int32_t count,
                          const struct txns_time *time)
{
    struct txn *txn;
    enum kafka_error error = check_writer(txns, who, &txn);

    if (error != KAFKA_NONE)
        return error;
    if (txn->data.state == TXN_ONGOING && contains_all(&txn->data, partitions, count))
        return KAFKA_NONE;
    return add(txns, txn, partitions, count, time);
}

enum kafka_error txns_verify(struct txns *txns, const struct txns_writer *who,
                             const struct txns_partition *partition)
{
    struct txn *txn;
    enum kafka_error error = check_writer(txns, who, &txn);

    if (error != KAFKA_NONE)
        return error;
    return txn->data.state == TXN_ONGOING && contains(&txn->data, partition)
               ? KAFKA_NONE
               : KAFKA_TRANSACTION_ABORTABLE;
}

enum kafka_error txns_produce(struct txns *txns, const struct txns_writer *who,
                              const struct txns_partition *partition, int16_t version,
                              const struct txns_time *time)
{
    bool adds = version >= PRODUCE_ADDS;
    enum kafka_error error = adds ? txns_add(txns, who, partition, 1, time)
                                  : txns_verify(txns, who, partition);

    switch (error) {
    case KAFKA_PRODUCER_FENCED:
        return KAFKA_INVALID_PRODUCER_EPOCH;
    case KAFKA_TRANSACTION_ABORTABLE:
        return version < PRODUCE_ABORTABLE ? KAFKA_INVALID_TXN_STATE : error;
    case KAFKA_CONCURRENT_TRANSACTIONS: /* older clients retry this one only */
        return adds ? error : KAFKA_NOT_ENOUGH_REPLICAS;
    case KAFKA_COORDINATOR_NOT_AVAILABLE:
        return KAFKA_NOT_ENOUGH_REPLICAS;
    default:
        return error;
    }
}

/* ---- offsets of groups ------------------------------------------------------------ */

/* The next UTF-16 unit or units of text at *at, as Java counts characters. */
static uint32_t next_code(const struct wire_string text, int32_t *at)
{
    static const struct {
        uint8_t mask, value, bits;
        int32_t more;
    } FORMS[] = {{0x80, 0x00, 0x7f, 0}, {0xe0, 0xc0, 0x1f, 1}, {0xf0, 0xe0, 0x0f, 2},
                 {0xf8, 0xf0, 0x07, 3}};
    uint8_t first = (uint8_t)text.data[(*at)++];

    for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++) {
        if ((first & FORMS[i].mask) != FORMS[i].value || *at + FORMS[i].more > text.len)
            continue;
        uint32_t code = first & FORMS[i].bits;
        for (int32_t more = 0; more < FORMS[i].more; more++)
            code = code << 6 | ((uint8_t)text.data[(*at)++] & 0x3f);
        return code;
    }
    return 0xfffd;
}

/* Java's String.hashCode: Kafka finds a group's partition by it, and tools show that. */
static struct txns_partition group_partition(struct wire_string group)
{
    uint32_t hash = 0;

    for (int32_t at = 0; at < group.len;) {
        uint32_t code = next_code(group, &at);
        if (code > 0xffff) {
            hash = hash * 31 + (0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        hash = hash * 31 + code;
    }
    int64_t positive = (int32_t)hash < 0 ? -(int64_t)(int32_t)hash : (int64_t)hash;
    return (struct txns_partition){
        .topic = wire_string_of(TXNS_OFFSETS_TOPIC),
        .index = positive > INT32_MAX ? 0 : (int32_t)(positive % TXNS_OFFSETS_PARTITIONS),
    };
}

enum kafka_error txns_add_group(struct txns *txns, const struct txns_writer *who,
                                struct wire_string group, const struct txns_time *time)
{
    struct txns_partition partition = group_partition(group);

    return txns_add(txns, who, &partition, 1, time);
}

enum kafka_error txns_offset_commit(struct txns *txns, const struct txns_writer *who,
                                    struct wire_string group, int16_t version,
                                    const struct txns_time *time)
{
    struct txns_partition partition = group_partition(group);
    enum kafka_error error = version >= OFFSET_COMMIT_ADDS
                                 ? txns_add(txns, who, &partition, 1, time)
                                 : txns_verify(txns, who, &partition);

    if (error == KAFKA_PRODUCER_FENCED)
        return KAFKA_INVALID_PRODUCER_EPOCH;
    if (error == KAFKA_TRANSACTION_ABORTABLE && version < OFFSET_COMMIT_ABORTABLE)
        return KAFKA_INVALID_TXN_STATE;
    return error;
}

/* ---- EndTxn ----------------------------------------------------------------------- */

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
 * [state][commit][retry]: version 2. retry: it names the epoch before the last end, so it
 * repeats that one; otherwise it ends a transaction, which may have nothing in it.
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
    bool overflowed = data->previous_id == who->id && who->epoch == TXN_EPOCH_EXHAUSTED &&
                      data->producer.epoch == 0;
    bool bumped = data->producer.epoch == who->epoch + 1;
    bool same = data->producer.epoch == who->epoch;
    bool prepared = data->state == TXN_PREPARE_COMMIT || data->state == TXN_PREPARE_ABORT;
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
    enum kafka_error error = bumps ? choose_v2(&txn->data, &who->producer, commit, &action)
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

/* ---- administration --------------------------------------------------------------- */

static struct txns_view view_of(const struct txn *txn)
{
    bool over = txn->data.state == TXN_COMPLETE_COMMIT ||
                txn->data.state == TXN_COMPLETE_ABORT;

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

bool txns_find(struct txns *txns, struct wire_string transactional_id, struct txns_view *out)
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
