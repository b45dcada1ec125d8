/* SPDX-License-Identifier: MIT
 *
 * window.h - which records of one partition are finished, and the offset to commit.
 * Layer: sdk (pure).
 *
 * Records are taken in the order of their offsets and finish in any order. What may be
 * committed is the offset after the last record that is finished together with all before
 * it (low). Offsets may have holes (transaction markers, compaction), so a record is known
 * here by its sequence number: the first taken has 0, the next 1.
 */
#ifndef SDK_WINDOW_H
#define SDK_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum window_outcome { WINDOW_ANSWERED, WINDOW_DROPPED, WINDOW_DEAD };

/* Totals of the records below low. */
struct window_totals {
    int64_t in;
    int64_t answered;
    int64_t dropped;
    int64_t dead;
    int64_t out; /* acknowledged outputs */
};

struct window_slot {
    int64_t offset;
    int32_t pending; /* outputs not acknowledged, and 1 while the record is in hand */
    int32_t out;
    enum window_outcome outcome;
};

struct window {
    struct window_slot *slots; /* a ring: sequence number modulo capacity */
    uint64_t capacity;         /* a power of two */
    uint64_t first;            /* sequence number of the lowest unfinished record */
    uint64_t next;             /* sequence number of the record that is taken next */
    int64_t unfinished;
    int64_t low;  /* the offset to commit */
    int64_t next_offset; /* after the last record that was taken */
    struct window_totals totals;
};

/* Begin at an offset, with the totals of the records before it. */
void window_init(struct window *window, int64_t start,
                 const struct window_totals *totals);
void window_clear(struct window *window);

/* Take the record at offset in hand: it is pending once. Returns its sequence number. */
uint64_t window_take(struct window *window, int64_t offset);

/* The slot of a record that is not below first. */
struct window_slot *window_slot(const struct window *window, uint64_t sequence);

/* Nothing more comes from it, or one of its writes is over: pending once less. */
void window_release(struct window *window, uint64_t sequence);

/* Nothing is unfinished and what lies before offset is no record (markers): go there. */
void window_skip_to(struct window *window, int64_t offset);

/* The next record's distance to the lowest unfinished one: the ring's use. */
static inline uint64_t window_span(const struct window *window)
{
    return window->next - window->first;
}

/* Write the totals as CONTRACT_COUNTS; returns the length. */
enum { WINDOW_METADATA = 160 };
size_t window_format_totals(const struct window_totals *totals,
                            char text[WINDOW_METADATA]);

#endif
