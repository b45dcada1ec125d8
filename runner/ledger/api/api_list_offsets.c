/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "ledger/api/api_partition.h"
#include "ledger/api/ledger.h"
#include "ledger/log/partition.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_offsets.h"

#include <stdlib.h>

enum { READ_COMMITTED = 1 };

/* What only tiered storage has; without it Kafka answers "no such offset". */
enum { LATEST_TIERED = -5, EARLIEST_PENDING_UPLOAD = -6 };

/* The special timestamps came one by one: which version knows this one? */
static bool knows_timestamp(int64_t timestamp, int16_t version)
{
    switch (timestamp) {
    case PARTITION_MAX_TIMESTAMP:
        return version >= 7;
    case PARTITION_EARLIEST_LOCAL:
        return version >= 8;
    case LATEST_TIERED:
        return version >= 9;
    case EARLIEST_PENDING_UPLOAD:
        return version >= 11;
    default:
        return timestamp >= PARTITION_EARLIEST;
    }
}

static enum kafka_error
look_up(struct ledger *ledger, struct topic *topic,
        const struct list_offsets_request_list_offsets_partition *asked, bool committed,
        struct list_offsets_response_list_offsets_partition_response *out)
{
    struct partition *partition;
    enum kafka_error error =
        api_partition(ledger, topic, asked->partition_index, &partition);

    if (error == KAFKA_NONE)
        error = api_leader_epoch(asked->current_leader_epoch);
    if (error != KAFKA_NONE || asked->timestamp == LATEST_TIERED ||
        asked->timestamp == EARLIEST_PENDING_UPLOAD)
        return error;
    error = partition_list(partition, asked->timestamp, committed, &out->offset,
                           &out->timestamp);
    if (error == KAFKA_NONE && out->offset >= 0)
        out->leader_epoch = LEDGER_LEADER_EPOCH;
    return error;
}

static int compare_indexes(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* The indexes of a topic's partitions in order, to see which are named twice. */
static int32_t *
sorted_indexes(struct mem_arena *arena,
               const struct list_offsets_request_list_offsets_topic *topic)
{
    size_t count = (size_t)topic->partitions_count;
    int32_t *indexes = mem_arena_alloc(arena, count * sizeof *indexes);

    for (size_t i = 0; i < count; i++)
        indexes[i] = topic->partitions[i].partition_index;
    qsort(indexes, count, sizeof *indexes, compare_indexes);
    return indexes;
}

static bool is_twice(const int32_t *indexes, int32_t count, int32_t index)
{
    const int32_t *at =
        bsearch(&index, indexes, (size_t)count, sizeof *indexes, compare_indexes);

    return (at > indexes && at[-1] == index) ||
           (at + 1 < indexes + count && at[1] == index);
}

/* Version 0 answered with a list; ours has the one offset that was asked for. */
static void old_style(struct mem_arena *arena,
                      struct list_offsets_response_list_offsets_partition_response *out)
{
    if (out->error_code != KAFKA_NONE || out->offset < 0)
        return;
    out->old_style_offsets = mem_arena_alloc(arena, sizeof *out->old_style_offsets);
    out->old_style_offsets[0] = out->offset;
    out->old_style_offsets_count = 1;
}

static void answer_topic(struct ledger *ledger, struct request *request,
                         const struct list_offsets_request_list_offsets_topic *asked,
                         struct list_offsets_response_list_offsets_topic_response *out)
{
    const struct list_offsets_request *message = request->message;
    struct topic *topic = topics_find(ledger->topics, asked->name);
    int32_t *indexes = sorted_indexes(&request->arena, asked);

    out->name = asked->name;
    out->partitions_count = asked->partitions_count;
    out->partitions = mem_arena_alloc(&request->arena, (size_t)asked->partitions_count *
                                                           sizeof *out->partitions);
    for (int32_t i = 0; i < asked->partitions_count; i++) {
        const struct list_offsets_request_list_offsets_partition *one =
            &asked->partitions[i];
        enum kafka_error error;

        wire_defaults(&list_offsets_response_list_offsets_partition_response_message,
                      &out->partitions[i]);
        if (is_twice(indexes, asked->partitions_count, one->partition_index))
            error = KAFKA_INVALID_REQUEST;
        else if (!knows_timestamp(one->timestamp, request->version))
            error = KAFKA_UNSUPPORTED_VERSION;
        else
            error =
                look_up(ledger, topic, one, message->isolation_level == READ_COMMITTED,
                        &out->partitions[i]);
        out->partitions[i].partition_index = one->partition_index;
        out->partitions[i].error_code = (int16_t)error;
        if (request->version == 0)
            old_style(&request->arena, &out->partitions[i]);
    }
}

void api_list_offsets(struct ledger *ledger, struct request *request)
{
    const struct list_offsets_request *message = request->message;
    struct list_offsets_response response;

    wire_defaults(&list_offsets_response_message, &response);
    response.topics_count = message->topics_count;
    response.topics = mem_arena_alloc(&request->arena, (size_t)message->topics_count *
                                                           sizeof *response.topics);
    for (int32_t i = 0; i < message->topics_count; i++)
        answer_topic(ledger, request, &message->topics[i], &response.topics[i]);
    request_answer(request, &response);
}

static void end_of_epoch(
    struct ledger *ledger, struct topic *topic,
    const struct offset_for_leader_epoch_request_offset_for_leader_partition *asked,
    struct offset_for_leader_epoch_response_epoch_end_offset *out)
{
    struct partition *partition;
    enum kafka_error error = api_partition(ledger, topic, asked->partition, &partition);

    wire_defaults(&offset_for_leader_epoch_response_epoch_end_offset_message, out);
    if (error == KAFKA_NONE)
        error = api_leader_epoch(asked->current_leader_epoch);
    out->partition = asked->partition;
    out->error_code = (int16_t)error;
    if (error != KAFKA_NONE || asked->leader_epoch != LEDGER_LEADER_EPOCH)
        return;
    out->leader_epoch = LEDGER_LEADER_EPOCH;
    out->end_offset = partition_end(partition);
}

void api_offset_for_leader_epoch(struct ledger *ledger, struct request *request)
{
    const struct offset_for_leader_epoch_request *message = request->message;
    struct offset_for_leader_epoch_response response;

    wire_defaults(&offset_for_leader_epoch_response_message, &response);
    response.topics_count = message->topics_count;
    response.topics = mem_arena_alloc(&request->arena, (size_t)message->topics_count *
                                                           sizeof *response.topics);
    for (int32_t i = 0; i < message->topics_count; i++) {
        const struct offset_for_leader_epoch_request_offset_for_leader_topic *asked =
            &message->topics[i];
        struct offset_for_leader_epoch_response_offset_for_leader_topic_result *out =
            &response.topics[i];
        struct topic *topic = topics_find(ledger->topics, asked->topic);

        out->topic = asked->topic;
        out->partitions_count = asked->partitions_count;
        out->partitions = mem_arena_alloc(
            &request->arena, (size_t)asked->partitions_count * sizeof *out->partitions);
        for (int32_t p = 0; p < asked->partitions_count; p++)
            end_of_epoch(ledger, topic, &asked->partitions[p], &out->partitions[p]);
    }
    request_answer(request, &response);
}
