/* SPDX-License-Identifier: MIT
 *
 * reconcile.h - one step of a member towards its target: give up first, then go to the
 * new epoch, then take what is free. Layer: ledger/group (pure).
 */
#ifndef LEDGER_GROUP_RECONCILE_H
#define LEDGER_GROUP_RECONCILE_H

#include "ledger/group/consumer_member.h"

#include <stdbool.h>

struct reconcile {
    int32_t target_epoch;
    const struct partition_set *target;
    const struct partition_set
        *subscribed_to;                /* (topic id, 0) of every subscribed topic */
    bool subscription_changed;         /* by this request */
    const struct partition_set *owned; /* what the member says it has; NULL: unsaid */
    /* Has anybody but this member the partition, or has it to give it up? */
    bool (*taken)(void *arg, const struct partition_id *partition);
    void *arg;
};

/* Change the member's state, epoch, assigned and revoking, as far as it can go now. */
void reconcile_step(struct consumer_member *member, const struct reconcile *to);

#endif
