/* SPDX-License-Identifier: MIT
 *
 * broker_groups.c - consumer groups: who is in them, which there are, delete.
 */
#include "host/broker_private.h"

#include <stdlib.h>
#include <string.h>

static const char *topic_of(const rd_kafka_MemberDescription_t *member)
{
    const rd_kafka_MemberAssignment_t *assignment =
        rd_kafka_MemberDescription_assignment(member);
    const rd_kafka_topic_partition_list_t *list =
        assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;

    return list && list->cnt > 0 ? list->elems[0].topic : NULL;
}

static struct broker_member *
members_of(struct broker_builder *builder,
           const rd_kafka_ConsumerGroupDescription_t *group)
{
    size_t count = rd_kafka_ConsumerGroupDescription_member_count(group);
    struct broker_member *members =
        mem_arena_alloc(&builder->arena, (count + 1) * sizeof *members);

    for (size_t i = 0; i < count; i++) {
        const rd_kafka_MemberDescription_t *from =
            rd_kafka_ConsumerGroupDescription_member(group, i);

        members[i] = (struct broker_member){
            .client_id = rd_kafka_MemberDescription_client_id(from),
            .host = rd_kafka_MemberDescription_host(from),
            .instance = rd_kafka_MemberDescription_group_instance_id(from),
            .id = rd_kafka_MemberDescription_consumer_id(from),
            .topic = topic_of(from),
        };
    }
    return members;
}

static void fill_descriptions(struct broker_builder *builder,
                              const struct broker_request *request,
                              rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);

    (void)request;
    for (size_t i = 0; i < count; i++) {
        struct broker_item *item = broker_add_item(
            builder, rd_kafka_ConsumerGroupDescription_group_id(groups[i]));

        item->state = rd_kafka_consumer_group_state_name(
            rd_kafka_ConsumerGroupDescription_state(groups[i]));
        item->members = members_of(builder, groups[i]);
        item->member_count = rd_kafka_ConsumerGroupDescription_member_count(groups[i]);
        broker_item_check(item, rd_kafka_ConsumerGroupDescription_error(groups[i]));
    }
}

static void send_describe(struct broker_request *request)
{
    rd_kafka_AdminOptions_t *options =
        broker_request_options(request, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);

    rd_kafka_DescribeConsumerGroups(request->broker->handle,
                                    (const char **)request->names, request->name_count,
                                    options, request->broker->queue);
    rd_kafka_AdminOptions_destroy(options);
}

/* Ask about groups, or answer at once when there are none. */
static void ask(struct broker_request *request, broker_send_fn *send,
                const char *const *names, size_t count)
{
    if (count == 0) {
        broker_request_local(request, 0, NULL);
        return;
    }
    broker_request_names(request, names, count);
    broker_request_send_coordinated(request, send);
}

void broker_describe_groups(struct broker *broker, const char *const *names,
                            size_t count, int timeout_ms, broker_done_fn *done,
                            void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};

    ask(broker_request_new(&call, fill_descriptions), send_describe, names, count);
}

static void fill_list(struct broker_builder *builder,
                      const struct broker_request *request, rd_kafka_event_t *event)
{
    const rd_kafka_ListConsumerGroups_result_t *result =
        rd_kafka_event_ListConsumerGroups_result(event);
    const char *prefix = request->names[0];
    size_t count;
    size_t errors;
    const rd_kafka_ConsumerGroupListing_t **groups =
        rd_kafka_ListConsumerGroups_result_valid(result, &count);
    const rd_kafka_error_t **failed =
        rd_kafka_ListConsumerGroups_result_errors(result, &errors);

    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConsumerGroupListing_group_id(groups[i]);

        if (strncmp(name, prefix, strlen(prefix)) == 0)
            broker_add_item(builder, name)->state = rd_kafka_consumer_group_state_name(
                rd_kafka_ConsumerGroupListing_state(groups[i]));
    }
    if (errors > 0) { /* some node did not answer: the list may not be whole */
        builder->reply.error_code = rd_kafka_error_code(failed[0]);
        builder->reply.error = rd_kafka_error_string(failed[0]);
    }
}

static void send_list(struct broker_request *request)
{
    rd_kafka_AdminOptions_t *options =
        broker_request_options(request, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);

    rd_kafka_ListConsumerGroups(request->broker->handle, options,
                                request->broker->queue);
    rd_kafka_AdminOptions_destroy(options);
}

void broker_list_groups(struct broker *broker, const char *prefix, int timeout_ms,
                        broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};
    struct broker_request *request = broker_request_new(&call, fill_list);

    broker_request_names(request, &prefix, 1);
    broker_request_send(request, send_list);
}

static void fill_deleted(struct broker_builder *builder,
                         const struct broker_request *request, rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_group_result_t **groups = rd_kafka_DeleteGroups_result_groups(
        rd_kafka_event_DeleteGroups_result(event), &count);

    (void)request;
    for (size_t i = 0; i < count; i++)
        broker_item_check(
            broker_add_item(builder, rd_kafka_group_result_name(groups[i])),
            rd_kafka_group_result_error(groups[i]));
}

static void send_delete(struct broker_request *request)
{
    size_t count = request->name_count;
    rd_kafka_DeleteGroup_t **list = mem_alloc(count * sizeof(rd_kafka_DeleteGroup_t *));
    rd_kafka_AdminOptions_t *options =
        broker_request_options(request, RD_KAFKA_ADMIN_OP_DELETEGROUPS);

    for (size_t i = 0; i < count; i++)
        list[i] = rd_kafka_DeleteGroup_new(request->names[i]);
    rd_kafka_DeleteGroups(request->broker->handle, list, count, options,
                          request->broker->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_DeleteGroup_destroy_array(list, count);
    free(list);
}

void broker_delete_groups(struct broker *broker, const char *const *names, size_t count,
                          int timeout_ms, broker_done_fn *done, void *arg)
{
    struct broker_call call = {broker, timeout_ms, done, arg};

    ask(broker_request_new(&call, fill_deleted), send_delete, names, count);
}
