/* SPDX-License-Identifier: MIT
 *
 * groups.h - all groups by id, of the classic protocol (classic.h) and of the consumer
 * protocol (consumer.h): the coordinator's requests, their checks, and time.
 * Layer: ledger/group. It knows no sockets: an answer that waits is delivered by the
 * function given at groups_open, exactly once per ticket.
 *
 * Members, generations and assignments are in the store: after a restart of the broker
 * every member goes on in the generation it had, with a new session. A generation
 * number is never used twice.
 */
#ifndef LEDGER_GROUP_GROUPS_H
#define LEDGER_GROUP_GROUPS_H

#include "base/error.h"
#include "base/mem.h"
#include "ledger/group/consumer.h"
#include "ledger/group/offsets.h"
#include "ledger/store/store.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct groups;
struct join_group_request;
struct sync_group_request;
struct heartbeat_request;
struct heartbeat_response;
struct leave_group_request;
struct leave_group_response;
struct describe_groups_response_described_group;
struct consumer_group_describe_response_described_group;
struct list_groups_request;
struct list_groups_response;

/*
 * Deliver the answer to a join or sync: response is a struct join_group_response or
 * sync_group_response, valid during the call only. May be called before groups_join or
 * groups_sync returns, later from another request, or from groups_tick. It must not
 * call back into groups.
 */
typedef void group_answer_fn(void *ticket, const void *response);

struct groups_settings {
    int64_t initial_rebalance_delay_ms; /* group.initial.rebalance.delay.ms; here 0 */
    int32_t session_min_ms;             /* group.min.session.timeout.ms, 6000 */
    int32_t session_max_ms;             /* group.max.session.timeout.ms, 1800000 */
    int32_t max_size;                   /* group.max.size, INT32_MAX */
    int64_t offsets_retention_ms;       /* offsets.retention.minutes, 7 days */
    int64_t offsets_check_ms; /* offsets.retention.check.interval.ms, 600000 */
    const struct consumer_env *consumer; /* outlives the groups */
};

void groups_settings_default(struct groups_settings *settings); /* consumer: NULL */

/* Who asks, and when. */
struct groups_caller {
    struct wire_string client_id;
    const char *host; /* the peer's address as Kafka shows it: "/127.0.0.1" */
    int64_t now_ms;   /* monotonic */
    int64_t wall_ms;
    int16_t version; /* of the request */
};

/*
 * Load all groups from the store; it, the offsets and answer's tickets outlive them.
 * Sessions begin at now_ms. Errors: NULL when the store cannot be read.
 */
struct groups *groups_open(const struct groups_settings *settings, struct store *store,
                           struct offsets *offsets, group_answer_fn *answer,
                           int64_t now_ms, struct error *err);
/* Waiting tickets are answered NOT_COORDINATOR. NULL is fine. */
void groups_close(struct groups *groups);

/*
 * Expire sessions, end rebalances, expire offsets and groups without any.
 * Returns when to call again (INT64_MAX: never, until the next request).
 */
int64_t groups_tick(struct groups *groups, int64_t now_ms, int64_t wall_ms);

/* What members sent may not have been read for a while: no deadline that a member has
 * to meet ends before until_ms. */
void groups_postpone(struct groups *groups, int64_t until_ms);

/* ---- classic protocol -------------------------------------------------------- */

void groups_join(struct groups *groups, const struct join_group_request *request,
                 const struct groups_caller *caller, void *ticket);
void groups_sync(struct groups *groups, const struct sync_group_request *request,
                 const struct groups_caller *caller, void *ticket);
enum kafka_error groups_heartbeat(struct groups *groups,
                                  const struct heartbeat_request *request,
                                  const struct groups_caller *caller);
/* All versions: below 3 the request names one member, then members_count is 0. */
void groups_leave(struct groups *groups, const struct leave_group_request *request,
                  const struct groups_caller *caller, struct mem_arena *arena,
                  struct leave_group_response *response);
/* ---- consumer protocol ------------------------------------------------------- */

/* Finds or makes the group; an empty classic group becomes a consumer group. */
void groups_consumer_heartbeat(struct groups *groups,
                               const struct consumer_group_heartbeat_request *request,
                               const struct groups_caller *caller,
                               struct mem_arena *arena,
                               struct consumer_group_heartbeat_response *response);
/* GROUP_ID_NOT_FOUND with Kafka's text when it is no consumer group. */
void groups_consumer_describe(
    struct groups *groups, struct wire_string group, struct mem_arena *arena,
    struct consumer_group_describe_response_described_group *out);

/* ---- offsets ----------------------------------------------------------------- */

/* The member that an OffsetCommit, TxnOffsetCommit or OffsetFetch names. */
struct groups_member {
    struct wire_string group;
    struct wire_string member;   /* null or "": none */
    struct wire_string instance; /* null: none */
    int32_t generation;          /* or member epoch; -1: none */
};

/*
 * May it commit? Makes the group when it is a commit from outside of any (generation
 * -1) and there is none. KAFKA_NONE: go on with offsets_begin(). A plain commit also
 * counts as a heartbeat. transactional: TxnOffsetCommit's rules.
 */
enum kafka_error groups_check_commit(struct groups *groups,
                                     const struct groups_member *who,
                                     bool transactional,
                                     const struct groups_caller *caller);
/*
 * May it fetch offsets? KAFKA_GROUP_ID_NOT_FOUND means: answer every partition with "no
 * offset" and no error.
 */
enum kafka_error groups_check_fetch(struct groups *groups,
                                    const struct groups_member *who);
/*
 * May this be deleted by OffsetDelete? First of the group ({NULL, -1} topic), then of
 * each topic: KAFKA_GROUP_SUBSCRIBED_TO_TOPIC.
 */
enum kafka_error groups_check_offset_delete(struct groups *groups,
                                            struct wire_string group,
                                            struct wire_string topic);

/* ---- administration ---------------------------------------------------------- */

/*
 * One group of DescribeGroups: complete, its error and text included; from version 6 on
 * a group that is not there is GROUP_ID_NOT_FOUND, before it is "Dead".
 */
void groups_describe(struct groups *groups, struct wire_string group, int16_t version,
                     struct mem_arena *arena,
                     struct describe_groups_response_described_group *out);
void groups_list(struct groups *groups, const struct list_groups_request *request,
                 struct mem_arena *arena, struct list_groups_response *response);
/* NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, INVALID_GROUP_ID; else it and its offsets go. */
enum kafka_error groups_delete(struct groups *groups, struct wire_string group);

int64_t groups_count(const struct groups *groups);

#endif
