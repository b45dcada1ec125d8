/* SPDX-License-Identifier: MIT
 *
 * bench_pipeline.c - the arithmetic pipeline by hand, with yyjson: the yardstick for
 * arithmetic → two readers → end as a dag.
 *
 *   bench_pipeline xf BROKERS GROUP INPUT OUTPUT    do what the record's operation asks
 *   bench_pipeline copy BROKERS GROUP INPUT OUTPUT  a reader that writes to its own topic
 *   bench_pipeline end BROKERS GROUP INPUT…         read and drop
 */
#include "bench_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

enum { ANSWER = 512 };

static void refuse(const rd_kafka_message_t *message)
{
    (void)fprintf(stderr, "bench: error: offset %lld is no arithmetic task\n",
                  (long long)message->offset);
    exit(1);
}

static size_t put(char *out, const char *text)
{
    size_t len = strlen(text);

    memcpy(out, text, len);
    return len;
}

/* An id is a number here; a longer one would be cut, so it is refused. */
static size_t put_id(char *out, yyjson_val *id, const rd_kafka_message_t *message)
{
    size_t len = yyjson_get_len(id);

    if (!yyjson_is_raw(id) || len > 32)
        refuse(message);
    memcpy(out, yyjson_get_raw(id), len);
    return len;
}

static long long number(yyjson_val *value, const rd_kafka_message_t *message)
{
    char *end;
    long long number;

    if (!yyjson_is_str(value))
        refuse(message);
    number = strtoll(yyjson_get_str(value), &end, 10);
    if (*end != '\0')
        refuse(message);
    return number;
}

static size_t answer(char *out, yyjson_val *root, const rd_kafka_message_t *message)
{
    long long a = number(yyjson_obj_get(root, "operator_1"), message);
    long long b = number(yyjson_obj_get(root, "operator_2"), message);
    const char *operation = yyjson_get_str(yyjson_obj_get(root, "operation"));
    bool sum = operation && strcmp(operation, "sum") == 0;
    size_t len = put(out, "{\"id\":");

    if (!sum && (operation == NULL || strcmp(operation, "sub") != 0))
        refuse(message);
    len += put_id(out + len, yyjson_obj_get(root, "id"), message);
    len += put(out + len, sum ? ",\"operation\":\"sum\",\"result\":"
                              : ",\"operation\":\"sub\",\"result\":");
    len += (size_t)snprintf(out + len, 24, "%lld", sum ? a + b : llabs(a - b));
    out[len++] = '}';
    return len;
}

/* Memory of the parser, for any record up to 1 MiB: nothing is allocated a record. */
static yyjson_alc pool;

static void transform(struct client *client, rd_kafka_message_t *message)
{
    char out[ANSWER];
    yyjson_doc *doc = yyjson_read_opts(message->payload, message->len,
                                       YYJSON_READ_NUMBER_AS_RAW, &pool, NULL);

    if (doc == NULL)
        refuse(message);
    client_send(client, message, out, answer(out, yyjson_doc_get_root(doc), message));
    yyjson_doc_free(doc);
}

static void copy(struct client *client, rd_kafka_message_t *message)
{
    client_send(client, message, NULL, 0);
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: bench_pipeline xf|copy BROKERS GROUP INPUT OUTPUT\n"
                          "       bench_pipeline end BROKERS GROUP INPUT…\n");
    return 2;
}

int main(int argc, char **argv)
{
    static char memory[16 << 20];
    struct client_spec spec = {0};

    if (argc < 5)
        return usage();
    (void)yyjson_alc_pool_init(&pool, memory, sizeof memory);
    spec.brokers = argv[2];
    spec.group = argv[3];
    spec.inputs = (const char *const *)&argv[4];
    spec.input_count = 1;
    if (strcmp(argv[1], "end") == 0) {
        spec.on_record = client_skip;
        spec.input_count = argc - 4;
        return client_run(&spec);
    }
    if (argc != 6)
        return usage();
    spec.on_record = strcmp(argv[1], "xf") == 0 ? transform : copy;
    spec.output = argv[5];
    return client_run(&spec);
}
