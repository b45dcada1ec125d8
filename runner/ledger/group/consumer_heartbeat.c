/* SPDX-License-Identifier: MIT
 *
 * consumer_heartbeat.c - the one request of the protocol: join, go on, leave.
 */
#include "base/mem.h"
#include "ledger/group/consumer_group.h"
#include "ledger/group/groups.h"
#include "ledger/wire/messages_consumer.h"

#include <stdlib.h>
#include <string.h>

/* One heartbeat on its way. */
struct beat {
    struct consumer_group *group;
    const struct consumer_group_heartbeat_request *request;
    const struct groups_caller *caller;
    struct mem_arena *arena;
    struct consumer_group_heartbeat_response *response;
    const char *member_id;
    struct partition_set owned; /* what the member says it has */
    bool says_owned;
    bool replaces; /* a static member takes the place of the one before */
};

/* ---- who it is ------------------------------------------------------------------- */

static enum kafka_error unknown_member(struct beat *beat)
{
    return consumer_refuse(beat->response, beat->arena, KAFKA_UNKNOWN_MEMBER_ID,
                           "Member %s is not a member of group %s.", beat->member_id,
                           beat->group->id);
}

/* Is this epoch one that the member may come with? */
static enum kafka_error check_epoch(struct beat *beat,
                                    const struct consumer_member *member)
{
    int32_t epoch = beat->request->member_epoch;

    if (epoch == CONSUMER_JOIN || epoch == member->epoch)
        return KAFKA_NONE;
    if (epoch > member->epoch)
        return consumer_refuse(
            beat->response, beat->arena, KAFKA_FENCED_MEMBER_EPOCH,
            "The consumer group member has a greater member epoch (%d) than the one "
            "known by the group coordinator (%d). The member must abandon all its "
            "partitions and rejoin.",
            epoch, member->epoch);
    /* The answer with the new epoch may have been lost. */
    if (epoch == member->previous_epoch && beat->says_owned &&
        partition_set_within(&beat->owned, &member->assigned))
        return KAFKA_NONE;
    return consumer_refuse(
        beat->response, beat->arena, KAFKA_FENCED_MEMBER_EPOCH,
        "The consumer group member has a smaller member epoch (%d) than the one "
        "known by the group coordinator (%d). The member must abandon all its "
        "partitions and rejoin.",
        epoch, member->epoch);
}

/* The static member of the request's instance id, for who goes on or leaves. */
static enum kafka_error find_static(struct beat *beat, struct consumer_member **member)
{
    const char *instance =
        mem_arena_strndup(beat->arena, beat->request->instance_id.data,
                          (size_t)beat->request->instance_id.len);

    *member = consumer_find_instance(beat->group, instance);
    if (*member == NULL)
        return consumer_refuse(beat->response, beat->arena, KAFKA_UNKNOWN_MEMBER_ID,
                               "Instance id %s is unknown.", instance);
    if (strcmp((*member)->id, beat->member_id) != 0)
        return consumer_refuse(
            beat->response, beat->arena, KAFKA_FENCED_INSTANCE_ID,
            "Static member %s with instance id %s was fenced by member %s.",
            beat->member_id, instance, (*member)->id);
    return KAFKA_NONE;
}

/* A member that goes on. */
static enum kafka_error find_member(struct beat *beat, struct consumer_member **member)
{
    enum kafka_error error;

    if (beat->request->instance_id.len >= 0) {
        error = find_static(beat, member);
        if (error != KAFKA_NONE)
            return error;
    } else {
        *member = consumer_find(beat->group, beat->member_id);
        if (*member == NULL)
            return unknown_member(beat);
    }
    return check_epoch(beat, *member);
}

/* A static member joins: *old is the one it takes over from, if there is one. */
static enum kafka_error join_static(struct beat *beat, struct consumer_member **old)
{
    const char *instance =
        mem_arena_strndup(beat->arena, beat->request->instance_id.data,
                          (size_t)beat->request->instance_id.len);
    const struct consumer_member *other;

    *old = consumer_find_instance(beat->group, instance);
    if (*old == NULL) {
        *old = consumer_find(beat->group, beat->member_id);
        return KAFKA_NONE;
    }
    other = consumer_find(beat->group, beat->member_id);
    if (other != NULL && other != *old)
        return consumer_refuse(beat->response, beat->arena, KAFKA_INVALID_REQUEST,
                               "MemberId %s is that of another member.",
                               beat->member_id);
    beat->replaces = true;
    if ((*old)->epoch == CONSUMER_LEAVE_STATIC || (*old)->classic)
        return KAFKA_NONE;
    return consumer_refuse(
        beat->response, beat->arena, KAFKA_UNRELEASED_INSTANCE_ID,
        "Static member %s with instance id %s cannot join the group because the "
        "instance id is owned by %s member.",
        beat->member_id, instance, (*old)->id);
}

/* The member as it was before this request, under the id it has now. */
static struct consumer_member *member_before(const struct beat *beat,
                                             const struct consumer_member *old)
{
    if (old == NULL)
        return consumer_member_new(beat->member_id);
    if (beat->replaces)
        return consumer_member_successor(old, beat->member_id);
    return consumer_member_copy(old);
}

static enum kafka_error find_or_join(struct beat *beat, struct consumer_member **old)
{
    struct consumer_group *group = beat->group;

    if (HASH_COUNT(group->members) >= (unsigned)group->env->max_size &&
        consumer_find(group, beat->member_id) == NULL)
        return consumer_refuse(
            beat->response, beat->arena, KAFKA_GROUP_MAX_SIZE_REACHED,
            "The consumer group has reached its maximum capacity of %d members.",
            group->env->max_size);
    if (beat->request->member_epoch != CONSUMER_JOIN)
        return find_member(beat, old);
    if (beat->request->instance_id.len >= 0)
        return join_static(beat, old);
    *old = consumer_find(group, beat->member_id);
    return KAFKA_NONE;
}

/* ---- going on -------------------------------------------------------------------- */

/* A new pattern must be one. */
static enum kafka_error check_pattern(struct beat *beat, const char *regex)
{
    char why[PATTERN_WHY] = "";

    if (*regex == '\0' || consumer_pattern_find(beat->group, regex) != NULL)
        return KAFKA_NONE;
    if (consumer_pattern_add(beat->group, regex, why))
        return KAFKA_NONE;
    consumer_patterns_tidy(beat->group);
    return consumer_refuse(
        beat->response, beat->arena, KAFKA_INVALID_REGULAR_EXPRESSION,
        "SubscribedTopicRegex `%s` is not a valid regular expression: %s.", regex, why);
}

/* ---- answers --------------------------------------------------------------------- */

static struct consumer_group_heartbeat_response_assignment *
answer_assignment(const struct partition_set *set, struct mem_arena *arena)
{
    struct consumer_group_heartbeat_response_assignment *answer =
        mem_arena_alloc(arena, sizeof(*answer));
    size_t run, topics = 0;

    for (size_t i = 0; i < set->count; i += partition_set_run(set, i))
        topics++;
    answer->topic_partitions =
        mem_arena_alloc(arena, (topics + 1) * sizeof(*answer->topic_partitions));
    for (size_t i = 0; i < set->count; i += run) {
        run = partition_set_run(set, i);
        answer->topic_partitions[answer->topic_partitions_count++] =
            (struct consumer_group_heartbeat_response_topic_partitions){
                .topic_id = set->items[i].topic,
                .partitions = partition_set_numbers(set, i, run, arena),
                .partitions_count = (int32_t)run,
            };
    }
    return answer;
}

static void answer(struct beat *beat, const struct consumer_member *member,
                   bool assignment)
{
    struct consumer_group_heartbeat_response *response = beat->response;

    wire_defaults(&consumer_group_heartbeat_response_message, response);
    response->member_id = wire_string_of(mem_arena_strdup(beat->arena, member->id));
    response->member_epoch = member->epoch;
    response->heartbeat_interval_ms = consumer_heartbeat_ms(beat->group);
    if (assignment)
        response->assignment = answer_assignment(&member->assigned, beat->arena);
}

/* A request that says everything is answered with everything. */
static bool full(const struct consumer_group_heartbeat_request *request)
{
    return request->member_epoch == CONSUMER_JOIN ||
           (request->rebalance_timeout_ms != -1 &&
            (request->subscribed_topic_names_count >= 0 ||
             request->subscribed_topic_regex.len >= 0) &&
            request->topic_partitions_count >= 0);
}

static void go_on(struct beat *beat, struct consumer_member *old)
{
    struct consumer_advance advance = {
        .group = beat->group,
        .old = old,
        .next = member_before(beat, old),
        .owned = beat->says_owned ? &beat->owned : NULL,
        .now_ms = beat->caller->now_ms,
    };
    enum kafka_error error;

    consumer_member_update(advance.next, beat->request, beat->caller->client_id,
                           beat->caller->host);
    if (check_pattern(beat, advance.next->regex) != KAFKA_NONE) {
        consumer_member_free(advance.next);
        return;
    }
    error = consumer_advance(&advance, beat->arena);
    if (error == KAFKA_NONE)
        answer(beat, advance.next, full(beat->request) || advance.assignment_changed);
    else
        consumer_refuse(beat->response, beat->arena, error, "%s",
                        kafka_error_text(error));
}

/* ---- leaving --------------------------------------------------------------------- */

/* A static member goes for a while: it keeps what it has until its session is over. */
static enum kafka_error leave_static(struct beat *beat, struct consumer_member *old)
{
    struct consumer_change change;
    struct consumer_member *next = consumer_member_copy(old);

    next->epoch = CONSUMER_LEAVE_STATIC;
    next->rebalance_deadline_ms = INT64_MAX;
    partition_set_clear(&next->revoking);
    consumer_change_begin(&change, beat->group, old, next);
    return consumer_change_commit(&change);
}

static void leave(struct beat *beat)
{
    int32_t epoch = beat->request->member_epoch;
    struct consumer_member *member;
    enum kafka_error error;

    if (beat->request->instance_id.len >= 0) {
        if (find_static(beat, &member) != KAFKA_NONE)
            return;
    } else {
        member = consumer_find(beat->group, beat->member_id);
        if (member == NULL) {
            unknown_member(beat);
            return;
        }
    }
    error = epoch == CONSUMER_LEAVE_STATIC && beat->request->instance_id.len >= 0
                ? leave_static(beat, member)
                : consumer_remove(beat->group, member);
    if (error != KAFKA_NONE) {
        consumer_refuse(beat->response, beat->arena, error, "%s",
                        kafka_error_text(error));
        return;
    }
    wire_defaults(&consumer_group_heartbeat_response_message, beat->response);
    beat->response->member_id = wire_string_of(beat->member_id);
    beat->response->member_epoch = epoch;
}

/* ---- together -------------------------------------------------------------------- */

static void read_owned(struct beat *beat)
{
    const struct consumer_group_heartbeat_request *request = beat->request;

    beat->says_owned = request->topic_partitions_count >= 0;
    for (int32_t t = 0; t < request->topic_partitions_count; t++)
        for (int32_t p = 0; p < request->topic_partitions[t].partitions_count; p++)
            partition_set_add(&beat->owned, &request->topic_partitions[t].topic_id,
                              request->topic_partitions[t].partitions[p]);
    partition_set_sort(&beat->owned);
}

void consumer_heartbeat(struct consumer_group *group,
                        const struct consumer_group_heartbeat_request *request,
                        const struct groups_caller *caller, struct mem_arena *arena,
                        struct consumer_group_heartbeat_response *response)
{
    struct beat beat = {.group = group,
                        .request = request,
                        .caller = caller,
                        .arena = arena,
                        .response = response,
                        .member_id = ""};
    struct consumer_member *old = NULL;

    if (request->member_id.len > 0)
        beat.member_id = mem_arena_strndup(arena, request->member_id.data,
                                           (size_t)request->member_id.len);
    if (request->member_epoch < 0) {
        leave(&beat);
        return;
    }
    if (*beat.member_id == '\0')
        beat.member_id = consumer_new_id(arena);
    read_owned(&beat);
    if (find_or_join(&beat, &old) == KAFKA_NONE)
        go_on(&beat, old);
    partition_set_clear(&beat.owned);
}
