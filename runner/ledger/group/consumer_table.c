/* SPDX-License-Identifier: MIT
 *
 * consumer_table.c - a group's members by id and instance id, and whose the partitions
 * are.
 */
#include "base/mem.h"
#include "ledger/group/consumer_group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct consumer_owned *owned_topic(struct consumer_group *group,
                                          const struct wire_uuid *topic)
{
    struct consumer_owned *owned;

    HASH_FIND(hh, group->owned, topic->bytes, sizeof(topic->bytes), owned);
    if (owned != NULL)
        return owned;
    owned = mem_alloc(sizeof(*owned));
    owned->topic = *topic;
    HASH_ADD(hh, group->owned, topic.bytes, sizeof(owned->topic.bytes), owned);
    return owned;
}

static void make_room(struct consumer_owned *owned, int32_t partition)
{
    int32_t room = owned->room * 2 > partition + 1 ? owned->room * 2 : partition + 1;

    if (partition < owned->room)
        return;
    owned->taken = mem_resize(owned->taken, (size_t)room * sizeof(*owned->taken));
    memset(owned->taken + owned->room, 0,
           (size_t)(room - owned->room) * sizeof(*owned->taken));
    owned->room = room;
}

static void own(struct consumer_group *group, const struct partition_set *set,
                bool taken)
{
    struct consumer_owned *owned = NULL;

    for (size_t i = 0; i < set->count; i++) {
        const struct partition_id *item = &set->items[i];

        if (owned == NULL ||
            memcmp(&owned->topic, &item->topic, sizeof(item->topic)) != 0)
            owned = owned_topic(group, &item->topic);
        make_room(owned, item->partition);
        /* Never two at a time: that is what all of this is for. */
        assert(owned->taken[item->partition] != taken);
        owned->taken[item->partition] = taken;
    }
}

bool consumer_taken(const struct consumer_group *group,
                    const struct partition_id *which)
{
    struct consumer_owned *owned;

    HASH_FIND(hh, group->owned, which->topic.bytes, sizeof(which->topic.bytes), owned);
    return owned != NULL && which->partition < owned->room &&
           owned->taken[which->partition];
}

void consumer_link(struct consumer_group *group, struct consumer_member *member)
{
    HASH_ADD_KEYPTR(hh, group->members, member->id, strlen(member->id), member);
    if (member->instance_id != NULL)
        HASH_ADD_KEYPTR(hh_instance, group->instances, member->instance_id,
                        strlen(member->instance_id), member);
    own(group, &member->assigned, true);
    own(group, &member->revoking, true);
    consumer_watch(group, member);
}

void consumer_unlink(struct consumer_group *group, struct consumer_member *member)
{
    HASH_DELETE(hh, group->members, member);
    if (member->instance_id != NULL)
        HASH_DELETE(hh_instance, group->instances, member);
    own(group, &member->assigned, false);
    own(group, &member->revoking, false);
}

struct consumer_member *consumer_find(const struct consumer_group *group,
                                      const char *id)
{
    struct consumer_member *member;

    HASH_FIND(hh, group->members, id, strlen(id), member);
    return member;
}

struct consumer_member *consumer_find_instance(const struct consumer_group *group,
                                               const char *instance_id)
{
    struct consumer_member *member;

    HASH_FIND(hh_instance, group->instances, instance_id, strlen(instance_id), member);
    return member;
}
