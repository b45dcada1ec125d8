/* SPDX-License-Identifier: MIT */
#include "bench_client.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TAKE = 2000,          /* records a batch */
    WINDOW = 1 << 18,     /* unfinished records a partition, at most */
    SEQUENCE_BITS = 40,   /* of an opaque; the rest is the partition's number */
    STORE_MS = 100,
    WAKE_MS = 100,
    QUEUE_MESSAGES = 100000,
};

/* Unfinished records of one input partition, in the order they were taken. */
struct window {
    const rd_kafka_topic_t *rkt;
    int32_t partition;
    int64_t low;    /* sequence of the oldest unfinished record */
    int64_t next;   /* sequence of the next one */
    int64_t stored; /* offset stored last */
    int64_t *offsets; /* by sequence modulo WINDOW */
    bool *done;
};

struct client {
    rd_kafka_t *consumer;
    rd_kafka_t *producer;
    rd_kafka_topic_t *output;
    rd_kafka_queue_t *records;
    rd_kafka_queue_t *reports;
    client_record_fn *on_record;
    struct window *windows;
    size_t window_count;
    struct window *current; /* of the record in hand */
    int wake[2];
    int64_t store_at_ms;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench: error: %s: %s\n", what, why);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        fail("memory", "none left");
    return memory;
}

static struct window *window_of(struct client *client, const rd_kafka_message_t *message)
{
    struct window *window = client->current;

    if (window && window->rkt == message->rkt && window->partition == message->partition)
        return window;
    for (size_t i = 0; i < client->window_count; i++) {
        window = &client->windows[i];
        if (window->rkt == message->rkt && window->partition == message->partition)
            return client->current = window;
    }
    client->windows = realloc(client->windows,
                              (client->window_count + 1) * sizeof *client->windows);
    if (client->windows == NULL)
        fail("memory", "none left");
    window = &client->windows[client->window_count++];
    *window = (struct window){.rkt = message->rkt,
                              .partition = message->partition,
                              .stored = -1,
                              .offsets = allocate(WINDOW, sizeof(int64_t)),
                              .done = allocate(WINDOW, sizeof(bool))};
    return client->current = window;
}

static void finish(struct window *window, int64_t sequence)
{
    window->done[sequence % WINDOW] = true;
    while (window->low < window->next && window->done[window->low % WINDOW])
        window->low++;
}

static void on_report(struct client *client, const rd_kafka_message_t *report)
{
    uint64_t opaque = (uint64_t)(uintptr_t)report->_private;

    if (report->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("a record was not delivered", rd_kafka_err2str(report->err));
    finish(&client->windows[opaque >> SEQUENCE_BITS],
           (int64_t)(opaque & ((UINT64_C(1) << SEQUENCE_BITS) - 1)));
}

/* Serve delivery reports; waits for the first one at most wait_ms. */
static int serve_reports(struct client *client, int wait_ms)
{
    const rd_kafka_message_t *reports[TAKE];
    int served = 0;
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(client->reports, wait_ms)) != NULL) {
        size_t count;

        while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR &&
               (count = rd_kafka_event_message_array(event, reports, TAKE)) > 0) {
            for (size_t i = 0; i < count; i++)
                on_report(client, reports[i]);
            served += (int)count;
        }
        rd_kafka_event_destroy(event);
        wait_ms = 0;
    }
    return served;
}

void client_send(struct client *client, rd_kafka_message_t *message, const void *value,
                 size_t len)
{
    struct window *window = client->current;
    uint64_t opaque = (uint64_t)(window - client->windows) << SEQUENCE_BITS |
                      (uint64_t)(window->next - 1);
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = client->output},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {value ? (void *)(uintptr_t)value : message->payload,
                   value ? len : message->len}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {message->key, message->key_len}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP,
         .u.i64 = rd_kafka_message_timestamp(message, NULL)},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)opaque},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_HEADERS},
    };
    size_t count = sizeof vus / sizeof *vus - 1;
    rd_kafka_error_t *error;

    if (rd_kafka_message_detach_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        vus[count++].u.headers = headers;

    while ((error = rd_kafka_produceva(client->producer, vus, count)) != NULL) {
        if (rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            fail("produce", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        (void)serve_reports(client, WAKE_MS);
    }
    rd_kafka_message_destroy(message);
}

void client_skip(struct client *client, rd_kafka_message_t *message)
{
    finish(client->current, client->current->next - 1);
    rd_kafka_message_destroy(message);
}

static void take(struct client *client, rd_kafka_message_t *message)
{
    struct window *window;

    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message->err != RD_KAFKA_RESP_ERR__TRANSPORT)
            fail("consume", rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
        return;
    }
    window = window_of(client, message);
    while (window->next - window->low == WINDOW)
        (void)serve_reports(client, WAKE_MS);
    window->offsets[window->next % WINDOW] = message->offset;
    window->done[window->next % WINDOW] = false;
    window->next++;
    client->on_record(client, message);
}

static int take_batch(struct client *client)
{
    rd_kafka_message_t *messages[TAKE];
    ssize_t count = rd_kafka_consume_batch_queue(client->records, 0, messages, TAKE);

    for (ssize_t i = 0; i < count; i++)
        take(client, messages[i]);
    return (int)count;
}

static void store(struct client *client)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)client->window_count);

    for (size_t i = 0; i < client->window_count; i++) {
        struct window *window = &client->windows[i];
        int64_t offset;

        if (window->low == 0)
            continue;
        offset = window->offsets[(window->low - 1) % WINDOW] + 1;
        if (offset == window->stored)
            continue;
        window->stored = offset;
        rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(window->rkt),
                                          window->partition)
            ->offset = offset;
    }
    if (list->cnt > 0)
        (void)rd_kafka_offsets_store(client->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[512];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        fail(name, why);
}

/* "name=value,name=value" from the environment: to look for faster settings. */
static void set_more(rd_kafka_conf_t *conf, const char *variable)
{
    char *text = getenv(variable) ? strdup(getenv(variable)) : NULL;
    char *rest = text;
    char *pair;

    while ((pair = strsep(&rest, ",")) != NULL) {
        char *value = strchr(pair, '=');

        if (value == NULL)
            continue;
        *value++ = '\0';
        set(conf, pair, value);
    }
    free(text);
}

static rd_kafka_t *open_handle(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char why[512];
    rd_kafka_t *handle = rd_kafka_new(type, conf, why, sizeof why);

    if (handle == NULL)
        fail("librdkafka", why);
    return handle;
}

static rd_kafka_t *open_consumer(const struct client_spec *spec)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "bootstrap.servers", spec->brokers);
    set(conf, "group.id", spec->group);
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "enable.auto.offset.store", "false");
    set(conf, "auto.commit.interval.ms", "1000");
    set(conf, "socket.nagle.disable", "true");
    set(conf, "fetch.queue.backoff.ms", "5");
    set(conf, "fetch.error.backoff.ms", "100");
    set(conf, "queued.min.messages", "20000");
    set(conf, "queued.max.messages.kbytes", "16384");
    set_more(conf, "BENCH_CONSUMER");
    return open_handle(RD_KAFKA_CONSUMER, conf);
}

static rd_kafka_t *open_producer(const struct client_spec *spec)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char messages[16];

    (void)snprintf(messages, sizeof messages, "%d", QUEUE_MESSAGES);
    set(conf, "bootstrap.servers", spec->brokers);
    set(conf, "enable.idempotence", "true");
    set(conf, "acks", "all");
    set(conf, "linger.ms", "5");
    set(conf, "batch.num.messages", "10000");
    set(conf, "socket.nagle.disable", "true");
    set(conf, "queue.buffering.max.messages", messages);
    set(conf, "queue.buffering.max.kbytes", "32768");
    set(conf, "partitioner", "murmur2_random");
    set(conf, "message.timeout.ms", "0");
    set_more(conf, "BENCH_PRODUCER");
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    return open_handle(RD_KAFKA_PRODUCER, conf);
}

static void subscribe(const struct client *client, const struct client_spec *spec)
{
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new(spec->input_count);

    for (int i = 0; i < spec->input_count; i++)
        rd_kafka_topic_partition_list_add(topics, spec->inputs[i], RD_KAFKA_PARTITION_UA);
    if (rd_kafka_subscribe(client->consumer, topics) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(spec->inputs[0], "can't be subscribed to");
    rd_kafka_topic_partition_list_destroy(topics);
}

static void open_client(struct client *client, const struct client_spec *spec)
{
    if (pipe2(client->wake, O_NONBLOCK | O_CLOEXEC) != 0)
        fail("pipe", "none");
    client->on_record = spec->on_record;
    client->consumer = open_consumer(spec);
    (void)rd_kafka_poll_set_consumer(client->consumer);
    client->records = rd_kafka_queue_get_consumer(client->consumer);
    rd_kafka_queue_io_event_enable(client->records, client->wake[1], "1", 1);
    client->producer = open_producer(spec);
    client->reports = rd_kafka_queue_get_main(client->producer);
    rd_kafka_queue_io_event_enable(client->reports, client->wake[1], "1", 1);
    if (spec->output)
        client->output = rd_kafka_topic_new(client->producer, spec->output, NULL);
    subscribe(client, spec);
}

static void sleep_until_woken(const struct client *client)
{
    struct pollfd fd = {.fd = client->wake[0], .events = POLLIN};
    char bytes[64];

    (void)poll(&fd, 1, WAKE_MS);
    while (read(client->wake[0], bytes, sizeof bytes) > 0)
        continue;
}

static void close_client(struct client *client)
{
    while (rd_kafka_outq_len(client->producer) > 0)
        (void)serve_reports(client, WAKE_MS);
    store(client);
    (void)rd_kafka_commit(client->consumer, NULL, 0);
    rd_kafka_queue_destroy(client->records);
    rd_kafka_queue_destroy(client->reports);
    (void)rd_kafka_consumer_close(client->consumer);
    if (client->output)
        rd_kafka_topic_destroy(client->output);
    rd_kafka_destroy(client->consumer);
    rd_kafka_destroy(client->producer);
    for (size_t i = 0; i < client->window_count; i++) {
        free(client->windows[i].offsets);
        free(client->windows[i].done);
    }
    free(client->windows);
}

int client_run(const struct client_spec *spec)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct client client = {0};

    (void)sigaction(SIGTERM, &action, NULL);
    open_client(&client, spec);
    while (!stopped) {
        int worked = take_batch(&client);

        worked += serve_reports(&client, 0);
        if (now_ms() >= client.store_at_ms) {
            store(&client);
            client.store_at_ms = now_ms() + STORE_MS;
        }
        if (worked == 0)
            sleep_until_woken(&client);
    }
    close_client(&client);
    return 0;
}
