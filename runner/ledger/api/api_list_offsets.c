/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "ledger/api/api_once.h"
#include "ledger/api/api_partition.h"
#include "ledger/api/ledger.h"
#include "ledger/log/partition.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_offsets.h"

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

/* All partitions that are named, each once. */
static struct api_once *list_places(struct mem_arena *arena,
                                    const struct list_offsets_request *asked,
                                    int32_t *count)
{
    struct wire_string *names =
        mem_arena_alloc(arena, ((size_t)asked->topics_count + 1) * sizeof *names);
    struct api_once *places;
    size_t total = 0;

    for (int32_t t = 0; t < asked->topics_count; t++) {
        names[t] = asked->topics[t].name;
        total += (size_t)asked->topics[t].partitions_count;
    }
    places = mem_arena_alloc(arena, (total + 1) * sizeof *places);
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

static void
answer_partition(struct ledger *ledger, struct request *request,
                 const struct api_once *place,
                 struct list_offsets_response_list_offsets_partition_response *out)
{
    const struct list_offsets_request *message = request->message;
    const struct list_offsets_request_list_offsets_partition *asked =
        &message->topics[place->t].partitions[place->p];
    enum kafka_error error;

    wire_defaults(&list_offsets_response_list_offsets_partition_response_message, out);
    if (place->twice)
        error = KAFKA_INVALID_REQUEST;
    else if (!knows_timestamp(asked->timestamp, request->version))
        error = KAFKA_UNSUPPORTED_VERSION;
    else
        error =
            look_up(ledger, topics_find(ledger->topics, message->topics[place->t].name),
                    asked, message->isolation_level == READ_COMMITTED, out);
    out->partition_index = asked->partition_index;
    out->error_code = (int16_t)error;
    if (request->version == 0)
        old_style(&request->arena, out);
}

void api_list_offsets(struct ledger *ledger, struct request *request)
{
    const struct list_offsets_request *message = request->message;
    struct list_offsets_response_list_offsets_partition_response *answers;
    struct list_offsets_response response;
    struct api_once *places;
    int32_t count;

    wire_defaults(&list_offsets_response_message, &response);
    places = list_places(&request->arena, message, &count);
    response.topics =
        mem_arena_alloc(&request->arena, ((size_t)count + 1) * sizeof *response.topics);
    answers = mem_arena_alloc(&request->arena, ((size_t)count + 1) * sizeof *answers);
    for (int32_t i = 0, same; i < count; i += same) {
        struct list_offsets_response_list_offsets_topic_response *out =
            &response.topics[response.topics_count++];

        same = api_once_topic(&places[i], count - i);
        out->name = message->topics[places[i].t].name;
        out->partitions = &answers[i];
        out->partitions_count = same;
        for (int32_t k = i; k < i + same; k++)
            answer_partition(ledger, request, &places[k], &answers[k]);
    }
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
