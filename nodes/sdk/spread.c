/* SPDX-License-Identifier: MIT */
#include "sdk/spread.h"

static void begin_turn(struct spread *spread, int64_t now_ms)
{
    spread->turn++;
    spread->used = 0;
    spread->since_ms = now_ms;
}

static void grow(struct spread *spread, uint32_t partitions)
{
    if (++spread->round < partitions)
        return;
    spread->round = 0;
    spread->chunk += 1 + spread->chunk / 8;
    if (spread->chunk > SPREAD_CHUNK_MAX)
        spread->chunk = SPREAD_CHUNK_MAX;
}

/* The chunk was far too large for what comes: the next burst shall find it small. */
static void shrink(struct spread *spread, int64_t passed_ms)
{
    if (4 * spread->used < spread->chunk)
        spread->chunk = 4 * spread->used;
    if (passed_ms >= SPREAD_PAUSE_MS || spread->chunk == 0) {
        spread->chunk = 1;
        spread->round = 0;
    }
}

uint32_t spread_next(struct spread *spread, uint32_t partitions, int64_t now_ms)
{
    int64_t passed_ms = now_ms - spread->since_ms;

    if (spread->used > 0 && spread->used >= spread->chunk) {
        grow(spread, partitions);
        begin_turn(spread, now_ms);
    } else if (passed_ms >= SPREAD_TURN_MS) {
        shrink(spread, passed_ms);
        begin_turn(spread, now_ms);
    }
    spread->used++;
    return spread->turn % partitions;
}
