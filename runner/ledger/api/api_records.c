/* SPDX-License-Identifier: MIT
 *
 * api_records.c - DeleteRecords: a partition begins later.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_once.h"
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

/* All partitions that are named, each once. */
static struct api_once *list_places(struct mem_arena *arena,
                                    const struct delete_records_request *asked,
                                    int32_t *count)
{
    struct wire_string *names =
        mem_arena_alloc(arena, ((size_t)asked->topics_count + 1) * sizeof(*names));
    struct api_once *places;
    size_t total = 0;

    for (int32_t t = 0; t < asked->topics_count; t++) {
        names[t] = asked->topics[t].name;
        total += (size_t)asked->topics[t].partitions_count;
    }
    places = mem_arena_alloc(arena, (total + 1) * sizeof(*places));
    *count = 0;
    for (int32_t t = 0; t < asked->topics_count; t++)
        for (int32_t p = 0; p < asked->topics[t].partitions_count; p++)
            places[(*count)++] = (struct api_once){
                .t = t,
                .p = p,
                .partition = asked->topics[t].partitions[p].partition_index,
            };
    *count = api_once(arena, names, asked->topics_count, places, *count);
    return places;
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
    struct delete_records_response_delete_records_partition_result *results;
    struct delete_records_response response;
    struct api_once *places;
    int32_t count;

    wire_defaults(&delete_records_response_message, &response);
    places = list_places(&request->arena, asked, &count);
    response.topics = mem_arena_alloc(&request->arena,
                                      ((size_t)count + 1) * sizeof(*response.topics));
    results = mem_arena_alloc(&request->arena, ((size_t)count + 1) * sizeof(*results));
    for (int32_t i = 0, same; i < count; i += same) {
        struct wire_string name = asked->topics[places[i].t].name;
        struct topic *topic = topics_find(ledger->topics, name);
        struct delete_records_response_delete_records_topic_result *out =
            &response.topics[response.topics_count++];

        same = api_once_topic(&places[i], count - i);
        out->name = name;
        out->partitions = &results[i];
        out->partitions_count = same;
        for (int32_t k = i; k < i + same; k++)
            delete_before(ledger, topic,
                          &asked->topics[places[k].t].partitions[places[k].p],
                          &results[k]);
    }
    flushes_answer(ledger, request, &response, check_kept);
}
