/* SPDX-License-Identifier: MIT */
#include "ledger/group/reconcile.h"

/* What a member says nothing about, it may still have. */
static bool still_has(const struct reconcile *to, const struct partition_set *revoked)
{
    return to->owned == NULL || partition_set_meet(to->owned, revoked);
}

/* The part of a set whose topics the member subscribes to. */
static struct partition_set subscribed_part(const struct reconcile *to,
                                            const struct partition_set *set)
{
    struct partition_set part = {0};
    size_t run;

    for (size_t i = 0; i < set->count; i += run) {
        run = partition_set_run(set, i);
        if (!partition_set_has(to->subscribed_to, &set->items[i].topic, 0))
            continue;
        for (size_t j = i; j < i + run; j++)
            partition_set_add(&part, &set->items[j].topic, set->items[j].partition);
    }
    return part;
}

/* Move the contents. */
static void become(struct partition_set *set, struct partition_set *new)
{
    partition_set_clear(set);
    *set = *new;
    *new = (struct partition_set){0};
}

/* Drop topics that are no longer subscribed, without going to another epoch. */
static void drop_unsubscribed(struct consumer_member *member,
                              const struct reconcile *to)
{
    struct partition_set kept = subscribed_part(to, &member->assigned);
    struct partition_set dropped = partition_set_minus(&member->assigned, &kept);
    struct partition_set revoking = partition_set_or(&member->revoking, &dropped);

    if (dropped.count > 0) {
        become(&member->assigned, &kept);
        if (still_has(to, &revoking)) {
            become(&member->revoking, &revoking);
            member->state = CONSUMER_UNREVOKED;
        }
    }
    partition_set_clear(&kept);
    partition_set_clear(&dropped);
    partition_set_clear(&revoking);
}

/* Add what is free of missing to kept; returns whether something is not free. */
static bool take_free(const struct reconcile *to, const struct partition_set *missing,
                      struct partition_set *kept)
{
    bool waits = false;

    for (size_t i = 0; i < missing->count; i++) {
        if (to->taken(to->arg, &missing->items[i]))
            waits = true;
        else
            partition_set_add(kept, &missing->items[i].topic,
                              missing->items[i].partition);
    }
    partition_set_sort(kept);
    return waits;
}

static void next_assignment(struct consumer_member *member, const struct reconcile *to)
{
    struct partition_set target = subscribed_part(to, to->target);
    struct partition_set kept = partition_set_and(&member->assigned, &target);
    struct partition_set dropped = partition_set_minus(&member->assigned, &kept);
    struct partition_set missing = partition_set_minus(&target, &kept);

    if (dropped.count > 0 && still_has(to, &dropped)) {
        member->state = CONSUMER_UNREVOKED;
        consumer_member_advance(member, member->epoch);
        become(&member->revoking, &dropped);
    } else {
        bool waits = take_free(to, &missing, &kept);

        member->state = waits ? CONSUMER_UNRELEASED : CONSUMER_STABLE;
        consumer_member_advance(member, to->target_epoch);
        partition_set_clear(&member->revoking);
    }
    become(&member->assigned, &kept);
    partition_set_clear(&target);
    partition_set_clear(&dropped);
    partition_set_clear(&missing);
}

void reconcile_step(struct consumer_member *member, const struct reconcile *to)
{
    bool stays = false;

    if (member->state == CONSUMER_STABLE)
        stays = member->epoch == to->target_epoch;
    else if (member->state == CONSUMER_UNREVOKED)
        stays = still_has(to, &member->revoking);
    if (!stays)
        next_assignment(member, to);
    else if (to->subscription_changed)
        drop_unsubscribed(member, to);
}
