/* SPDX-License-Identifier: MIT
 *
 * api_records.c - DeleteRecords: a partition begins later.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_partition.h"
#include "ledger/api/ledger.h"
#include "ledger/log/partition.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_topics.h"

static void
delete_before(struct ledger *ledger, struct topic *topic,
              const struct delete_records_request_delete_records_partition *asked,
              struct delete_records_response_delete_records_partition_result *out)
{
    struct partition *partition;
    int64_t low = -1;
    enum kafka_error code =
        api_partition(ledger, topic, asked->partition_index, &partition);

    if (code == KAFKA_NONE && topic->internal)
        code = KAFKA_INVALID_TOPIC_EXCEPTION;
    if (code == KAFKA_NONE)
        code = partition_delete_before(partition, asked->offset, ledger->wall_ms, &low);
    out->partition_index = asked->partition_index;
    out->low_watermark = code == KAFKA_NONE ? low : -1;
    out->error_code = (int16_t)code;
}

static void
answer_topic(struct ledger *ledger, struct mem_arena *arena,
             const struct delete_records_request_delete_records_topic *asked,
             struct delete_records_response_delete_records_topic_result *out)
{
    struct topic *topic = topics_find(ledger->topics, asked->name);

    out->name = asked->name;
    out->partitions = mem_arena_alloc(arena, ((size_t)asked->partitions_count + 1) *
                                                 sizeof(*out->partitions));
    out->partitions_count = asked->partitions_count;
    for (int32_t i = 0; i < asked->partitions_count; i++)
        delete_before(ledger, topic, &asked->partitions[i], &out->partitions[i]);
}

void api_delete_records(struct ledger *ledger, struct request *request)
{
    const struct delete_records_request *asked = request->message;
    struct delete_records_response response;

    wire_defaults(&delete_records_response_message, &response);
    response.topics = mem_arena_alloc(
        &request->arena, ((size_t)asked->topics_count + 1) * sizeof(*response.topics));
    response.topics_count = asked->topics_count;
    for (int32_t i = 0; i < asked->topics_count; i++)
        answer_topic(ledger, &request->arena, &asked->topics[i], &response.topics[i]);
    request_answer(request, &response);
}
