/* SPDX-License-Identifier: MIT
 *
 * bench_load.c - plain load on a broker, for comparing brokers.
 *
 *   bench_load BROKERS produce TOPIC COUNT BYTES CODEC    as fast as it goes, acks=all
 *   bench_load BROKERS consume TOPIC COUNT                from the beginning, no group
 *       print {"seconds", "rate", "cpu_us"}: CPU microseconds of this process a record
 *   bench_load BROKERS latency TOPIC RATE SECONDS BYTES CODEC
 *       a producer and a consumer in one process, records at an even pace; prints
 *       {"p50_ms", "p99_ms", "p999_ms", "max_ms", "records", "cpu_us"} from the call of
 *       produce to the call that hands the record out
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BYTES_MAX = 32768, WAIT_MS = 30000, TAKE = 1000, PACE_NS = 1000000 };

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

static double cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static rd_kafka_t *open_handle(rd_kafka_type_t type, const char *brokers,
                               const char *const *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[512];
    rd_kafka_t *handle;

    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why) !=
        RD_KAFKA_CONF_OK)
        fail(brokers, why);
    for (; *settings; settings += 2) {
        if (rd_kafka_conf_set(conf, settings[0], settings[1], why, sizeof why) !=
            RD_KAFKA_CONF_OK)
            fail(settings[0], why);
    }
    handle = rd_kafka_new(type, conf, why, sizeof why);
    if (handle == NULL)
        fail("librdkafka", why);
    return handle;
}

static rd_kafka_t *open_producer(const char *brokers, const char *linger_ms,
                                 const char *codec)
{
    const char *const settings[] = {"enable.idempotence", "true",
                                    "linger.ms", linger_ms,
                                    "compression.codec", codec,
                                    "queue.buffering.max.messages", "500000",
                                    NULL};

    return open_handle(RD_KAFKA_PRODUCER, brokers, settings);
}

/* Reads all partitions from an offset on, in no group. */
static rd_kafka_t *open_consumer(const char *brokers, const char *topic, int64_t offset)
{
    const char *const settings[] = {"group.id", "bench-load",
                                    "enable.auto.commit", "false",
                                    "fetch.queue.backoff.ms", "5",
                                    "fetch.wait.max.ms", "500",
                                    NULL};
    rd_kafka_t *handle = open_handle(RD_KAFKA_CONSUMER, brokers, settings);
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(handle, topic, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    const struct rd_kafka_metadata *metadata;

    if (rd_kafka_metadata(handle, 0, rkt, &metadata, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(topic, "no metadata");
    for (int p = 0; p < metadata->topics[0].partition_cnt; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = offset;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(rkt);
    if (rd_kafka_assign(handle, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(topic, "not assigned");
    rd_kafka_topic_partition_list_destroy(list);
    (void)rd_kafka_poll_set_consumer(handle);
    return handle;
}

/* Half of it compresses, half of it does not, as records of programs do. */
static void fill(char *value, size_t size, uint64_t number)
{
    uint64_t bits = number * UINT64_C(0x9E3779B97F4A7C15) + 1;

    for (size_t i = 0; i < size; i++) {
        if (i % 8 < 4) {
            value[i] = "name"[i % 4];
        } else {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            value[i] = (char)('!' + bits % 90);
        }
    }
}

static void send_one(rd_kafka_t *handle, rd_kafka_topic_t *topic, const char *value,
                 size_t size)
{
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)(uintptr_t)value, size, NULL, 0, NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            fail("produce", rd_kafka_err2str(rd_kafka_last_error()));
        (void)rd_kafka_poll(handle, 10);
    }
}

static void print_rate(int64_t count, int64_t begin_ns, double begin_cpu)
{
    double seconds = (double)(now_ns() - begin_ns) / 1e9;

    (void)printf("{\"seconds\": %.3f, \"rate\": %.0f, \"cpu_us\": %.4f}\n", seconds,
                 (double)count / seconds, (cpu_us() - begin_cpu) / (double)count);
}

static int produce(const char *brokers, const char *name, int64_t count, size_t size,
                   const char *codec)
{
    rd_kafka_t *handle = open_producer(brokers, "20", codec);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
    char value[BYTES_MAX];
    int64_t begin = now_ns();
    double cpu = cpu_us();

    for (int64_t i = 0; i < count; i++) {
        if (i % 64 == 0)
            fill(value, size, (uint64_t)i);
        memcpy(value, &i, sizeof i);
        send_one(handle, topic, value, size);
        (void)rd_kafka_poll(handle, 0);
    }
    if (rd_kafka_flush(handle, 10 * WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(name, "not all records were taken");
    print_rate(count, begin, cpu);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    return 0;
}

static int consume(const char *brokers, const char *topic, int64_t count)
{
    rd_kafka_t *handle = open_consumer(brokers, topic, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(handle);
    rd_kafka_message_t *batch[TAKE];
    int64_t begin = now_ns();
    double cpu = cpu_us();
    int64_t got = 0;

    while (got < count) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 20, batch, TAKE);

        if (now_ns() - begin > 300 * INT64_C(1000000000))
            fail(topic, "records are missing");
        for (ssize_t i = 0; i < n; i++) {
            if (batch[i]->err)
                fail(topic, rd_kafka_message_errstr(batch[i]));
            rd_kafka_message_destroy(batch[i]);
        }
        got += n > 0 ? n : 0;
    }
    print_rate(got, begin, cpu);
    rd_kafka_queue_destroy(queue);
    (void)rd_kafka_consumer_close(handle);
    rd_kafka_destroy(handle);
    return 0;
}

/* -------------------------------------------------------------------------- latency */

struct pace {
    const char *brokers;
    const char *topic;
    const char *codec;
    int64_t rate;
    int64_t count;
    size_t size;
};

static void *send_paced(void *arg)
{
    const struct pace *pace = arg;
    rd_kafka_t *handle = open_producer(pace->brokers, "0", pace->codec);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, pace->topic, NULL);
    char value[BYTES_MAX];
    int64_t begin = now_ns();
    int64_t sent = 0;

    fill(value, pace->size, 7);
    while (sent < pace->count) {
        int64_t due = (now_ns() - begin) * pace->rate / 1000000000 + 1;

        for (; sent < due && sent < pace->count; sent++) {
            int64_t at = now_ns();

            memcpy(value, &at, sizeof at);
            send_one(handle, topic, value, pace->size);
        }
        (void)rd_kafka_poll(handle, 0);
        (void)nanosleep(&(struct timespec){.tv_nsec = PACE_NS / 4}, NULL);
    }
    if (rd_kafka_flush(handle, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(pace->topic, "not all records were taken");
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double share_ms(const int64_t *sorted, int64_t count, double share)
{
    return (double)sorted[(int64_t)((double)(count - 1) * share)] / 1e6;
}

/* The first tenth warms connections and caches up and is not counted. */
static void print_latency(int64_t *took, int64_t count, double cpu)
{
    int64_t *counted = took + count / 10;
    int64_t n = count - count / 10;

    qsort(counted, (size_t)n, sizeof *counted, by_value);
    (void)printf("{\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, "
                 "\"max_ms\": %.3f, \"records\": %" PRId64 ", \"cpu_us\": %.4f}\n",
                 share_ms(counted, n, 0.5), share_ms(counted, n, 0.99),
                 share_ms(counted, n, 0.999), share_ms(counted, n, 1), count,
                 cpu / (double)count);
}

static int latency(struct pace *pace, int64_t seconds)
{
    rd_kafka_t *handle = open_consumer(pace->brokers, pace->topic, 0);
    int64_t *took;
    double cpu = cpu_us();
    int64_t got = 0;
    int64_t until = now_ns() + (seconds + 60) * 1000000000;
    pthread_t sender;

    pace->count = pace->rate * seconds;
    took = calloc((size_t)pace->count, sizeof *took);
    if (took == NULL || pthread_create(&sender, NULL, send_paced, pace) != 0)
        fail("latency", "no memory or thread");
    while (got < pace->count) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, 100);
        int64_t at;

        if (now_ns() > until)
            fail(pace->topic, "records are missing");
        if (message == NULL)
            continue;
        if (message->err)
            fail(pace->topic, rd_kafka_message_errstr(message));
        memcpy(&at, message->payload, sizeof at);
        took[got++] = now_ns() - at;
        rd_kafka_message_destroy(message);
    }
    (void)pthread_join(sender, NULL);
    print_latency(took, got, cpu_us() - cpu);
    free(took);
    (void)rd_kafka_consumer_close(handle);
    rd_kafka_destroy(handle);
    return 0;
}

static int64_t integer(const char *text)
{
    return strtoll(text, NULL, 10);
}

static size_t size_of(const char *text)
{
    int64_t size = integer(text);

    if (size < 16 || size > BYTES_MAX)
        fail("BYTES", "16 to 32768");
    return (size_t)size;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[2] : "";

    if (strcmp(verb, "produce") == 0 && argc == 7)
        return produce(argv[1], argv[3], integer(argv[4]), size_of(argv[5]), argv[6]);
    if (strcmp(verb, "consume") == 0 && argc == 5)
        return consume(argv[1], argv[3], integer(argv[4]));
    if (strcmp(verb, "latency") == 0 && argc == 8)
        return latency(&(struct pace){.brokers = argv[1], .topic = argv[3],
                                      .rate = integer(argv[4]), .size = size_of(argv[6]),
                                      .codec = argv[7]},
                       integer(argv[5]));
    (void)fprintf(stderr, "usage: bench_load BROKERS produce TOPIC COUNT BYTES CODEC\n"
                          "       bench_load BROKERS consume TOPIC COUNT\n"
                          "       bench_load BROKERS latency TOPIC RATE SECONDS BYTES "
                          "CODEC\n");
    return 2;
}
