/* SPDX-License-Identifier: MIT
 *
 * topics_tick.c - the upkeep of all partitions, a bounded slice at a time.
 */
#include "ledger/topic/topics_private.h"

enum {
    PASS_MS = 5 * 1000,          /* between two visits of an open partition */
    FIRST_CLOSED_MS = 30 * 1000, /* after the start, the first visit of closed ones */
    EXPIRY_MS = 10 * 60 * 1000,  /* between two looks for idle producers */
    SLICE_UNITS = 2048,          /* what a slice may cost; about 5 ms */
    UNITS_VISIT = 4,             /* an open partition */
    UNITS_OPEN = 256,            /* opening one, or removing a folder */
    COMPACT_BYTES = 1024 * 1024, /* of one compaction step, a slice of its own */
};

static void begin_pass(struct topics *topics, int64_t now_ms)
{
    struct upkeep *upkeep = &topics->upkeep;
    int64_t closed_ms = config_number(CONFIG_BROKER, "log.retention.check.interval.ms",
                                      NULL, &topics->broker);

    topics_retry_blocked(topics);
    upkeep->running = true;
    upkeep->topic = 0;
    upkeep->partition = 0;
    upkeep->next_pass = now_ms + (closed_ms < PASS_MS ? closed_ms : PASS_MS);
    upkeep->with_closed = now_ms >= upkeep->next_closed;
    if (upkeep->with_closed)
        upkeep->next_closed = now_ms + closed_ms;
    upkeep->with_expiry = now_ms >= upkeep->next_expiry;
    if (upkeep->with_expiry)
        upkeep->next_expiry = now_ms + EXPIRY_MS;
}

/* The open partitions' retention and expiry; true when there is something to compact.
 */
static bool visit(struct partition *partition, bool with_expiry, int64_t wall_ms)
{
    struct log *log = partition_log(partition);

    if (with_expiry)
        partition_expire(partition, wall_ms);
    if (log_retain(log, wall_ms))
        partition_trimmed(partition);
    return log_config(log)->compact_policy &&
           log_compactable(log, partition_last_stable(partition), wall_ms);
}

static void compact(struct topics *topics, int64_t wall_ms)
{
    struct partition *partition = topics->upkeep.compacting;
    struct log_view view;

    partition_view(partition, &view);
    if (log_compact_step(partition_log(partition), &view, wall_ms, COMPACT_BYTES))
        return;
    partition_trimmed(partition);
    topics->upkeep.compacting = NULL;
}

/* Visit one partition; returns its cost. */
static int visit_next(struct topics *topics, struct topic *topic, int64_t wall_ms)
{
    struct upkeep *upkeep = &topics->upkeep;
    int32_t index = upkeep->partition++;
    struct partition *partition = topic->own->open[index];
    int cost = UNITS_VISIT;

    if (partition == NULL) {
        if (!upkeep->with_closed || (topic->own->state[index] & PARTITION_ON_DISK) == 0)
            return 1;
        partition = topics_partition(topics, topic, index);
        cost = UNITS_OPEN;
    }
    if (partition != NULL && visit(partition, upkeep->with_expiry, wall_ms))
        upkeep->compacting = partition;
    return cost;
}

static void go_on(struct topics *topics, int64_t wall_ms)
{
    struct upkeep *upkeep = &topics->upkeep;
    int units = SLICE_UNITS;

    while (units > 0 && upkeep->compacting == NULL) {
        struct topic *topic;
        if (upkeep->topic >= (int32_t)topics->sorted_count) {
            upkeep->running = false;
            return;
        }
        topic = topics->sorted[upkeep->topic];
        if (upkeep->partition < topic->partitions) {
            units -= visit_next(topics, topic, wall_ms);
        } else {
            upkeep->topic++;
            upkeep->partition = 0;
            units--;
        }
    }
}

int64_t topics_tick(struct topics *topics, int64_t now_ms, int64_t wall_ms)
{
    struct upkeep *upkeep = &topics->upkeep;

    topics->wall_ms = wall_ms;
    for (int units = SLICE_UNITS; units > 0 && topics_remove_one(topics);)
        units -= UNITS_OPEN;
    if (upkeep->next_pass ==
        0) { /* the first tick: nothing is due right after the start */
        upkeep->next_pass = now_ms + PASS_MS;
        upkeep->next_closed = now_ms + FIRST_CLOSED_MS;
        upkeep->next_expiry = now_ms + EXPIRY_MS;
    }
    if (upkeep->compacting != NULL)
        compact(topics, wall_ms);
    else if (upkeep->running)
        go_on(topics, wall_ms);
    else if (now_ms >= upkeep->next_pass)
        begin_pass(topics, now_ms);
    if (upkeep->running || upkeep->compacting != NULL || topics->trash.count > 0)
        return now_ms;
    return upkeep->next_pass;
}
