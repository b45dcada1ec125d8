/* SPDX-License-Identifier: MIT
 *
 * groups_migrate.c - a group changes its protocol while members are in it: the first
 * member of the consumer protocol makes a classic group a consumer group, the end of the
 * last one makes it classic again. Layer: ledger/group.
 */
#include "ledger/group/groups_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/group/consumer_classic.h"
#include "ledger/group/consumer_group.h"
#include "ledger/group/consumer_store.h"

#include <stdlib.h>
#include <string.h>

/* ---- to the consumer protocol ----------------------------------------------------- */

static const char *const malformed =
    " to consumer group because the embedded consumer protocol is malformed.";
static const char *const custom_assignor =
    " to consumer group because an unsupported custom assignor is in use. Please refer to "
    "the documentation or switch to a default assignor before re-attempting the upgrade.";

/* What another member has already: only a broken assignor gives it twice. */
static void drop_taken(const struct consumer_group *group, struct partition_set *set)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->count; i++)
        if (!consumer_taken(group, &set->items[i]))
            set->items[kept++] = set->items[i];
    set->count = kept;
}

static struct consumer_protocol *protocols_of(const struct classic_member *member,
                                              struct mem_arena *arena)
{
    struct consumer_protocol *list =
        mem_arena_alloc(arena, ((size_t)member->protocols_count + 1) * sizeof(*list));

    for (int32_t i = 0; i < member->protocols_count; i++)
        list[i] = (struct consumer_protocol){member->protocols[i].name,
                                             member->protocols[i].metadata};
    return list;
}

/* Take one member over with what it has; NULL, or why it cannot be. */
static const char *take_member(struct consumer_group *group, const struct classic *classic,
                               const struct classic_member *from, int64_t now_ms,
                               struct mem_arena *arena)
{
    struct consumer_protocol_subscription said;
    struct wire_bytes metadata = classic_member_metadata(from, classic->protocol);
    const char *id = mem_arena_strndup(arena, from->id.data, (size_t)from->id.len);
    struct partition_set assigned = {0};
    struct consumer_member *member;
    bool custom = false;

    if (metadata.len < 0 && from->protocols_count > 0)
        metadata = from->protocols[0].metadata;
    if (strlen(id) != (size_t)from->id.len || /* an id with a NUL is no id here */
        !consumer_classic_subscription(metadata, arena, &said) ||
        !consumer_classic_assigned(group, from->assignment, &assigned, &custom)) {
        partition_set_clear(&assigned);
        return custom ? custom_assignor : malformed;
    }
    drop_taken(group, &assigned);
    member = consumer_member_new(id);
    consumer_member_update_classic(
        member, &(struct consumer_classic_facts){
                    .instance_id = from->instance,
                    .rack_id = said.rack_id,
                    .client_id = from->client_id,
                    .client_host = mem_arena_strndup(arena, from->host.data,
                                                     (size_t)from->host.len),
                    .session_timeout_ms = from->session_timeout_ms,
                    .rebalance_timeout_ms = from->rebalance_timeout_ms,
                    .topics = said.topics,
                    .topics_count = said.topics_count,
                    .protocols = protocols_of(from, arena),
                    .protocols_count = from->protocols_count,
                });
    member->epoch = member->previous_epoch = group->epoch;
    member->assigned = assigned;
    member->target = partition_set_copy(&assigned);
    member->session_deadline_ms = now_ms + from->session_timeout_ms;
    consumer_link(group, member);
    return NULL;
}

/* Why the group stays a classic one, NULL when it need not; fills made. */
static const char *take_members(struct consumer_group *made, const struct classic *classic,
                                int64_t now_ms, struct mem_arena *arena)
{
    const struct classic_member *member = classic->members;
    struct consumer_subscriptions all;
    const char *why = NULL;

    if (!wire_string_is(classic->protocol_type, "consumer"))
        return " to consumer group because the group does not use the consumer embedded "
               "protocol.";
    if (HASH_COUNT(classic->members) > (unsigned)made->env->max_size)
        return " to consumer group because the group size exceeds the consumer group "
               "maximum size.";
    made->epoch = made->target_epoch = classic->last_generation > classic->generation
                                           ? classic->last_generation
                                           : classic->generation;
    for (; member && !why; member = member->hh.next)
        why = take_member(made, classic, member, now_ms, arena);
    if (why)
        return why;
    consumer_subscriptions(made, NULL, NULL, arena, &all);
    made->hash = all.hash;
    return NULL;
}

/* Those who wait are to join again, and will find a consumer group. */
static void send_away(struct classic *classic)
{
    for (struct classic_member *member = classic->members; member;
         member = member->hh.next) {
        classic_answer_join_error(classic, member, member->id, KAFKA_REBALANCE_IN_PROGRESS);
        classic_answer_sync(classic, member, KAFKA_REBALANCE_IN_PROGRESS);
    }
}

/* The new member joins the new group; it is stored together with the change. */
static enum kafka_error store_upgrade(struct group *group, struct consumer_group *made,
                                      const struct consumer_group_heartbeat_request *request,
                                      const struct groups_caller *caller,
                                      struct mem_arena *arena,
                                      struct consumer_group_heartbeat_response *response)
{
    struct store *store = made->env->store;
    struct error err = {0};

    store_batch_begin(store);
    if (classic_forget(group->classic, &err) != 0) {
        store_batch_drop(store);
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    consumer_store_all(made);
    consumer_heartbeat(made, request, caller, arena, response);
    if (response->error_code != KAFKA_NONE) {
        store_batch_drop(store);
        return response->error_code;
    }
    if (store_batch_end(store, &err) == 0)
        return KAFKA_NONE;
    log_write(LOG_ERROR, "groups", NULL, "%s", err.text);
    return KAFKA_COORDINATOR_NOT_AVAILABLE;
}

const char *groups_upgrade(struct groups *groups, struct group *group,
                           const struct consumer_group_heartbeat_request *request,
                           const struct groups_caller *caller, struct mem_arena *arena,
                           struct consumer_group_heartbeat_response *response)
{
    struct consumer_group *made =
        consumer_new(groups->settings.consumer,
                     mem_arena_strndup(arena, group->id.data, (size_t)group->id.len));
    const char *why = take_members(made, group->classic, caller->now_ms, arena);
    enum kafka_error error;

    if (why) {
        consumer_free(made);
        return why;
    }
    error = store_upgrade(group, made, request, caller, arena, response);
    if (error != KAFKA_NONE) {
        if (error == KAFKA_COORDINATOR_NOT_AVAILABLE)
            consumer_refuse(response, arena, error, "%s", kafka_error_text(error));
        consumer_free(made);
        return NULL;
    }
    send_away(group->classic);
    classic_free(group->classic);
    group->classic = NULL;
    group->consumer = made;
    log_write(LOG_INFO, "groups", NULL, "group %s is a consumer group from now on",
              made->id);
    groups_due(groups, group, caller->now_ms);
    return NULL;
}

/* ---- to the classic protocol ------------------------------------------------------ */

static void give_member(struct classic *classic, const struct consumer_group *from,
                        const struct consumer_member *member, int64_t now_ms,
                        struct mem_arena *arena)
{
    struct join_group_request request;
    struct groups_caller caller = {wire_string_of(member->client_id), member->client_host,
                                   now_ms, 0, 9};
    struct consumer_protocol protocol;
    struct classic_member *made;
    int32_t count = 0;

    wire_defaults(&join_group_request_message, &request);
    request.session_timeout_ms = member->classic_session_ms;
    request.rebalance_timeout_ms = member->rebalance_timeout_ms;
    request.group_instance_id = wire_string_of(member->instance_id);
    while (consumer_member_protocol(member, count, &protocol))
        count++;
    request.protocols =
        mem_arena_alloc(arena, ((size_t)count + 1) * sizeof(*request.protocols));
    for (int32_t i = 0; i < count; i++) {
        consumer_member_protocol(member, i, &protocol);
        request.protocols[i] = (struct join_group_request_join_group_request_protocol){
            protocol.name, protocol.metadata};
    }
    request.protocols_count = count;
    made = classic_member_new(&request, &caller, classic_copy(wire_string_of(member->id)));
    classic_member_assign(
        made, consumer_classic_assignment(from, member, &member->target, arena));
    made->deadline_ms = now_ms + made->session_timeout_ms;
    classic_member_add(classic, made);
}

static struct classic *make_classic(struct groups *groups, const struct group *group,
                                    int32_t generation, int64_t now_ms)
{
    const struct consumer_group *from = group->consumer;
    struct classic *made = classic_new(&groups->classic, group->id);
    struct mem_arena arena = {0};

    for (const struct consumer_member *member = from->members; member;
         member = member->hh.next)
        give_member(made, from, member, now_ms, &arena);
    mem_arena_clear(&arena);
    made->generation = made->last_generation = generation;
    made->protocol_type = classic_copy(wire_string_of("consumer"));
    made->protocol = classic_copy(classic_vote(made));
    return made;
}

void groups_downgrade(struct groups *groups, struct group *group, bool removed,
                      int64_t now_ms, int64_t wall_ms)
{
    struct error err = {0};
    struct classic *made;

    if (!group->consumer || !consumer_only_classic(group->consumer))
        return;
    /* The epoch that the removal began is the generation that comes next. */
    made = make_classic(groups, group, consumer_epoch(group->consumer) - removed, now_ms);
    classic_enter(made, CLASSIC_STABLE, wall_ms);
    store_batch_begin(groups->store);
    consumer_forget(group->consumer);
    if (classic_keep(made, &err) != 0 || classic_keep_generation(made, &err) != 0) {
        store_batch_drop(groups->store);
    } else if (store_batch_end(groups->store, &err) == 0) {
        log_write(LOG_INFO, "groups", NULL, "group %s is a classic group from now on",
                  group->consumer->id);
        consumer_free(group->consumer);
        group->consumer = NULL;
        group->classic = made;
        classic_rebalance(made, now_ms, wall_ms);
        groups_due(groups, group, now_ms);
        return;
    }
    /* It goes on as it is, and changes when the next member goes. */
    log_write(LOG_ERROR, "groups", NULL, "%s", err.text);
    classic_free(made);
}
