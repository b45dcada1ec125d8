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

static bool is_known(const struct log *log, const struct damage *damage)
{
    for (size_t i = 0; i < log->damage_count; i++) {
        const struct damage *known = &log->damages[i];

        if (known->base == damage->base && known->from <= damage->from &&
            known->to >= damage->to && known->lost_from <= damage->lost_from &&
            known->lost_to >= damage->lost_to)
            return true;
    }
    return false;
}

void log_damage(struct log *log, const struct damage *damage)
{
    struct damage *last =
        log->damage_count > 0 ? &log->damages[log->damage_count - 1] : NULL;

    if (is_known(log, damage))
        return;
    if (last != NULL && !last->named && last->base == damage->base &&
        last->to == damage->from) {
        last->to = damage->to;
        last->lost_to = damage->lost_to;
        return;
    }
    log->damages = mem_grow(log->damages, log->damage_count, &log->damage_capacity,
                            sizeof(*log->damages));
    log->damages[log->damage_count++] = *damage;
}

static void name_damage(const struct log *log, const struct damage *damage)
{
    char fields[160];

    (void)snprintf(fields, sizeof(fields), "partition=%s", log->name);
    log_write(LOG_ERROR, "ledger", fields,
              "offsets %" PRId64 " to %" PRId64 " are lost: bytes %" PRId64
              " to %" PRId64 " of %s/%020" PRId64
              ".log are not what was written; consumers skip them",
              damage->lost_from, damage->lost_to - 1, damage->from, damage->to,
              log->dir, damage->base);
}

void log_name_damages(struct log *log)
{
    for (size_t i = log->damage_count; i > 0 && !log->damages[i - 1].named; i--) {
        name_damage(log, &log->damages[i - 1]);
        log->damages[i - 1].named = true;
    }
}

void log_forget_damages(struct log *log, int64_t base)
{
    size_t kept = 0;

    for (size_t i = 0; i < log->damage_count; i++)
        if (log->damages[i].base != base)
            log->damages[kept++] = log->damages[i];
    log->damage_count = kept;
}
