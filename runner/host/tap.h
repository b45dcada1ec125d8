/* SPDX-License-Identifier: MIT
 *
 * tap.h - look at the records of a topic without leaving a trace.
 * Layer: host. A reader that joins no group and commits nothing. Blocking: for the
 * commands (tap, dlq), never on the runner's loop.
 */
#ifndef HOST_TAP_H
#define HOST_TAP_H

#include "base/error.h"
#include "host/broker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tap;

enum tap_from {
    TAP_BEGINNING,
    TAP_END,
    TAP_LAST, /* the last `value` records of the topic (at most 10,000), oldest first */
    TAP_OFFSET, /* offset `value` of every partition read */
    TAP_TIME,   /* wall clock ms `value` */
};

struct tap_spec {
    const char *topic;
    int32_t partition; /* -1: all */
    enum tap_from from;
    int64_t value;
    bool follow;      /* go on when the end (as it was at the opening) is reached */
    bool uncommitted; /* records of open and aborted transactions too */
};

struct tap_header {
    const char *name;
    const char *value; /* NULL: none; not NUL-terminated */
    size_t len;
};

struct tap_record {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    const char *key;      /* NULL: none */
    size_t key_len;
    const char *value; /* NULL: none */
    size_t value_len;
    const struct tap_header *headers;
    size_t header_count;
};

/* ERROR_NOT_FOUND: no such topic or partition; ERROR_UNREACHABLE: no broker within
 * timeout_ms. */
struct tap *tap_open(const struct broker_config *config, const struct tap_spec *spec,
                     int timeout_ms, struct error *err);
void tap_close(struct tap *tap);

/* Records between the start and the end as it was at the opening, at most (an offset
 * need not be a record). */
int64_t tap_expected(const struct tap *tap);

enum tap_result { TAP_RECORD, TAP_NOTHING_YET, TAP_AT_END, TAP_FAILED };
/*
 * The next record, waiting up to timeout_ms. *record lives until the next call.
 * TAP_AT_END: everything up to the end was read (never with follow). A broker that is
 * away for a while is TAP_NOTHING_YET.
 */
enum tap_result tap_next(struct tap *tap, int timeout_ms, struct tap_record *record,
                         struct error *err);

#endif
