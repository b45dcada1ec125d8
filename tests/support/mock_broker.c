/* SPDX-License-Identifier: MIT
 *
 * mock_broker.c - librdkafka's mock of a broker, for answers that no real one gives on
 * request.
 *
 *   mock_broker TOPIC PARTITIONS refuse   the first ProduceRequest is refused ("not the
 *       leader", as by a broker that is about to become it) while later ones, sent before
 *       that answer came, are taken
 *
 * Prints its address, lives until its input ends.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PRODUCE = 0, BROKER_ID = 1, ANSWER_AFTER_MS = 30 };

int main(int argc, char **argv)
{
    char text[256], byte;
    rd_kafka_t *host =
        rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text);
    rd_kafka_mock_cluster_t *mock;

    if (argc != 4 || strcmp(argv[3], "refuse") != 0 || host == NULL)
        return 2;
    mock = rd_kafka_mock_cluster_new(host, 1);
    if (rd_kafka_mock_topic_create(mock, argv[1], atoi(argv[2]), 1) ||
        rd_kafka_mock_broker_set_rtt(mock, BROKER_ID, ANSWER_AFTER_MS))
        return 1;
    rd_kafka_mock_push_request_errors(mock, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    (void)printf("%s\n", rd_kafka_mock_cluster_bootstraps(mock));
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(host);
    return 0;
}
