/* SPDX-License-Identifier: MIT
 *
 * messages_fetch.h - records out.
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_FETCH_H
#define LEDGER_WIRE_MESSAGES_FETCH_H

#include "ledger/wire/table.h"

#define fetch_request_replica_state_FIELDS(F, S)                                       \
    F(S, int32, replica_id,    15, 99, -1, -1, -1)                                     \
    F(S, int64, replica_epoch, 15, 99, -1, -1, -1)
WIRE_STRUCT(fetch_request_replica_state)

#define fetch_request_fetch_partition_FIELDS(F, S)                                     \
    F(S, int32, partition,             0, 99, -1, -1, 0)                               \
    F(S, int32, current_leader_epoch,  9, 99, -1, -1, -1)                              \
    F(S, int64, fetch_offset,          0, 99, -1, -1, 0)                               \
    F(S, int32, last_fetched_epoch,   12, 99, -1, -1, -1)                              \
    F(S, int64, log_start_offset,      5, 99, -1, -1, -1)                              \
    F(S, int32, partition_max_bytes,   0, 99, -1, -1, 0)                               \
    F(S, uuid,  replica_directory_id, 17, 99, -1,  0, WIRE_ZERO)                       \
    F(S, int64, high_watermark,       18, 99, -1,  1, INT64_MAX)
WIRE_STRUCT(fetch_request_fetch_partition)

#define fetch_request_fetch_topic_FIELDS(F, S)                                         \
    F(S, string, topic,       0, 12, -1, -1, WIRE_EMPTY)                               \
    F(S, uuid,   topic_id,   13, 99, -1, -1, WIRE_ZERO)                                \
    F(S, many,   partitions,  0, 99, -1, -1, 0, fetch_request_fetch_partition)
WIRE_STRUCT(fetch_request_fetch_topic)

#define fetch_request_forgotten_topic_FIELDS(F, S)                                     \
    F(S, string, topic,       7, 12, -1, -1, WIRE_EMPTY)                               \
    F(S, uuid,   topic_id,   13, 99, -1, -1, WIRE_ZERO)                                \
    F(S, int32s, partitions,  7, 99, -1, -1, 0)
WIRE_STRUCT(fetch_request_forgotten_topic)

#define fetch_request_FIELDS(F, S)                                                     \
    F(S, string, cluster_id,            12, 99, 12,  0, WIRE_NULL)                     \
    F(S, int32,  replica_id,             0, 14, -1, -1, -1)                            \
    F(S, one,    replica_state,         15, 99, -1,  1, 0,                             \
      fetch_request_replica_state)                                                     \
    F(S, int32,  max_wait_ms,            0, 99, -1, -1, 0)                             \
    F(S, int32,  min_bytes,              0, 99, -1, -1, 0)                             \
    F(S, int32,  max_bytes,              3, 99, -1, -1, INT32_MAX)                     \
    F(S, int8,   isolation_level,        4, 99, -1, -1, 0)                             \
    F(S, int32,  session_id,             7, 99, -1, -1, 0)                             \
    F(S, int32,  session_epoch,          7, 99, -1, -1, -1)                            \
    F(S, many,   topics,                 0, 99, -1, -1, 0, fetch_request_fetch_topic)  \
    F(S, many,   forgotten_topics_data,  7, 99, -1, -1, 0,                             \
      fetch_request_forgotten_topic)                                                   \
    F(S, string, rack_id,               11, 99, -1, -1, WIRE_EMPTY)
WIRE_MESSAGE(fetch_request, 12)

#define fetch_response_epoch_end_offset_FIELDS(F, S)                                   \
    F(S, int32, epoch,      12, 99, -1, -1, -1)                                        \
    F(S, int64, end_offset, 12, 99, -1, -1, -1)
WIRE_STRUCT(fetch_response_epoch_end_offset)

#define fetch_response_leader_id_and_epoch_FIELDS(F, S)                                \
    F(S, int32, leader_id,    12, 99, -1, -1, -1)                                      \
    F(S, int32, leader_epoch, 12, 99, -1, -1, -1)
WIRE_STRUCT(fetch_response_leader_id_and_epoch)

#define fetch_response_snapshot_id_FIELDS(F, S)                                        \
    F(S, int64, end_offset,  0, 99, -1, -1, -1)                                        \
    F(S, int32, epoch,       0, 99, -1, -1, -1)
WIRE_STRUCT(fetch_response_snapshot_id)

#define fetch_response_aborted_transaction_FIELDS(F, S)                                \
    F(S, int64, producer_id,   4, 99, -1, -1, 0)                                       \
    F(S, int64, first_offset,  4, 99, -1, -1, 0)
WIRE_STRUCT(fetch_response_aborted_transaction)

#define fetch_response_partition_data_FIELDS(F, S)                                     \
    F(S, int32,   partition_index,         0, 99, -1, -1, 0)                           \
    F(S, int16,   error_code,              0, 99, -1, -1, 0)                           \
    F(S, int64,   high_watermark,          0, 99, -1, -1, 0)                           \
    F(S, int64,   last_stable_offset,      4, 99, -1, -1, -1)                          \
    F(S, int64,   log_start_offset,        5, 99, -1, -1, -1)                          \
    F(S, one,     diverging_epoch,        12, 99, -1,  0, 0,                           \
      fetch_response_epoch_end_offset)                                                 \
    F(S, one,     current_leader,         12, 99, -1,  1, 0,                           \
      fetch_response_leader_id_and_epoch)                                              \
    F(S, one,     snapshot_id,            12, 99, -1,  2, 0,                           \
      fetch_response_snapshot_id)                                                      \
    F(S, many,    aborted_transactions,    4, 99,  4, -1, 0,                           \
      fetch_response_aborted_transaction)                                              \
    F(S, int32,   preferred_read_replica, 11, 99, -1, -1, -1)                          \
    F(S, records, records,                 0, 99,  0, -1, WIRE_NULL)
WIRE_STRUCT(fetch_response_partition_data)

#define fetch_response_fetchable_topic_response_FIELDS(F, S)                           \
    F(S, string, topic,       0, 12, -1, -1, WIRE_EMPTY)                               \
    F(S, uuid,   topic_id,   13, 99, -1, -1, WIRE_ZERO)                                \
    F(S, many,   partitions,  0, 99, -1, -1, 0, fetch_response_partition_data)
WIRE_STRUCT(fetch_response_fetchable_topic_response)

#define fetch_response_node_endpoint_FIELDS(F, S)                                      \
    F(S, int32,  node_id, 16, 99, -1, -1, 0)                                           \
    F(S, string, host,    16, 99, -1, -1, WIRE_EMPTY)                                  \
    F(S, int32,  port,    16, 99, -1, -1, 0)                                           \
    F(S, string, rack,    16, 99, 16, -1, WIRE_NULL)
WIRE_STRUCT(fetch_response_node_endpoint)

#define fetch_response_FIELDS(F, S)                                                    \
    F(S, int32, throttle_time_ms,  1, 99, -1, -1, 0)                                   \
    F(S, int16, error_code,        7, 99, -1, -1, 0)                                   \
    F(S, int32, session_id,        7, 99, -1, -1, 0)                                   \
    F(S, many,  responses,         0, 99, -1, -1, 0,                                   \
      fetch_response_fetchable_topic_response)                                         \
    F(S, many,  node_endpoints,   16, 99, -1,  0, 0, fetch_response_node_endpoint)
WIRE_MESSAGE(fetch_response, 12)

#endif
