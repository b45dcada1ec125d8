/* SPDX-License-Identifier: MIT
 *
 * damage.c - what of a log has gone bad: remembered, so that readers step over it, and
 * named once. docs/decisions/0007-damaged-logs.md.
 */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/log/log_private.h"

#include <inttypes.h>
#include <stdio.h>

void log_damage(struct log *log, const struct damage *damage)
{
    char fields[160];

    for (size_t i = 0; i < log->damage_count; i++)
        if (log->damages[i].base == damage->base &&
            log->damages[i].from == damage->from && log->damages[i].to >= damage->to)
            return;
    log->damages = mem_grow(log->damages, log->damage_count, &log->damage_capacity,
                            sizeof(*log->damages));
    log->damages[log->damage_count++] = *damage;
    (void)snprintf(fields, sizeof(fields), "partition=%s", log->name);
    log_write(LOG_ERROR, "ledger", fields,
              "offsets %" PRId64 " to %" PRId64 " are lost: bytes %" PRId64
              " to %" PRId64 " of %s/%020" PRId64
              ".log are not what was written; consumers skip them",
              damage->lost_from, damage->lost_to - 1, damage->from, damage->to,
              log->dir, damage->base);
}

void log_forget_damages(struct log *log, int64_t base)
{
    size_t kept = 0;

    for (size_t i = 0; i < log->damage_count; i++)
        if (log->damages[i].base != base)
            log->damages[kept++] = log->damages[i];
    log->damage_count = kept;
}
