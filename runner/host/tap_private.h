/* SPDX-License-Identifier: MIT
 *
 * tap_private.h - what opening (tap.c) and reading (tap_read.c) share.
 * Layer: host; private to tap*.c.
 */
#ifndef HOST_TAP_PRIVATE_H
#define HOST_TAP_PRIVATE_H

#include "host/broker_private.h"
#include "host/tap.h"

struct tap_part {
    int32_t number;
    int64_t begin;
    int64_t end; /* as it was at the opening */
    int64_t start;
    bool done; /* everything before end was seen */
};

struct tap_list {
    rd_kafka_message_t **messages;
    size_t count;
    size_t capacity;
    size_t next;
};

struct tap {
    rd_kafka_t *handle;
    rd_kafka_queue_t *log;
    char *topic;
    struct tap_part *parts;
    size_t part_count;
    bool follow;
    size_t wanted; /* TAP_LAST: how many; else 0 */
    bool collecting;
    struct tap_list held;  /* TAP_LAST: what will be delivered first */
    struct tap_list later; /* what came after the end meanwhile */
    rd_kafka_message_t *current;
    struct tap_header *headers;
    size_t header_capacity;
    char *trouble;
};

void tap_list_clear(struct tap_list *list);
/* Give librdkafka's log lines to base/log. */
void tap_serve_log(struct tap *tap);

#endif
