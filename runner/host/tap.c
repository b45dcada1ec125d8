/* SPDX-License-Identifier: MIT
 *
 * tap.c - open a tap: find the partitions, their ends and where to begin.
 */
#include "host/tap_private.h"

#include "base/clock.h"

#include <stdlib.h>

void tap_close(struct tap *tap)
{
    if (tap == NULL)
        return;
    for (size_t i = 0; i < tap->part_count; i++)
        tap_list_clear(&tap->parts[i].held);
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

static int64_t position_of(const struct tap_part *part, const struct tap_point *point)
{
    for (size_t i = 0; i < point->position_count; i++) {
        if (point->positions[i].partition == part->number)
            return point->positions[i].offset;
    }
    return part->earliest;
}

/* Where a point is in a partition, within what it holds. */
static int64_t place_of(const struct tap_part *part, const struct tap_point *point,
                        int64_t at_time)
{
    int64_t place = part->earliest;

    switch (point->where) {
    case TAP_EARLIEST:
        break;
    case TAP_LATEST:
        place = part->latest;
        break;
    case TAP_OFFSET:
        place = point->value;
        break;
    case TAP_TIME:
        place = at_time < 0 ? part->latest : at_time;
        break;
    case TAP_POSITIONS:
        place = position_of(part, point);
        break;
    }
    if (place < part->earliest)
        return part->earliest;
    return place > part->latest ? part->latest : place;
}

/* How far a partition is looked back into for the last ones. */
static int64_t look_back(const struct tap *tap, const struct tap_spec *spec)
{
    int64_t share = INT64_MAX;

    if (spec->scan_records > 0)
        share = spec->scan_records / (int64_t)tap->part_count;
    if (share < 1)
        share = 1;
    if (spec->wanted || share < (int64_t)tap->last)
        return share;
    return (int64_t)tap->last;
}

static void set_range(struct tap *tap, struct tap_part *part,
                      const struct tap_spec *spec, int64_t start, int64_t end)
{
    part->end = end;
    part->start = start;
    if (tap->last > 0) {
        int64_t back = look_back(tap, spec);

        part->start = end - part->earliest > back ? end - back : part->earliest;
    }
    part->before = part->next = part->start;
    part->done = part->start >= part->end;
}

/* The offsets at the time of a point; all 0 when it is not about time. */
static int look_up_time(struct tap *tap, const struct tap_point *point, int timeout_ms,
                        int64_t *offsets, struct error *err)
{
    if (point->where != TAP_TIME)
        return 0;
    return look_up(tap, point->value, timeout_ms, offsets, err);
}

static int find_ranges(struct tap *tap, const struct tap_spec *spec, int timeout_ms,
                       struct error *err)
{
    size_t count = tap->part_count;
    int64_t *earliest = mem_alloc(4 * count * sizeof *earliest);
    int64_t *latest = earliest + count;
    int64_t *from = latest + count;
    int64_t *until = from + count;
    int rc = look_up(tap, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, earliest, err);

    if (rc == 0)
        rc = look_up(tap, RD_KAFKA_OFFSET_END, timeout_ms, latest, err);
    if (rc == 0)
        rc = look_up_time(tap, &spec->from, timeout_ms, from, err);
    if (rc == 0)
        rc = look_up_time(tap, &spec->until, timeout_ms, until, err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct tap_part *part = &tap->parts[i];

        part->earliest = earliest[i];
        part->latest = latest[i];
        set_range(tap, part, spec, place_of(part, &spec->from, from[i]),
                  spec->until.where == TAP_EARLIEST
                      ? part->latest
                      : place_of(part, &spec->until, until[i]));
    }
    free(earliest);
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

static int64_t limit(int64_t value)
{
    return value > 0 ? value : INT64_MAX;
}

struct tap *tap_open(const struct broker_config *config, const struct tap_spec *spec,
                     int timeout_ms, struct error *err)
{
    struct tap *tap = mem_alloc(sizeof *tap);

    *tap = (struct tap){.topic = mem_strdup(spec->topic),
                        .follow = spec->follow,
                        .wanted = spec->wanted,
                        .wanted_arg = spec->wanted_arg,
                        .scan_records = limit(spec->scan_records),
                        .scan_bytes = limit(spec->scan_bytes),
                        .deadline_ms = INT64_MAX};
    if (spec->scan_ms > 0)
        tap->deadline_ms = clock_mono_ms() + spec->scan_ms;
    if (spec->last > 0) {
        tap->last = (size_t)(spec->last < TAP_LAST_MAX ? spec->last : TAP_LAST_MAX);
        tap->collecting = true;
    }
    if (open_handle(tap, config, spec, err) == 0 &&
        find_partitions(tap, spec->partition, timeout_ms, err) == 0 &&
        find_ranges(tap, spec, timeout_ms, err) == 0 && assign(tap, err) == 0)
        return tap;
    tap_close(tap);
    return NULL;
}

const char *tap_topic(const struct tap *tap)
{
    return tap->topic;
}

size_t tap_range_count(const struct tap *tap)
{
    return tap->part_count;
}

void tap_range(const struct tap *tap, size_t index, struct tap_range *range)
{
    const struct tap_part *part = &tap->parts[index];

    *range = (struct tap_range){.partition = part->number,
                                .earliest = part->earliest,
                                .latest = part->latest,
                                .before = part->before,
                                .next = part->next};
}

int64_t tap_scanned(const struct tap *tap)
{
    return tap->scanned;
}
