/* SPDX-License-Identifier: MIT
 *
 * broker.c - the handle, its queue and descriptor, and whether a broker is there.
 */
#include "host/broker_private.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

void broker_wake(struct broker *broker)
{
    uint64_t one = 1;

    /* It can only refuse when it is readable already. */
    if (write(broker->queue_fd, &one, sizeof one) < 0)
        return;
}

static int open_descriptors(struct broker *broker, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN};

    broker->fd = epoll_create1(EPOLL_CLOEXEC);
    broker->queue_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    broker->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (broker->fd >= 0 && broker->queue_fd >= 0 && broker->timer_fd >= 0 &&
        epoll_ctl(broker->fd, EPOLL_CTL_ADD, broker->queue_fd, &event) == 0 &&
        epoll_ctl(broker->fd, EPOLL_CTL_ADD, broker->timer_fd, &event) == 0)
        return 0;
    error_set(err, ERROR_INTERNAL, "no descriptors for a broker: %s", strerror(errno));
    return -1;
}

static void close_descriptors(struct broker *broker)
{
    const int fds[] = {broker->fd, broker->queue_fd, broker->timer_fd};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
}

/*
 * A consumer's handle, though nothing is ever consumed: librdkafka 2.15.1 crashes in
 * ListConsumerGroupOffsets when a coordinator has moved and its handle has no group.
 */
static rd_kafka_t *new_handle(struct broker *broker, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(broker->conf);
    char text[512] = "";
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);

    if (handle == NULL) {
        error_set(err, ERROR_INPUT, "kafka properties: %s", text);
        rd_kafka_conf_destroy(conf);
    }
    return handle;
}

static void use_handle(struct broker *broker, rd_kafka_t *handle)
{
    static const uint64_t one = 1;

    broker->handle = handle;
    (void)rd_kafka_poll_set_consumer(handle);
    broker->queue = rd_kafka_queue_get_consumer(handle);
    (void)rd_kafka_set_log_queue(handle, broker->queue);
    rd_kafka_queue_io_event_enable(broker->queue, broker->queue_fd, &one, sizeof one);
    /* librdkafka writes only when an empty queue gets its first entry, and this one may
     * have some already. */
    broker_wake(broker);
}

static void drop_handle(struct broker *broker)
{
    rd_kafka_queue_io_event_enable(broker->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(broker->queue);
    rd_kafka_destroy_flags(broker->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

bool broker_renew(struct broker *broker)
{
    struct error err = {0};
    rd_kafka_t *handle = new_handle(broker, &err);

    if (handle == NULL) {
        log_write(LOG_WARN, "broker", NULL, "no new connection: %s", err.text);
        return false;
    }
    drop_handle(broker);
    use_handle(broker, handle);
    return true;
}

static void free_broker(struct broker *broker)
{
    close_descriptors(broker);
    if (broker->conf)
        rd_kafka_conf_destroy(broker->conf);
    free(broker->last_error);
    free(broker);
}

struct broker *broker_open(const struct broker_config *config, struct error *err)
{
    struct broker *broker = mem_alloc(sizeof *broker);
    rd_kafka_t *handle = NULL;

    broker->conf = broker_conf(config, err);
    if (broker->conf) {
        broker_conf_set(broker->conf, "group.id", "dagrun-admin");
        broker_conf_set(broker->conf, "enable.auto.commit", "false");
        /* ListOffsets goes by cached leaders and does not look again when these have
         * become stale, as they do when a broker restarts; default: 15 minutes. */
        broker_conf_set(broker->conf, "metadata.max.age.ms", "1000");
    }
    if (open_descriptors(broker, err) == 0 && broker->conf)
        handle = new_handle(broker, err);
    if (handle == NULL) {
        free_broker(broker);
        return NULL;
    }
    use_handle(broker, handle);
    return broker;
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

void broker_remember_error(struct broker *broker, const char *text)
{
    free(broker->last_error);
    broker->last_error = mem_strdup(text);
}

static void on_error_event(struct broker *broker, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        broker->up = false;
    /* "1/1 brokers are down" says less than why one of them is. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || broker->last_error == NULL)
        broker_remember_error(broker, rd_kafka_event_error_string(event));
}

void broker_dispatch(struct broker *broker)
{
    rd_kafka_event_t *event;
    uint64_t count;

    /* First the descriptor, then the queue until it is empty: else a wake-up gets lost.
     */
    if (read(broker->queue_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return;
    while ((event = rd_kafka_queue_poll(broker->queue, 0)) != NULL) {
        rd_kafka_event_type_t type = rd_kafka_event_type(event);

        if (type == RD_KAFKA_EVENT_LOG)
            broker_log_event(event);
        else if (type == RD_KAFKA_EVENT_ERROR)
            on_error_event(broker, event);
        else if (rd_kafka_event_opaque(event))
            broker_request_answer(rd_kafka_event_opaque(event), event);
        rd_kafka_event_destroy(event);
    }
    broker_request_tick(broker);
    broker_request_answer_local(broker);
}

void broker_close(struct broker *broker)
{
    if (broker == NULL)
        return;
    drop_handle(broker);
    broker_request_answer_all(broker, RD_KAFKA_RESP_ERR__DESTROY,
                              "the connection to the broker was closed");
    free_broker(broker);
}
