/* SPDX-License-Identifier: MIT
 *
 * broker_reply.c - items of a reply from librdkafka's results.
 */
#include "host/broker_private.h"

struct broker_item *broker_add_item(struct broker_builder *builder, const char *name)
{
    struct broker_item *item;

    builder->items = mem_grow(builder->items, builder->reply.count, &builder->capacity,
                              sizeof *builder->items);
    item = &builder->items[builder->reply.count++];
    *item = (struct broker_item){.name = name, .offset = -1, .timestamp_ms = -1};
    return item;
}

void broker_item_fail(struct broker_item *item, rd_kafka_resp_err_t code,
                      const char *text)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    item->error_code = code;
    item->error = text && *text ? text : rd_kafka_err2str(code);
}

void broker_item_check(struct broker_item *item, const rd_kafka_error_t *error)
{
    if (error)
        broker_item_fail(item, rd_kafka_error_code(error),
                         rd_kafka_error_string(error));
}

void broker_add_topic_results(struct broker_builder *builder,
                              const rd_kafka_topic_result_t **results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct broker_item *item =
            broker_add_item(builder, rd_kafka_topic_result_name(results[i]));

        broker_item_fail(item, rd_kafka_topic_result_error(results[i]),
                         rd_kafka_topic_result_error_string(results[i]));
    }
}

void broker_add_partitions(struct broker_builder *builder,
                           const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *from = &list->elems[i];
        struct broker_item *item = broker_add_item(builder, from->topic);

        item->partition = from->partition;
        item->offset = from->offset < 0 ? -1 : from->offset;
        if (from->metadata)
            item->metadata =
                mem_arena_strndup(&builder->arena, from->metadata, from->metadata_size);
        broker_item_fail(item, from->err, NULL);
    }
}

void broker_add_group_results(struct broker_builder *builder,
                              const rd_kafka_group_result_t **results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_error_t *error = rd_kafka_group_result_error(results[i]);

        if (error && count == 1 && builder->reply.error == NULL) {
            builder->reply.error_code = rd_kafka_error_code(error);
            builder->reply.error = rd_kafka_error_string(error);
        }
        broker_add_partitions(builder, rd_kafka_group_result_partitions(results[i]));
    }
}
