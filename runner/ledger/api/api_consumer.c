/* SPDX-License-Identifier: MIT
 *
 * api_consumer.c - the requests of the consumer protocol, and what consumer groups see
 * of the catalogue.
 */
#include "ledger/api/api.h"

#include "ledger/api/consumer_env.h"
#include "ledger/api/ledger.h"
#include "ledger/group/groups.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_consumer.h"

/* READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS: without ACLs everybody may.
 */
enum { ALL_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11 };

void api_consumer_group_heartbeat(struct ledger *ledger, struct request *request)
{
    struct consumer_group_heartbeat_response response;
    struct groups_caller caller;

    api_groups_caller(request, &caller);
    wire_defaults(&consumer_group_heartbeat_response_message, &response);
    groups_consumer_heartbeat(ledger->groups, request->message, &caller,
                              &request->arena, &response);
    request_answer(request, &response);
}

static void describe(struct ledger *ledger, struct request *request,
                     struct wire_string id,
                     struct consumer_group_describe_response_described_group *out)
{
    const struct consumer_group_describe_request *message = request->message;

    if (id.len <= 0) {
        wire_defaults(&consumer_group_describe_response_described_group_message, out);
        out->error_code = KAFKA_INVALID_GROUP_ID;
        return;
    }
    if (request_is_full(request)) {
        wire_defaults(&consumer_group_describe_response_described_group_message, out);
        out->group_id = id;
        out->error_code = KAFKA_INVALID_REQUEST;
        return;
    }
    groups_consumer_describe(ledger->groups, id, &request->arena, out);
    if (message->include_authorized_operations && out->error_code == KAFKA_NONE)
        out->authorized_operations = ALL_OPERATIONS;
}

void api_consumer_group_describe(struct ledger *ledger, struct request *request)
{
    const struct consumer_group_describe_request *message = request->message;
    int32_t count = message->group_ids_count;
    struct consumer_group_describe_response response;

    wire_defaults(&consumer_group_describe_response_message, &response);
    response.groups = mem_arena_alloc(&request->arena,
                                      ((size_t)count + 1) * sizeof(*response.groups));
    response.groups_count = count;
    for (int32_t i = 0; i < count; i++)
        describe(ledger, request, message->group_ids[i], &response.groups[i]);
    request_answer(request, &response);
}

/* ---- the catalogue, as groups see it --------------------------------------------- */

static void show(const struct topic *topic, struct group_topic *out)
{
    *out = (struct group_topic){topic->name, topic->id, topic->partitions};
}

static bool find_topic(void *arg, const char *name, struct group_topic *out)
{
    const struct topic *topic = topics_find(arg, wire_string_of(name));

    if (topic != NULL)
        show(topic, out);
    return topic != NULL;
}

static bool find_topic_id(void *arg, const struct wire_uuid *id,
                          struct group_topic *out)
{
    const struct topic *topic = topics_find_id(arg, id);

    if (topic != NULL)
        show(topic, out);
    return topic != NULL;
}

static void each_topic(void *arg, group_topic_fn *fn, void *fn_arg)
{
    struct group_topic topic;

    for (int32_t i = 0; i < topics_count(arg); i++) {
        show(topics_at(arg, i), &topic);
        fn(fn_arg, &topic);
    }
}

static uint64_t catalogue_version(void *arg)
{
    return topics_version(arg);
}

static bool find_config(void *arg, const char *group_id, const char *name,
                        int64_t *value)
{
    *value = topics_group_number(arg, wire_string_of(group_id), name);
    return true;
}

void consumer_env_fill(struct consumer_env *env, struct topics *topics,
                       struct store *store)
{
    consumer_env_default(env);
    env->store = store;
    env->topics = (struct group_topics){
        .arg = topics,
        .find = find_topic,
        .find_id = find_topic_id,
        .each = each_topic,
        .version = catalogue_version,
    };
    env->configs = (struct group_configs){.arg = topics, .find = find_config};
}
