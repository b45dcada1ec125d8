/* SPDX-License-Identifier: MIT */
#include "sdk/kafka_in.h"

#include "base/clock.h"
#include "base/contract.h"
#include "base/log.h"
#include "sdk/client.h"
#include "sdk/kafka_conf.h"
#include "sdk/record.h"

#include <string.h>

enum {
    SLICE_MS = 20,      /* how long one call of kafka_in_work may take records */
    STRIDE = 64,
    SLOW_MS = 2,        /* a stride that took longer: look at the clock every record */
    SPAN = 1 << 20,     /* records taken beyond the lowest unfinished one */
    CLOSE_MS = 3000,
    FAILED_CLOSE_MS = 200,
    REJOIN_MS = 20000,
};

static int subscribe(struct client *client, struct error *err)
{
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)client->config.input_count);
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < client->config.input_count; i++)
        rd_kafka_topic_partition_list_add(topics, client->config.inputs[i],
                                          RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(client->in.rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code)
        error_set(err, ERROR_FAILED, "subscribe: %s", rd_kafka_err2str(code));
    return code ? -1 : 0;
}

int kafka_in_open(struct client *client, struct error *err)
{
    struct kafka_in *in = &client->in;

    in->stride = STRIDE;
    in->rk = kafka_open(client, KAFKA_CONSUMER, err);
    if (in->rk == NULL)
        return -1;
    in->queue = rd_kafka_queue_get_consumer(in->rk);
    kafka_wake(client, in->queue);
    in->more = true;
    return subscribe(client, err);
}

/* Close without LeaveGroup: a static member's place is kept for its next life. */
void kafka_in_close(struct client *client)
{
    struct kafka_in *in = &client->in;
    rd_kafka_queue_t *closing;
    rd_kafka_error_t *error;
    int64_t deadline_ms =
        clock_mono_ms() + (client_failed(client) ? FAILED_CLOSE_MS : CLOSE_MS);

    if (in->rk == NULL)
        return;
    kafka_in_discard(client);
    if (in->assigning)
        rd_kafka_topic_partition_list_destroy(in->assigning);
    in->assigning = NULL;
    closing = rd_kafka_queue_new(in->rk);
    error = rd_kafka_consumer_close_queue(in->rk, closing);
    if (error)
        rd_kafka_error_destroy(error);
    while (!rd_kafka_consumer_closed(in->rk) && clock_mono_ms() < deadline_ms) {
        rd_kafka_message_t *message;

        if (rd_kafka_consume_batch_queue(closing, 10, &message, 1) == 1)
            rd_kafka_message_destroy(message);
    }
    rd_kafka_queue_destroy(closing);
    rd_kafka_queue_destroy(in->queue);
    if (rd_kafka_consumer_closed(in->rk))
        rd_kafka_destroy_flags(in->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    *in = (struct kafka_in){0};
}

bool kafka_in_is_fenced_by_itself(struct client *client)
{
    if (!client->in.lost || client->phase != CLIENT_RUNNING)
        return false;
    client->in.reopen = true;
    return true;
}

bool kafka_in_is_stuck(const struct client *client)
{
    const struct kafka_in *in = &client->in;

    return in->rk && in->outside_since_ms && client->phase == CLIENT_RUNNING &&
           in->assigning == NULL && client->now_ms - in->outside_since_ms > REJOIN_MS;
}

/* The old handle is dropped without a good-bye: it has no place in the group any more. */
int kafka_in_reopen(struct client *client, struct error *err)
{
    struct kafka_in *in = &client->in;
    unsigned epoch = in->epoch;

    log_write(LOG_WARN, "group", NULL, "joining anew: %s",
              in->reopen ? "fenced by a late request of our own membership before"
                         : "the group has not let us in for 20 s");
    kafka_in_discard(client);
    kafka_in_drop(client);
    if (in->assigning)
        rd_kafka_topic_partition_list_destroy(in->assigning);
    rd_kafka_queue_destroy(in->queue);
    rd_kafka_destroy_flags(in->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    *in = (struct kafka_in){.epoch = epoch + 1, .outside_since_ms = client->now_ms};
    return kafka_in_open(client, err);
}

void kafka_in_discard(struct client *client)
{
    struct kafka_in *in = &client->in;

    if (in->at < in->filled)
        in->discarded = true;
    while (in->at < in->filled)
        rd_kafka_message_destroy(in->batch[in->at++]);
    in->at = in->filled = 0;
}

void kafka_in_stop(struct client *client)
{
    struct kafka_in *in = &client->in;

    kafka_in_discard(client);
    if (in->assigning) { /* librdkafka waits for this call */
        rd_kafka_topic_partition_list_destroy(in->assigning);
        in->assigning = NULL;
        (void)rd_kafka_assign(in->rk, NULL);
    }
    kafka_in_pause(client, true);
}

static void failed_partition(struct client *client, const rd_kafka_message_t *message)
{
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "?";

    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        client_fail(client, CONTRACT_EXIT_STAY_DOWN,
                    "topic %s partition %d: the committed offset is not there any more "
                    "(deleted or expired), so records are lost: %s",
                    topic, message->partition, rd_kafka_message_errstr(message));
        return;
    case RD_KAFKA_RESP_ERR__FATAL:
        kafka_error(client, client->in.rk, message->err, "consumer");
        return;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        client_fail(client, CLIENT_FAILED, "topic %s: %s", topic,
                    rd_kafka_err2str(message->err));
        return;
    default:
        log_write(LOG_WARN, "input", NULL, "topic %s: %s", topic,
                  rd_kafka_message_errstr(message));
    }
}

/* Serve the consumer's queue, callbacks included, and append its records to the batch. */
static void fill(struct client *client)
{
    struct kafka_in *in = &client->in;
    unsigned epoch = in->epoch;
    size_t waiting = in->filled - in->at;
    ssize_t count;

    if (waiting && in->at)
        memmove(in->batch, in->batch + in->at, waiting * sizeof *in->batch);
    in->at = 0;
    in->filled = waiting;
    if (waiting == KAFKA_IN_BATCH)
        return;
    count = rd_kafka_consume_batch_queue(in->queue, 0, in->batch + waiting,
                                         KAFKA_IN_BATCH - waiting);
    in->refresh = true;
    in->more = count > 0;
    if (in->epoch == epoch) {
        in->filled += count > 0 ? (size_t)count : 0;
        return;
    }
    /* The assignment was taken away meanwhile: these records belong to nobody here. */
    for (ssize_t i = 0; i < count; i++)
        rd_kafka_message_destroy(in->batch[waiting + (size_t)i]);
}

static struct part *part_of_message(struct client *client,
                                    const rd_kafka_message_t *message)
{
    struct parts *parts = &client->parts;
    struct part *part = client->in.last;

    if (part && part->handle == message->rkt && part->partition == message->partition)
        return part;
    for (size_t i = 0; i < parts->count; i++) {
        part = parts->list[i];
        if (part && !part->gone && part->handle == message->rkt &&
            part->partition == message->partition)
            return client->in.last = part;
    }
    part = parts_find(parts, rd_kafka_topic_name(message->rkt), message->partition);
    if (part)
        part->handle = message->rkt;
    return part;
}

static void handle(struct client *client, rd_kafka_message_t *message)
{
    struct part *part;
    struct dagnode_record record;

    if (message->err) {
        failed_partition(client, message);
        return;
    }
    part = part_of_message(client, message);
    if (part == NULL || message->offset < part->window.next_offset)
        return;
    record = (struct dagnode_record){.key = message->key,
                                     .key_len = message->key_len,
                                     .value = message->payload,
                                     .value_len = message->len,
                                     .timestamp_ms =
                                         rd_kafka_message_timestamp(message, NULL),
                                     .topic = part->topic,
                                     .partition = message->partition,
                                     .offset = message->offset,
                                     .internal = message};
    record_handle(client, part, &record);
}

static bool may_take(const struct client *client)
{
    return !client->paused && client->phase == CLIENT_RUNNING && !client_failed(client) &&
           client->out.unreported < client->out.limit && parts_span(&client->parts) < SPAN;
}

/* Handle the batch; false when the time is up or nothing more may be taken. */
static bool handle_batch(struct client *client, int64_t until_ms)
{
    struct kafka_in *in = &client->in;
    unsigned count = 0;

    while (in->at < in->filled) {
        rd_kafka_message_t *message = in->batch[in->at++];

        handle(client, message);
        rd_kafka_message_destroy(message);
        if (++count < in->stride)
            continue;
        count = 0;
        if (client_tick(client) >= SLOW_MS)
            in->stride = 1;
        else if (in->stride < STRIDE)
            in->stride++;
        if (client->now_ms >= until_ms || !may_take(client))
            return false;
    }
    return true;
}

bool kafka_in_work(struct client *client)
{
    struct kafka_in *in = &client->in;
    int64_t until_ms = client->now_ms + SLICE_MS;

    while (may_take(client)) {
        if (in->at == in->filled) {
            fill(client);
            if (in->at == in->filled)
                return in->more;
        }
        if (!handle_batch(client, until_ms))
            break;
        kafka_out_serve(client);
    }
    if (client->paused || client->phase != CLIENT_RUNNING) {
        fill(client); /* for the rebalances */
        if (client->phase != CLIENT_RUNNING)
            kafka_in_discard(client);
        return false;
    }
    return may_take(client) && (in->more || in->at < in->filled);
}

void kafka_in_pause(struct client *client, bool paused)
{
    rd_kafka_topic_partition_list_t *list = NULL;

    if (client->in.rk == NULL ||
        rd_kafka_assignment(client->in.rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (list->cnt > 0 && paused)
        (void)rd_kafka_pause_partitions(client->in.rk, list);
    else if (list->cnt > 0)
        (void)rd_kafka_resume_partitions(client->in.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    client->in.more = true;
}

void kafka_in_refresh(struct client *client)
{
    struct kafka_in *in = &client->in;
    rd_kafka_topic_partition_list_t *list;

    if (in->rk == NULL || in->discarded || !in->refresh || in->at < in->filled)
        return;
    in->refresh = false;
    list = rd_kafka_topic_partition_list_new((int)client->parts.count);
    for (size_t i = 0; i < client->parts.count; i++) {
        const struct part *part = client->parts.list[i];

        if (part && !part->gone)
            rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
    }
    if (list->cnt > 0 &&
        rd_kafka_position(in->rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < list->cnt; i++) {
            struct part *part = parts_find(&client->parts, list->elems[i].topic,
                                           list->elems[i].partition);

            if (part && list->elems[i].err == 0 && list->elems[i].offset >= 0)
                window_skip_to(&part->window, list->elems[i].offset);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_in_leave(struct client *client)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(topics, client->config.parking,
                                      RD_KAFKA_PARTITION_UA);
    client->in.left = rd_kafka_subscribe(client->in.rk, topics) != 0;
    rd_kafka_topic_partition_list_destroy(topics);
}
