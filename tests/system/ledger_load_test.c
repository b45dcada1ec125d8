/* SPDX-License-Identifier: MIT
 *
 * ledger_load_test.c - the embedded broker as a process: a crowd of idle, slow and
 * broken clients does not stop a good one; its memory; its end in good order.
 */
#include "base/clock.h"
#include "ledger_child.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE = 1000,
    SLOW_WRITERS = 30,
    SLOW_READERS = 30,
    RECORDS = 20000,
    RECORD_BYTES = 1000,
    CALL_MS = 60 * 1000,
    /* Of one small record while the crowd is there; generous: sanitizers, busy
       machines. */
    ROUND_TRIP_MS = 2000,
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    RSS_KB = 1024 * 1024,
    REST_KB = 1024 * 1024,
#else
    RSS_KB = 64 * 1024,
    REST_KB = 8 * 1024,
#endif
};

static struct ledger_child broker;

static void set_up(void)
{
    struct rlimit limit;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    ledger_child_init(&broker);
}

static void tear_down(void)
{
    ledger_child_clear(&broker);
}

/* ---- a good client ----------------------------------------------------------------
 */

static rd_kafka_t *make_client(rd_kafka_type_t type)
{
    static const char *const pairs[][2] = {{"linger.ms", "1"},
                                           {"enable.idempotence", "true"},
                                           {"log_level", "2"},
                                           {"auto.offset.reset", "earliest"},
                                           {"group.id", "good"},
                                           {"enable.partition.eof", "true"},
                                           {"allow.auto.create.topics", "true"},
                                           {"reconnect.backoff.ms", "20"},
                                           {"reconnect.backoff.max.ms", "100"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_t *rk;

    (void)rd_kafka_conf_set(conf, "bootstrap.servers", broker.address, text,
                            sizeof text);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        (void)rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], text, sizeof text);
    rk = rd_kafka_new(type, conf, text, sizeof text);
    ck_assert_msg(rk != NULL, "%s", text);
    return rk;
}

static void produce(rd_kafka_t *rk, int count)
{
    static char value[RECORD_BYTES];

    for (int i = 0; i < count; i++) {
        rd_kafka_resp_err_t error;

        do {
            error = rd_kafka_producev(
                rk, RD_KAFKA_V_TOPIC("load"), RD_KAFKA_V_PARTITION(0),
                RD_KAFKA_V_VALUE(value, sizeof value),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
            (void)rd_kafka_poll(rk, error ? 5 : 0);
        } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    }
    ck_assert_int_eq(rd_kafka_flush(rk, CALL_MS), 0);
}

/* The slowest of some records, each sent after the one before was acknowledged. */
static int64_t slowest_round_trip(rd_kafka_t *rk, int count)
{
    int64_t slowest = 0;

    for (int i = 0; i < count; i++) {
        int64_t start_ms = clock_mono_ms(), took;

        produce(rk, 1);
        took = clock_mono_ms() - start_ms;
        if (took > slowest)
            slowest = took;
    }
    return slowest;
}

static int consume_all(void)
{
    rd_kafka_t *rk = make_client(RD_KAFKA_CONSUMER);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    bool end = false;
    int count = 0;

    rd_kafka_topic_partition_list_add(parts, "load", 0)->offset = 0;
    ck_assert_int_eq(rd_kafka_assign(rk, parts), 0);
    while (!end) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, CALL_MS);

        ck_assert_ptr_nonnull(message);
        count += message->err == 0;
        end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(parts);
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return count;
}

/* ---- the crowd --------------------------------------------------------------------
 */

static int connect_raw(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)broker.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_msg(connect(fd, (struct sockaddr *)&address, sizeof address) == 0,
                  "connect: %s", strerror(errno));
    return fd;
}

static void put32(unsigned char *at, uint32_t value)
{
    value = htonl(value);
    memcpy(at, &value, sizeof value);
}

/* A Produce request of 1 MB of which only the beginning comes. */
static void begin_large(int fd)
{
    static const unsigned char head[] = {0, 16, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 255, 255};
    unsigned char rest[3000] = {0};

    ck_assert_int_eq(send(fd, head, sizeof head, MSG_NOSIGNAL), sizeof head);
    ck_assert_int_eq(send(fd, rest, sizeof rest, MSG_NOSIGNAL), sizeof rest);
}

/* Fetch version 4 of everything in load-0, again and again, and never read an answer.
 */
static void ask_without_reading(int fd)
{
    unsigned char frame[64] = {0};
    static const unsigned char topic[] = {0, 4, 'l', 'o', 'a', 'd'};

    put32(frame, 57);
    frame[5] = 1;                /* Fetch */
    frame[7] = 4;                /* version */
    memset(frame + 12, 255, 2);  /* no client id */
    memset(frame + 14, 255, 4);  /* replica */
    put32(frame + 18, 100);      /* wait */
    put32(frame + 22, 1);        /* least bytes */
    put32(frame + 26, 50 << 20); /* most bytes */
    put32(frame + 31, 1);        /* topics */
    memcpy(frame + 35, topic, sizeof topic);
    put32(frame + 41, 1);        /* partitions */
    put32(frame + 57, 50 << 20); /* most bytes; before it index 0 and offset 0 */
    for (int i = 0; i < 20; i++)
        (void)send(fd, frame, 61, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void expect_answer(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, MSG_PEEK), 1);
}

static atomic_bool crowd_stops;

/* A byte now and then, and requests that are none. */
static void *trouble(void *arg)
{
    const int *writers = arg;

    for (int round = 0; !atomic_load(&crowd_stops); round++) {
        int fd = connect_raw();

        (void)send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
        for (int i = 0; i < SLOW_WRITERS; i++)
            (void)send(writers[i], "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)usleep(5000);
        (void)close(fd);
    }
    return NULL;
}

START_TEST(a_crowd_does_not_stop_a_good_client)
{
    static int idle[IDLE], writers[SLOW_WRITERS], readers[SLOW_READERS];
    pthread_t thread;
    rd_kafka_t *rk;

    (void)ledger_child_start(&broker, "auto_create=1");
    rk = make_client(RD_KAFKA_PRODUCER);
    produce(rk, RECORDS);
    for (int i = 0; i < IDLE; i++)
        idle[i] = connect_raw();
    for (int i = 0; i < SLOW_WRITERS; i++)
        begin_large(writers[i] = connect_raw());
    for (int i = 0; i < SLOW_READERS; i++)
        ask_without_reading(readers[i] = connect_raw());
    ck_assert_int_eq(pthread_create(&thread, NULL, trouble, writers), 0);
    ck_assert_int_le(slowest_round_trip(rk, 200), ROUND_TRIP_MS);
    produce(rk, RECORDS);
    ck_assert_int_eq(consume_all(), 2 * RECORDS + 200);
    ck_assert_int_le(ledger_child_rss_kb(&broker), RSS_KB);
    for (int i = 0; i < SLOW_READERS; i++)
        expect_answer(readers[i]);
    atomic_store(&crowd_stops, true);
    (void)pthread_join(thread, NULL);
    for (int i = 0; i < IDLE; i++)
        (void)close(idle[i]);
    for (int i = 0; i < SLOW_WRITERS; i++)
        (void)close(writers[i]);
    for (int i = 0; i < SLOW_READERS; i++)
        (void)close(readers[i]);
    ck_assert_int_le(slowest_round_trip(rk, 20), ROUND_TRIP_MS);
    rd_kafka_destroy(rk);
    (void)ledger_child_stop(&broker);
}
END_TEST

START_TEST(all_that_is_acknowledged_is_there_after_a_stop)
{
    rd_kafka_t *rk;

    (void)ledger_child_start(&broker, _i == 0 ? "auto_create=1" : "fsync=always");
    if (_i == 1) { /* the topic must exist */
        (void)ledger_child_stop(&broker);
        (void)ledger_child_start(&broker, "auto_create=1");
        rk = make_client(RD_KAFKA_PRODUCER);
        produce(rk, 1);
        rd_kafka_destroy(rk);
        (void)ledger_child_stop(&broker);
        (void)ledger_child_start(&broker, "fsync=always");
    }
    rk = make_client(RD_KAFKA_PRODUCER);
    produce(rk, RECORDS);
    ck_assert_int_le(ledger_child_stop(&broker), 5000);
    (void)ledger_child_start(&broker, NULL);
    produce(rk, 100);
    ck_assert_int_eq(consume_all(), RECORDS + 100 + _i);
    rd_kafka_destroy(rk);
    (void)ledger_child_stop(&broker);
}
END_TEST

START_TEST(descriptors_that_run_out_only_delay_connections)
{
    struct rlimit limit, low;
    int fds[200], count = 0;
    rd_kafka_t *rk;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    low = (struct rlimit){.rlim_cur = 100, .rlim_max = 100};
    (void)ledger_child_start(&broker, "auto_create=1");
    rk = make_client(RD_KAFKA_PRODUCER);
    produce(rk, 1);
    ck_assert_int_eq(prlimit(broker.pid, RLIMIT_NOFILE, &low, NULL), 0);
    for (; count < 200; count++) /* the kernel takes them all, the broker does not */
        fds[count] = connect_raw();
    ck_assert_int_le(slowest_round_trip(rk, 20), ROUND_TRIP_MS);
    while (count > 0)
        (void)close(fds[--count]);
    ck_assert_int_eq(consume_all(), 21);
    rd_kafka_destroy(rk);
    (void)ledger_child_stop(&broker);
}
END_TEST

static atomic_int delivered;

static void count_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message,
                           void *opaque)
{
    (void)rk;
    (void)opaque;
    atomic_fetch_add(&delivered, message->err == 0);
}

/* A limit of the size of a file stands for the end of a disk. */
START_TEST(a_full_disk_delays_and_loses_nothing)
{
    static char value[RECORD_BYTES];
    struct rlimit no_limit, full = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    int before;
    rd_kafka_t *rk;

    (void)ledger_child_start(&broker, "auto_create=1");
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", broker.address, text,
                            sizeof text);
    (void)rd_kafka_conf_set(conf, "enable.idempotence", "true", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "log_level", "2", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "linger.ms", "1", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "retry.backoff.max.ms", "200", text, sizeof text);
    rd_kafka_conf_set_dr_msg_cb(conf, count_delivery);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    produce(rk, 500);
    ck_assert_int_eq(prlimit(broker.pid, RLIMIT_FSIZE, &full, &no_limit), 0);
    for (int i = 0; i < 2000; i++)
        ck_assert_int_eq(
            rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("load"), RD_KAFKA_V_PARTITION(0),
                              RD_KAFKA_V_VALUE(value, sizeof value),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
            0);
    ck_assert_int_ne(rd_kafka_flush(rk, 2000), 0);
    before = atomic_load(&delivered);
    ck_assert_int_lt(before, 2500);
    ck_assert_int_ge(consume_all(), before); /* it still serves */
    ck_assert_int_eq(prlimit(broker.pid, RLIMIT_FSIZE, &no_limit, NULL), 0);
    ck_assert_int_eq(rd_kafka_flush(rk, CALL_MS), 0);
    ck_assert_int_eq(atomic_load(&delivered), 2500);
    ck_assert_int_eq(consume_all(), 2500);
    rd_kafka_destroy(rk);
    (void)ledger_child_stop(&broker);
}
END_TEST

START_TEST(it_is_small_at_rest)
{
    (void)ledger_child_start(&broker, NULL);
    ck_assert_int_le(ledger_child_rss_kb(&broker), REST_KB);
    (void)ledger_child_stop(&broker);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load");
    TCase *tcase = tcase_create("load");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_crowd_does_not_stop_a_good_client);
    tcase_add_loop_test(tcase, all_that_is_acknowledged_is_there_after_a_stop, 0, 2);
    tcase_add_test(tcase, descriptors_that_run_out_only_delay_connections);
    tcase_add_test(tcase, a_full_disk_delays_and_loses_nothing);
    tcase_add_test(tcase, it_is_small_at_rest);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
