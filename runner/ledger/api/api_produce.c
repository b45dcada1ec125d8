/* SPDX-License-Identifier: MIT
 *
 * api_produce.c - Produce. The batches of a request lie in its frame and go from there
 * into the files: one write a partition, no copy.
 */
#include "ledger/api/api.h"

#include "ledger/api/api_partition.h"
#include "ledger/api/flushes.h"
#include "ledger/api/ledger.h"
#include "ledger/log/batch.h"
#include "ledger/topic/topics.h"
#include "ledger/txn/txns.h"
#include "ledger/wire/messages_produce.h"

#include <stdlib.h>

enum { FIRST_VERSION = 3, TOPIC_ID_VERSION = 13 };

/* One partition of a request. */
struct append {
    struct ledger *ledger;
    struct request *request;
    struct topic *topic;
    struct wire_string name;
    const struct produce_request_partition_produce_data *data;
};

static const uint8_t *records_of(const struct append *append)
{
    return append->data->records.len > 0 ? append->data->records.data : NULL;
}

/* A transactional batch in a partition where its producer has nothing open yet. */
static enum kafka_error ask_coordinator(const struct append *append,
                                        struct partition *partition, bool *verified)
{
    const struct produce_request *message = append->request->message;
    struct txns_writer who = {.transactional_id = message->transactional_id};
    struct txns_partition what = {.topic = append->name, .index = append->data->index};
    struct txns_time time = {.now_ms = append->request->now_ms,
                             .wall_ms = append->request->wall_ms};
    enum kafka_error error;

    if (!partition_asks_coordinator(partition, records_of(append),
                                    append->data->records.len, &who.producer.id,
                                    &who.producer.epoch))
        return KAFKA_NONE;
    error = txns_produce(append->ledger->txns, &who, &what, append->request->version,
                         &time);
    *verified = error == KAFKA_NONE;
    return error;
}

static bool may_write(const struct append *append)
{
    /* Kafka lets its admin client alone write into internal topics. */
    return !append->topic->internal ||
           wire_string_is(append->request->client_id, "__admin_client");
}

static enum kafka_error append_records(const struct append *append,
                                       struct partition_appended *appended)
{
    struct partition_append_how how = {.wall_ms = append->request->wall_ms,
                                       .version = append->request->version,
                                       .arena = &append->request->arena};
    struct partition *partition;
    enum kafka_error error;

    if (append->topic == NULL && append->request->version >= TOPIC_ID_VERSION)
        return KAFKA_UNKNOWN_TOPIC_ID;
    error =
        api_partition(append->ledger, append->topic, append->data->index, &partition);
    if (error == KAFKA_NONE && !may_write(append))
        error = KAFKA_INVALID_TOPIC_EXCEPTION;
    if (error == KAFKA_NONE)
        error = ask_coordinator(append, partition, &how.verified);
    if (error == KAFKA_INVALID_TXN_STATE)
        appended->message = "Partition was not added to the transaction";
    if (error != KAFKA_NONE)
        return error;
    /* The frame is ours alone; the batch gets its offset in place. */
    return partition_append(partition, (uint8_t *)(uintptr_t)records_of(append),
                            append->data->records.len, &how, appended);
}

static void answer_records(struct mem_arena *arena,
                           const struct partition_appended *appended,
                           struct produce_response_partition_produce_response *out)
{
    out->record_errors_count = appended->records_count;
    out->record_errors = mem_arena_alloc(arena, (size_t)appended->records_count *
                                                    sizeof *out->record_errors);
    for (int32_t i = 0; i < appended->records_count; i++) {
        out->record_errors[i] = (struct produce_response_batch_index_and_error_message){
            .batch_index = appended->records[i].index,
            .batch_index_error_message = wire_string_of(appended->records[i].message),
        };
    }
}

static enum kafka_error
produce_partition(const struct append *append,
                  struct produce_response_partition_produce_response *out)
{
    struct partition_appended appended = {
        .base_offset = -1, .log_append_ms = -1, .log_start_offset = -1};
    enum kafka_error error = append_records(append, &appended);

    wire_defaults(&produce_response_partition_produce_response_message, out);
    out->index = append->data->index;
    out->error_code = (int16_t)error;
    out->base_offset = appended.base_offset;
    out->log_append_time_ms = appended.log_append_ms;
    out->log_start_offset = appended.log_start_offset;
    out->error_message = wire_string_of(appended.message);
    if (appended.records_count > 0)
        answer_records(&append->request->arena, &appended, out);
    return error;
}

static struct topic *find_topic(struct ledger *ledger, int16_t version,
                                const struct produce_request_topic_produce_data *asked)
{
    return version >= TOPIC_ID_VERSION
               ? topics_find_id(ledger->topics, &asked->topic_id)
               : topics_find(ledger->topics, asked->name);
}

/* refused: KAFKA_NONE, or what the whole request is answered with. */
static bool produce_topic(struct ledger *ledger, struct request *request,
                          const struct produce_request_topic_produce_data *asked,
                          enum kafka_error refused,
                          struct produce_response_topic_produce_response *out)
{
    struct append append = {.ledger = ledger, .request = request};
    bool good = true;

    append.topic = find_topic(ledger, request->version, asked);
    append.name = append.topic
                      ? (struct wire_string){append.topic->name, append.topic->name_len}
                      : asked->name;
    out->name = asked->name;
    out->topic_id = asked->topic_id;
    out->partition_responses_count = asked->partition_data_count;
    out->partition_responses =
        mem_arena_alloc(&request->arena, (size_t)asked->partition_data_count *
                                             sizeof *out->partition_responses);
    for (int32_t i = 0; i < asked->partition_data_count; i++) {
        struct produce_response_partition_produce_response *one =
            &out->partition_responses[i];

        append.data = &asked->partition_data[i];
        if (refused != KAFKA_NONE) {
            wire_defaults(&produce_response_partition_produce_response_message, one);
            one->index = append.data->index;
            one->base_offset = -1;
            one->error_code = (int16_t)refused;
        } else if (produce_partition(&append, one) != KAFKA_NONE) {
            good = false;
        }
    }
    return good && refused == KAFKA_NONE;
}

static bool has_transactional_batch(const struct produce_request *message)
{
    for (int32_t t = 0; t < message->topic_data_count; t++) {
        const struct produce_request_topic_produce_data *topic =
            &message->topic_data[t];

        for (int32_t p = 0; p < topic->partition_data_count; p++) {
            const struct wire_records *records = &topic->partition_data[p].records;
            struct batch batch;

            if (records->len > 0 &&
                batch_read(records->data, (size_t)records->len, &batch) == KAFKA_NONE &&
                batch_is_transactional(&batch))
                return true;
        }
    }
    return false;
}

/* What speaks against the request as a whole. */
static enum kafka_error check_request(const struct produce_request *message)
{
    if (message->acks < -1 || message->acks > 1)
        return KAFKA_INVALID_REQUIRED_ACKS;
    if (message->transactional_id.len < 0 && has_transactional_batch(message))
        return KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    return KAFKA_NONE;
}

/* The flush failed: what waited for it is not promised to be there. */
static void check_kept(struct ledger *ledger, const struct request *request,
                       void *response)
{
    const struct produce_request *message = request->message;
    struct produce_response *out = response;

    for (int32_t t = 0; t < out->responses_count; t++) {
        struct produce_response_topic_produce_response *answer = &out->responses[t];
        const struct topic *topic =
            find_topic(ledger, request->version, &message->topic_data[t]);

        for (int32_t p = 0; p < answer->partition_responses_count; p++) {
            struct produce_response_partition_produce_response *one =
                &answer->partition_responses[p];

            if (one->error_code != KAFKA_NONE || flushes_kept(topic, one->index))
                continue;
            one->error_code = KAFKA_STORAGE_ERROR;
            one->base_offset = -1;
        }
    }
}

void api_produce(struct ledger *ledger, struct request *request)
{
    const struct produce_request *message = request->message;
    struct produce_response response;
    enum kafka_error refused;
    bool good = true;

    if (request->version < FIRST_VERSION) { /* advertised only, see wire/api.c */
        request_hang_up(request, "a Produce request of an old message format");
        return;
    }
    wire_defaults(&produce_response_message, &response);
    refused = check_request(message);
    response.responses_count = message->topic_data_count;
    response.responses =
        mem_arena_alloc(&request->arena,
                        (size_t)message->topic_data_count * sizeof *response.responses);
    for (int32_t i = 0; i < message->topic_data_count; i++) {
        if (!produce_topic(ledger, request, &message->topic_data[i], refused,
                           &response.responses[i]))
            good = false;
    }
    if (message->acks == 0 && good)
        request_drop(request);
    else if (message->acks == 0)
        request_hang_up(request, "a Produce request with acks=0 failed");
    else
        flushes_answer(ledger, request, &response, check_kept);
}
