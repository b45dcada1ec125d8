/* SPDX-License-Identifier: MIT
 *
 * groups_private.h - what groups.c and groups_admin.c share. Layer: ledger/group.
 */
#ifndef LEDGER_GROUP_GROUPS_PRIVATE_H
#define LEDGER_GROUP_GROUPS_PRIVATE_H

#include "ledger/group/classic.h"
#include "ledger/group/classic_members.h"
#include "ledger/group/groups.h"
#include "ledger/wire/messages_consumer.h"
#include "ledger/wire/messages_groups.h"

#include <uthash.h>

/* One of the two is set. */
struct group {
    struct wire_string id;
    struct classic *classic;
    struct consumer_group *consumer;
    int64_t deadline_ms; /* when its tick is due; may be too early, never too late */
    size_t at;           /* in the heap */
    UT_hash_handle hh;
};

struct groups {
    struct groups_settings settings;
    struct store *store;
    struct offsets *offsets;
    group_answer_fn *answer;
    struct classic_env classic;
    struct group *by_id;
    struct group **heap; /* the earliest deadline first */
    size_t count, capacity;
    int64_t check_ms; /* when offsets are looked through for expired ones */
};

struct group *groups_find(const struct groups *groups, struct wire_string id);
struct group *groups_add(struct groups *groups, struct wire_string id,
                         struct classic *classic, struct consumer_group *consumer);
void groups_remove(struct groups *groups, struct group *group);
void groups_due(struct groups *groups, struct group *group, int64_t deadline_ms);

/* ---- groups_migrate.c -------------------------------------------------------------- */

/*
 * A member of the consumer protocol joins a classic group that has members: it becomes a
 * consumer group. NULL, and response is complete; or why it cannot be, as the end of
 * Kafka's text "Cannot upgrade classic group …".
 */
const char *groups_upgrade(struct groups *groups, struct group *group,
                           const struct consumer_group_heartbeat_request *request,
                           const struct groups_caller *caller, struct mem_arena *arena,
                           struct consumer_group_heartbeat_response *response);
/*
 * A member was removed, or a static one replaced: when only members of the classic
 * protocol are left, the group becomes a classic one.
 */
void groups_downgrade(struct groups *groups, struct group *group, bool removed,
                      int64_t now_ms, int64_t wall_ms);

/* ---- groups_admin.c ---------------------------------------------------------------- */

bool groups_subscribes(const struct group *group, struct wire_string topic);
/* Remove what has passed its retention. */
void groups_expire(struct groups *groups, int64_t wall_ms);

#endif
