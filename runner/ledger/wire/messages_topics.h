/* SPDX-License-Identifier: MIT
 *
 * messages_topics.h - topics made, grown, emptied and deleted.
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_TOPICS_H
#define LEDGER_WIRE_MESSAGES_TOPICS_H

#include "ledger/wire/table.h"

#define create_topics_request_creatable_replica_assignment_FIELDS(F, S)                \
    F(S, int32,  partition_index,  0, 99, -1, -1, 0)                                   \
    F(S, int32s, broker_ids,       0, 99, -1, -1, 0)
WIRE_STRUCT(create_topics_request_creatable_replica_assignment)

#define create_topics_request_creatable_topic_config_FIELDS(F, S)                      \
    F(S, string, name,   0, 99, -1, -1, WIRE_EMPTY)                                    \
    F(S, string, value,  0, 99,  0, -1, WIRE_EMPTY)
WIRE_STRUCT(create_topics_request_creatable_topic_config)

#define create_topics_request_creatable_topic_FIELDS(F, S)                             \
    F(S, string, name,                0, 99, -1, -1, WIRE_EMPTY)                       \
    F(S, int32,  num_partitions,      0, 99, -1, -1, 0)                                \
    F(S, int16,  replication_factor,  0, 99, -1, -1, 0)                                \
    F(S, many,   assignments,         0, 99, -1, -1, 0,                                \
      create_topics_request_creatable_replica_assignment)                              \
    F(S, many,   configs,             0, 99, -1, -1, 0,                                \
      create_topics_request_creatable_topic_config)
WIRE_STRUCT(create_topics_request_creatable_topic)

#define create_topics_request_FIELDS(F, S)                                             \
    F(S, many,    topics,         0, 99, -1, -1, 0,                                    \
      create_topics_request_creatable_topic)                                           \
    F(S, int32,   timeout_ms,     0, 99, -1, -1, 60000)                                \
    F(S, boolean, validate_only,  1, 99, -1, -1, false)
WIRE_MESSAGE(create_topics_request, 5)

#define create_topics_response_creatable_topic_configs_FIELDS(F, S)                    \
    F(S, string,  name,           5, 99, -1, -1, WIRE_EMPTY)                           \
    F(S, string,  value,          5, 99,  5, -1, WIRE_EMPTY)                           \
    F(S, boolean, read_only,      5, 99, -1, -1, false)                                \
    F(S, int8,    config_source,  5, 99, -1, -1, -1)                                   \
    F(S, boolean, is_sensitive,   5, 99, -1, -1, false)
WIRE_STRUCT(create_topics_response_creatable_topic_configs)

#define create_topics_response_creatable_topic_result_FIELDS(F, S)                     \
    F(S, string, name,                     0, 99, -1, -1, WIRE_EMPTY)                  \
    F(S, uuid,   topic_id,                 7, 99, -1, -1, WIRE_ZERO)                   \
    F(S, int16,  error_code,               0, 99, -1, -1, 0)                           \
    F(S, string, error_message,            1, 99,  0, -1, WIRE_EMPTY)                  \
    F(S, int16,  topic_config_error_code,  5, 99, -1,  0, 0)                           \
    F(S, int32,  num_partitions,           5, 99, -1, -1, -1)                          \
    F(S, int16,  replication_factor,       5, 99, -1, -1, -1)                          \
    F(S, many,   configs,                  5, 99,  5, -1, 0,                           \
      create_topics_response_creatable_topic_configs)
WIRE_STRUCT(create_topics_response_creatable_topic_result)

#define create_topics_response_FIELDS(F, S)                                            \
    F(S, int32, throttle_time_ms,  2, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      create_topics_response_creatable_topic_result)
WIRE_MESSAGE(create_topics_response, 5)

#define create_partitions_request_create_partitions_assignment_FIELDS(F, S)            \
    F(S, int32s, broker_ids,  0, 99, -1, -1, 0)
WIRE_STRUCT(create_partitions_request_create_partitions_assignment)

#define create_partitions_request_create_partitions_topic_FIELDS(F, S)                 \
    F(S, string, name,         0, 99, -1, -1, WIRE_EMPTY)                              \
    F(S, int32,  count,        0, 99, -1, -1, 0)                                       \
    F(S, many,   assignments,  0, 99,  0, -1, 0,                                       \
      create_partitions_request_create_partitions_assignment)
WIRE_STRUCT(create_partitions_request_create_partitions_topic)

#define create_partitions_request_FIELDS(F, S)                                         \
    F(S, many,    topics,         0, 99, -1, -1, 0,                                    \
      create_partitions_request_create_partitions_topic)                               \
    F(S, int32,   timeout_ms,     0, 99, -1, -1, 0)                                    \
    F(S, boolean, validate_only,  0, 99, -1, -1, false)
WIRE_MESSAGE(create_partitions_request, 2)

#define create_partitions_response_create_partitions_topic_result_FIELDS(F, S)         \
    F(S, string, name,           0, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, int16,  error_code,     0, 99, -1, -1, 0)                                     \
    F(S, string, error_message,  0, 99,  0, -1, WIRE_NULL)
WIRE_STRUCT(create_partitions_response_create_partitions_topic_result)

#define create_partitions_response_FIELDS(F, S)                                        \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  results,           0, 99, -1, -1, 0,                                   \
      create_partitions_response_create_partitions_topic_result)
WIRE_MESSAGE(create_partitions_response, 2)

#define delete_topics_request_delete_topic_state_FIELDS(F, S)                          \
    F(S, string, name,      6, 99,  6, -1, WIRE_NULL)                                  \
    F(S, uuid,   topic_id,  6, 99, -1, -1, WIRE_ZERO)
WIRE_STRUCT(delete_topics_request_delete_topic_state)

#define delete_topics_request_FIELDS(F, S)                                             \
    F(S, many,    topics,       6, 99, -1, -1, 0,                                      \
      delete_topics_request_delete_topic_state)                                        \
    F(S, strings, topic_names,  0,  5, -1, -1, 0)                                      \
    F(S, int32,   timeout_ms,   0, 99, -1, -1, 0)
WIRE_MESSAGE(delete_topics_request, 4)

#define delete_topics_response_deletable_topic_result_FIELDS(F, S)                     \
    F(S, string, name,           0, 99,  6, -1, WIRE_EMPTY)                            \
    F(S, uuid,   topic_id,       6, 99, -1, -1, WIRE_ZERO)                             \
    F(S, int16,  error_code,     0, 99, -1, -1, 0)                                     \
    F(S, string, error_message,  5, 99,  5, -1, WIRE_NULL)
WIRE_STRUCT(delete_topics_response_deletable_topic_result)

#define delete_topics_response_FIELDS(F, S)                                            \
    F(S, int32, throttle_time_ms,  1, 99, -1, -1, 0)                                   \
    F(S, many,  responses,         0, 99, -1, -1, 0,                                   \
      delete_topics_response_deletable_topic_result)
WIRE_MESSAGE(delete_topics_response, 4)

#define delete_records_request_delete_records_partition_FIELDS(F, S)                   \
    F(S, int32, partition_index,  0, 99, -1, -1, 0)                                    \
    F(S, int64, offset,           0, 99, -1, -1, 0)
WIRE_STRUCT(delete_records_request_delete_records_partition)

#define delete_records_request_delete_records_topic_FIELDS(F, S)                       \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      delete_records_request_delete_records_partition)
WIRE_STRUCT(delete_records_request_delete_records_topic)

#define delete_records_request_FIELDS(F, S)                                            \
    F(S, many,  topics,      0, 99, -1, -1, 0,                                         \
      delete_records_request_delete_records_topic)                                     \
    F(S, int32, timeout_ms,  0, 99, -1, -1, 0)
WIRE_MESSAGE(delete_records_request, 2)

#define delete_records_response_delete_records_partition_result_FIELDS(F, S)           \
    F(S, int32, partition_index,  0, 99, -1, -1, 0)                                    \
    F(S, int64, low_watermark,    0, 99, -1, -1, 0)                                    \
    F(S, int16, error_code,       0, 99, -1, -1, 0)
WIRE_STRUCT(delete_records_response_delete_records_partition_result)

#define delete_records_response_delete_records_topic_result_FIELDS(F, S)               \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      delete_records_response_delete_records_partition_result)
WIRE_STRUCT(delete_records_response_delete_records_topic_result)

#define delete_records_response_FIELDS(F, S)                                           \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      delete_records_response_delete_records_topic_result)
WIRE_MESSAGE(delete_records_response, 2)

#endif
