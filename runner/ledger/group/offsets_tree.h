/* SPDX-License-Identifier: MIT
 *
 * offsets_tree.h - the offsets in memory: group, topic, partition; and by producer
 * those that are pending. Private to offsets.c and offsets_tree.c, which says nothing
 * to disk. Layer: ledger/group.
 */
#ifndef LEDGER_GROUP_OFFSETS_TREE_H
#define LEDGER_GROUP_OFFSETS_TREE_H

#include "base/text.h"
#include "ledger/group/offsets.h"

#include <uthash.h>

/* An offset with its own copy of the metadata; it only grows. */
struct offsets_value {
    struct offset offset;
    char *metadata;
    int32_t capacity;
    int64_t order; /* of its write: of a plain and a pending commit the later one wins */
};

struct offsets_slot {
    struct offsets_topic *topic;
    int32_t partition;
    int32_t pending; /* producers that hold an offset of it */
    bool committed;  /* is value one? */
    struct offsets_value value;
};

struct offsets_topic {
    struct offsets_group *group;
    struct wire_string name;
    struct offsets_slot **slots; /* by partition; NULL: none */
    int32_t slots_count;
    int32_t used;
    UT_hash_handle hh;
};

struct offsets_group {
    struct wire_string id;
    struct offsets_topic *topics;
    UT_hash_handle hh;
};

struct offsets_pending {
    struct offsets_slot *slot; /* the key */
    struct offsets_value value;
    UT_hash_handle hh;
};

struct offsets_producer {
    int64_t id;
    struct offsets_pending *pending;
    UT_hash_handle hh;
};

struct offsets_change {
    struct wire_string topic;
    int32_t partition;
    struct offset offset;
};

struct offsets {
    struct store *store;
    struct offsets_group *groups;
    struct offsets_producer *producers;
    int64_t order;

    struct wire_string group; /* the commit in the making */
    int64_t producer_id;
    struct offsets_change *changes;
    size_t changes_count, changes_capacity;
    struct text_buf key, value;
};

struct offsets_group *offsets_group_find(const struct offsets *offsets,
                                         struct wire_string group);
struct offsets_topic *offsets_topic_find(const struct offsets *offsets,
                                         struct wire_string group,
                                         struct wire_string topic);
struct offsets_slot *offsets_slot_find(const struct offsets *offsets,
                                       struct wire_string group,
                                       struct wire_string topic, int32_t partition);
struct offsets_slot *offsets_slot_make(struct offsets *offsets,
                                       struct wire_string group,
                                       struct wire_string topic, int32_t partition);
/* Free it, and its topic and group with the last one, unless something is in it. */
void offsets_slot_prune(struct offsets *offsets, struct offsets_slot *slot);

void offsets_value_set(struct offsets_value *value, const struct offset *offset,
                       int64_t order);

struct offsets_producer *offsets_producer_find(const struct offsets *offsets,
                                               int64_t id);
/* The producer's pending offset of the slot, made when there is none. */
struct offsets_pending *offsets_pending_make(struct offsets *offsets,
                                             int64_t producer_id,
                                             struct offsets_slot *slot);
/* Free one pending offset; the producer with its last one. The slot is not pruned. */
void offsets_pending_free(struct offsets *offsets, struct offsets_producer *producer,
                          struct offsets_pending *pending);
void offsets_tree_clear(struct offsets *offsets);

#endif
