/* SPDX-License-Identifier: MIT
 *
 * broker_topics.c - create, grow, describe, configure, delete topics; ping.
 */
#include "host/broker_private.h"

#include <stdlib.h>
#include <string.h>

static void add_description(struct broker_builder *builder,
                            const rd_kafka_TopicDescription_t *topic)
{
    struct broker_item *item =
        broker_add_item(builder, rd_kafka_TopicDescription_name(topic));
    const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(topic);
    size_t count;
    const rd_kafka_TopicPartitionInfo_t **partitions =
        rd_kafka_TopicDescription_partitions(topic, &count);

    broker_item_check(item, rd_kafka_TopicDescription_error(topic));
    if (item->error_code)
        return;
    if (id && (rd_kafka_Uuid_most_significant_bits(id) ||
               rd_kafka_Uuid_least_significant_bits(id)))
        item->topic_id = mem_arena_strdup(&builder->arena, rd_kafka_Uuid_base64str(id));
    item->partitions = (int)count;
    for (size_t i = 0; i < count; i++) {
        size_t replicas;

        (void)rd_kafka_TopicPartitionInfo_replicas(partitions[i], &replicas);
        if (rd_kafka_TopicPartitionInfo_partition(partitions[i]) == 0)
            item->replication = (int)replicas;
        if (rd_kafka_TopicPartitionInfo_leader(partitions[i]) == NULL)
            item->leaderless++;
    }
}

/* In the order asked: brokers answer in one of their own. */
static void fill_descriptions(struct broker_builder *builder,
                              const struct broker_request *request,
                              rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_TopicDescription_t **topics = rd_kafka_DescribeTopics_result_topics(
        rd_kafka_event_DescribeTopics_result(event), &count);
    size_t at = 0;

    for (size_t i = 0; i < request->name_count; i++) {
        for (size_t tries = 0; tries < count; tries++, at++) {
            const char *name = rd_kafka_TopicDescription_name(topics[at % count]);

            if (strcmp(name, request->names[i]) == 0) {
                add_description(builder, topics[at % count]);
                break;
            }
        }
    }
}

void broker_describe_topics(struct broker *broker, const char *const *names,
                            size_t count, int timeout_ms, broker_done_fn *done,
                            void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_descriptions);
    rd_kafka_AdminOptions_t *options;
    rd_kafka_TopicCollection_t *topics;

    if (count == 0) {
        broker_request_local(request, 0, NULL);
        return;
    }
    broker_request_names(request, names, count);
    options = broker_request_options(request, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
    topics =
        rd_kafka_TopicCollection_of_topic_names((const char **)request->names, count);
    rd_kafka_DescribeTopics(broker->handle, topics, options, broker->queue);
    rd_kafka_TopicCollection_destroy(topics);
    rd_kafka_AdminOptions_destroy(options);
}

/*
 * A description of a topic that nobody has: librdkafka 2.15.1 aborts the process when
 * DescribeCluster is answered without a broker, as a Kafka that has just started does.
 */
void broker_ping(struct broker *broker, int timeout_ms, broker_done_fn *done, void *arg)
{
    static const char *const nobodys[] = {"dagrun-ping"};

    broker_describe_topics(broker, nobodys, 1, timeout_ms, done, arg);
}

static void fill_created(struct broker_builder *builder,
                         const struct broker_request *request, rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &count);

    (void)request;
    broker_add_topic_results(builder, results, count);
}

static rd_kafka_NewTopic_t *new_topic(const struct broker_topic *from, char *text,
                                      size_t size)
{
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(from->name, from->partitions,
                                                       from->replication, text, size);

    if (topic == NULL)
        return NULL;
    for (const char *const *p = from->config; p && p[0]; p += 2)
        (void)rd_kafka_NewTopic_set_config(topic, p[0], p[1]);
    return topic;
}

void broker_create_topics(struct broker *broker, const struct broker_topic *topics,
                          size_t count, int timeout_ms, broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_created);
    rd_kafka_NewTopic_t **list = mem_alloc(count * sizeof(rd_kafka_NewTopic_t *));
    char text[256] = "";
    size_t made = 0;

    while (made < count &&
           (list[made] = new_topic(&topics[made], text, sizeof text)) != NULL)
        made++;
    if (count == 0) {
        broker_request_local(request, 0, NULL);
    } else if (made < count) {
        broker_request_local(request, RD_KAFKA_RESP_ERR__INVALID_ARG, text);
    } else {
        rd_kafka_AdminOptions_t *options =
            broker_request_options(request, RD_KAFKA_ADMIN_OP_CREATETOPICS);

        rd_kafka_CreateTopics(broker->handle, list, count, options, broker->queue);
        rd_kafka_AdminOptions_destroy(options);
    }
    rd_kafka_NewTopic_destroy_array(list, made);
    free(list);
}

static void fill_grown(struct broker_builder *builder,
                       const struct broker_request *request, rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_topic_result_t **results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event), &count);

    (void)request;
    broker_add_topic_results(builder, results, count);
}

void broker_create_partitions(struct broker *broker, const struct broker_topic *topics,
                              size_t count, int timeout_ms, broker_done_fn *done,
                              void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_grown);
    rd_kafka_NewPartitions_t **list =
        mem_alloc(count * sizeof(rd_kafka_NewPartitions_t *));
    char text[256] = "";
    size_t made = 0;

    while (made < count && (list[made] = rd_kafka_NewPartitions_new(
                                topics[made].name, (size_t)topics[made].partitions,
                                text, sizeof text)) != NULL)
        made++;
    if (count == 0) {
        broker_request_local(request, 0, NULL);
    } else if (made < count) {
        broker_request_local(request, RD_KAFKA_RESP_ERR__INVALID_ARG, text);
    } else {
        rd_kafka_AdminOptions_t *options =
            broker_request_options(request, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);

        rd_kafka_CreatePartitions(broker->handle, list, count, options, broker->queue);
        rd_kafka_AdminOptions_destroy(options);
    }
    rd_kafka_NewPartitions_destroy_array(list, made);
    free(list);
}

static void fill_deleted(struct broker_builder *builder,
                         const struct broker_request *request, rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(event), &count);

    (void)request;
    broker_add_topic_results(builder, results, count);
}

void broker_delete_topics(struct broker *broker, const char *const *names, size_t count,
                          int timeout_ms, broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_deleted);
    rd_kafka_DeleteTopic_t **list = mem_alloc(count * sizeof(rd_kafka_DeleteTopic_t *));

    for (size_t i = 0; i < count; i++)
        list[i] = rd_kafka_DeleteTopic_new(names[i]);
    if (count == 0) {
        broker_request_local(request, 0, NULL);
    } else {
        rd_kafka_AdminOptions_t *options =
            broker_request_options(request, RD_KAFKA_ADMIN_OP_DELETETOPICS);

        rd_kafka_DeleteTopics(broker->handle, list, count, options, broker->queue);
        rd_kafka_AdminOptions_destroy(options);
    }
    rd_kafka_DeleteTopic_destroy_array(list, count);
    free(list);
}
