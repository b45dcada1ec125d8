/* SPDX-License-Identifier: MIT
 *
 * messages_txn.h - producers and their transactions.
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_TXN_H
#define LEDGER_WIRE_MESSAGES_TXN_H

#include "ledger/wire/table.h"

#define init_producer_id_request_FIELDS(F, S)                                          \
    F(S, string,  transactional_id,        0, 99,  0, -1, WIRE_EMPTY)                  \
    F(S, int32,   transaction_timeout_ms,  0, 99, -1, -1, 0)                           \
    F(S, int64,   producer_id,             3, 99, -1, -1, -1)                          \
    F(S, int16,   producer_epoch,          3, 99, -1, -1, -1)                          \
    F(S, boolean, enable2_pc,              6, 99, -1, -1, false)                       \
    F(S, boolean, keep_prepared_txn,       6, 99, -1, -1, false)
WIRE_MESSAGE(init_producer_id_request, 2)

#define init_producer_id_response_FIELDS(F, S)                                         \
    F(S, int32, throttle_time_ms,            0, 99, -1, -1, 0)                         \
    F(S, int16, error_code,                  0, 99, -1, -1, 0)                         \
    F(S, int64, producer_id,                 0, 99, -1, -1, -1)                        \
    F(S, int16, producer_epoch,              0, 99, -1, -1, 0)                         \
    F(S, int64, ongoing_txn_producer_id,     6, 99, -1, -1, -1)                        \
    F(S, int16, ongoing_txn_producer_epoch,  6, 99, -1, -1, -1)
WIRE_MESSAGE(init_producer_id_response, 2)

#define add_partitions_to_txn_request_add_partitions_to_txn_topic_FIELDS(F, S)         \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, int32s, partitions,  0, 99, -1, -1, 0)
WIRE_STRUCT(add_partitions_to_txn_request_add_partitions_to_txn_topic)

#define add_partitions_to_txn_request_add_partitions_to_txn_transaction_FIELDS(F, S)   \
    F(S, string,  transactional_id,  4, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int64,   producer_id,       4, 99, -1, -1, 0)                                 \
    F(S, int16,   producer_epoch,    4, 99, -1, -1, 0)                                 \
    F(S, boolean, verify_only,       4, 99, -1, -1, false)                             \
    F(S, many,    topics,            4, 99, -1, -1, 0,                                 \
      add_partitions_to_txn_request_add_partitions_to_txn_topic)
WIRE_STRUCT(add_partitions_to_txn_request_add_partitions_to_txn_transaction)

#define add_partitions_to_txn_request_FIELDS(F, S)                                     \
    F(S, many,   transactions,                   4, 99, -1, -1, 0,                     \
      add_partitions_to_txn_request_add_partitions_to_txn_transaction)                 \
    F(S, string, v3_and_below_transactional_id,  0,  3, -1, -1, WIRE_EMPTY)            \
    F(S, int64,  v3_and_below_producer_id,       0,  3, -1, -1, 0)                     \
    F(S, int16,  v3_and_below_producer_epoch,    0,  3, -1, -1, 0)                     \
    F(S, many,   v3_and_below_topics,            0,  3, -1, -1, 0,                     \
      add_partitions_to_txn_request_add_partitions_to_txn_topic)
WIRE_MESSAGE(add_partitions_to_txn_request, 3)

#define add_partitions_to_txn_response_add_partitions_to_txn_partition_result_FIELDS(F, S) \
    F(S, int32, partition_index,       0, 99, -1, -1, 0)                               \
    F(S, int16, partition_error_code,  0, 99, -1, -1, 0)
WIRE_STRUCT(add_partitions_to_txn_response_add_partitions_to_txn_partition_result)

#define add_partitions_to_txn_response_add_partitions_to_txn_topic_result_FIELDS(F, S) \
    F(S, string, name,                  0, 99, -1, -1, WIRE_EMPTY)                     \
    F(S, many,   results_by_partition,  0, 99, -1, -1, 0,                              \
      add_partitions_to_txn_response_add_partitions_to_txn_partition_result)
WIRE_STRUCT(add_partitions_to_txn_response_add_partitions_to_txn_topic_result)

#define add_partitions_to_txn_response_add_partitions_to_txn_result_FIELDS(F, S)       \
    F(S, string, transactional_id,  4, 99, -1, -1, WIRE_EMPTY)                         \
    F(S, many,   topic_results,     4, 99, -1, -1, 0,                                  \
      add_partitions_to_txn_response_add_partitions_to_txn_topic_result)
WIRE_STRUCT(add_partitions_to_txn_response_add_partitions_to_txn_result)

#define add_partitions_to_txn_response_FIELDS(F, S)                                    \
    F(S, int32, throttle_time_ms,               0, 99, -1, -1, 0)                      \
    F(S, int16, error_code,                     4, 99, -1, -1, 0)                      \
    F(S, many,  results_by_transaction,         4, 99, -1, -1, 0,                      \
      add_partitions_to_txn_response_add_partitions_to_txn_result)                     \
    F(S, many,  results_by_topic_v3_and_below,  0,  3, -1, -1, 0,                      \
      add_partitions_to_txn_response_add_partitions_to_txn_topic_result)
WIRE_MESSAGE(add_partitions_to_txn_response, 3)

#define add_offsets_to_txn_request_FIELDS(F, S)                                        \
    F(S, string, transactional_id,  0, 99, -1, -1, WIRE_EMPTY)                         \
    F(S, int64,  producer_id,       0, 99, -1, -1, 0)                                  \
    F(S, int16,  producer_epoch,    0, 99, -1, -1, 0)                                  \
    F(S, string, group_id,          0, 99, -1, -1, WIRE_EMPTY)
WIRE_MESSAGE(add_offsets_to_txn_request, 3)

#define add_offsets_to_txn_response_FIELDS(F, S)                                       \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, int16, error_code,        0, 99, -1, -1, 0)
WIRE_MESSAGE(add_offsets_to_txn_response, 3)

#define txn_offset_commit_request_txn_offset_commit_request_partition_FIELDS(F, S)     \
    F(S, int32,  partition_index,         0, 99, -1, -1, 0)                            \
    F(S, int64,  committed_offset,        0, 99, -1, -1, 0)                            \
    F(S, int32,  committed_leader_epoch,  2, 99, -1, -1, -1)                           \
    F(S, string, committed_metadata,      0, 99,  0, -1, WIRE_EMPTY)
WIRE_STRUCT(txn_offset_commit_request_txn_offset_commit_request_partition)

#define txn_offset_commit_request_txn_offset_commit_request_topic_FIELDS(F, S)         \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      txn_offset_commit_request_txn_offset_commit_request_partition)
WIRE_STRUCT(txn_offset_commit_request_txn_offset_commit_request_topic)

#define txn_offset_commit_request_FIELDS(F, S)                                         \
    F(S, string, transactional_id,   0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, group_id,           0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int64,  producer_id,        0, 99, -1, -1, 0)                                 \
    F(S, int16,  producer_epoch,     0, 99, -1, -1, 0)                                 \
    F(S, int32,  generation_id,      3, 99, -1, -1, -1)                                \
    F(S, string, member_id,          3, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, group_instance_id,  3, 99,  3, -1, WIRE_NULL)                         \
    F(S, many,   topics,             0, 99, -1, -1, 0,                                 \
      txn_offset_commit_request_txn_offset_commit_request_topic)
WIRE_MESSAGE(txn_offset_commit_request, 3)

#define txn_offset_commit_response_txn_offset_commit_response_partition_FIELDS(F, S)   \
    F(S, int32, partition_index,  0, 99, -1, -1, 0)                                    \
    F(S, int16, error_code,       0, 99, -1, -1, 0)
WIRE_STRUCT(txn_offset_commit_response_txn_offset_commit_response_partition)

#define txn_offset_commit_response_txn_offset_commit_response_topic_FIELDS(F, S)       \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      txn_offset_commit_response_txn_offset_commit_response_partition)
WIRE_STRUCT(txn_offset_commit_response_txn_offset_commit_response_topic)

#define txn_offset_commit_response_FIELDS(F, S)                                        \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      txn_offset_commit_response_txn_offset_commit_response_topic)
WIRE_MESSAGE(txn_offset_commit_response, 3)

#define end_txn_request_FIELDS(F, S)                                                   \
    F(S, string,  transactional_id,  0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int64,   producer_id,       0, 99, -1, -1, 0)                                 \
    F(S, int16,   producer_epoch,    0, 99, -1, -1, 0)                                 \
    F(S, boolean, committed,         0, 99, -1, -1, false)
WIRE_MESSAGE(end_txn_request, 3)

#define end_txn_response_FIELDS(F, S)                                                  \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, int16, error_code,        0, 99, -1, -1, 0)                                   \
    F(S, int64, producer_id,       5, 99, -1, -1, -1)                                  \
    F(S, int16, producer_epoch,    5, 99, -1, -1, -1)
WIRE_MESSAGE(end_txn_response, 3)

#define write_txn_markers_request_writable_txn_marker_topic_FIELDS(F, S)               \
    F(S, string, name,               0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int32s, partition_indexes,  0, 99, -1, -1, 0)
WIRE_STRUCT(write_txn_markers_request_writable_txn_marker_topic)

#define write_txn_markers_request_writable_txn_marker_FIELDS(F, S)                     \
    F(S, int64,   producer_id,          0, 99, -1, -1, 0)                              \
    F(S, int16,   producer_epoch,       0, 99, -1, -1, 0)                              \
    F(S, boolean, transaction_result,   0, 99, -1, -1, false)                          \
    F(S, many,    topics,               0, 99, -1, -1, 0,                              \
      write_txn_markers_request_writable_txn_marker_topic)                             \
    F(S, int32,   coordinator_epoch,    0, 99, -1, -1, 0)                              \
    F(S, int8,    transaction_version,  2, 99, -1, -1, 0)
WIRE_STRUCT(write_txn_markers_request_writable_txn_marker)

#define write_txn_markers_request_FIELDS(F, S)                                         \
    F(S, many, markers,  0, 99, -1, -1, 0,                                             \
      write_txn_markers_request_writable_txn_marker)
WIRE_MESSAGE(write_txn_markers_request, 1)

#define write_txn_markers_response_writable_txn_marker_partition_result_FIELDS(F, S)   \
    F(S, int32, partition_index,  0, 99, -1, -1, 0)                                    \
    F(S, int16, error_code,       0, 99, -1, -1, 0)
WIRE_STRUCT(write_txn_markers_response_writable_txn_marker_partition_result)

#define write_txn_markers_response_writable_txn_marker_topic_result_FIELDS(F, S)       \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      write_txn_markers_response_writable_txn_marker_partition_result)
WIRE_STRUCT(write_txn_markers_response_writable_txn_marker_topic_result)

#define write_txn_markers_response_writable_txn_marker_result_FIELDS(F, S)             \
    F(S, int64, producer_id,  0, 99, -1, -1, 0)                                        \
    F(S, many,  topics,       0, 99, -1, -1, 0,                                        \
      write_txn_markers_response_writable_txn_marker_topic_result)
WIRE_STRUCT(write_txn_markers_response_writable_txn_marker_result)

#define write_txn_markers_response_FIELDS(F, S)                                        \
    F(S, many, markers,  0, 99, -1, -1, 0,                                             \
      write_txn_markers_response_writable_txn_marker_result)
WIRE_MESSAGE(write_txn_markers_response, 1)

#define describe_producers_request_topic_request_FIELDS(F, S)                          \
    F(S, string, name,               0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int32s, partition_indexes,  0, 99, -1, -1, 0)
WIRE_STRUCT(describe_producers_request_topic_request)

#define describe_producers_request_FIELDS(F, S)                                        \
    F(S, many, topics,  0, 99, -1, -1, 0, describe_producers_request_topic_request)
WIRE_MESSAGE(describe_producers_request, 0)

#define describe_producers_response_producer_state_FIELDS(F, S)                        \
    F(S, int64, producer_id,               0, 99, -1, -1, 0)                           \
    F(S, int32, producer_epoch,            0, 99, -1, -1, 0)                           \
    F(S, int32, last_sequence,             0, 99, -1, -1, -1)                          \
    F(S, int64, last_timestamp,            0, 99, -1, -1, -1)                          \
    F(S, int32, coordinator_epoch,         0, 99, -1, -1, 0)                           \
    F(S, int64, current_txn_start_offset,  0, 99, -1, -1, -1)
WIRE_STRUCT(describe_producers_response_producer_state)

#define describe_producers_response_partition_response_FIELDS(F, S)                    \
    F(S, int32,  partition_index,   0, 99, -1, -1, 0)                                  \
    F(S, int16,  error_code,        0, 99, -1, -1, 0)                                  \
    F(S, string, error_message,     0, 99,  0, -1, WIRE_NULL)                          \
    F(S, many,   active_producers,  0, 99, -1, -1, 0,                                  \
      describe_producers_response_producer_state)
WIRE_STRUCT(describe_producers_response_partition_response)

#define describe_producers_response_topic_response_FIELDS(F, S)                        \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      describe_producers_response_partition_response)
WIRE_STRUCT(describe_producers_response_topic_response)

#define describe_producers_response_FIELDS(F, S)                                       \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      describe_producers_response_topic_response)
WIRE_MESSAGE(describe_producers_response, 0)

#define list_transactions_request_FIELDS(F, S)                                         \
    F(S, strings, state_filters,             0, 99, -1, -1, 0)                         \
    F(S, int64s,  producer_id_filters,       0, 99, -1, -1, 0)                         \
    F(S, int64,   duration_filter,           1, 99, -1, -1, -1)                        \
    F(S, string,  transactional_id_pattern,  2, 99,  2, -1, WIRE_NULL)
WIRE_MESSAGE(list_transactions_request, 0)

#define list_transactions_response_transaction_state_FIELDS(F, S)                      \
    F(S, string, transactional_id,   0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int64,  producer_id,        0, 99, -1, -1, 0)                                 \
    F(S, string, transaction_state,  0, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(list_transactions_response_transaction_state)

#define list_transactions_response_FIELDS(F, S)                                        \
    F(S, int32,   throttle_time_ms,       0, 99, -1, -1, 0)                            \
    F(S, int16,   error_code,             0, 99, -1, -1, 0)                            \
    F(S, strings, unknown_state_filters,  0, 99, -1, -1, 0)                            \
    F(S, many,    transaction_states,     0, 99, -1, -1, 0,                            \
      list_transactions_response_transaction_state)
WIRE_MESSAGE(list_transactions_response, 0)

#define describe_transactions_request_FIELDS(F, S)                                     \
    F(S, strings, transactional_ids,  0, 99, -1, -1, 0)
WIRE_MESSAGE(describe_transactions_request, 0)

#define describe_transactions_response_topic_data_FIELDS(F, S)                         \
    F(S, string, topic,       0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, int32s, partitions,  0, 99, -1, -1, 0)
WIRE_STRUCT(describe_transactions_response_topic_data)

#define describe_transactions_response_transaction_state_FIELDS(F, S)                  \
    F(S, int16,  error_code,                 0, 99, -1, -1, 0)                         \
    F(S, string, transactional_id,           0, 99, -1, -1, WIRE_EMPTY)                \
    F(S, string, transaction_state,          0, 99, -1, -1, WIRE_EMPTY)                \
    F(S, int32,  transaction_timeout_ms,     0, 99, -1, -1, 0)                         \
    F(S, int64,  transaction_start_time_ms,  0, 99, -1, -1, 0)                         \
    F(S, int64,  producer_id,                0, 99, -1, -1, 0)                         \
    F(S, int16,  producer_epoch,             0, 99, -1, -1, 0)                         \
    F(S, many,   topics,                     0, 99, -1, -1, 0,                         \
      describe_transactions_response_topic_data)
WIRE_STRUCT(describe_transactions_response_transaction_state)

#define describe_transactions_response_FIELDS(F, S)                                    \
    F(S, int32, throttle_time_ms,    0, 99, -1, -1, 0)                                 \
    F(S, many,  transaction_states,  0, 99, -1, -1, 0,                                 \
      describe_transactions_response_transaction_state)
WIRE_MESSAGE(describe_transactions_response, 0)

#endif
