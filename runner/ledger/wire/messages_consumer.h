/* SPDX-License-Identifier: MIT
 *
 * messages_consumer.h - groups of the consumer protocol (KIP-848).
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_CONSUMER_H
#define LEDGER_WIRE_MESSAGES_CONSUMER_H

#include "ledger/wire/table.h"

#define consumer_group_heartbeat_request_topic_partitions_FIELDS(F, S)                 \
    F(S, uuid,   topic_id,    0, 99, -1, -1, WIRE_ZERO)                                \
    F(S, int32s, partitions,  0, 99, -1, -1, 0)
WIRE_STRUCT(consumer_group_heartbeat_request_topic_partitions)

#define consumer_group_heartbeat_request_FIELDS(F, S)                                  \
    F(S, string,  group_id,                0, 99, -1, -1, WIRE_EMPTY)                  \
    F(S, string,  member_id,               0, 99, -1, -1, WIRE_EMPTY)                  \
    F(S, int32,   member_epoch,            0, 99, -1, -1, 0)                           \
    F(S, string,  instance_id,             0, 99,  0, -1, WIRE_NULL)                   \
    F(S, string,  rack_id,                 0, 99,  0, -1, WIRE_NULL)                   \
    F(S, int32,   rebalance_timeout_ms,    0, 99, -1, -1, -1)                          \
    F(S, strings, subscribed_topic_names,  0, 99,  0, -1, -1)                          \
    F(S, string,  subscribed_topic_regex,  1, 99,  1, -1, WIRE_NULL)                   \
    F(S, string,  server_assignor,         0, 99,  0, -1, WIRE_NULL)                   \
    F(S, many,    topic_partitions,        0, 99,  0, -1, -1,                          \
      consumer_group_heartbeat_request_topic_partitions)
WIRE_MESSAGE(consumer_group_heartbeat_request, 0)

#define consumer_group_heartbeat_response_topic_partitions_FIELDS(F, S)                \
    F(S, uuid,   topic_id,    0, 99, -1, -1, WIRE_ZERO)                                \
    F(S, int32s, partitions,  0, 99, -1, -1, 0)
WIRE_STRUCT(consumer_group_heartbeat_response_topic_partitions)

#define consumer_group_heartbeat_response_assignment_FIELDS(F, S)                      \
    F(S, many, topic_partitions,  0, 99, -1, -1, 0,                                    \
      consumer_group_heartbeat_response_topic_partitions)
WIRE_STRUCT(consumer_group_heartbeat_response_assignment)

#define consumer_group_heartbeat_response_FIELDS(F, S)                                 \
    F(S, int32,  throttle_time_ms,       0, 99, -1, -1, 0)                             \
    F(S, int16,  error_code,             0, 99, -1, -1, 0)                             \
    F(S, string, error_message,          0, 99,  0, -1, WIRE_NULL)                     \
    F(S, string, member_id,              0, 99,  0, -1, WIRE_NULL)                     \
    F(S, int32,  member_epoch,           0, 99, -1, -1, 0)                             \
    F(S, int32,  heartbeat_interval_ms,  0, 99, -1, -1, 0)                             \
    F(S, maybe,  assignment,             0, 99,  0, -1, -1,                            \
      consumer_group_heartbeat_response_assignment)
WIRE_MESSAGE(consumer_group_heartbeat_response, 0)

#define consumer_group_describe_request_FIELDS(F, S)                                   \
    F(S, strings, group_ids,                      0, 99, -1, -1, 0)                    \
    F(S, boolean, include_authorized_operations,  0, 99, -1, -1, false)
WIRE_MESSAGE(consumer_group_describe_request, 0)

#define consumer_group_describe_response_topic_partitions_FIELDS(F, S)                 \
    F(S, uuid,   topic_id,    0, 99, -1, -1, WIRE_ZERO)                                \
    F(S, string, topic_name,  0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, int32s, partitions,  0, 99, -1, -1, 0)
WIRE_STRUCT(consumer_group_describe_response_topic_partitions)

#define consumer_group_describe_response_assignment_FIELDS(F, S)                       \
    F(S, many, topic_partitions,  0, 99, -1, -1, 0,                                    \
      consumer_group_describe_response_topic_partitions)
WIRE_STRUCT(consumer_group_describe_response_assignment)

#define consumer_group_describe_response_member_FIELDS(F, S)                           \
    F(S, string,  member_id,               0, 99, -1, -1, WIRE_EMPTY)                  \
    F(S, string,  instance_id,             0, 99,  0, -1, WIRE_NULL)                   \
    F(S, string,  rack_id,                 0, 99,  0, -1, WIRE_NULL)                   \
    F(S, int32,   member_epoch,            0, 99, -1, -1, 0)                           \
    F(S, string,  client_id,               0, 99, -1, -1, WIRE_EMPTY)                  \
    F(S, string,  client_host,             0, 99, -1, -1, WIRE_EMPTY)                  \
    F(S, strings, subscribed_topic_names,  0, 99, -1, -1, 0)                           \
    F(S, string,  subscribed_topic_regex,  0, 99,  0, -1, WIRE_NULL)                   \
    F(S, one,     assignment,              0, 99, -1, -1, 0,                           \
      consumer_group_describe_response_assignment)                                     \
    F(S, one,     target_assignment,       0, 99, -1, -1, 0,                           \
      consumer_group_describe_response_assignment)                                     \
    F(S, int8,    member_type,             1, 99, -1, -1, -1)
WIRE_STRUCT(consumer_group_describe_response_member)

#define consumer_group_describe_response_described_group_FIELDS(F, S)                  \
    F(S, int16,  error_code,             0, 99, -1, -1, 0)                             \
    F(S, string, error_message,          0, 99,  0, -1, WIRE_NULL)                     \
    F(S, string, group_id,               0, 99, -1, -1, WIRE_EMPTY)                    \
    F(S, string, group_state,            0, 99, -1, -1, WIRE_EMPTY)                    \
    F(S, int32,  group_epoch,            0, 99, -1, -1, 0)                             \
    F(S, int32,  assignment_epoch,       0, 99, -1, -1, 0)                             \
    F(S, string, assignor_name,          0, 99, -1, -1, WIRE_EMPTY)                    \
    F(S, many,   members,                0, 99, -1, -1, 0,                             \
      consumer_group_describe_response_member)                                         \
    F(S, int32,  authorized_operations,  0, 99, -1, -1, INT32_MIN)
WIRE_STRUCT(consumer_group_describe_response_described_group)

#define consumer_group_describe_response_FIELDS(F, S)                                  \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  groups,            0, 99, -1, -1, 0,                                   \
      consumer_group_describe_response_described_group)
WIRE_MESSAGE(consumer_group_describe_response, 0)

#define consumer_protocol_subscription_topic_partition_FIELDS(F, S)                    \
    F(S, string, topic,       1, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, int32s, partitions,  1, 99, -1, -1, 0)
WIRE_STRUCT(consumer_protocol_subscription_topic_partition)

#define consumer_protocol_subscription_FIELDS(F, S)                                    \
    F(S, strings, topics,            0, 99, -1, -1, 0)                                 \
    F(S, bytes,   user_data,         0, 99,  0, -1, WIRE_NULL)                         \
    F(S, many,    owned_partitions,  1, 99, -1, -1, 0,                                 \
      consumer_protocol_subscription_topic_partition)                                  \
    F(S, int32,   generation_id,     2, 99, -1, -1, -1)                                \
    F(S, string,  rack_id,           3, 99,  3, -1, WIRE_NULL)
WIRE_MESSAGE(consumer_protocol_subscription, 99)

#define consumer_protocol_assignment_topic_partition_FIELDS(F, S)                      \
    F(S, string, topic,       0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, int32s, partitions,  0, 99, -1, -1, 0)
WIRE_STRUCT(consumer_protocol_assignment_topic_partition)

#define consumer_protocol_assignment_FIELDS(F, S)                                      \
    F(S, many,  assigned_partitions,  0, 99, -1, -1, 0,                                \
      consumer_protocol_assignment_topic_partition)                                    \
    F(S, bytes, user_data,            0, 99,  0, -1, WIRE_NULL)
WIRE_MESSAGE(consumer_protocol_assignment, 99)

#endif
