/* SPDX-License-Identifier: MIT
 *
 * api_metadata.c - Metadata: the broker and the topics; it may make a topic that is
 * asked for.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_names.h"
#include "ledger/api/ledger.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_metadata.h"

#include <string.h>

/* The answer while it is put together. */
struct answer {
    struct ledger *ledger;
    struct request *request;
    const struct metadata_request *asked;
    struct metadata_response response;
    int32_t *nodes; /* {1}: replicas and in-sync replicas of every partition */
};

static struct metadata_response_metadata_response_topic *
add_topic(struct answer *answer)
{
    struct metadata_response_metadata_response_topic *out =
        &answer->response.topics[answer->response.topics_count++];

    wire_defaults(&metadata_response_metadata_response_topic_message, out);
    return out;
}

static void
describe_partition(const struct answer *answer, int32_t index,
                   struct metadata_response_metadata_response_partition *out)
{
    wire_defaults(&metadata_response_metadata_response_partition_message, out);
    out->partition_index = index;
    out->leader_id = LEDGER_NODE_ID;
    out->leader_epoch = LEDGER_LEADER_EPOCH;
    out->replica_nodes = answer->nodes;
    out->replica_nodes_count = 1;
    out->isr_nodes = answer->nodes;
    out->isr_nodes_count = 1;
}

static void describe(struct answer *answer, const struct topic *topic)
{
    struct metadata_response_metadata_response_topic *out = add_topic(answer);

    out->name = (struct wire_string){topic->name, topic->name_len};
    out->topic_id = topic->id;
    out->is_internal = topic->internal;
    out->partitions = mem_arena_alloc(
        &answer->request->arena, (size_t)topic->partitions * sizeof(*out->partitions));
    out->partitions_count = topic->partitions;
    for (int32_t i = 0; i < topic->partitions; i++)
        describe_partition(answer, i, &out->partitions[i]);
    if (answer->asked->include_topic_authorized_operations)
        out->topic_authorized_operations = API_TOPIC_OPERATIONS;
}

/* A topic that is not there: make it if that is wanted on both sides. */
static enum kafka_error make(struct answer *answer, struct wire_string name,
                             struct topic **topic)
{
    struct topics_new spec = {.name = name, .partitions = -1, .replication_factor = -1};
    struct text_buf message = {0};
    enum kafka_error code = topics_check_name(name, &message);

    if (code == KAFKA_NONE) {
        if (answer->ledger->auto_create_topics &&
            answer->asked->allow_auto_topic_creation)
            code = topics_create(answer->ledger->topics, &spec, topic, NULL, &message);
        else
            code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    text_buf_clear(&message);
    return code;
}

static void by_name(struct answer *answer, struct wire_string name)
{
    struct topic *topic = topics_find(answer->ledger->topics, name);
    struct metadata_response_metadata_response_topic *out;
    enum kafka_error code = topic == NULL ? make(answer, name, &topic) : KAFKA_NONE;

    if (code == KAFKA_NONE) {
        describe(answer, topic);
        return;
    }
    out = add_topic(answer);
    out->error_code = (int16_t)code;
    out->name = name;
    if (answer->asked->include_topic_authorized_operations)
        out->topic_authorized_operations = API_TOPIC_OPERATIONS;
}

static void by_id(struct answer *answer, const struct wire_uuid *id)
{
    const struct topic *topic = topics_find_id(answer->ledger->topics, id);
    struct metadata_response_metadata_response_topic *out;

    if (topic != NULL) {
        describe(answer, topic);
        return;
    }
    out = add_topic(answer);
    out->error_code = KAFKA_UNKNOWN_TOPIC_ID;
    out->topic_id = *id;
    out->name = (struct wire_string){NULL, -1};
}

static void all_topics(struct answer *answer)
{
    int32_t count = topics_count(answer->ledger->topics);

    answer->response.topics =
        mem_arena_alloc(&answer->request->arena,
                        (size_t)(count + 1) * sizeof(*answer->response.topics));
    for (int32_t i = 0; i < count; i++)
        describe(answer, topics_at(answer->ledger->topics, i));
}

/* The whole request is refused: an error for every topic and nothing else. */
static void refuse(struct answer *answer, enum kafka_error code)
{
    for (int32_t i = 0; i < answer->asked->topics_count; i++) {
        struct metadata_response_metadata_response_topic *out = add_topic(answer);
        out->error_code = (int16_t)code;
        out->name = answer->asked->topics[i].name;
        if (out->name.len < 0)
            out->name = wire_string_of("");
        out->topic_id = answer->asked->topics[i].topic_id;
    }
    request_answer(answer->request, &answer->response);
}

/* Ids came with version 10, but could not be used before 12; with one id only ids
 * count. */
static enum kafka_error check_topics(const struct answer *answer, bool *use_ids)
{
    bool null_name = false;

    *use_ids = false;
    for (int32_t i = 0; i < answer->asked->topics_count; i++) {
        const struct metadata_request_metadata_request_topic *topic =
            &answer->asked->topics[i];
        *use_ids = *use_ids || !wire_uuid_is_zero(&topic->topic_id);
        null_name = null_name || topic->name.len < 0;
    }
    if (answer->request->version < 12 && (*use_ids || null_name))
        return KAFKA_INVALID_REQUEST;
    return null_name && !*use_ids ? KAFKA_UNKNOWN_SERVER_ERROR : KAFKA_NONE;
}

/* What a topic is asked for by, to find those that are asked for twice. */
static struct wire_string *lookup_keys(const struct answer *answer, bool use_ids)
{
    size_t count = (size_t)answer->asked->topics_count;
    struct wire_string *keys =
        mem_arena_alloc(&answer->request->arena, (count + 1) * sizeof(*keys));

    for (size_t i = 0; i < count; i++) {
        const struct metadata_request_metadata_request_topic *topic =
            &answer->asked->topics[i];
        keys[i] = use_ids ? (struct wire_string){(const char *)topic->topic_id.bytes,
                                                 sizeof(topic->topic_id.bytes)}
                          : topic->name;
    }
    return keys;
}

static void some_topics(struct answer *answer, bool use_ids)
{
    const struct metadata_request *asked = answer->asked;
    const enum api_repeated *repeated = api_repeated_names(
        &answer->request->arena, lookup_keys(answer, use_ids), asked->topics_count);

    for (int32_t i = 0; i < asked->topics_count; i++) {
        if (repeated[i] == API_AGAIN)
            continue;
        if (!use_ids)
            by_name(answer, asked->topics[i].name);
        else if (!wire_uuid_is_zero(&asked->topics[i].topic_id))
            by_id(answer, &asked->topics[i].topic_id);
    }
}

static void describe_cluster(struct answer *answer)
{
    struct metadata_response *response = &answer->response;
    struct ledger *ledger = answer->ledger;

    response->brokers =
        mem_arena_alloc(&answer->request->arena, sizeof(*response->brokers));
    response->brokers_count = 1;
    wire_defaults(&metadata_response_metadata_response_broker_message,
                  response->brokers);
    response->brokers->node_id = LEDGER_NODE_ID;
    response->brokers->host = wire_string_of(ledger->host);
    response->brokers->port = ledger->port;
    response->cluster_id = wire_string_of(ledger->cluster_id);
    response->controller_id = LEDGER_NODE_ID;
    if (answer->asked->include_cluster_authorized_operations)
        response->cluster_authorized_operations = API_CLUSTER_OPERATIONS;
}

void api_metadata(struct ledger *ledger, struct request *request)
{
    struct answer answer = {ledger, request, request->message, {0}, NULL};
    int32_t count = answer.asked->topics_count;
    enum kafka_error code;
    bool use_ids;

    wire_defaults(&metadata_response_message, &answer.response);
    answer.nodes = mem_arena_alloc(&request->arena, sizeof(*answer.nodes));
    answer.nodes[0] = LEDGER_NODE_ID;
    if (count < 0 || (count == 0 && request->version == 0)) {
        all_topics(&answer);
    } else {
        answer.response.topics = mem_arena_alloc(
            &request->arena, (size_t)(count + 1) * sizeof(*answer.response.topics));
        code = check_topics(&answer, &use_ids);
        if (code != KAFKA_NONE) {
            refuse(&answer, code);
            return;
        }
        some_topics(&answer, use_ids);
    }
    describe_cluster(&answer);
    request_answer(request, &answer.response);
}
