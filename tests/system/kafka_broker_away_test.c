/* SPDX-License-Identifier: MIT
 *
 * The broker module when there is no broker, or a coordinator goes away: librdkafka
 * plays one that can be told to.
 */
#include "base/clock.h"
#include "host/broker.h"
#include "support/broker_fixture.h"
#include "support/suite.h"

#include <check.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

START_TEST(a_broker_that_is_not_there_is_told_in_time_and_closed_at_once)
{
    int64_t start_ms = clock_mono_ms();

    fixture.broker = fixture_open_at("127.0.0.1:1");
    broker_ping(fixture.broker, 1000, fixture_on_done, &fixture.calls);
    fixture_answered();
    ck_assert_int_lt(clock_mono_ms() - start_ms, 3000);
    ck_assert_int_lt(fixture.reply.error_code, 0);
    ck_assert(!broker_is_up(fixture.broker));
    ck_assert_msg(strstr(broker_last_error(fixture.broker), "127.0.0.1:1") != NULL,
                  "%s", broker_last_error(fixture.broker));
    ck_assert_ptr_nonnull(strstr(broker_last_error(fixture.broker), "refused"));
    start_ms = clock_mono_ms();
    broker_ping(fixture.broker, 60000, fixture_on_done, &fixture.calls);
    broker_close(fixture.broker);
    fixture.broker = NULL;
    ck_assert_int_eq(fixture.reply.error_code, BROKER_CLOSED);
    ck_assert_int_lt(clock_mono_ms() - start_ms, 2000);
}
END_TEST

/* A cluster of one that can be told to fail; with one topic. */
static rd_kafka_t *mock_host;

static rd_kafka_mock_cluster_t *mock;

static void open_mock(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    rd_kafka_conf_set_log_cb(conf, NULL);
    mock_host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    mock = rd_kafka_mock_cluster_new(mock_host, 1);
    ck_assert_int_eq(rd_kafka_mock_topic_create(mock, "topic", 1, 1), 0);
    fixture.broker = fixture_open_at(rd_kafka_mock_cluster_bootstraps(mock));
}

static void close_mock(void)
{
    broker_close(fixture.broker);
    fixture.broker = NULL;
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(mock_host);
}

static void dispatch_for(int ms)
{
    struct pollfd watched = {.fd = broker_fd(fixture.broker), .events = POLLIN};
    int64_t deadline_ms = clock_mono_ms() + ms;

    while (clock_mono_ms() < deadline_ms) {
        if (poll(&watched, 1, 20) > 0)
            broker_dispatch(fixture.broker);
    }
}

START_TEST(a_broker_that_goes_and_comes_back_is_seen_doing_so)
{
    struct broker_position ask = {"topic", 0, BROKER_LATEST, NULL};
    int64_t deadline_ms;

    open_mock();
    broker_list_offsets(fixture.broker, &ask, 1, true, 5000, fixture_on_done,
                        &fixture.calls);
    fixture_answered();
    ck_assert_msg(broker_is_up(fixture.broker), "%s", fixture.reply.error);
    ck_assert_int_eq(rd_kafka_mock_broker_set_down(mock, 1), 0);
    deadline_ms = clock_mono_ms() + 10000;
    while (
        broker_is_up(fixture.broker)) { /* without a question: by the lost connection */
        ck_assert_int_lt(clock_mono_ms(), deadline_ms);
        dispatch_for(20);
    }
    broker_list_offsets(fixture.broker, &ask, 1, true, 300, fixture_on_done,
                        &fixture.calls);
    fixture_answered();
    ck_assert(!broker_is_up(fixture.broker));
    ck_assert_int_eq(rd_kafka_mock_broker_set_up(mock, 1), 0);
    broker_list_offsets(fixture.broker, &ask, 1, true, 10000, fixture_on_done,
                        &fixture.calls);
    fixture_answered();
    ck_assert_msg(broker_is_up(fixture.broker), "%s", fixture.reply.error);
    ck_assert_int_eq(fixture.reply.items[0].offset, 0);
    close_mock();
}
END_TEST

/* librdkafka 2.15.1 aborts here when a request to a coordinator timed out in it. */
START_TEST(a_coordinator_that_comes_back_after_a_timeout_kills_nobody)
{
    struct broker_position ask = {"topic", 0, BROKER_LATEST, NULL};

    open_mock();
    for (int round = 0; round < 3; round++) {
        broker_list_offsets(fixture.broker, &ask, 1, true, 10000, fixture_on_done,
                            &fixture.calls);
        fixture_answered();
        ck_assert(broker_is_up(fixture.broker));
        ck_assert_int_eq(rd_kafka_mock_broker_set_down(mock, 1), 0);
        (void)usleep(round * 50 * 1000); /* as if nobody had noticed yet */
        broker_group_offsets(fixture.broker, "group", &ask, 1, 500, fixture_on_done,
                             &fixture.calls);
        fixture_answered();
        ck_assert_int_eq(fixture.reply.error_code, BROKER_TIMED_OUT);
        ck_assert(!broker_is_up(fixture.broker));
        ck_assert_int_eq(rd_kafka_mock_broker_set_up(mock, 1), 0);
        dispatch_for(1500);
        broker_list_offsets(fixture.broker, &ask, 1, true, 10000, fixture_on_done,
                            &fixture.calls);
        fixture_answered();
        broker_group_offsets(fixture.broker, "group", &ask, 1, 10000, fixture_on_done,
                             &fixture.calls);
        fixture_all_fine();
        ck_assert_int_eq(fixture.reply.items[0].offset, -1);
    }
    close_mock();
}
END_TEST

/* librdkafka 2.15.1 crashes here when its handle has no group. */
START_TEST(a_coordinator_that_has_moved_is_asked_again)
{
    struct broker_position ask = {"topic", 0, BROKER_LATEST, NULL};
    enum { OFFSET_FETCH = 9, LIST_OFFSETS = 2 };

    open_mock();
    broker_list_offsets(fixture.broker, &ask, 1, true, 10000, fixture_on_done,
                        &fixture.calls);
    fixture_answered();
    rd_kafka_mock_push_request_errors(mock, OFFSET_FETCH, 2,
                                      RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    broker_group_offsets(fixture.broker, "group", &ask, 1, 10000, fixture_on_done,
                         &fixture.calls);
    fixture_all_fine();
    ck_assert_uint_eq(fixture.reply.count, 1);
    rd_kafka_mock_push_request_errors(mock, LIST_OFFSETS, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    broker_list_offsets(fixture.broker, &ask, 1, true, 10000, fixture_on_done,
                        &fixture.calls);
    fixture_all_fine();
    ck_assert_int_eq(fixture.reply.items[0].offset, 0);
    close_mock();
}
END_TEST

START_TEST(closing_with_a_coordinator_away_is_quick)
{
    struct broker_position ask = {"topic", 0, BROKER_LATEST, NULL};
    int64_t start_ms;

    open_mock();
    broker_list_offsets(fixture.broker, &ask, 1, true, 10000, fixture_on_done,
                        &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(rd_kafka_mock_broker_set_down(mock, 1), 0);
    broker_group_offsets(fixture.broker, "group", &ask, 1, 60000, fixture_on_done,
                         &fixture.calls);
    dispatch_for(300);
    start_ms = clock_mono_ms();
    close_mock();
    ck_assert_int_lt(clock_mono_ms() - start_ms, 3000);
    ck_assert_int_eq(fixture.calls, 1);
    ck_assert_int_eq(fixture.reply.error_code, BROKER_CLOSED);
}
END_TEST

static void refuses(const char *name, const char *value, const char *expected)
{
    const char *properties[] = {"security.protocol", "ssl", name, value, NULL};
    struct broker_config config = {.brokers = "127.0.0.1:1", .properties = properties};
    struct error err = {0};

    ck_assert_ptr_null(broker_open(&config, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_msg(strstr(err.text, expected) != NULL, "%s", err.text);
    ck_assert_msg(strstr(err.text, "hunter2") == NULL, "%s", err.text);
}

START_TEST(a_bad_property_is_named_and_a_secret_is_not)
{
    refuses("no.such.property", "1", "kafka property no.such.property");
    refuses("socket.timeout.ms", "soon", "kafka property socket.timeout.ms");
    refuses("security.protocol", "hunter", "security.protocol");
    refuses("ssl.ca.location", "/no/such/file", "ssl.ca.location");
    refuses("ssl.key.pem", "hunter2", "ssl.key.pem");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kafka_broker_away");
    TCase *tcase = tcase_create("kafka_broker_away");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, NULL, fixture_end);
    tcase_add_test(tcase,
                   a_broker_that_is_not_there_is_told_in_time_and_closed_at_once);
    tcase_add_test(tcase, a_broker_that_goes_and_comes_back_is_seen_doing_so);
    tcase_add_test(tcase, a_coordinator_that_comes_back_after_a_timeout_kills_nobody);
    tcase_add_test(tcase, a_coordinator_that_has_moved_is_asked_again);
    tcase_add_test(tcase, closing_with_a_coordinator_away_is_quick);
    tcase_add_test(tcase, a_bad_property_is_named_and_a_secret_is_not);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
