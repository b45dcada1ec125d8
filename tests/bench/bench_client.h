/* SPDX-License-Identifier: MIT
 *
 * bench_client.h - a hand-written Kafka program on raw librdkafka, at least once: what
 * someone would write who needs this one program and wants it as fast as can be.
 * The yardstick for the nodes; it shares no code with them.
 *
 * Records come in batches, leave through produceva (the one call that takes a timestamp),
 * delivery reports come in batches; an input's offset is stored when all before it are
 * acknowledged, and committed once a second. The settings are those of the SDK, so that
 * what is compared is the code. SIGTERM: flush, commit, close.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <librdkafka/rdkafka.h>

struct client;

/* One record: call client_send() or client_skip() once. It owns the message then. */
typedef void client_record_fn(struct client *client, rd_kafka_message_t *message);

struct client_spec {
    const char *brokers;
    const char *group;
    const char *const *inputs;
    int input_count;
    const char *output; /* NULL: it only reads */
    client_record_fn *on_record;
};

/* Send a value in place of the record's, or the record as it is when value is NULL. */
void client_send(struct client *client, rd_kafka_message_t *message, const void *value,
                 size_t len);

/* Finish a record without sending anything. */
void client_skip(struct client *client, rd_kafka_message_t *message);

/* Run until SIGTERM. Returns the exit code. */
int client_run(const struct client_spec *spec);

#endif
