/* SPDX-License-Identifier: MIT
 *
 * Sync, heartbeat, leave, commits, time; and what others ask of a group.
 */
#include "ledger/group/classic_members.h"

#include "base/log.h"
#include "ledger/wire/messages_consumer.h"

#include <stdlib.h>

/* ---- life -------------------------------------------------------------------- */

struct classic *classic_new(const struct classic_env *env, struct wire_string id)
{
    struct classic *group = mem_alloc(sizeof *group);

    group->env = env;
    group->id = classic_copy(id);
    group->state_ms = -1;
    group->protocol_type = group->protocol = (struct wire_string){NULL, -1};
    group->join_ms = group->sync_ms = INT64_MAX;
    return group;
}

void classic_free(struct classic *group)
{
    while (group->members) {
        classic_answer_join_error(group, group->members, group->members->id,
                                  KAFKA_NOT_COORDINATOR);
        classic_answer_sync(group, group->members, KAFKA_NOT_COORDINATOR);
        classic_member_remove(group, group->members);
    }
    while (group->pending)
        classic_pending_remove(group, group->pending);
    classic_release(group->id);
    classic_release(group->protocol_type);
    classic_release(group->protocol);
    free(group);
}

/* ---- queries ----------------------------------------------------------------- */

struct wire_string classic_id(const struct classic *group)
{
    return group->id;
}

bool classic_is_empty(const struct classic *group)
{
    return group->state == CLASSIC_EMPTY;
}

const char *classic_state(const struct classic *group)
{
    static const char *const names[] = {
        [CLASSIC_EMPTY] = "Empty",
        [CLASSIC_PREPARING] = "PreparingRebalance",
        [CLASSIC_COMPLETING] = "CompletingRebalance",
        [CLASSIC_STABLE] = "Stable",
    };

    return names[group->state];
}

struct wire_string classic_protocol_type(const struct classic *group)
{
    return group->protocol_type.len < 0 ? (struct wire_string){"", 0}
                                        : group->protocol_type;
}

static bool is_consumer(const struct classic *group)
{
    return group->protocol_type.len >= 0 &&
           wire_string_is(group->protocol_type, "consumer");
}

/* Does the subscription (its version, then the message of version 0) name the topic? */
static bool names_topic(struct wire_bytes subscription, struct wire_string topic)
{
    struct consumer_protocol_subscription decoded;
    struct mem_arena arena = {0};
    struct error err = {0};
    bool found = false;

    if (subscription.len < 2)
        return true;
    if (wire_read(&consumer_protocol_subscription_message, 0, subscription.data + 2,
                  (size_t)subscription.len - 2, &arena, &decoded, &err) != 0)
        found = true;
    else
        for (int32_t i = 0; i < decoded.topics_count && !found; i++)
            found = wire_string_equal(decoded.topics[i], topic);
    mem_arena_clear(&arena);
    return found;
}

bool classic_subscribes(const struct classic *group, struct wire_string topic)
{
    const struct classic_member *member = group->members;

    if (!is_consumer(group))
        return false;
    if (member && group->protocol.len < 0)
        return true;
    for (; member; member = member->hh.next) {
        if (names_topic(classic_member_metadata(member, group->protocol), topic))
            return true;
    }
    return false;
}

int64_t classic_retention_base(const struct classic *group, int64_t commit_ms)
{
    if (group->protocol_type.len < 0)
        return commit_ms;
    if (group->state == CLASSIC_EMPTY)
        return group->state_ms >= 0 ? group->state_ms : commit_ms;
    if (group->state == CLASSIC_STABLE && is_consumer(group))
        return commit_ms;
    return INT64_MAX;
}

static void describe_member(const struct classic *group,
                            const struct classic_member *member,
                            struct describe_groups_response_described_group_member *out)
{
    wire_defaults(&describe_groups_response_described_group_member_message, out);
    out->member_id = member->id;
    out->group_instance_id = member->instance;
    out->client_id = member->client_id;
    out->client_host = member->host;
    out->member_assignment = member->assignment;
    if (group->state == CLASSIC_STABLE)
        out->member_metadata = classic_member_metadata(member, group->protocol);
}

void classic_describe(const struct classic *group, struct mem_arena *arena,
                      struct describe_groups_response_described_group *out)
{
    const struct classic_member *member = group->members;
    size_t count = HASH_COUNT(group->members);

    out->group_state = wire_string_of(classic_state(group));
    out->protocol_type = classic_protocol_type(group);
    if (group->state == CLASSIC_STABLE)
        out->protocol_data = group->protocol;
    out->members = mem_arena_alloc(arena, (count + 1) * sizeof *out->members);
    for (; member; member = member->hh.next)
        describe_member(group, member, &out->members[out->members_count++]);
}

enum kafka_error classic_may_commit(const struct classic *group,
                                    const struct groups_member *who, bool transactional)
{
    enum kafka_error error;

    /* From outside of the group (an admin client, a consumer that assigns itself). */
    if (who->generation < 0 && group->state == CLASSIC_EMPTY)
        return KAFKA_NONE;
    if (who->generation >= 0 || who->member.len > 0 || who->instance.len >= 0) {
        error = classic_check(group, who->member, who->instance);
        if (error != KAFKA_NONE)
            return error;
        if (who->generation != group->generation)
            return KAFKA_ILLEGAL_GENERATION;
    } else if (!transactional && group->state != CLASSIC_EMPTY) {
        return KAFKA_UNKNOWN_MEMBER_ID;
    }
    if (!transactional && group->state == CLASSIC_COMPLETING)
        return KAFKA_REBALANCE_IN_PROGRESS;
    return KAFKA_NONE;
}

enum kafka_error classic_may_delete_offsets(const struct classic *group)
{
    return group->state == CLASSIC_EMPTY || is_consumer(group) ? KAFKA_NONE
                                                               : KAFKA_NON_EMPTY_GROUP;
}

/* ---- sync -------------------------------------------------------------------- */

void classic_refuse_sync(group_answer_fn *answer, void *ticket, enum kafka_error error)
{
    struct sync_group_response response;

    wire_defaults(&sync_group_response_message, &response);
    response.error_code = (int16_t)error;
    answer(ticket, &response);
}

static void answer_assignment(const struct classic *group,
                              const struct classic_member *member, void *ticket)
{
    struct sync_group_response response;

    wire_defaults(&sync_group_response_message, &response);
    response.protocol_type = group->protocol_type;
    response.protocol_name = group->protocol;
    response.assignment = member->assignment;
    group->env->answer(ticket, &response);
}

void classic_answer_sync(struct classic *group, struct classic_member *member,
                         enum kafka_error error)
{
    void *ticket = member->sync_ticket;

    if (!ticket)
        return;
    member->sync_ticket = NULL;
    if (error == KAFKA_NONE)
        answer_assignment(group, member, ticket);
    else
        classic_refuse_sync(group->env->answer, ticket, error);
}

static void synced(struct classic *group, struct classic_member *member)
{
    const struct classic_member *other = group->members;

    member->must_sync = false;
    while (other && !other->must_sync)
        other = other->hh.next;
    if (!other)
        group->sync_ms = INT64_MAX;
}

static void take_assignments(struct classic *group,
                             const struct sync_group_request *request)
{
    struct classic_member *member = group->members;

    for (; member; member = member->hh.next)
        classic_member_assign(member, (struct wire_bytes){NULL, 0});
    for (int32_t i = 0; i < request->assignments_count; i++) {
        member = classic_find(group, request->assignments[i].member_id);
        if (member)
            classic_member_assign(member, request->assignments[i].assignment);
    }
}

/* Everybody that waits gets the assignment, or the error. */
static void propagate(struct classic *group, enum kafka_error error, int64_t now_ms)
{
    struct classic_member *member = group->members;

    for (; member; member = member->hh.next) {
        if (!member->sync_ticket)
            continue;
        classic_answer_sync(group, member, error);
        member->deadline_ms = now_ms + member->session_timeout_ms;
    }
}

static void sync_leader(struct classic *group, const struct sync_group_request *request,
                        const struct groups_caller *caller)
{
    struct error err = {0};

    take_assignments(group, request);
    if (classic_keep(group, &err) == 0) {
        classic_enter(group, CLASSIC_STABLE, caller->wall_ms);
        propagate(group, KAFKA_NONE, caller->now_ms);
        return;
    }
    log_write(LOG_ERROR, "groups", NULL,
              "the assignment of group %.*s is not stored: %s", (int)group->id.len,
              group->id.data, err.text);
    propagate(group, KAFKA_COORDINATOR_NOT_AVAILABLE, caller->now_ms);
    classic_rebalance(group, caller->now_ms, caller->wall_ms);
}

/* A name that both sides give and that differs. */
static bool differs(struct wire_string theirs, struct wire_string ours)
{
    return theirs.len >= 0 && ours.len >= 0 && !wire_string_equal(theirs, ours);
}

/* Is this a member, and of this generation? */
static enum kafka_error check_generation(const struct classic *group,
                                         struct wire_string member,
                                         struct wire_string instance,
                                         int32_t generation)
{
    enum kafka_error error = classic_check(group, member, instance);

    if (error == KAFKA_NONE && generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    return error;
}

static enum kafka_error sync_error(const struct classic *group,
                                   const struct sync_group_request *request)
{
    enum kafka_error error = check_generation(
        group, request->member_id, request->group_instance_id, request->generation_id);

    if (error != KAFKA_NONE)
        return error;
    if (differs(request->protocol_type, group->protocol_type) ||
        differs(request->protocol_name, group->protocol))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    return group->state == CLASSIC_PREPARING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

void classic_sync(struct classic *group, const struct sync_group_request *request,
                  const struct groups_caller *caller, void *ticket)
{
    enum kafka_error error = sync_error(group, request);
    struct classic_member *member;

    if (error != KAFKA_NONE) {
        classic_refuse_sync(group->env->answer, ticket, error);
        return;
    }
    member = classic_find(group, request->member_id);
    synced(group, member);
    if (group->state == CLASSIC_STABLE) {
        answer_assignment(group, member, ticket);
        return;
    }
    /* An earlier try of the same member waits for nothing any more. */
    classic_answer_sync(group, member, KAFKA_REBALANCE_IN_PROGRESS);
    member->sync_ticket = ticket;
    if (group->leader == member)
        sync_leader(group, request, caller);
}

/* ---- heartbeat and leave ----------------------------------------------------- */

static void alive(struct classic_member *member, int64_t now_ms)
{
    member->deadline_ms = now_ms + member->session_timeout_ms;
}

enum kafka_error classic_heartbeat(struct classic *group,
                                   const struct heartbeat_request *request,
                                   const struct groups_caller *caller)
{
    enum kafka_error error = check_generation(
        group, request->member_id, request->group_instance_id, request->generation_id);

    if (error != KAFKA_NONE)
        return error;
    alive(classic_find(group, request->member_id), caller->now_ms);
    return group->state == CLASSIC_PREPARING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

void classic_alive(struct classic *group, struct wire_string member, int64_t now_ms)
{
    struct classic_member *found = classic_find(group, member);

    if (found && (group->state == CLASSIC_STABLE || group->state == CLASSIC_PREPARING))
        alive(found, now_ms);
}

enum kafka_error classic_leave(struct classic *group, struct wire_string member,
                               struct wire_string instance)
{
    struct classic_pending *pending = classic_find_pending(group, member);
    struct classic_member *found;
    enum kafka_error error;

    if (pending) {
        classic_pending_remove(group, pending);
        return KAFKA_NONE;
    }
    if (member.len <= 0) { /* an administrator removes an instance */
        found = classic_find_instance(group, instance);
        error = found ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
    } else {
        error = classic_check(group, member, instance);
        found = classic_find(group, member);
    }
    if (error == KAFKA_NONE)
        classic_expel(group, found);
    return error;
}

void classic_left(struct classic *group, const struct groups_caller *caller)
{
    if (group->state != CLASSIC_EMPTY)
        classic_rebalance(group, caller->now_ms, caller->wall_ms);
}

/* ---- time -------------------------------------------------------------------- */

static void after_loss(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    if (group->state == CLASSIC_STABLE || group->state == CLASSIC_COMPLETING)
        classic_rebalance(group, now_ms, wall_ms);
    else if (group->state == CLASSIC_PREPARING && classic_all_joined(group))
        classic_complete(group, now_ms, wall_ms);
}

/* The next member whose session has ended. One that waits for the others lives on. */
static struct classic_member *find_lost(struct classic *group, int64_t now_ms)
{
    struct classic_member *member = group->members;

    for (; member; member = member->hh.next) {
        if (member->deadline_ms > now_ms)
            continue;
        if (member->is_new || (!member->join_ticket && !member->sync_ticket))
            return member;
        member->deadline_ms = INT64_MAX;
    }
    return NULL;
}

static void expire_sessions(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    struct classic_member *member;

    while ((member = find_lost(group, now_ms)) != NULL) {
        log_write(LOG_INFO, "groups", NULL, "member %.*s of group %.*s is lost",
                  (int)member->id.len, member->id.data, (int)group->id.len,
                  group->id.data);
        classic_expel(group, member);
        after_loss(group, now_ms, wall_ms);
    }
}

static void expire_pending(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    struct classic_pending *pending = group->pending, *next;
    bool any = false;

    for (; pending; pending = next) {
        next = pending->hh.next;
        if (pending->deadline_ms > now_ms)
            continue;
        classic_pending_remove(group, pending);
        any = true;
    }
    if (any && group->state == CLASSIC_PREPARING && classic_all_joined(group))
        classic_complete(group, now_ms, wall_ms);
}

/* Those that joined and never synced hold up the rest: out with them. */
static void expire_sync(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    struct classic_member *member = group->members, *next;
    bool any = false;

    group->sync_ms = INT64_MAX;
    for (; member; member = next) {
        next = member->hh.next;
        if (!member->must_sync)
            continue;
        classic_member_remove(group, member);
        any = true;
    }
    if (any)
        classic_rebalance(group, now_ms, wall_ms);
}

static int64_t earliest(const struct classic *group)
{
    const struct classic_member *member = group->members;
    const struct classic_pending *pending = group->pending;
    int64_t deadline =
        group->join_ms < group->sync_ms ? group->join_ms : group->sync_ms;

    for (; member; member = member->hh.next) {
        if (member->deadline_ms < deadline)
            deadline = member->deadline_ms;
    }
    for (; pending; pending = pending->hh.next) {
        if (pending->deadline_ms < deadline)
            deadline = pending->deadline_ms;
    }
    return deadline;
}

int64_t classic_tick(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    while (group->join_ms <= now_ms) {
        if (group->initial)
            classic_initial_passed(group, now_ms, wall_ms);
        else
            classic_complete(group, now_ms, wall_ms);
    }
    if (group->sync_ms <= now_ms)
        expire_sync(group, now_ms, wall_ms);
    expire_pending(group, now_ms, wall_ms);
    expire_sessions(group, now_ms, wall_ms);
    return earliest(group);
}
