/* SPDX-License-Identifier: MIT
 *
 * dirty.c - when a log is worth compacting, and from where to where.
 */
#include "ledger/log/log_private.h"

/* Where the dirty part begins. */
int64_t log_dirty_from(const struct log *log)
{
    int64_t from = log->clean > log->start ? log->clean : log->start;

    return from > log->segments[0].base ? from : log->segments[0].base;
}

/*
 * Where it ends, at a segment's beginning: before the active segment, what is not
 * flushed (recovery reads that), unstable, or too young.
 */
int64_t log_dirty_limit(struct log *log, int64_t first_unstable, int64_t wall_ms)
{
    int64_t lag = log->config.min_compaction_lag_ms;
    int64_t stable = first_unstable < log->flushed ? first_unstable : log->flushed;
    size_t limit = log_segment_of(log, stable);
    struct error ignored = {0};

    if (lag <= 0)
        return log->segments[limit].base;
    for (size_t i = log_segment_of(log, log_dirty_from(log)); i < limit; i++)
        if (segment_load(log, &log->segments[i], &ignored) != 0 ||
            log->segments[i].max_timestamp > wall_ms - lag)
            return log->segments[i].base;
    return log->segments[limit].base;
}

/* Whether the dirty part has waited for longer than max.compaction.lag.ms. */
static bool is_overdue(struct log *log, int64_t from, int64_t wall_ms)
{
    struct error ignored = {0};
    struct batch first;
    struct walk walk;
    bool overdue;

    if (log->config.max_compaction_lag_ms == INT64_MAX)
        return false;
    walk_begin(&walk, log, &log->segments[log_segment_of(log, from)], 0, WALK_HEADERS);
    overdue = walk_next(&walk, &first, &ignored) > 0 && first.max_timestamp >= 0 &&
              wall_ms - first.max_timestamp > log->config.max_compaction_lag_ms;
    walk_end(&walk);
    return overdue;
}

static bool is_dirty_enough(struct log *log, int64_t from, int64_t limit)
{
    int64_t clean = 0, dirty = 0;

    for (size_t i = 0; i < log->count && log->segments[i].base < limit; i++)
        if (log->segments[i].base < from)
            clean += log->segments[i].size;
        else
            dirty += log->segments[i].size;
    return dirty > 0 && (double)dirty > log->config.min_cleanable_dirty_ratio *
                                            (double)(clean + dirty);
}

bool log_is_dirty(struct log *log, int64_t first_unstable, int64_t wall_ms)
{
    int64_t from, limit;

    if (log->count < 2)
        return false;
    from = log_dirty_from(log);
    limit = log_dirty_limit(log, first_unstable, wall_ms);
    return from < limit &&
           (is_dirty_enough(log, from, limit) || is_overdue(log, from, wall_ms));
}
