/* SPDX-License-Identifier: MIT
 *
 * broker_private.h - what the broker's files share: requests, replies, configuration.
 * Layer: host; private to broker*.c, tap.c and feed.c, which are librdkafka's owners on
 * the runner's side.
 */
#ifndef HOST_BROKER_PRIVATE_H
#define HOST_BROKER_PRIVATE_H

#include "base/mem.h"
#include "host/broker.h"

#include <librdkafka/rdkafka.h>

/*
 * A librdkafka configuration from ours: servers, client id, properties; log lines and
 * errors go to the handle's queue. The caller moves it into rd_kafka_new or destroys it.
 */
rd_kafka_conf_t *broker_conf(const struct broker_config *config, struct error *err);
/* Set one of our own settings: only a bug makes it fail. */
void broker_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);
/* Give a RD_KAFKA_EVENT_LOG to base/log. */
void broker_log_event(rd_kafka_event_t *event);

/* A reply under construction. Texts are borrowed from the event or live in the arena. */
struct broker_builder {
    struct mem_arena arena;
    struct broker_reply reply;
    struct broker_item *items;
    size_t capacity;
};

/* A new item, offset and timestamp -1; the pointer is good until the next call. */
struct broker_item *broker_add_item(struct broker_builder *builder, const char *name);
void broker_item_fail(struct broker_item *item, rd_kafka_resp_err_t code,
                      const char *text);
void broker_item_check(struct broker_item *item, const rd_kafka_error_t *error);
/* Items from the results that topics, groups and offsets have in common. */
void broker_add_topic_results(struct broker_builder *builder,
                              const rd_kafka_topic_result_t **results, size_t count);
void broker_add_group_results(struct broker_builder *builder,
                              const rd_kafka_group_result_t **results, size_t count);
void broker_add_partitions(struct broker_builder *builder,
                           const rd_kafka_topic_partition_list_t *list);

/* One question to the broker. */
struct broker_request;
/* Turn an event without a request-level error into items. */
typedef void broker_fill_fn(struct broker_builder *builder,
                            const struct broker_request *request, rd_kafka_event_t *event);

struct broker_request {
    struct broker *broker;
    broker_fill_fn *fill;
    broker_done_fn *done;
    void *arg;
    char **names; /* what was asked for, when fill wants to know */
    size_t name_count;
    struct broker_request *next;
    struct broker_request *prev;
    bool local; /* answered without the broker, by the next dispatch */
    int error_code;
    char *error;
};

/* How a request is made: all verbs have these. */
struct broker_call {
    struct broker *broker;
    int timeout_ms;
    broker_done_fn *done;
    void *arg;
};

struct broker_request *broker_request_new(const struct broker_call *call,
                                          broker_fill_fn *fill);
void broker_request_names(struct broker_request *request, const char *const *names,
                          size_t count);
/* Options for an Admin call of the request; the caller destroys them. */
rd_kafka_AdminOptions_t *broker_request_options(struct broker_request *request,
                                                rd_kafka_admin_op_t op, int timeout_ms);
/* Answer it out of the next dispatch instead of asking; code 0: an empty reply. */
void broker_request_local(struct broker_request *request, int code, const char *text);

rd_kafka_t *broker_handle(struct broker *broker);
rd_kafka_queue_t *broker_queue(struct broker *broker);

#endif
