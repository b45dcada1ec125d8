/* SPDX-License-Identifier: MIT
 *
 * classic_members.h - the members of a classic group and what they have in common:
 * the leader, static members, pending members, the protocols they support.
 * Private to classic*.c. Layer: ledger/group.
 */
#ifndef LEDGER_GROUP_CLASSIC_MEMBERS_H
#define LEDGER_GROUP_CLASSIC_MEMBERS_H

#include "ledger/group/classic.h"
#include "ledger/wire/messages_groups.h"

#include <uthash.h>

/* Of one member. Kafka has no limit; clients have a handful. */
enum { CLASSIC_PROTOCOLS_MAX = 100 };

enum classic_state {
    CLASSIC_EMPTY,
    CLASSIC_PREPARING,  /* members join */
    CLASSIC_COMPLETING, /* the leader assigns, members wait in sync */
    CLASSIC_STABLE,
};

struct classic_protocol {
    struct wire_string name;
    struct wire_bytes metadata;
};

struct classic_member {
    struct wire_string id;       /* all texts are the member's own */
    struct wire_string instance; /* null: dynamic */
    struct wire_string client_id;
    struct wire_string host;
    int32_t rebalance_timeout_ms;
    int32_t session_timeout_ms;
    struct classic_protocol *protocols; /* as preferred */
    int32_t protocols_count;
    struct wire_bytes assignment;

    void *join_ticket; /* NULL: does not wait */
    void *sync_ticket;
    int64_t deadline_ms; /* of its session; INT64_MAX: none while it waits */
    bool is_new;    /* has never been told its id: its session ends while it waits */
    bool must_sync; /* has joined this generation and not synced */
    UT_hash_handle hh;
    UT_hash_handle hh_instance;
};

/* A member that was told its id and has not joined with it. */
struct classic_pending {
    struct wire_string id;
    int64_t deadline_ms;
    UT_hash_handle hh;
};

struct classic {
    const struct classic_env *env;
    struct wire_string id;
    enum classic_state state, previous;
    int64_t state_ms; /* wall clock of its beginning; -1: never changed */
    int32_t generation;
    int32_t last_generation;          /* the highest that was ever given to a member */
    struct wire_string protocol_type; /* null: none yet */
    struct wire_string protocol;      /* null: none chosen */

    struct classic_member *members; /* in the order they came */
    struct classic_member *statics; /* the same, by instance */
    struct classic_member *leader;
    struct classic_pending *pending;
    int32_t joining; /* members that wait in join */

    bool new_member;       /* one came during the initial delay */
    bool initial;          /* join_ms ends the initial delay */
    int64_t join_ms;       /* end of the join phase; INT64_MAX: none */
    int64_t delay_ms;      /* of the initial delay that runs */
    int64_t delay_left_ms; /* by which it may still be extended */
    int64_t sync_ms;       /* when those that have not synced are removed */
};

struct wire_string classic_copy(struct wire_string text); /* null stays null */
void classic_release(struct wire_string text);

struct classic_member *classic_find(const struct classic *group, struct wire_string id);
struct classic_member *classic_find_instance(const struct classic *group,
                                             struct wire_string instance);
struct classic_pending *classic_find_pending(const struct classic *group,
                                             struct wire_string id);
/* Does this member exist, and is it the one that has the instance id? */
enum kafka_error classic_check(const struct classic *group, struct wire_string id,
                               struct wire_string instance);

/* A member from a request, not yet in the group; takes id. */
struct classic_member *classic_member_new(const struct join_group_request *request,
                                          const struct groups_caller *caller,
                                          struct wire_string id);
void classic_member_free(struct classic_member *member);
void classic_member_add(struct classic *group, struct classic_member *member);
/* Take it out and free it; its tickets must have been answered. */
void classic_member_remove(struct classic *group, struct classic_member *member);
/* Take over what a join says: protocols and timeouts. */
void classic_member_update(struct classic_member *member,
                           const struct join_group_request *request,
                           const struct groups_caller *caller);
/* Give a static member a new id (taken). */
void classic_member_rename(struct classic *group, struct classic_member *member,
                           struct wire_string id);
void classic_member_assign(struct classic_member *member, struct wire_bytes assignment);
/* Null when the member does not support the protocol. */
struct wire_bytes classic_member_metadata(const struct classic_member *member,
                                          struct wire_string protocol);
bool classic_member_matches(const struct classic_member *member,
                            const struct join_group_request *request);

void classic_pending_add(struct classic *group, struct wire_string id,
                         int64_t deadline_ms);
void classic_pending_remove(struct classic *group, struct classic_pending *pending);

bool classic_all_joined(const struct classic *group);
/* The longest that any member asks for. */
int64_t classic_rebalance_timeout(const struct classic *group);
/* Is the leader among those that joined? Else elect one of them; false: none joined. */
bool classic_elect(struct classic *group);
/* Could a member with these protocols be in the group? */
bool classic_supports(const struct classic *group,
                      const struct join_group_request *request);
/* The protocol that all members support and most prefer; null when there is none. */
struct wire_string classic_vote(const struct classic *group);

/* ---- classic_store.c --------------------------------------------------------- */

int classic_keep_generation(struct classic *group, struct error *err);

/* ---- classic_join.c ---------------------------------------------------------- */

void classic_answer_join(struct classic *group, struct classic_member *member,
                         const struct join_group_response *response);
void classic_answer_join_error(struct classic *group, struct classic_member *member,
                               struct wire_string id, enum kafka_error error);
void classic_answer_sync(struct classic *group, struct classic_member *member,
                         enum kafka_error error);
void classic_enter(struct classic *group, enum classic_state state, int64_t wall_ms);
/* Begin a rebalance, or go on with the one that runs, after members changed. */
void classic_rebalance(struct classic *group, int64_t now_ms, int64_t wall_ms);
/* End the join phase when everybody is there. */
void classic_try_complete(struct classic *group, int64_t now_ms, int64_t wall_ms);
/* End the join phase with those that are there. */
void classic_complete(struct classic *group, int64_t now_ms, int64_t wall_ms);
/* The delay before the first generation has passed. */
void classic_initial_passed(struct classic *group, int64_t now_ms, int64_t wall_ms);
/* Answer whatever it waits for with "unknown member" and remove it. */
void classic_expel(struct classic *group, struct classic_member *member);

#endif
