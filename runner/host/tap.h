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

enum { TAP_LAST_MAX = 10000 };

struct tap_position {
    int32_t partition;
    int64_t offset;
};

enum tap_where {
    TAP_EARLIEST,
    TAP_LATEST,
    TAP_OFFSET,    /* offset `value` of every partition */
    TAP_TIME,      /* the first record at or after wall clock ms `value` */
    TAP_POSITIONS, /* of every partition its own; one that is not named: its earliest */
};

/* A place in a topic, in every partition of it. */
struct tap_point {
    enum tap_where where;
    int64_t value;
    const struct tap_position *positions; /* borrowed while the tap is opened */
    size_t position_count;
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

typedef bool tap_wanted_fn(void *arg, const struct tap_record *record);

struct tap_spec {
    const char *topic;
    int32_t partition; /* -1: all */
    struct tap_point from;
    struct tap_point until; /* exclusive; TAP_EARLIEST, what is not said: TAP_LATEST */
    /*
     * > 0: not from `from` on, but the last so many wanted records before `until` (at
     * most TAP_LAST_MAX), in order of time. Each partition is looked back into no
     * further than its share of scan_records.
     */
    int64_t last;
    bool follow;      /* go on when the end (as it was at the opening) is reached */
    bool uncommitted; /* records of open and aborted transactions too */
    tap_wanted_fn *wanted; /* NULL: every record */
    void *wanted_arg;
    int64_t scan_records; /* look at so many at most; 0: no limit */
    int64_t scan_bytes;   /* of keys and values, likewise */
    int64_t scan_ms;      /* since the opening, likewise */
};

/* ERROR_NOT_FOUND: no such topic or partition; ERROR_UNREACHABLE: no broker within
 * timeout_ms. */
struct tap *tap_open(const struct broker_config *config, const struct tap_spec *spec,
                     int timeout_ms, struct error *err);
void tap_close(struct tap *tap);

const char *tap_topic(const struct tap *tap);

/* One partition: what it holds, and what this tap has seen of it. */
struct tap_range {
    int32_t partition;
    int64_t earliest;
    int64_t latest; /* both as they were at the opening */
    int64_t before; /* what is older than what was given begins here, going back */
    int64_t next;   /* what is newer begins here */
};
size_t tap_range_count(const struct tap *tap);
void tap_range(const struct tap *tap, size_t index, struct tap_range *range);

/* How many records were looked at. */
int64_t tap_scanned(const struct tap *tap);
/* Was everything up to `until` looked at, or given? */
bool tap_is_complete(const struct tap *tap);
/* The limit of the spec that was reached: "records", "bytes", "time"; NULL: none. */
const char *tap_limit(const struct tap *tap);

enum tap_result { TAP_RECORD, TAP_NOTHING_YET, TAP_AT_END, TAP_AT_LIMIT, TAP_FAILED };
/*
 * The next wanted record, waiting up to timeout_ms. *record lives until the next call.
 * TAP_AT_END: everything up to the end was read (never with follow). TAP_AT_LIMIT: a
 * limit of the spec was reached. A broker that is away for a while is TAP_NOTHING_YET.
 */
enum tap_result tap_next(struct tap *tap, int timeout_ms, struct tap_record *record,
                         struct error *err);

#endif
