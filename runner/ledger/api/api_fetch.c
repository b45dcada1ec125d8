/* SPDX-License-Identifier: MIT
 *
 * api_fetch.c - Fetch: read every partition that is asked for; answer when there is
 * enough, else wait (fetches.h). Records go out as slices of files, never through here.
 */
#include "ledger/api/api.h"

#include "ledger/api/api_partition.h"
#include "ledger/api/fetches.h"
#include "ledger/api/ledger.h"
#include "ledger/log/partition.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_fetch.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    MAX_BYTES = 55 * 1024 * 1024, /* fetch.max.bytes of a broker */
    READ_COMMITTED = 1,
};

/* What reading one part gave. */
struct fetch_result {
    struct fetch_part *part;
    enum kafka_error error;
    bool missing;   /* no such partition: an error, but none to hurry for */
    bool diverging; /* the client's history is not ours */
    struct partition_slice read;
};

/* What reading all parts gave. */
struct totals {
    int32_t count;
    int32_t missing;
    int64_t bytes;
    bool hurry; /* an error that the client should know at once */
};

/* The epoch of the last record that the client has must be one of ours. */
static enum kafka_error check_last_epoch(const struct fetch_part *part,
                                         const struct partition *partition,
                                         bool *diverging)
{
    *diverging = false;
    if (part->last_epoch < 0)
        return KAFKA_NONE;
    if (part->last_epoch > LEDGER_LEADER_EPOCH)
        return KAFKA_OFFSET_OUT_OF_RANGE;
    *diverging = part->offset > partition_end(partition);
    return KAFKA_NONE;
}

static void read_watermarks(struct partition *partition, struct partition_slice *read)
{
    read->high_watermark = partition_end(partition);
    read->last_stable_offset = partition_last_stable(partition);
    read->log_start_offset = partition_start(partition);
}

static void read_part(struct fetch *fetch, int64_t room, bool whole,
                      struct fetch_result *result)
{
    struct fetch_part *part = result->part;
    int64_t max = part->max_bytes < room ? part->max_bytes : room;
    struct partition *partition;

    result->read = (struct partition_slice){.aborted_count = -1};
    result->error = fetches_find(fetch->fetches, part, &partition);
    result->missing = result->error != KAFKA_NONE;
    result->diverging = false;
    if (result->error == KAFKA_NONE)
        result->error = api_leader_epoch(part->leader_epoch);
    if (result->error == KAFKA_NONE)
        result->error = check_last_epoch(part, partition, &result->diverging);
    if (result->error == KAFKA_NONE && result->diverging)
        read_watermarks(partition, &result->read);
    else if (result->error == KAFKA_NONE)
        result->error = partition_read(partition, part->offset, max < 0 ? 0 : max,
                                       whole, fetch->committed, &result->read);
    if (result->error != KAFKA_NONE) {
        result->read.slice.len = 0;
        result->read.high_watermark = -1;
        result->read.last_stable_offset = -1;
        result->read.log_start_offset = -1;
        result->read.aborted_count = result->missing ? 0 : -1;
    }
}

static struct totals read_parts(struct fetch *fetch)
{
    struct totals totals = {.count = 0};
    struct fetch_part *part;

    DL_FOREACH(fetch_first(fetch), part)
    {
        struct fetch_result *result = &fetch->results[totals.count++];

        result->part = part;
        read_part(fetch, fetch->max_bytes - totals.bytes, totals.bytes == 0, result);
        totals.bytes += result->read.slice.len;
        totals.missing += result->missing;
        if (result->diverging || (result->error != KAFKA_NONE && !result->missing))
            totals.hurry = true;
    }
    return totals;
}

static void release(const struct fetch_result *result)
{
    if (result->read.slice.len > 0)
        log_slice_release(result->read.slice.file);
}

/* Must an incremental answer have this part? Remember what the client is told. */
static bool has_changed(struct fetch_part *part, const struct fetch_result *result)
{
    bool changed = result->error != KAFKA_NONE || result->diverging ||
                   result->read.slice.len > 0 ||
                   part->told_high_watermark != result->read.high_watermark ||
                   part->told_start != result->read.log_start_offset;

    part->told_high_watermark = result->read.high_watermark; /* -1 after an error */
    part->told_start = result->read.log_start_offset;
    return changed;
}

static void answer_aborted(struct mem_arena *arena, const struct partition_slice *read,
                           struct fetch_response_partition_data *out)
{
    out->aborted_transactions_count = read->aborted_count;
    if (read->aborted_count <= 0)
        return;
    out->aborted_transactions = mem_arena_alloc(
        arena, (size_t)read->aborted_count * sizeof *out->aborted_transactions);
    for (int32_t i = 0; i < read->aborted_count; i++) {
        out->aborted_transactions[i] = (struct fetch_response_aborted_transaction){
            .producer_id = read->aborted[i].producer_id,
            .first_offset = read->aborted[i].first_offset};
    }
}

static void answer_part(struct mem_arena *arena, const struct fetch_result *result,
                        struct fetch_response_partition_data *out)
{
    const struct partition_slice *read = &result->read;

    wire_defaults(&fetch_response_partition_data_message, out);
    out->partition_index = result->part->index;
    out->error_code = (int16_t)result->error;
    out->high_watermark = read->high_watermark;
    out->last_stable_offset = read->last_stable_offset;
    out->log_start_offset = read->log_start_offset;
    answer_aborted(arena, read, out);
    if (result->diverging) {
        out->diverging_epoch.epoch = LEDGER_LEADER_EPOCH;
        out->diverging_epoch.end_offset = read->high_watermark;
    }
    out->records = (struct wire_records){.data = (const uint8_t *)"", .len = 0};
    if (read->slice.len > 0)
        out->records = (struct wire_records){.len = read->slice.len,
                                             .fd = read->slice.fd,
                                             .position = read->slice.position,
                                             .owner = read->slice.file,
                                             .release = log_slice_release};
}

static bool same_topic(const struct fetch_part *a, const struct fetch_part *b)
{
    return memcmp(&a->id, &b->id, sizeof a->id) == 0 &&
           wire_string_equal(a->topic, b->topic);
}

/* Parts of one topic that follow each other go together. */
static void add_part(struct fetch_response *response, struct fetch_result *result,
                     const struct fetch_part **last,
                     struct fetch_response_partition_data *partition)
{
    struct fetch_response_fetchable_topic_response *topic;

    if (*last == NULL || !same_topic(*last, result->part)) {
        topic = &response->responses[response->responses_count++];
        topic->topic = result->part->topic;
        topic->topic_id = result->part->id;
        topic->partitions = partition;
        topic->partitions_count = 0;
    }
    topic = &response->responses[response->responses_count - 1];
    topic->partitions_count++;
    *last = result->part;
}

static void answer_parts(struct fetch *fetch, int32_t count,
                         struct fetch_response *response)
{
    struct mem_arena *arena = &fetch->request->arena;
    const struct fetch_part *last = NULL;
    struct fetch_response_partition_data *partitions;
    int32_t used = 0;

    partitions = mem_arena_alloc(arena, (size_t)count * sizeof *partitions);
    response->responses =
        mem_arena_alloc(arena, (size_t)count * sizeof *response->responses);
    for (int32_t i = 0; i < count; i++) {
        struct fetch_result *result = &fetch->results[i];

        if (!has_changed(result->part, result) && fetch->kind == FETCH_INCREMENTAL)
            continue;
        answer_part(arena, result, &partitions[used]);
        add_part(response, result, &last, &partitions[used]);
        used++;
    }
    for (int32_t i = 0; i < count && fetch->session; i++) {
        if (fetch->results[i].read.slice.len > 0)
            fetch_session_served(fetch->session, fetch->results[i].part);
    }
}

static void answer(struct fetch *fetch, int32_t count)
{
    struct fetch_response response;

    wire_defaults(&fetch_response_message, &response);
    response.session_id = fetch->session ? fetch->session->id : 0;
    if (count > 0)
        answer_parts(fetch, count, &response);
    request_on_gone(fetch->request, NULL, NULL);
    request_answer(fetch->request, &response);
}

static void on_gone(struct request *request, void *arg)
{
    fetches_stop(arg);
    request_drop(request);
}

void fetch_serve(struct fetch *fetch, bool last)
{
    struct totals totals = read_parts(fetch);

    if (last || totals.hurry || totals.bytes >= fetch->min_bytes ||
        totals.count == totals.missing) {
        fetches_stop(fetch);
        answer(fetch, totals.count);
        return;
    }
    for (int32_t i = 0; i < totals.count; i++)
        release(&fetch->results[i]);
    fetches_wait(fetch);
}

static void refuse(struct request *request, enum kafka_error error)
{
    struct fetch_response response;

    wire_defaults(&fetch_response_message, &response);
    response.error_code = (int16_t)error;
    request_answer(request, &response);
}

static int32_t count_parts(const struct fetch *fetch)
{
    struct fetch_part *part;
    int32_t count = 0;

    DL_COUNT(fetch_first(fetch), part, count);
    return count;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* No client follows more than there can be; the answer would cost a lot of memory. */
static bool asks_too_much(const struct fetch_request *message)
{
    int64_t count = 0;

    for (int32_t i = 0; i < message->topics_count; i++)
        count += message->topics[i].partitions_count;
    return count > TOPICS_PARTITIONS_MAX;
}

void api_fetch(struct ledger *ledger, struct request *request)
{
    const struct fetch_request *message = request->message;
    struct fetch *fetch = mem_arena_alloc(&request->arena, sizeof *fetch);
    enum kafka_error error;

    if (asks_too_much(message)) {
        request_hang_up(request, "a Fetch of more partitions than there can be");
        return;
    }
    fetch->fetches = ledger->fetches;
    fetch->request = request;
    fetch->kind =
        fetch_session_begin(fetches_sessions(ledger->fetches), message,
                            request->version, request->now_ms, &fetch->session, &error);
    if (fetch->kind == FETCH_REFUSED) {
        refuse(request, error);
        return;
    }
    if (fetch->session == NULL)
        fetch->own = fetch_parts(message, &request->arena);
    fetch->committed = message->isolation_level == READ_COMMITTED;
    fetch->max_bytes = least(message->max_bytes, MAX_BYTES);
    fetch->min_bytes = least(message->min_bytes, fetch->max_bytes);
    fetch->deadline_ms = request->now_ms + message->max_wait_ms;
    fetch->results = mem_arena_alloc(&request->arena, (size_t)count_parts(fetch) *
                                                          sizeof *fetch->results);
    request_on_gone(request, on_gone, fetch);
    fetch_serve(fetch, message->max_wait_ms <= 0);
}
