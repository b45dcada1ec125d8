/* SPDX-License-Identifier: MIT
 *
 * assignor_range.c - every topic is cut into ranges of consecutive partitions, one a
 * subscriber, in the order of the members. Topics with as many partitions and the same
 * subscribers are cut alike: partition i of all of them is with the same member.
 */
#include "ledger/group/assignor.h"

#include <stdlib.h>
#include <string.h>

/* How far a topic is handed out. */
struct cut {
    int32_t subscribers;
    int32_t given;     /* members served so far */
    int32_t partition; /* the next one to give */
};

/* Static members first, by instance id: a new member id does not move anybody. */
static int compare_members(const struct assignor_member *a,
                           const struct assignor_member *b)
{
    if (a->instance_id != NULL && b->instance_id != NULL)
        return strcmp(a->instance_id, b->instance_id);
    if (a->instance_id != NULL || b->instance_id != NULL)
        return a->instance_id != NULL ? -1 : 1;
    return strcmp(a->id, b->id);
}

static int compare_pointers(const void *a, const void *b)
{
    return compare_members(*(const struct assignor_member *const *)a,
                           *(const struct assignor_member *const *)b);
}

/* The next range of a topic: the first (partitions mod subscribers) get one more. */
static int32_t next_range(struct cut *cut, int32_t partitions)
{
    int32_t size = partitions / cut->subscribers;

    if (cut->given < partitions % cut->subscribers)
        size++;
    cut->given++;
    return size;
}

static void give(const struct assignor_input *input,
                 const struct assignor_member *member, struct cut *cuts,
                 struct mem_arena *arena, struct assignor_share *share)
{
    int32_t room = 0;

    for (int32_t i = 0; i < member->topics_count; i++) {
        int32_t topic = member->topics[i];

        room += input->topic_partitions[topic] / cuts[topic].subscribers + 1;
    }
    share->partitions =
        mem_arena_alloc(arena, (size_t)room * sizeof(*share->partitions));
    for (int32_t i = 0; i < member->topics_count; i++) {
        int32_t topic = member->topics[i];
        int32_t size = next_range(&cuts[topic], input->topic_partitions[topic]);

        while (size-- > 0)
            share->partitions[share->count++] =
                (struct assignor_partition){topic, cuts[topic].partition++};
    }
}

void assignor_range(const struct assignor_input *input, struct mem_arena *arena,
                    struct assignor_share *shares)
{
    size_t members = (size_t)input->members_count;
    const struct assignor_member **order =
        mem_arena_alloc(arena, members * sizeof(*order) + 1);
    struct cut *cuts =
        mem_arena_alloc(arena, (size_t)input->topics_count * sizeof(*cuts) + 1);

    for (size_t m = 0; m < members; m++) {
        order[m] = &input->members[m];
        shares[m] = (struct assignor_share){0};
        for (int32_t i = 0; i < order[m]->topics_count; i++)
            cuts[order[m]->topics[i]].subscribers++;
    }
    qsort(order, members, sizeof(*order), compare_pointers);
    for (size_t m = 0; m < members; m++)
        give(input, order[m], cuts, arena, &shares[order[m] - input->members]);
}
