/* SPDX-License-Identifier: MIT */
#include "sdk/kafka_out.h"

#include "base/clock.h"
#include "base/contract.h"
#include "base/mem.h"
#include "sdk/client.h"
#include "sdk/dead.h"
#include "sdk/kafka_conf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    REPORTS = 512,       /* delivery reports taken at once */
    LIBRARY_OVERHEAD = 36, /* what librdkafka adds to a record when it checks its size */
    BATCH_OVERHEAD = 61, /* a record batch's header */
    AROUND = 128,        /* more than all that is ever written around key and value */
    MIN_QUEUE = 1000,
    SERVE_MS = 100,
};

/*
 * A key's partition as any Kafka client finds it; without a key, the next that has a
 * leader. At first the leaders become known one by one, and the first would get all.
 * Called by the client's thread and, for what was written before the topic was known, by
 * librdkafka's, each with the topic's lock held.
 */
static int32_t pick_partition(const rd_kafka_topic_t *handle, const void *key,
                              size_t key_len, int32_t count, void *opaque, void *tag)
{
    struct out_topic *topic = opaque;
    uint32_t parts = (uint32_t)count;
    uint32_t first;

    if (key)
        return rd_kafka_msg_partitioner_murmur2_random(handle, key, key_len, count, topic,
                                                       tag);
    first = spread_next(&topic->spread, parts, clock_mono_ms());
    for (uint32_t i = 0; i < parts && topic->reached; i++) {
        int32_t next = (int32_t)((first + i) % parts);

        if (rd_kafka_topic_partition_available(handle, next))
            return next;
    }
    return (int32_t)first;
}

/* Two handles can't take turns: they have no lock in common. */
static rd_kafka_topic_t *open_topic(rd_kafka_t *rk, struct out_topic *topic, bool in_turn)
{
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(rk);
    char partitioner[32] = "";
    size_t len = sizeof partitioner;

    rd_kafka_topic_conf_set_opaque(conf, topic);
    (void)rd_kafka_topic_conf_get(conf, "partitioner", partitioner, &len);
    /* Another partitioner is the user's choice. */
    if (in_turn && strcmp(partitioner, KAFKA_PARTITIONER) == 0)
        rd_kafka_topic_conf_set_partitioner_cb(conf, pick_partition);
    return rd_kafka_topic_new(rk, topic->name, conf);
}

static int64_t queue_limit(rd_kafka_t *rk)
{
    char text[32];
    size_t len = sizeof text;
    int64_t messages;

    if (rd_kafka_conf_get(rd_kafka_conf(rk), "queue.buffering.max.messages", text, &len) !=
            RD_KAFKA_CONF_OK ||
        !text_parse_int(text, &messages) || messages < MIN_QUEUE)
        return MIN_QUEUE;
    return messages - messages / 8;
}

static int open_producer(struct client *client, struct error *err)
{
    struct kafka_out *out = &client->out;

    out->rk = kafka_open(client, KAFKA_PRODUCER, err);
    if (out->rk == NULL)
        return -1;
    out->queue = rd_kafka_queue_get_main(out->rk);
    kafka_wake(client, out->queue);
    out->limit = queue_limit(out->rk);
    for (size_t i = 0; i < out->count; i++)
        out->topics[i].handle = open_topic(out->rk, &out->topics[i], true);
    return 0;
}

static int open_strict_producer(struct client *client, struct error *err)
{
    struct kafka_out *out = &client->out;

    out->strict = kafka_open(client, KAFKA_STRICT_PRODUCER, err);
    if (out->strict == NULL)
        return -1;
    out->strict_queue = rd_kafka_queue_get_main(out->strict);
    kafka_wake(client, out->strict_queue);
    return 0;
}

/* Where turns begin: else every 'send' of one record would go to the same partition. */
static unsigned any_number(void)
{
    unsigned number = 0;

    (void)!getrandom(&number, sizeof number, GRND_NONBLOCK);
    return number;
}

int kafka_out_open(struct client *client, struct error *err)
{
    struct kafka_out *out = &client->out;
    const struct config *config = &client->config;

    out->limit = INT64_MAX;
    out->count = config->output_count;
    out->topics = mem_alloc((out->count + 1) * sizeof *out->topics);
    for (size_t i = 0; i < out->count; i++) {
        out->topics[i].name = config->outputs[i].topic;
        out->topics[i].spread.turn = any_number();
        out->topics[i].max_record = config->outputs[i].max_record;
    }
    out->dlq = (struct out_topic){
        .name = config->dlq, .spread.turn = any_number(), .is_dlq = true};
    return out->count ? open_producer(client, err) : 0;
}

static void close_topic(struct out_topic *topic)
{
    if (topic->handle)
        rd_kafka_topic_destroy(topic->handle);
    if (topic->strict_handle)
        rd_kafka_topic_destroy(topic->strict_handle);
}

static void close_handle(rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
    if (rk == NULL)
        return;
    (void)rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                 RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

void kafka_out_free_copy(struct out_retry *retry)
{
    if (retry->headers)
        rd_kafka_headers_destroy(retry->headers);
    free(retry->key);
    free(retry->value);
    free(retry);
}

void kafka_out_close(struct client *client)
{
    struct kafka_out *out = &client->out;

    while (out->retries) {
        struct out_retry *next = out->retries->next;

        kafka_out_free_copy(out->retries);
        out->retries = next;
    }
    for (size_t i = 0; i < out->count; i++)
        close_topic(&out->topics[i]);
    close_topic(&out->dlq);
    close_handle(out->rk, out->queue);
    close_handle(out->strict, out->strict_queue);
    free(out->topics);
    *out = (struct kafka_out){0};
}

struct out_topic *kafka_out_dlq(struct client *client)
{
    struct kafka_out *out = &client->out;
    struct error err = {0};

    if (out->dlq.name == NULL) {
        client_fail(client, CONTRACT_EXIT_STAY_DOWN,
                    "there is a dead letter, and the runner named no topic for it");
        return NULL;
    }
    if (out->rk == NULL && open_producer(client, &err) < 0) {
        client_fail(client, CLIENT_FAILED, "%s", err.text);
        return NULL;
    }
    if (out->dlq.handle == NULL)
        out->dlq.handle = open_topic(out->rk, &out->dlq, true);
    return &out->dlq;
}

static size_t varint_len(int64_t number)
{
    uint64_t zigzag = (uint64_t)number << 1;
    size_t len = 1;

    for (; zigzag >= 0x80; zigzag >>= 7)
        len++;
    return len;
}

static size_t headers_len(const rd_kafka_headers_t *headers)
{
    const char *name;
    const void *value;
    size_t len, sum = 0;

    for (size_t i = 0; headers && rd_kafka_header_get_all(headers, i, &name, &value,
                                                          &len) == 0;
         i++) {
        size_t name_len = strlen(name);

        sum += varint_len((int64_t)name_len) + name_len + varint_len((int64_t)len) + len;
    }
    return sum;
}

/* Small enough whatever the lengths of its lengths: all but a few records. */
static bool surely_fits(int64_t max, size_t body)
{
    return max <= 0 || body + AROUND <= (size_t)max;
}

bool kafka_out_too_large(const struct client *client, const struct out_topic *topic,
                         const struct emission *emission,
                         const rd_kafka_headers_t *headers)
{
    int64_t max = client->config.max_record;
    size_t body = emission->key_len + emission->value_len + headers_len(headers);
    size_t record, batch;

    if (surely_fits(max, body) && surely_fits(topic->max_record, body))
        return false;
    record = body + 3 + varint_len((int64_t)emission->key_len) +
             varint_len((int64_t)emission->value_len) +
             varint_len(headers ? (int64_t)rd_kafka_header_cnt(headers) : 0);
    batch = BATCH_OVERHEAD + record + varint_len((int64_t)record);

    if (topic->max_record > 0 && batch > (size_t)topic->max_record)
        return true;
    return max > 0 && body + LIBRARY_OVERHEAD > (size_t)max;
}

static rd_kafka_resp_err_t produce(rd_kafka_t *rk, rd_kafka_topic_t *handle,
                                   const struct out_write *write)
{
    const struct emission *e = &write->emission;
    rd_kafka_vu_t vus[7];
    size_t count = 5;
    rd_kafka_error_t *error;
    rd_kafka_resp_err_t code;

    vus[0].vtype = RD_KAFKA_VTYPE_RKT;
    vus[0].u.rkt = handle;
    vus[1].vtype = RD_KAFKA_VTYPE_VALUE;
    vus[1].u.mem.ptr = (void *)(uintptr_t)e->value;
    vus[1].u.mem.size = e->value_len;
    vus[2].vtype = RD_KAFKA_VTYPE_KEY;
    vus[2].u.mem.ptr = (void *)(uintptr_t)e->key;
    vus[2].u.mem.size = e->key_len;
    vus[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    vus[3].u.i = RD_KAFKA_MSG_F_COPY;
    vus[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
    vus[4].u.ptr = (void *)(uintptr_t)write->tag;
    if (e->timestamp_ms > 0) {
        vus[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
        vus[count++].u.i64 = e->timestamp_ms;
    }
    if (write->headers) {
        vus[count].vtype = RD_KAFKA_VTYPE_HEADERS;
        vus[count++].u.headers = write->headers;
    }
    error = rd_kafka_produceva(rk, vus, count);
    if (error == NULL)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

rd_kafka_resp_err_t kafka_out_write(struct client *client, const struct out_write *write)
{
    struct kafka_out *out = &client->out;
    rd_kafka_resp_err_t code;

    while ((code = produce(out->rk, write->topic->handle, write)) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        client_serve(client, SERVE_MS);
        if (client_failed(client))
            return RD_KAFKA_RESP_ERR__DESTROY;
    }
    if (code)
        return code;
    out->unreported++;
    out->produced += !write->topic->is_dlq;
    part_of(&client->parts, write->tag)->unreported++;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Does the broker refuse the record for what it is, and not for where it goes? */
static bool is_refusal(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD:
        return true;
    default:
        return false;
    }
}

static char *copy_bytes(const void *data, size_t len)
{
    char *copy = data ? mem_alloc(len + 1) : NULL;

    if (copy && len)
        memcpy(copy, data, len);
    return copy;
}

struct out_retry *kafka_out_copy(const rd_kafka_message_t *message)
{
    struct out_retry *retry = mem_alloc(sizeof *retry);
    rd_kafka_headers_t *headers = NULL;

    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = rd_kafka_headers_copy(headers);
    *retry = (struct out_retry){.tag = (uint64_t)(uintptr_t)message->_private,
                                .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
                                .headers = headers,
                                .key = copy_bytes(message->key, message->key_len),
                                .value = copy_bytes(message->payload, message->len),
                                .key_len = message->key_len,
                                .value_len = message->len};
    return retry;
}

static void retry_later(struct client *client, struct out_topic *topic,
                        const rd_kafka_message_t *message)
{
    struct kafka_out *out = &client->out;
    struct out_retry *retry = kafka_out_copy(message);

    retry->topic = topic;
    if (out->retries)
        out->last_retry->next = retry;
    else
        out->retries = retry;
    out->last_retry = retry;
    out->retry_count++;
}

static void write_failed(struct client *client, rd_kafka_t *rk, struct out_topic *topic,
                         const rd_kafka_message_t *message)
{
    uint64_t tag = (uint64_t)(uintptr_t)message->_private;
    const char *reason = rd_kafka_err2str(message->err);

    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
        kafka_error(client, rk, message->err, reason);
    } else if (!is_refusal(message->err)) {
        client_fail(client, CLIENT_FAILED, "topic %s: %s", topic->name, reason);
    } else if (topic->is_dlq) {
        client_fail(client, CONTRACT_EXIT_STAY_DOWN,
                    "dead letter refused by topic %s: %s", topic->name, reason);
    } else if (rk != client->out.strict) {
        retry_later(client, topic, message);
    } else if (!part_of(&client->parts, tag)->gone) {
        dead_refused(client, topic, message, reason);
    } else {
        parts_reported(&client->parts, tag);
    }
}

/*
 * librdkafka takes the success of a later batch as proof of one before it that failed. Where
 * the broker knows nothing of this producer yet it is none: on a partition that it has just
 * come to lead it may refuse the first batch and accept the second (confluent-kafka-go issue
 * 921; decision 0012). Only what the broker said itself has an offset.
 */
static bool is_proven(const rd_kafka_message_t *report)
{
    return report->offset != RD_KAFKA_OFFSET_INVALID;
}

static void take_reports(struct client *client, rd_kafka_t *rk, rd_kafka_event_t *event)
{
    struct kafka_out *out = &client->out;
    const rd_kafka_message_t *reports[REPORTS];
    const rd_kafka_topic_t *handle = NULL;
    struct out_topic *topic = NULL;
    size_t count;

    while ((count = rd_kafka_event_message_array(event, reports, REPORTS)) > 0) {
        out->unreported -= (int64_t)count;
        for (size_t i = 0; i < count; i++) {
            uint64_t tag = (uint64_t)(uintptr_t)reports[i]->_private;
            struct part *part = part_of(&client->parts, tag);

            if (reports[i]->rkt != handle) {
                handle = reports[i]->rkt;
                topic = rd_kafka_topic_opaque(handle);
            }
            if (reports[i]->err) {
                write_failed(client, rk, topic, reports[i]);
                continue;
            }
            if (!is_proven(reports[i])) {
                retry_later(client, topic, reports[i]);
                continue;
            }
            if (!topic->is_dlq) {
                window_slot(&part->window, part_sequence(tag))->out++;
                topic->acked++;
                atomic_store_explicit(&topic->reached, true, memory_order_relaxed);
                out->acked++;
            }
            parts_reported(&client->parts, tag);
        }
    }
    broker_seen(&client->broker);
}

static void serve_queue(struct client *client, rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event;

    while (queue && (event = rd_kafka_queue_poll(queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
            take_reports(client, rk, event);
        else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
            kafka_error(client, rk, rd_kafka_event_error(event),
                        rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
    }
}

void kafka_out_serve(struct client *client)
{
    serve_queue(client, client->out.rk, client->out.queue);
    serve_queue(client, client->out.strict, client->out.strict_queue);
}

static rd_kafka_resp_err_t send_retry(struct client *client, struct out_retry *retry)
{
    struct kafka_out *out = &client->out;
    struct out_write write = {.topic = retry->topic,
                              .tag = retry->tag,
                              .headers = retry->headers,
                              .emission = {.value = retry->value,
                                           .value_len = retry->value_len,
                                           .key = retry->key,
                                           .key_len = retry->key_len,
                                           .timestamp_ms = retry->timestamp_ms}};
    rd_kafka_resp_err_t code;

    if (retry->topic->strict_handle == NULL)
        retry->topic->strict_handle = open_topic(out->strict, retry->topic, false);
    code = produce(out->strict, retry->topic->strict_handle, &write);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        retry->headers = NULL;
        out->unreported++;
    }
    return code;
}

void kafka_out_retry(struct client *client)
{
    struct kafka_out *out = &client->out;
    struct error err = {0};

    if (out->retries && out->strict == NULL && open_strict_producer(client, &err) < 0)
        client_fail(client, CLIENT_FAILED, "%s", err.text);
    while (out->retries && !client_failed(client)) {
        struct out_retry *retry = out->retries;
        rd_kafka_resp_err_t code = send_retry(client, retry);

        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return;
        if (code)
            client_fail(client, CLIENT_FAILED, "topic %s: %s", retry->topic->name,
                        rd_kafka_err2str(code));
        out->retries = retry->next;
        out->retry_count--;
        kafka_out_free_copy(retry);
    }
}
