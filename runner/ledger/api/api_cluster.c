/* SPDX-License-Identifier: MIT
 *
 * api_cluster.c - DescribeCluster, DescribeLogDirs.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_names.h"
#include "ledger/api/ledger.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_configs.h"
#include "ledger/wire/messages_metadata.h"

#include <stdlib.h>
#include <sys/statvfs.h>

enum { ENDPOINT_BROKER = 1, ENDPOINT_CONTROLLER = 2 };

/* Only brokers are here; a client may ask for controllers. */
static bool refuse_endpoint(int8_t type, struct mem_arena *arena,
                            struct describe_cluster_response *response)
{
    struct text_buf message = {0};

    if (type == ENDPOINT_BROKER)
        return false;
    if (type == ENDPOINT_CONTROLLER) {
        response->error_code = KAFKA_MISMATCHED_ENDPOINT_TYPE;
        text_append(&message,
                    "The request was sent to an endpoint of type BROKER, but we "
                    "wanted an endpoint of type CONTROLLER");
    } else {
        response->error_code = KAFKA_UNSUPPORTED_ENDPOINT_TYPE;
        text_appendf(&message, "Unsupported endpoint type %d", type);
    }
    response->error_message = api_take_message(arena, &message);
    return true;
}

void api_describe_cluster(struct ledger *ledger, struct request *request)
{
    const struct describe_cluster_request *asked = request->message;
    struct describe_cluster_response response;
    struct describe_cluster_response_describe_cluster_broker broker;

    wire_defaults(&describe_cluster_response_message, &response);
    if (!refuse_endpoint(asked->endpoint_type, &request->arena, &response)) {
        wire_defaults(&describe_cluster_response_describe_cluster_broker_message,
                      &broker);
        broker.broker_id = LEDGER_NODE_ID;
        broker.host = wire_string_of(ledger->host);
        broker.port = ledger->port;
        response.brokers = &broker;
        response.brokers_count = 1;
        response.cluster_id = wire_string_of(ledger->cluster_id);
        response.controller_id = LEDGER_NODE_ID;
        if (asked->include_cluster_authorized_operations)
            response.cluster_authorized_operations = API_CLUSTER_OPERATIONS;
    }
    request_answer(request, &response);
}

/* ---- DescribeLogDirs --------------------------------------------------------------
 */

struct dir_answer {
    struct ledger *ledger;
    struct mem_arena *arena;
    struct describe_log_dirs_response_describe_log_dirs_result result;
};

static void
describe_partition(struct dir_answer *answer, struct topic *topic, int32_t index,
                   struct describe_log_dirs_response_describe_log_dirs_topic *out)
{
    struct describe_log_dirs_response_describe_log_dirs_partition *partition =
        &out->partitions[out->partitions_count++];

    wire_defaults(&describe_log_dirs_response_describe_log_dirs_partition_message,
                  partition);
    partition->partition_index = index;
    partition->partition_size =
        topics_partition_bytes(answer->ledger->topics, topic, index);
}

/* indexes NULL: all partitions of the topic. */
static void describe_topic(struct dir_answer *answer, struct topic *topic,
                           const int32_t *indexes, int32_t count)
{
    struct describe_log_dirs_response_describe_log_dirs_topic *out =
        &answer->result.topics[answer->result.topics_count];

    wire_defaults(&describe_log_dirs_response_describe_log_dirs_topic_message, out);
    out->name = (struct wire_string){topic->name, topic->name_len};
    out->partitions =
        mem_arena_alloc(answer->arena, ((size_t)count + 1) * sizeof(*out->partitions));
    for (int32_t i = 0; i < count; i++) {
        int32_t index = indexes != NULL ? indexes[i] : i;
        if (index >= 0 && index < topic->partitions)
            describe_partition(answer, topic, index, out);
    }
    if (out->partitions_count > 0)
        answer->result.topics_count++;
}

static void describe_topics(struct dir_answer *answer,
                            const struct describe_log_dirs_request *asked)
{
    struct topics *topics = answer->ledger->topics;
    int32_t count =
        asked->topics_count >= 0 ? asked->topics_count : topics_count(topics);

    answer->result.topics = mem_arena_alloc(
        answer->arena, ((size_t)count + 1) * sizeof(*answer->result.topics));
    for (int32_t i = 0; i < count; i++) {
        const struct describe_log_dirs_request_describable_log_dir_topic *wanted;
        struct topic *topic;
        if (asked->topics_count < 0) {
            topic = topics_at(topics, i);
            describe_topic(answer, topic, NULL, topic->partitions);
            continue;
        }
        wanted = &asked->topics[i];
        topic = topics_find(topics, wanted->topic);
        if (topic != NULL)
            describe_topic(answer, topic, wanted->partitions, wanted->partitions_count);
    }
}

void api_describe_log_dirs(struct ledger *ledger, struct request *request)
{
    struct dir_answer answer = {.ledger = ledger, .arena = &request->arena};
    struct describe_log_dirs_response response;
    struct statvfs info;
    char *path = realpath(ledger->data_dir, NULL);

    wire_defaults(&describe_log_dirs_response_message, &response);
    wire_defaults(&describe_log_dirs_response_describe_log_dirs_result_message,
                  &answer.result);
    answer.result.log_dir = wire_string_of(path != NULL ? path : ledger->data_dir);
    if (statvfs(ledger->data_dir, &info) == 0) {
        answer.result.total_bytes = (int64_t)(info.f_blocks * info.f_frsize);
        answer.result.usable_bytes = (int64_t)(info.f_bavail * info.f_frsize);
    }
    describe_topics(&answer, request->message);
    response.results = &answer.result;
    response.results_count = 1;
    request_answer(request, &response);
    free(path);
}
