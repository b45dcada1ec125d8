/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "ledger/api/api_partition.h"
#include "ledger/api/ledger.h"
#include "ledger/group/pattern.h"
#include "ledger/topic/topics.h"
#include "ledger/txn/txns.h"
#include "ledger/wire/messages_txn.h"

/* Apache Kafka's text. */
static const char NO_TOPIC[] = "This server does not host this topic-partition.";

/* ---- DescribeProducers --------------------------------------------------- */

struct producer_list {
    struct describe_producers_response_producer_state *states;
    int32_t count;
};

static bool count_producer(void *arg, const struct producers_state *state)
{
    struct producer_list *list = arg;

    (void)state;
    list->count++;
    return true;
}

static bool add_producer(void *arg, const struct producers_state *state)
{
    struct producer_list *list = arg;

    list->states[list->count++] = (struct describe_producers_response_producer_state){
        .producer_id = state->producer_id,
        .producer_epoch = state->epoch,
        .last_sequence = state->last_sequence,
        .last_timestamp = state->last_ms,
        .coordinator_epoch = state->coordinator_epoch,
        .current_txn_start_offset = state->transaction_offset,
    };
    return true;
}

static void
describe_partition(struct ledger *ledger, struct request *request, struct topic *topic,
                   int32_t index,
                   struct describe_producers_response_partition_response *out)
{
    struct partition *partition;
    struct producer_list list = {0};

    wire_defaults(&describe_producers_response_partition_response_message, out);
    out->partition_index = index;
    out->error_code = (int16_t)api_partition(ledger, topic, index, &partition);
    if (topic == NULL)
        out->error_message = wire_string_of(NO_TOPIC);
    else if (request_is_full(request))
        out->error_code = KAFKA_INVALID_REQUEST;
    if (out->error_code != KAFKA_NONE)
        return;
    partition_each_producer(partition, count_producer, &list);
    list.states = mem_arena_alloc(&request->arena,
                                  ((size_t)list.count + 1) * sizeof *list.states);
    list.count = 0;
    partition_each_producer(partition, add_producer, &list);
    out->active_producers = list.states;
    out->active_producers_count = list.count;
}

void api_describe_producers(struct ledger *ledger, struct request *request)
{
    const struct describe_producers_request *in = request->message;
    struct describe_producers_response out;

    wire_defaults(&describe_producers_response_message, &out);
    out.topics_count = in->topics_count;
    out.topics = mem_arena_alloc(&request->arena,
                                 ((size_t)in->topics_count + 1) * sizeof *out.topics);
    for (int32_t i = 0; i < in->topics_count; i++) {
        struct topic *topic = topics_find(ledger->topics, in->topics[i].name);
        int32_t count = in->topics[i].partition_indexes_count;

        out.topics[i].name = in->topics[i].name;
        out.topics[i].partitions_count = count;
        out.topics[i].partitions = mem_arena_alloc(
            &request->arena, ((size_t)count + 1) * sizeof *out.topics[i].partitions);
        for (int32_t j = 0; j < count; j++)
            describe_partition(ledger, request, topic,
                               in->topics[i].partition_indexes[j],
                               &out.topics[i].partitions[j]);
    }
    request_answer(request, &out);
}

/* ---- ListTransactions ---------------------------------------------------- */

struct listing {
    struct request *request;
    const struct list_transactions_request *in;
    struct list_transactions_response out;
    bool states[TXN_STATES];
    struct pattern *pattern;
};

static bool has_producer(const struct list_transactions_request *in, int64_t id)
{
    for (int32_t i = 0; i < in->producer_id_filters_count; i++)
        if (in->producer_id_filters[i] == id)
            return true;
    return in->producer_id_filters_count == 0;
}

static bool is_listed(const struct listing *listing, const struct txns_view *view)
{
    const struct list_transactions_request *in = listing->in;

    if (!has_producer(in, view->producer.id))
        return false;
    if (in->state_filters_count > 0 && !listing->states[view->state])
        return false;
    if (in->duration_filter >= 0 &&
        listing->request->wall_ms - view->start_ms <= in->duration_filter)
        return false;
    return listing->pattern == NULL ||
           pattern_matches(listing->pattern, view->transactional_id.data);
}

static bool list_one(void *arg, const struct txns_view *view)
{
    struct listing *listing = arg;

    if (is_listed(listing, view))
        listing->out.transaction_states[listing->out.transaction_states_count++] =
            (struct list_transactions_response_transaction_state){
                .transactional_id = view->transactional_id,
                .producer_id = view->producer.id,
                .transaction_state = wire_string_of(txn_state_text(view->state)),
            };
    return true;
}

static void read_states(struct listing *listing)
{
    const struct list_transactions_request *in = listing->in;
    struct list_transactions_response *out = &listing->out;

    out->unknown_state_filters = mem_arena_alloc(
        &listing->request->arena,
        ((size_t)in->state_filters_count + 1) * sizeof *out->unknown_state_filters);
    for (int32_t i = 0; i < in->state_filters_count; i++) {
        bool known;
        enum txn_state state = txn_state_find(in->state_filters[i], &known);

        if (state < TXN_STATES)
            listing->states[state] = true;
        else if (!known)
            out->unknown_state_filters[out->unknown_state_filters_count++] =
                in->state_filters[i];
    }
}

void api_list_transactions(struct ledger *ledger, struct request *request)
{
    struct listing listing = {.request = request, .in = request->message};
    struct wire_string pattern = listing.in->transactional_id_pattern;
    size_t most = (size_t)txns_count(ledger->txns) + 1;
    char why[PATTERN_WHY];

    wire_defaults(&list_transactions_response_message, &listing.out);
    read_states(&listing);
    if (pattern.len > 0)
        listing.pattern = pattern_new(pattern.data, (size_t)pattern.len, why);
    if (pattern.len > 0 && listing.pattern == NULL) {
        listing.out.error_code = KAFKA_INVALID_REGULAR_EXPRESSION;
    } else {
        listing.out.transaction_states = mem_arena_alloc(
            &request->arena, most * sizeof *listing.out.transaction_states);
        txns_each(ledger->txns, list_one, &listing);
    }
    pattern_free(listing.pattern);
    request_answer(request, &listing.out);
}

/* ---- DescribeTransactions ------------------------------------------------ */

/* The partitions are in order: each topic's stand together. */
static void
describe_topics(struct request *request, const struct txns_view *view,
                struct describe_transactions_response_transaction_state *out)
{
    size_t most = (size_t)view->partitions_count + 1;
    int32_t *indexes = mem_arena_alloc(&request->arena, most * sizeof *indexes);
    struct describe_transactions_response_topic_data *topic = NULL;

    out->topics = mem_arena_alloc(&request->arena, most * sizeof *out->topics);
    for (int32_t i = 0; i < view->partitions_count; i++) {
        if (topic == NULL ||
            !wire_string_equal(topic->topic, view->partitions[i].topic)) {
            topic = &out->topics[out->topics_count++];
            topic->topic = view->partitions[i].topic;
            topic->partitions = &indexes[i];
        }
        indexes[i] = view->partitions[i].index;
        topic->partitions_count++;
    }
}

static void
describe_transaction(struct ledger *ledger, struct request *request,
                     struct wire_string id,
                     struct describe_transactions_response_transaction_state *out)
{
    struct txns_view view;

    wire_defaults(&describe_transactions_response_transaction_state_message, out);
    out->transactional_id = id;
    if (id.len <= 0 || request_is_full(request)) {
        out->error_code = KAFKA_INVALID_REQUEST;
    } else if (!txns_find(ledger->txns, id, &view)) {
        out->error_code = KAFKA_TRANSACTIONAL_ID_NOT_FOUND;
    } else {
        out->transaction_state = wire_string_of(txn_state_text(view.state));
        out->transaction_timeout_ms = view.timeout_ms;
        out->transaction_start_time_ms = view.start_ms;
        out->producer_id = view.producer.id;
        out->producer_epoch = view.producer.epoch;
        describe_topics(request, &view, out);
    }
}

void api_describe_transactions(struct ledger *ledger, struct request *request)
{
    const struct describe_transactions_request *in = request->message;
    struct describe_transactions_response out;

    wire_defaults(&describe_transactions_response_message, &out);
    out.transaction_states_count = in->transactional_ids_count;
    out.transaction_states =
        mem_arena_alloc(&request->arena, ((size_t)in->transactional_ids_count + 1) *
                                             sizeof *out.transaction_states);
    for (int32_t i = 0; i < in->transactional_ids_count; i++)
        describe_transaction(ledger, request, in->transactional_ids[i],
                             &out.transaction_states[i]);
    request_answer(request, &out);
}
