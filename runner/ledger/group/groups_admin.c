/* SPDX-License-Identifier: MIT
 *
 * What administrators ask, groups of the consumer protocol, and expiry.
 */
#include "ledger/group/groups_private.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct wire_string text_of(struct mem_arena *arena, const char *before,
                                  struct wire_string id, const char *after)
{
    return wire_string_of(mem_arena_printf(arena, "%s %.*s%s", before, (int)id.len,
                                           id.data ? id.data : "", after));
}

static bool is_empty(const struct group *group)
{
    return group->classic ? classic_is_empty(group->classic)
                          : consumer_is_empty(group->consumer);
}

bool groups_subscribes(const struct group *group, struct wire_string topic)
{
    char *name;
    bool found;

    if (group->classic)
        return classic_subscribes(group->classic, topic);
    name = mem_strndup(topic.data, (size_t)topic.len);
    found = consumer_subscribes(group->consumer, name);
    free(name);
    return found;
}

/* ---- consumer protocol ------------------------------------------------------- */

static void refuse(struct consumer_group_heartbeat_response *response,
                   enum kafka_error error, struct wire_string message)
{
    wire_defaults(&consumer_group_heartbeat_response_message, response);
    response->error_code = (int16_t)error;
    response->error_message = message;
}

/* A new group, or in place of an empty classic one, if the member gets in. */
static void join_new_consumer(struct groups *groups, struct group *old,
                              const struct consumer_group_heartbeat_request *request,
                              const struct groups_caller *caller,
                              struct mem_arena *arena,
                              struct consumer_group_heartbeat_response *response)
{
    char *id = mem_strndup(request->group_id.data, (size_t)request->group_id.len);
    struct consumer_group *made = consumer_new(groups->settings.consumer, id);
    struct error err = {0};

    free(id);
    consumer_heartbeat(made, request, caller, arena, response);
    if (response->error_code != KAFKA_NONE) {
        consumer_free(made);
        return;
    }
    if (old) {
        if (classic_forget(old->classic, &err) !=
            0) /* at the next open the new one wins */
            log_write(LOG_WARN, "groups", NULL, "%s", err.text);
        groups_remove(groups, old);
    }
    groups_due(groups, groups_add(groups, request->group_id, NULL, made),
               caller->now_ms);
}

void groups_consumer_heartbeat(struct groups *groups,
                               const struct consumer_group_heartbeat_request *request,
                               const struct groups_caller *caller,
                               struct mem_arena *arena,
                               struct consumer_group_heartbeat_response *response)
{
    struct wire_string id = request->group_id;
    const char *why;
    struct group *group;

    if (consumer_check(request, caller->version, arena, response) != KAFKA_NONE)
        return;
    group = groups_find(groups, id);
    if (group && group->consumer) {
        consumer_heartbeat(group->consumer, request, caller, arena, response);
        groups_due(groups, group, caller->now_ms);
        if (request->member_epoch < 0)
            groups_downgrade(groups, group, true, caller->now_ms, caller->wall_ms);
    } else if (request->member_epoch == 0 && (!group || is_empty(group))) {
        join_new_consumer(groups, group, request, caller, arena, response);
    } else if (group && request->member_epoch == 0) {
        why = groups_upgrade(groups, group, request, caller, arena, response);
        if (why)
            refuse(response, KAFKA_GROUP_ID_NOT_FOUND,
                   text_of(arena, "Cannot upgrade classic group", id, why));
    } else if (group) {
        refuse(response, KAFKA_GROUP_ID_NOT_FOUND,
               text_of(arena, "Group", id, " is not a consumer group."));
    } else {
        refuse(response, KAFKA_GROUP_ID_NOT_FOUND,
               text_of(arena, request->member_epoch < 0 ? "Group" : "Consumer group",
                       id, " not found."));
    }
}

void groups_consumer_describe(
    struct groups *groups, struct wire_string group, struct mem_arena *arena,
    struct consumer_group_describe_response_described_group *out)
{
    struct group *found = groups_find(groups, group);

    wire_defaults(&consumer_group_describe_response_described_group_message, out);
    out->group_id = group;
    if (found && found->consumer) {
        consumer_describe(found->consumer, arena, out);
        out->group_id = group;
        return;
    }
    out->error_code = KAFKA_GROUP_ID_NOT_FOUND;
    out->error_message =
        found ? text_of(arena, "Group", group, " is not a consumer group.")
              : text_of(arena, "Group", group, " not found.");
}

/* ---- administration ---------------------------------------------------------- */

void groups_describe(struct groups *groups, struct wire_string group, int16_t version,
                     struct mem_arena *arena,
                     struct describe_groups_response_described_group *out)
{
    struct group *found = groups_find(groups, group);

    wire_defaults(&describe_groups_response_described_group_message, out);
    out->group_id = group;
    if (found && found->classic) {
        classic_describe(found->classic, arena, out);
        return;
    }
    out->group_state = wire_string_of("Dead");
    if (version < 6)
        return;
    out->error_code = KAFKA_GROUP_ID_NOT_FOUND;
    out->error_message =
        found ? text_of(arena, "Group", group, " is not a classic group.")
              : text_of(arena, "Group", group, " not found.");
}

/* Is the text among the filters, in any case of letters? No filter lets all through. */
static bool passes(const char *text, const struct wire_string *filters, int32_t count)
{
    size_t len = strlen(text);

    for (int32_t i = 0; i < count; i++) {
        if (filters[i].len == (int32_t)len &&
            strncasecmp(text, filters[i].data, len) == 0)
            return true;
    }
    return count <= 0;
}

void groups_list(struct groups *groups, const struct list_groups_request *request,
                 struct mem_arena *arena, struct list_groups_response *response)
{
    struct group *group = groups->by_id;

    wire_defaults(&list_groups_response_message, response);
    response->groups =
        mem_arena_alloc(arena, (groups->count + 1) * sizeof *response->groups);
    for (; group; group = group->hh.next) {
        const char *type = group->classic ? "classic" : "consumer";
        const char *state = group->classic ? classic_state(group->classic)
                                           : consumer_state(group->consumer);
        struct list_groups_response_listed_group *out;

        if (!passes(state, request->states_filter, request->states_filter_count) ||
            !passes(type, request->types_filter, request->types_filter_count))
            continue;
        out = &response->groups[response->groups_count++];
        wire_defaults(&list_groups_response_listed_group_message, out);
        out->group_id = group->id;
        out->protocol_type = group->classic ? classic_protocol_type(group->classic)
                                            : wire_string_of("consumer");
        out->group_state = wire_string_of(state);
        out->group_type = wire_string_of(type);
    }
}

static enum kafka_error forget(struct groups *groups, struct group *group)
{
    struct error err = {0};

    if (group->consumer) {
        enum kafka_error error = consumer_forget(group->consumer);

        if (error != KAFKA_NONE)
            return error;
    } else if (classic_forget(group->classic, &err) != 0) {
        log_write(LOG_ERROR, "groups", NULL, "group %.*s is not deleted: %s",
                  (int)group->id.len, group->id.data, err.text);
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    groups_remove(groups, group);
    return KAFKA_NONE;
}

enum kafka_error groups_delete(struct groups *groups, struct wire_string group)
{
    struct group *found = groups_find(groups, group);
    struct error err = {0};

    if (group.len < 0)
        return KAFKA_INVALID_GROUP_ID;
    if (!found)
        return KAFKA_GROUP_ID_NOT_FOUND;
    if (!is_empty(found))
        return KAFKA_NON_EMPTY_GROUP;
    if (offsets_delete_group(groups->offsets, group, &err) != 0) {
        log_write(LOG_ERROR, "groups", NULL,
                  "offsets of group %.*s are not deleted: %s", (int)group.len,
                  group.data, err.text);
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    return forget(groups, found);
}

/* ---- expiry ------------------------------------------------------------------ */

struct expired {
    struct wire_string topic; /* a copy in the arena */
    int32_t partition;
};

struct expiry {
    const struct groups *groups;
    const struct group *group;
    int64_t wall_ms;
    struct mem_arena arena;
    struct expired *items;
    size_t count, capacity;
};

static bool is_expired(const struct expiry *expiry, const struct offset *offset)
{
    const struct group *group = expiry->group;
    int64_t base = group->classic
                       ? classic_retention_base(group->classic, offset->commit_ms)
                       : offset->commit_ms;

    if (base == INT64_MAX)
        return false;
    if (offset->expire_ms >= 0)
        return expiry->wall_ms >= offset->expire_ms;
    return expiry->wall_ms - base >= expiry->groups->settings.offsets_retention_ms;
}

static bool collect_expired(void *arg, struct wire_string topic, int32_t partition,
                            const struct offset *offset)
{
    struct expiry *expiry = arg;
    struct wire_string copy;

    if (!is_expired(expiry, offset) || groups_subscribes(expiry->group, topic) ||
        offsets_unstable(expiry->groups->offsets, expiry->group->id, topic, partition))
        return true;
    copy.data = mem_arena_strndup(&expiry->arena, topic.data, (size_t)topic.len);
    copy.len = topic.len;
    expiry->items = mem_grow(expiry->items, expiry->count, &expiry->capacity,
                             sizeof *expiry->items);
    expiry->items[expiry->count++] = (struct expired){copy, partition};
    return true;
}

static void expire_group(struct groups *groups, struct group *group, int64_t wall_ms)
{
    struct expiry expiry = {.groups = groups, .group = group, .wall_ms = wall_ms};
    struct error err = {0};

    offsets_each(groups->offsets, group->id, collect_expired, &expiry);
    for (size_t i = 0; i < expiry.count; i++) {
        if (offsets_delete(groups->offsets, group->id, expiry.items[i].topic,
                           expiry.items[i].partition, &err) != 0)
            break;
    }
    free(expiry.items);
    mem_arena_clear(&expiry.arena);
    if (error_is_set(&err))
        log_write(LOG_WARN, "groups", NULL, "expired offsets are kept: %s", err.text);
    else if (is_empty(group) && !offsets_has_group(groups->offsets, group->id))
        (void)forget(groups, group);
}

void groups_expire(struct groups *groups, int64_t wall_ms)
{
    struct group *group = groups->by_id, *next;

    for (; group; group = next) {
        next = group->hh.next;
        expire_group(groups, group, wall_ms);
    }
}
