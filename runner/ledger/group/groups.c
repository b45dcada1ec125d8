/* SPDX-License-Identifier: MIT
 *
 * The groups by id: which request goes to which kind of group, and when each is due.
 */
#include "ledger/group/groups_private.h"

#include "base/log.h"
#include "ledger/group/consumer_classic.h"

#include <stdlib.h>

void groups_settings_default(struct groups_settings *settings)
{
    *settings = (struct groups_settings){
        .session_min_ms = 6000,
        .session_max_ms = 1800000,
        .max_size = INT32_MAX,
        .offsets_retention_ms = 7LL * 24 * 3600 * 1000,
        .offsets_check_ms = 600000,
    };
}

/* ---- the table --------------------------------------------------------------- */

struct group *groups_find(const struct groups *groups, struct wire_string id)
{
    struct group *found = NULL;

    if (id.len > 0 || (id.len == 0 && id.data))
        HASH_FIND(hh, groups->by_id, id.data, (unsigned)id.len, found);
    return found;
}

static void heap_set(struct groups *groups, size_t at, struct group *group)
{
    groups->heap[at] = group;
    group->at = at;
}

static void heap_up(struct groups *groups, struct group *group)
{
    while (group->at > 0) {
        struct group *parent = groups->heap[(group->at - 1) / 2];
        size_t at = parent->at;

        if (parent->deadline_ms <= group->deadline_ms)
            return;
        heap_set(groups, group->at, parent);
        heap_set(groups, at, group);
    }
}

static void heap_down(struct groups *groups, struct group *group)
{
    for (;;) {
        size_t child = 2 * group->at + 1, at;
        struct group *least;

        if (child >= groups->count)
            return;
        if (child + 1 < groups->count &&
            groups->heap[child + 1]->deadline_ms < groups->heap[child]->deadline_ms)
            child++;
        least = groups->heap[child];
        if (least->deadline_ms >= group->deadline_ms)
            return;
        at = group->at;
        heap_set(groups, least->at, group);
        heap_set(groups, at, least);
    }
}

void groups_due(struct groups *groups, struct group *group, int64_t deadline_ms)
{
    group->deadline_ms = deadline_ms;
    heap_up(groups, group);
    heap_down(groups, group);
}

struct group *groups_add(struct groups *groups, struct wire_string id,
                         struct classic *classic, struct consumer_group *consumer)
{
    struct group *group = mem_alloc(sizeof *group);

    group->id = classic_copy(id);
    group->classic = classic;
    group->consumer = consumer;
    group->deadline_ms = INT64_MAX;
    groups->heap = mem_grow(groups->heap, groups->count, &groups->capacity,
                            sizeof(struct group *));
    heap_set(groups, groups->count++, group);
    HASH_ADD_KEYPTR(hh, groups->by_id, group->id.data, (unsigned)group->id.len, group);
    return group;
}

void groups_remove(struct groups *groups, struct group *group)
{
    struct group *last = groups->heap[--groups->count];

    if (last != group) {
        heap_set(groups, group->at, last);
        groups_due(groups, last, last->deadline_ms);
    }
    HASH_DEL(groups->by_id, group);
    if (group->classic)
        classic_free(group->classic);
    if (group->consumer)
        consumer_free(group->consumer);
    classic_release(group->id);
    free(group);
}

/* ---- life -------------------------------------------------------------------- */

struct load {
    struct groups *groups;
    int64_t now_ms;
};

static void load_consumer(void *arg, struct consumer_group *consumer)
{
    struct load *load = arg;
    struct wire_string id = wire_string_of(consumer_id(consumer));

    groups_due(load->groups, groups_add(load->groups, id, NULL, consumer),
               load->now_ms);
}

/* A crash in the change of a type leaves the empty old group beside the new one. */
static void load_classic(void *arg, struct classic *classic)
{
    struct load *load = arg;
    struct group *other = groups_find(load->groups, classic_id(classic));

    if (other && other->consumer && consumer_is_empty(other->consumer) &&
        !classic_is_empty(classic)) {
        groups_remove(load->groups, other);
        other = NULL;
    }
    if (other)
        classic_free(classic);
    else
        groups_due(load->groups,
                   groups_add(load->groups, classic_id(classic), classic, NULL),
                   load->now_ms);
}

/* Offsets without a group were committed from outside of any. */
static bool load_simple(void *arg, struct wire_string id)
{
    struct load *load = arg;
    struct groups *groups = load->groups;

    if (!groups_find(groups, id))
        groups_add(groups, id, classic_new(&groups->classic, id), NULL);
    return true;
}

struct groups *groups_open(const struct groups_settings *settings, struct store *store,
                           struct offsets *offsets, group_answer_fn *answer,
                           int64_t now_ms, struct error *err)
{
    struct groups *groups = mem_alloc(sizeof *groups);
    struct load load = {groups, now_ms};

    groups->settings = *settings;
    groups->store = store;
    groups->offsets = offsets;
    groups->answer = answer;
    groups->check_ms = now_ms + settings->offsets_check_ms;
    groups->classic = (struct classic_env){
        .store = store,
        .answer = answer,
        .initial_rebalance_delay_ms = settings->initial_rebalance_delay_ms,
        .max_size = settings->max_size,
    };
    if (settings->consumer &&
        consumer_load(settings->consumer, now_ms, load_consumer, &load, err) != 0) {
        groups_close(groups);
        return NULL;
    }
    classic_load(&groups->classic, now_ms, load_classic, &load);
    offsets_each_group(offsets, load_simple, &load);
    return groups;
}

void groups_close(struct groups *groups)
{
    if (!groups)
        return;
    while (groups->by_id)
        groups_remove(groups, groups->by_id);
    free(groups->heap);
    free(groups);
}

int64_t groups_count(const struct groups *groups)
{
    return (int64_t)groups->count;
}

int64_t groups_tick(struct groups *groups, int64_t now_ms, int64_t wall_ms)
{
    int64_t next_ms;

    while (groups->count > 0 && groups->heap[0]->deadline_ms <= now_ms) {
        struct group *group = groups->heap[0];

        next_ms = group->classic ? classic_tick(group->classic, now_ms, wall_ms)
                                 : consumer_tick(group->consumer, now_ms);
        groups_due(groups, group, next_ms > now_ms ? next_ms : now_ms + 1);
        groups_downgrade(groups, group, true, now_ms, wall_ms);
    }
    if (groups->check_ms <= now_ms) {
        groups->check_ms = now_ms + groups->settings.offsets_check_ms;
        groups_expire(groups, wall_ms);
    }
    next_ms = groups->count > 0 ? groups->heap[0]->deadline_ms : INT64_MAX;
    return next_ms < groups->check_ms ? next_ms : groups->check_ms;
}

/* ---- join and sync ----------------------------------------------------------- */

static struct group *make_classic(struct groups *groups, struct wire_string id)
{
    struct classic *classic = classic_new(&groups->classic, id);
    struct error err = {0};

    if (classic_keep(classic, &err) == 0)
        return groups_add(groups, id, classic, NULL);
    log_write(LOG_ERROR, "groups", NULL, "group %.*s is not stored: %s", (int)id.len,
              id.data, err.text);
    classic_free(classic);
    return NULL;
}

static bool has_consumers(const struct group *group)
{
    return group && group->consumer && !consumer_is_empty(group->consumer);
}

/* The group that a join goes to; NULL and why. */
static struct group *join_group(struct groups *groups, struct wire_string id,
                                bool known, enum kafka_error *why)
{
    struct group *group = groups_find(groups, id);

    *why = KAFKA_NONE;
    if (group && group->classic)
        return group;
    if (known) {
        *why = KAFKA_UNKNOWN_MEMBER_ID;
        return NULL;
    }
    if (group) { /* an empty consumer group becomes a classic one */
        *why = consumer_forget(group->consumer);
        if (*why != KAFKA_NONE)
            return NULL;
        groups_remove(groups, group);
    }
    group = make_classic(groups, id);
    if (!group)
        *why = KAFKA_COORDINATOR_NOT_AVAILABLE;
    return group;
}

/* A member of the classic protocol joins a consumer group that has members. */
static void join_consumer(struct groups *groups, struct group *group,
                          const struct join_group_request *request,
                          const struct groups_caller *caller, void *ticket)
{
    struct join_group_response response;
    struct mem_arena arena = {0};
    enum kafka_error error =
        consumer_classic_join(group->consumer, request, caller, &arena, &response);

    if (error == KAFKA_NONE)
        groups->answer(ticket, &response);
    else
        classic_refuse_join(groups->answer, ticket, response.member_id, error);
    mem_arena_clear(&arena);
    groups_due(groups, group, caller->now_ms);
    groups_downgrade(groups, group, false, caller->now_ms, caller->wall_ms);
}

void groups_join(struct groups *groups, const struct join_group_request *request,
                 const struct groups_caller *caller, void *ticket)
{
    struct group *found = groups_find(groups, request->group_id), *group = NULL;
    enum kafka_error why;

    if (request->group_id.len <= 0)
        why = KAFKA_INVALID_GROUP_ID;
    else if (request->session_timeout_ms < groups->settings.session_min_ms ||
             request->session_timeout_ms > groups->settings.session_max_ms)
        why = KAFKA_INVALID_SESSION_TIMEOUT;
    else if (has_consumers(found)) {
        join_consumer(groups, found, request, caller, ticket);
        return;
    } else
        group = join_group(groups, request->group_id, request->member_id.len > 0, &why);
    if (!group) {
        classic_refuse_join(groups->answer, ticket, request->member_id, why);
        return;
    }
    classic_join(group->classic, request, caller, ticket);
    groups_due(groups, group, caller->now_ms);
}

static void sync_consumer(struct groups *groups, struct group *group,
                          const struct sync_group_request *request,
                          const struct groups_caller *caller, void *ticket)
{
    struct sync_group_response response;
    struct mem_arena arena = {0};
    enum kafka_error error =
        consumer_classic_sync(group->consumer, request, caller, &arena, &response);

    if (error == KAFKA_NONE)
        groups->answer(ticket, &response);
    else
        classic_refuse_sync(groups->answer, ticket, error);
    mem_arena_clear(&arena);
    groups_due(groups, group, caller->now_ms);
}

void groups_sync(struct groups *groups, const struct sync_group_request *request,
                 const struct groups_caller *caller, void *ticket)
{
    struct group *group = groups_find(groups, request->group_id);

    if (request->group_id.len <= 0) {
        classic_refuse_sync(groups->answer, ticket, KAFKA_INVALID_GROUP_ID);
    } else if (has_consumers(group)) {
        sync_consumer(groups, group, request, caller, ticket);
    } else if (!group || !group->classic || classic_is_empty(group->classic)) {
        classic_refuse_sync(groups->answer, ticket, KAFKA_UNKNOWN_MEMBER_ID);
    } else {
        classic_sync(group->classic, request, caller, ticket);
        groups_due(groups, group, caller->now_ms);
    }
}

/* ---- heartbeat and leave ----------------------------------------------------- */

enum kafka_error groups_heartbeat(struct groups *groups,
                                  const struct heartbeat_request *request,
                                  const struct groups_caller *caller)
{
    struct group *group = groups_find(groups, request->group_id);
    enum kafka_error error;

    if (request->group_id.len <= 0)
        return KAFKA_INVALID_GROUP_ID;
    if (has_consumers(group)) {
        error = consumer_classic_heartbeat(group->consumer, request, caller);
        groups_due(groups, group, caller->now_ms);
        return error;
    }
    if (!group || !group->classic)
        return KAFKA_UNKNOWN_MEMBER_ID;
    return classic_heartbeat(group->classic, request, caller);
}

static enum kafka_error leave_one(struct group *group,
                                  const struct leave_group_request_member_identity *who)
{
    if (!group)
        return KAFKA_UNKNOWN_MEMBER_ID;
    return group->classic
               ? classic_leave(group->classic, who->member_id, who->group_instance_id)
               : consumer_leave(group->consumer, who->member_id,
                                who->group_instance_id);
}

static void leave_all(struct groups *groups, struct group *group,
                      const struct leave_group_request *request,
                      const struct groups_caller *caller,
                      struct leave_group_response *response)
{
    bool any = false;

    for (int32_t i = 0; i < request->members_count; i++) {
        const struct leave_group_request_member_identity *who = &request->members[i];
        struct leave_group_response_member_response *out = &response->members[i];

        wire_defaults(&leave_group_response_member_response_message, out);
        out->member_id = who->member_id;
        out->group_instance_id = who->group_instance_id;
        out->error_code = (int16_t)leave_one(group, who);
        any = any || out->error_code == KAFKA_NONE;
    }
    response->members_count = request->members_count;
    if (any && group->classic)
        classic_left(group->classic, caller);
    if (any) {
        groups_due(groups, group, caller->now_ms);
        groups_downgrade(groups, group, true, caller->now_ms, caller->wall_ms);
    }
}

void groups_leave(struct groups *groups, const struct leave_group_request *request,
                  const struct groups_caller *caller, struct mem_arena *arena,
                  struct leave_group_response *response)
{
    struct group *group = groups_find(groups, request->group_id);
    struct leave_group_request_member_identity one;
    struct leave_group_request all = *request;

    wire_defaults(&leave_group_response_message, response);
    if (request->group_id.len <= 0) {
        response->error_code = KAFKA_INVALID_GROUP_ID;
        return;
    }
    if (caller->version < 3) {
        wire_defaults(&leave_group_request_member_identity_message, &one);
        one.member_id = request->member_id;
        all.members = &one;
        all.members_count = 1;
    }
    response->members = mem_arena_alloc(arena, ((size_t)all.members_count + 1) *
                                                   sizeof *response->members);
    leave_all(groups, group, &all, caller, response);
    if (caller->version < 3)
        response->error_code = response->members[0].error_code;
}

/* ---- offsets ----------------------------------------------------------------- */

static enum kafka_error missing_group(const struct groups_member *who,
                                      bool transactional, int16_t version)
{
    if (who->generation < 0)
        return KAFKA_NONE;
    return !transactional && version >= 9 ? KAFKA_GROUP_ID_NOT_FOUND
                                          : KAFKA_ILLEGAL_GENERATION;
}

enum kafka_error groups_check_commit(struct groups *groups,
                                     const struct groups_member *who,
                                     bool transactional,
                                     const struct groups_caller *caller)
{
    struct group *group = groups_find(groups, who->group);
    struct consumer_commit commit = {who->member, who->instance, who->generation,
                                     caller->version, transactional};
    enum kafka_error error;

    if (who->group.len < 0 || (transactional && who->group.len == 0))
        return KAFKA_INVALID_GROUP_ID;
    if (!group) {
        error = missing_group(who, transactional, caller->version);
        if (error == KAFKA_NONE)
            groups_add(groups, who->group, classic_new(&groups->classic, who->group),
                       NULL);
        return error;
    }
    if (group->consumer) {
        error = consumer_may_commit(group->consumer, &commit);
        return transactional && error == KAFKA_STALE_MEMBER_EPOCH
                   ? KAFKA_ILLEGAL_GENERATION
                   : error;
    }
    error = classic_may_commit(group->classic, who, transactional);
    if (error == KAFKA_NONE && !transactional)
        classic_alive(group->classic, who->member, caller->now_ms);
    return error;
}

enum kafka_error groups_check_fetch(struct groups *groups,
                                    const struct groups_member *who)
{
    struct group *group = groups_find(groups, who->group);

    if (!group)
        return KAFKA_GROUP_ID_NOT_FOUND;
    return group->consumer
               ? consumer_may_fetch(group->consumer, who->member, who->generation)
               : KAFKA_NONE;
}

enum kafka_error groups_check_offset_delete(struct groups *groups,
                                            struct wire_string group,
                                            struct wire_string topic)
{
    struct group *found = groups_find(groups, group);

    if (group.len <= 0)
        return KAFKA_INVALID_GROUP_ID;
    if (!found)
        return KAFKA_GROUP_ID_NOT_FOUND;
    if (topic.len < 0)
        return found->classic ? classic_may_delete_offsets(found->classic) : KAFKA_NONE;
    return groups_subscribes(found, topic) ? KAFKA_GROUP_SUBSCRIBED_TO_TOPIC
                                           : KAFKA_NONE;
}
