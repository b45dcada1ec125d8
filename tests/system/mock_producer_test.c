/* SPDX-License-Identifier: MIT
 *
 * mock_producer_test.c - transactions of host/producer.h on librdkafka's mock of a broker,
 * which refuses what it is told to.
 */
#include "host/producer.h"
#include "support/suite.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 40, BROKER_ID = 1, ANSWER_AFTER_MS = 30, WAIT_MS = 20000 };
enum { PRODUCE = 0, END_TXN = 26 }; /* requests */

static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *mock;

static void open_mock(void)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, NULL);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    mock = rd_kafka_mock_cluster_new(host, 1);
    ck_assert_int_eq(rd_kafka_mock_topic_create(mock, "topic", 1, 1), 0);
    ck_assert_int_eq(rd_kafka_mock_broker_set_rtt(mock, BROKER_ID, ANSWER_AFTER_MS), 0);
}

static void close_mock(void)
{
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(host);
}

/* Read COUNT records; each must be one of "0".."COUNT-1" that was not there yet. */
static void expect_all(void)
{
    bool seen[COUNT] = {false};
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_t *reader;

    rd_kafka_conf_set_log_cb(conf, NULL);
    (void)rd_kafka_conf_set(conf, "bootstrap.servers",
                            rd_kafka_mock_cluster_bootstraps(mock), text, sizeof text);
    (void)rd_kafka_conf_set(conf, "group.id", "none", text, sizeof text);
    reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    rd_kafka_topic_partition_list_add(list, "topic", 0)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
    ck_assert_int_eq(rd_kafka_assign(reader, list), 0);
    for (int i = 0; i < COUNT; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, WAIT_MS);
        int number;

        ck_assert_msg(message != NULL && !message->err, "only %d of %d are there", i,
                      COUNT);
        (void)snprintf(text, sizeof text, "%.*s", (int)message->len,
                       (const char *)message->payload);
        number = atoi(text);
        ck_assert_int_lt(number, COUNT);
        ck_assert_msg(!seen[number], "%d is there twice", number);
        seen[number] = true;
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    (void)rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
}

static struct producer *open_producer(void)
{
    /* librdkafka sends a second batch only while less than five records are on their
     * way. */
    static const char *const properties[] = {"batch.num.messages", "2", NULL};
    struct broker_config config = {.brokers = rd_kafka_mock_cluster_bootstraps(mock),
                                   .properties = properties};
    struct error err = {0};
    struct producer *producer = producer_open(&config, "id", WAIT_MS, &err);

    ck_assert_msg(producer != NULL, "%s", err.text);
    return producer;
}

static int write_all(struct producer *producer, struct error *err)
{
    struct tap_record records[COUNT];
    char values[COUNT][8];

    for (int i = 0; i < COUNT; i++) {
        int len = snprintf(values[i], sizeof values[i], "%d", i);

        records[i] = (struct tap_record){.value = values[i], .value_len = (size_t)len};
    }
    return producer_write(producer, "topic", records, COUNT, WAIT_MS, err);
}

START_TEST(what_was_refused_first_is_in_the_transaction_all_the_same)
{
    struct error err = {0};
    struct producer *producer = open_producer();

    rd_kafka_mock_push_request_errors(mock, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    ck_assert_msg(write_all(producer, &err) == 0, "%s", err.text);
    producer_close(producer);
    expect_all();
}
END_TEST

START_TEST(a_commit_that_somebody_else_has_decided_is_in_doubt)
{
    struct error err = {0};
    struct producer *producer = open_producer();

    rd_kafka_mock_push_request_errors(mock, END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    ck_assert_int_eq(write_all(producer, &err), -1);
    ck_assert_msg(err.kind == ERROR_TIMEOUT, "%d: %s", (int)err.kind, err.text);
    producer_close(producer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mock_producer");
    TCase *tcase = tcase_create("transactions");

    tcase_set_timeout(tcase, 90);
    tcase_add_checked_fixture(tcase, open_mock, close_mock);
    tcase_add_test(tcase, what_was_refused_first_is_in_the_transaction_all_the_same);
    tcase_add_test(tcase, a_commit_that_somebody_else_has_decided_is_in_doubt);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
