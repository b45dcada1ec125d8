/* SPDX-License-Identifier: MIT
 *
 * messages_metadata.h - what there is: brokers, topics, partitions.
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_METADATA_H
#define LEDGER_WIRE_MESSAGES_METADATA_H

#include "ledger/wire/table.h"

#define api_versions_request_FIELDS(F, S)                                              \
    F(S, string, client_software_name,     3, 99, -1, -1, WIRE_EMPTY)                  \
    F(S, string, client_software_version,  3, 99, -1, -1, WIRE_EMPTY)
WIRE_MESSAGE(api_versions_request, 3)

#define api_versions_response_api_version_FIELDS(F, S)                                 \
    F(S, int16, api_key,      0, 99, -1, -1, 0)                                        \
    F(S, int16, min_version,  0, 99, -1, -1, 0)                                        \
    F(S, int16, max_version,  0, 99, -1, -1, 0)
WIRE_STRUCT(api_versions_response_api_version)

#define api_versions_response_supported_feature_key_FIELDS(F, S)                       \
    F(S, string, name,         3, 99, -1, -1, WIRE_EMPTY)                              \
    F(S, int16,  min_version,  3, 99, -1, -1, 0)                                       \
    F(S, int16,  max_version,  3, 99, -1, -1, 0)
WIRE_STRUCT(api_versions_response_supported_feature_key)

#define api_versions_response_finalized_feature_key_FIELDS(F, S)                       \
    F(S, string, name,               3, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int16,  max_version_level,  3, 99, -1, -1, 0)                                 \
    F(S, int16,  min_version_level,  3, 99, -1, -1, 0)
WIRE_STRUCT(api_versions_response_finalized_feature_key)

#define api_versions_response_FIELDS(F, S)                                             \
    F(S, int16,   error_code,                0, 99, -1, -1, 0)                         \
    F(S, many,    api_keys,                  0, 99, -1, -1, 0,                         \
      api_versions_response_api_version)                                               \
    F(S, int32,   throttle_time_ms,          1, 99, -1, -1, 0)                         \
    F(S, many,    supported_features,        3, 99, -1,  0, 0,                         \
      api_versions_response_supported_feature_key)                                     \
    F(S, int64,   finalized_features_epoch,  3, 99, -1,  1, -1)                        \
    F(S, many,    finalized_features,        3, 99, -1,  2, 0,                         \
      api_versions_response_finalized_feature_key)                                     \
    F(S, boolean, zk_migration_ready,        3, 99, -1,  3, false)
WIRE_MESSAGE(api_versions_response, 3)

#define metadata_request_metadata_request_topic_FIELDS(F, S)                           \
    F(S, uuid,   topic_id, 10, 99, -1, -1, WIRE_ZERO)                                  \
    F(S, string, name,      0, 99, 10, -1, WIRE_EMPTY)
WIRE_STRUCT(metadata_request_metadata_request_topic)

#define metadata_request_FIELDS(F, S)                                                  \
    F(S, many,    topics,                                 0, 99,  1, -1, 0,            \
      metadata_request_metadata_request_topic)                                         \
    F(S, boolean, allow_auto_topic_creation,              4, 99, -1, -1, true)         \
    F(S, boolean, include_cluster_authorized_operations,  8, 10, -1, -1, false)        \
    F(S, boolean, include_topic_authorized_operations,    8, 99, -1, -1, false)
WIRE_MESSAGE(metadata_request, 9)

#define metadata_response_metadata_response_broker_FIELDS(F, S)                        \
    F(S, int32,  node_id,  0, 99, -1, -1, 0)                                           \
    F(S, string, host,     0, 99, -1, -1, WIRE_EMPTY)                                  \
    F(S, int32,  port,     0, 99, -1, -1, 0)                                           \
    F(S, string, rack,     1, 99,  1, -1, WIRE_NULL)
WIRE_STRUCT(metadata_response_metadata_response_broker)

#define metadata_response_metadata_response_partition_FIELDS(F, S)                     \
    F(S, int16,  error_code,        0, 99, -1, -1, 0)                                  \
    F(S, int32,  partition_index,   0, 99, -1, -1, 0)                                  \
    F(S, int32,  leader_id,         0, 99, -1, -1, 0)                                  \
    F(S, int32,  leader_epoch,      7, 99, -1, -1, -1)                                 \
    F(S, int32s, replica_nodes,     0, 99, -1, -1, 0)                                  \
    F(S, int32s, isr_nodes,         0, 99, -1, -1, 0)                                  \
    F(S, int32s, offline_replicas,  5, 99, -1, -1, 0)
WIRE_STRUCT(metadata_response_metadata_response_partition)

#define metadata_response_metadata_response_topic_FIELDS(F, S)                         \
    F(S, int16,   error_code,                   0, 99, -1, -1, 0)                      \
    F(S, string,  name,                         0, 99, 12, -1, WIRE_EMPTY)             \
    F(S, uuid,    topic_id,                    10, 99, -1, -1, WIRE_ZERO)              \
    F(S, boolean, is_internal,                  1, 99, -1, -1, false)                  \
    F(S, many,    partitions,                   0, 99, -1, -1, 0,                      \
      metadata_response_metadata_response_partition)                                   \
    F(S, int32,   topic_authorized_operations,  8, 99, -1, -1, INT32_MIN)
WIRE_STRUCT(metadata_response_metadata_response_topic)

#define metadata_response_FIELDS(F, S)                                                 \
    F(S, int32,  throttle_time_ms,               3, 99, -1, -1, 0)                     \
    F(S, many,   brokers,                        0, 99, -1, -1, 0,                     \
      metadata_response_metadata_response_broker)                                      \
    F(S, string, cluster_id,                     2, 99,  2, -1, WIRE_NULL)             \
    F(S, int32,  controller_id,                  1, 99, -1, -1, -1)                    \
    F(S, many,   topics,                         0, 99, -1, -1, 0,                     \
      metadata_response_metadata_response_topic)                                       \
    F(S, int32,  cluster_authorized_operations,  8, 10, -1, -1, INT32_MIN)             \
    F(S, int16,  error_code,                    13, 99, -1, -1, 0)
WIRE_MESSAGE(metadata_response, 9)

#define describe_cluster_request_FIELDS(F, S)                                          \
    F(S, boolean, include_cluster_authorized_operations,  0, 99, -1, -1, false)        \
    F(S, int8,    endpoint_type,                          1, 99, -1, -1, 1)            \
    F(S, boolean, include_fenced_brokers,                 2, 99, -1, -1, false)
WIRE_MESSAGE(describe_cluster_request, 0)

#define describe_cluster_response_describe_cluster_broker_FIELDS(F, S)                 \
    F(S, int32,   broker_id,  0, 99, -1, -1, 0)                                        \
    F(S, string,  host,       0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, int32,   port,       0, 99, -1, -1, 0)                                        \
    F(S, string,  rack,       0, 99,  0, -1, WIRE_NULL)                                \
    F(S, boolean, is_fenced,  2, 99, -1, -1, false)
WIRE_STRUCT(describe_cluster_response_describe_cluster_broker)

#define describe_cluster_response_FIELDS(F, S)                                         \
    F(S, int32,  throttle_time_ms,               0, 99, -1, -1, 0)                     \
    F(S, int16,  error_code,                     0, 99, -1, -1, 0)                     \
    F(S, string, error_message,                  0, 99,  0, -1, WIRE_NULL)             \
    F(S, int8,   endpoint_type,                  1, 99, -1, -1, 1)                     \
    F(S, string, cluster_id,                     0, 99, -1, -1, WIRE_EMPTY)            \
    F(S, int32,  controller_id,                  0, 99, -1, -1, -1)                    \
    F(S, many,   brokers,                        0, 99, -1, -1, 0,                     \
      describe_cluster_response_describe_cluster_broker)                               \
    F(S, int32,  cluster_authorized_operations,  0, 99, -1, -1, INT32_MIN)
WIRE_MESSAGE(describe_cluster_response, 0)

#define describe_topic_partitions_request_topic_request_FIELDS(F, S)                   \
    F(S, string, name,  0, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(describe_topic_partitions_request_topic_request)

#define describe_topic_partitions_request_cursor_FIELDS(F, S)                          \
    F(S, string, topic_name,       0, 99, -1, -1, WIRE_EMPTY)                          \
    F(S, int32,  partition_index,  0, 99, -1, -1, 0)
WIRE_STRUCT(describe_topic_partitions_request_cursor)

#define describe_topic_partitions_request_FIELDS(F, S)                                 \
    F(S, many,  topics,                    0, 99, -1, -1, 0,                           \
      describe_topic_partitions_request_topic_request)                                 \
    F(S, int32, response_partition_limit,  0, 99, -1, -1, 2000)                        \
    F(S, maybe, cursor,                    0, 99,  0, -1, -1,                          \
      describe_topic_partitions_request_cursor)
WIRE_MESSAGE(describe_topic_partitions_request, 0)

#define describe_topic_partitions_response_describe_topic_partitions_response_partition_FIELDS(F, S) \
    F(S, int16,  error_code,                0, 99, -1, -1, 0)                          \
    F(S, int32,  partition_index,           0, 99, -1, -1, 0)                          \
    F(S, int32,  leader_id,                 0, 99, -1, -1, 0)                          \
    F(S, int32,  leader_epoch,              0, 99, -1, -1, -1)                         \
    F(S, int32s, replica_nodes,             0, 99, -1, -1, 0)                          \
    F(S, int32s, isr_nodes,                 0, 99, -1, -1, 0)                          \
    F(S, int32s, eligible_leader_replicas,  0, 99,  0, -1, -1)                         \
    F(S, int32s, last_known_elr,            0, 99,  0, -1, -1)                         \
    F(S, int32s, offline_replicas,          0, 99, -1, -1, 0)
WIRE_STRUCT(describe_topic_partitions_response_describe_topic_partitions_response_partition)

#define describe_topic_partitions_response_describe_topic_partitions_response_topic_FIELDS(F, S) \
    F(S, int16,   error_code,                   0, 99, -1, -1, 0)                      \
    F(S, string,  name,                         0, 99,  0, -1, WIRE_EMPTY)             \
    F(S, uuid,    topic_id,                     0, 99, -1, -1, WIRE_ZERO)              \
    F(S, boolean, is_internal,                  0, 99, -1, -1, false)                  \
    F(S, many,    partitions,                   0, 99, -1, -1, 0,                      \
      describe_topic_partitions_response_describe_topic_partitions_response_partition) \
    F(S, int32,   topic_authorized_operations,  0, 99, -1, -1, INT32_MIN)
WIRE_STRUCT(describe_topic_partitions_response_describe_topic_partitions_response_topic)

#define describe_topic_partitions_response_cursor_FIELDS(F, S)                         \
    F(S, string, topic_name,       0, 99, -1, -1, WIRE_EMPTY)                          \
    F(S, int32,  partition_index,  0, 99, -1, -1, 0)
WIRE_STRUCT(describe_topic_partitions_response_cursor)

#define describe_topic_partitions_response_FIELDS(F, S)                                \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      describe_topic_partitions_response_describe_topic_partitions_response_topic)     \
    F(S, maybe, next_cursor,       0, 99,  0, -1, -1,                                  \
      describe_topic_partitions_response_cursor)
WIRE_MESSAGE(describe_topic_partitions_response, 0)

#endif
