/* SPDX-License-Identifier: MIT
 *
 * consumer.c - the group itself: life, settings, state, who may commit, and its
 * deadlines. Heartbeats are in consumer_heartbeat.c.
 */
#include "ledger/group/consumer.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/group/assignor.h"
#include "ledger/group/consumer_group.h"

#include <stdlib.h>
#include <string.h>

/* When the store refuses to let an expired member go, it is tried again. */
enum { RETRY_MS = 1000 };

void consumer_env_default(struct consumer_env *env)
{
    env->session_timeout_ms = 45000;
    env->heartbeat_interval_ms = 5000;
    env->max_size = INT32_MAX;
}

struct consumer_group *consumer_new(const struct consumer_env *env, const char *id)
{
    struct consumer_group *group = mem_alloc(sizeof(*group));

    group->env = env;
    group->id = mem_strdup(id);
    group->patterns_ms = INT64_MIN / 2;
    group->deadline_ms = INT64_MAX;
    return group;
}

void consumer_free(struct consumer_group *group)
{
    struct consumer_member *member, *next;
    struct consumer_owned *owned, *next_owned;

    if (group == NULL)
        return;
    HASH_CLEAR(hh_instance, group->instances);
    HASH_ITER(hh, group->members, member, next)
    {
        HASH_DEL(group->members, member);
        consumer_member_free(member);
    }
    HASH_ITER(hh, group->owned, owned, next_owned)
    {
        HASH_DEL(group->owned, owned);
        free(owned->taken);
        free(owned);
    }
    consumer_patterns_free(group);
    free(group->id);
    free(group);
}

/* ---- settings -------------------------------------------------------------------- */

static int32_t config_of(const struct consumer_group *group, const char *name,
                         int32_t fallback)
{
    const struct group_configs *configs = &group->env->configs;
    int64_t value;

    if (configs->find != NULL && configs->find(configs->arg, group->id, name, &value))
        return (int32_t)value;
    return fallback;
}

int32_t consumer_session_ms(const struct consumer_group *group)
{
    return config_of(group, "consumer.session.timeout.ms",
                     group->env->session_timeout_ms);
}

int32_t consumer_heartbeat_ms(const struct consumer_group *group)
{
    return config_of(group, "consumer.heartbeat.interval.ms",
                     group->env->heartbeat_interval_ms);
}

/* ---- queries --------------------------------------------------------------------- */

const char *consumer_id(const struct consumer_group *group)
{
    return group->id;
}

bool consumer_is_empty(const struct consumer_group *group)
{
    return group->members == NULL;
}

int32_t consumer_epoch(const struct consumer_group *group)
{
    return group->epoch;
}

const char *consumer_state(const struct consumer_group *group)
{
    if (group->members == NULL)
        return "Empty";
    if (group->epoch > group->target_epoch)
        return "Assigning";
    for (struct consumer_member *member = group->members; member != NULL;
         member = member->hh.next)
        if (!consumer_member_settled(member, group->target_epoch))
            return "Reconciling";
    return "Stable";
}

static bool contains(char *const *names, int32_t count, const char *name)
{
    for (int32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool consumer_subscribes(const struct consumer_group *group, const char *topic)
{
    const struct consumer_pattern *pattern;
    const struct consumer_member *member;

    for (member = group->members; member != NULL; member = member->hh.next)
        if (contains(member->topics, member->topics_count, topic))
            return true;
    for (pattern = group->patterns; pattern != NULL; pattern = pattern->hh.next)
        if (contains(pattern->topics, pattern->topics_count, topic))
            return true;
    return false;
}

static const struct consumer_member *find_string(const struct consumer_group *group,
                                                 struct wire_string id)
{
    struct consumer_member *member = NULL;

    if (id.len >= 0)
        HASH_FIND(hh, group->members, id.data, (size_t)id.len, member);
    return member;
}

static enum kafka_error check_epoch(const struct consumer_member *member, int32_t epoch)
{
    if (epoch == member->epoch)
        return KAFKA_NONE;
    return member->classic ? KAFKA_ILLEGAL_GENERATION : KAFKA_STALE_MEMBER_EPOCH;
}

enum kafka_error consumer_may_commit(const struct consumer_group *group,
                                     const struct consumer_commit *commit)
{
    const struct consumer_member *member = find_string(group, commit->member_id);

    if (commit->epoch < 0 && group->members == NULL)
        return KAFKA_NONE;
    if (commit->transactional && commit->epoch == -1 && commit->member_id.len == 0 &&
        commit->instance_id.len < 0)
        return KAFKA_NONE;
    if (member == NULL)
        return KAFKA_UNKNOWN_MEMBER_ID;
    if (!commit->transactional && !member->classic && commit->version < 9)
        return KAFKA_UNSUPPORTED_VERSION;
    return check_epoch(member, commit->epoch);
}

enum kafka_error consumer_may_fetch(const struct consumer_group *group,
                                    struct wire_string member_id, int32_t epoch)
{
    const struct consumer_member *member = find_string(group, member_id);

    if (member_id.len < 0 && epoch < 0)
        return KAFKA_NONE;
    if (member == NULL)
        return KAFKA_UNKNOWN_MEMBER_ID;
    return check_epoch(member, epoch);
}

/* ---- deadlines ------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t deadline_of(const struct consumer_member *member)
{
    return earlier(earlier(member->session_deadline_ms, member->rebalance_deadline_ms),
                   earlier(member->join_deadline_ms, member->sync_deadline_ms));
}

void consumer_watch(struct consumer_group *group, const struct consumer_member *member)
{
    int64_t deadline = deadline_of(member);

    if (deadline < group->deadline_ms)
        group->deadline_ms = deadline;
}

enum kafka_error consumer_remove(struct consumer_group *group,
                                 struct consumer_member *member)
{
    struct consumer_change change;
    struct mem_arena arena = {0};
    enum kafka_error error;

    consumer_change_begin(&change, group, member, NULL);
    consumer_change_epoch(&change, true, &arena);
    error = consumer_change_commit(&change);
    mem_arena_clear(&arena);
    return error;
}

static struct consumer_member *find_leaver(struct consumer_group *group,
                                           struct wire_string member_id,
                                           struct wire_string instance_id)
{
    struct consumer_member *member = NULL;

    if (instance_id.len >= 0)
        HASH_FIND(hh_instance, group->instances, instance_id.data,
                  (size_t)instance_id.len, member);
    else if (member_id.len >= 0)
        HASH_FIND(hh, group->members, member_id.data, (size_t)member_id.len, member);
    return member;
}

enum kafka_error consumer_leave(struct consumer_group *group,
                                struct wire_string member_id,
                                struct wire_string instance_id)
{
    struct consumer_member *member = find_leaver(group, member_id, instance_id);

    if (member == NULL)
        return KAFKA_UNKNOWN_MEMBER_ID;
    if (member_id.len > 0 && !wire_string_is(member_id, member->id))
        return KAFKA_FENCED_INSTANCE_ID;
    return consumer_remove(group, member);
}

static void postpone(int64_t *deadline_ms, int64_t now_ms)
{
    if (*deadline_ms <= now_ms)
        *deadline_ms = now_ms + RETRY_MS;
}

static void expire(struct consumer_group *group, struct consumer_member *member,
                   int64_t now_ms)
{
    bool silent = member->session_deadline_ms <= now_ms;

    log_write(LOG_INFO, "group", NULL, "consumer group %s: member %s is fenced: %s",
              group->id, member->id,
              silent ? "its session expired"
                     : "it did not follow the rebalance in time");
    if (consumer_remove(group, member) == KAFKA_NONE)
        return;
    postpone(&member->session_deadline_ms, now_ms);
    postpone(&member->rebalance_deadline_ms, now_ms);
    postpone(&member->join_deadline_ms, now_ms);
    postpone(&member->sync_deadline_ms, now_ms);
}

int64_t consumer_tick(struct consumer_group *group, int64_t now_ms)
{
    struct consumer_member *member, *next;

    if (now_ms < group->deadline_ms)
        return group->deadline_ms;
    HASH_ITER(hh, group->members, member, next)
    {
        if (deadline_of(member) <= now_ms)
            expire(group, member, now_ms);
    }
    group->deadline_ms = INT64_MAX;
    for (member = group->members; member != NULL; member = member->hh.next)
        consumer_watch(group, member);
    return group->deadline_ms;
}
