/* SPDX-License-Identifier: MIT
 *
 * Feed and tap against a real Kafka, whose address is in DAGRUN_BROKERS.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "host/broker.h"
#include "host/tap.h"
#include "support/suite.h"

#include <check.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 15000 };

static struct broker_config config;
static char topic[128];

static void on_created(void *arg, const struct broker_reply *reply)
{
    ck_assert_int_eq(reply->error_code, 0);
    ck_assert_int_eq(reply->items[0].error_code, 0);
    *(bool *)arg = true;
}

static void make_topic(const char *name, int partitions)
{
    /* The records' times are long past: no retention may take them away. */
    static const char *const small[] = {"max.message.bytes", "100000", "retention.ms",
                                        "-1", NULL};
    struct broker_topic wanted = {topic, partitions, -1, small};
    struct error err = {0};
    struct broker *broker;
    bool created = false;

    config = (struct broker_config){.brokers = getenv("DAGRUN_BROKERS")};
    ck_assert_msg(config.brokers != NULL, "DAGRUN_BROKERS names no Kafka");
    (void)snprintf(topic, sizeof topic, "host-test-%s-%lld-%d", name,
                   (long long)clock_wall_ms(), (int)getpid());
    broker = broker_open(&config, &err);
    ck_assert_ptr_nonnull(broker);
    broker_create_topics(broker, &wanted, 1, TIMEOUT_MS, on_created, &created);
    while (!created) {
        struct pollfd watched = {.fd = broker_fd(broker), .events = POLLIN};

        (void)poll(&watched, 1, 1000);
        broker_dispatch(broker);
    }
    broker_close(broker);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    ck_assert_msg(message->err == 0, "%s", rd_kafka_err2str(message->err));
}

/* Write "v<from>" … with headers, timestamps 1000 ms apart, round the partitions. */
static void produce(int from, int to, int partitions)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_t *rk;

    (void)rd_kafka_conf_set(conf, "bootstrap.servers", config.brokers, text,
                            sizeof text);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    for (int i = from; i < to; i++) {
        int len = snprintf(text, sizeof text, "v%d", i);

        ck_assert_int_eq(
            rd_kafka_producev(
                rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(i % partitions),
                RD_KAFKA_V_KEY("k", i % 2 ? 1 : 0), RD_KAFKA_V_VALUE(text, (size_t)len),
                RD_KAFKA_V_TIMESTAMP(1700000000000 + i * 1000LL),
                RD_KAFKA_V_HEADER("h", "x", 1), RD_KAFKA_V_HEADER("none", NULL, 0),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
            0);
    }
    ck_assert_int_eq(rd_kafka_flush(rk, TIMEOUT_MS), 0);
    rd_kafka_destroy(rk);
}

static struct tap *open_spec(struct tap_spec spec)
{
    struct error err = {0};
    struct tap *tap;

    spec.topic = topic;
    spec.partition = -1;
    tap = tap_open(&config, &spec, TIMEOUT_MS, &err);
    ck_assert_msg(tap != NULL, "%s", err.text);
    return tap;
}

static struct tap *open_tap(enum tap_where where, int64_t value)
{
    return open_spec((struct tap_spec){.from = {.where = where, .value = value}});
}

/* The next record's number; -1: the end; -2: a limit. */
static int next_number(struct tap *tap)
{
    struct tap_record record;
    struct error err = {0};
    char text[32] = "";

    for (int tries = 0; tries < 60; tries++) {
        enum tap_result result = tap_next(tap, 500, &record, &err);

        ck_assert_msg(result != TAP_FAILED, "%s", err.text);
        if (result == TAP_AT_END)
            return -1;
        if (result == TAP_AT_LIMIT)
            return -2;
        if (result == TAP_RECORD) {
            ck_assert_uint_lt(record.value_len, sizeof text);
            memcpy(text, record.value, record.value_len);
            return atoi(text + 1);
        }
    }
    ck_abort_msg("nothing came");
}

START_TEST(a_tap_reads_everything_to_the_end_and_stops)
{
    struct tap *tap;
    bool seen[100] = {false};
    int64_t start_ms;

    make_topic("all", 3);
    produce(0, 100, 3);
    tap = open_tap(TAP_EARLIEST, 0);
    for (int i = 0; i < 100; i++) {
        int number = next_number(tap);

        ck_assert_int_ge(number, 0);
        ck_assert(!seen[number]);
        seen[number] = true;
    }
    start_ms = clock_mono_ms();
    ck_assert_int_eq(next_number(tap), -1);
    ck_assert_int_eq(next_number(tap), -1);
    tap_close(tap);
    ck_assert_int_lt(clock_mono_ms() - start_ms, 3000);
}
END_TEST

START_TEST(a_record_comes_whole)
{
    struct tap_record record;
    struct error err = {0};
    struct tap *tap;

    make_topic("whole", 1);
    produce(0, 2, 1);
    tap = open_tap(TAP_OFFSET, 1);
    while (tap_next(tap, 1000, &record, &err) != TAP_RECORD)
        ck_assert(!error_is_set(&err));
    ck_assert_int_eq(record.partition, 0);
    ck_assert_int_eq(record.offset, 1);
    ck_assert_int_eq(record.timestamp_ms, 1700000001000);
    ck_assert_uint_eq(record.key_len, 1);
    ck_assert_mem_eq(record.key, "k", 1);
    ck_assert_uint_eq(record.header_count, 2);
    ck_assert_str_eq(record.headers[0].name, "h");
    ck_assert_mem_eq(record.headers[0].value, "x", 1);
    ck_assert_ptr_null(record.headers[1].value);
    tap_close(tap);
}
END_TEST

START_TEST(the_last_records_come_in_order_of_time_and_then_new_ones)
{
    struct tap *tap;

    make_topic("last", 3);
    produce(0, 50, 3);
    tap = open_spec((struct tap_spec){.last = 10, .follow = true});
    for (int i = 40; i < 50; i++)
        ck_assert_int_eq(next_number(tap), i);
    produce(50, 51, 3);
    ck_assert_int_eq(next_number(tap), 50);
    tap_close(tap);
}
END_TEST

START_TEST(a_tap_begins_at_a_time_or_at_the_end)
{
    struct tap *tap;

    make_topic("time", 2);
    produce(0, 20, 2);
    tap = open_tap(TAP_TIME, 1700000000000 + 18000);
    ck_assert_int_ge(next_number(tap), 18);
    ck_assert_int_ge(next_number(tap), 18);
    ck_assert_int_eq(next_number(tap), -1);
    tap_close(tap);
    tap = open_tap(TAP_LATEST, 0);
    ck_assert_int_eq(next_number(tap), -1);
    tap_close(tap);
    tap = open_tap(TAP_OFFSET, 1000); /* beyond the end */
    ck_assert_int_eq(next_number(tap), -1);
    tap_close(tap);
}
END_TEST

/* The places to go on from, "before next" of each partition. */
static void check_places(const struct tap *tap, const char *expected)
{
    char text[256] = "";

    for (size_t i = 0; i < tap_range_count(tap); i++) {
        struct tap_range range;

        tap_range(tap, i, &range);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%lld-%lld",
                       i ? " " : "", (long long)range.before, (long long)range.next);
    }
    ck_assert_str_eq(text, expected);
}

START_TEST(older_and_newer_ones_are_found_from_where_a_tap_was)
{
    const struct tap_position half[] = {{0, 10}, {1, 5}};
    const struct tap_point place = {
        .where = TAP_POSITIONS, .positions = half, .position_count = 2};
    struct tap *tap;

    make_topic("pages", 2);
    produce(0, 40, 2); /* even ones in partition 0, odd ones in 1 */
    tap = open_spec((struct tap_spec){.last = 4, .until = place});
    /* Before offset 10 is 18, before offset 5 is 9. */
    ck_assert_int_eq(next_number(tap), 12);
    ck_assert_int_eq(next_number(tap), 14);
    ck_assert_int_eq(next_number(tap), 16);
    ck_assert_int_eq(next_number(tap), 18);
    ck_assert_int_eq(next_number(tap), -1);
    check_places(tap, "6-10 5-5");
    ck_assert(tap_is_complete(tap));
    tap_close(tap);
    tap = open_spec((struct tap_spec){.from = place});
    for (int i = 0; i < 25; i++)
        ck_assert_int_ge(next_number(tap), 11);
    ck_assert_int_eq(next_number(tap), -1);
    check_places(tap, "10-20 5-20");
    tap_close(tap);
    tap = open_spec((struct tap_spec){
        .from = place, .until = {.where = TAP_TIME, .value = 1700000000000 + 22000}});
    for (int i = 0; i < 7; i++)
        ck_assert_int_lt(next_number(tap), 22);
    ck_assert_int_eq(next_number(tap), -1);
    check_places(tap, "10-11 5-11");
    tap_close(tap);
}
END_TEST

/* "v<number>" with a number that 10 divides. */
static bool is_round(void *arg, const struct tap_record *record)
{
    int *asked = arg;

    ++*asked;
    return record->value_len > 1 && record->value[record->value_len - 1] == '0';
}

START_TEST(only_wanted_records_are_given_and_limits_are_kept)
{
    int asked = 0;
    struct tap_spec spec = {.wanted = is_round, .wanted_arg = &asked};
    struct tap *tap;

    make_topic("wanted", 1);
    produce(0, 100, 1);
    tap = open_spec(spec);
    for (int i = 0; i < 100; i += 10)
        ck_assert_int_eq(next_number(tap), i);
    ck_assert_int_eq(next_number(tap), -1);
    ck_assert_int_eq(asked, 100);
    ck_assert_int_eq(tap_scanned(tap), 100);
    ck_assert_ptr_null(tap_limit(tap));
    tap_close(tap);
    spec.last = 2;
    spec.scan_records = 45; /* 55 … 99 */
    tap = open_spec(spec);
    ck_assert_int_eq(next_number(tap), 80);
    ck_assert_int_eq(next_number(tap), 90);
    ck_assert_int_eq(next_number(tap), -1);
    check_places(tap, "71-100"); /* 60 and 70 were let go */
    tap_close(tap);
    spec.last = 0;
    tap = open_spec(spec);
    for (int i = 0; i < 45; i += 10)
        ck_assert_int_eq(next_number(tap), i);
    ck_assert_int_eq(next_number(tap), -2);
    ck_assert_str_eq(tap_limit(tap), "records");
    check_places(tap, "0-45");
    ck_assert(!tap_is_complete(tap));
    tap_close(tap);
    tap = open_spec((struct tap_spec){.scan_bytes = 20}); /* v0 kv1 v2 kv3 v4 … */
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(next_number(tap), i);
    ck_assert_int_eq(next_number(tap), -2);
    ck_assert_str_eq(tap_limit(tap), "bytes");
    tap_close(tap);
    tap = open_spec((struct tap_spec){.scan_ms = 1, .follow = true, .wanted = is_round,
                                      .wanted_arg = &asked});
    while (next_number(tap) >= 0)
        ;
    ck_assert_str_eq(tap_limit(tap), "time");
    tap_close(tap);
}
END_TEST

START_TEST(aborted_records_are_not_shown_and_the_end_is_still_reached)
{
    rd_kafka_conf_t *conf;
    char text[256];
    rd_kafka_t *rk;
    struct tap *tap;

    make_topic("txn", 1);
    produce(0, 1, 1);
    conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", config.brokers, text,
                            sizeof text);
    (void)rd_kafka_conf_set(conf, "transactional.id", topic, text, sizeof text);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    ck_assert_ptr_null(rd_kafka_init_transactions(rk, TIMEOUT_MS));
    ck_assert_ptr_null(rd_kafka_begin_transaction(rk));
    (void)rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_VALUE("v7", 2),
                            RD_KAFKA_V_END);
    (void)rd_kafka_flush(rk, TIMEOUT_MS);
    ck_assert_ptr_null(rd_kafka_abort_transaction(rk, TIMEOUT_MS));
    rd_kafka_destroy(rk);
    tap = open_tap(TAP_EARLIEST, 0);
    ck_assert_int_eq(next_number(tap), 0);
    ck_assert_int_eq(next_number(tap), -1);
    tap_close(tap);
}
END_TEST

static void refuses(const char *brokers, const char *name, int32_t partition,
                    enum error_kind kind, const char *expected)
{
    struct broker_config where = {.brokers = brokers};
    struct tap_spec spec = {.topic = name, .partition = partition};
    struct error err = {0};

    ck_assert_ptr_null(tap_open(&where, &spec, 3000, &err));
    ck_assert_int_eq(err.kind, kind);
    ck_assert_msg(strstr(err.text, expected) != NULL, "%s", err.text);
}

START_TEST(a_tap_that_can_not_be_opened_says_why)
{
    make_topic("why", 2);
    refuses(config.brokers, "host-test-no-such-topic", -1, ERROR_NOT_FOUND,
            "topic host-test-no-such-topic");
    refuses(config.brokers, topic, 2, ERROR_NOT_FOUND, "only 0 to 1");
    refuses("127.0.0.1:1", topic, -1, ERROR_UNREACHABLE, "refused");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kafka_tap");
    TCase *cases = tcase_create("tap");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_tap_reads_everything_to_the_end_and_stops);
    tcase_add_test(cases, a_record_comes_whole);
    tcase_add_test(cases, the_last_records_come_in_order_of_time_and_then_new_ones);
    tcase_add_test(cases, a_tap_begins_at_a_time_or_at_the_end);
    tcase_add_test(cases, older_and_newer_ones_are_found_from_where_a_tap_was);
    tcase_add_test(cases, only_wanted_records_are_given_and_limits_are_kept);
    tcase_add_test(cases, aborted_records_are_not_shown_and_the_end_is_still_reached);
    tcase_add_test(cases, a_tap_that_can_not_be_opened_says_why);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
