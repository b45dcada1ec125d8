/* SPDX-License-Identifier: MIT */
#include "host/broker_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct broker {
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    int fd;
    bool up;
    char *last_error;
    struct broker_request *requests;
    size_t outstanding;
    size_t local; /* requests that wait for dispatch only */
};

static void wake(struct broker *broker)
{
    uint64_t one = 1;

    /* It can only refuse when it is readable already. */
    if (write(broker->fd, &one, sizeof one) < 0)
        return;
}

struct broker *broker_open(const struct broker_config *config, struct error *err)
{
    static const uint64_t one = 1; /* librdkafka keeps the pointer's bytes */
    rd_kafka_conf_t *conf = broker_conf(config, err);
    struct broker *broker;
    char text[512] = "";

    if (conf == NULL)
        return NULL;
    broker = mem_alloc(sizeof *broker);
    broker->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (broker->fd < 0) {
        error_set(err, ERROR_INTERNAL, "eventfd: %s", strerror(errno));
        goto failed;
    }
    broker->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (broker->handle == NULL) {
        error_set(err, ERROR_INPUT, "kafka properties: %s", text);
        goto failed;
    }
    broker->queue = rd_kafka_queue_get_main(broker->handle);
    (void)rd_kafka_set_log_queue(broker->handle, NULL);
    rd_kafka_queue_io_event_enable(broker->queue, broker->fd, &one, sizeof one);
    /* librdkafka writes only when an empty queue gets its first entry, and this one may
     * have some already. */
    wake(broker);
    return broker;

failed:
    rd_kafka_conf_destroy(conf);
    if (broker->fd >= 0)
        (void)close(broker->fd);
    free(broker);
    return NULL;
}

int broker_fd(const struct broker *broker)
{
    return broker->fd;
}

bool broker_is_up(const struct broker *broker)
{
    return broker->up;
}

const char *broker_last_error(const struct broker *broker)
{
    return broker->last_error;
}

size_t broker_outstanding(const struct broker *broker)
{
    return broker->outstanding;
}

const char *broker_library_version(void)
{
    return rd_kafka_version_str();
}

const char *broker_code_text(int code)
{
    return rd_kafka_err2str((rd_kafka_resp_err_t)code);
}

rd_kafka_t *broker_handle(struct broker *broker)
{
    return broker->handle;
}

rd_kafka_queue_t *broker_queue(struct broker *broker)
{
    return broker->queue;
}

/* Building replies. */

struct broker_item *broker_add_item(struct broker_builder *builder, const char *name)
{
    struct broker_item *item;

    builder->items = mem_grow(builder->items, builder->reply.count, &builder->capacity,
                              sizeof *builder->items);
    item = &builder->items[builder->reply.count++];
    *item = (struct broker_item){.name = name, .offset = -1, .timestamp_ms = -1};
    return item;
}

void broker_item_fail(struct broker_item *item, rd_kafka_resp_err_t code,
                      const char *text)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    item->error_code = code;
    item->error = text && *text ? text : rd_kafka_err2str(code);
}

void broker_item_check(struct broker_item *item, const rd_kafka_error_t *error)
{
    if (error)
        broker_item_fail(item, rd_kafka_error_code(error),
                         rd_kafka_error_string(error));
}

void broker_add_topic_results(struct broker_builder *builder,
                              const rd_kafka_topic_result_t **results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct broker_item *item =
            broker_add_item(builder, rd_kafka_topic_result_name(results[i]));

        broker_item_fail(item, rd_kafka_topic_result_error(results[i]),
                         rd_kafka_topic_result_error_string(results[i]));
    }
}

void broker_add_partitions(struct broker_builder *builder,
                           const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *from = &list->elems[i];
        struct broker_item *item = broker_add_item(builder, from->topic);

        item->partition = from->partition;
        item->offset = from->offset < 0 ? -1 : from->offset;
        if (from->metadata)
            item->metadata =
                mem_arena_strndup(&builder->arena, from->metadata, from->metadata_size);
        broker_item_fail(item, from->err, NULL);
    }
}

void broker_add_group_results(struct broker_builder *builder,
                              const rd_kafka_group_result_t **results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_error_t *error = rd_kafka_group_result_error(results[i]);

        if (error && count == 1 && builder->reply.error == NULL) {
            builder->reply.error_code = rd_kafka_error_code(error);
            builder->reply.error = rd_kafka_error_string(error);
        }
        broker_add_partitions(builder, rd_kafka_group_result_partitions(results[i]));
    }
}

/* Requests. */

struct broker_request *broker_request_new(const struct broker_call *call,
                                          broker_fill_fn *fill)
{
    struct broker *broker = call->broker;
    struct broker_request *request = mem_alloc(sizeof *request);

    *request = (struct broker_request){.broker = broker,
                                       .fill = fill,
                                       .done = call->done,
                                       .arg = call->arg,
                                       .next = broker->requests};
    if (broker->requests)
        broker->requests->prev = request;
    broker->requests = request;
    broker->outstanding++;
    return request;
}

void broker_request_names(struct broker_request *request, const char *const *names,
                          size_t count)
{
    request->names = mem_alloc(count * sizeof *request->names);
    request->name_count = count;
    for (size_t i = 0; i < count; i++)
        request->names[i] = mem_strdup(names[i]);
}

rd_kafka_AdminOptions_t *broker_request_options(struct broker_request *request,
                                                rd_kafka_admin_op_t op, int timeout_ms)
{
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(request->broker->handle, op);
    char text[256];

    if (timeout_ms < 1)
        timeout_ms = 1;
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text,
                                                    sizeof text);
    /* Half of it for the broker's own work, so that its answer still comes in time.
     * Verbs that know no such time refuse it. */
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms / 2, text,
                                                      sizeof text);
    rd_kafka_AdminOptions_set_opaque(options, request);
    return options;
}

void broker_request_local(struct broker_request *request, int code, const char *text)
{
    request->local = true;
    request->error_code = code;
    request->error = mem_strdup(text);
    request->broker->local++;
    wake(request->broker);
}

static void request_free(struct broker_request *request)
{
    struct broker *broker = request->broker;

    if (request->prev)
        request->prev->next = request->next;
    else
        broker->requests = request->next;
    if (request->next)
        request->next->prev = request->prev;
    broker->outstanding--;
    for (size_t i = 0; i < request->name_count; i++)
        free(request->names[i]);
    free(request->names);
    free(request->error);
    free(request);
}

/* Nobody answered, as opposed to a broker that said no. */
static bool is_silence(int code)
{
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
           code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE ||
           code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           code == RD_KAFKA_RESP_ERR__SSL ||
           code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

static void remember_error(struct broker *broker, const char *text)
{
    free(broker->last_error);
    broker->last_error = mem_strdup(text);
}

static void note_answer(struct broker *broker, const struct broker_reply *reply)
{
    bool silent = is_silence(reply->error_code);

    for (size_t i = 0; i < reply->count && !silent && reply->error_code == 0; i++) {
        if (!is_silence(reply->items[i].error_code)) {
            broker->up = true;
            return;
        }
        silent = i + 1 == reply->count;
    }
    broker->up = !silent;
    if (silent && broker->last_error == NULL)
        remember_error(broker, reply->error ? reply->error : reply->items[0].error);
}

static void answer(struct broker_request *request, rd_kafka_event_t *event)
{
    struct broker_builder builder = {0};
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        request->fill(&builder, request, event);
    } else {
        builder.reply.error_code = code;
        builder.reply.error = rd_kafka_event_error_string(event);
    }
    builder.reply.items = builder.items;
    note_answer(request->broker, &builder.reply);
    request->done(request->arg, &builder.reply);
    free(builder.items);
    mem_arena_clear(&builder.arena);
    request_free(request);
}

static void answer_local(struct broker_request *request)
{
    struct broker_reply reply = {.error_code = request->error_code,
                                 .error = request->error};

    request->done(request->arg, &reply);
    request_free(request);
}

static void dispatch_local(struct broker *broker)
{
    /* A done function may add requests in front: those wait for the next dispatch. */
    struct broker_request *request = broker->requests;

    while (broker->local > 0 && request) {
        struct broker_request *next = request->next;

        if (request->local) {
            broker->local--;
            answer_local(request);
        }
        request = next;
    }
}

static void on_error_event(struct broker *broker, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        broker->up = false;
    /* "1/1 brokers are down" says less than why one of them is. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || broker->last_error == NULL)
        remember_error(broker, rd_kafka_event_error_string(event));
}

void broker_dispatch(struct broker *broker)
{
    rd_kafka_event_t *event;
    uint64_t count;

    /* First the descriptor, then the queue until it is empty: else a wake-up gets lost.
     */
    if (read(broker->fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return;
    while ((event = rd_kafka_queue_poll(broker->queue, 0)) != NULL) {
        rd_kafka_event_type_t type = rd_kafka_event_type(event);

        if (type == RD_KAFKA_EVENT_LOG)
            broker_log_event(event);
        else if (type == RD_KAFKA_EVENT_ERROR)
            on_error_event(broker, event);
        else if (rd_kafka_event_opaque(event))
            answer(rd_kafka_event_opaque(event), event);
        rd_kafka_event_destroy(event);
    }
    dispatch_local(broker);
}

void broker_close(struct broker *broker)
{
    if (broker == NULL)
        return;
    rd_kafka_queue_io_event_enable(broker->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(broker->queue);
    rd_kafka_destroy(broker->handle);
    while (broker->requests) {
        struct broker_request *request = broker->requests;

        free(request->error);
        request->error_code = BROKER_CLOSED;
        request->error = mem_strdup("the connection to the broker was closed");
        answer_local(request);
    }
    (void)close(broker->fd);
    free(broker->last_error);
    free(broker);
}
