/* SPDX-License-Identifier: MIT
 *
 * txns_add.c - what belongs to a transaction: adding and verifying partitions and
 * groups.
 */
#include "ledger/txn/txns_private.h"

#include "base/mem.h"

#include <string.h>

enum {
    PRODUCE_ADDS = 12,      /* from this version on Produce adds its partition itself */
    PRODUCE_ABORTABLE = 11, /* and from this one on it knows TRANSACTION_ABORTABLE */
    OFFSET_COMMIT_ADDS = 5, /* the same of TxnOffsetCommit */
    OFFSET_COMMIT_ABORTABLE = 4,
};

/* ---- adding partitions --------------------------------------------------- */

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
static int32_t lower_bound(const struct txn_data *data,
                           const struct txns_partition *wanted)
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
        .topic = {.data =
                      mem_strndup(partition->topic.data, (size_t)partition->topic.len),
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

/* ---- offsets of groups --------------------------------------------------- */

/* The next UTF-16 unit or units of text at *at, as Java counts characters. */
static uint32_t next_code(const struct wire_string text, int32_t *at)
{
    static const struct {
        uint8_t mask, value, bits;
        int32_t more;
    } FORMS[] = {{0x80, 0x00, 0x7f, 0},
                 {0xe0, 0xc0, 0x1f, 1},
                 {0xf0, 0xe0, 0x0f, 2},
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

/* Java's String.hashCode: Kafka finds a group's partition by it; tools show that. */
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
        .index =
            positive > INT32_MAX ? 0 : (int32_t)(positive % TXNS_OFFSETS_PARTITIONS),
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
