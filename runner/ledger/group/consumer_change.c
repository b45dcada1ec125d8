/* SPDX-License-Identifier: MIT
 *
 * consumer_change.c - what one request, or one deadline, makes of a group: a member
 * that comes, goes or moves on, a new epoch, new targets. Written in one batch, then
 * true.
 */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/group/assignor.h"
#include "ledger/group/consumer_group.h"
#include "ledger/group/consumer_store.h"
#include "ledger/store/store.h"

#include <stdlib.h>
#include <string.h>

void consumer_change_begin(struct consumer_change *change, struct consumer_group *group,
                           struct consumer_member *old, struct consumer_member *next)
{
    *change = (struct consumer_change){
        .group = group,
        .old = old,
        .next = next,
        .epoch = group->epoch,
        .target_epoch = group->target_epoch,
        .hash = group->hash,
        .version = group->version,
    };
}

static void look_at_members(struct consumer_change *change, struct mem_arena *arena)
{
    if (change->subscriptions.members == NULL)
        consumer_subscriptions(change->group, change->old, change->next, arena,
                               &change->subscriptions);
}

/* ---- targets --------------------------------------------------------------------- */

static const struct partition_set *current_target(const struct consumer_change *change,
                                                  const struct consumer_member *member)
{
    static const struct partition_set none;

    if (member != change->next)
        return &member->target;
    return change->old != NULL ? &change->old->target : &none;
}

/* The target in places of topics; topics that nobody wants any more are left out. */
static void number_owned(const struct consumer_subscriptions *all,
                         const struct partition_set *target, struct mem_arena *arena,
                         struct assignor_member *member)
{
    struct assignor_partition *owned =
        mem_arena_alloc(arena, (target->count + 1) * sizeof(*owned));
    int32_t place = 0;

    for (size_t i = 0; i < target->count; i++) {
        const struct partition_id *item = &target->items[i];
        int order = -1;

        while (place < all->topics_count &&
               (order = memcmp(all->topics[place].id.bytes, item->topic.bytes,
                               sizeof(item->topic.bytes))) < 0)
            place++;
        if (place < all->topics_count && order == 0)
            owned[member->owned_count++] =
                (struct assignor_partition){place, item->partition};
    }
    member->owned = owned;
}

static struct assignor_input number_all(const struct consumer_change *change,
                                        struct mem_arena *arena)
{
    const struct consumer_subscriptions *all = &change->subscriptions;
    size_t count = (size_t)all->members_count;
    struct assignor_member *members =
        mem_arena_alloc(arena, (count + 1) * sizeof(*members));
    int32_t *partitions =
        mem_arena_alloc(arena, ((size_t)all->topics_count + 1) * sizeof(*partitions));

    for (int32_t t = 0; t < all->topics_count; t++)
        partitions[t] = all->topics[t].partitions;
    for (size_t m = 0; m < count; m++) {
        members[m] = (struct assignor_member){
            .instance_id = all->members[m]->instance_id,
            .id = all->members[m]->id,
            .topics = all->wanted[m],
            .topics_count = all->wanted_count[m],
        };
        number_owned(all, current_target(change, all->members[m]), arena, &members[m]);
    }
    return (struct assignor_input){
        .topic_partitions = partitions,
        .topics_count = all->topics_count,
        .members = members,
        .members_count = all->members_count,
        .homogeneous = all->homogeneous,
    };
}

/* What most members that have a wish want. */
const char *consumer_preferred_assignor(const struct consumer_member *const *members,
                                        int32_t count)
{
    const char *best = assignor_default();
    int32_t best_votes = 0;

    for (int32_t m = 0; m < count; m++) {
        int32_t votes = 0;

        if (members[m]->assignor == NULL)
            continue;
        for (int32_t i = 0; i < count; i++)
            votes += members[i]->assignor != NULL &&
                     strcmp(members[i]->assignor, members[m]->assignor) == 0;
        if (votes > best_votes) {
            best = members[m]->assignor;
            best_votes = votes;
        }
    }
    return best;
}

/* Is every partition that somebody wants the target of exactly one member? */
static bool targets_cover(const struct consumer_change *change)
{
    const struct consumer_subscriptions *all = &change->subscriptions;
    struct partition_set seen = {0};
    size_t wanted = 0, found = 0;

    for (int32_t t = 0; t < all->topics_count; t++)
        wanted += (size_t)all->topics[t].partitions;
    for (int32_t m = 0; m < all->members_count; m++) {
        const struct partition_set *target = current_target(change, all->members[m]);

        found += target->count;
        for (size_t i = 0; i < target->count; i++)
            partition_set_add(&seen, &target->items[i].topic,
                              target->items[i].partition);
    }
    partition_set_sort(&seen);
    found = found == seen.count ? found : SIZE_MAX;
    partition_set_clear(&seen);
    return wanted == found;
}

void consumer_change_epoch(struct consumer_change *change, bool bump,
                           struct mem_arena *arena)
{
    const struct consumer_group *group = change->group;

    look_at_members(change, arena);
    change->version = group->env->topics.version(group->env->topics.arg);
    /* After a start the store may have lost something: then the targets tell. */
    if (!group->compared && group->target_epoch == group->epoch &&
        !targets_cover(change))
        bump = true;
    if (bump || change->subscriptions.hash != change->hash)
        change->epoch++;
    change->hash = change->subscriptions.hash;
}

void consumer_change_target(struct consumer_change *change, struct mem_arena *arena)
{
    struct consumer_subscriptions *all = &change->subscriptions;
    struct assignor_share *shares;
    struct assignor_input input;
    assignor_fn *assign;

    look_at_members(change, arena);
    shares = mem_arena_alloc(arena, ((size_t)all->members_count + 1) * sizeof(*shares));
    input = number_all(change, arena);
    assign =
        assignor_find(consumer_preferred_assignor(all->members, all->members_count));
    assign(&input, arena, shares);
    change->targets =
        mem_alloc(((size_t)all->members_count + 1) * sizeof(*change->targets));
    for (int32_t m = 0; m < all->members_count; m++)
        for (int32_t i = 0; i < shares[m].count; i++)
            partition_set_add(&change->targets[m],
                              &all->topics[shares[m].partitions[i].topic].id,
                              shares[m].partitions[i].partition);
    change->target_epoch = change->epoch;
}

const struct partition_set *
consumer_change_next_target(const struct consumer_change *change)
{
    for (int32_t m = 0; change->targets != NULL; m++)
        if (change->subscriptions.members[m] == change->next)
            return &change->targets[m];
    return current_target(change, change->next);
}

/* ---- the store ------------------------------------------------------------------- */

static bool same_bytes(const struct text_buf *a, const struct text_buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

typedef void form_fn(const struct consumer_member *member, struct text_buf *out);

/* Put one form of next, unless the store has just that. */
static void put_form(const struct consumer_change *change, enum consumer_kind kind,
                     form_fn *form, bool renamed)
{
    struct text_buf now = {0}, before = {0};

    form(change->next, &now);
    if (change->old != NULL && !renamed)
        form(change->old, &before);
    if (!same_bytes(&now, &before))
        consumer_store_put(change->group, kind, change->next->id, &now);
    text_buf_clear(&now);
    text_buf_clear(&before);
}

static void put_target(const struct consumer_change *change,
                       const struct consumer_member *member,
                       const struct partition_set *target)
{
    struct text_buf form = {0};

    consumer_member_write_target(target, &form);
    consumer_store_put(change->group, CONSUMER_KIND_TARGET, member->id, &form);
    text_buf_clear(&form);
}

static void put_targets(const struct consumer_change *change, bool renamed)
{
    const struct consumer_subscriptions *all = &change->subscriptions;

    if (change->targets == NULL) {
        if (renamed && change->old != NULL)
            put_target(change, change->next, &change->old->target);
        return;
    }
    for (int32_t m = 0; m < all->members_count; m++)
        if ((all->members[m] == change->next && renamed) ||
            !partition_set_equal(&change->targets[m],
                                 current_target(change, all->members[m])))
            put_target(change, all->members[m], &change->targets[m]);
}

static int write_change(const struct consumer_change *change, struct error *err)
{
    const struct consumer_group *group = change->group;
    /* A new member, or a static one that came back with another member id. */
    bool renamed = change->old == NULL || change->next == NULL ||
                   strcmp(change->old->id, change->next->id) != 0;

    store_batch_begin(group->env->store);
    if (change->old != NULL && renamed)
        consumer_store_remove_member(group, change->old->id);
    if (change->next != NULL) {
        put_form(change, CONSUMER_KIND_FACTS, consumer_member_write_facts, renamed);
        put_form(change, CONSUMER_KIND_PLACE, consumer_member_write_place, renamed);
        put_targets(change, renamed);
    }
    if (change->epoch != group->epoch || change->target_epoch != group->target_epoch ||
        change->hash != group->hash)
        consumer_store_put_group(group, change->epoch, change->target_epoch,
                                 change->hash);
    return store_batch_end(group->env->store, err);
}

/* ---- the group ------------------------------------------------------------------- */

static void take_targets(struct consumer_change *change)
{
    const struct consumer_subscriptions *all = &change->subscriptions;

    if (change->targets == NULL) {
        if (change->next != NULL && change->old != NULL) {
            change->next->target = change->old->target;
            change->old->target = (struct partition_set){0};
        }
        return;
    }
    for (int32_t m = 0; m < all->members_count; m++) {
        struct consumer_member *member =
            all->members[m] == change->next
                ? change->next
                : consumer_find(change->group, all->members[m]->id);

        partition_set_clear(&member->target);
        member->target = change->targets[m];
    }
    free(change->targets);
    change->targets = NULL;
}

enum kafka_error consumer_change_commit(struct consumer_change *change)
{
    struct consumer_group *group = change->group;
    struct error err = {0};
    bool patterns;

    if (write_change(change, &err) != 0) {
        log_write(LOG_ERROR, "group", NULL, "consumer group %s: %s", group->id,
                  err.text);
        consumer_change_drop(change);
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    take_targets(change);
    patterns =
        change->old != NULL &&
        (change->next == NULL || strcmp(change->old->regex, change->next->regex) != 0);
    if (change->old != NULL)
        consumer_unlink(group, change->old);
    if (change->next != NULL)
        consumer_link(group, change->next);
    consumer_member_free(change->old);
    change->old = NULL;
    group->epoch = change->epoch;
    group->target_epoch = change->target_epoch;
    group->hash = change->hash;
    group->version = change->version;
    if (patterns)
        consumer_patterns_tidy(group);
    return KAFKA_NONE;
}

void consumer_change_drop(struct consumer_change *change)
{
    for (int32_t m = 0;
         change->targets != NULL && m < change->subscriptions.members_count; m++)
        partition_set_clear(&change->targets[m]);
    free(change->targets);
    consumer_member_free(change->next);
    change->targets = NULL;
    change->next = NULL;
}
