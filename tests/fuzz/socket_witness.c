/* SPDX-License-Identifier: MIT */
#include "socket_witness.h"

#include "socket_broker.h"

#include "base/clock.h"
#include "ledger/log/records.h"
#include "ledger/wire/messages_fetch.h"
#include "ledger/wire/messages_metadata.h"
#include "ledger/wire/messages_offsets.h"
#include "ledger/wire/messages_produce.h"
#include "ledger/wire/messages_topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FETCH_BYTES = 64 * 1024, RECORD_TEXT = 32 };

static int complain(const char *what, int64_t number)
{
    (void)fprintf(stderr, "fuzz_socket: witness: %s (%" PRId64 ")\n", what, number);
    return -1;
}

void socket_witness_batch(const struct batch *model, const char *text,
                          struct mem_arena *arena, struct wire_records *out)
{
    struct record record = {.timestamp = model->base_timestamp,
                            .key_len = -1,
                            .value = (const uint8_t *)text,
                            .value_len = (int32_t)strlen(text),
                            .headers = (const uint8_t *)"", /* none of them: a 0 */
                            .headers_len = 1};
    struct records_builder builder = {0};
    const uint8_t *made;
    uint8_t *copy;
    size_t size = 0;

    records_build(&builder, model);
    records_add(&builder, &record);
    made = records_finish(&builder, &size);
    copy = mem_arena_alloc(arena, size);
    if (made != NULL)
        memcpy(copy, made, size);
    *out = (struct wire_records){.data = copy, .len = (int64_t)size, .fd = -1};
    records_builder_clear(&builder);
}

/* Its error code in *error. */
static int create_topic(struct socket_witness *witness, const char *name,
                        int partitions, int16_t *error)
{
    struct mem_arena arena = {0};
    struct create_topics_request request;
    struct create_topics_request_creatable_topic topic;
    struct create_topics_response response;
    int result;

    wire_defaults(&create_topics_request_message, &request);
    wire_defaults(&create_topics_request_creatable_topic_message, &topic);
    topic.name = wire_string_of(name);
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    request.topics = &topic;
    request.topics_count = 1;
    result =
        socket_call(witness->fd, WIRE_CREATE_TOPICS, 7, &request, &arena, &response);
    if (result == 0 && response.topics_count != 1)
        result = complain("create topics: an answer about something else", 0);
    if (result == 0)
        *error = response.topics[0].error_code;
    mem_arena_clear(&arena);
    return result;
}

int socket_witness_begin(struct socket_witness *witness, int port)
{
    int16_t error = KAFKA_NONE;

    witness->fd = socket_connect(port);
    if (witness->fd < 0)
        return complain("no connection", port);
    if (witness->written > 0)
        return 0;
    if (create_topic(witness, SOCKET_WITNESS_TOPIC, 1, &error) < 0)
        return -1;
    return error == KAFKA_NONE ? socket_witness_tidy(witness, 0)
                               : complain("its topic was not created", error);
}

static int produce(struct socket_witness *witness, struct mem_arena *arena)
{
    const struct batch model = {.base_timestamp = clock_wall_ms(), /* retention! */
                                .producer_id = -1,
                                .producer_epoch = -1,
                                .base_sequence = -1};
    struct produce_request request;
    struct produce_request_topic_produce_data topic;
    struct produce_request_partition_produce_data part;
    struct produce_response response;
    const struct produce_response_partition_produce_response *answer;

    wire_defaults(&produce_request_message, &request);
    wire_defaults(&produce_request_topic_produce_data_message, &topic);
    wire_defaults(&produce_request_partition_produce_data_message, &part);
    socket_witness_batch(&model,
                         mem_arena_printf(arena, "record %" PRId64, witness->written),
                         arena, &part.records);
    topic.name = wire_string_of(SOCKET_WITNESS_TOPIC);
    topic.partition_data = &part;
    topic.partition_data_count = 1;
    request.acks = -1;
    request.timeout_ms = 10000;
    request.topic_data = &topic;
    request.topic_data_count = 1;
    if (socket_call(witness->fd, WIRE_PRODUCE, 9, &request, arena, &response) < 0)
        return -1;
    if (response.responses_count != 1 ||
        response.responses[0].partition_responses_count != 1)
        return complain("produce: an answer about something else", witness->written);
    answer = response.responses[0].partition_responses;
    if (answer->error_code != KAFKA_NONE)
        return complain("produce failed", answer->error_code);
    if (answer->base_offset != witness->written)
        return complain("produce: another offset than the next", answer->base_offset);
    witness->written++;
    return 0;
}

/* Are these the records from *offset on? Moves *offset behind them. */
static int compare(const struct wire_records *records, int64_t *offset)
{
    struct records walk = {0};
    struct record record;
    struct batch batch;
    char text[RECORD_TEXT];
    int64_t at = 0;
    bool right = true;

    while (right &&
           batch_read(records->data + at, (size_t)(records->len - at), &batch) ==
               KAFKA_NONE &&
           batch.size <= records->len - at) {
        (void)snprintf(text, sizeof text, "record %" PRId64, *offset);
        right = batch_crc_ok(records->data + at, (size_t)batch.size) &&
                records_begin(&walk, records->data + at, (size_t)batch.size, 4096) ==
                    KAFKA_NONE &&
                records_next(&walk, &record) == 1 && record.offset == *offset &&
                record.value_len == (int32_t)strlen(text) &&
                memcmp(record.value, text, strlen(text)) == 0;
        at += batch.size;
        *offset += 1;
    }
    records_clear(&walk);
    return right ? 0 : complain("fetch: another record than was written", *offset - 1);
}

static int fetch(struct socket_witness *witness, int64_t *offset,
                 struct mem_arena *arena)
{
    struct fetch_request request;
    struct fetch_request_fetch_topic topic;
    struct fetch_request_fetch_partition part;
    struct fetch_response response;
    const struct fetch_response_partition_data *answer;

    wire_defaults(&fetch_request_message, &request);
    wire_defaults(&fetch_request_fetch_topic_message, &topic);
    wire_defaults(&fetch_request_fetch_partition_message, &part);
    part.fetch_offset = *offset;
    part.partition_max_bytes = FETCH_BYTES;
    topic.topic = wire_string_of(SOCKET_WITNESS_TOPIC);
    topic.partitions = &part;
    topic.partitions_count = 1;
    request.max_wait_ms = 1000;
    request.min_bytes = 1;
    request.topics = &topic;
    request.topics_count = 1;
    if (socket_call(witness->fd, WIRE_FETCH, 12, &request, arena, &response) < 0)
        return -1;
    if (response.error_code != KAFKA_NONE || response.responses_count != 1 ||
        response.responses[0].partitions_count != 1)
        return complain("fetch failed", response.error_code);
    answer = response.responses[0].partitions;
    if (answer->error_code != KAFKA_NONE || answer->high_watermark != witness->written)
        return complain("fetch: error or wrong end", answer->error_code);
    return compare(&answer->records, offset);
}

static int fetch_from(struct socket_witness *witness, int64_t offset)
{
    struct mem_arena arena = {0};
    int result = 0;

    while (result == 0 && offset < witness->written) {
        int64_t before = offset;

        result = fetch(witness, &offset, &arena);
        if (result == 0 && offset == before)
            result = complain("fetch: records are missing", offset);
        mem_arena_clear(&arena);
        arena = (struct mem_arena){0};
    }
    return result;
}

static int list_end(struct socket_witness *witness, struct mem_arena *arena)
{
    struct list_offsets_request request;
    struct list_offsets_request_list_offsets_topic topic;
    struct list_offsets_request_list_offsets_partition part;
    struct list_offsets_response response;

    wire_defaults(&list_offsets_request_message, &request);
    wire_defaults(&list_offsets_request_list_offsets_topic_message, &topic);
    wire_defaults(&list_offsets_request_list_offsets_partition_message, &part);
    part.timestamp = -1;
    topic.name = wire_string_of(SOCKET_WITNESS_TOPIC);
    topic.partitions = &part;
    topic.partitions_count = 1;
    request.replica_id = -1;
    request.topics = &topic;
    request.topics_count = 1;
    if (socket_call(witness->fd, WIRE_LIST_OFFSETS, 6, &request, arena, &response) < 0)
        return -1;
    if (response.topics_count != 1 || response.topics[0].partitions_count != 1 ||
        response.topics[0].partitions[0].offset != witness->written)
        return complain("list offsets: a wrong end", witness->written);
    return 0;
}

int socket_witness_check(struct socket_witness *witness)
{
    struct mem_arena arena = {0};
    int result = produce(witness, &arena);

    if (result == 0)
        result = list_end(witness, &arena);
    mem_arena_clear(&arena);
    if (result == 0)
        result = fetch_from(witness, witness->written > 5 ? witness->written - 5 : 0);
    return result;
}

int socket_witness_check_all(struct socket_witness *witness)
{
    return fetch_from(witness, 0);
}

static int delete_others(struct socket_witness *witness,
                         const struct metadata_response *all, struct mem_arena *arena)
{
    struct delete_topics_request request;
    struct delete_topics_response response;

    wire_defaults(&delete_topics_request_message, &request);
    request.topic_names =
        mem_arena_alloc(arena, (size_t)all->topics_count * sizeof *request.topic_names);
    for (int32_t i = 0; i < all->topics_count; i++)
        if (!wire_string_is(all->topics[i].name, SOCKET_WITNESS_TOPIC))
            request.topic_names[request.topic_names_count++] = all->topics[i].name;
    request.timeout_ms = 10000;
    return socket_call(witness->fd, WIRE_DELETE_TOPICS, 5, &request, arena, &response);
}

int socket_witness_tidy(struct socket_witness *witness, size_t most)
{
    struct mem_arena arena = {0};
    struct metadata_request request;
    struct metadata_response all;
    int16_t error;
    int result;

    wire_defaults(&metadata_request_message, &request);
    request.topics_count = -1;
    result = socket_call(witness->fd, WIRE_METADATA, 9, &request, &arena, &all);
    if (result == 0 && all.topics_count > (int32_t)most)
        result = delete_others(witness, &all, &arena);
    mem_arena_clear(&arena);
    for (char name[] = "fuzz-a"; result == 0 && name[5] <= 'c'; name[5]++)
        result = create_topic(witness, name, 2, &error);
    return result;
}
