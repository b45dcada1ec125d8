/* SPDX-License-Identifier: MIT
 *
 * tap_read.c - read the records of an open tap, one at a time.
 */
#include "host/tap_private.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_BYTES_MAX = 64 << 20 };

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

bool tap_is_complete(const struct tap *tap)
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

static void describe(struct tap *tap, const rd_kafka_message_t *message,
                     struct tap_record *record)
{
    rd_kafka_timestamp_type_t type;

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

static int64_t time_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;

    return rd_kafka_message_timestamp(message, &type);
}

/* -------------------------------------------------------------------- the last ones */

static size_t held_count(const struct tap_list *list)
{
    return list->count - list->next;
}

static rd_kafka_message_t *take_held(struct tap *tap, struct tap_part *part)
{
    rd_kafka_message_t *message = take(&part->held);

    tap->held_bytes -= message->len + message->key_len;
    return message;
}

static void let_go(struct tap *tap, struct tap_part *part)
{
    rd_kafka_message_t *message = take_held(tap, part);

    part->before = message->offset + 1;
    rd_kafka_message_destroy(message);
}

/* The newest ones of a partition, no more than can be wanted in the end. */
static void hold(struct tap *tap, struct tap_part *part, rd_kafka_message_t *message)
{
    add(&part->held, message);
    tap->held_bytes += message->len + message->key_len;
    while (held_count(&part->held) > tap->last ||
           (tap->held_bytes > HELD_BYTES_MAX && held_count(&part->held) > 1))
        let_go(tap, part);
    if (part->held.next > tap->last) { /* as many taken as are left: move them down */
        part->held.count = held_count(&part->held);
        memmove(part->held.messages, part->held.messages + part->held.next,
                part->held.count * sizeof(rd_kafka_message_t *));
        part->held.next = 0;
    }
}

/*
 * The partition with the oldest held message. So they come in order of time, but never
 * against a partition's own order, whatever its timestamps say. NULL: nothing is held.
 */
static struct tap_part *oldest(struct tap *tap)
{
    struct tap_part *found = NULL;

    for (size_t i = 0; i < tap->part_count; i++) {
        struct tap_part *part = &tap->parts[i];

        if (held_count(&part->held) > 0 &&
            (found == NULL || time_of(part->held.messages[part->held.next]) <
                                  time_of(found->held.messages[found->held.next])))
            found = part;
    }
    return found;
}

/* All that is to be looked at is held: keep the newest. */
static void end_collecting(struct tap *tap)
{
    size_t count = 0;

    for (size_t i = 0; i < tap->part_count; i++)
        count += held_count(&tap->parts[i].held);
    for (; count > tap->last; count--)
        let_go(tap, oldest(tap));
    tap->collecting = false;
}

/* ------------------------------------------------------------------------- reading */

/* What is wrong with a message that carries an error. */
static enum tap_result judge(struct tap *tap, const rd_kafka_message_t *message,
                             struct error *err)
{
    struct tap_part *part = find_part(tap, message->partition);

    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (part && message->offset >= part->end) {
            part->done = true;
            if (part->next < part->end)
                part->next = part->end; /* only markers of transactions were left */
        }
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

/* Is it in the range, and wanted? It counts as looked at when it is in the range. */
static bool look_at(struct tap *tap, struct tap_part *part,
                    const rd_kafka_message_t *message)
{
    struct tap_record record;

    if (part && message->offset + 1 >= part->end)
        part->done = true;
    if (part == NULL || (message->offset >= part->end && !tap->follow))
        return false;
    part->next = message->offset + 1;
    tap->scanned++;
    tap->scanned_bytes += (int64_t)(message->len + message->key_len);
    if (tap->wanted == NULL)
        return true;
    describe(tap, message, &record);
    return tap->wanted(tap->wanted_arg, &record);
}

/* Give the message to where it belongs; true when it is to be shown now. */
static bool place(struct tap *tap, rd_kafka_message_t *message)
{
    struct tap_part *part = find_part(tap, message->partition);

    if (!look_at(tap, part, message)) {
        rd_kafka_message_destroy(message);
        return false;
    }
    if (!tap->collecting)
        return true;
    if (message->offset < part->end)
        hold(tap, part, message);
    else
        add(&tap->later, message);
    return false;
}

static enum tap_result show(struct tap *tap, rd_kafka_message_t *message,
                            struct tap_record *record)
{
    tap->current = message;
    describe(tap, message, record);
    return TAP_RECORD;
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
        result = show(tap, message, record);
    }
    return result;
}

const char *tap_limit(const struct tap *tap)
{
    if (tap->scanned >= tap->scan_records)
        return "records";
    if (tap->scanned_bytes >= tap->scan_bytes)
        return "bytes";
    return clock_mono_ms() >= tap->deadline_ms ? "time" : NULL;
}

/* What is at hand already, or NULL. */
static rd_kafka_message_t *at_hand(struct tap *tap)
{
    struct tap_part *part;

    if (tap->collecting && (tap_is_complete(tap) || tap_limit(tap)))
        end_collecting(tap);
    if (tap->collecting)
        return NULL;
    part = oldest(tap);
    return part ? take_held(tap, part) : take(&tap->later);
}

enum tap_result tap_next(struct tap *tap, int timeout_ms, struct tap_record *record,
                         struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    enum tap_result result;
    int64_t left_ms;

    if (deadline_ms > tap->deadline_ms)
        deadline_ms = tap->deadline_ms;
    if (tap->current)
        rd_kafka_message_destroy(tap->current);
    tap->current = NULL;
    do {
        rd_kafka_message_t *message = at_hand(tap);

        if (message)
            return show(tap, message, record);
        if (!tap->follow && tap_is_complete(tap))
            return TAP_AT_END;
        if (tap_limit(tap))
            return TAP_AT_LIMIT;
        left_ms = deadline_ms - clock_mono_ms();
        result = step(tap, left_ms < 0 ? 0 : (int)left_ms, record, err);
    } while (result == TAP_NOTHING_YET && left_ms > 0);
    return result;
}
