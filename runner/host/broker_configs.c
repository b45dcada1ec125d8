/* SPDX-License-Identifier: MIT
 *
 * broker_configs.c - read and change the configuration of topics.
 */
#include "host/broker_private.h"

#include <stdlib.h>

static void add_entries(struct broker_builder *builder,
                        const rd_kafka_ConfigResource_t *resource)
{
    const char *topic = rd_kafka_ConfigResource_name(resource);
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
    size_t count;
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resource, &count);

    if (code) {
        broker_item_fail(broker_add_item(builder, topic), code,
                         rd_kafka_ConfigResource_error_string(resource));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct broker_item *item = broker_add_item(builder, topic);

        item->key = rd_kafka_ConfigEntry_name(entries[i]);
        item->value = rd_kafka_ConfigEntry_value(entries[i]);
        item->is_default = rd_kafka_ConfigEntry_source(entries[i]) !=
                           RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
    }
}

static void fill_configs(struct broker_builder *builder,
                         const struct broker_request *request, rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &count);

    (void)request;
    for (size_t i = 0; i < count; i++)
        add_entries(builder, resources[i]);
}

void broker_describe_topic_configs(struct broker *broker, const char *const *names,
                                   size_t count, int timeout_ms, broker_done_fn *done,
                                   void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_configs);
    rd_kafka_ConfigResource_t **list =
        mem_alloc(count * sizeof(rd_kafka_ConfigResource_t *));

    for (size_t i = 0; i < count; i++)
        list[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, names[i]);
    if (count == 0) {
        broker_request_local(request, 0, NULL);
    } else {
        rd_kafka_AdminOptions_t *options =
            broker_request_options(request, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);

        rd_kafka_DescribeConfigs(broker->handle, list, count, options, broker->queue);
        rd_kafka_AdminOptions_destroy(options);
    }
    rd_kafka_ConfigResource_destroy_array(list, count);
    free(list);
}

static void fill_altered(struct broker_builder *builder,
                         const struct broker_request *request, rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_IncrementalAlterConfigs_result_resources(
            rd_kafka_event_IncrementalAlterConfigs_result(event), &count);

    (void)request;
    for (size_t i = 0; i < count; i++) {
        struct broker_item *item =
            broker_add_item(builder, rd_kafka_ConfigResource_name(resources[i]));

        broker_item_fail(item, rd_kafka_ConfigResource_error(resources[i]),
                         rd_kafka_ConfigResource_error_string(resources[i]));
    }
}

static rd_kafka_ConfigResource_t *changes_of(const struct broker_topic *topic)
{
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic->name);

    for (const char *const *p = topic->config; p && p[0]; p += 2) {
        rd_kafka_error_t *error = rd_kafka_ConfigResource_add_incremental_config(
            resource, p[0], RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, p[1]);

        if (error)
            rd_kafka_error_destroy(error);
    }
    return resource;
}

void broker_alter_topic_configs(struct broker *broker,
                                const struct broker_topic *topics, size_t count,
                                int timeout_ms, broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_altered);
    rd_kafka_ConfigResource_t **list =
        mem_alloc(count * sizeof(rd_kafka_ConfigResource_t *));

    for (size_t i = 0; i < count; i++)
        list[i] = changes_of(&topics[i]);
    if (count == 0) {
        broker_request_local(request, 0, NULL);
    } else {
        rd_kafka_AdminOptions_t *options =
            broker_request_options(request, RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS);

        rd_kafka_IncrementalAlterConfigs(broker->handle, list, count, options,
                                         broker->queue);
        rd_kafka_AdminOptions_destroy(options);
    }
    rd_kafka_ConfigResource_destroy_array(list, count);
    free(list);
}
