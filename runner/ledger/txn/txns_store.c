/* SPDX-License-Identifier: MIT
 *
 * txns_store.c - transactions in the store. Keys: "xp" the next block of producer ids,
 * "xt" + transactional.id a transaction. Values are big-endian.
 */
#include "ledger/txn/txns_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/wire/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { ID_BLOCK = 1000, VERSION = 1, FIXED = 56, KEY_PREFIX = 2 };

static const char ID_KEY[] = "xp";
static const char TXN_PREFIX[] = "xt";

/* ---- partitions ---------------------------------------------------------- */

int txn_partition_compare(const struct txns_partition *a,
                          const struct txns_partition *b)
{
    int32_t shorter = a->topic.len < b->topic.len ? a->topic.len : b->topic.len;
    int order = memcmp(a->topic.data, b->topic.data, (size_t)shorter);

    if (order == 0)
        order = (a->topic.len > b->topic.len) - (a->topic.len < b->topic.len);
    if (order == 0)
        order = (a->index > b->index) - (a->index < b->index);
    return order;
}

void txn_partitions_free(struct txns_partition *partitions, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        free((char *)(uintptr_t)partitions[i].topic.data);
    free(partitions);
}

/* ---- values -------------------------------------------------------------- */

static void encode(const struct txn_data *data, struct text_buf *out)
{
    uint8_t fixed[FIXED], number[4];

    memset(fixed, 0, sizeof(fixed));
    fixed[0] = VERSION;
    fixed[1] = (uint8_t)data->state;
    fixed[2] = data->bumps_epoch;
    bytes_put16(fixed + 4, (uint16_t)data->producer.epoch);
    bytes_put16(fixed + 6, (uint16_t)data->last_epoch);
    bytes_put32(fixed + 8, (uint32_t)data->timeout_ms);
    bytes_put32(fixed + 12, (uint32_t)data->partitions_count);
    bytes_put64(fixed + 16, (uint64_t)data->producer.id);
    bytes_put64(fixed + 24, (uint64_t)data->previous_id);
    bytes_put64(fixed + 32, (uint64_t)data->next_id);
    bytes_put64(fixed + 40, (uint64_t)data->start_ms);
    bytes_put64(fixed + 48, (uint64_t)data->updated_ms);
    text_append_bytes(out, fixed, FIXED);
    for (int32_t i = 0; i < data->partitions_count; i++) {
        bytes_put32(number, (uint32_t)data->partitions[i].index);
        text_append_bytes(out, number, 4);
        bytes_put16(number, (uint16_t)data->partitions[i].topic.len);
        text_append_bytes(out, number, 2);
        text_append_bytes(out, data->partitions[i].topic.data,
                          (size_t)data->partitions[i].topic.len);
    }
}

static bool decode_partitions(struct txn_data *out, const uint8_t *at, size_t left,
                              uint32_t count)
{
    if (count > left / 6)
        return false;
    out->partitions = mem_alloc(count * sizeof(*out->partitions) + 1);
    for (; (uint32_t)out->partitions_count < count; out->partitions_count++) {
        struct txns_partition *partition = &out->partitions[out->partitions_count];
        if (left < 6 || left - 6 < bytes_get16(at + 4))
            return false;
        partition->index = (int32_t)bytes_get32(at);
        partition->topic.len = bytes_get16(at + 4);
        partition->topic.data =
            mem_strndup((const char *)at + 6, (size_t)partition->topic.len);
        at += 6 + partition->topic.len;
        left -= 6 + (size_t)partition->topic.len;
    }
    return left == 0;
}

static bool decode(const uint8_t *value, size_t len, struct txn_data *out)
{
    *out = (struct txn_data){0};
    if (len < FIXED || value[0] != VERSION || value[1] >= TXN_STATES)
        return false;
    out->state = (enum txn_state)value[1];
    out->bumps_epoch = value[2] != 0;
    out->producer.epoch = (int16_t)bytes_get16(value + 4);
    out->last_epoch = (int16_t)bytes_get16(value + 6);
    out->timeout_ms = (int32_t)bytes_get32(value + 8);
    out->producer.id = (int64_t)bytes_get64(value + 16);
    out->previous_id = (int64_t)bytes_get64(value + 24);
    out->next_id = (int64_t)bytes_get64(value + 32);
    out->start_ms = (int64_t)bytes_get64(value + 40);
    out->updated_ms = (int64_t)bytes_get64(value + 48);
    return decode_partitions(out, value + FIXED, len - FIXED, bytes_get32(value + 12));
}

static void key_of(const struct txn *txn, struct text_buf *key)
{
    text_append_bytes(key, TXN_PREFIX, KEY_PREFIX);
    text_append_bytes(key, txn->id, (size_t)txn->id_len);
}

/* ---- loading ------------------------------------------------------------- */

struct loading {
    struct txns *txns;
    int64_t now_ms, wall_ms;
};

/* How long a loaded transaction still may take; the wall clock may have been set. */
static int64_t time_left(const struct txn_data *data, int64_t wall_ms)
{
    int64_t used = wall_ms - data->start_ms;

    if (used < 0)
        used = 0;
    return used < data->timeout_ms ? data->timeout_ms - used : 0;
}

static bool load_one(void *arg, const void *key, size_t key_len, const void *value,
                     size_t value_len)
{
    const struct loading *loading = arg;
    struct txn *txn = mem_alloc(sizeof(*txn));

    if (!decode(value, value_len, &txn->data)) {
        log_write(LOG_ERROR, "ledger", NULL,
                  "the state of transactional.id %.*s is damaged and forgotten",
                  (int)key_len - KEY_PREFIX, (const char *)key + KEY_PREFIX);
        txn_partitions_free(txn->data.partitions, txn->data.partitions_count);
        free(txn);
        return true;
    }
    txn->id_len = (int32_t)(key_len - KEY_PREFIX);
    txn->id = mem_strndup((const char *)key + KEY_PREFIX, (size_t)txn->id_len);
    txn->recovered = true;
    HASH_ADD_KEYPTR(hh, loading->txns->table, txn->id, (size_t)txn->id_len, txn);
    txn_watch(loading->txns, txn,
              txn->data.state == TXN_ONGOING
                  ? loading->now_ms + time_left(&txn->data, loading->wall_ms)
                  : loading->now_ms);
    return true;
}

int txns_load(struct txns *txns, int64_t now_ms, int64_t wall_ms, struct error *err)
{
    struct loading loading = {.txns = txns, .now_ms = now_ms, .wall_ms = wall_ms};
    struct text_buf value = {0};
    int found = store_get(txns->store, ID_KEY, KEY_PREFIX, &value, err);

    if (found == 1 && value.len == 8)
        txns->next_id = txns->limit_id = (int64_t)bytes_get64((uint8_t *)value.data);
    text_buf_clear(&value);
    if (found < 0)
        return -1;
    store_each(txns->store, TXN_PREFIX, KEY_PREFIX, load_one, &loading);
    return 0;
}

/* ---- saving -------------------------------------------------------------- */

int64_t txns_new_id(struct txns *txns)
{
    uint8_t value[8];
    struct error err = {0};

    if (txns->next_id == txns->limit_id) {
        bytes_put64(value, (uint64_t)(txns->limit_id + ID_BLOCK));
        /* An id that came twice would pass one producer's records off as another's: no
         * power cut may bring the old block back. */
        if (store_put(txns->store, ID_KEY, KEY_PREFIX, value, sizeof(value), &err) !=
                0 ||
            store_sync(txns->store, &err) != 0) {
            log_write(LOG_ERROR, "ledger", NULL, "no new producer ids: %s", err.text);
            return TXN_NO_ID;
        }
        txns->limit_id += ID_BLOCK;
    }
    return txns->next_id++;
}

bool txn_save(struct txns *txns, struct txn *txn, const struct txn_data *data,
              bool sync)
{
    struct text_buf key = {0}, value = {0};
    struct error err = {0};

    key_of(txn, &key);
    encode(data, &value);
    int result = store_put(txns->store, key.data, key.len, value.data, value.len, &err);
    text_buf_clear(&key);
    text_buf_clear(&value);
    if (result != 0) {
        log_write(LOG_ERROR, "ledger", NULL, "transactional.id %s: %s", txn->id,
                  err.text);
        return false;
    }
    if (txn->data.partitions != data->partitions)
        txn_partitions_free(txn->data.partitions, txn->data.partitions_count);
    txn->data = *data;
    /* It is written and counts; a disk that cannot sync any more is the store's to
     * name. */
    if (sync && txns->host.sync && store_sync(txns->store, &err) != 0)
        log_write(LOG_ERROR, "ledger", NULL, "transactional.id %s: %s", txn->id,
                  err.text);
    return true;
}

bool txn_forget(struct txns *txns, struct txn *txn)
{
    struct text_buf key = {0};
    struct error err = {0};

    key_of(txn, &key);
    int result = store_delete(txns->store, key.data, key.len, &err);
    text_buf_clear(&key);
    if (result != 0)
        return false; /* the next look for expired ids tries again */
    HASH_DEL(txns->table, txn);
    txn_partitions_free(txn->data.partitions, txn->data.partitions_count);
    free(txn->id);
    free(txn);
    return true;
}
