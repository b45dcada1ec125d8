/* SPDX-License-Identifier: MIT */
#include "ledger/group/consumer_classic.h"

#include "base/mem.h"
#include "ledger/group/consumer_group.h"
#include "ledger/group/groups.h"
#include "ledger/wire/messages_consumer.h"
#include "ledger/wire/messages_groups.h"

#include <string.h>

enum {
    PROTOCOL_VERSION_MAX = 3, /* of subscriptions and assignments */
    VERSION_MEMBER_ID_REQUIRED = 4,
};

static const char protocol_type[] = "consumer";

/* ---- what is embedded in the protocol -------------------------------------------- */

/* The version in front; a newer one is read as the newest that is known. */
static int16_t embedded_version(struct wire_bytes data)
{
    int version = data.len < 2 ? -1 : data.data[0] << 8 | data.data[1];

    return (int16_t)(version > PROTOCOL_VERSION_MAX ? PROTOCOL_VERSION_MAX : version);
}

bool consumer_classic_subscription(struct wire_bytes metadata, struct mem_arena *arena,
                                   struct consumer_protocol_subscription *out)
{
    int16_t version = embedded_version(metadata);
    struct error err = {0};

    return version >= 0 && wire_read(&consumer_protocol_subscription_message, version,
                                     metadata.data + 2, (size_t)metadata.len - 2, arena,
                                     out, &err) == 0;
}

static void add_partitions(const struct consumer_group *group, struct wire_string name,
                           const int32_t *partitions, int32_t count,
                           struct partition_set *out, struct mem_arena *arena)
{
    const struct group_topics *topics = &group->env->topics;
    char *text = mem_arena_strndup(arena, name.data, (size_t)name.len);
    struct group_topic topic;

    if (!topics->find(topics->arg, text, &topic))
        return;
    for (int32_t i = 0; i < count; i++)
        if (partitions[i] >= 0 && partitions[i] < topic.partitions)
            partition_set_add(out, &topic.id, partitions[i]);
}

bool consumer_classic_assigned(const struct consumer_group *group,
                               struct wire_bytes assignment, struct partition_set *out,
                               bool *custom)
{
    int16_t version = embedded_version(assignment);
    struct consumer_protocol_assignment read;
    struct mem_arena arena = {0};
    struct error err = {0};
    bool fine;

    *custom = false;
    if (assignment.len <= 0)
        return true;
    fine = version >= 0 && wire_read(&consumer_protocol_assignment_message, version,
                                     assignment.data + 2, (size_t)assignment.len - 2,
                                     &arena, &read, &err) == 0;
    for (int32_t i = 0; fine && i < read.assigned_partitions_count; i++)
        add_partitions(group, read.assigned_partitions[i].topic,
                       read.assigned_partitions[i].partitions,
                       read.assigned_partitions[i].partitions_count, out, &arena);
    partition_set_sort(out);
    *custom = fine && read.user_data.len > 0;
    mem_arena_clear(&arena);
    return fine && !*custom;
}

/* The partitions by topic names; topics that are gone are left out. */
static void name_topics(const struct consumer_group *group,
                        const struct partition_set *set, struct mem_arena *arena,
                        struct consumer_protocol_assignment *out)
{
    const struct group_topics *topics = &group->env->topics;
    struct group_topic topic;
    size_t run;

    out->assigned_partitions =
        mem_arena_alloc(arena, (set->count + 1) * sizeof(*out->assigned_partitions));
    for (size_t i = 0; i < set->count; i += run) {
        run = partition_set_run(set, i);
        if (!topics->find_id(topics->arg, &set->items[i].topic, &topic))
            continue;
        out->assigned_partitions[out->assigned_partitions_count++] =
            (struct consumer_protocol_assignment_topic_partition){
                .topic = wire_string_of(mem_arena_strdup(arena, topic.name)),
                .partitions = partition_set_numbers(set, i, run, arena),
                .partitions_count = (int32_t)run,
            };
    }
}

struct wire_bytes consumer_classic_assignment(const struct consumer_group *group,
                                              const struct consumer_member *member,
                                              const struct partition_set *set,
                                              struct mem_arena *arena)
{
    struct consumer_protocol_assignment assignment;
    struct consumer_protocol protocol;
    struct wire_out out = {0};
    struct wire_bytes copy;
    int16_t version = 0;

    if (consumer_member_protocol(member, 0, &protocol))
        version = embedded_version(protocol.metadata);
    if (version < 0)
        version = 0;
    wire_defaults(&consumer_protocol_assignment_message, &assignment);
    name_topics(group, set, arena, &assignment);
    text_append_bytes(&out.bytes, &(uint8_t[]){0, (uint8_t)version}, 2);
    wire_write(&consumer_protocol_assignment_message, version, &assignment, &out);
    copy.data =
        (const uint8_t *)mem_arena_strndup(arena, out.bytes.data, out.bytes.len);
    copy.len = (int32_t)out.bytes.len;
    wire_out_clear(&out);
    return copy;
}

/* ---- join ------------------------------------------------------------------------ */

bool consumer_only_classic(const struct consumer_group *group)
{
    const struct consumer_member *member = group->members;

    while (member != NULL && member->classic)
        member = member->hh.next;
    return group->members != NULL && member == NULL;
}

static bool offers(const struct consumer_member *member, struct wire_string name)
{
    struct consumer_protocol protocol;

    for (int32_t i = 0; consumer_member_protocol(member, i, &protocol); i++)
        if (wire_string_equal(protocol.name, name))
            return true;
    return false;
}

/* Is there a protocol that all members of the classic protocol offer as well? */
static bool supported(const struct consumer_group *group,
                      const struct join_group_request *request)
{
    for (int32_t i = 0; i < request->protocols_count; i++) {
        const struct consumer_member *member = group->members;

        while (member != NULL &&
               (!member->classic || offers(member, request->protocols[i].name)))
            member = member->hh.next;
        if (member == NULL)
            return wire_string_is(request->protocol_type, protocol_type);
    }
    return false;
}

struct join {
    struct consumer_group *group;
    const struct join_group_request *request;
    const char *member_id;
    struct consumer_member *old; /* as the group has it; NULL: a new one */
    bool replaces;
};

static enum kafka_error find_static(struct join *join, struct mem_arena *arena)
{
    struct wire_string instance = join->request->group_instance_id;
    struct consumer_member *other = consumer_find(join->group, join->member_id);

    join->old = consumer_find_instance(
        join->group, mem_arena_strndup(arena, instance.data, (size_t)instance.len));
    if (join->request->member_id.len > 0) {
        if (join->old == NULL)
            return KAFKA_UNKNOWN_MEMBER_ID;
        return other == join->old ? KAFKA_NONE : KAFKA_FENCED_INSTANCE_ID;
    }
    join->replaces = join->old != NULL;
    return KAFKA_NONE;
}

static enum kafka_error find(struct join *join, const struct groups_caller *caller,
                             struct mem_arena *arena)
{
    struct consumer_group *group = join->group;
    const struct join_group_request *request = join->request;
    bool unknown = request->member_id.len <= 0;

    join->member_id = unknown ? consumer_new_id(arena)
                              : mem_arena_strndup(arena, request->member_id.data,
                                                  (size_t)request->member_id.len);
    join->old = consumer_find(group, join->member_id);
    if (HASH_COUNT(group->members) >= (unsigned)group->env->max_size &&
        join->old == NULL)
        return KAFKA_GROUP_MAX_SIZE_REACHED;
    if (!supported(group, request))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    if (request->group_instance_id.len >= 0)
        return find_static(join, arena);
    return unknown && caller->version >= VERSION_MEMBER_ID_REQUIRED
               ? KAFKA_MEMBER_ID_REQUIRED
               : KAFKA_NONE;
}

static struct consumer_member *
next_member(const struct join *join, const struct groups_caller *caller,
            const struct consumer_protocol_subscription *subscription,
            struct mem_arena *arena)
{
    const struct join_group_request *request = join->request;
    struct consumer_protocol *protocols = mem_arena_alloc(
        arena, ((size_t)request->protocols_count + 1) * sizeof(*protocols));
    struct consumer_member *next =
        join->old == NULL ? consumer_member_new(join->member_id)
        : join->replaces  ? consumer_member_successor(join->old, join->member_id)
                          : consumer_member_copy(join->old);

    for (int32_t i = 0; i < request->protocols_count; i++)
        protocols[i] = (struct consumer_protocol){request->protocols[i].name,
                                                  request->protocols[i].metadata};
    consumer_member_update_classic(
        next, &(struct consumer_classic_facts){
                  .instance_id = request->group_instance_id,
                  .rack_id = subscription->rack_id,
                  .client_id = caller->client_id,
                  .client_host = caller->host,
                  .session_timeout_ms = request->session_timeout_ms,
                  .rebalance_timeout_ms = caller->version == 0
                                              ? request->session_timeout_ms
                                              : request->rebalance_timeout_ms,
                  .topics = subscription->topics,
                  .topics_count = subscription->topics_count,
                  .protocols = protocols,
                  .protocols_count = request->protocols_count,
              });
    return next;
}

enum kafka_error consumer_classic_join(struct consumer_group *group,
                                       const struct join_group_request *request,
                                       const struct groups_caller *caller,
                                       struct mem_arena *arena,
                                       struct join_group_response *response)
{
    struct join join = {.group = group, .request = request};
    struct consumer_protocol_subscription subscription;
    struct partition_set owned = {0};
    struct consumer_advance advance;
    enum kafka_error error = find(&join, caller, arena);

    wire_defaults(&join_group_response_message, response);
    if (error == KAFKA_MEMBER_ID_REQUIRED)
        response->member_id = wire_string_of(join.member_id);
    if (error != KAFKA_NONE)
        return error;
    if (!consumer_classic_subscription(request->protocols[0].metadata, arena,
                                       &subscription))
        return KAFKA_UNKNOWN_SERVER_ERROR;
    for (int32_t i = 0; i < subscription.owned_partitions_count; i++)
        add_partitions(group, subscription.owned_partitions[i].topic,
                       subscription.owned_partitions[i].partitions,
                       subscription.owned_partitions[i].partitions_count, &owned,
                       arena);
    partition_set_sort(&owned);
    advance = (struct consumer_advance){
        .group = group,
        .old = join.old,
        .next = next_member(&join, caller, &subscription, arena),
        .owned = &owned,
        .now_ms = caller->now_ms,
    };
    error = consumer_advance(&advance, arena);
    partition_set_clear(&owned);
    if (error != KAFKA_NONE)
        return error;
    response->member_id = wire_string_of(join.member_id);
    response->generation_id = advance.next->epoch;
    response->protocol_type = wire_string_of(protocol_type);
    response->protocol_name = request->protocols[0].name;
    return KAFKA_NONE;
}

/* ---- sync and heartbeat ---------------------------------------------------------- */

/* The member that a request of the classic protocol names, at this generation. */
static enum kafka_error find_classic(const struct consumer_group *group,
                                     struct wire_string id, struct wire_string instance,
                                     int32_t generation, struct consumer_member **out)
{
    struct consumer_member *member = NULL;

    if (instance.len >= 0)
        HASH_FIND(hh_instance, group->instances, instance.data, (size_t)instance.len,
                  member);
    else if (id.len > 0)
        HASH_FIND(hh, group->members, id.data, (size_t)id.len, member);
    *out = member;
    if (member == NULL)
        return KAFKA_UNKNOWN_MEMBER_ID;
    if (!wire_string_is(id, member->id))
        return KAFKA_FENCED_INSTANCE_ID;
    if (!member->classic)
        return KAFKA_UNKNOWN_MEMBER_ID;
    return member->epoch == generation ? KAFKA_NONE : KAFKA_ILLEGAL_GENERATION;
}

/* It has to join again, and not too late. */
static enum kafka_error call_to_join(struct consumer_group *group,
                                     struct consumer_member *member, int64_t now_ms)
{
    if (member->join_deadline_ms == INT64_MAX)
        member->join_deadline_ms = now_ms + member->rebalance_timeout_ms;
    consumer_watch(group, member);
    return KAFKA_REBALANCE_IN_PROGRESS;
}

static void renew_session(struct consumer_group *group, struct consumer_member *member,
                          int64_t now_ms)
{
    member->session_deadline_ms = now_ms + member->classic_session_ms;
    consumer_watch(group, member);
}

enum kafka_error consumer_classic_sync(struct consumer_group *group,
                                       const struct sync_group_request *request,
                                       const struct groups_caller *caller,
                                       struct mem_arena *arena,
                                       struct sync_group_response *response)
{
    struct consumer_protocol protocol = {{NULL, -1}, {NULL, -1}};
    struct consumer_member *member;
    enum kafka_error error =
        find_classic(group, request->member_id, request->group_instance_id,
                     request->generation_id, &member);

    wire_defaults(&sync_group_response_message, response);
    if (error != KAFKA_NONE)
        return error;
    consumer_member_protocol(member, 0, &protocol);
    if ((request->protocol_type.len >= 0 &&
         !wire_string_is(request->protocol_type, protocol_type)) ||
        (request->protocol_name.len >= 0 &&
         !wire_string_equal(request->protocol_name, protocol.name)))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    if (group->epoch > member->epoch && member->state != CONSUMER_UNREVOKED)
        return call_to_join(group, member, caller->now_ms);
    member->sync_deadline_ms = INT64_MAX;
    renew_session(group, member, caller->now_ms);
    response->protocol_type = request->protocol_type;
    response->protocol_name = request->protocol_name;
    response->assignment =
        consumer_classic_assignment(group, member, &member->assigned, arena);
    return KAFKA_NONE;
}

/* Is something of its target still another member's? */
static bool waits(const struct consumer_group *group,
                  const struct consumer_member *member)
{
    for (size_t i = 0; i < member->target.count; i++) {
        const struct partition_id *item = &member->target.items[i];

        if (!partition_set_has(&member->assigned, &item->topic, item->partition) &&
            consumer_taken(group, item))
            return true;
    }
    return false;
}

enum kafka_error consumer_classic_heartbeat(struct consumer_group *group,
                                            const struct heartbeat_request *request,
                                            const struct groups_caller *caller)
{
    struct consumer_member *member;
    enum kafka_error error =
        find_classic(group, request->member_id, request->group_instance_id,
                     request->generation_id, &member);

    if (error != KAFKA_NONE)
        return error;
    renew_session(group, member, caller->now_ms);
    if (member->epoch < group->epoch || member->state == CONSUMER_UNREVOKED ||
        (member->state == CONSUMER_UNRELEASED && !waits(group, member)))
        return call_to_join(group, member, caller->now_ms);
    return KAFKA_NONE;
}
