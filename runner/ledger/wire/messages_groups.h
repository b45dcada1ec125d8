/* SPDX-License-Identifier: MIT
 *
 * messages_groups.h - groups of the classic protocol.
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_GROUPS_H
#define LEDGER_WIRE_MESSAGES_GROUPS_H

#include "ledger/wire/table.h"

#define find_coordinator_request_FIELDS(F, S)                                          \
    F(S, string,  key,               0,  3, -1, -1, WIRE_EMPTY)                        \
    F(S, int8,    key_type,          1, 99, -1, -1, 0)                                 \
    F(S, strings, coordinator_keys,  4, 99, -1, -1, 0)
WIRE_MESSAGE(find_coordinator_request, 3)

#define find_coordinator_response_coordinator_FIELDS(F, S)                             \
    F(S, string, key,            4, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, int32,  node_id,        4, 99, -1, -1, 0)                                     \
    F(S, string, host,           4, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, int32,  port,           4, 99, -1, -1, 0)                                     \
    F(S, int16,  error_code,     4, 99, -1, -1, 0)                                     \
    F(S, string, error_message,  4, 99,  4, -1, WIRE_EMPTY)
WIRE_STRUCT(find_coordinator_response_coordinator)

#define find_coordinator_response_FIELDS(F, S)                                         \
    F(S, int32,  throttle_time_ms,  1, 99, -1, -1, 0)                                  \
    F(S, int16,  error_code,        0,  3, -1, -1, 0)                                  \
    F(S, string, error_message,     1,  3,  1, -1, WIRE_EMPTY)                         \
    F(S, int32,  node_id,           0,  3, -1, -1, 0)                                  \
    F(S, string, host,              0,  3, -1, -1, WIRE_EMPTY)                         \
    F(S, int32,  port,              0,  3, -1, -1, 0)                                  \
    F(S, many,   coordinators,      4, 99, -1, -1, 0,                                  \
      find_coordinator_response_coordinator)
WIRE_MESSAGE(find_coordinator_response, 3)

#define join_group_request_join_group_request_protocol_FIELDS(F, S)                    \
    F(S, string, name,      0, 99, -1, -1, WIRE_EMPTY)                                 \
    F(S, bytes,  metadata,  0, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(join_group_request_join_group_request_protocol)

#define join_group_request_FIELDS(F, S)                                                \
    F(S, string, group_id,              0, 99, -1, -1, WIRE_EMPTY)                     \
    F(S, int32,  session_timeout_ms,    0, 99, -1, -1, 0)                              \
    F(S, int32,  rebalance_timeout_ms,  1, 99, -1, -1, -1)                             \
    F(S, string, member_id,             0, 99, -1, -1, WIRE_EMPTY)                     \
    F(S, string, group_instance_id,     5, 99,  5, -1, WIRE_NULL)                      \
    F(S, string, protocol_type,         0, 99, -1, -1, WIRE_EMPTY)                     \
    F(S, many,   protocols,             0, 99, -1, -1, 0,                              \
      join_group_request_join_group_request_protocol)                                  \
    F(S, string, reason,                8, 99,  8, -1, WIRE_NULL)
WIRE_MESSAGE(join_group_request, 6)

#define join_group_response_join_group_response_member_FIELDS(F, S)                    \
    F(S, string, member_id,          0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, group_instance_id,  5, 99,  5, -1, WIRE_NULL)                         \
    F(S, bytes,  metadata,           0, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(join_group_response_join_group_response_member)

#define join_group_response_FIELDS(F, S)                                               \
    F(S, int32,   throttle_time_ms,  2, 99, -1, -1, 0)                                 \
    F(S, int16,   error_code,        0, 99, -1, -1, 0)                                 \
    F(S, int32,   generation_id,     0, 99, -1, -1, -1)                                \
    F(S, string,  protocol_type,     7, 99,  7, -1, WIRE_NULL)                         \
    F(S, string,  protocol_name,     0, 99,  7, -1, WIRE_EMPTY)                        \
    F(S, string,  leader,            0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, boolean, skip_assignment,   9, 99, -1, -1, false)                             \
    F(S, string,  member_id,         0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, many,    members,           0, 99, -1, -1, 0,                                 \
      join_group_response_join_group_response_member)
WIRE_MESSAGE(join_group_response, 6)

#define sync_group_request_sync_group_request_assignment_FIELDS(F, S)                  \
    F(S, string, member_id,   0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, bytes,  assignment,  0, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(sync_group_request_sync_group_request_assignment)

#define sync_group_request_FIELDS(F, S)                                                \
    F(S, string, group_id,           0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int32,  generation_id,      0, 99, -1, -1, 0)                                 \
    F(S, string, member_id,          0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, group_instance_id,  3, 99,  3, -1, WIRE_NULL)                         \
    F(S, string, protocol_type,      5, 99,  5, -1, WIRE_NULL)                         \
    F(S, string, protocol_name,      5, 99,  5, -1, WIRE_NULL)                         \
    F(S, many,   assignments,        0, 99, -1, -1, 0,                                 \
      sync_group_request_sync_group_request_assignment)
WIRE_MESSAGE(sync_group_request, 4)

#define sync_group_response_FIELDS(F, S)                                               \
    F(S, int32,  throttle_time_ms,  1, 99, -1, -1, 0)                                  \
    F(S, int16,  error_code,        0, 99, -1, -1, 0)                                  \
    F(S, string, protocol_type,     5, 99,  5, -1, WIRE_NULL)                          \
    F(S, string, protocol_name,     5, 99,  5, -1, WIRE_NULL)                          \
    F(S, bytes,  assignment,        0, 99, -1, -1, WIRE_EMPTY)
WIRE_MESSAGE(sync_group_response, 4)

#define heartbeat_request_FIELDS(F, S)                                                 \
    F(S, string, group_id,           0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, int32,  generation_id,      0, 99, -1, -1, 0)                                 \
    F(S, string, member_id,          0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, group_instance_id,  3, 99,  3, -1, WIRE_NULL)
WIRE_MESSAGE(heartbeat_request, 4)

#define heartbeat_response_FIELDS(F, S)                                                \
    F(S, int32, throttle_time_ms,  1, 99, -1, -1, 0)                                   \
    F(S, int16, error_code,        0, 99, -1, -1, 0)
WIRE_MESSAGE(heartbeat_response, 4)

#define leave_group_request_member_identity_FIELDS(F, S)                               \
    F(S, string, member_id,          3, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, group_instance_id,  3, 99,  3, -1, WIRE_NULL)                         \
    F(S, string, reason,             5, 99,  5, -1, WIRE_NULL)
WIRE_STRUCT(leave_group_request_member_identity)

#define leave_group_request_FIELDS(F, S)                                               \
    F(S, string, group_id,   0, 99, -1, -1, WIRE_EMPTY)                                \
    F(S, string, member_id,  0,  2, -1, -1, WIRE_EMPTY)                                \
    F(S, many,   members,    3, 99, -1, -1, 0, leave_group_request_member_identity)
WIRE_MESSAGE(leave_group_request, 4)

#define leave_group_response_member_response_FIELDS(F, S)                              \
    F(S, string, member_id,          3, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, group_instance_id,  3, 99,  3, -1, WIRE_EMPTY)                        \
    F(S, int16,  error_code,         3, 99, -1, -1, 0)
WIRE_STRUCT(leave_group_response_member_response)

#define leave_group_response_FIELDS(F, S)                                              \
    F(S, int32, throttle_time_ms,  1, 99, -1, -1, 0)                                   \
    F(S, int16, error_code,        0, 99, -1, -1, 0)                                   \
    F(S, many,  members,           3, 99, -1, -1, 0,                                   \
      leave_group_response_member_response)
WIRE_MESSAGE(leave_group_response, 4)

#define list_groups_request_FIELDS(F, S)                                               \
    F(S, strings, states_filter,  4, 99, -1, -1, 0)                                    \
    F(S, strings, types_filter,   5, 99, -1, -1, 0)
WIRE_MESSAGE(list_groups_request, 3)

#define list_groups_response_listed_group_FIELDS(F, S)                                 \
    F(S, string, group_id,       0, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, string, protocol_type,  0, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, string, group_state,    4, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, string, group_type,     5, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(list_groups_response_listed_group)

#define list_groups_response_FIELDS(F, S)                                              \
    F(S, int32, throttle_time_ms,  1, 99, -1, -1, 0)                                   \
    F(S, int16, error_code,        0, 99, -1, -1, 0)                                   \
    F(S, many,  groups,            0, 99, -1, -1, 0,                                   \
      list_groups_response_listed_group)
WIRE_MESSAGE(list_groups_response, 3)

#define describe_groups_request_FIELDS(F, S)                                           \
    F(S, strings, groups,                         0, 99, -1, -1, 0)                    \
    F(S, boolean, include_authorized_operations,  3, 99, -1, -1, false)
WIRE_MESSAGE(describe_groups_request, 5)

#define describe_groups_response_described_group_member_FIELDS(F, S)                   \
    F(S, string, member_id,          0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, group_instance_id,  4, 99,  4, -1, WIRE_NULL)                         \
    F(S, string, client_id,          0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, string, client_host,        0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, bytes,  member_metadata,    0, 99, -1, -1, WIRE_EMPTY)                        \
    F(S, bytes,  member_assignment,  0, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(describe_groups_response_described_group_member)

#define describe_groups_response_described_group_FIELDS(F, S)                          \
    F(S, int16,  error_code,             0, 99, -1, -1, 0)                             \
    F(S, string, error_message,          6, 99,  6, -1, WIRE_NULL)                     \
    F(S, string, group_id,               0, 99, -1, -1, WIRE_EMPTY)                    \
    F(S, string, group_state,            0, 99, -1, -1, WIRE_EMPTY)                    \
    F(S, string, protocol_type,          0, 99, -1, -1, WIRE_EMPTY)                    \
    F(S, string, protocol_data,          0, 99, -1, -1, WIRE_EMPTY)                    \
    F(S, many,   members,                0, 99, -1, -1, 0,                             \
      describe_groups_response_described_group_member)                                 \
    F(S, int32,  authorized_operations,  3, 99, -1, -1, INT32_MIN)
WIRE_STRUCT(describe_groups_response_described_group)

#define describe_groups_response_FIELDS(F, S)                                          \
    F(S, int32, throttle_time_ms,  1, 99, -1, -1, 0)                                   \
    F(S, many,  groups,            0, 99, -1, -1, 0,                                   \
      describe_groups_response_described_group)
WIRE_MESSAGE(describe_groups_response, 5)

#define delete_groups_request_FIELDS(F, S)                                             \
    F(S, strings, groups_names,  0, 99, -1, -1, 0)
WIRE_MESSAGE(delete_groups_request, 2)

#define delete_groups_response_deletable_group_result_FIELDS(F, S)                     \
    F(S, string, group_id,    0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, int16,  error_code,  0, 99, -1, -1, 0)
WIRE_STRUCT(delete_groups_response_deletable_group_result)

#define delete_groups_response_FIELDS(F, S)                                            \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  results,           0, 99, -1, -1, 0,                                   \
      delete_groups_response_deletable_group_result)
WIRE_MESSAGE(delete_groups_response, 2)

#endif
