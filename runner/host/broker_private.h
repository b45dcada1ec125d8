/* SPDX-License-Identifier: MIT
 *
 * broker_private.h - what the broker's files share: requests, replies, configuration.
 * Layer: host; private to broker*.c, tap*.c and producer.c, which are librdkafka's owners on
 * the runner's side.
 */
#ifndef HOST_BROKER_PRIVATE_H
#define HOST_BROKER_PRIVATE_H

#include "base/mem.h"
#include "host/broker.h"

#include <librdkafka/rdkafka.h>

/*
 * A librdkafka configuration from ours: servers, client id, properties; log lines and
 * errors go to the handle's queue. The caller moves it into rd_kafka_new or destroys
 * it.
 */
rd_kafka_conf_t *broker_conf(const struct broker_config *config, struct error *err);
/* Set one of our own settings: only a bug makes it fail. */
void broker_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);
/* Give a RD_KAFKA_EVENT_LOG to base/log. */
void broker_log_event(rd_kafka_event_t *event);

/* A reply under construction. Texts are borrowed from the event or live in the arena.
 */
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
                            const struct broker_request *request,
                            rd_kafka_event_t *event);
/* Hand to librdkafka what the request holds. */
typedef void broker_send_fn(struct broker_request *request);

enum broker_request_state {
    BROKER_ASKED,   /* librdkafka has it, and will give it back as an event's opaque */
    BROKER_WAITING, /* to be sent by a tick */
    BROKER_LOCAL,   /* answered with error_code and error by the next dispatch */
};

struct broker_request {
    struct broker *broker;
    broker_fill_fn *fill;
    broker_done_fn *done;
    void *arg;
    int64_t deadline_ms;
    /* For requests that are asked again while the cluster finds a new leader or group
     * coordinator; asking twice must change nothing. Others: NULL. */
    broker_send_fn *send;
    bool coordinated; /* goes to a group's coordinator: see broker_request.c */
    /* What is asked. */
    char **names;
    size_t name_count;
    char *group;
    rd_kafka_topic_partition_list_t *list;
    bool read_committed;
    /* Where it stands. */
    struct broker_request *next;
    struct broker_request *prev;
    enum broker_request_state state;
    int error_code;
    char *error;
};

struct broker {
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    rd_kafka_conf_t *conf; /* to make the handle anew */
    int fd;                /* epoll: readable when one of the next two is */
    int queue_fd;          /* eventfd: there is something to dispatch */
    int timer_fd;          /* ticks while requests wait */
    bool ticking;
    bool pinging;
    int64_t ping_at_ms; /* not before */
    bool up;
    char *last_error;
    struct broker_request *requests;
    size_t outstanding;
    size_t local; /* requests in state BROKER_LOCAL */
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
/* Options for an Admin call of the request, with the time that it has left; the caller
 * destroys them. */
rd_kafka_AdminOptions_t *broker_request_options(struct broker_request *request,
                                                rd_kafka_admin_op_t op);
/* Send it, and again while that may help. */
void broker_request_send(struct broker_request *request, broker_send_fn *send);
/* The same for one that goes to a group's coordinator. */
void broker_request_send_coordinated(struct broker_request *request,
                                     broker_send_fn *send);
/* Answer it out of the next dispatch instead of asking; code 0: an empty reply. */
void broker_request_local(struct broker_request *request, int code, const char *text);

/* The event is librdkafka's answer to the request: call its done function, or wait. */
void broker_request_answer(struct broker_request *request, rd_kafka_event_t *event);
/* Answer those in state BROKER_LOCAL. */
void broker_request_answer_local(struct broker *broker);
/* Answer all with a code, when nothing of them is with librdkafka any more. */
void broker_request_answer_all(struct broker *broker, int code, const char *text);
/* The timer's work. */
void broker_request_tick(struct broker *broker);

/* Make broker_fd readable. */
void broker_wake(struct broker *broker);
void broker_remember_error(struct broker *broker, const char *text);
/* Replace the handle by a new one, forgetting what the old one was asked; false when
 * there can be none now. */
bool broker_renew(struct broker *broker);

#endif
