/* SPDX-License-Identifier: MIT
 *
 * consumer.h - one group of the consumer protocol (KIP-848): the broker assigns the
 * partitions and leads every member to them by epochs. Layer: ledger/group.
 * groups.h holds all groups by id and changes their type; offsets.h holds the offsets.
 *
 * Every change is in the store before it is in memory: when the store refuses, the
 * request fails and the group is what it was. Sessions are not stored: a restart of the
 * broker gives every member a new one.
 */
#ifndef LEDGER_GROUP_CONSUMER_H
#define LEDGER_GROUP_CONSUMER_H

#include "base/error.h"
#include "base/mem.h"
#include "ledger/group/group_topics.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct consumer_group;
struct groups_caller; /* groups.h: client id, host, now_ms, version */
struct store;
struct consumer_group_heartbeat_request;
struct consumer_group_heartbeat_response;
struct consumer_group_describe_response_described_group;

/* What all consumer groups share; outlives them. Broker defaults as Kafka's. */
struct consumer_env {
    struct store *store;
    struct group_topics topics;
    struct group_configs configs;  /* find == NULL: no group has configs of its own */
    int32_t session_timeout_ms;    /* group.consumer.session.timeout.ms, 45000 */
    int32_t heartbeat_interval_ms; /* group.consumer.heartbeat.interval.ms, 5000 */
    int32_t max_size;              /* group.consumer.max.size, INT32_MAX */
};

void consumer_env_default(struct consumer_env *env); /* the numbers only */

/* ---- life ------------------------------------------------------------------------ */

/* A new, empty group at epoch 0; nothing is stored before its first member joins. */
struct consumer_group *consumer_new(const struct consumer_env *env, const char *id);
void consumer_free(struct consumer_group *group); /* leaves the store alone */

typedef void consumer_found_fn(void *arg, struct consumer_group *group);

/*
 * Read all consumer groups from the store. fn takes each. Their sessions begin at
 * now_ms. Damaged entries are logged and left out; -1 and err when nothing but damage
 * is there.
 */
int consumer_load(const struct consumer_env *env, int64_t now_ms, consumer_found_fn *fn,
                  void *arg, struct error *err);

/* Take everything of the group out of the store: it is deleted or becomes another type.
 */
enum kafka_error consumer_forget(struct consumer_group *group);

/* ---- queries --------------------------------------------------------------------- */

const char *consumer_id(const struct consumer_group *group);
bool consumer_is_empty(const struct consumer_group *group);
int32_t consumer_epoch(const struct consumer_group *group);
/* Empty, Assigning, Reconciling or Stable: as ListGroups and Describe show it. */
const char *consumer_state(const struct consumer_group *group);
/* Does any member subscribe to the topic? Such offsets can't be deleted. */
bool consumer_subscribes(const struct consumer_group *group, const char *topic);

void consumer_describe(const struct consumer_group *group, struct mem_arena *arena,
                       struct consumer_group_describe_response_described_group *out);

/*
 * May this member commit, or fetch, offsets with this epoch? KAFKA_NONE, or
 * KAFKA_UNKNOWN_MEMBER_ID, KAFKA_STALE_MEMBER_EPOCH, KAFKA_UNSUPPORTED_VERSION (a plain
 * commit below version 9). A commit from outside (epoch -1) is let through while the
 * group has no members, a transactional one without member and instance always; a fetch
 * without member id (null) and epoch always.
 */
struct consumer_commit {
    struct wire_string member_id;
    struct wire_string instance_id;
    int32_t epoch;
    int16_t version; /* of the request; only looked at when not transactional */
    bool transactional;
};
enum kafka_error consumer_may_commit(const struct consumer_group *group,
                                     const struct consumer_commit *commit);
enum kafka_error consumer_may_fetch(const struct consumer_group *group,
                                    struct wire_string member_id, int32_t epoch);

/* ---- commands -------------------------------------------------------------------- */

/*
 * Answer a heartbeat: join, go on, or leave. response is complete, its error included;
 * what it borrows lives as long as arena and until the next call for this group.
 * The caller has found (or, for a member that joins, made) the group.
 */
void consumer_heartbeat(struct consumer_group *group,
                        const struct consumer_group_heartbeat_request *request,
                        const struct groups_caller *caller, struct mem_arena *arena,
                        struct consumer_group_heartbeat_response *response);

/*
 * What is wrong with the request by itself, whatever the group: fills response as above
 * and returns its error. To be asked before a group is looked for or made.
 */
enum kafka_error consumer_check(const struct consumer_group_heartbeat_request *request,
                                int16_t version, struct mem_arena *arena,
                                struct consumer_group_heartbeat_response *response);

/*
 * LeaveGroup of the classic protocol, which administrators also use to remove members
 * of this one: by member id, by instance id (member id ""), or by both.
 */
enum kafka_error consumer_leave(struct consumer_group *group,
                                struct wire_string member_id,
                                struct wire_string instance_id);

/* Expire sessions and rebalance timeouts; returns the next deadline or INT64_MAX. */
int64_t consumer_tick(struct consumer_group *group, int64_t now_ms);

#endif
