/* SPDX-License-Identifier: MIT */
#include "ledger/group/offsets.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/group/offsets_tree.h"
#include "ledger/group/pack.h"

#include <stdlib.h>
#include <string.h>

/* Beyond any topic's number of partitions: an index above it is damage. */
enum { PARTITION_MAX = 1 << 20 };

enum { CHANGES_KEPT = 256 };

/* "oc" group topic partition, and for pending ones "op" producer group topic partition.
 */
static const char committed_prefix[2] = {'o', 'c'};
static const char pending_prefix[2] = {'o', 'p'};

/* The key of a committed offset, or with a producer id that of a pending one. */
static void key_write(struct text_buf *key, int64_t producer_id,
                      struct wire_string group, struct wire_string topic,
                      int32_t partition)
{
    key->len = 0;
    text_append_bytes(key, producer_id < 0 ? committed_prefix : pending_prefix, 2);
    if (producer_id >= 0)
        pack_i64(key, producer_id);
    pack_string(key, group);
    pack_string(key, topic);
    pack_i32(key, partition);
}

static void key_of_slot(struct text_buf *key, int64_t producer_id,
                        const struct offsets_slot *slot)
{
    key_write(key, producer_id, slot->topic->group->id, slot->topic->name,
              slot->partition);
}

static void value_write(struct text_buf *value, const struct offset *offset,
                        int64_t order)
{
    struct wire_string metadata = offset->metadata;

    if (metadata.len < 0)
        metadata = (struct wire_string){"", 0};
    value->len = 0;
    pack_i64(value, order);
    pack_i64(value, offset->offset);
    pack_i32(value, offset->leader_epoch);
    pack_i64(value, offset->commit_ms);
    pack_i64(value, offset->expire_ms);
    pack_string(value, metadata);
}

/* ---- open and close ---------------------------------------------------------- */

struct load {
    struct offsets *offsets;
    bool pending;
    int64_t bad;
};

static bool load_value(const void *data, size_t len, struct offset *offset,
                       int64_t *order)
{
    struct unpack in = {data, len, false};

    *order = unpack_i64(&in);
    offset->offset = unpack_i64(&in);
    offset->leader_epoch = unpack_i32(&in);
    offset->commit_ms = unpack_i64(&in);
    offset->expire_ms = unpack_i64(&in);
    offset->metadata = unpack_string(&in);
    return unpack_done(&in);
}

static bool load_entry(void *arg, const void *key, size_t key_len, const void *value,
                       size_t value_len)
{
    struct load *load = arg;
    struct offsets *offsets = load->offsets;
    struct unpack in = {(const uint8_t *)key + 2, key_len - 2, false};
    int64_t producer_id = load->pending ? unpack_i64(&in) : -1;
    struct wire_string group = unpack_string(&in);
    struct wire_string topic = unpack_string(&in);
    int32_t partition = unpack_i32(&in);
    struct offset offset = {0};
    struct offsets_slot *slot;
    int64_t order = 0;

    if (!unpack_done(&in) || group.len < 0 || topic.len < 0 || partition < 0 ||
        partition > PARTITION_MAX || !load_value(value, value_len, &offset, &order)) {
        load->bad++;
        return true;
    }
    slot = offsets_slot_make(offsets, group, topic, partition);
    if (load->pending) {
        offsets_value_set(&offsets_pending_make(offsets, producer_id, slot)->value,
                          &offset, order);
    } else {
        offsets_value_set(&slot->value, &offset, order);
        slot->committed = true;
    }
    if (order > offsets->order)
        offsets->order = order;
    return true;
}

struct offsets *offsets_open(struct store *store, struct error *err)
{
    struct offsets *offsets = mem_alloc(sizeof *offsets);
    struct load load = {.offsets = offsets};

    (void)err;
    offsets->store = store;
    store_each(store, committed_prefix, sizeof committed_prefix, load_entry, &load);
    load.pending = true;
    store_each(store, pending_prefix, sizeof pending_prefix, load_entry, &load);
    if (load.bad > 0)
        log_write(LOG_ERROR, "offsets", NULL,
                  "%lld committed offsets in the store are damaged and are left out",
                  (long long)load.bad);
    return offsets;
}

void offsets_close(struct offsets *offsets)
{
    if (!offsets)
        return;
    offsets_tree_clear(offsets);
    free(offsets->changes);
    text_buf_clear(&offsets->key);
    text_buf_clear(&offsets->value);
    free(offsets);
}

/* ---- queries ----------------------------------------------------------------- */

const struct offset *offsets_find(const struct offsets *offsets,
                                  struct wire_string group, struct wire_string topic,
                                  int32_t partition)
{
    const struct offsets_slot *slot =
        offsets_slot_find(offsets, group, topic, partition);

    return slot && slot->committed ? &slot->value.offset : NULL;
}

bool offsets_unstable(const struct offsets *offsets, struct wire_string group,
                      struct wire_string topic, int32_t partition)
{
    const struct offsets_slot *slot =
        offsets_slot_find(offsets, group, topic, partition);

    return slot && slot->pending > 0;
}

bool offsets_has_group(const struct offsets *offsets, struct wire_string group)
{
    return offsets_group_find(offsets, group) != NULL;
}

void offsets_each(const struct offsets *offsets, struct wire_string group,
                  offsets_each_fn *fn, void *arg)
{
    const struct offsets_group *found = offsets_group_find(offsets, group);
    const struct offsets_topic *topic = found ? found->topics : NULL;

    for (; topic; topic = topic->hh.next) {
        for (int32_t i = 0; i < topic->slots_count; i++) {
            const struct offsets_slot *slot = topic->slots[i];

            if (slot && slot->committed &&
                !fn(arg, topic->name, i, &slot->value.offset))
                return;
        }
    }
}

void offsets_each_group(const struct offsets *offsets, offsets_group_fn *fn, void *arg)
{
    const struct offsets_group *group = offsets->groups;

    for (; group; group = group->hh.next) {
        if (!fn(arg, group->id))
            return;
    }
}

/* ---- commits ----------------------------------------------------------------- */

void offsets_begin(struct offsets *offsets, struct wire_string group,
                   int64_t producer_id)
{
    offsets->group = group;
    offsets->producer_id = producer_id;
    offsets->changes_count = 0;
}

enum kafka_error offsets_set(struct offsets *offsets, struct wire_string topic,
                             int32_t partition, const struct offset *offset)
{
    if (offset->metadata.len > OFFSETS_METADATA_MAX)
        return KAFKA_OFFSET_METADATA_TOO_LARGE;
    if (partition < 0 || partition > PARTITION_MAX)
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    offsets->changes = mem_grow(offsets->changes, offsets->changes_count,
                                &offsets->changes_capacity, sizeof *offsets->changes);
    offsets->changes[offsets->changes_count++] =
        (struct offsets_change){topic, partition, *offset};
    return KAFKA_NONE;
}

static int store_changes(struct offsets *offsets, struct error *err)
{
    store_batch_begin(offsets->store);
    for (size_t i = 0; i < offsets->changes_count; i++) {
        const struct offsets_change *change = &offsets->changes[i];

        key_write(&offsets->key, offsets->producer_id, offsets->group, change->topic,
                  change->partition);
        value_write(&offsets->value, &change->offset, offsets->order + 1 + (int64_t)i);
        if (store_put(offsets->store, offsets->key.data, offsets->key.len,
                      offsets->value.data, offsets->value.len, err) != 0) {
            store_batch_drop(offsets->store);
            return -1;
        }
    }
    return store_batch_end(offsets->store, err);
}

/* A list that was large once is not kept. */
static void forget_changes(struct offsets *offsets)
{
    offsets->changes_count = 0;
    if (offsets->changes_capacity > CHANGES_KEPT) {
        free(offsets->changes);
        offsets->changes = NULL;
        offsets->changes_capacity = 0;
    }
}

int offsets_end(struct offsets *offsets, struct error *err)
{
    if (offsets->changes_count == 0)
        return 0;
    if (store_changes(offsets, err) != 0) {
        forget_changes(offsets);
        return -1;
    }
    for (size_t i = 0; i < offsets->changes_count; i++) {
        const struct offsets_change *change = &offsets->changes[i];
        struct offsets_slot *slot = offsets_slot_make(offsets, offsets->group,
                                                      change->topic, change->partition);
        struct offsets_value *value = &slot->value;

        if (offsets->producer_id >= 0)
            value = &offsets_pending_make(offsets, offsets->producer_id, slot)->value;
        else
            slot->committed = true;
        offsets_value_set(value, &change->offset, ++offsets->order);
    }
    forget_changes(offsets);
    return 0;
}

/* Does the pending offset replace the committed one? */
static bool settles(const struct offsets_pending *pending)
{
    const struct offsets_slot *slot = pending->slot;

    return !slot->committed || pending->value.order > slot->value.order;
}

static int store_settled(struct offsets *offsets,
                         const struct offsets_producer *producer, bool commit,
                         struct error *err)
{
    const struct offsets_pending *pending = producer->pending;

    store_batch_begin(offsets->store);
    for (; pending; pending = pending->hh.next) {
        int rc = 0;

        if (commit && settles(pending)) {
            key_of_slot(&offsets->key, -1, pending->slot);
            value_write(&offsets->value, &pending->value.offset, pending->value.order);
            rc = store_put(offsets->store, offsets->key.data, offsets->key.len,
                           offsets->value.data, offsets->value.len, err);
        }
        key_of_slot(&offsets->key, producer->id, pending->slot);
        if (rc == 0)
            rc = store_delete(offsets->store, offsets->key.data, offsets->key.len, err);
        if (rc != 0) {
            store_batch_drop(offsets->store);
            return -1;
        }
    }
    return store_batch_end(offsets->store, err);
}

int offsets_settle(struct offsets *offsets, int64_t producer_id, bool commit,
                   struct error *err)
{
    struct offsets_producer *producer = offsets_producer_find(offsets, producer_id);
    struct offsets_pending *pending, *next;

    if (!producer)
        return 0;
    if (store_settled(offsets, producer, commit, err) != 0)
        return -1;
    for (pending = producer->pending; pending; pending = next) {
        struct offsets_slot *slot = pending->slot;

        next = pending->hh.next;
        if (commit && settles(pending)) {
            offsets_value_set(&slot->value, &pending->value.offset,
                              pending->value.order);
            slot->committed = true;
        }
        offsets_pending_free(offsets, producer,
                             pending); /* the last: producer as well */
        offsets_slot_prune(offsets, slot);
    }
    return 0;
}

/* ---- removal ----------------------------------------------------------------- */

struct slots {
    struct offsets_slot **items;
    size_t count, capacity;
};

static void slots_add(struct slots *slots, struct offsets_slot *slot)
{
    slots->items =
        mem_grow(slots->items, slots->count, &slots->capacity, sizeof *slots->items);
    slots->items[slots->count++] = slot;
}

static void slots_add_topic(struct slots *slots, const struct offsets_topic *topic)
{
    for (int32_t i = 0; topic && i < topic->slots_count; i++) {
        if (topic->slots[i])
            slots_add(slots, topic->slots[i]);
    }
}

static struct offsets_pending *pending_of(const struct offsets_producer *producer,
                                          const struct offsets_slot *slot)
{
    struct offsets_pending *found = NULL;

    HASH_FIND_PTR(producer->pending, &slot, found);
    return found;
}

static int store_erased(struct offsets *offsets, const struct offsets_slot *slot,
                        struct error *err)
{
    const struct offsets_producer *producer =
        slot->pending > 0 ? offsets->producers : NULL;

    key_of_slot(&offsets->key, -1, slot);
    if (slot->committed &&
        store_delete(offsets->store, offsets->key.data, offsets->key.len, err) != 0)
        return -1;
    for (; producer; producer = producer->hh.next) {
        key_of_slot(&offsets->key, producer->id, slot);
        if (pending_of(producer, slot) &&
            store_delete(offsets->store, offsets->key.data, offsets->key.len, err) != 0)
            return -1;
    }
    return 0;
}

static void slot_erase(struct offsets *offsets, struct offsets_slot *slot)
{
    struct offsets_producer *producer = offsets->producers, *next;

    for (; producer && slot->pending > 0; producer = next) {
        struct offsets_pending *pending = pending_of(producer, slot);

        next = producer->hh.next;
        if (pending)
            offsets_pending_free(offsets, producer, pending);
    }
    slot->committed = false;
    offsets_slot_prune(offsets, slot);
}

/* Remove all of them at once, or none; frees the list. */
static int slots_erase(struct offsets *offsets, struct slots *slots, struct error *err)
{
    int rc = 0;

    store_batch_begin(offsets->store);
    for (size_t i = 0; rc == 0 && i < slots->count; i++)
        rc = store_erased(offsets, slots->items[i], err);
    if (rc != 0)
        store_batch_drop(offsets->store);
    else
        rc = store_batch_end(offsets->store, err);
    for (size_t i = 0; rc == 0 && i < slots->count; i++)
        slot_erase(offsets, slots->items[i]);
    free(slots->items);
    return rc;
}

int offsets_delete(struct offsets *offsets, struct wire_string group,
                   struct wire_string topic, int32_t partition, struct error *err)
{
    struct offsets_slot *slot = offsets_slot_find(offsets, group, topic, partition);
    struct slots slots = {0};

    if (slot)
        slots_add(&slots, slot);
    return slots_erase(offsets, &slots, err);
}

int offsets_delete_group(struct offsets *offsets, struct wire_string group,
                         struct error *err)
{
    const struct offsets_group *found = offsets_group_find(offsets, group);
    const struct offsets_topic *topic = found ? found->topics : NULL;
    struct slots slots = {0};

    for (; topic; topic = topic->hh.next)
        slots_add_topic(&slots, topic);
    return slots_erase(offsets, &slots, err);
}

static struct slots slots_of_topic(const struct offsets *offsets,
                                   struct wire_string topic)
{
    const struct offsets_group *group = offsets->groups;
    struct slots slots = {0};

    for (; group; group = group->hh.next)
        slots_add_topic(&slots, offsets_topic_find(offsets, group->id, topic));
    return slots;
}

int offsets_delete_topic(struct offsets *offsets, struct wire_string topic,
                         struct error *err)
{
    struct slots slots = slots_of_topic(offsets, topic);

    return slots_erase(offsets, &slots, err);
}

int offsets_drop_topic(struct offsets *offsets, struct wire_string topic,
                       struct error *err)
{
    struct slots slots = slots_of_topic(offsets, topic);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < slots.count; i++)
        rc = store_erased(offsets, slots.items[i], err);
    free(slots.items);
    return rc;
}

void offsets_forget_topic(struct offsets *offsets, struct wire_string topic)
{
    struct slots slots = slots_of_topic(offsets, topic);

    for (size_t i = 0; i < slots.count; i++)
        slot_erase(offsets, slots.items[i]);
    free(slots.items);
}

int offsets_keep_topics(struct offsets *offsets, offsets_exists_fn *exists, void *arg,
                        struct error *err)
{
    const struct offsets_group *group = offsets->groups;
    struct slots slots = {0};

    for (; group; group = group->hh.next) {
        const struct offsets_topic *topic = group->topics;

        for (; topic; topic = topic->hh.next) {
            if (!exists(arg, topic->name))
                slots_add_topic(&slots, topic);
        }
    }
    return slots_erase(offsets, &slots, err);
}
