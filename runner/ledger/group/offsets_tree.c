/* SPDX-License-Identifier: MIT */
#include "ledger/group/offsets_tree.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct wire_string copy_of(struct wire_string text)
{
    char *copy = mem_alloc((size_t)text.len + 1);

    if (text.len > 0)
        memcpy(copy, text.data, (size_t)text.len);
    return (struct wire_string){copy, text.len};
}

struct offsets_group *offsets_group_find(const struct offsets *offsets,
                                         struct wire_string group)
{
    struct offsets_group *found = NULL;

    HASH_FIND(hh, offsets->groups, group.data, (unsigned)group.len, found);
    return found;
}

static struct offsets_topic *topic_find(const struct offsets_group *group,
                                        struct wire_string topic)
{
    struct offsets_topic *found = NULL;

    HASH_FIND(hh, group->topics, topic.data, (unsigned)topic.len, found);
    return found;
}

struct offsets_topic *offsets_topic_find(const struct offsets *offsets,
                                         struct wire_string group,
                                         struct wire_string topic)
{
    const struct offsets_group *found = offsets_group_find(offsets, group);

    return found ? topic_find(found, topic) : NULL;
}

struct offsets_slot *offsets_slot_find(const struct offsets *offsets,
                                       struct wire_string group,
                                       struct wire_string topic, int32_t partition)
{
    struct offsets_topic *found = offsets_topic_find(offsets, group, topic);

    if (!found || partition < 0 || partition >= found->slots_count)
        return NULL;
    return found->slots[partition];
}

static struct offsets_topic *
topic_make(struct offsets *offsets, struct wire_string group, struct wire_string topic)
{
    struct offsets_group *owner = offsets_group_find(offsets, group);
    struct offsets_topic *made;

    if (!owner) {
        owner = mem_alloc(sizeof *owner);
        owner->id = copy_of(group);
        HASH_ADD_KEYPTR(hh, offsets->groups, owner->id.data, (unsigned)owner->id.len,
                        owner);
    }
    made = topic_find(owner, topic);
    if (!made) {
        made = mem_alloc(sizeof *made);
        made->group = owner;
        made->name = copy_of(topic);
        HASH_ADD_KEYPTR(hh, owner->topics, made->name.data, (unsigned)made->name.len,
                        made);
    }
    return made;
}

struct offsets_slot *offsets_slot_make(struct offsets *offsets,
                                       struct wire_string group,
                                       struct wire_string topic, int32_t partition)
{
    struct offsets_topic *owner = topic_make(offsets, group, topic);
    struct offsets_slot *slot;

    if (partition >= owner->slots_count) {
        int32_t count = partition + 1;

        owner->slots = mem_resize(owner->slots, (size_t)count * sizeof *owner->slots);
        memset(owner->slots + owner->slots_count, 0,
               (size_t)(count - owner->slots_count) * sizeof *owner->slots);
        owner->slots_count = count;
    }
    slot = owner->slots[partition];
    if (!slot) {
        slot = mem_alloc(sizeof *slot);
        slot->topic = owner;
        slot->partition = partition;
        owner->slots[partition] = slot;
        owner->used++;
    }
    return slot;
}

static void topic_free(struct offsets_topic *topic)
{
    HASH_DEL(topic->group->topics, topic);
    free((char *)(uintptr_t)topic->name.data);
    free(topic->slots);
    free(topic);
}

static void group_free(struct offsets *offsets, struct offsets_group *group)
{
    HASH_DEL(offsets->groups, group);
    free((char *)(uintptr_t)group->id.data);
    free(group);
}

void offsets_slot_prune(struct offsets *offsets, struct offsets_slot *slot)
{
    struct offsets_topic *topic = slot->topic;
    struct offsets_group *group = topic->group;

    if (slot->committed || slot->pending > 0)
        return;
    topic->slots[slot->partition] = NULL;
    topic->used--;
    free(slot->value.metadata);
    free(slot);
    if (topic->used == 0)
        topic_free(topic);
    if (!group->topics)
        group_free(offsets, group);
}

void offsets_value_set(struct offsets_value *value, const struct offset *offset,
                       int64_t order)
{
    int32_t len = offset->metadata.len > 0 ? offset->metadata.len : 0;

    if (len > value->capacity || !value->metadata) {
        value->metadata = mem_resize(value->metadata, (size_t)len + 1);
        value->capacity = len;
    }
    if (len > 0)
        memcpy(value->metadata, offset->metadata.data, (size_t)len);
    value->offset = *offset;
    value->offset.metadata = (struct wire_string){value->metadata, len};
    value->order = order;
}

struct offsets_producer *offsets_producer_find(const struct offsets *offsets,
                                               int64_t id)
{
    struct offsets_producer *found = NULL;

    HASH_FIND(hh, offsets->producers, &id, sizeof id, found);
    return found;
}

struct offsets_pending *offsets_pending_make(struct offsets *offsets,
                                             int64_t producer_id,
                                             struct offsets_slot *slot)
{
    struct offsets_producer *producer = offsets_producer_find(offsets, producer_id);
    struct offsets_pending *pending = NULL;

    if (!producer) {
        producer = mem_alloc(sizeof *producer);
        producer->id = producer_id;
        HASH_ADD(hh, offsets->producers, id, sizeof producer->id, producer);
    }
    HASH_FIND_PTR(producer->pending, &slot, pending);
    if (!pending) {
        pending = mem_alloc(sizeof *pending);
        pending->slot = slot;
        slot->pending++;
        HASH_ADD_PTR(producer->pending, slot, pending);
    }
    return pending;
}

void offsets_pending_free(struct offsets *offsets, struct offsets_producer *producer,
                          struct offsets_pending *pending)
{
    HASH_DEL(producer->pending, pending);
    pending->slot->pending--;
    free(pending->value.metadata);
    free(pending);
    if (!producer->pending) {
        HASH_DEL(offsets->producers, producer);
        free(producer);
    }
}

static void producers_clear(struct offsets *offsets)
{
    while (offsets->producers)
        offsets_pending_free(offsets, offsets->producers, offsets->producers->pending);
}

void offsets_tree_clear(struct offsets *offsets)
{
    producers_clear(offsets);
    while (offsets->groups) {
        struct offsets_topic *topic = offsets->groups->topics;
        int32_t i = 0;

        while (!topic->slots[i])
            i++;
        topic->slots[i]->committed = false;
        offsets_slot_prune(offsets, topic->slots[i]);
    }
}
