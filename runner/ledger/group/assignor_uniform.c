/* SPDX-License-Identifier: MIT
 *
 * assignor_uniform.c - every member gets as many partitions as the others, and moves as
 * few as possible. With equal subscriptions the shares differ by at most one. With
 * different ones no single move makes two members more equal.
 */
#include "ledger/group/assignor.h"

#include <stdlib.h>
#include <string.h>

enum { NOBODY = -1, BALANCE_ROUNDS = 16 };

struct work {
    const struct assignor_input *input;
    struct mem_arena *arena;
    int32_t *first; /* [topic]: place of its partition 0 in owner */
    int32_t *owner; /* [place]: member, or NOBODY */
    int32_t *load;  /* [member] */
    int32_t places;
};

static void *numbers(struct work *work, int64_t count)
{
    return mem_arena_alloc(work->arena, (size_t)(count + 1) * sizeof(int32_t));
}

static bool subscribes(const struct assignor_member *member, int32_t topic)
{
    int32_t low = 0, high = member->topics_count;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;

        if (member->topics[middle] < topic)
            low = middle + 1;
        else
            high = middle;
    }
    return low < member->topics_count && member->topics[low] == topic;
}

/* What a member has and may keep: it is still there, subscribed, and nobody else's. */
static void keep_owned(struct work *work, int32_t m)
{
    const struct assignor_input *input = work->input;
    const struct assignor_member *member = &input->members[m];

    for (int32_t i = 0; i < member->owned_count; i++) {
        struct assignor_partition owned = member->owned[i];
        int32_t *owner;

        if (owned.partition >= input->topic_partitions[owned.topic] ||
            !subscribes(member, owned.topic))
            continue;
        owner = &work->owner[work->first[owned.topic] + owned.partition];
        if (*owner != NOBODY)
            continue;
        *owner = m;
        work->load[m]++;
    }
}

static void prepare(struct work *work, const struct assignor_input *input,
                    struct mem_arena *arena)
{
    *work = (struct work){.input = input, .arena = arena};
    work->first = numbers(work, input->topics_count);
    work->load = numbers(work, input->members_count);
    for (int32_t t = 0; t < input->topics_count; t++) {
        work->first[t] = work->places;
        work->places += input->topic_partitions[t];
    }
    work->owner = numbers(work, work->places);
    for (int32_t i = 0; i < work->places; i++)
        work->owner[i] = NOBODY;
    for (int32_t m = 0; m < input->members_count; m++)
        keep_owned(work, m);
}

/* Read the shares off the owners. */
static void finish(struct work *work, struct assignor_share *shares)
{
    const struct assignor_input *input = work->input;

    for (int32_t m = 0; m < input->members_count; m++)
        shares[m] = (struct assignor_share){
            .partitions =
                mem_arena_alloc(work->arena, ((size_t)work->load[m] + 1) *
                                                 sizeof(*shares[m].partitions))};
    for (int32_t t = 0; t < input->topics_count; t++)
        for (int32_t p = 0; p < input->topic_partitions[t]; p++) {
            int32_t m = work->owner[work->first[t] + p];

            if (m != NOBODY)
                shares[m].partitions[shares[m].count++] =
                    (struct assignor_partition){t, p};
        }
}

/* ---- all members subscribe to the same topics ------------------------------------ */

/*
 * How many each may have. One more than the minimum goes first to those who have more
 * than the minimum already: so nobody gives up what somebody may as well keep.
 */
static int32_t *quotas(struct work *work, int32_t partitions)
{
    int32_t members = work->input->members_count;
    int32_t minimum = partitions / members, extra = partitions % members;
    int32_t *quota = numbers(work, members);

    for (int32_t m = 0; m < members; m++) {
        quota[m] = minimum;
        if (extra > 0 && work->load[m] > minimum) {
            quota[m]++;
            extra--;
        }
    }
    for (int32_t m = 0; m < members && extra > 0; m++)
        if (quota[m] == minimum) {
            quota[m]++;
            extra--;
        }
    return quota;
}

/* Take from those above their quota, their last partitions first. */
static void take_surplus(struct work *work, const int32_t *quota)
{
    for (int32_t i = work->places - 1; i >= 0; i--) {
        int32_t m = work->owner[i];

        if (m == NOBODY || work->load[m] <= quota[m])
            continue;
        work->owner[i] = NOBODY;
        work->load[m]--;
    }
}

static void fill_up(struct work *work, const struct assignor_member *any,
                    const int32_t *quota)
{
    int32_t m = 0;

    for (int32_t i = 0; i < any->topics_count; i++) {
        int32_t topic = any->topics[i];

        for (int32_t p = 0; p < work->input->topic_partitions[topic]; p++) {
            int32_t *owner = &work->owner[work->first[topic] + p];

            if (*owner != NOBODY)
                continue;
            while (work->load[m] >= quota[m])
                m++;
            *owner = m;
            work->load[m]++;
        }
    }
}

static void assign_homogeneous(struct work *work)
{
    const struct assignor_member *any = &work->input->members[0];
    int32_t partitions = 0, *quota;

    for (int32_t i = 0; i < any->topics_count; i++)
        partitions += work->input->topic_partitions[any->topics[i]];
    quota = quotas(work, partitions);
    take_surplus(work, quota);
    fill_up(work, any, quota);
}

/* ---- members subscribe to different topics --------------------------------------- */

/* The subscribers of every topic, one after the other. */
struct subscribers {
    int32_t *from; /* [topic]; [topics] is the end of the last */
    int32_t *members;
};

static struct subscribers find_subscribers(struct work *work)
{
    const struct assignor_input *input = work->input;
    struct subscribers subs = {.from = numbers(work, input->topics_count + 1)};
    int32_t *at = numbers(work, input->topics_count), total = 0;

    for (int32_t m = 0; m < input->members_count; m++)
        for (int32_t i = 0; i < input->members[m].topics_count; i++)
            at[input->members[m].topics[i]]++;
    for (int32_t t = 0; t < input->topics_count; t++) {
        subs.from[t] = total;
        total += at[t];
        at[t] = subs.from[t];
    }
    subs.from[input->topics_count] = total;
    subs.members = numbers(work, total);
    for (int32_t m = 0; m < input->members_count; m++)
        for (int32_t i = 0; i < input->members[m].topics_count; i++)
            subs.members[at[input->members[m].topics[i]]++] = m;
    return subs;
}

struct ranked_topic {
    int32_t topic, partitions, subscribers;
};

/* Topics that weigh most on their subscribers first, then those with the fewest of
 * them. */
static int compare_topics(const void *left, const void *right)
{
    const struct ranked_topic *a = left, *b = right;
    int64_t weight = (int64_t)b->partitions * a->subscribers -
                     (int64_t)a->partitions * b->subscribers;

    if (weight != 0)
        return weight < 0 ? -1 : 1;
    if (a->subscribers != b->subscribers)
        return a->subscribers < b->subscribers ? -1 : 1;
    return (a->topic > b->topic) - (a->topic < b->topic);
}

static struct ranked_topic *rank_topics(struct work *work,
                                        const struct subscribers *subs, int32_t *count)
{
    const struct assignor_input *input = work->input;
    struct ranked_topic *ranked = mem_arena_alloc(
        work->arena, ((size_t)input->topics_count + 1) * sizeof(*ranked));

    *count = 0;
    for (int32_t t = 0; t < input->topics_count; t++)
        if (subs->from[t + 1] > subs->from[t] && input->topic_partitions[t] > 0)
            ranked[(*count)++] = (struct ranked_topic){
                t, input->topic_partitions[t], subs->from[t + 1] - subs->from[t]};
    qsort(ranked, (size_t)*count, sizeof(*ranked), compare_topics);
    return ranked;
}

/* A heap of members, the one with the least load on top. */
struct heap {
    const int32_t *load;
    int32_t *members;
    int32_t count;
};

static bool lighter(const struct heap *heap, int32_t i, int32_t j)
{
    int32_t a = heap->members[i], b = heap->members[j];

    return heap->load[a] != heap->load[b] ? heap->load[a] < heap->load[b] : a < b;
}

static void sink(struct heap *heap, int32_t i)
{
    for (;;) {
        int32_t child = 2 * i + 1, member = heap->members[i];

        if (child >= heap->count)
            return;
        if (child + 1 < heap->count && lighter(heap, child + 1, child))
            child++;
        if (!lighter(heap, child, i))
            return;
        heap->members[i] = heap->members[child];
        heap->members[child] = member;
        i = child;
    }
}

/* Give what nobody has of a topic, each to the subscriber who has least. */
static void fill_topic(struct work *work, const struct subscribers *subs,
                       const struct ranked_topic *topic, int32_t *scratch)
{
    struct heap heap = {work->load, scratch, topic->subscribers};
    bool ready = false;

    for (int32_t p = 0; p < topic->partitions; p++) {
        int32_t *owner = &work->owner[work->first[topic->topic] + p];

        if (*owner != NOBODY)
            continue;
        if (!ready) {
            memcpy(scratch, subs->members + subs->from[topic->topic],
                   (size_t)heap.count * sizeof(*scratch));
            for (int32_t i = heap.count / 2; i >= 0; i--)
                sink(&heap, i);
            ready = true;
        }
        *owner = scratch[0];
        work->load[scratch[0]]++;
        sink(&heap, 0);
    }
}

/*
 * Move partitions of one topic from who has most to who has least, while that makes
 * them more equal. A receiver never gives back, so every partition moves at most once.
 */
static int32_t level_topic(struct work *work, const struct subscribers *subs,
                           const struct ranked_topic *topic, int32_t *has)
{
    const int32_t *members = subs->members + subs->from[topic->topic];
    int32_t *owner = work->owner + work->first[topic->topic], moves = 0;

    memset(has, 0, (size_t)work->input->members_count * sizeof(*has));
    for (int32_t p = 0; p < topic->partitions; p++)
        has[owner[p]]++;
    for (;;) {
        int32_t most = NOBODY, least = members[0], p = topic->partitions - 1;

        for (int32_t i = 0; i < topic->subscribers; i++) {
            int32_t m = members[i];

            if (has[m] > 0 && (most == NOBODY || work->load[m] > work->load[most]))
                most = m;
            if (work->load[m] < work->load[least])
                least = m;
        }
        if (work->load[most] - work->load[least] <= 1)
            return moves;
        while (owner[p] != most)
            p--;
        owner[p] = least;
        has[most]--;
        has[least]++;
        work->load[most]--;
        work->load[least]++;
        moves++;
    }
}

static void assign_heterogeneous(struct work *work)
{
    struct subscribers subs = find_subscribers(work);
    int32_t count, moves = 1, *scratch = numbers(work, work->input->members_count);
    struct ranked_topic *ranked = rank_topics(work, &subs, &count);

    for (int32_t i = 0; i < count; i++)
        fill_topic(work, &subs, &ranked[i], scratch);
    for (int round = 0; round < BALANCE_ROUNDS && moves > 0; round++) {
        moves = 0;
        for (int32_t i = 0; i < count; i++)
            if (ranked[i].subscribers > 1)
                moves += level_topic(work, &subs, &ranked[i], scratch);
    }
}

void assignor_uniform(const struct assignor_input *input, struct mem_arena *arena,
                      struct assignor_share *shares)
{
    struct work work;

    if (input->members_count == 0)
        return;
    prepare(&work, input, arena);
    if (input->homogeneous)
        assign_homogeneous(&work);
    else
        assign_heterogeneous(&work);
    finish(&work, shares);
}
