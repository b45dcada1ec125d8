/* SPDX-License-Identifier: MIT
 *
 * frames.h - memory for request frames, used again, and how much of it is held.
 * Layer: ledger/server.
 *
 * Small frames come from malloc. Large ones are mapped in powers of two and kept for a
 * second after their last use, so that a stream of them costs no page faults and its
 * end leaves no memory behind. Pages that were never written cost nothing: what counts
 * against the budget is therefore what was received, which the owner reports.
 */
#ifndef LEDGER_SERVER_FRAMES_H
#define LEDGER_SERVER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAMES_ORDERS = 32,
    FRAMES_LARGE = 64 * 1024, /* bytes from which on frames are mapped */
    FRAMES_KEPT_BYTES = 8 * 1024 * 1024,
    FRAMES_KEPT_MS = 1000,
};

struct frames {
    int64_t budget_bytes;
    int64_t held_bytes; /* received and not yet given back */
    int64_t kept_bytes; /* of unused large ones */
    struct frames_kept *kept[FRAMES_ORDERS];
};

void frames_init(struct frames *frames, int64_t budget_bytes);
void frames_clear(struct frames *frames);

/* Room for size bytes, not zeroed. */
uint8_t *frames_take(struct frames *frames, uint32_t size);
/* The frame of this size in which got bytes have been counted. NULL is fine. */
void frames_give(struct frames *frames, uint8_t *frame, uint32_t size, uint32_t got,
                 int64_t now_ms);
/* So many bytes more were received into a frame. */
void frames_count(struct frames *frames, uint32_t bytes);
bool frames_full(const struct frames *frames);

/* Unmap what was not used for FRAMES_KEPT_MS. */
void frames_trim(struct frames *frames, int64_t now_ms);

#endif
