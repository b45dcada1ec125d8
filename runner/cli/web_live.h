/* SPDX-License-Identifier: MIT
 *
 * web_live.h - the status objects of all runs that live, kept up to date without ever
 * waiting for one of their runners: a subscription to each control socket, on the loop.
 * Layer: cli.
 */
#ifndef CLI_WEB_LIVE_H
#define CLI_WEB_LIVE_H

#include "base/loop.h"
#include "ops/ops.h"

struct web_live;

struct web_live *web_live_new(struct loop *loop);
void web_live_free(struct web_live *live);

/* An array of status objects; borrowed until the next loop_wait. */
const json_t *web_live_all(struct web_live *live);

/*
 * The last word of a dag's runner, borrowed; NULL: it does not live, or said none yet.
 * One that has said nothing for 5 s has the time of its last word as stale_since_ms.
 */
json_t *web_live_status(const struct web_live *live, const char *dag);

/* Look for runs that came or went, when it is time; returns the next time. */
int64_t web_live_tick(struct web_live *live, const struct ops *ops);

#endif
