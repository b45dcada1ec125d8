/* SPDX-License-Identifier: MIT
 *
 * consumer_classic.h - members of the classic protocol in a consumer group, while its
 * members change over one by one. Layer: ledger/group. They join, sync and heartbeat as
 * ever, but the broker assigns: each is a follower, and the generation is its own
 * epoch.
 */
#ifndef LEDGER_GROUP_CONSUMER_CLASSIC_H
#define LEDGER_GROUP_CONSUMER_CLASSIC_H

#include "base/mem.h"
#include "ledger/group/consumer.h"

struct heartbeat_request;
struct join_group_request;
struct join_group_response;
struct sync_group_request;
struct sync_group_response;

/*
 * On success the response is complete. Else the error, and in response->member_id what
 * the refusal shall say: the new id with MEMBER_ID_REQUIRED, or the request's.
 */
enum kafka_error consumer_classic_join(struct consumer_group *group,
                                       const struct join_group_request *request,
                                       const struct groups_caller *caller,
                                       struct mem_arena *arena,
                                       struct join_group_response *response);
enum kafka_error consumer_classic_sync(struct consumer_group *group,
                                       const struct sync_group_request *request,
                                       const struct groups_caller *caller,
                                       struct mem_arena *arena,
                                       struct sync_group_response *response);
enum kafka_error consumer_classic_heartbeat(struct consumer_group *group,
                                            const struct heartbeat_request *request,
                                            const struct groups_caller *caller);

/* Has it members, and do all of them use the classic protocol? */
bool consumer_only_classic(const struct consumer_group *group);

/* Read what a protocol's metadata says; false when it is no subscription. */
struct consumer_protocol_subscription;
struct wire_bytes;
bool consumer_classic_subscription(struct wire_bytes metadata, struct mem_arena *arena,
                                   struct consumer_protocol_subscription *out);
/* Read an assignment by names as partitions; false when it is none, or carries user
 * data
 * (*custom), which no consumer group could keep. */
struct partition_set;
bool consumer_classic_assigned(const struct consumer_group *group,
                               struct wire_bytes assignment, struct partition_set *out,
                               bool *custom);
/* Write one, in the version of the member's subscription. */
struct consumer_member;
struct wire_bytes consumer_classic_assignment(const struct consumer_group *group,
                                              const struct consumer_member *member,
                                              const struct partition_set *set,
                                              struct mem_arena *arena);

#endif
