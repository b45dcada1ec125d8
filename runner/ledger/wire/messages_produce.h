/* SPDX-License-Identifier: MIT
 *
 * messages_produce.h - records in and their offsets out.
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_PRODUCE_H
#define LEDGER_WIRE_MESSAGES_PRODUCE_H

#include "ledger/wire/table.h"

#define produce_request_partition_produce_data_FIELDS(F, S)                            \
    F(S, int32,   index,    0, 99, -1, -1, 0)                                          \
    F(S, records, records,  0, 99,  0, -1, WIRE_NULL)
WIRE_STRUCT(produce_request_partition_produce_data)

#define produce_request_topic_produce_data_FIELDS(F, S)                                \
    F(S, string, name,            0, 12, -1, -1, WIRE_EMPTY)                           \
    F(S, uuid,   topic_id,       13, 99, -1, -1, WIRE_ZERO)                            \
    F(S, many,   partition_data,  0, 99, -1, -1, 0,                                    \
      produce_request_partition_produce_data)
WIRE_STRUCT(produce_request_topic_produce_data)

#define produce_request_FIELDS(F, S)                                                   \
    F(S, string, transactional_id,  3, 99,  3, -1, WIRE_NULL)                          \
    F(S, int16,  acks,              0, 99, -1, -1, 0)                                  \
    F(S, int32,  timeout_ms,        0, 99, -1, -1, 0)                                  \
    F(S, many,   topic_data,        0, 99, -1, -1, 0,                                  \
      produce_request_topic_produce_data)
WIRE_MESSAGE(produce_request, 9)

#define produce_response_batch_index_and_error_message_FIELDS(F, S)                    \
    F(S, int32,  batch_index,                8, 99, -1, -1, 0)                         \
    F(S, string, batch_index_error_message,  8, 99,  8, -1, WIRE_NULL)
WIRE_STRUCT(produce_response_batch_index_and_error_message)

#define produce_response_leader_id_and_epoch_FIELDS(F, S)                              \
    F(S, int32, leader_id,    10, 99, -1, -1, -1)                                      \
    F(S, int32, leader_epoch, 10, 99, -1, -1, -1)
WIRE_STRUCT(produce_response_leader_id_and_epoch)

#define produce_response_partition_produce_response_FIELDS(F, S)                       \
    F(S, int32,  index,               0, 99, -1, -1, 0)                                \
    F(S, int16,  error_code,          0, 99, -1, -1, 0)                                \
    F(S, int64,  base_offset,         0, 99, -1, -1, 0)                                \
    F(S, int64,  log_append_time_ms,  2, 99, -1, -1, -1)                               \
    F(S, int64,  log_start_offset,    5, 99, -1, -1, -1)                               \
    F(S, many,   record_errors,       8, 99, -1, -1, 0,                                \
      produce_response_batch_index_and_error_message)                                  \
    F(S, string, error_message,       8, 99,  8, -1, WIRE_NULL)                        \
    F(S, one,    current_leader,     10, 99, -1,  0, 0,                                \
      produce_response_leader_id_and_epoch)
WIRE_STRUCT(produce_response_partition_produce_response)

#define produce_response_topic_produce_response_FIELDS(F, S)                           \
    F(S, string, name,                 0, 12, -1, -1, WIRE_EMPTY)                      \
    F(S, uuid,   topic_id,            13, 99, -1, -1, WIRE_ZERO)                       \
    F(S, many,   partition_responses,  0, 99, -1, -1, 0,                               \
      produce_response_partition_produce_response)
WIRE_STRUCT(produce_response_topic_produce_response)

#define produce_response_node_endpoint_FIELDS(F, S)                                    \
    F(S, int32,  node_id, 10, 99, -1, -1, 0)                                           \
    F(S, string, host,    10, 99, -1, -1, WIRE_EMPTY)                                  \
    F(S, int32,  port,    10, 99, -1, -1, 0)                                           \
    F(S, string, rack,    10, 99, 10, -1, WIRE_NULL)
WIRE_STRUCT(produce_response_node_endpoint)

#define produce_response_FIELDS(F, S)                                                  \
    F(S, many,  responses,         0, 99, -1, -1, 0,                                   \
      produce_response_topic_produce_response)                                         \
    F(S, int32, throttle_time_ms,  1, 99, -1, -1, 0)                                   \
    F(S, many,  node_endpoints,   10, 99, -1,  0, 0, produce_response_node_endpoint)
WIRE_MESSAGE(produce_response, 9)

#endif
