/* SPDX-License-Identifier: MIT
 *
 * groups_postpone.c - time for members whose requests nobody has read.
 */
#include "ledger/group/consumer_group.h"
#include "ledger/group/consumer_member.h"
#include "ledger/group/groups_private.h"

static void not_before(int64_t *deadline_ms, int64_t until_ms)
{
    if (*deadline_ms < until_ms)
        *deadline_ms = until_ms;
}

static void postpone_classic(struct classic *group, int64_t until_ms)
{
    struct classic_member *member = group->members;
    struct classic_pending *pending = group->pending;

    for (; member != NULL; member = member->hh.next)
        not_before(&member->deadline_ms, until_ms);
    for (; pending != NULL; pending = pending->hh.next)
        not_before(&pending->deadline_ms, until_ms);
    not_before(&group->sync_ms, until_ms);
    if (!group->initial) /* that delay waits for nobody in particular */
        not_before(&group->join_ms, until_ms);
}

static void postpone_consumer(struct consumer_group *group, int64_t until_ms)
{
    struct consumer_member *member = group->members;

    for (; member != NULL; member = member->hh.next) {
        not_before(&member->session_deadline_ms, until_ms);
        not_before(&member->rebalance_deadline_ms, until_ms);
        not_before(&member->join_deadline_ms, until_ms);
        not_before(&member->sync_deadline_ms, until_ms);
    }
}

void groups_postpone(struct groups *groups, int64_t until_ms)
{
    for (struct group *group = groups->by_id; group != NULL; group = group->hh.next) {
        if (group->classic != NULL)
            postpone_classic(group->classic, until_ms);
        else
            postpone_consumer(group->consumer, until_ms);
    }
}
