/* SPDX-License-Identifier: MIT
 *
 * bench_copy.c - copies a topic: key, value, timestamp and headers. The yardstick for the
 * node copy.
 *
 *   bench_copy BROKERS GROUP INPUT OUTPUT
 */
#include "bench_client.h"

#include <stdio.h>

static void on_record(struct client *client, rd_kafka_message_t *message)
{
    client_send(client, message, NULL, 0);
}

int main(int argc, char **argv)
{
    struct client_spec spec = {.on_record = on_record};

    if (argc != 5) {
        (void)fprintf(stderr, "usage: bench_copy BROKERS GROUP INPUT OUTPUT\n");
        return 2;
    }
    spec.brokers = argv[1];
    spec.group = argv[2];
    spec.inputs = (const char *const *)&argv[3];
    spec.input_count = 1;
    spec.output = argv[4];
    return client_run(&spec);
}
