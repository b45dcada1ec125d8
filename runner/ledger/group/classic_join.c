/* SPDX-License-Identifier: MIT
 *
 * The join phase: who may come in, when a generation begins, who waits for it.
 */
#include "ledger/group/classic_members.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    NEW_MEMBER_JOIN_MS = 5 * 60 * 1000, /* group.new.member.join.timeout.ms */
    NOBODY_JOINED_MS = 1000, /* until the next try, if clients say no longer time */
    VERSION_MEMBER_ID_REQUIRED = 4,
    VERSION_SKIP_ASSIGNMENT = 9,
};

/* ---- answers ----------------------------------------------------------------- */

static void join_error(struct join_group_response *response, struct wire_string member,
                       enum kafka_error error)
{
    wire_defaults(&join_group_response_message, response);
    response->error_code = (int16_t)error;
    response->member_id = member;
    response->protocol_name = (struct wire_string){NULL, -1};
}

void classic_refuse_join(group_answer_fn *answer, void *ticket,
                         struct wire_string member, enum kafka_error error)
{
    struct join_group_response response;

    join_error(&response, member, error);
    answer(ticket, &response);
}

static void refuse(const struct classic *group, void *ticket, struct wire_string member,
                   enum kafka_error error)
{
    classic_refuse_join(group->env->answer, ticket, member, error);
}

void classic_answer_join(struct classic *group, struct classic_member *member,
                         const struct join_group_response *response)
{
    void *ticket = member->join_ticket;

    if (!ticket)
        return;
    member->join_ticket = NULL;
    group->joining--;
    group->env->answer(ticket, response);
}

void classic_answer_join_error(struct classic *group, struct classic_member *member,
                               struct wire_string id, enum kafka_error error)
{
    struct join_group_response response;

    join_error(&response, id, error);
    classic_answer_join(group, member, &response);
}

/* All members with their subscriptions, for the leader; free() it. */
static struct join_group_response_join_group_response_member *
members_of(const struct classic *group)
{
    struct join_group_response_join_group_response_member *list, *next;
    const struct classic_member *member = group->members;

    list = next = mem_alloc((HASH_COUNT(group->members) + 1) * sizeof *list);
    for (; member; member = member->hh.next, next++) {
        next->member_id = member->id;
        next->group_instance_id = member->instance;
        next->metadata = classic_member_metadata(member, group->protocol);
    }
    return list;
}

/* What the member needs to know of the generation; with_members: for the leader. */
static void join_response(const struct classic *group,
                          const struct classic_member *member, bool with_members,
                          struct join_group_response *response)
{
    wire_defaults(&join_group_response_message, response);
    response->generation_id = group->generation;
    response->protocol_type = group->protocol_type;
    response->protocol_name = group->protocol;
    response->leader = group->leader->id;
    response->member_id = member->id;
    if (with_members && group->leader == member) {
        response->members = members_of(group);
        response->members_count = (int32_t)HASH_COUNT(group->members);
    }
}

/* Answer a member that keeps its place in the current generation. */
static void answer_current(struct classic *group, const struct classic_member *member,
                           bool with_members, void *ticket)
{
    struct join_group_response response;

    join_response(group, member, with_members, &response);
    group->env->answer(ticket, &response);
    free(response.members);
}

void classic_expel(struct classic *group, struct classic_member *member)
{
    classic_answer_join_error(group, member, (struct wire_string){"", 0},
                              KAFKA_UNKNOWN_MEMBER_ID);
    classic_answer_sync(group, member, KAFKA_UNKNOWN_MEMBER_ID);
    classic_member_remove(group, member);
}

/* ---- the join phase ---------------------------------------------------------- */

void classic_enter(struct classic *group, enum classic_state state, int64_t wall_ms)
{
    group->previous = group->state;
    group->state = state;
    group->state_ms = wall_ms;
}

static void remove_absent(struct classic *group)
{
    struct classic_member *member = group->members, *next;

    for (; member; member = next) {
        next = member->hh.next;
        if (!member->join_ticket && member->instance.len < 0)
            classic_member_remove(group, member);
    }
}

static void next_generation(struct classic *group, int64_t wall_ms)
{
    bool empty = group->members == NULL;
    struct error err = {0};
    int rc;

    group->generation = ++group->last_generation;
    classic_release(group->protocol);
    group->protocol = classic_copy(classic_vote(group));
    classic_enter(group, empty ? CLASSIC_EMPTY : CLASSIC_COMPLETING, wall_ms);
    rc = empty ? classic_keep(group, &err) : classic_keep_generation(group, &err);
    /* The clients go on: what is lost in a crash is a generation without assignment. */
    if (rc != 0)
        log_write(LOG_WARN, "groups", NULL,
                  "generation %d of group %.*s is not stored: %s",
                  (int)group->generation, (int)group->id.len, group->id.data, err.text);
}

static void answer_all(struct classic *group, int64_t now_ms)
{
    struct classic_member *member = group->members;

    for (; member; member = member->hh.next) {
        struct join_group_response response;

        join_response(group, member, true, &response);
        classic_answer_join(group, member, &response);
        free(response.members);
        member->deadline_ms = now_ms + member->session_timeout_ms;
        member->is_new = false;
        member->must_sync = true;
    }
    group->sync_ms = now_ms + classic_rebalance_timeout(group);
}

void classic_complete(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    group->join_ms = INT64_MAX;
    group->initial = false;
    remove_absent(group);
    if (!classic_elect(group) && group->members) {
        /* Only static members are left, and none came: they have their session. */
        int64_t timeout = classic_rebalance_timeout(group);

        group->join_ms =
            now_ms + (timeout > NOBODY_JOINED_MS ? timeout : NOBODY_JOINED_MS);
        return;
    }
    next_generation(group, wall_ms);
    if (group->state == CLASSIC_COMPLETING)
        answer_all(group, now_ms);
}

void classic_try_complete(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    if (group->state == CLASSIC_PREPARING && group->previous != CLASSIC_EMPTY &&
        classic_all_joined(group))
        classic_complete(group, now_ms, wall_ms);
}

void classic_initial_passed(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    int64_t delay = group->env->initial_rebalance_delay_ms;

    if (!group->new_member || group->delay_left_ms == 0) {
        classic_complete(group, now_ms, wall_ms);
        return;
    }
    group->new_member = false;
    if (delay > group->delay_left_ms)
        delay = group->delay_left_ms;
    group->delay_left_ms -= group->delay_ms;
    if (group->delay_left_ms < 0)
        group->delay_left_ms = 0;
    group->delay_ms = delay;
    group->join_ms = now_ms + delay;
}

/* Those that wait for an assignment join again; nobody is missed in sync any more. */
static void cancel_sync(struct classic *group, int64_t now_ms)
{
    struct classic_member *member = group->members;

    for (; member; member = member->hh.next) {
        member->must_sync = false;
        if (group->state != CLASSIC_COMPLETING)
            continue;
        classic_member_assign(member, (struct wire_bytes){NULL, 0});
        if (member->sync_ticket) {
            classic_answer_sync(group, member, KAFKA_REBALANCE_IN_PROGRESS);
            member->deadline_ms = now_ms + member->session_timeout_ms;
        }
    }
    group->sync_ms = INT64_MAX;
}

static void prepare(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    int64_t delay = group->env->initial_rebalance_delay_ms;
    int64_t timeout = classic_rebalance_timeout(group);

    cancel_sync(group, now_ms);
    group->initial = group->state == CLASSIC_EMPTY;
    classic_enter(group, CLASSIC_PREPARING, wall_ms);
    if (group->initial) {
        /* The tick ends it, so that all who come in one round are together. */
        group->new_member = false;
        group->delay_ms = delay;
        group->delay_left_ms = timeout > delay ? timeout - delay : 0;
        group->join_ms = now_ms + delay;
    } else if (classic_all_joined(group)) {
        classic_complete(group, now_ms, wall_ms);
    } else {
        group->join_ms = now_ms + timeout;
    }
}

void classic_rebalance(struct classic *group, int64_t now_ms, int64_t wall_ms)
{
    if (group->state == CLASSIC_PREPARING)
        classic_try_complete(group, now_ms, wall_ms);
    else
        prepare(group, now_ms, wall_ms);
}

/* ---- the request ------------------------------------------------------------- */

struct join {
    const struct join_group_request *request;
    const struct groups_caller *caller;
    void *ticket;
};

static void rebalance(struct classic *group, const struct join *join)
{
    classic_rebalance(group, join->caller->now_ms, join->caller->wall_ms);
}

/* Let the member wait in join. A ticket of an earlier try is of no use to anybody. */
static void await(struct classic *group, struct classic_member *member,
                  const struct join *join)
{
    classic_answer_join_error(group, member, member->id, KAFKA_REBALANCE_IN_PROGRESS);
    member->join_ticket = join->ticket;
    group->joining++;
}

static void add_member(struct classic *group, const struct join *join,
                       struct wire_string id)
{
    struct classic_member *member = classic_member_new(join->request, join->caller, id);

    if (!group->members) {
        classic_release(group->protocol_type);
        group->protocol_type = classic_copy(join->request->protocol_type);
    }
    if (group->state == CLASSIC_PREPARING && group->previous == CLASSIC_EMPTY)
        group->new_member = true;
    member->is_new = true;
    classic_member_add(group, member);
    await(group, member, join);
    /* It cannot heartbeat without its id; this ends its wait if it has gone. */
    member->deadline_ms = join->caller->now_ms + NEW_MEMBER_JOIN_MS;
    rebalance(group, join);
}

static void update_member(struct classic *group, struct classic_member *member,
                          const struct join *join)
{
    classic_member_update(member, join->request, join->caller);
    await(group, member, join);
    rebalance(group, join);
}

/* A static member is back and nothing changes for the others: no rebalance. */
static void answer_returned(struct classic *group, struct classic_member *member,
                            struct wire_string old_leader, int16_t version)
{
    struct join_group_response response;
    struct error err = {0};

    if (classic_keep(group, &err) != 0) {
        classic_answer_join_error(group, member, (struct wire_string){"", 0},
                                  KAFKA_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    join_response(group, member, version >= VERSION_SKIP_ASSIGNMENT, &response);
    if (version >= VERSION_SKIP_ASSIGNMENT)
        response.skip_assignment = group->leader == member;
    else /* it must not think that it has to assign */
        response.leader = old_leader;
    classic_answer_join(group, member, &response);
    free(response.members);
}

/* An instance comes with a new member id: the one that had the old id is fenced. */
static void replace_member(struct classic *group, struct classic_member *member,
                           const struct join *join, struct wire_string id)
{
    int64_t now_ms = join->caller->now_ms, wall_ms = join->caller->wall_ms;
    struct wire_string old_leader = classic_copy(group->leader->id);

    classic_answer_join_error(group, member, member->id, KAFKA_FENCED_INSTANCE_ID);
    classic_answer_sync(group, member, KAFKA_FENCED_INSTANCE_ID);
    classic_member_rename(group, member, id);
    classic_member_update(member, join->request, join->caller);
    member->is_new = false;
    member->deadline_ms = now_ms + member->session_timeout_ms;
    await(group, member, join);
    if (group->state == CLASSIC_PREPARING)
        classic_try_complete(group, now_ms, wall_ms);
    else if (group->state == CLASSIC_STABLE &&
             wire_string_equal(classic_vote(group), group->protocol))
        answer_returned(group, member, old_leader, join->caller->version);
    else
        prepare(group, now_ms, wall_ms);
    classic_release(old_leader);
}

/* "<instance or client id>-<random uuid>", as Kafka makes them. */
static struct wire_string make_id(const struct join *join)
{
    struct wire_string base = join->request->group_instance_id;
    uint8_t r[16];
    char *text;

    if (base.len < 0)
        base = join->caller->client_id;
    if (base.len < 0)
        base.len = 0;
    if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
        abort();
    r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
    r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
    text = mem_printf("%.*s-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                      "%02x%02x%02x%02x%02x%02x",
                      (int)base.len, base.data ? base.data : "", r[0], r[1], r[2], r[3],
                      r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
                      r[14], r[15]);
    return wire_string_of(text);
}

static void join_new(struct classic *group, const struct join *join)
{
    struct wire_string instance = join->request->group_instance_id;
    struct classic_member *member = classic_find_instance(group, instance);
    struct wire_string id = make_id(join);

    if (member) {
        replace_member(group, member, join, id);
    } else if (instance.len >= 0 ||
               join->caller->version < VERSION_MEMBER_ID_REQUIRED) {
        add_member(group, join, id);
    } else {
        classic_pending_add(group, id,
                            join->caller->now_ms + join->request->session_timeout_ms);
        refuse(group, join->ticket, id, KAFKA_MEMBER_ID_REQUIRED);
        classic_release(id);
    }
}

static void join_pending(struct classic *group, const struct join *join,
                         struct classic_pending *pending)
{
    if (join->request->group_instance_id.len >= 0) {
        refuse(group, join->ticket, (struct wire_string){"", 0},
               KAFKA_UNKNOWN_SERVER_ERROR);
        return;
    }
    classic_pending_remove(group, pending);
    add_member(group, join, classic_copy(join->request->member_id));
}

static void join_member(struct classic *group, const struct join *join,
                        struct classic_member *member)
{
    bool same = classic_member_matches(member, join->request);

    if (group->state == CLASSIC_EMPTY)
        refuse(group, join->ticket, member->id, KAFKA_UNKNOWN_MEMBER_ID);
    else if (group->state == CLASSIC_COMPLETING && same) /* the answer was lost */
        answer_current(group, member, true, join->ticket);
    else if (group->state == CLASSIC_STABLE && same && group->leader != member)
        answer_current(group, member, false, join->ticket);
    else
        update_member(group, member, join);
}

static void join_existing(struct classic *group, const struct join *join)
{
    struct wire_string id = join->request->member_id;
    struct classic_pending *pending = classic_find_pending(group, id);
    enum kafka_error error;

    if (pending) {
        join_pending(group, join, pending);
        return;
    }
    error = classic_check(group, id, join->request->group_instance_id);
    if (error != KAFKA_NONE)
        refuse(group, join->ticket, id, error);
    else
        join_member(group, join, classic_find(group, id));
}

/* Is there room? The one that is turned away loses its place. */
static bool accepts(struct classic *group, struct wire_string id)
{
    struct classic_member *member = classic_find(group, id);
    struct classic_pending *pending = classic_find_pending(group, id);
    int32_t count = (int32_t)HASH_COUNT(group->members);

    if (group->state == CLASSIC_EMPTY)
        return true;
    if (group->state == CLASSIC_PREPARING) {
        if ((member && member->join_ticket) || group->joining < group->env->max_size)
            return true;
    } else if (member || count < group->env->max_size) {
        return true;
    }
    if (member)
        classic_expel(group, member);
    if (pending)
        classic_pending_remove(group, pending);
    return false;
}

void classic_join(struct classic *group, const struct join_group_request *request,
                  const struct groups_caller *caller, void *ticket)
{
    struct join join = {request, caller, ticket};
    struct wire_string none = {"", 0};
    bool known = request->member_id.len > 0;

    if (!accepts(group, request->member_id))
        refuse(group, ticket, none, KAFKA_GROUP_MAX_SIZE_REACHED);
    else if (request->protocols_count > CLASSIC_PROTOCOLS_MAX ||
             !classic_supports(group, request))
        refuse(group, ticket, known ? request->member_id : none,
               KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    else if (known)
        join_existing(group, &join);
    else
        join_new(group, &join);
}
