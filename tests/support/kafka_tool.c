/* SPDX-License-Identifier: MIT
 *
 * kafka_tool.c - what the tests of the SDK need of Kafka. DAGRUN_BROKERS names it.
 *
 *   kafka_tool create TOPIC PARTITIONS [NAME=VALUE]…   make a topic with these settings
 *   kafka_tool grow TOPIC PARTITIONS                   add partitions
 *   kafka_tool fill TOPIC COUNT SIZE [FLAG]…           values "0".."COUNT-1", padded with
 *       blanks to SIZE. Flags: keys, headers, from=N (first number), ms=T (timestamp),
 *       txn=N (a committed transaction every N records), abort (an aborted one at the end),
 *       open (one that is committed when stdin ends; says "open" before)
 *   kafka_tool begin GROUP TOPIC…                      commit each partition's beginning
 *   kafka_tool committed GROUP TOPIC                   "partition offset metadata" lines
 *   kafka_tool dump TOPIC                              "partition offset ms key value
 *       [name=value]…" a record, tab-separated, values cut at the first blank
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000 };

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "kafka_tool: error: %s: %s\n", what, why);
    exit(1);
}

static void check(const char *what, rd_kafka_resp_err_t code)
{
    if (code)
        fail(what, rd_kafka_err2str(code));
}

static void check_error(const char *what, rd_kafka_error_t *error)
{
    if (error)
        fail(what, rd_kafka_error_string(error));
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof text))
        fail(name, text);
}

static rd_kafka_t *connect_as(rd_kafka_type_t type, const char *group, bool txn)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *brokers = getenv("DAGRUN_BROKERS");
    char text[256];
    rd_kafka_t *rk;

    if (brokers == NULL)
        fail("DAGRUN_BROKERS", "not set");
    set(conf, "bootstrap.servers", brokers);
    set(conf, "log_level", "2");
    if (type == RD_KAFKA_CONSUMER) {
        set(conf, "group.id", group);
        set(conf, "enable.auto.commit", "false");
        set(conf, "enable.partition.eof", "true");
    } else {
        set(conf, "message.max.bytes", "20000000");
        set(conf, "queue.buffering.max.messages", "1000000");
        if (txn)
            set(conf, "transactional.id", "kafka_tool");
    }
    rk = rd_kafka_new(type, conf, text, sizeof text);
    if (rk == NULL)
        fail("librdkafka", text);
    return rk;
}

/* 0 when there is no such topic. */
static int find_partitions(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    int count;

    check("metadata", rd_kafka_metadata(rk, 0, handle, &metadata, WAIT_MS));
    count = metadata->topics[0].err ? 0 : metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return count;
}

static int partition_count(rd_kafka_t *rk, const char *topic)
{
    int count = find_partitions(rk, topic);

    if (count == 0)
        fail(topic, "no such topic");
    return count;
}

static void wait_for_result(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);

    if (event == NULL)
        fail("admin", "no answer");
    check("admin", rd_kafka_event_error(event));
    rd_kafka_event_destroy(event);
}

static int create(int argc, char **argv)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_PRODUCER, NULL, false);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    char text[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(argv[0], atoi(argv[1]), 1, text, sizeof text);

    if (topic == NULL)
        fail(argv[0], text);
    for (int i = 2; i < argc; i++) {
        char *equals = strchr(argv[i], '=');

        if (equals == NULL)
            fail(argv[i], "expected NAME=VALUE");
        *equals = '\0';
        check(argv[i], rd_kafka_NewTopic_set_config(topic, argv[i], equals + 1));
    }
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    wait_for_result(queue);
    while (find_partitions(rk, argv[0]) != atoi(argv[1]))
        (void)rd_kafka_poll(rk, 10);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return 0;
}

static int grow(char **argv)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_PRODUCER, NULL, false);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    char text[256];
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(argv[0], (size_t)atoi(argv[1]), text, sizeof text);

    if (more == NULL)
        fail(argv[0], text);
    rd_kafka_CreatePartitions(rk, &more, 1, NULL, queue);
    wait_for_result(queue);
    rd_kafka_NewPartitions_destroy(more);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return 0;
}

struct fill {
    long from;
    long txn;
    long long ms;
    bool keys;
    bool headers;
    bool abort;
    bool open;
};

static struct fill fill_flags(int argc, char **argv)
{
    struct fill fill = {0};

    for (int i = 0; i < argc; i++) {
        fill.keys |= strcmp(argv[i], "keys") == 0;
        fill.headers |= strcmp(argv[i], "headers") == 0;
        fill.abort |= strcmp(argv[i], "abort") == 0;
        fill.open |= strcmp(argv[i], "open") == 0;
        if (strncmp(argv[i], "from=", 5) == 0)
            fill.from = atol(argv[i] + 5);
        if (strncmp(argv[i], "txn=", 4) == 0)
            fill.txn = atol(argv[i] + 4);
        if (strncmp(argv[i], "ms=", 3) == 0)
            fill.ms = atoll(argv[i] + 3);
    }
    return fill;
}

static void fill_one(rd_kafka_t *rk, const char *topic, long number, size_t size,
                     const struct fill *fill)
{
    char key[32];
    char *value = malloc(size + 32);
    int digits, key_len = snprintf(key, sizeof key, "k%ld", number % 1000);
    rd_kafka_headers_t *headers = fill->headers ? rd_kafka_headers_new(2) : NULL;
    rd_kafka_resp_err_t code;

    if (value == NULL)
        abort();
    memset(value, ' ', size + 32);
    digits = snprintf(value, 32, "%ld", number);
    value[digits] = ' ';
    if (headers) {
        (void)rd_kafka_header_add(headers, "trace", -1, value, digits);
        (void)rd_kafka_header_add(headers, "empty", -1, NULL, 0);
    }
    while ((code = rd_kafka_producev(
                rk, RD_KAFKA_V_TOPIC(topic),
                RD_KAFKA_V_VALUE(value, size > (size_t)digits ? size : (size_t)digits),
                RD_KAFKA_V_KEY(fill->keys ? key : NULL, fill->keys ? (size_t)key_len : 0),
                RD_KAFKA_V_TIMESTAMP(fill->ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END)) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL)
        (void)rd_kafka_poll(rk, 10);
    check("produce", code);
    free(value);
}

static int fill_topic(int argc, char **argv)
{
    long count = atol(argv[1]);
    size_t size = (size_t)atol(argv[2]);
    struct fill fill = fill_flags(argc - 3, argv + 3);
    bool txn = fill.txn > 0 || fill.abort || fill.open;
    rd_kafka_t *rk = connect_as(RD_KAFKA_PRODUCER, NULL, txn);

    if (txn) {
        check_error("init", rd_kafka_init_transactions(rk, WAIT_MS));
        check_error("begin", rd_kafka_begin_transaction(rk));
    }
    for (long i = 0; i < count; i++) {
        fill_one(rk, argv[0], fill.from + i, size, &fill);
        (void)rd_kafka_poll(rk, 0);
        if (fill.txn > 0 && (i + 1) % fill.txn == 0) {
            check_error("commit", rd_kafka_commit_transaction(rk, -1));
            check_error("begin", rd_kafka_begin_transaction(rk));
        }
    }
    if (fill.open) {
        check("flush", rd_kafka_flush(rk, WAIT_MS));
        (void)puts("open");
        (void)fflush(stdout);
        (void)getchar();
    }
    if (fill.abort) {
        check("flush", rd_kafka_flush(rk, WAIT_MS));
        check_error("abort", rd_kafka_abort_transaction(rk, -1));
    } else if (txn) {
        check_error("commit", rd_kafka_commit_transaction(rk, -1));
    }
    check("flush", rd_kafka_flush(rk, WAIT_MS));
    rd_kafka_destroy(rk);
    return 0;
}

static int begin(int argc, char **argv)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_CONSUMER, argv[0], false);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (int i = 1; i < argc; i++) {
        int count = partition_count(rk, argv[i]);

        for (int p = 0; p < count; p++)
            rd_kafka_topic_partition_list_add(list, argv[i], p)->offset = 0;
    }
    check("commit", rd_kafka_commit(rk, list, 0));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return 0;
}

static int committed(char **argv)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_CONSUMER, argv[0], false);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    int count = partition_count(rk, argv[1]);

    for (int p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, argv[1], p);
    check("committed", rd_kafka_committed(rk, list, WAIT_MS));
    for (int p = 0; p < count; p++)
        (void)printf("%d %lld %.*s\n", list->elems[p].partition,
                     (long long)list->elems[p].offset, (int)list->elems[p].metadata_size,
                     list->elems[p].metadata ? (const char *)list->elems[p].metadata : "");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return 0;
}

static void dump_one(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const char *name, *blank = message->payload ? memchr(message->payload, ' ',
                                                         message->len) : NULL;
    const void *value;
    size_t len = blank ? (size_t)(blank - (const char *)message->payload) : message->len;

    (void)printf("%d\t%lld\t%lld\t%.*s\t%.*s", message->partition,
                 (long long)message->offset,
                 (long long)rd_kafka_message_timestamp(message, NULL),
                 (int)message->key_len, message->key ? (const char *)message->key : "",
                 (int)len, message->payload ? (const char *)message->payload : "");
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t i = 0;
             rd_kafka_header_get_all(headers, i, &name, &value, &len) == 0; i++)
            (void)printf("\t%s=%.*s", name, (int)len, value ? (const char *)value : "");
    }
    (void)putchar('\n');
}

static int dump(char **argv)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_CONSUMER, "kafka_tool", false);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    int count = partition_count(rk, argv[0]), ended = 0;

    for (int p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, argv[0], p)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    check("assign", rd_kafka_assign(rk, list));
    while (ended < count) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, WAIT_MS);

        if (message == NULL)
            fail(argv[0], "no answer");
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ended++;
        else if (message->err)
            fail(argv[0], rd_kafka_message_errstr(message));
        else
            dump_one(message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return 0;
}

int main(int argc, char **argv)
{
    const char *command = argc > 2 ? argv[1] : "";

    if (strcmp(command, "create") == 0 && argc >= 4)
        return create(argc - 2, argv + 2);
    if (strcmp(command, "grow") == 0 && argc == 4)
        return grow(argv + 2);
    if (strcmp(command, "fill") == 0 && argc >= 5)
        return fill_topic(argc - 2, argv + 2);
    if (strcmp(command, "begin") == 0 && argc >= 4)
        return begin(argc - 2, argv + 2);
    if (strcmp(command, "committed") == 0 && argc == 4)
        return committed(argv + 2);
    if (strcmp(command, "dump") == 0 && argc == 3)
        return dump(argv + 2);
    (void)fprintf(stderr, "usage: kafka_tool create|grow|fill|begin|committed|dump …\n");
    return 2;
}
