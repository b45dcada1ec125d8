/* SPDX-License-Identifier: MIT
 *
 * broker_offsets.c - the ends of partitions, what groups have committed, freeing
 * records.
 */
#include "host/broker_private.h"

#include <string.h>

static rd_kafka_topic_partition_list_t *list_of(const struct broker_position *positions,
                                                size_t count)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)count);

    for (size_t i = 0; i < count; i++) {
        const struct broker_position *from = &positions[i];
        rd_kafka_topic_partition_t *to =
            rd_kafka_topic_partition_list_add(list, from->topic, from->partition);

        to->offset = from->offset;
        if (from->metadata) {
            /* The list frees it with free(). */
            to->metadata = mem_strdup(from->metadata);
            to->metadata_size = strlen(from->metadata);
        }
    }
    return list;
}

static void fill_offsets(struct broker_builder *builder,
                         const struct broker_request *request, rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_ListOffsetsResultInfo_t **infos = rd_kafka_ListOffsets_result_infos(
        rd_kafka_event_ListOffsets_result(event), &count);

    (void)request;
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *from =
            rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
        struct broker_item *item = broker_add_item(builder, from->topic);

        item->partition = from->partition;
        item->offset = from->offset < 0 ? -1 : from->offset;
        item->timestamp_ms = rd_kafka_ListOffsetsResultInfo_timestamp(infos[i]);
        broker_item_fail(item, from->err, NULL);
        /* librdkafka 2.15 gives this, with no error, for a leader that did not answer.
         */
        if (from->offset == RD_KAFKA_OFFSET_INVALID)
            broker_item_fail(item, RD_KAFKA_RESP_ERR__TRANSPORT,
                             "the partition's leader did not answer");
    }
}

/* librdkafka refuses a list that names a partition twice. */
static rd_kafka_topic_partition_list_t *
without_repeats(rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *once =
        rd_kafka_topic_partition_list_new(list->cnt);

    rd_kafka_topic_partition_list_sort(list, NULL, NULL);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *from = &list->elems[i];
        const rd_kafka_topic_partition_t *last =
            once->cnt > 0 ? &once->elems[once->cnt - 1] : NULL;

        if (last && last->partition == from->partition &&
            strcmp(last->topic, from->topic) == 0)
            continue;
        rd_kafka_topic_partition_list_add(once, from->topic, from->partition)->offset =
            from->offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return once;
}

static void send_list_offsets(struct broker_request *request)
{
    rd_kafka_AdminOptions_t *options =
        broker_request_options(request, RD_KAFKA_ADMIN_OP_LISTOFFSETS);

    (void)rd_kafka_AdminOptions_set_isolation_level(
        options, request->read_committed ? RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED
                                         : RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED);
    rd_kafka_ListOffsets(request->broker->handle, request->list, options,
                         request->broker->queue);
    rd_kafka_AdminOptions_destroy(options);
}

/* Ask about the positions of a list, or answer at once when there are none. */
static void ask(struct broker_request *request, broker_send_fn *send,
                rd_kafka_topic_partition_list_t *list)
{
    request->list = list;
    if (list->cnt == 0) {
        broker_request_local(request, 0, NULL);
        return;
    }
    if (request->group)
        broker_request_send_coordinated(request, send);
    else
        broker_request_send(request, send);
}

void broker_list_offsets(struct broker *broker, const struct broker_position *positions,
                         size_t count, bool read_committed, int timeout_ms,
                         broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_offsets);

    request->read_committed = read_committed;
    ask(request, send_list_offsets, without_repeats(list_of(positions, count)));
}

static void fill_group_offsets(struct broker_builder *builder,
                               const struct broker_request *request,
                               rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_group_result_t **groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);

    (void)request;
    broker_add_group_results(builder, groups, count);
}

static void send_group_offsets(struct broker_request *request)
{
    rd_kafka_ListConsumerGroupOffsets_t *question =
        rd_kafka_ListConsumerGroupOffsets_new(request->group, request->list);
    rd_kafka_AdminOptions_t *options =
        broker_request_options(request, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);

    rd_kafka_ListConsumerGroupOffsets(request->broker->handle, &question, 1, options,
                                      request->broker->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
}

void broker_group_offsets(struct broker *broker, const char *group,
                          const struct broker_position *positions, size_t count,
                          int timeout_ms, broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_group_offsets);

    request->group = mem_strdup(group);
    request->list = count ? list_of(positions, count) : NULL;
    broker_request_send_coordinated(request, send_group_offsets);
}

static void fill_committed(struct broker_builder *builder,
                           const struct broker_request *request,
                           rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_group_result_t **groups =
        rd_kafka_AlterConsumerGroupOffsets_result_groups(
            rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);

    (void)request;
    broker_add_group_results(builder, groups, count);
}

static void send_alter(struct broker_request *request)
{
    rd_kafka_AlterConsumerGroupOffsets_t *change =
        rd_kafka_AlterConsumerGroupOffsets_new(request->group, request->list);
    rd_kafka_AdminOptions_t *options =
        broker_request_options(request, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);

    rd_kafka_AlterConsumerGroupOffsets(request->broker->handle, &change, 1, options,
                                       request->broker->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_AlterConsumerGroupOffsets_destroy(change);
}

void broker_alter_group_offsets(struct broker *broker, const char *group,
                                const struct broker_position *positions, size_t count,
                                int timeout_ms, broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_committed);

    request->group = mem_strdup(group);
    ask(request, send_alter, list_of(positions, count));
}

static void fill_freed(struct broker_builder *builder,
                       const struct broker_request *request, rd_kafka_event_t *event)
{
    (void)request;
    broker_add_partitions(builder, rd_kafka_DeleteRecords_result_offsets(
                                       rd_kafka_event_DeleteRecords_result(event)));
}

static void send_delete_records(struct broker_request *request)
{
    rd_kafka_DeleteRecords_t *change = rd_kafka_DeleteRecords_new(request->list);
    rd_kafka_AdminOptions_t *options =
        broker_request_options(request, RD_KAFKA_ADMIN_OP_DELETERECORDS);

    rd_kafka_DeleteRecords(request->broker->handle, &change, 1, options,
                           request->broker->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_DeleteRecords_destroy(change);
}

/* A position's -1 is librdkafka's RD_KAFKA_OFFSET_END. */
void broker_delete_records(struct broker *broker,
                           const struct broker_position *positions, size_t count,
                           int timeout_ms, broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};

    ask(broker_request_new(&call, fill_freed), send_delete_records,
        list_of(positions, count));
}
