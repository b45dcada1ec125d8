/* SPDX-License-Identifier: MIT
 *
 * messages_configs.h - settings and log folders.
 * Layer: ledger/wire. The grammar of the rows is in table.h:
 * F(S, type, name, first version, last, null from, tag, default[, child])
 */
#ifndef LEDGER_WIRE_MESSAGES_CONFIGS_H
#define LEDGER_WIRE_MESSAGES_CONFIGS_H

#include "ledger/wire/table.h"

#define describe_configs_request_describe_configs_resource_FIELDS(F, S)                \
    F(S, int8,    resource_type,       0, 99, -1, -1, 0)                               \
    F(S, string,  resource_name,       0, 99, -1, -1, WIRE_EMPTY)                      \
    F(S, strings, configuration_keys,  0, 99,  0, -1, 0)
WIRE_STRUCT(describe_configs_request_describe_configs_resource)

#define describe_configs_request_FIELDS(F, S)                                          \
    F(S, many,    resources,              0, 99, -1, -1, 0,                            \
      describe_configs_request_describe_configs_resource)                              \
    F(S, boolean, include_synonyms,       1, 99, -1, -1, false)                        \
    F(S, boolean, include_documentation,  3, 99, -1, -1, false)
WIRE_MESSAGE(describe_configs_request, 4)

#define describe_configs_response_describe_configs_synonym_FIELDS(F, S)                \
    F(S, string, name,    1, 99, -1, -1, WIRE_EMPTY)                                   \
    F(S, string, value,   1, 99,  0, -1, WIRE_EMPTY)                                   \
    F(S, int8,   source,  1, 99, -1, -1, 0)
WIRE_STRUCT(describe_configs_response_describe_configs_synonym)

#define describe_configs_response_describe_configs_resource_result_FIELDS(F, S)        \
    F(S, string,  name,           0, 99, -1, -1, WIRE_EMPTY)                           \
    F(S, string,  value,          0, 99,  0, -1, WIRE_EMPTY)                           \
    F(S, boolean, read_only,      0, 99, -1, -1, false)                                \
    F(S, boolean, is_default,     0,  0, -1, -1, false)                                \
    F(S, int8,    config_source,  1, 99, -1, -1, -1)                                   \
    F(S, boolean, is_sensitive,   0, 99, -1, -1, false)                                \
    F(S, many,    synonyms,       1, 99, -1, -1, 0,                                    \
      describe_configs_response_describe_configs_synonym)                              \
    F(S, int8,    config_type,    3, 99, -1, -1, 0)                                    \
    F(S, string,  documentation,  3, 99,  0, -1, WIRE_EMPTY)
WIRE_STRUCT(describe_configs_response_describe_configs_resource_result)

#define describe_configs_response_describe_configs_result_FIELDS(F, S)                 \
    F(S, int16,  error_code,     0, 99, -1, -1, 0)                                     \
    F(S, string, error_message,  0, 99,  0, -1, WIRE_EMPTY)                            \
    F(S, int8,   resource_type,  0, 99, -1, -1, 0)                                     \
    F(S, string, resource_name,  0, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, many,   configs,        0, 99, -1, -1, 0,                                     \
      describe_configs_response_describe_configs_resource_result)
WIRE_STRUCT(describe_configs_response_describe_configs_result)

#define describe_configs_response_FIELDS(F, S)                                         \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  results,           0, 99, -1, -1, 0,                                   \
      describe_configs_response_describe_configs_result)
WIRE_MESSAGE(describe_configs_response, 4)

#define alter_configs_request_alterable_config_FIELDS(F, S)                            \
    F(S, string, name,   0, 99, -1, -1, WIRE_EMPTY)                                    \
    F(S, string, value,  0, 99,  0, -1, WIRE_EMPTY)
WIRE_STRUCT(alter_configs_request_alterable_config)

#define alter_configs_request_alter_configs_resource_FIELDS(F, S)                      \
    F(S, int8,   resource_type,  0, 99, -1, -1, 0)                                     \
    F(S, string, resource_name,  0, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, many,   configs,        0, 99, -1, -1, 0,                                     \
      alter_configs_request_alterable_config)
WIRE_STRUCT(alter_configs_request_alter_configs_resource)

#define alter_configs_request_FIELDS(F, S)                                             \
    F(S, many,    resources,      0, 99, -1, -1, 0,                                    \
      alter_configs_request_alter_configs_resource)                                    \
    F(S, boolean, validate_only,  0, 99, -1, -1, false)
WIRE_MESSAGE(alter_configs_request, 2)

#define alter_configs_response_alter_configs_resource_response_FIELDS(F, S)            \
    F(S, int16,  error_code,     0, 99, -1, -1, 0)                                     \
    F(S, string, error_message,  0, 99,  0, -1, WIRE_EMPTY)                            \
    F(S, int8,   resource_type,  0, 99, -1, -1, 0)                                     \
    F(S, string, resource_name,  0, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(alter_configs_response_alter_configs_resource_response)

#define alter_configs_response_FIELDS(F, S)                                            \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  responses,         0, 99, -1, -1, 0,                                   \
      alter_configs_response_alter_configs_resource_response)
WIRE_MESSAGE(alter_configs_response, 2)

#define incremental_alter_configs_request_alterable_config_FIELDS(F, S)                \
    F(S, string, name,              0, 99, -1, -1, WIRE_EMPTY)                         \
    F(S, int8,   config_operation,  0, 99, -1, -1, 0)                                  \
    F(S, string, value,             0, 99,  0, -1, WIRE_EMPTY)
WIRE_STRUCT(incremental_alter_configs_request_alterable_config)

#define incremental_alter_configs_request_alter_configs_resource_FIELDS(F, S)          \
    F(S, int8,   resource_type,  0, 99, -1, -1, 0)                                     \
    F(S, string, resource_name,  0, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, many,   configs,        0, 99, -1, -1, 0,                                     \
      incremental_alter_configs_request_alterable_config)
WIRE_STRUCT(incremental_alter_configs_request_alter_configs_resource)

#define incremental_alter_configs_request_FIELDS(F, S)                                 \
    F(S, many,    resources,      0, 99, -1, -1, 0,                                    \
      incremental_alter_configs_request_alter_configs_resource)                        \
    F(S, boolean, validate_only,  0, 99, -1, -1, false)
WIRE_MESSAGE(incremental_alter_configs_request, 1)

#define incremental_alter_configs_response_alter_configs_resource_response_FIELDS(F, S) \
    F(S, int16,  error_code,     0, 99, -1, -1, 0)                                     \
    F(S, string, error_message,  0, 99,  0, -1, WIRE_EMPTY)                            \
    F(S, int8,   resource_type,  0, 99, -1, -1, 0)                                     \
    F(S, string, resource_name,  0, 99, -1, -1, WIRE_EMPTY)
WIRE_STRUCT(incremental_alter_configs_response_alter_configs_resource_response)

#define incremental_alter_configs_response_FIELDS(F, S)                                \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, many,  responses,         0, 99, -1, -1, 0,                                   \
      incremental_alter_configs_response_alter_configs_resource_response)
WIRE_MESSAGE(incremental_alter_configs_response, 1)

#define list_config_resources_request_FIELDS(F, S)                                     \
    F(S, int8s, resource_types,  1, 99, -1, -1, 0)
WIRE_MESSAGE(list_config_resources_request, 0)

#define list_config_resources_response_config_resource_FIELDS(F, S)                    \
    F(S, string, resource_name,  0, 99, -1, -1, WIRE_EMPTY)                            \
    F(S, int8,   resource_type,  1, 99, -1, -1, 16)
WIRE_STRUCT(list_config_resources_response_config_resource)

#define list_config_resources_response_FIELDS(F, S)                                    \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, int16, error_code,        0, 99, -1, -1, 0)                                   \
    F(S, many,  config_resources,  0, 99, -1, -1, 0,                                   \
      list_config_resources_response_config_resource)
WIRE_MESSAGE(list_config_resources_response, 0)

#define describe_log_dirs_request_describable_log_dir_topic_FIELDS(F, S)               \
    F(S, string, topic,       0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, int32s, partitions,  0, 99, -1, -1, 0)
WIRE_STRUCT(describe_log_dirs_request_describable_log_dir_topic)

#define describe_log_dirs_request_FIELDS(F, S)                                         \
    F(S, many, topics,  0, 99,  0, -1, 0,                                              \
      describe_log_dirs_request_describable_log_dir_topic)
WIRE_MESSAGE(describe_log_dirs_request, 2)

#define describe_log_dirs_response_describe_log_dirs_partition_FIELDS(F, S)            \
    F(S, int32,   partition_index,  0, 99, -1, -1, 0)                                  \
    F(S, int64,   partition_size,   0, 99, -1, -1, 0)                                  \
    F(S, int64,   offset_lag,       0, 99, -1, -1, 0)                                  \
    F(S, boolean, is_future_key,    0, 99, -1, -1, false)
WIRE_STRUCT(describe_log_dirs_response_describe_log_dirs_partition)

#define describe_log_dirs_response_describe_log_dirs_topic_FIELDS(F, S)                \
    F(S, string, name,        0, 99, -1, -1, WIRE_EMPTY)                               \
    F(S, many,   partitions,  0, 99, -1, -1, 0,                                        \
      describe_log_dirs_response_describe_log_dirs_partition)
WIRE_STRUCT(describe_log_dirs_response_describe_log_dirs_topic)

#define describe_log_dirs_response_describe_log_dirs_result_FIELDS(F, S)               \
    F(S, int16,  error_code,    0, 99, -1, -1, 0)                                      \
    F(S, string, log_dir,       0, 99, -1, -1, WIRE_EMPTY)                             \
    F(S, many,   topics,        0, 99, -1, -1, 0,                                      \
      describe_log_dirs_response_describe_log_dirs_topic)                              \
    F(S, int64,  total_bytes,   4, 99, -1, -1, -1)                                     \
    F(S, int64,  usable_bytes,  4, 99, -1, -1, -1)
WIRE_STRUCT(describe_log_dirs_response_describe_log_dirs_result)

#define describe_log_dirs_response_FIELDS(F, S)                                        \
    F(S, int32, throttle_time_ms,  0, 99, -1, -1, 0)                                   \
    F(S, int16, error_code,        3, 99, -1, -1, 0)                                   \
    F(S, many,  results,           0, 99, -1, -1, 0,                                   \
      describe_log_dirs_response_describe_log_dirs_result)
WIRE_MESSAGE(describe_log_dirs_response, 2)

#endif
