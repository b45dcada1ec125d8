/* SPDX-License-Identifier: MIT
 *
 * part.h - the partitions a client works on, found again from a delivery report.
 * Layer: sdk. A source has one part without a topic: its emissions.
 *
 * A write carries the tag of the record that caused it: the part's id and the record's
 * sequence number. A part that was taken away stays until its last write is reported.
 */
#ifndef SDK_PART_H
#define SDK_PART_H

#include "sdk/window.h"

#include <stdbool.h>

struct part {
    uint64_t id;
    char *topic; /* NULL: a source */
    const void *handle; /* librdkafka's topic handle in records, once one was seen */
    int32_t partition;
    bool gone;
    int64_t unreported; /* writes without a report */
    int64_t start;
    int64_t committed; /* confirmed by the broker; -1: none */
    struct window window;
    struct window_totals before; /* at the start: what others counted */
};

struct parts {
    struct part **list; /* by id; NULL: free */
    size_t count;
    size_t capacity;
    struct window_totals left; /* counted here in parts that are gone */
};

struct part *parts_add(struct parts *parts, const char *topic, int32_t partition,
                       int64_t start, const struct window_totals *before);
struct part *parts_find(const struct parts *parts, const char *topic, int32_t partition);

/* Taken away: forget it once its writes are reported. */
void parts_drop(struct parts *parts, struct part *part);
void parts_clear(struct parts *parts);

/* A write of the record is over: release it; frees a dropped part after its last. */
void parts_reported(struct parts *parts, uint64_t tag);

int64_t parts_unfinished(const struct parts *parts);
/* The longest distance between a part's lowest unfinished record and its next. */
uint64_t parts_span(const struct parts *parts);
/* What this client has counted since it started. */
struct window_totals parts_totals(const struct parts *parts);

static inline uint64_t part_tag(const struct part *part, uint64_t sequence)
{
    return part->id << 48 | (sequence & UINT64_C(0xffffffffffff));
}
static inline struct part *part_of(const struct parts *parts, uint64_t tag)
{
    return parts->list[tag >> 48];
}
static inline uint64_t part_sequence(uint64_t tag)
{
    return tag & UINT64_C(0xffffffffffff);
}

#endif
