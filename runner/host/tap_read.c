/* SPDX-License-Identifier: MIT
 *
 * tap_read.c - read the records of an open tap, one at a time.
 */
#include "host/tap_private.h"

#include "base/clock.h"

#include <stdlib.h>

static struct tap_part *find_part(struct tap *tap, int32_t number)
{
    for (size_t i = 0; i < tap->part_count; i++) {
        if (tap->parts[i].number == number)
            return &tap->parts[i];
    }
    return NULL;
}

static void add(struct tap_list *list, rd_kafka_message_t *message)
{
    list->messages = mem_grow(list->messages, list->count, &list->capacity,
                              sizeof(rd_kafka_message_t *));
    list->messages[list->count++] = message;
}

static rd_kafka_message_t *take(struct tap_list *list)
{
    return list->next < list->count ? list->messages[list->next++] : NULL;
}

void tap_list_clear(struct tap_list *list)
{
    rd_kafka_message_t *message;

    while ((message = take(list)) != NULL)
        rd_kafka_message_destroy(message);
    free(list->messages);
    *list = (struct tap_list){0};
}

static bool all_done(const struct tap *tap)
{
    for (size_t i = 0; i < tap->part_count; i++) {
        if (!tap->parts[i].done)
            return false;
    }
    return true;
}

static void fill_headers(struct tap *tap, const rd_kafka_message_t *message,
                         struct tap_record *record)
{
    rd_kafka_headers_t *headers = NULL;
    size_t count = 0;

    if (rd_kafka_message_headers(message, &headers) == 0)
        count = rd_kafka_header_cnt(headers);
    if (count > tap->header_capacity) {
        tap->headers = mem_resize(tap->headers, count * sizeof *tap->headers);
        tap->header_capacity = count;
    }
    for (size_t i = 0; i < count; i++) {
        const void *value = NULL;

        (void)rd_kafka_header_get_all(headers, i, &tap->headers[i].name, &value,
                                      &tap->headers[i].len);
        tap->headers[i].value = value;
    }
    record->headers = tap->headers;
    record->header_count = count;
}

static void show(struct tap *tap, rd_kafka_message_t *message,
                 struct tap_record *record)
{
    rd_kafka_timestamp_type_t type;

    tap->current = message;
    *record = (struct tap_record){
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = message->key,
        .key_len = message->key_len,
        .value = message->payload,
        .value_len = message->len,
    };
    fill_headers(tap, message, record);
}

static int by_place(const void *left, const void *right)
{
    const rd_kafka_message_t *a = *(rd_kafka_message_t *const *)left;
    const rd_kafka_message_t *b = *(rd_kafka_message_t *const *)right;

    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* One partition's stretch of the held messages. */
struct run_of {
    size_t next;
    size_t end;
};

static int64_t time_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;

    return rd_kafka_message_timestamp(message, &type);
}

/* Find the stretches; returns how many. */
static size_t split(const struct tap_list *list, struct run_of *runs)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (i == 0 || list->messages[i]->partition != list->messages[i - 1]->partition)
            runs[count++].next = i;
        runs[count - 1].end = i + 1;
    }
    return count;
}

/*
 * In order of time, but never against a partition's own order, whatever its timestamps
 * say: a merge, since no comparison of two messages can tell that.
 */
static void sort_by_time(struct tap *tap)
{
    struct tap_list *list = &tap->held;
    struct run_of *runs = mem_alloc(tap->part_count * sizeof *runs);
    rd_kafka_message_t **sorted = mem_alloc(list->count * sizeof(rd_kafka_message_t *));
    size_t run_count;

    if (list->count > 0)
        qsort(list->messages, list->count, sizeof *list->messages, by_place);
    run_count = split(list, runs);
    for (size_t i = 0; i < list->count; i++) {
        struct run_of *first = NULL;

        for (size_t r = 0; r < run_count; r++) {
            if (runs[r].next < runs[r].end &&
                (first == NULL || time_of(list->messages[runs[r].next]) <
                                      time_of(list->messages[first->next])))
                first = &runs[r];
        }
        sorted[i] = list->messages[first->next++];
    }
    free(runs);
    free(list->messages);
    list->messages = sorted;
    list->capacity = list->count;
}

/* Everything up to the end is held: keep the newest wanted ones, in order of time. */
static void end_collecting(struct tap *tap)
{
    sort_by_time(tap);
    while (tap->held.count - tap->held.next > tap->wanted)
        rd_kafka_message_destroy(take(&tap->held));
    tap->collecting = false;
}

/* What is wrong with a message that carries an error. */
static enum tap_result judge(struct tap *tap, const rd_kafka_message_t *message,
                             struct error *err)
{
    struct tap_part *part = find_part(tap, message->partition);

    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (part && message->offset >= part->end)
            part->done = true;
        return TAP_NOTHING_YET;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL:
        error_set(err, ERROR_FAILED, "topic %s: %s", tap->topic,
                  rd_kafka_message_errstr(message));
        return TAP_FAILED;
    default:
        return TAP_NOTHING_YET;
    }
}

/* Give the message to where it belongs; true when it is to be shown now. */
static bool place(struct tap *tap, rd_kafka_message_t *message)
{
    struct tap_part *part = find_part(tap, message->partition);
    bool before_end = part && message->offset < part->end;

    if (part && message->offset + 1 >= part->end)
        part->done = true;
    if (!before_end && !tap->follow) {
        rd_kafka_message_destroy(message);
        return false;
    }
    if (!tap->collecting)
        return true;
    add(before_end ? &tap->held : &tap->later, message);
    return false;
}

/* Poll once. */
static enum tap_result step(struct tap *tap, int timeout_ms, struct tap_record *record,
                            struct error *err)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(tap->handle, timeout_ms);
    enum tap_result result = TAP_NOTHING_YET;

    tap_serve_log(tap);
    if (message == NULL)
        return TAP_NOTHING_YET;
    if (message->err) {
        result = judge(tap, message, err);
        rd_kafka_message_destroy(message);
    } else if (place(tap, message)) {
        show(tap, message, record);
        result = TAP_RECORD;
    }
    return result;
}

enum tap_result tap_next(struct tap *tap, int timeout_ms, struct tap_record *record,
                         struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    enum tap_result result;
    int64_t left_ms;

    if (tap->current)
        rd_kafka_message_destroy(tap->current);
    tap->current = NULL;
    do {
        rd_kafka_message_t *message = NULL;

        if (tap->collecting && all_done(tap))
            end_collecting(tap);
        if (!tap->collecting) {
            message = take(&tap->held);
            if (message == NULL)
                message = take(&tap->later);
        }
        if (message) {
            show(tap, message, record);
            return TAP_RECORD;
        }
        if (!tap->follow && all_done(tap))
            return TAP_AT_END;
        left_ms = deadline_ms - clock_mono_ms();
        result = step(tap, left_ms < 0 ? 0 : (int)left_ms, record, err);
    } while (result == TAP_NOTHING_YET && left_ms > 0);
    return result;
}
