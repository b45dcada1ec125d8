/* SPDX-License-Identifier: MIT
 *
 * consumer_advance.c - what follows from a member that joins or goes on: a new epoch
 * and new targets where the subscriptions ask for them, and its own next step.
 */
#include "ledger/group/consumer_group.h"
#include "ledger/group/reconcile.h"

#include <string.h>

struct taken {
    const struct consumer_group *group;
    const struct consumer_member *member; /* as the group has it; NULL: not yet */
};

static bool taken_by_other(void *arg, const struct partition_id *which)
{
    const struct taken *taken = arg;

    if (!consumer_taken(taken->group, which))
        return false;
    return taken->member == NULL ||
           (!partition_set_has(&taken->member->assigned, &which->topic,
                               which->partition) &&
            !partition_set_has(&taken->member->revoking, &which->topic,
                               which->partition));
}

static void step(const struct consumer_advance *advance,
                 const struct consumer_change *change, bool changed)
{
    struct consumer_member *next = change->next;
    struct taken taken = {advance->group, change->old};
    struct partition_set topics;

    if (!changed && consumer_member_settled(next, change->target_epoch))
        return;
    topics = consumer_subscribed_to(advance->group, next);
    reconcile_step(next, &(struct reconcile){
                             .target_epoch = change->target_epoch,
                             .target = consumer_change_next_target(change),
                             .subscribed_to = &topics,
                             .subscription_changed = changed,
                             .owned = advance->owned,
                             .taken = taken_by_other,
                             .arg = &taken,
                         });
    partition_set_clear(&topics);
}

/* Has the step moved the member? */
static bool moved(const struct consumer_member *before,
                  const struct consumer_member *now)
{
    return before == NULL || before->state != now->state ||
           before->epoch != now->epoch ||
           before->previous_epoch != now->previous_epoch ||
           !partition_set_equal(&before->assigned, &now->assigned) ||
           !partition_set_equal(&before->revoking, &now->revoking);
}

/* A member of the classic protocol has joined: now it has to sync. */
static void set_deadlines(const struct consumer_advance *advance)
{
    struct consumer_member *next = advance->next;
    int64_t now_ms = advance->now_ms;

    next->session_deadline_ms =
        now_ms + (next->classic ? next->classic_session_ms
                                : consumer_session_ms(advance->group));
    next->join_deadline_ms = INT64_MAX;
    next->sync_deadline_ms =
        next->classic ? now_ms + next->rebalance_timeout_ms : INT64_MAX;
    if (next->state != CONSUMER_UNREVOKED || next->classic)
        next->rebalance_deadline_ms = INT64_MAX;
    else if (moved(advance->old, next))
        next->rebalance_deadline_ms = now_ms + next->rebalance_timeout_ms;
}

enum kafka_error consumer_advance(struct consumer_advance *advance,
                                  struct mem_arena *arena)
{
    static const struct partition_set none;
    struct consumer_group *group = advance->group;
    const struct consumer_member *old = advance->old;
    struct consumer_member *next = advance->next;
    const struct group_topics *topics = &group->env->topics;
    bool looked = consumer_patterns_refresh(group, advance->now_ms);
    bool changed = strcmp(old == NULL ? "" : old->regex, next->regex) != 0;
    struct consumer_change change;
    enum kafka_error error;

    changed = changed || (old == NULL ? next->topics_count > 0
                                      : !consumer_member_same_topics(old, next));
    consumer_change_begin(&change, group, advance->old, next);
    if (group->epoch == 0 || changed || looked || !group->compared ||
        group->version != topics->version(topics->arg))
        consumer_change_epoch(&change, group->epoch == 0 || changed, arena);
    if (change.epoch > change.target_epoch)
        consumer_change_target(&change, arena);
    step(advance, &change, changed);
    set_deadlines(advance);
    advance->assignment_changed =
        !partition_set_equal(old == NULL ? &none : &old->assigned, &next->assigned);
    error = consumer_change_commit(&change);
    group->compared = group->compared || error == KAFKA_NONE;
    return error;
}
