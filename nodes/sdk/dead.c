/* SPDX-License-Identifier: MIT */
#include "sdk/dead.h"

#include "base/contract.h"
#include "base/mem.h"
#include "sdk/client.h"
#include "sdk/kafka_conf.h"
#include "sdk/quote.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_A_SECOND = 10, SECOND_MS = 1000, READ_AGAIN = 64 };

static void add_text(rd_kafka_headers_t *headers, const char *name, const char *text)
{
    (void)rd_kafka_header_add(headers, name, -1, text, (ssize_t)strlen(text));
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    add_text(headers, name, text);
}

static rd_kafka_headers_t *explain(const struct client *client, struct dead_letter *letter)
{
    rd_kafka_headers_t *headers =
        letter->headers ? letter->headers : rd_kafka_headers_new(9);

    letter->headers = NULL;
    add_text(headers, CONTRACT_HEADER_REASON, letter->reason);
    add_text(headers, CONTRACT_HEADER_FAILED_AT, letter->failed_at);
    add_text(headers, CONTRACT_HEADER_NODE, client->config.node);
    add_number(headers, CONTRACT_HEADER_ATTEMPT, client->config.attempt);
    add_number(headers, CONTRACT_HEADER_RUN, client->config.run);
    add_text(headers, CONTRACT_HEADER_TOPIC, letter->topic);
    add_number(headers, CONTRACT_HEADER_PARTITION, letter->partition);
    add_number(headers, CONTRACT_HEADER_OFFSET, letter->offset);
    add_number(headers, CONTRACT_HEADER_TIME, client->wall_ms);
    return headers;
}

/* A flood of dead letters must not drown the runner: beyond the limit only the counts. */
static void say(struct client *client, const struct dead_letter *letter)
{
    struct dead_queue *dead = &client->dead;
    struct text_buf line = {0};

    if (client->now_ms - dead->said_at_ms >= SECOND_MS) {
        dead->said_at_ms = client->now_ms;
        dead->said = 0;
    }
    if (dead->said++ >= LINES_A_SECOND)
        return;
    text_append(&line, "{\"type\":\"dead\",\"topic\":");
    quote_text(&line, letter->topic);
    text_appendf(&line, ",\"partition\":%d,\"offset\":%lld,\"failed_at\":\"%s\",",
                 letter->partition, (long long)letter->offset, letter->failed_at);
    text_append(&line, "\"reason\":");
    quote_text(&line, letter->reason);
    text_append(&line, "}");
    link_send(&client->link, text_str(&line));
    text_buf_clear(&line);
}

void dead_letter_send(struct client *client, uint64_t tag, struct dead_letter *letter)
{
    struct part *part = part_of(&client->parts, tag);
    struct window_slot *slot = window_slot(&part->window, part_sequence(tag));
    struct out_write write = {.topic = kafka_out_dlq(client),
                              .tag = tag,
                              .emission = letter->original};
    rd_kafka_resp_err_t code;

    if (write.topic == NULL) {
        if (letter->headers)
            rd_kafka_headers_destroy(letter->headers);
        return;
    }
    write.headers = explain(client, letter);
    slot->outcome = WINDOW_DEAD;
    slot->pending++;
    code = kafka_out_write(client, &write);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        say(client, letter);
        return;
    }
    rd_kafka_headers_destroy(write.headers);
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        client_fail(client, CONTRACT_EXIT_STAY_DOWN,
                    "%s; its %zu bytes are too many for a dead letter, too: set a larger "
                    "max_record at the edge",
                    letter->reason, letter->original.key_len + letter->original.value_len);
    else
        client_fail(client, CONTRACT_EXIT_STAY_DOWN,
                    "dead letter refused by topic %s: %s", write.topic->name,
                    rd_kafka_err2str(code));
}

void dead_refused(struct client *client, const struct out_topic *topic,
                  const rd_kafka_message_t *message, const char *reason)
{
    uint64_t tag = (uint64_t)(uintptr_t)message->_private;
    struct part *part = part_of(&client->parts, tag);
    struct window_slot *slot = window_slot(&part->window, part_sequence(tag));
    struct dead_refused **end = &client->dead.first;
    struct dead_refused *refused;

    if (slot->outcome == WINDOW_DEAD) { /* another output of it was refused before */
        parts_reported(&client->parts, tag);
        return;
    }
    slot->outcome = WINDOW_DEAD;
    refused = mem_alloc(sizeof *refused);
    refused->tag = tag;
    refused->output = mem_strdup(topic->name);
    refused->reason = mem_printf("topic %s: %s", topic->name, reason);
    if (part->topic == NULL)
        refused->bytes = kafka_out_copy(message);
    while (*end)
        end = &(*end)->next;
    *end = refused;
    client->dead.count++;
}

static void finish_first(struct client *client)
{
    struct dead_refused *refused = client->dead.first;

    client->dead.first = refused->next;
    client->dead.count--;
    parts_reported(&client->parts, refused->tag);
    if (refused->bytes)
        kafka_out_free_copy(refused->bytes);
    free(refused->output);
    free(refused->reason);
    free(refused);
}

static void send_source_letter(struct client *client, struct dead_refused *refused)
{
    struct out_retry *bytes = refused->bytes;
    struct dead_letter letter = {.original = {.value = bytes->value,
                                              .value_len = bytes->value_len,
                                              .key = bytes->key,
                                              .key_len = bytes->key_len,
                                              .timestamp_ms = bytes->timestamp_ms},
                                 .headers = bytes->headers,
                                 .failed_at = "WRITE",
                                 .reason = refused->reason,
                                 .topic = refused->output,
                                 .offset = -1};

    bytes->headers = NULL;
    dead_letter_send(client, refused->tag, &letter);
}

/* message NULL: the record is not there any more; the letter says so. */
static void send_record_letter(struct client *client, const struct dead_refused *refused,
                               rd_kafka_message_t *message)
{
    const struct part *part = part_of(&client->parts, refused->tag);
    struct dead_letter letter = {.failed_at = "WRITE",
                                 .reason = refused->reason,
                                 .topic = part->topic,
                                 .partition = part->partition,
                                 .original = {.timestamp_ms = -1}};

    letter.offset = window_slot(&part->window, part_sequence(refused->tag))->offset;
    if (message) {
        letter.original =
            (struct emission){.value = message->payload,
                              .value_len = message->len,
                              .key = message->key,
                              .key_len = message->key_len,
                              .timestamp_ms = rd_kafka_message_timestamp(message, NULL)};
        if (rd_kafka_message_detach_headers(message, &letter.headers))
            letter.headers = NULL;
    }
    dead_letter_send(client, refused->tag, &letter);
}

static int open_reader(struct client *client)
{
    struct dead_queue *dead = &client->dead;
    struct error err = {0};

    if (dead->reader)
        return 0;
    dead->reader = kafka_open(client, KAFKA_REFETCHER, &err);
    if (dead->reader == NULL) {
        client_fail(client, CLIENT_FAILED, "%s", err.text);
        return -1;
    }
    dead->reader_queue = rd_kafka_queue_get_consumer(dead->reader);
    kafka_wake(client, dead->reader_queue);
    return 0;
}

static void start_reading(struct client *client, const struct part *part, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, part->topic, part->partition)->offset = offset;
    (void)rd_kafka_assign(client->dead.reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    client->dead.reading = client->dead.assigned = true;
}

/* Look through what came; true when the first refused record is dealt with. */
static bool read_again(struct client *client, int64_t offset)
{
    rd_kafka_message_t *messages[READ_AGAIN];
    ssize_t count = rd_kafka_consume_batch_queue(client->dead.reader_queue, 0, messages,
                                                 READ_AGAIN);
    bool found = false;

    for (ssize_t i = 0; i < count; i++) {
        rd_kafka_message_t *message = messages[i];
        bool gone = message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                    (message->err == 0 && message->offset > offset);

        if (!found && (gone || (message->err == 0 && message->offset == offset))) {
            send_record_letter(client, client->dead.first, gone ? NULL : message);
            found = true;
        }
        rd_kafka_message_destroy(message);
    }
    return found;
}

void dead_step(struct client *client)
{
    struct dead_queue *dead = &client->dead;

    while (dead->first && !client_failed(client)) {
        const struct part *part = part_of(&client->parts, dead->first->tag);
        int64_t offset =
            window_slot(&part->window, part_sequence(dead->first->tag))->offset;

        if (dead->first->bytes) {
            send_source_letter(client, dead->first);
        } else if (!part->gone) {
            if (open_reader(client) < 0)
                return;
            if (!dead->reading)
                start_reading(client, part, offset);
            if (!read_again(client, offset))
                return;
            dead->reading = false;
        }
        finish_first(client);
    }
    if (dead->assigned && dead->first == NULL) {
        (void)rd_kafka_assign(dead->reader, NULL);
        dead->assigned = dead->reading = false;
    }
}

void dead_clear(struct client *client)
{
    struct dead_queue *dead = &client->dead;

    while (dead->first)
        finish_first(client);
    if (dead->reader) {
        rd_kafka_queue_destroy(dead->reader_queue);
        rd_kafka_destroy_flags(dead->reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    *dead = (struct dead_queue){0};
}
