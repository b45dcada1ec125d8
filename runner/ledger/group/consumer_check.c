/* SPDX-License-Identifier: MIT
 *
 * consumer_check.c - what is wrong with a heartbeat by itself, in Kafka's words.
 */
#include "base/mem.h"
#include "ledger/group/assignor.h"
#include "ledger/group/consumer_group.h"
#include "ledger/wire/messages_consumer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kafka_error consumer_refuse(struct consumer_group_heartbeat_response *response,
                                 struct mem_arena *arena, enum kafka_error error,
                                 const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    wire_defaults(&consumer_group_heartbeat_response_message, response);
    response->error_code = (int16_t)error;
    response->error_message = wire_string_of(mem_arena_strdup(arena, text));
    free(text);
    return error;
}

/* As Java's trim().isEmpty(); null is no empty text. */
static bool blank(struct wire_string text)
{
    for (int32_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] > ' ')
            return false;
    return text.len >= 0;
}

static const char *check_join(const struct consumer_group_heartbeat_request *request)
{
    if (request->rebalance_timeout_ms == -1)
        return "RebalanceTimeoutMs must be provided in first request.";
    if (request->topic_partitions_count != 0)
        return "TopicPartitions must be empty when (re-)joining.";
    if (request->subscribed_topic_names_count < 0 &&
        request->subscribed_topic_regex.len < 0)
        return "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null "
               "when "
               "(re-)joining.";
    return NULL;
}

/* Our texts end at a NUL; Kafka's do not, but nobody has one in a name. */
static bool has_nul(struct wire_string text)
{
    return text.len > 0 && memchr(text.data, '\0', (size_t)text.len) != NULL;
}

static bool any_nul(const struct consumer_group_heartbeat_request *request)
{
    bool found = has_nul(request->group_id) || has_nul(request->member_id) ||
                 has_nul(request->instance_id) || has_nul(request->rack_id) ||
                 has_nul(request->subscribed_topic_regex) ||
                 has_nul(request->server_assignor);

    for (int32_t i = 0; i < request->subscribed_topic_names_count; i++)
        found = found || has_nul(request->subscribed_topic_names[i]);
    return found;
}

/* What makes a request invalid, NULL when nothing does. */
static const char *check_request(const struct consumer_group_heartbeat_request *request,
                                 int16_t version)
{
    bool needs_member = version >= 1 || request->member_epoch > 0 ||
                        request->member_epoch == CONSUMER_LEAVE;

    if (needs_member && blank(request->member_id))
        return "MemberId can't be empty.";
    if (blank(request->group_id))
        return "GroupId can't be empty.";
    if (blank(request->instance_id))
        return "InstanceId can't be empty.";
    if (blank(request->rack_id))
        return "RackId can't be empty.";
    if (any_nul(request))
        return "A text with a NUL character is not supported.";
    if (request->member_epoch == CONSUMER_JOIN)
        return check_join(request);
    if (request->member_epoch == CONSUMER_LEAVE_STATIC && request->instance_id.len < 0)
        return "InstanceId can't be null.";
    if (request->member_epoch < CONSUMER_LEAVE_STATIC)
        return "MemberEpoch is invalid.";
    return NULL;
}

enum kafka_error consumer_check(const struct consumer_group_heartbeat_request *request,
                                int16_t version, struct mem_arena *arena,
                                struct consumer_group_heartbeat_response *response)
{
    const char *wrong = check_request(request, version);
    const char *assignor;

    if (wrong != NULL)
        return consumer_refuse(response, arena, KAFKA_INVALID_REQUEST, "%s", wrong);
    if (request->server_assignor.len < 0)
        return KAFKA_NONE;
    assignor = mem_arena_strndup(arena, request->server_assignor.data,
                                 (size_t)request->server_assignor.len);
    if (assignor_find(assignor) == NULL)
        return consumer_refuse(
            response, arena, KAFKA_UNSUPPORTED_ASSIGNOR,
            "ServerAssignor %s is not supported. Supported assignors: %s.", assignor,
            "uniform, range");
    return KAFKA_NONE;
}
