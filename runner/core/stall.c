/* SPDX-License-Identifier: MIT */
#include "core/stall.h"

enum stall_change stall_see(struct stall *stall, bool waits, int64_t progress,
                            int64_t now_ms)
{
    bool told = stall->told;

    if (!waits || progress != stall->progress) {
        *stall = (struct stall){.progress = progress};
        return told ? STALL_ENDS : STALL_SAME;
    }
    if (stall->since_ms == 0)
        stall->since_ms = now_ms;
    if (told || now_ms - stall->since_ms < STALL_AFTER_MS)
        return STALL_SAME;
    stall->told = true;
    return STALL_BEGINS;
}
