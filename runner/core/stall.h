/* SPDX-License-Identifier: MIT
 *
 * stall.h - does a node stand still while records wait for it? Pure: the caller has the clock.
 */
#ifndef CORE_STALL_H
#define CORE_STALL_H

#include <stdbool.h>
#include <stdint.h>

enum { STALL_AFTER_MS = 60000 };

enum stall_change { STALL_SAME, STALL_BEGINS, STALL_ENDS };

struct stall {
    int64_t progress;
    int64_t since_ms; /* it has not moved since; 0: it has, or nothing waits */
    bool told;
};

/*
 * Once in a while. waits: records do, and nothing but the node itself holds them up; progress:
 * a number that grows when the node takes or finishes one. STALL_BEGINS after STALL_AFTER_MS
 * without any; STALL_ENDS, once after it, when there is some or nothing waits any more.
 */
enum stall_change stall_see(struct stall *stall, bool waits, int64_t progress,
                            int64_t now_ms);

#endif
