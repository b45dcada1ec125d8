/* SPDX-License-Identifier: MIT
 *
 * broker_request.c - requests from question to answer: sent, asked again while the
 * cluster moves, timed out.
 *
 * Requests to a group's coordinator need care. librdkafka 2.15.1 aborts the process
 * when one has timed out before its coordinator was found and the coordinator then
 * comes (its issue 4605): just what happens when a broker goes and comes back. So it
 * never sees our time-outs, it is not given any while no broker answers, and when one
 * is overdue all the same, its handle is replaced.
 */
#include "host/broker_private.h"

#include "base/clock.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    TICK_MS = 100,
    TIMEOUT_MAX_MS = 3600 * 1000, /* librdkafka's own limit */
    /* librdkafka knocks at a broker's door without any pause while a request waits for
     * it: two busy threads. So a ping waits briefly, and rests in between. */
    PING_MS = 250,
    PING_PAUSE_MS = 1000,
};

struct broker_request *broker_request_new(const struct broker_call *call,
                                          broker_fill_fn *fill)
{
    struct broker *broker = call->broker;
    struct broker_request *request = mem_alloc(sizeof *request);

    *request =
        (struct broker_request){.broker = broker,
                                .fill = fill,
                                .done = call->done,
                                .arg = call->arg,
                                .deadline_ms = clock_mono_ms() + call->timeout_ms,
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
                                                rd_kafka_admin_op_t op)
{
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(request->broker->handle, op);
    int64_t left_ms = request->deadline_ms - clock_mono_ms();
    int timeout_ms = left_ms < 1 ? 1 : (int)left_ms;
    char text[256];

    (void)rd_kafka_AdminOptions_set_request_timeout(
        options, request->coordinated ? TIMEOUT_MAX_MS : timeout_ms, text, sizeof text);
    /* Half of it for the broker's own work, so that its answer still comes in time.
     * Verbs that know no such time refuse it. */
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms / 2, text,
                                                      sizeof text);
    rd_kafka_AdminOptions_set_opaque(options, request);
    return options;
}

static void start_ticking(struct broker *broker)
{
    struct itimerspec often = {.it_value.tv_nsec = TICK_MS * 1000000L,
                               .it_interval.tv_nsec = TICK_MS * 1000000L};

    if (!broker->ticking)
        (void)timerfd_settime(broker->timer_fd, 0, &often, NULL);
    broker->ticking = true;
}

static void stop_ticking(struct broker *broker)
{
    struct itimerspec never = {0};

    (void)timerfd_settime(broker->timer_fd, 0, &never, NULL);
    broker->ticking = false;
}

static void send_now(struct broker_request *request)
{
    request->state = BROKER_ASKED;
    request->send(request);
}

void broker_request_send(struct broker_request *request, broker_send_fn *send)
{
    request->send = send;
    send_now(request);
}

void broker_request_send_coordinated(struct broker_request *request,
                                     broker_send_fn *send)
{
    request->send = send;
    request->coordinated = true;
    start_ticking(request->broker); /* its deadline is ours to keep */
    if (request->broker->up)
        send_now(request);
    else
        request->state = BROKER_WAITING;
}

void broker_request_local(struct broker_request *request, int code, const char *text)
{
    request->state = BROKER_LOCAL;
    request->error_code = code;
    free(request->error);
    request->error = mem_strdup(text);
    request->broker->local++;
    broker_wake(request->broker);
}

static void request_free(struct broker_request *request)
{
    struct broker *broker;

    if (request == NULL)
        return;
    broker = request->broker;
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
    free(request->group);
    if (request->list)
        rd_kafka_topic_partition_list_destroy(request->list);
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
        broker_remember_error(broker,
                              reply->error ? reply->error : reply->items[0].error);
}

/* The cluster is moving a leader or a coordinator, or starting: it will pass. */
static bool is_passing(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
        return true;
    default:
        return false;
    }
}

static bool is_to_be_asked_again(const struct broker_request *request,
                                 const struct broker_reply *reply)
{
    bool passing = is_passing(reply->error_code);

    if (request->send == NULL || request->deadline_ms - clock_mono_ms() <= TICK_MS)
        return false;
    for (size_t i = 0; i < reply->count && !passing; i++)
        passing = is_passing(reply->items[i].error_code);
    return passing;
}

void broker_request_answer(struct broker_request *request, rd_kafka_event_t *event)
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
    if (is_to_be_asked_again(request, &builder.reply)) {
        request->state = BROKER_WAITING;
        start_ticking(request->broker);
        request = NULL;
    } else {
        request->done(request->arg, &builder.reply);
    }
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

void broker_request_answer_local(struct broker *broker)
{
    struct broker_request *request = broker->requests;

    /* A done function may add requests in front: those wait for the next dispatch. */
    while (broker->local > 0 && request) {
        struct broker_request *next = request->next;

        if (request->state == BROKER_LOCAL) {
            broker->local--;
            answer_local(request);
        }
        request = next;
    }
}

void broker_request_answer_all(struct broker *broker, int code, const char *text)
{
    while (broker->requests) {
        struct broker_request *request = broker->requests;

        broker_request_local(request, code, text);
        answer_local(request);
    }
}

static void time_out(struct broker_request *request)
{
    broker_request_local(request, RD_KAFKA_RESP_ERR__TIMED_OUT,
                         rd_kafka_err2str(RD_KAFKA_RESP_ERR__TIMED_OUT));
}

static bool is_overdue(const struct broker_request *request, int64_t now_ms)
{
    return request->send && request->state != BROKER_LOCAL &&
           (request->coordinated || request->state == BROKER_WAITING) &&
           now_ms >= request->deadline_ms;
}

/* librdkafka holds an overdue request to a coordinator: it and all others are taken
 * from it, and those that can be asked twice are asked again. */
static void take_back_all(struct broker *broker)
{
    if (!broker_renew(broker))
        return;
    broker->up = false;
    for (struct broker_request *r = broker->requests; r; r = r->next) {
        if (r->state != BROKER_ASKED)
            continue;
        if (r->send)
            r->state = BROKER_WAITING;
        else
            broker_request_local(r, RD_KAFKA_RESP_ERR__TRANSPORT,
                                 "the connection to the broker was renewed meanwhile");
    }
}

static void on_ping(void *arg, const struct broker_reply *reply)
{
    struct broker *broker = arg;

    (void)reply; /* broker_request_answer has seen whether it came */
    broker->pinging = false;
}

static void ping(struct broker *broker)
{
    int64_t now_ms = clock_mono_ms();

    if (broker->pinging || now_ms < broker->ping_at_ms)
        return;
    broker->pinging = true;
    broker->ping_at_ms = now_ms + PING_PAUSE_MS;
    broker_ping(broker, PING_MS, on_ping, broker);
}

static void send_waiting(struct broker *broker)
{
    for (struct broker_request *r = broker->requests; r; r = r->next) {
        if (r->state != BROKER_WAITING)
            continue;
        if (!r->coordinated || broker->up)
            send_now(r);
        else
            ping(broker);
    }
}

void broker_request_tick(struct broker *broker)
{
    int64_t now_ms = clock_mono_ms();
    bool needed = false;
    bool stuck = false;
    uint64_t times;

    if (read(broker->timer_fd, &times, sizeof times) < 0)
        return;
    for (struct broker_request *r = broker->requests; r; r = r->next)
        stuck |= is_overdue(r, now_ms) && r->state == BROKER_ASKED;
    if (stuck)
        take_back_all(broker);
    for (struct broker_request *r = broker->requests; r; r = r->next) {
        if (is_overdue(r, now_ms) && r->state == BROKER_WAITING)
            time_out(r);
        needed |=
            r->state == BROKER_WAITING || (r->state == BROKER_ASKED && r->coordinated);
    }
    send_waiting(broker);
    if (!needed)
        stop_ticking(broker);
}
