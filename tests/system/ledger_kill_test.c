/* SPDX-License-Identifier: MIT
 *
 * ledger_kill_test.c - kill -9 of the embedded broker at random moments, under load.
 *
 * An idempotent producer (acks=all) writes numbers into "in". A transactional copier
 * takes them to "out", a transaction each TRANSACTION_MS, and aborts every 7th on
 * purpose. A third client commits growing offsets. Meanwhile the broker is killed and
 * started again DAGRUN_KILL_ROUNDS times (default 10; the long version is 200). In the
 * end:
 *   - every acknowledged number is in "in" once, and nothing is there twice
 *   - every number is in "out" once: no torn transaction, no record of an aborted one
 *   - no acknowledged commit was lost: after every start, the offset is not below it
 * DAGRUN_KILL_SEED sets the seed; it is printed. DAGRUN_KILL_OPTION is an option of
 * ledger_main, such as fsync=always.
 */
#include "base/clock.h"
#include "ledger_child.h"
#include "support/suite.h"

#include <check.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PARTITIONS = 4,
    NUMBERS_MAX = 8 * 1000 * 1000,
    TRANSACTION_MS = 60,
    ABORT_EVERY = 7,
    STOP_EVERY = 6, /* this kill comes while it stops in good order */
    CALL_MS = 5000,
    PATIENCE_MS = 120 * 1000,
};

static struct {
    struct ledger_child broker;
    int seed;
    atomic_int made;      /* numbers handed to librdkafka */
    atomic_int acked;     /* delivery reports without error */
    atomic_int copied;    /* in committed transactions */
    atomic_int committed; /* the offset that the last acknowledged commit said */
    atomic_int transactions, aborted, lost_commits, failed_deliveries;
    atomic_bool stop_making, stop_all;
    unsigned char *seen_in, *seen_out, *is_acked;
} world;

/* ---- clients ----------------------------------------------------------------------
 */

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *const pairs[][2])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[512] = "";
    rd_kafka_t *rk;

    (void)rd_kafka_conf_set(conf, "bootstrap.servers", world.broker.address, text,
                            sizeof text);
    (void)rd_kafka_conf_set(conf, "reconnect.backoff.ms", "20", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "200", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "retry.backoff.ms", "20", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "log_level", "2", text, sizeof text);
    for (int i = 0; pairs[i][0]; i++)
        ck_assert_msg(rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], text,
                                        sizeof text) == RD_KAFKA_CONF_OK,
                      "%s", text);
    rk = rd_kafka_new(type, conf, text, sizeof text);
    ck_assert_msg(rk != NULL, "%s", text);
    return rk;
}

static void make_topics(void)
{
    static const char *const pairs[][2] = {{NULL, NULL}};
    rd_kafka_t *rk = make_client(RD_KAFKA_PRODUCER, pairs);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *topics[2];
    rd_kafka_event_t *event;
    char text[256];

    topics[0] = rd_kafka_NewTopic_new("in", PARTITIONS, 1, text, sizeof text);
    topics[1] = rd_kafka_NewTopic_new("out", PARTITIONS, 1, text, sizeof text);
    rd_kafka_CreateTopics(rk, topics, 2, NULL, queue);
    event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    ck_assert_ptr_nonnull(event);
    ck_assert_int_eq(rd_kafka_event_error(event), 0);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy_array(topics, 2);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

/* The number is the opaque. */
static void count_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message,
                           void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err) {
        atomic_fetch_add(&world.failed_deliveries, 1);
        return;
    }
    world.is_acked[(intptr_t)message->_private] = 1;
    atomic_fetch_add(&world.acked, 1);
}

static void *make_numbers(void *arg)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_topic_t *topic;
    rd_kafka_t *rk;

    (void)arg;
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", world.broker.address, text,
                            sizeof text);
    (void)rd_kafka_conf_set(conf, "enable.idempotence", "true", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "message.timeout.ms", "0", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "linger.ms", "2", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "reconnect.backoff.ms", "20", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "200", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "log_level", "2", text, sizeof text);
    rd_kafka_conf_set_dr_msg_cb(conf, count_delivery);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    topic = rd_kafka_topic_new(rk, "in", NULL);
    while (!atomic_load(&world.stop_making) && atomic_load(&world.made) < NUMBERS_MAX) {
        for (int i = 0; i < 40; i++) { /* about 20,000 a second */
            int number = atomic_load(&world.made);
            int len = snprintf(text, sizeof text, "%d", number);

            if (rd_kafka_produce(topic, number % PARTITIONS, RD_KAFKA_MSG_F_COPY, text,
                                 (size_t)len, NULL, 0, (void *)(intptr_t)number) < 0)
                break;
            atomic_fetch_add(&world.made, 1);
        }
        (void)rd_kafka_poll(rk, 2);
    }
    (void)rd_kafka_flush(rk, PATIENCE_MS);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return NULL;
}

/* ---- the copier -------------------------------------------------------------------
 */

struct copier {
    rd_kafka_t *producer, *consumer;
    int open; /* numbers in the transaction */
};

static rd_kafka_t *make_transactional(void)
{
    static const char *const pairs[][2] = {{"transactional.id", "copier"},
                                           {"transaction.timeout.ms", "60000"},
                                           {"linger.ms", "1"},
                                           {NULL, NULL}};
    rd_kafka_t *rk = make_client(RD_KAFKA_PRODUCER, pairs);

    for (;;) {
        rd_kafka_error_t *error = rd_kafka_init_transactions(rk, CALL_MS);
        bool again = error && rd_kafka_error_is_retriable(error);

        ck_assert_msg(error == NULL || again || atomic_load(&world.stop_all),
                      "init_transactions: %s",
                      error ? rd_kafka_error_string(error) : "");
        if (error)
            rd_kafka_error_destroy(error);
        if (!again)
            return rk;
    }
}

static rd_kafka_t *make_reader(const char *group)
{
    const char *const pairs[][2] = {{"group.id", group},
                                    {"auto.offset.reset", "earliest"},
                                    {"enable.auto.commit", "false"},
                                    {"isolation.level", "read_committed"},
                                    {"session.timeout.ms", "30000"},
                                    {"enable.partition.eof", "true"},
                                    {"fetch.wait.max.ms", "50"},
                                    {NULL, NULL}};
    rd_kafka_t *rk = make_client(RD_KAFKA_CONSUMER, pairs);

    (void)rd_kafka_poll_set_consumer(rk);
    return rk;
}

static void subscribe(rd_kafka_t *consumer)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

    (void)rd_kafka_topic_partition_list_add(topics, "in", RD_KAFKA_PARTITION_UA);
    ck_assert_int_eq(rd_kafka_subscribe(consumer, topics), 0);
    rd_kafka_topic_partition_list_destroy(topics);
}

/* Back to what is committed: the transaction's numbers come again. */
static void rewind_consumer(rd_kafka_t *consumer)
{
    rd_kafka_topic_partition_list_t *parts = NULL;
    rd_kafka_error_t *error;

    if (rd_kafka_assignment(consumer, &parts) != 0 || parts == NULL)
        return;
    while (!atomic_load(&world.stop_all) &&
           rd_kafka_committed(consumer, parts, CALL_MS) != 0)
        continue;
    for (int i = 0; i < parts->cnt; i++) {
        if (parts->elems[i].offset < 0)
            parts->elems[i].offset = 0;
    }
    error = rd_kafka_seek_partitions(consumer, parts, CALL_MS);
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(parts);
}

/* Call again while the error says so. What is left: NULL, or abortable or fatal. */
static rd_kafka_error_t *settle_call(struct copier *copier,
                                     rd_kafka_error_t *(*call)(struct copier *))
{
    for (;;) {
        rd_kafka_error_t *error = call(copier);

        if (error == NULL || !rd_kafka_error_is_retriable(error) ||
            atomic_load(&world.stop_all))
            return error;
        rd_kafka_error_destroy(error);
    }
}

static rd_kafka_error_t *call_abort(struct copier *copier)
{
    return rd_kafka_abort_transaction(copier->producer, CALL_MS);
}

static rd_kafka_error_t *call_commit(struct copier *copier)
{
    return rd_kafka_commit_transaction(copier->producer, CALL_MS);
}

static rd_kafka_error_t *call_offsets(struct copier *copier)
{
    rd_kafka_topic_partition_list_t *parts = NULL;
    rd_kafka_consumer_group_metadata_t *group;
    rd_kafka_error_t *error;

    (void)rd_kafka_assignment(copier->consumer, &parts);
    (void)rd_kafka_position(copier->consumer, parts);
    group = rd_kafka_consumer_group_metadata(copier->consumer);
    error =
        rd_kafka_send_offsets_to_transaction(copier->producer, parts, group, CALL_MS);
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(parts);
    return error;
}

static void start_over(struct copier *copier, rd_kafka_error_t *error)
{
    bool abortable = rd_kafka_error_txn_requires_abort(error);

    rd_kafka_error_destroy(error);
    if (abortable) {
        error = settle_call(copier, call_abort);
        if (error == NULL)
            return;
        rd_kafka_error_destroy(error);
    }
    rd_kafka_destroy(copier->producer);
    copier->producer = make_transactional();
}

static void end_transaction(struct copier *copier, bool on_purpose)
{
    rd_kafka_error_t *error;

    if (on_purpose) {
        (void)rd_kafka_flush(copier->producer, CALL_MS);
        error = settle_call(copier, call_abort);
        atomic_fetch_add(&world.aborted, 1);
    } else {
        error = settle_call(copier, call_offsets);
        if (error == NULL)
            error = settle_call(copier, call_commit);
    }
    if (error)
        start_over(copier, error);
    if (error || on_purpose)
        rewind_consumer(copier->consumer);
    else
        atomic_fetch_add(&world.copied, copier->open);
    atomic_fetch_add(&world.transactions, 1);
    copier->open = 0;
}

static bool begin_transaction(struct copier *copier)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(copier->producer);

    if (error) {
        start_over(copier, error);
        rewind_consumer(copier->consumer);
    }
    return error == NULL;
}

/* Take what comes until the time is over, into the open transaction. */
static void copy_some(struct copier *copier)
{
    int64_t end_ms = clock_mono_ms() + TRANSACTION_MS;

    while (clock_mono_ms() < end_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(copier->consumer, 20);

        if (message && message->err == 0) {
            while (rd_kafka_producev(copier->producer, RD_KAFKA_V_TOPIC("out"),
                                     RD_KAFKA_V_PARTITION(message->partition),
                                     RD_KAFKA_V_VALUE(message->payload, message->len),
                                     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                     RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
                (void)rd_kafka_poll(copier->producer, 10);
            copier->open++;
        }
        if (message)
            rd_kafka_message_destroy(message);
        (void)rd_kafka_poll(copier->producer, 0);
    }
}

static void *copy_numbers(void *arg)
{
    struct copier copier = {.open = 0};
    bool begun = false;

    (void)arg;
    copier.producer = make_transactional();
    copier.consumer = make_reader("copy");
    subscribe(copier.consumer);
    while (!atomic_load(&world.stop_all)) {
        if (!begun)
            begun = begin_transaction(&copier);
        if (!begun)
            continue;
        copy_some(&copier);
        if (copier.open == 0)
            continue;
        end_transaction(&copier, !atomic_load(&world.stop_making) &&
                                     atomic_load(&world.transactions) % ABORT_EVERY ==
                                         ABORT_EVERY - 1);
        begun = false;
    }
    (void)rd_kafka_consumer_close(copier.consumer);
    rd_kafka_destroy(copier.consumer);
    rd_kafka_destroy(copier.producer);
    return NULL;
}

/* ---- commits ----------------------------------------------------------------------
 */

static rd_kafka_topic_partition_list_t *one_offset(int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, "in", 0)->offset = offset;
    return list;
}

static void *commit_offsets(void *arg)
{
    rd_kafka_t *rk = make_reader("commits");

    (void)arg;
    for (int offset = 1; !atomic_load(&world.stop_all); offset++) {
        rd_kafka_topic_partition_list_t *list = one_offset(offset);
        rd_kafka_topic_partition_list_t *found = one_offset(-1001);

        if (rd_kafka_commit(rk, list, 0) == 0 && list->elems[0].err == 0)
            atomic_store(&world.committed, offset);
        /* The commit may have happened without its answer, so "not below". */
        if (rd_kafka_committed(rk, found, CALL_MS) == 0 && found->elems[0].err == 0 &&
            found->elems[0].offset < atomic_load(&world.committed))
            atomic_fetch_add(&world.lost_commits, 1);
        rd_kafka_topic_partition_list_destroy(list);
        rd_kafka_topic_partition_list_destroy(found);
        (void)usleep(2000);
    }
    rd_kafka_destroy(rk);
    return NULL;
}

/* ---- the verdict ------------------------------------------------------------------
 */

/* Count every number of a topic, as a read_committed consumer sees it. */
static int count_topic(const char *name, unsigned char *seen)
{
    rd_kafka_t *rk = make_reader("verdict");
    rd_kafka_topic_partition_list_t *parts =
        rd_kafka_topic_partition_list_new(PARTITIONS);
    int ends = 0, count = 0;

    for (int i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(parts, name, i)->offset = 0;
    ck_assert_int_eq(rd_kafka_assign(rk, parts), 0);
    while (ends < PARTITIONS) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, PATIENCE_MS);
        char text[16] = "";

        ck_assert_msg(message != NULL, "nothing comes of %s", name);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
        } else if (message->err == 0 && message->len < sizeof text) {
            int number;

            memcpy(text, message->payload, message->len);
            number = atoi(text);
            if (number >= 0 && number < NUMBERS_MAX && seen[number] < 255)
                seen[number]++;
            count++;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(parts);
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return count;
}

static void judge(void)
{
    int lost = 0, twice = 0, not_copied = 0, copied_twice = 0;
    int made = atomic_load(&world.made);
    int in = count_topic("in", world.seen_in), out = count_topic("out", world.seen_out);

    for (int i = 0; i < made; i++) {
        lost += world.is_acked[i] && world.seen_in[i] == 0;
        twice += world.seen_in[i] > 1;
        not_copied += world.seen_in[i] > 0 && world.seen_out[i] == 0;
        copied_twice += world.seen_out[i] > 1;
    }
    (void)printf(
        "made %d, acknowledged %d, in %d, out %d, transactions %d (%d aborted on "
        "purpose), last commit %d\n",
        made, atomic_load(&world.acked), in, out, atomic_load(&world.transactions),
        atomic_load(&world.aborted), atomic_load(&world.committed));
    ck_assert_int_eq(atomic_load(&world.failed_deliveries), 0);
    ck_assert_int_eq(atomic_load(&world.acked), made);
    ck_assert_int_eq(lost, 0);
    ck_assert_int_eq(twice, 0);
    ck_assert_int_eq(not_copied, 0);
    ck_assert_int_eq(copied_twice, 0);
    ck_assert_int_eq(atomic_load(&world.lost_commits), 0);
    ck_assert_int_gt(atomic_load(&world.committed), 0);
    ck_assert_int_gt(atomic_load(&world.aborted), 0);
}

static int number_of(const char *variable, int fallback)
{
    const char *text = getenv(variable);

    return text ? atoi(text) : fallback;
}

static void kill_often(int rounds)
{
    unsigned seed = (unsigned)world.seed;

    for (int i = 0; i < rounds; i++) {
        (void)usleep((useconds_t)(1000 * (rand_r(&seed) % 500)));
        if (i % STOP_EVERY == STOP_EVERY - 1)
            ledger_child_kill_in_stop(&world.broker, rand_r(&seed) % 20);
        else
            ledger_child_kill(&world.broker);
        (void)ledger_child_start(&world.broker, getenv("DAGRUN_KILL_OPTION"));
    }
}

/* Until everything that was made is acknowledged and copied. */
static void wait_for_copies(void)
{
    int64_t end_ms = clock_mono_ms() + PATIENCE_MS;

    while (clock_mono_ms() < end_ms &&
           atomic_load(&world.copied) < atomic_load(&world.made))
        (void)usleep(10000);
}

START_TEST(kill_9_loses_nothing_and_doubles_nothing)
{
    pthread_t threads[3];

    world.seed = number_of("DAGRUN_KILL_SEED", (int)(clock_wall_ms() & 0xffffff));
    (void)printf("seed %d\n", world.seed);
    (void)fflush(stdout);
    world.seen_in = calloc(NUMBERS_MAX, 1);
    world.seen_out = calloc(NUMBERS_MAX, 1);
    world.is_acked = calloc(NUMBERS_MAX, 1);
    ledger_child_init(&world.broker);
    (void)ledger_child_start(&world.broker, getenv("DAGRUN_KILL_OPTION"));
    make_topics();
    ck_assert_int_eq(pthread_create(&threads[0], NULL, make_numbers, NULL), 0);
    ck_assert_int_eq(pthread_create(&threads[1], NULL, copy_numbers, NULL), 0);
    ck_assert_int_eq(pthread_create(&threads[2], NULL, commit_offsets, NULL), 0);
    (void)usleep(1000 * 1000);
    kill_often(number_of("DAGRUN_KILL_ROUNDS", 10));
    (void)usleep(500 * 1000);
    atomic_store(&world.stop_making, true);
    (void)pthread_join(threads[0], NULL);
    wait_for_copies();
    atomic_store(&world.stop_all, true);
    (void)pthread_join(threads[1], NULL);
    (void)pthread_join(threads[2], NULL);
    judge();
    (void)ledger_child_stop(&world.broker);
    ledger_child_clear(&world.broker);
    free(world.seen_in);
    free(world.seen_out);
    free(world.is_acked);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kill");
    TCase *tcase = tcase_create("kill");

    tcase_set_timeout(tcase, 3600);
    tcase_add_test(tcase, kill_9_loses_nothing_and_doubles_nothing);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
