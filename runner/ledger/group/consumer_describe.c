/* SPDX-License-Identifier: MIT
 *
 * consumer_describe.c - a consumer group as ConsumerGroupDescribe shows it.
 */
#include "base/mem.h"
#include "ledger/group/consumer_group.h"
#include "ledger/wire/messages_consumer.h"

#include <string.h>

enum { MEMBER_TYPE_CLASSIC = 0, MEMBER_TYPE_CONSUMER = 1 };

static struct wire_string borrow(const char *text, struct mem_arena *arena)
{
    return wire_string_of(mem_arena_strdup(arena, text));
}

/* Partitions of topics that are gone are left out. */
static struct consumer_group_describe_response_assignment
describe_set(const struct consumer_group *group, const struct partition_set *set,
             struct mem_arena *arena)
{
    const struct group_topics *topics = &group->env->topics;
    struct consumer_group_describe_response_assignment out = {0};
    struct group_topic topic;
    size_t run;

    out.topic_partitions =
        mem_arena_alloc(arena, (set->count + 1) * sizeof(*out.topic_partitions));
    for (size_t i = 0; i < set->count; i += run) {
        run = partition_set_run(set, i);
        if (!topics->find_id(topics->arg, &set->items[i].topic, &topic))
            continue;
        out.topic_partitions[out.topic_partitions_count++] =
            (struct consumer_group_describe_response_topic_partitions){
                .topic_id = topic.id,
                .topic_name = borrow(topic.name, arena),
                .partitions = partition_set_numbers(set, i, run, arena),
                .partitions_count = (int32_t)run,
            };
    }
    return out;
}

static void describe_member(const struct consumer_group *group,
                            const struct consumer_member *member,
                            struct mem_arena *arena,
                            struct consumer_group_describe_response_member *out)
{
    struct wire_string *names =
        mem_arena_alloc(arena, ((size_t)member->topics_count + 1) * sizeof(*names));

    for (int32_t i = 0; i < member->topics_count; i++)
        names[i] = borrow(member->topics[i], arena);
    *out = (struct consumer_group_describe_response_member){
        .member_id = borrow(member->id, arena),
        .instance_id = borrow(member->instance_id, arena),
        .rack_id = borrow(member->rack_id, arena),
        .member_epoch = member->epoch,
        .client_id = borrow(member->client_id, arena),
        .client_host = borrow(member->client_host, arena),
        .subscribed_topic_names = names,
        .subscribed_topic_names_count = member->topics_count,
        .subscribed_topic_regex = borrow(member->regex, arena),
        .assignment = describe_set(group, &member->assigned, arena),
        .target_assignment = describe_set(group, &member->target, arena),
        .member_type = member->classic ? MEMBER_TYPE_CLASSIC : MEMBER_TYPE_CONSUMER,
    };
}

void consumer_describe(const struct consumer_group *group, struct mem_arena *arena,
                       struct consumer_group_describe_response_described_group *out)
{
    size_t count = HASH_COUNT(group->members);
    const struct consumer_member **order =
        mem_arena_alloc(arena, (count + 1) * sizeof(struct consumer_member *));
    int32_t i = 0;

    out->error_code = KAFKA_NONE;
    out->error_message = wire_string_of(NULL);
    out->group_id = borrow(group->id, arena);
    out->group_state = wire_string_of(consumer_state(group));
    out->group_epoch = group->epoch;
    out->assignment_epoch = group->target_epoch;
    out->authorized_operations = INT32_MIN;
    out->members = mem_arena_alloc(arena, (count + 1) * sizeof(*out->members));
    for (const struct consumer_member *member = group->members; member != NULL;
         member = member->hh.next) {
        order[i] = member;
        describe_member(group, member, arena, &out->members[i++]);
    }
    out->members_count = i;
    out->assignor_name = borrow(consumer_preferred_assignor(order, i), arena);
}
