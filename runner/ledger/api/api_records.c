/* SPDX-License-Identifier: MIT
 *
 * api_records.c - DeleteRecords: a partition begins later.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_partition.h"
#include "ledger/api/flushes.h"
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

/* The new beginning may not have reached the disk. */
static void check_kept(struct ledger *ledger, const struct request *request,
                       void *response)
{
    struct delete_records_response *out = response;

    (void)request;
    for (int32_t t = 0; t < out->topics_count; t++) {
        const struct topic *topic = topics_find(ledger->topics, out->topics[t].name);

        for (int32_t p = 0; p < out->topics[t].partitions_count; p++) {
            struct delete_records_response_delete_records_partition_result *one =
                &out->topics[t].partitions[p];

            if (one->error_code != KAFKA_NONE ||
                flushes_kept(topic, one->partition_index))
                continue;
            one->error_code = KAFKA_STORAGE_ERROR;
            one->low_watermark = -1;
        }
    }
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
    flushes_answer(ledger, request, &response, check_kept);
}
