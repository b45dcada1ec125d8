/* SPDX-License-Identifier: MIT
 *
 * tap.c - open a tap: find the partitions, their ends and where to begin.
 */
#include "host/tap_private.h"

#include <stdlib.h>

enum { LAST_MAX = 10000 };

void tap_close(struct tap *tap)
{
    if (tap == NULL)
        return;
    tap_list_clear(&tap->held);
    tap_list_clear(&tap->later);
    if (tap->current)
        rd_kafka_message_destroy(tap->current);
    if (tap->log)
        rd_kafka_queue_destroy(tap->log);
    if (tap->handle)
        rd_kafka_destroy(tap->handle);
    free(tap->headers);
    free(tap->parts);
    free(tap->topic);
    free(tap->trouble);
    free(tap);
}

/* Called by rd_kafka_consumer_poll, on our thread. */
static void on_error(rd_kafka_t *handle, int code, const char *text, void *opaque)
{
    struct tap *tap = opaque;

    (void)handle;
    /* "1/1 brokers are down" says less than why one of them is. */
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && tap->trouble)
        return;
    free(tap->trouble);
    tap->trouble = mem_strdup(text);
}

void tap_serve_log(struct tap *tap)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(tap->log, 0)) != NULL) {
        broker_log_event(event);
        rd_kafka_event_destroy(event);
    }
}

static int open_handle(struct tap *tap, const struct broker_config *config,
                       const struct tap_spec *spec, struct error *err)
{
    rd_kafka_conf_t *conf = broker_conf(config, err);
    char text[512] = "";

    if (conf == NULL)
        return -1;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_LOG);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, tap);
    /* It never joins: librdkafka only wants a name before it assigns anything. */
    broker_conf_set(conf, "group.id", "dagrun-tap");
    broker_conf_set(conf, "enable.auto.commit", "false");
    broker_conf_set(conf, "enable.auto.offset.store", "false");
    broker_conf_set(conf, "enable.partition.eof", "true");
    broker_conf_set(conf, "auto.offset.reset", "earliest");
    broker_conf_set(conf, "isolation.level",
                    spec->uncommitted ? "read_uncommitted" : "read_committed");
    tap->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (tap->handle == NULL) {
        error_set(err, ERROR_INPUT, "kafka properties: %s", text);
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    (void)rd_kafka_poll_set_consumer(tap->handle);
    tap->log = rd_kafka_queue_new(tap->handle);
    (void)rd_kafka_set_log_queue(tap->handle, tap->log);
    return 0;
}

static int unreachable(struct tap *tap, rd_kafka_resp_err_t code, struct error *err)
{
    rd_kafka_message_t *none = rd_kafka_consumer_poll(tap->handle, 0); /* on_error */

    if (none)
        rd_kafka_message_destroy(none);
    tap_serve_log(tap);
    error_set(err, ERROR_UNREACHABLE, "the broker does not answer: %s",
              tap->trouble ? tap->trouble : rd_kafka_err2str(code));
    return -1;
}

static int take_partitions(struct tap *tap, const struct rd_kafka_metadata_topic *topic,
                           int32_t wanted, struct error *err)
{
    if (topic->err) {
        error_set(err,
                  topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                      ? ERROR_NOT_FOUND
                      : ERROR_FAILED,
                  "topic %s: %s", tap->topic, rd_kafka_err2str(topic->err));
        return -1;
    }
    tap->parts = mem_alloc((size_t)topic->partition_cnt * sizeof *tap->parts);
    for (int i = 0; i < topic->partition_cnt; i++) {
        if (wanted < 0 || topic->partitions[i].id == wanted)
            tap->parts[tap->part_count++].number = topic->partitions[i].id;
    }
    if (tap->part_count > 0)
        return 0;
    error_set(err, ERROR_NOT_FOUND, "topic %s has no partition %d, only 0 to %d",
              tap->topic, (int)wanted, topic->partition_cnt - 1);
    return -1;
}

static int find_partitions(struct tap *tap, int32_t wanted, int timeout_ms,
                           struct error *err)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(tap->handle, tap->topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;
    int rc;

    if (topic == NULL) {
        error_set(err, ERROR_INPUT, "topic %s: not a topic's name", tap->topic);
        return -1;
    }
    code = rd_kafka_metadata(tap->handle, 0, topic, &metadata, timeout_ms);
    rd_kafka_topic_destroy(topic);
    if (code)
        return unreachable(tap, code, err);
    rc = take_partitions(tap, &metadata->topics[0], wanted, err);
    rd_kafka_metadata_destroy(metadata);
    return rc;
}

/*
 * One ListOffsets for all partitions. librdkafka passes -1 and -2 on as LATEST and
 * EARLIEST, which its own call for that asks one partition at a time.
 */
static int look_up(struct tap *tap, int64_t what, int timeout_ms, int64_t *offsets,
                   struct error *err)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)tap->part_count);
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < tap->part_count; i++)
        rd_kafka_topic_partition_list_add(list, tap->topic, tap->parts[i].number)
            ->offset = what;
    code = rd_kafka_offsets_for_times(tap->handle, list, timeout_ms);
    for (size_t i = 0; i < tap->part_count && code == 0; i++) {
        code = list->elems[i].err;
        offsets[i] = list->elems[i].offset;
        if (code == 0 && offsets[i] < 0 && what < 0)
            code = RD_KAFKA_RESP_ERR__TRANSPORT;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code ? unreachable(tap, code, err) : 0;
}

static int64_t start_of(const struct tap_part *part, const struct tap_spec *spec,
                        int64_t at_time)
{
    int64_t start = part->begin;

    switch (spec->from) {
    case TAP_BEGINNING:
        break;
    case TAP_END:
        start = part->end;
        break;
    case TAP_LAST:
        start = part->end - (spec->value < LAST_MAX ? spec->value : LAST_MAX);
        break;
    case TAP_OFFSET:
        start = spec->value;
        break;
    case TAP_TIME:
        start = at_time < 0 ? part->end : at_time;
        break;
    }
    if (start < part->begin)
        return part->begin;
    return start > part->end ? part->end : start;
}

static int find_starts(struct tap *tap, const struct tap_spec *spec, int timeout_ms,
                       struct error *err)
{
    int64_t *offsets = mem_alloc(3 * tap->part_count * sizeof *offsets);
    int64_t *ends = offsets + tap->part_count;
    int64_t *at_time = ends + tap->part_count;
    int rc = look_up(tap, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, offsets, err);

    if (rc == 0)
        rc = look_up(tap, RD_KAFKA_OFFSET_END, timeout_ms, ends, err);
    if (rc == 0 && spec->from == TAP_TIME)
        rc = look_up(tap, spec->value, timeout_ms, at_time, err);
    for (size_t i = 0; i < tap->part_count && rc == 0; i++) {
        struct tap_part *part = &tap->parts[i];

        part->begin = offsets[i];
        part->end = ends[i];
        part->start = start_of(part, spec, at_time[i]);
        part->done = part->start >= part->end;
    }
    free(offsets);
    return rc;
}

static int assign(struct tap *tap, struct error *err)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)tap->part_count);
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < tap->part_count; i++) {
        const struct tap_part *part = &tap->parts[i];

        if (tap->follow || !part->done)
            rd_kafka_topic_partition_list_add(list, tap->topic, part->number)->offset =
                part->start;
    }
    code = rd_kafka_assign(tap->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code)
        error_set(err, ERROR_FAILED, "topic %s: %s", tap->topic,
                  rd_kafka_err2str(code));
    return code ? -1 : 0;
}

struct tap *tap_open(const struct broker_config *config, const struct tap_spec *spec,
                     int timeout_ms, struct error *err)
{
    struct tap *tap = mem_alloc(sizeof *tap);

    tap->topic = mem_strdup(spec->topic);
    tap->follow = spec->follow;
    if (spec->from == TAP_LAST) {
        tap->wanted = (size_t)(spec->value < LAST_MAX ? spec->value : LAST_MAX);
        tap->collecting = true;
    }
    if (open_handle(tap, config, spec, err) == 0 &&
        find_partitions(tap, spec->partition, timeout_ms, err) == 0 &&
        find_starts(tap, spec, timeout_ms, err) == 0 && assign(tap, err) == 0)
        return tap;
    tap_close(tap);
    return NULL;
}

int64_t tap_expected(const struct tap *tap)
{
    int64_t count = 0;

    for (size_t i = 0; i < tap->part_count; i++)
        count += tap->parts[i].end - tap->parts[i].start;
    if (tap->wanted > 0 && count > (int64_t)tap->wanted)
        count = (int64_t)tap->wanted;
    return count;
}
