/* SPDX-License-Identifier: MIT */
#include "sdk/broker.h"

#include "sdk/client.h"
#include "sdk/kafka_conf.h"

/*
 * While a request waits for a broker that is down, librdkafka 2.15.1 knocks at its door
 * without any pause (10,000 times a second, two threads busy). So it waits only briefly.
 * Where a round trip takes longer, the next delivery or fetch says that it is back.
 */
enum { ASK_MS = 1000, ANSWER_MS = 100 };

void broker_init(struct broker *broker, struct client *client, rd_kafka_t *rk)
{
    *broker = (struct broker){.rk = rk, .reachable = rk == NULL};
    if (rk) {
        broker->queue = rd_kafka_queue_new(rk);
        kafka_wake(client, broker->queue);
    }
}

void broker_clear(struct broker *broker)
{
    if (broker->queue)
        rd_kafka_queue_destroy(broker->queue);
    *broker = (struct broker){0};
}

void broker_lost(struct broker *broker)
{
    broker->reachable = false;
}

/*
 * A description of a topic that nobody has: librdkafka 2.15.1 aborts the process when
 * DescribeCluster is answered without a broker, as a Kafka that has just started does.
 */
static void ask(struct broker *broker)
{
    const char *nobodys[] = {"dagrun-ping"};
    rd_kafka_TopicCollection_t *topics =
        rd_kafka_TopicCollection_of_topic_names(nobodys, 1);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(broker->rk, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
    char text[128];

    (void)rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, text,
                                                    sizeof text);
    rd_kafka_DescribeTopics(broker->rk, topics, options, broker->queue);
    rd_kafka_TopicCollection_destroy(topics);
    rd_kafka_AdminOptions_destroy(options);
    broker->asking = true;
}

void broker_step(struct broker *broker, int64_t now_ms)
{
    rd_kafka_event_t *event;

    while (broker->queue && (event = rd_kafka_queue_poll(broker->queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT) {
            broker->asking = false;
            broker->ask_at_ms = now_ms + ASK_MS;
            if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
                broker->reachable = true;
        }
        rd_kafka_event_destroy(event);
    }
    if (!broker->reachable && !broker->asking && now_ms >= broker->ask_at_ms)
        ask(broker);
}
