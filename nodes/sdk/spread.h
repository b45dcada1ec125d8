/* SPDX-License-Identifier: MIT
 *
 * spread.h - to which partition records without a key go.
 * Layer: sdk (pure).
 *
 * In turn, a chunk each: a burst is work for all clients of the reader, yet a fast
 * writer fills its batches. Chunks begin with one record, grow by an eighth with every
 * round over the partitions, and end early when time has passed, so that no partition
 * waits long for its turn at any rate.
 */
#ifndef SDK_SPREAD_H
#define SDK_SPREAD_H

#include <stdint.h>

enum {
    SPREAD_CHUNK_MAX = 1000, /* records */
    SPREAD_TURN_MS = 10,     /* twice the linger of a batch */
    SPREAD_PAUSE_MS = 100,   /* after such a turn the next record begins a new burst */
};

struct spread {
    uint32_t turn; /* counts the chunks; begin anywhere */
    uint32_t chunk;
    uint32_t used;  /* of the chunk */
    uint32_t round; /* chunks since they grew */
    int64_t since_ms;
};

/* The next record's place among the partitions (at least one); they may have grown. */
uint32_t spread_next(struct spread *spread, uint32_t partitions, int64_t now_ms);

#endif
