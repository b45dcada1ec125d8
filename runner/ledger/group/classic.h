/* SPDX-License-Identifier: MIT
 *
 * classic.h - one group of the classic protocol: members join, wait for each other, the
 * leader among them assigns, all sync, then they heartbeat. Layer: ledger/group.
 * groups.h holds all groups by id and changes their type.
 *
 * The rules are those of Apache Kafka 4.2, case by case. The group is stored when the
 * leader's assignment arrives, when it becomes empty and when a static member is
 * replaced; its generation number whenever it changes.
 */
#ifndef LEDGER_GROUP_CLASSIC_H
#define LEDGER_GROUP_CLASSIC_H

#include "base/error.h"
#include "base/mem.h"
#include "ledger/group/groups.h"

#include <stdbool.h>
#include <stdint.h>

struct classic;

/* What all classic groups share; outlives them. */
struct classic_env {
    struct store *store;
    group_answer_fn *answer;
    int64_t initial_rebalance_delay_ms;
    int32_t max_size;
};

/* ---- life -------------------------------------------------------------------- */

/* A new group: empty, generation 0, no protocol. Nothing is stored. */
struct classic *classic_new(const struct classic_env *env, struct wire_string id);
/* Waiting tickets are answered KAFKA_NOT_COORDINATOR. Leaves the store alone. */
void classic_free(struct classic *group);

typedef void classic_found_fn(void *arg, struct classic *group);

/* Read all classic groups from the store. fn takes each. Sessions begin at now_ms. */
void classic_load(const struct classic_env *env, int64_t now_ms, classic_found_fn *fn,
                  void *arg);

/* Store the group as it is: done for a new one before anyone is told of it. */
int classic_keep(struct classic *group, struct error *err);
/* Take the group out of the store: it is deleted or becomes another type. */
int classic_forget(struct classic *group, struct error *err);

/* ---- queries ----------------------------------------------------------------- */

struct wire_string classic_id(const struct classic *group);
bool classic_is_empty(const struct classic *group);
/* Kafka's name of the state: "Stable" … */
const char *classic_state(const struct classic *group);
/* "" when there is none. */
struct wire_string classic_protocol_type(const struct classic *group);
/* Does any member subscribe to the topic? Unknown subscriptions count. */
bool classic_subscribes(const struct classic *group, struct wire_string topic);
/*
 * The wall clock time from which on the retention of an offset runs, INT64_MAX when it
 * does not: the end of the last member, or the commit.
 */
int64_t classic_retention_base(const struct classic *group, int64_t commit_ms);
void classic_describe(const struct classic *group, struct mem_arena *arena,
                      struct describe_groups_response_described_group *out);

enum kafka_error classic_may_commit(const struct classic *group,
                                    const struct groups_member *who,
                                    bool transactional);
enum kafka_error classic_may_delete_offsets(const struct classic *group);

/* ---- commands ---------------------------------------------------------------- */

void classic_join(struct classic *group, const struct join_group_request *request,
                  const struct groups_caller *caller, void *ticket);
void classic_sync(struct classic *group, const struct sync_group_request *request,
                  const struct groups_caller *caller, void *ticket);
enum kafka_error classic_heartbeat(struct classic *group,
                                   const struct heartbeat_request *request,
                                   const struct groups_caller *caller);
/* One member that leaves; call classic_left after the last one of a request. */
enum kafka_error classic_leave(struct classic *group, struct wire_string member,
                               struct wire_string instance);
void classic_left(struct classic *group, const struct groups_caller *caller);
/* A commit of this member keeps its session. */
void classic_alive(struct classic *group, struct wire_string member, int64_t now_ms);

/* End rebalances, expire sessions; the next deadline or INT64_MAX. */
int64_t classic_tick(struct classic *group, int64_t now_ms, int64_t wall_ms);

/* An answer to a join or a sync that is only an error. */
void classic_refuse_join(group_answer_fn *answer, void *ticket,
                         struct wire_string member, enum kafka_error error);
void classic_refuse_sync(group_answer_fn *answer, void *ticket, enum kafka_error error);

#endif
