/* SPDX-License-Identifier: MIT */
#include "host/feed.h"

#include "base/clock.h"
#include "host/broker_private.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 50 };

struct feed {
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *topic;
    char *name;
    int64_t queued;
    int64_t acknowledged;
    int64_t failed;
    char *failure; /* of the first that failed */
    char *trouble; /* the last connection error */
};

static void keep_text(char **to, const char *text)
{
    free(*to);
    *to = mem_strdup(text);
}

static void on_delivery(struct feed *feed, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message;

    while ((message = rd_kafka_event_message_next(event)) != NULL) {
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            feed->acknowledged++;
            continue;
        }
        feed->failed++;
        if (feed->failure == NULL)
            feed->failure = mem_strdup(rd_kafka_err2str(message->err));
    }
}

static void serve(struct feed *feed, int timeout_ms)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(feed->queue, timeout_ms);

    for (; event; event = rd_kafka_queue_poll(feed->queue, 0)) {
        rd_kafka_event_type_t type = rd_kafka_event_type(event);

        if (type == RD_KAFKA_EVENT_DR)
            on_delivery(feed, event);
        else if (type == RD_KAFKA_EVENT_LOG)
            broker_log_event(event);
        else if (type == RD_KAFKA_EVENT_ERROR &&
                 (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                  feed->trouble == NULL))
            keep_text(&feed->trouble, rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
    }
}

static int check_topic(struct feed *feed, int timeout_ms, struct error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(feed->handle, 0, feed->topic, &metadata, timeout_ms);

    serve(feed, 0);
    if (code) {
        error_set(err, ERROR_UNREACHABLE, "the broker does not answer: %s",
                  feed->trouble ? feed->trouble : rd_kafka_err2str(code));
        return -1;
    }
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code)
        error_set(err,
                  code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? ERROR_NOT_FOUND
                                                                  : ERROR_FAILED,
                  "topic %s: %s", feed->name, rd_kafka_err2str(code));
    rd_kafka_metadata_destroy(metadata);
    return code ? -1 : 0;
}

struct feed *feed_open(const struct broker_config *config, const char *topic,
                       int timeout_ms, struct error *err)
{
    rd_kafka_conf_t *conf = broker_conf(config, err);
    struct feed *feed;
    char text[512] = "";

    if (conf == NULL)
        return NULL;
    broker_conf_set(conf, "enable.idempotence", "true");
    broker_conf_set(conf, "linger.ms", "5");
    /* The topic's own limit decides; the broker's refusal says what it is. */
    broker_conf_set(conf, "message.max.bytes", "1000000000");
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR |
                                       RD_KAFKA_EVENT_LOG);
    feed = mem_alloc(sizeof *feed);
    feed->name = mem_strdup(topic);
    feed->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (feed->handle == NULL) {
        error_set(err, ERROR_INPUT, "kafka properties: %s", text);
        rd_kafka_conf_destroy(conf);
        feed_close(feed);
        return NULL;
    }
    feed->queue = rd_kafka_queue_get_main(feed->handle);
    (void)rd_kafka_set_log_queue(feed->handle, NULL);
    feed->topic = rd_kafka_topic_new(feed->handle, topic, NULL);
    if (check_topic(feed, timeout_ms, err) < 0) {
        feed_close(feed);
        return NULL;
    }
    return feed;
}

static int check_failed(const struct feed *feed, struct error *err)
{
    if (feed->failed == 0)
        return 0;
    error_set(err, ERROR_FAILED, "%lld record(s) not written to topic %s: %s",
              (long long)feed->failed, feed->name, feed->failure);
    return -1;
}

int feed_add(struct feed *feed, const char *key, size_t key_len, const char *value,
             size_t value_len, struct error *err)
{
    for (;;) {
        rd_kafka_resp_err_t code;

        if (rd_kafka_produce(feed->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                             (void *)(uintptr_t)value, value_len, key, key_len,
                             NULL) == 0)
            break;
        code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            error_set(err, ERROR_INPUT, "a record of %zu bytes for topic %s: %s",
                      value_len, feed->name, rd_kafka_err2str(code));
            return -1;
        }
        serve(feed, STEP_MS);
        if (check_failed(feed, err) < 0)
            return -1;
    }
    feed->queued++;
    if (feed->queued % 1024 == 0)
        serve(feed, 0);
    return 0;
}

int feed_flush(struct feed *feed, int timeout_ms, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;

    while (feed->acknowledged + feed->failed < feed->queued &&
           clock_mono_ms() < deadline_ms)
        serve(feed, STEP_MS);
    if (check_failed(feed, err) < 0)
        return -1;
    if (feed->acknowledged < feed->queued) {
        error_set(err, ERROR_UNREACHABLE,
                  "%lld of %lld record(s) not acknowledged by topic %s: %s",
                  (long long)(feed->queued - feed->acknowledged),
                  (long long)feed->queued, feed->name,
                  feed->trouble ? feed->trouble : "timed out");
        return -1;
    }
    return 0;
}

int64_t feed_acknowledged(const struct feed *feed)
{
    return feed->acknowledged;
}

void feed_close(struct feed *feed)
{
    if (feed == NULL)
        return;
    if (feed->handle) {
        (void)rd_kafka_purge(feed->handle, RD_KAFKA_PURGE_F_QUEUE |
                                               RD_KAFKA_PURGE_F_INFLIGHT |
                                               RD_KAFKA_PURGE_F_NON_BLOCKING);
        serve(feed, 0);
        if (feed->topic)
            rd_kafka_topic_destroy(feed->topic);
        rd_kafka_queue_destroy(feed->queue);
        rd_kafka_destroy(feed->handle);
    }
    free(feed->name);
    free(feed->failure);
    free(feed->trouble);
    free(feed);
}
