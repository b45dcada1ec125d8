/* SPDX-License-Identifier: MIT */
#include "host/broker_private.h"

#include "base/log.h"

#include <assert.h>
#include <string.h>

enum { ERROR_BYTES = 512 };

void broker_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[ERROR_BYTES];
    rd_kafka_conf_res_t rc = rd_kafka_conf_set(conf, name, value, text, sizeof text);

    (void)rc;
    assert(rc == RD_KAFKA_CONF_OK);
}

/* librdkafka quotes the value that it refuses: not when it may be a secret. */
static bool is_secret(const char *name)
{
    return strstr(name, "password") || strstr(name, "secret") || strstr(name, "key") ||
           strstr(name, "oauthbearer") || strstr(name, "jaas") || strstr(name, "token");
}

static int set_property(rd_kafka_conf_t *conf, const char *name, const char *value,
                        struct error *err)
{
    char text[ERROR_BYTES] = "";
    rd_kafka_conf_res_t rc = rd_kafka_conf_set(conf, name, value, text, sizeof text);

    if (rc == RD_KAFKA_CONF_OK)
        return 0;
    if (rc == RD_KAFKA_CONF_UNKNOWN)
        error_set(err, ERROR_INPUT, "kafka property %s: librdkafka %s does not know it",
                  name, rd_kafka_version_str());
    else if (is_secret(name))
        error_set(err, ERROR_INPUT, "kafka property %s: librdkafka refuses its value",
                  name);
    else
        error_set(err, ERROR_INPUT, "kafka property %s: %s", name, text);
    return -1;
}

rd_kafka_conf_t *broker_conf(const struct broker_config *config, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int rc = 0;

    broker_conf_set(conf, "log.queue", "true");
    broker_conf_set(conf, "reconnect.backoff.ms", "50");
    broker_conf_set(conf, "reconnect.backoff.max.ms", "1000");
    broker_conf_set(conf, "allow.auto.create.topics", "false");
    /* Before and after its queue is served, librdkafka would write to stderr. */
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    for (const char *const *p = config->properties; rc == 0 && p && p[0]; p += 2)
        rc = set_property(conf, p[0], p[1], err);
    if (rc == 0)
        rc = set_property(conf, "bootstrap.servers", config->brokers, err);
    if (rc == 0)
        rc = set_property(conf, "client.id",
                          config->client_id ? config->client_id : "dagrun", err);
    if (rc == 0)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

void broker_log_event(rd_kafka_event_t *event)
{
    const char *facility = "";
    const char *text = "";
    enum log_level level;
    int severity = 7;

    if (rd_kafka_event_log(event, &facility, &text, &severity) != 0)
        return;
    /* One configuration serves admin clients, producers and consumers: that a property
     * is of no use to one of them is no news. */
    if (strcmp(facility, "CONFWARN") == 0)
        return;
    if (severity <= 2)
        level = LOG_ERROR;
    else if (severity <= 4)
        level = LOG_WARN;
    else
        level = severity <= 6 ? LOG_INFO : LOG_DEBUG;
    /* Lost connections are the normal life of a client: broker_last_error has them. */
    if (level == LOG_WARN &&
        (strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0))
        level = LOG_INFO;
    log_write(level, "kafka", NULL, "%s: %s", facility, text);
}
