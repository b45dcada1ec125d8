/* SPDX-License-Identifier: MIT
 *
 * web_ask.h - actions on runs, asked without waiting: the runner's answer comes through
 * the loop, or a time-out does. Layer: cli.
 */
#ifndef CLI_WEB_ASK_H
#define CLI_WEB_ASK_H

#include "base/loop.h"
#include "ops/ops.h"
#include "web/source.h"

struct web_asks;

struct web_asks *web_asks_new(struct loop *loop);
void web_asks_free(
    struct web_asks *asks); /* those that wait are dropped without a word */

/* Calls done exactly once, now or later. */
void web_ask(struct web_asks *asks, const struct ops *ops,
             const struct web_action *action, web_done_fn *done, void *done_arg);

/* Call it after every loop_wait; returns the deadline of the next one. */
int64_t web_asks_tick(struct web_asks *asks);

#endif
