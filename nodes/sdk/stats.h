/* SPDX-License-Identifier: MIT
 *
 * stats.h - the "stats" line: once a second, when asked, and as soon as all is finished.
 * Layer: sdk.
 */
#ifndef SDK_STATS_H
#define SDK_STATS_H

#include "sdk/latency.h"

#include <stdbool.h>
#include <stdint.h>

struct client;

struct stats {
    struct latency latency;
    int64_t sent_at_ms;
    int64_t sent_taken;     /* taken, when the last line was sent */
    int64_t sent_positions; /* sum of next offsets then */
    bool sent_idle;
    int prompt; /* lines sent early since the last one that was due */
    bool asked;
};

/* Send a line if it is time; returns when the next one is due. */
int64_t stats_step(struct client *client);

/* Send a line now. */
void stats_send(struct client *client);

#endif
