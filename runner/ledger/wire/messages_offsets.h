/* SPDX-License-Identifier: MIT
 *
 * messages_offsets.h - offsets of partitions and those that groups commit.
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_OFFSETS_H
#define LEDGER_WIRE_MESSAGES_OFFSETS_H

#include "ledger/wire/table.h"

#define list_offsets_request_list_offsets_partition_FIELDS(F, S)                       \
    F(S, int32, partition_index,       0, 99, -1, -1, 0)                               \
    F(S, int32, current_leader_epoch,  4, 99, -1, -1, -1)                              \
    F(S, int64, timestamp,             0, 99, -1, -1, 0)                               \
    F(S, int32, max_num_offsets,       0,  0, -1, -1, 1)
WIRE_STRUCT(list_offsets_request_list_offsets_partition)

#define list_offsets_request_list_offsets_topic_FIELDS(F, S)                           \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      list_offsets_request_list_offsets_partition)
WIRE_STRUCT(list_offsets_request_list_offsets_topic)

#define list_offsets_request_FIELDS(F, S)                                              \
    F(S, int32, replica_id,       0, 99, -1, -1, 0)                                    \
    F(S, int8,  isolation_level,  2, 99, -1, -1, 0)                                    \
    F(S, many,  topics,           0, 99, -1, -1, 0,                                    \
      list_offsets_request_list_offsets_topic)                                         \
    F(S, int32, timeout_ms,      10, 99, -1, -1, 0)
WIRE_MESSAGE(list_offsets_request, 6)

#define list_offsets_response_list_offsets_partition_response_FIELDS(F, S)             \
    F(S, int32,  partition_index,    0, 99, -1, -1, 0)                                 \
    F(S, int16,  error_code,         0, 99, -1, -1, 0)                                 \
    F(S, int64s, old_style_offsets,  0,  0, -1, -1, 0)                                 \
    F(S, int64,  timestamp,          1, 99, -1, -1, -1)                                \
    F(S, int64,  offset,             1, 99, -1, -1, -1)                                \
    F(S, int32,  leader_epoch,       4, 99, -1, -1, -1)
WIRE_STRUCT(list_offsets_response_list_offsets_partition_response)

#define list_offsets_response_list_offsets_topic_response_FIELDS(F, S)                 \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      list_offsets_response_list_offsets_partition_response)
WIRE_STRUCT(list_offsets_response_list_offsets_topic_response)

#define list_offsets_response_FIELDS(F, S)                                             \
    F(S, int32, throttle_time_ms,  2, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      list_offsets_response_list_offsets_topic_response)
WIRE_MESSAGE(list_offsets_response, 6)

#define offset_for_leader_epoch_request_offset_for_leader_partition_FIELDS(F, S)       \
    F(S, int32, partition,             0, 99, -1, -1, 0)                               \
    F(S, int32, current_leader_epoch,  2, 99, -1, -1, -1)                              \
    F(S, int32, leader_epoch,          0, 99, -1, -1, 0)
WIRE_STRUCT(offset_for_leader_epoch_request_offset_for_leader_partition)

#define offset_for_leader_epoch_request_offset_for_leader_topic_FIELDS(F, S)           \
    F(S, string, topic,       0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      offset_for_leader_epoch_request_offset_for_leader_partition)
WIRE_STRUCT(offset_for_leader_epoch_request_offset_for_leader_topic)

#define offset_for_leader_epoch_request_FIELDS(F, S)                                   \
    F(S, int32, replica_id,  3, 99, -1, -1, -2)                                        \
    F(S, many,  topics,      0, 99, -1, -1, 0,                                         \
      offset_for_leader_epoch_request_offset_for_leader_topic)
WIRE_MESSAGE(offset_for_leader_epoch_request, 4)

#define offset_for_leader_epoch_response_epoch_end_offset_FIELDS(F, S)                 \
    F(S, int16, error_code,    0, 99, -1, -1, 0)                                       \
    F(S, int32, partition,     0, 99, -1, -1, 0)                                       \
    F(S, int32, leader_epoch,  1, 99, -1, -1, -1)                                      \
    F(S, int64, end_offset,    0, 99, -1, -1, -1)
WIRE_STRUCT(offset_for_leader_epoch_response_epoch_end_offset)

#define offset_for_leader_epoch_response_offset_for_leader_topic_result_FIELDS(F, S)   \
    F(S, string, topic,       0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      offset_for_leader_epoch_response_epoch_end_offset)
WIRE_STRUCT(offset_for_leader_epoch_response_offset_for_leader_topic_result)

#define offset_for_leader_epoch_response_FIELDS(F, S)                                  \
    F(S, int32, throttle_time_ms,  2, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      offset_for_leader_epoch_response_offset_for_leader_topic_result)
WIRE_MESSAGE(offset_for_leader_epoch_response, 4)

#define offset_commit_request_offset_commit_request_partition_FIELDS(F, S)             \
    F(S, int32,  partition_index,         0, 99, -1, -1, 0)                            \
    F(S, int64,  committed_offset,        0, 99, -1, -1, 0)                            \
    F(S, int32,  committed_leader_epoch,  6, 99, -1, -1, -1)                           \
    F(S, int64,  commit_timestamp,        1,  1, -1, -1, -1)                           \
    F(S, string, committed_metadata,      0, 99,  0, -1, WIRE_EMPTY)
WIRE_STRUCT(offset_commit_request_offset_commit_request_partition)

#define offset_commit_request_offset_commit_request_topic_FIELDS(F, S)                 \
    F(S, string, name,        0,  9, -1, -1, WIRE_EMPTY)                               \
    F(S, uuid,   topic_id,   10, 99, -1, -1, WIRE_ZERO)                                \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      offset_commit_request_offset_commit_request_partition)
WIRE_STRUCT(offset_commit_request_offset_commit_request_topic)

#define offset_commit_request_FIELDS(F, S)                                             \
    F(S, string, group_id,                       0, 99, -1, -1, WIRE_EMPTY)            \
    F(S, int32,  generation_id_or_member_epoch,  1, 99, -1, -1, -1)                    \
    F(S, string, member_id,                      1, 99, -1, -1, WIRE_EMPTY)            \
    F(S, string, group_instance_id,              7, 99,  7, -1, WIRE_NULL)             \
    F(S, int64,  retention_time_ms,              2,  4, -1, -1, -1)                    \
    F(S, many,   topics,                         0, 99, -1, -1, 0,                     \
      offset_commit_request_offset_commit_request_topic)
WIRE_MESSAGE(offset_commit_request, 8)

#define offset_commit_response_offset_commit_response_partition_FIELDS(F, S)           \
    F(S, int32, partition_index,  0, 99, -1, -1, 0)                                    \
    F(S, int16, error_code,       0, 99, -1, -1, 0)
WIRE_STRUCT(offset_commit_response_offset_commit_response_partition)

#define offset_commit_response_offset_commit_response_topic_FIELDS(F, S)               \
    F(S, string, name,        0,  9, -1, -1, WIRE_EMPTY)                               \
    F(S, uuid,   topic_id,   10, 99, -1, -1, WIRE_ZERO)                                \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      offset_commit_response_offset_commit_response_partition)
WIRE_STRUCT(offset_commit_response_offset_commit_response_topic)

#define offset_commit_response_FIELDS(F, S)                                            \
    F(S, int32, throttle_time_ms,  3, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      offset_commit_response_offset_commit_response_topic)
WIRE_MESSAGE(offset_commit_response, 8)

#define offset_fetch_request_offset_fetch_request_topic_FIELDS(F, S)                   \
    F(S, string, name,               0,  7, -1, -1, WIRE_EMPTY)                        \
    F(S, int32s, partition_indexes,  0,  7, -1, -1, 0)
WIRE_STRUCT(offset_fetch_request_offset_fetch_request_topic)

#define offset_fetch_request_offset_fetch_request_topics_FIELDS(F, S)                  \
    F(S, string, name,               8,  9, -1, -1, WIRE_EMPTY)                        \
    F(S, uuid,   topic_id,          10, 99, -1, -1, WIRE_ZERO)                         \
    F(S, int32s, partition_indexes,  8, 99, -1, -1, 0)
WIRE_STRUCT(offset_fetch_request_offset_fetch_request_topics)

#define offset_fetch_request_offset_fetch_request_group_FIELDS(F, S)                   \
    F(S, string, group_id,      8, 99, -1, -1, WIRE_EMPTY)                             \
    F(S, string, member_id,     9, 99,  9, -1, WIRE_NULL)                              \
    F(S, int32,  member_epoch,  9, 99, -1, -1, -1)                                     \
    F(S, many,   topics,        8, 99,  8, -1, 0,                                      \
      offset_fetch_request_offset_fetch_request_topics)
WIRE_STRUCT(offset_fetch_request_offset_fetch_request_group)

#define offset_fetch_request_FIELDS(F, S)                                              \
    F(S, string,  group_id,        0,  7, -1, -1, WIRE_EMPTY)                          \
    F(S, many,    topics,          0,  7,  2, -1, 0,                                   \
      offset_fetch_request_offset_fetch_request_topic)                                 \
    F(S, many,    groups,          8, 99, -1, -1, 0,                                   \
      offset_fetch_request_offset_fetch_request_group)                                 \
    F(S, boolean, require_stable,  7, 99, -1, -1, false)
WIRE_MESSAGE(offset_fetch_request, 6)

#define offset_fetch_response_offset_fetch_response_partition_FIELDS(F, S)             \
    F(S, int32,  partition_index,         0,  7, -1, -1, 0)                            \
    F(S, int64,  committed_offset,        0,  7, -1, -1, 0)                            \
    F(S, int32,  committed_leader_epoch,  5,  7, -1, -1, -1)                           \
    F(S, string, metadata,                0,  7,  0, -1, WIRE_EMPTY)                   \
    F(S, int16,  error_code,              0,  7, -1, -1, 0)
WIRE_STRUCT(offset_fetch_response_offset_fetch_response_partition)

#define offset_fetch_response_offset_fetch_response_topic_FIELDS(F, S)                 \
    F(S, string, name,        0,  7, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0,  7, -1, -1, 0,                                        \
      offset_fetch_response_offset_fetch_response_partition)
WIRE_STRUCT(offset_fetch_response_offset_fetch_response_topic)

#define offset_fetch_response_offset_fetch_response_partitions_FIELDS(F, S)            \
    F(S, int32,  partition_index,         8, 99, -1, -1, 0)                            \
    F(S, int64,  committed_offset,        8, 99, -1, -1, 0)                            \
    F(S, int32,  committed_leader_epoch,  8, 99, -1, -1, -1)                           \
    F(S, string, metadata,                8, 99,  8, -1, WIRE_EMPTY)                   \
    F(S, int16,  error_code,              8, 99, -1, -1, 0)
WIRE_STRUCT(offset_fetch_response_offset_fetch_response_partitions)

#define offset_fetch_response_offset_fetch_response_topics_FIELDS(F, S)                \
    F(S, string, name,        8,  9, -1, -1, WIRE_EMPTY)                               \
    F(S, uuid,   topic_id,   10, 99, -1, -1, WIRE_ZERO)                                \
    F(S, many,   partitions,  8, 99, -1, -1, 0,                                        \
      offset_fetch_response_offset_fetch_response_partitions)
WIRE_STRUCT(offset_fetch_response_offset_fetch_response_topics)

#define offset_fetch_response_offset_fetch_response_group_FIELDS(F, S)                 \
    F(S, string, group_id,    8, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   topics,      8, 99, -1, -1, 0,                                        \
      offset_fetch_response_offset_fetch_response_topics)                              \
    F(S, int16,  error_code,  8, 99, -1, -1, 0)
WIRE_STRUCT(offset_fetch_response_offset_fetch_response_group)

#define offset_fetch_response_FIELDS(F, S)                                             \
    F(S, int32, throttle_time_ms,  3, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0,  7, -1, -1, 0,                                   \
      offset_fetch_response_offset_fetch_response_topic)                               \
    F(S, int16, error_code,        2,  7, -1, -1, 0)                                   \
    F(S, many,  groups,            8, 99, -1, -1, 0,                                   \
      offset_fetch_response_offset_fetch_response_group)
WIRE_MESSAGE(offset_fetch_response, 6)

#define offset_delete_request_offset_delete_request_partition_FIELDS(F, S)             \
    F(S, int32, partition_index,  0, 99, -1, -1, 0)
WIRE_STRUCT(offset_delete_request_offset_delete_request_partition)

#define offset_delete_request_offset_delete_request_topic_FIELDS(F, S)                 \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      offset_delete_request_offset_delete_request_partition)
WIRE_STRUCT(offset_delete_request_offset_delete_request_topic)

#define offset_delete_request_FIELDS(F, S)                                             \
    F(S, string, group_id,  0, 99, -1, -1, WIRE_EMPTY)                                 \
    F(S, many,   topics,    0, 99, -1, -1, 0,                                          \
      offset_delete_request_offset_delete_request_topic)
WIRE_MESSAGE(offset_delete_request, 99)

#define offset_delete_response_offset_delete_response_partition_FIELDS(F, S)           \
    F(S, int32, partition_index,  0, 99, -1, -1, 0)                                    \
    F(S, int16, error_code,       0, 99, -1, -1, 0)
WIRE_STRUCT(offset_delete_response_offset_delete_response_partition)

#define offset_delete_response_offset_delete_response_topic_FIELDS(F, S)               \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      offset_delete_response_offset_delete_response_partition)
WIRE_STRUCT(offset_delete_response_offset_delete_response_topic)

#define offset_delete_response_FIELDS(F, S)                                            \
    F(S, int16, error_code,        0, 99, -1, -1, 0)                                   \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  topics,            0, 99, -1, -1, 0,                                   \
      offset_delete_response_offset_delete_response_topic)
WIRE_MESSAGE(offset_delete_response, 99)

#endif
