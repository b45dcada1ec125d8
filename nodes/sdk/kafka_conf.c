/* SPDX-License-Identifier: MIT */
#include "sdk/kafka_conf.h"

#include "base/contract.h"
#include "base/log.h"
#include "sdk/client.h"

#include <stdio.h>
#include <string.h>

struct setting {
    const char *name;
    const char *value;
};

/* In each table: settings that the user may change. */
static const struct setting common[] = {{"reconnect.backoff.max.ms", "1000"},
                                        {"topic.metadata.refresh.interval.ms", "10000"},
                                        {"socket.nagle.disable", "true"},
                                        {NULL, NULL}};
static const struct setting consumer[] = {
    {"session.timeout.ms", "10000"},       {"heartbeat.interval.ms", "500"},
    {"isolation.level", "read_committed"}, {"fetch.queue.backoff.ms", "5"},
    {"queued.min.messages", "20000"},      {"queued.max.messages.kbytes", "16384"},
    {"fetch.message.max.bytes", "1048576"}, {"fetch.wait.max.ms", "500"},
    {"fetch.error.backoff.ms", "100"},     {NULL, NULL}};
static const struct setting producer[] = {{"linger.ms", "5"},
                                          {"queue.buffering.max.messages", "100000"},
                                          {"queue.buffering.max.kbytes", "65536"},
                                          {"batch.num.messages", "10000"},
                                          {"partitioner", KAFKA_PARTITIONER},
                                          {"sticky.partitioning.linger.ms", "0"},
                                          {NULL, NULL}};

/* Settings that the delivery promises need. */
static const struct setting forced_consumer[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"allow.auto.create.topics", "false"},
    {"group.protocol", "classic"},
    {"partition.assignment.strategy", "roundrobin"},
    {"max.poll.interval.ms", "86400000"},
    {"enable.partition.eof", "false"},
    {NULL, NULL}};
static const struct setting forced_producer[] = {{"enable.idempotence", "true"},
                                                 {"acks", "all"},
                                                 {"message.timeout.ms", "0"},
                                                 {"allow.auto.create.topics", "false"},
                                                 {NULL, NULL}};

static int set(rd_kafka_conf_t *conf, const char *name, const char *value,
               struct error *err)
{
    char text[256];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return 0;
    error_set(err, ERROR_INPUT, "kafka property %s: %s", name, text);
    return -1;
}

static int set_all(rd_kafka_conf_t *conf, const struct setting *settings,
                   struct error *err)
{
    for (; settings->name; settings++) {
        if (set(conf, settings->name, settings->value, err) < 0)
            return -1;
    }
    return 0;
}

/* Any librdkafka thread may call this, so it only writes a line. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *text)
{
    enum log_level mapped = level <= 3 ? LOG_ERROR : level == 4 ? LOG_WARN : LOG_INFO;

    (void)rk;
    /* Properties of the other role are in the list on purpose. */
    if (strcmp(facility, "CONFWARN") != 0)
        log_write(mapped, "kafka", NULL, "%s: %s", facility, text);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    kafka_error(opaque, rk, code, reason);
}

static int set_number(rd_kafka_conf_t *conf, const char *name, int64_t number,
                      struct error *err)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    return set(conf, name, text, err);
}

/* A batch must fit into the smallest topic, or it drags records down that would fit. */
static int set_sizes(rd_kafka_conf_t *conf, const struct config *config,
                     struct error *err)
{
    int64_t batch = 1000000;

    for (size_t i = 0; i < config->output_count; i++) {
        int64_t limit = config->outputs[i].max_record;

        if (limit > 0 && limit < batch)
            batch = limit;
    }
    if (config->max_record > 0 && config->max_record < batch)
        batch = config->max_record;
    if (config->max_record > 0 &&
        set_number(conf, "message.max.bytes", config->max_record, err) < 0)
        return -1;
    return set_number(conf, "batch.size", batch, err);
}

static int configure_consumer(rd_kafka_conf_t *conf, const struct config *config,
                              enum kafka_role role, struct error *err)
{
    if (set_all(conf, forced_consumer, err) < 0)
        return -1;
    if (role == KAFKA_COMMITTER)
        return set(conf, "group.id", config->checkpoint_group, err);
    if (set(conf, "group.id", config->group, err) < 0)
        return -1;
    if (role == KAFKA_REFETCHER) /* never joins: it only needs the group's kind of queue */
        return set(conf, "queued.min.messages", "1", err);
    return set(conf, "group.instance.id", config->instance, err);
}

static int configure_producer(rd_kafka_conf_t *conf, const struct config *config,
                              enum kafka_role role, struct error *err)
{
    if (set_all(conf, forced_producer, err) < 0 || set_sizes(conf, config, err) < 0)
        return -1;
    if (role == KAFKA_STRICT_PRODUCER && set(conf, "batch.num.messages", "1", err) < 0)
        return -1;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    return 0;
}

static int configure(rd_kafka_conf_t *conf, const struct config *config,
                     enum kafka_role role, struct error *err)
{
    bool produces = role >= KAFKA_PRODUCER;

    if (set_all(conf, common, err) < 0 ||
        set_all(conf, produces ? producer : consumer, err) < 0)
        return -1;
    for (size_t i = 0; i < config->property_count; i++) {
        if (set(conf, config->properties[i].name, config->properties[i].value, err) < 0)
            return -1;
    }
    if (set(conf, "client.id", config->client_id, err) < 0)
        return -1;
    if (produces)
        return configure_producer(conf, config, role, err);
    return configure_consumer(conf, config, role, err);
}

/* What the user asked librdkafka to tell goes to the client's log. */
static void show_debug(const rd_kafka_conf_t *conf)
{
    char contexts[256] = "";
    size_t len = sizeof contexts;

    if (rd_kafka_conf_get(conf, "debug", contexts, &len) == RD_KAFKA_CONF_OK &&
        contexts[0] != '\0')
        log_set_level(LOG_INFO);
}

rd_kafka_t *kafka_open(struct client *client, enum kafka_role role, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_type_t type = role >= KAFKA_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    char text[256];
    rd_kafka_t *rk;

    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (type == RD_KAFKA_CONSUMER)
        rd_kafka_conf_set_error_cb(conf, on_error);
    if (role == KAFKA_CONSUMER)
        rd_kafka_conf_set_rebalance_cb(conf, kafka_in_rebalance);
    if (configure(conf, &client->config, role, err) < 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    show_debug(conf);
    rk = rd_kafka_new(type, conf, text, sizeof text);
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(err, ERROR_INPUT, "kafka properties: %s", text);
        return NULL;
    }
    if (type == RD_KAFKA_CONSUMER)
        (void)rd_kafka_poll_set_consumer(rk);
    return rk;
}

void kafka_wake(struct client *client, rd_kafka_queue_t *queue)
{
    static const uint64_t one = 1;

    rd_kafka_queue_io_event_enable(queue, client->wake_fd, &one, sizeof one);
}

void kafka_error(struct client *client, rd_kafka_t *rk, rd_kafka_resp_err_t code,
                 const char *reason)
{
    char text[512];

    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        broker_lost(&client->broker);
        revival_begin(client);
        return;
    }
    if (code != RD_KAFKA_RESP_ERR__FATAL)
        return;
    code = rd_kafka_fatal_error(rk, text, sizeof text);
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID &&
        kafka_in_is_fenced_by_itself(client))
        return;
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        client_fail(client, CONTRACT_EXIT_STAY_DOWN,
                    "another process is %s: %s", client->config.client_id, text);
    else
        client_fail(client, CLIENT_FAILED, "%s: %s", rd_kafka_err2name(code),
                    code ? text : reason);
}
