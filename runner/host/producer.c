/* SPDX-License-Identifier: MIT */
#include "host/producer.h"

#include "base/clock.h"
#include "host/broker_private.h"

#include <stdlib.h>

enum { FULL_WAIT_MS = 100 };

struct producer {
    rd_kafka_t *handle;
    rd_kafka_queue_t *log;
    bool open; /* a transaction is */
};

static void serve_log(struct producer *producer)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(producer->log, 0)) != NULL) {
        broker_log_event(event);
        rd_kafka_event_destroy(event);
    }
}

/* Say what a transactional call answered; true when it went well. */
static bool went_well(struct producer *producer, rd_kafka_error_t *error,
                      const char *what, struct error *err)
{
    enum error_kind kind = ERROR_UNREACHABLE;

    serve_log(producer);
    if (error == NULL)
        return true;
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT)
        kind = ERROR_TIMEOUT;
    else if (rd_kafka_error_is_fatal(error))
        kind = ERROR_CONFLICT;
    error_set(err, kind, "%s: %s", what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

static rd_kafka_conf_t *configure(const struct broker_config *config, const char *id,
                                  struct error *err)
{
    rd_kafka_conf_t *conf = broker_conf(config, err);

    if (conf == NULL)
        return NULL;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_LOG);
    broker_conf_set(conf, "transactional.id", id);
    broker_conf_set(conf, "transaction.timeout.ms", "30000");
    broker_conf_set(conf, "message.timeout.ms", "30000");
    broker_conf_set(conf, "linger.ms", "2");
    /* A batch that is refused must not pass for written because the next was taken. */
    broker_conf_set(conf, "max.in.flight.requests.per.connection", "1");
    /* The topic has the limit that counts. */
    broker_conf_set(conf, "message.max.bytes", "1000000000");
    broker_conf_set(conf, "batch.size", "1000000");
    return conf;
}

struct producer *producer_open(const struct broker_config *config, const char *id,
                               int timeout_ms, struct error *err)
{
    rd_kafka_conf_t *conf = configure(config, id, err);
    struct producer *producer;
    char text[512] = "";

    if (conf == NULL)
        return NULL;
    producer = mem_alloc(sizeof *producer);
    producer->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (producer->handle == NULL) {
        error_set(err, ERROR_INPUT, "kafka properties: %s", text);
        rd_kafka_conf_destroy(conf);
        free(producer);
        return NULL;
    }
    producer->log = rd_kafka_queue_new(producer->handle);
    (void)rd_kafka_set_log_queue(producer->handle, producer->log);
    if (went_well(producer, rd_kafka_init_transactions(producer->handle, timeout_ms),
                  "begin to write in transactions", err))
        return producer;
    if (err->kind == ERROR_TIMEOUT) /* nothing was written yet */
        err->kind = ERROR_UNREACHABLE;
    producer_close(producer);
    return NULL;
}

static void give_up(struct producer *producer, int timeout_ms)
{
    struct error ignored = {0};

    if (producer->open)
        (void)went_well(producer,
                        rd_kafka_abort_transaction(producer->handle, timeout_ms),
                        "end a transaction", &ignored);
    producer->open = false;
}

void producer_close(struct producer *producer)
{
    enum { ABORT_MS = 2000 };

    if (producer == NULL)
        return;
    give_up(producer, ABORT_MS);
    serve_log(producer);
    rd_kafka_queue_destroy(producer->log);
    rd_kafka_destroy(producer->handle);
    free(producer);
}

static rd_kafka_headers_t *headers_of(const struct tap_record *record)
{
    rd_kafka_headers_t *headers;

    if (record->header_count == 0)
        return NULL;
    headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct tap_header *header = &record->headers[i];

        (void)rd_kafka_header_add(headers, header->name, -1, header->value,
                                  header->value ? (ssize_t)header->len : 0);
    }
    return headers;
}

/* A NULL key or value stays NULL; an empty one stays empty. */
static rd_kafka_resp_err_t send_one(struct producer *producer, const char *topic,
                                    const struct tap_record *record)
{
    rd_kafka_headers_t *headers = headers_of(record);
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)(uintptr_t)record->value, .size = record->value_len}},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)(uintptr_t)record->key, .size = record->key_len}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP,
         .u.i64 = record->timestamp_ms > 0 ? record->timestamp_ms : 0},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof vus / sizeof *vus - (headers == NULL);
    rd_kafka_error_t *error = rd_kafka_produceva(producer->handle, vus, count);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);

    if (error) {
        rd_kafka_error_destroy(error);
        if (headers)
            rd_kafka_headers_destroy(headers);
    }
    return code;
}

static int send_all(struct producer *producer, const char *topic,
                    const struct tap_record *records, size_t count, int64_t until_ms,
                    struct error *err)
{
    for (size_t i = 0; i < count;) {
        rd_kafka_resp_err_t code = send_one(producer, topic, &records[i]);

        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            i++;
            continue;
        }
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && clock_mono_ms() < until_ms) {
            (void)rd_kafka_poll(producer->handle, FULL_WAIT_MS);
            continue;
        }
        error_set(err, ERROR_FAILED, "topic %s: %s", topic, rd_kafka_err2str(code));
        return -1;
    }
    return 0;
}

/* A commit that is not answered may be asked for again. */
static rd_kafka_error_t *commit(struct producer *producer, int timeout_ms)
{
    int64_t until_ms = clock_mono_ms() + timeout_ms;
    rd_kafka_error_t *error;

    for (;;) {
        error = rd_kafka_commit_transaction(producer->handle, timeout_ms);
        if (error == NULL || !rd_kafka_error_is_retriable(error) ||
            clock_mono_ms() >= until_ms)
            return error;
        rd_kafka_error_destroy(error);
    }
}

/* A commit that failed may have been done all the same, unless it has to be aborted. */
static bool end_transaction(struct producer *producer, int timeout_ms, struct error *err)
{
    rd_kafka_error_t *error = commit(producer, timeout_ms);
    bool in_doubt = error && !rd_kafka_error_txn_requires_abort(error);
    bool done = went_well(producer, error, "commit a transaction", err);

    if (in_doubt) {
        err->kind = ERROR_TIMEOUT;
        producer->open = false; /* no abort can tell */
    }
    return done;
}

int producer_write(struct producer *producer, const char *topic,
                   const struct tap_record *records, size_t count, int timeout_ms,
                   struct error *err)
{
    if (!went_well(producer, rd_kafka_begin_transaction(producer->handle),
                   "begin a transaction", err))
        return -1;
    producer->open = true;
    if (send_all(producer, topic, records, count, clock_mono_ms() + timeout_ms, err) ==
            0 &&
        end_transaction(producer, timeout_ms, err)) {
        producer->open = false;
        return 0;
    }
    give_up(producer, timeout_ms);
    return -1;
}
