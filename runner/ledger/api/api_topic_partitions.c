/* SPDX-License-Identifier: MIT
 *
 * api_topic_partitions.c - DescribeTopicPartitions: topics in the order of their names,
 * page by page.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_names.h"
#include "ledger/api/ledger.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_metadata.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 2000 }; /* max.request.partition.size.limit */

struct page {
    struct ledger *ledger;
    struct mem_arena *arena;
    struct describe_topic_partitions_response response;
    int32_t room; /* partitions that the page still takes */
    int32_t *nodes;
};

static struct wire_string name_of(const struct topic *topic)
{
    return (struct wire_string){topic->name, topic->name_len};
}

static struct
    describe_topic_partitions_response_describe_topic_partitions_response_topic *
    add_topic(struct page *page, struct wire_string name)
{
    struct describe_topic_partitions_response_describe_topic_partitions_response_topic
        *out = &page->response.topics[page->response.topics_count++];

    wire_defaults(
        &describe_topic_partitions_response_describe_topic_partitions_response_topic_message,
        out);
    out->name = name;
    out->topic_authorized_operations = API_TOPIC_OPERATIONS;
    return out;
}

static void describe_partition(
    const struct page *page, int32_t index,
    struct
    describe_topic_partitions_response_describe_topic_partitions_response_partition
        *out)
{
    wire_defaults(
        &describe_topic_partitions_response_describe_topic_partitions_response_partition_message,
        out);
    out->partition_index = index;
    out->leader_id = LEDGER_NODE_ID;
    out->leader_epoch = LEDGER_LEADER_EPOCH;
    out->replica_nodes = page->nodes;
    out->replica_nodes_count = 1;
    out->isr_nodes = page->nodes;
    out->isr_nodes_count = 1;
    out->eligible_leader_replicas = page->nodes;
    out->eligible_leader_replicas_count = 0;
    out->last_known_elr = page->nodes;
    out->last_known_elr_count = 0;
}

/* Where the next page begins. */
static void set_cursor(struct page *page, struct wire_string name, int32_t index)
{
    struct describe_topic_partitions_response_cursor *cursor =
        mem_arena_alloc(page->arena, sizeof(*cursor));

    cursor->topic_name = name;
    cursor->partition_index = index;
    page->response.next_cursor = cursor;
}

/* The topic from partition first on; false when the page is full with it. */
static bool describe(struct page *page, const struct topic *topic, int32_t first)
{
    struct describe_topic_partitions_response_describe_topic_partitions_response_topic
        *out = add_topic(page, name_of(topic));
    int32_t count = topic->partitions > first ? topic->partitions - first : 0;
    int32_t shown = count < page->room ? count : page->room;

    out->topic_id = topic->id;
    out->is_internal = topic->internal;
    out->partitions =
        mem_arena_alloc(page->arena, ((size_t)shown + 1) * sizeof(*out->partitions));
    out->partitions_count = shown;
    for (int32_t i = 0; i < shown; i++)
        describe_partition(page, first + i, &out->partitions[i]);
    page->room -= shown;
    if (shown == count)
        return true;
    set_cursor(page, name_of(topic), first + shown);
    return false;
}

static void all_topics(struct page *page, struct wire_string from, int32_t first)
{
    struct topics *topics = page->ledger->topics;
    int32_t at = from.len > 0 ? topics_lower_bound(topics, from) : 0;

    page->response.topics =
        mem_arena_alloc(page->arena, ((size_t)topics_count(topics) + 1) *
                                         sizeof(*page->response.topics));
    for (; at < topics_count(topics); at++) {
        const struct topic *topic = topics_at(topics, at);
        if (page->room == 0) {
            set_cursor(page, name_of(topic), 0);
            return;
        }
        if (!describe(page, topic, wire_string_equal(name_of(topic), from) ? first : 0))
            return;
    }
}

static int compare_strings(const void *left, const void *right)
{
    const struct wire_string *a = left, *b = right;
    int32_t len = a->len < b->len ? a->len : b->len;
    int order = len > 0 ? memcmp(a->data, b->data, (size_t)len) : 0;

    return order != 0 ? order : a->len - b->len;
}

static void not_there(struct page *page, struct wire_string name)
{
    struct text_buf message = {0};
    enum kafka_error code = topics_check_name(name, &message);

    add_topic(page, name)->error_code =
        (int16_t)(code != KAFKA_NONE ? code : KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    text_buf_clear(&message);
}

static void some_topics(struct page *page, const struct wire_string *names,
                        int32_t count,
                        const struct describe_topic_partitions_request_cursor *cursor)
{
    for (int32_t i = 0; i < count; i++) {
        const struct topic *topic = topics_find(page->ledger->topics, names[i]);
        int32_t first = 0;
        if (i > 0 && wire_string_equal(names[i - 1], names[i]))
            continue;
        if (cursor != NULL) {
            int order = compare_strings(&names[i], &cursor->topic_name);
            if (order < 0)
                continue;
            first = order == 0 ? cursor->partition_index : 0;
        }
        if (page->room == 0) {
            set_cursor(page, names[i], 0);
            return;
        }
        if (topic == NULL)
            not_there(page, names[i]);
        else if (!describe(page, topic, first))
            return;
    }
}

/* Kafka wants a cursor into one of the topics that are asked for. */
static bool cursor_is_right(const struct describe_topic_partitions_request *asked)
{
    if (asked->cursor == NULL)
        return true;
    if (asked->cursor->partition_index < 0)
        return false;
    for (int32_t i = 0; i < asked->topics_count; i++)
        if (wire_string_equal(asked->topics[i].name, asked->cursor->topic_name))
            return true;
    return asked->topics_count <= 0;
}

static void refuse(struct page *page, const struct wire_string *names, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        struct
            describe_topic_partitions_response_describe_topic_partitions_response_topic
                *out = add_topic(page, names[i]);
        out->error_code = KAFKA_INVALID_REQUEST;
        out->topic_authorized_operations = INT32_MIN;
    }
}

void api_describe_topic_partitions(struct ledger *ledger, struct request *request)
{
    const struct describe_topic_partitions_request *asked = request->message;
    int32_t count = asked->topics_count > 0 ? asked->topics_count : 0;
    int32_t limit = asked->response_partition_limit;
    struct page page = {.ledger = ledger, .arena = &request->arena};
    struct wire_string *names =
        mem_arena_alloc(&request->arena, ((size_t)count + 1) * sizeof(*names));

    wire_defaults(&describe_topic_partitions_response_message, &page.response);
    page.room = limit < 1 ? 1 : limit < PAGE_MAX ? limit : PAGE_MAX;
    page.nodes = mem_arena_alloc(&request->arena, sizeof(*page.nodes));
    page.nodes[0] = LEDGER_NODE_ID;
    page.response.topics = mem_arena_alloc(
        &request->arena, ((size_t)count + 1) * sizeof(*page.response.topics));
    for (int32_t i = 0; i < count; i++)
        names[i] = asked->topics[i].name;
    if (!cursor_is_right(asked)) {
        refuse(&page, names, count);
    } else if (count == 0) {
        bool paged = asked->cursor != NULL;
        all_topics(&page, paged ? asked->cursor->topic_name : wire_string_of(""),
                   paged ? asked->cursor->partition_index : 0);
    } else {
        qsort(names, (size_t)count, sizeof(*names), compare_strings);
        some_topics(&page, names, count, asked->cursor);
    }
    request_answer(request, &page.response);
}
