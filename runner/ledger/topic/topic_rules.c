/* SPDX-License-Identifier: MIT
 *
 * topic_rules.c - which names and which replicas a client may ask for.
 */
#include "base/mem.h"
#include "ledger/topic/topics_private.h"

#include <stdlib.h>
#include <string.h>

static bool is_legal(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

static bool all_legal(struct wire_string name)
{
    for (int32_t i = 0; i < name.len; i++)
        if (!is_legal(name.data[i]))
            return false;
    return true;
}

enum kafka_error topics_check_name(struct wire_string name, struct text_buf *message)
{
    int len = name.len > 0 ? name.len : 0;

    if (len == 0)
        text_append(message, "Topic name is invalid: the empty string is not allowed");
    else if (wire_string_is(name, ".") || wire_string_is(name, ".."))
        text_appendf(message, "Topic name is invalid: '%.*s' is not allowed", len,
                     name.data);
    else if (len > TOPICS_NAME_MAX)
        text_appendf(
            message,
            "Topic name is invalid: the length of '%.*s' is longer than the max "
            "allowed length %d",
            len, name.data, TOPICS_NAME_MAX);
    else if (!all_legal(name))
        text_appendf(
            message,
            "Topic name is invalid: '%.*s' contains one or more characters other "
            "than ASCII alphanumerics, '.', '_' and '-'",
            len, name.data);
    else
        return KAFKA_NONE;
    return KAFKA_INVALID_TOPIC_EXCEPTION;
}

static enum kafka_error check_one(const struct topics_replicas *replicas,
                                  struct text_buf *message)
{
    if (replicas->count <= 0) {
        text_append(message,
                    "The manual partition assignment includes an empty replica list.");
        return KAFKA_INVALID_REPLICA_ASSIGNMENT;
    }
    for (int32_t i = 0; i < replicas->count; i++) {
        if (replicas->brokers[i] == 1)
            continue;
        text_appendf(
            message,
            "The manual partition assignment includes broker %d, but no such broker "
            "is registered.",
            replicas->brokers[i]);
        return KAFKA_INVALID_REPLICA_ASSIGNMENT;
    }
    if (replicas->count > 1) {
        text_append(message,
                    "The manual partition assignment includes the broker 1 more than "
                    "once.");
        return KAFKA_INVALID_REPLICA_ASSIGNMENT;
    }
    return KAFKA_NONE;
}

enum kafka_error topics_check_replicas(const struct topics_replicas *replicas,
                                       int32_t count, struct text_buf *message)
{
    enum kafka_error code = KAFKA_NONE;

    for (int32_t i = 0; i < count && code == KAFKA_NONE; i++)
        code = check_one(&replicas[i], message);
    return code;
}

/* Each of 0 … count - 1 once, in any order. */
enum kafka_error topics_check_indexes(const struct topics_replicas *replicas,
                                      int32_t count, struct text_buf *message)
{
    bool *seen = mem_alloc((size_t)count + 1);
    enum kafka_error code = KAFKA_NONE;

    for (int32_t i = 0; i < count && code == KAFKA_NONE; i++) {
        int32_t index = replicas[i].index;
        if (index < 0 || index >= count) {
            text_append(message,
                        "partitions should be a consecutive 0-based integer sequence");
            code = KAFKA_INVALID_REPLICA_ASSIGNMENT;
        } else if (seen[index]) {
            text_appendf(message,
                         "Found multiple manual partition assignments for partition %d",
                         index);
            code = KAFKA_INVALID_REPLICA_ASSIGNMENT;
        } else {
            seen[index] = true;
        }
    }
    free(seen);
    return code;
}
