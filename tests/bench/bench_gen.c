/* SPDX-License-Identifier: MIT
 *
 * bench_gen.c - makes the input of a benchmark, watches and checks its output.
 *
 *   bench_gen BROKERS create PARTITIONS TOPIC…   make topics that keep everything
 *   bench_gen BROKERS delete TOPIC…
 *   bench_gen BROKERS fill TOPIC COUNT BYTES HEADERS
 *   bench_gen BROKERS watch COUNT SECONDS TOPICS PID,…
 *       until COUNT records are in all TOPICS (separated by commas) together; prints
 *       {"seconds", "rate", "rss_kb", "first_s", "cpu_us": […]}: records a second between
 *       10 % and 90 % of COUNT, largest sum of the processes' RSS, time to the first
 *       record, CPU microseconds of each process per record of COUNT, since its start
 *   bench_gen BROKERS seed GROUP TOPIC           commit the beginning of every partition
 *   bench_gen BROKERS check input|answer TOPIC COUNT BYTES HEADERS
 *       every record there at least once, with its key, timestamp, headers and value
 *
 * Record i is a task of arithmetic with the key "key-<i modulo 1000>", the timestamp
 * EPOCH_MS + i and, when HEADERS is 1, the header trace: <i>.
 */
#include <dirent.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EPOCH_MS INT64_C(1700000000000)

enum {
    KEYS = 1000,
    VALUE_MAX = 65536,
    WAIT_MS = 30000,
    POLL_US = 20000,
    SAMPLES = 100000,
    PIDS = 64,
    TOPICS = 8,
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench: error: %s: %s\n", what, why);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[512];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        fail(name, why);
}

static rd_kafka_t *open_handle(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                               const char *brokers)
{
    char why[512];
    rd_kafka_t *handle;

    set(conf, "bootstrap.servers", brokers);
    handle = rd_kafka_new(type, conf, why, sizeof why);
    if (handle == NULL)
        fail("librdkafka", why);
    return handle;
}

static rd_kafka_conf_t *producer_conf(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "enable.idempotence", "true");
    set(conf, "linger.ms", "20");
    set(conf, "queue.buffering.max.messages", "500000");
    set(conf, "partitioner", "murmur2_random");
    return conf;
}

/* The first error of an admin result's topics. */
static void check_topics(rd_kafka_event_t *event, const rd_kafka_topic_result_t **results,
                         size_t count, bool may_be_missing)
{
    if (event == NULL || rd_kafka_event_error(event))
        fail("admin", event ? rd_kafka_event_error_string(event) : "no answer");
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);

        if (err == RD_KAFKA_RESP_ERR_NO_ERROR ||
            (may_be_missing && err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART))
            continue;
        fail(rd_kafka_topic_result_name(results[i]), rd_kafka_err2str(err));
    }
}

static int create(const char *brokers, int partitions, char **topics, size_t count)
{
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, producer_conf(), brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_NewTopic_t *wanted[TOPICS];
    const rd_kafka_topic_result_t **results;
    rd_kafka_event_t *event;
    char why[512];

    for (size_t i = 0; i < count && i < TOPICS; i++) {
        wanted[i] = rd_kafka_NewTopic_new(topics[i], partitions, 1, why, sizeof why);
        if (wanted[i] == NULL)
            fail(topics[i], why);
        (void)rd_kafka_NewTopic_set_config(wanted[i], "retention.ms", "-1");
    }
    rd_kafka_CreateTopics(handle, wanted, count, NULL, queue);
    event = rd_kafka_queue_poll(queue, WAIT_MS);
    results = rd_kafka_CreateTopics_result_topics(
        event ? rd_kafka_event_CreateTopics_result(event) : NULL, &count);
    check_topics(event, results, count, false);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy_array(wanted, count);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    return 0;
}

static int delete(const char *brokers, char **topics, size_t count)
{
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, producer_conf(), brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_DeleteTopic_t *unwanted[TOPICS];
    const rd_kafka_topic_result_t **results;
    rd_kafka_event_t *event;

    for (size_t i = 0; i < count && i < TOPICS; i++)
        unwanted[i] = rd_kafka_DeleteTopic_new(topics[i]);
    rd_kafka_DeleteTopics(handle, unwanted, count, NULL, queue);
    event = rd_kafka_queue_poll(queue, WAIT_MS);
    results = rd_kafka_DeleteTopics_result_topics(
        event ? rd_kafka_event_DeleteTopics_result(event) : NULL, &count);
    check_topics(event, results, count, true);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy_array(unwanted, count);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    return 0;
}

/* Record i's value, exactly size bytes unless the task alone is longer. */
static size_t make_value(char value[VALUE_MAX], int64_t i, size_t size)
{
    int len = snprintf(value, VALUE_MAX,
                       "{\"id\":%" PRId64 ",\"operator_1\":\"%" PRId64
                       "\",\"operator_2\":\"%" PRId64 "\",\"operation\":\"%s\",\"note\":\"",
                       i, i % 100003, i % 977, i % 3 ? "sum" : "sub");
    size_t end = (size_t)len;

    while (end + 2 < size) {
        value[end] = (char)('a' + (end * 7 + (size_t)i) % 26);
        end++;
    }
    value[end++] = '"';
    value[end++] = '}';
    return end;
}

static size_t make_answer(char value[VALUE_MAX], int64_t i)
{
    int64_t a = i % 100003;
    int64_t b = i % 977;
    int64_t result = i % 3 ? a + b : (a > b ? a - b : b - a);

    return (size_t)snprintf(value, VALUE_MAX,
                            "{\"id\":%" PRId64 ",\"operation\":\"%s\",\"result\":%" PRId64
                            "}",
                            i, i % 3 ? "sum" : "sub", result);
}

static void send_one(rd_kafka_t *handle, const char *topic, int64_t i, size_t size,
                     bool headers)
{
    char value[VALUE_MAX];
    char key[32];
    char trace[32];
    size_t len = make_value(value, i, size);
    rd_kafka_resp_err_t err;

    (void)snprintf(key, sizeof key, "key-%d", (int)(i % KEYS));
    (void)snprintf(trace, sizeof trace, "%" PRId64, i);
    do {
        rd_kafka_headers_t *list = headers ? rd_kafka_headers_new(1) : NULL;

        if (list)
            (void)rd_kafka_header_add(list, "trace", -1, trace, -1);
        err = rd_kafka_producev(
            handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key, strlen(key)),
            RD_KAFKA_V_VALUE(value, len), RD_KAFKA_V_TIMESTAMP(EPOCH_MS + i),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(list),
            RD_KAFKA_V_END);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR && list)
            rd_kafka_headers_destroy(list);
        if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            (void)rd_kafka_poll(handle, 50);
        else if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
            fail(topic, rd_kafka_err2str(err));
    } while (err != RD_KAFKA_RESP_ERR_NO_ERROR);
}

static int fill(const char *brokers, const char *topic, int64_t count, size_t size,
                bool headers)
{
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, producer_conf(), brokers);

    if (size > VALUE_MAX / 2)
        fail("BYTES", "at most 32768");
    for (int64_t i = 0; i < count; i++) {
        send_one(handle, topic, i, size, headers);
        (void)rd_kafka_poll(handle, 0);
    }
    if (rd_kafka_flush(handle, 10 * WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(topic, "not all records were taken");
    rd_kafka_destroy(handle);
    return 0;
}

static rd_kafka_topic_partition_list_t *partitions_of(rd_kafka_t *handle, char **topics,
                                                      size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_t *rkt = rd_kafka_topic_new(handle, topics[i], NULL);
        const struct rd_kafka_metadata *metadata;
        rd_kafka_resp_err_t err = rd_kafka_metadata(handle, 0, rkt, &metadata, WAIT_MS);

        if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
            fail(topics[i], rd_kafka_err2str(err));
        for (int p = 0; p < metadata->topics[0].partition_cnt; p++)
            (void)rd_kafka_topic_partition_list_add(list, topics[i], p);
        rd_kafka_metadata_destroy(metadata);
        rd_kafka_topic_destroy(rkt);
    }
    return list;
}

/* Records in all partitions together: one request. */
static int64_t ends(rd_kafka_t *handle, rd_kafka_queue_t *queue,
                    rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_event_t *event;
    const rd_kafka_ListOffsetsResultInfo_t **infos;
    size_t count;
    int64_t sum = 0;

    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_SPEC_LATEST;
    rd_kafka_ListOffsets(handle, list, NULL, queue);
    event = rd_kafka_queue_poll(queue, WAIT_MS);
    if (event == NULL || rd_kafka_event_error(event))
        fail("offsets", event ? rd_kafka_event_error_string(event) : "no answer");
    infos = rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event),
                                              &count);
    for (size_t i = 0; i < count; i++)
        sum += rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i])->offset;
    rd_kafka_event_destroy(event);
    return sum;
}

/* Nanoseconds on a CPU, of all threads that a process has now. */
static int64_t cpu_ns(long pid)
{
    char path[300];
    int64_t sum = 0;
    DIR *tasks;
    struct dirent *task;

    (void)snprintf(path, sizeof path, "/proc/%ld/task", pid);
    tasks = opendir(path);
    if (tasks == NULL)
        fail(path, "the process has ended");
    while ((task = readdir(tasks)) != NULL) {
        FILE *file;
        int64_t ns;

        if (task->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/%ld/task/%s/schedstat", pid, task->d_name);
        file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fscanf(file, "%" SCNd64, &ns) == 1)
            sum += ns;
        (void)fclose(file);
    }
    (void)closedir(tasks);
    return sum;
}

static long rss_kb(long pid)
{
    char line[256];
    long kb = 0;
    FILE *file;

    (void)snprintf(line, sizeof line, "/proc/%ld/status", pid);
    file = fopen(line, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    }
    if (file)
        (void)fclose(file);
    return kb;
}

struct sample {
    int64_t at_ns;
    int64_t total;
};

/* When the output passed a share of count, between two samples. */
static double passed_at(const struct sample *samples, size_t count, double total)
{
    size_t i = 1;
    double before;
    double step;

    while (i + 1 < count && (double)samples[i].total < total)
        i++;
    before = (double)samples[i - 1].total;
    step = (double)samples[i].total - before;
    return (double)samples[i - 1].at_ns +
           (step > 0 ? (total - before) / step : 1) *
               (double)(samples[i].at_ns - samples[i - 1].at_ns);
}

struct watched {
    int64_t cpu_ns[PIDS];
    long rss_kb;
    int64_t first_ns; /* when the first record was seen */
};

static void look(struct watched *watched, const long *pids, size_t count)
{
    long kb = 0;

    for (size_t i = 0; i < count; i++) {
        watched->cpu_ns[i] = cpu_ns(pids[i]);
        kb += rss_kb(pids[i]);
    }
    watched->rss_kb = kb > watched->rss_kb ? kb : watched->rss_kb;
}

static size_t split(char *text, char **parts, size_t max)
{
    size_t count = 0;
    char *part;

    while ((part = strsep(&text, ",")) != NULL && count < max)
        parts[count++] = part;
    return count;
}

static int watch(const char *brokers, int64_t count, int64_t seconds, char *topics,
                 char *pid_text)
{
    static struct sample samples[SAMPLES];
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, producer_conf(), brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_topic_partition_list_t *list;
    char *names[TOPICS];
    char *parts[PIDS];
    long pids[PIDS];
    size_t pid_count = split(pid_text, parts, PIDS);
    struct watched watched = {0};
    int64_t begin = now_ns();
    size_t n = 1;
    double from;
    double to;

    for (size_t i = 0; i < pid_count; i++)
        pids[i] = strtol(parts[i], NULL, 10);
    list = partitions_of(handle, names, split(topics, names, TOPICS));
    samples[0] = (struct sample){.at_ns = begin};
    do {
        samples[n].total = ends(handle, queue, list);
        samples[n].at_ns = now_ns();
        look(&watched, pids, pid_count);
        if (samples[n].total > 0 && watched.first_ns == 0)
            watched.first_ns = samples[n].at_ns;
        if (samples[n].at_ns - begin > seconds * 1000000000 || n + 1 == SAMPLES)
            fail("watch", "not all records came in time");
        (void)usleep(POLL_US);
    } while (samples[n++].total < count);
    from = passed_at(samples, n, 0.1 * (double)count);
    to = passed_at(samples, n, 0.9 * (double)count);
    (void)printf("{\"seconds\": %.3f, \"rate\": %.0f, \"rss_kb\": %ld, "
                 "\"first_s\": %.3f, \"cpu_us\": [",
                 (double)(samples[n - 1].at_ns - begin) / 1e9,
                 0.8 * (double)count / ((to - from) / 1e9), watched.rss_kb,
                 (double)(watched.first_ns - begin) / 1e9);
    for (size_t i = 0; i < pid_count; i++)
        (void)printf("%s%.4f", i ? ", " : "",
                     (double)watched.cpu_ns[i] / 1e3 / (double)count);
    (void)printf("]}\n");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    return 0;
}

/* What the runner does for a reading group before its first reader starts. */
static int seed(const char *brokers, const char *group, char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *handle;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t err;

    set(conf, "group.id", group);
    set(conf, "enable.auto.commit", "false");
    handle = open_handle(RD_KAFKA_CONSUMER, conf, brokers);
    list = partitions_of(handle, &topic, 1);
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = 0;
    err = rd_kafka_commit(handle, list, 0);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(group, rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
    (void)rd_kafka_consumer_close(handle);
    rd_kafka_destroy(handle);
    return 0;
}

static void wrong(const rd_kafka_message_t *message, const char *what)
{
    (void)fprintf(stderr, "bench: error: partition %d offset %" PRId64 ": wrong %s: %.*s\n",
                  message->partition, message->offset, what, (int)message->len,
                  (const char *)message->payload);
    exit(1);
}

/* The number of the record, after everything about it was compared. */
static int64_t check_one(const rd_kafka_message_t *message, bool answer, size_t size,
                         bool headers)
{
    char expected[VALUE_MAX];
    char text[64];
    int64_t i;
    size_t len;
    rd_kafka_headers_t *list = NULL;
    const void *trace = NULL;
    size_t trace_len = 0;

    if (message->len < 8 || sscanf(message->payload, "{\"id\":%" SCNd64, &i) != 1)
        wrong(message, "id");
    len = answer ? make_answer(expected, i) : make_value(expected, i, size);
    if (message->len != len || memcmp(message->payload, expected, len) != 0)
        wrong(message, "value");
    (void)snprintf(text, sizeof text, "key-%d", (int)(i % KEYS));
    if (message->key_len != strlen(text) || memcmp(message->key, text, strlen(text)) != 0)
        wrong(message, "key");
    if (rd_kafka_message_timestamp(message, NULL) != EPOCH_MS + i)
        wrong(message, "timestamp");
    (void)rd_kafka_message_headers(message, &list);
    if (list)
        (void)rd_kafka_header_get_last(list, "trace", &trace, &trace_len);
    (void)snprintf(text, sizeof text, "%" PRId64, i);
    if ((trace != NULL) != headers ||
        (trace && (trace_len != strlen(text) || memcmp(trace, text, trace_len) != 0)))
        wrong(message, "headers");
    return i;
}

static int check(const char *brokers, bool answer, char *topic, int64_t count, size_t size,
                 bool headers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *handle;
    rd_kafka_topic_partition_list_t *list;
    bool *seen = calloc((size_t)count, sizeof *seen);
    int64_t left = count;

    set(conf, "group.id", "bench-check");
    set(conf, "enable.auto.commit", "false");
    handle = open_handle(RD_KAFKA_CONSUMER, conf, brokers);
    list = partitions_of(handle, &topic, 1);
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    (void)rd_kafka_assign(handle, list);
    while (left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, WAIT_MS);
        int64_t i;

        if (message == NULL || message->err || seen == NULL)
            fail(topic, message ? rd_kafka_message_errstr(message) : "records are missing");
        i = check_one(message, answer, size, headers);
        if (i < 0 || i >= count)
            wrong(message, "id");
        left -= !seen[i];
        seen[i] = true;
        rd_kafka_message_destroy(message);
    }
    free(seen);
    rd_kafka_topic_partition_list_destroy(list);
    (void)rd_kafka_consumer_close(handle);
    rd_kafka_destroy(handle);
    return 0;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: bench_gen BROKERS create PARTITIONS TOPIC…\n"
                          "       bench_gen BROKERS delete TOPIC…\n"
                          "       bench_gen BROKERS fill TOPIC COUNT BYTES HEADERS\n"
                          "       bench_gen BROKERS watch COUNT SECONDS TOPICS PIDS\n"
                          "       bench_gen BROKERS seed GROUP TOPIC\n"
                          "       bench_gen BROKERS check input|answer TOPIC COUNT BYTES "
                          "HEADERS\n");
    return 2;
}

static int64_t integer(const char *text)
{
    return strtoll(text, NULL, 10);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[2] : "";

    if (strcmp(verb, "create") == 0 && argc > 4)
        return create(argv[1], (int)integer(argv[3]), argv + 4, (size_t)argc - 4);
    if (strcmp(verb, "delete") == 0 && argc > 3)
        return delete(argv[1], argv + 3, (size_t)argc - 3);
    if (strcmp(verb, "fill") == 0 && argc == 7)
        return fill(argv[1], argv[3], integer(argv[4]), (size_t)integer(argv[5]),
                    integer(argv[6]) != 0);
    if (strcmp(verb, "watch") == 0 && argc == 7)
        return watch(argv[1], integer(argv[3]), integer(argv[4]), argv[5], argv[6]);
    if (strcmp(verb, "seed") == 0 && argc == 5)
        return seed(argv[1], argv[3], argv[4]);
    if (strcmp(verb, "check") == 0 && argc == 8)
        return check(argv[1], strcmp(argv[3], "answer") == 0, argv[4], integer(argv[5]),
                     (size_t)integer(argv[6]), integer(argv[7]) != 0);
    return usage();
}
