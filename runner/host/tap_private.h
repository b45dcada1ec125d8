/* SPDX-License-Identifier: MIT
 *
 * tap_private.h - what opening (tap.c) and reading (tap_read.c) share.
 * Layer: host; private to tap*.c.
 */
#ifndef HOST_TAP_PRIVATE_H
#define HOST_TAP_PRIVATE_H

#include "host/broker_private.h"
#include "host/tap.h"

/* Messages in the order of their coming; the first ones may have been taken. */
struct tap_list {
    rd_kafka_message_t **messages;
    size_t count;
    size_t capacity;
    size_t next;
};

struct tap_part {
    int32_t number;
    int64_t earliest;
    int64_t latest; /* as they were at the opening */
    int64_t start;
    int64_t end;          /* where reading ends unless it follows */
    int64_t next;         /* behind what was looked at */
    bool done;            /* everything before end was seen */
    int64_t before;       /* older ones than those given are before this */
    struct tap_list held; /* with last: wanted ones, the newest */
};

struct tap {
    rd_kafka_t *handle;
    rd_kafka_queue_t *log;
    char *topic;
    struct tap_part *parts;
    size_t part_count;
    bool follow;
    size_t last; /* how many; 0: from start on */
    bool collecting;
    size_t held_bytes;
    struct tap_list later; /* what came after the end while collecting */
    tap_wanted_fn *wanted;
    void *wanted_arg;
    int64_t scan_records; /* INT64_MAX: no limit */
    int64_t scan_bytes;
    int64_t deadline_ms;
    int64_t scanned;
    int64_t scanned_bytes;
    rd_kafka_message_t *current;
    struct tap_header *headers;
    size_t header_capacity;
    char *trouble;
};

void tap_list_clear(struct tap_list *list);
/* Give librdkafka's log lines to base/log. */
void tap_serve_log(struct tap *tap);

#endif
