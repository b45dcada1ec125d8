/* SPDX-License-Identifier: MIT
 *
 * loop.h - one epoll loop: descriptors wake it, nothing else does.
 * Layer: base. One thread. Callbacks record facts; deciding happens after loop_wait.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/error.h"

#include <stdint.h>

struct loop;

/* events: EPOLLIN | EPOLLOUT | EPOLLHUP …, as epoll_wait reports them. */
typedef void loop_fn(void *arg, uint32_t events);

struct loop *loop_new(struct error *err);
void loop_free(struct loop *loop); /* watched descriptors stay open */

/*
 * Watch fd until loop_remove. The loop never closes it. A callback may add and remove
 * any descriptor, its own as well: removed ones get no call any more in this round.
 */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *arg,
             struct error *err);
void loop_change(struct loop *loop, int fd, uint32_t events);
void loop_remove(struct loop *loop, int fd);

/*
 * Sleep until a descriptor is ready or the clock_mono_ms time deadline_ms has come
 * (INT64_MAX: no deadline; in the past: only look), then call the callbacks.
 */
void loop_wait(struct loop *loop, int64_t deadline_ms);

#endif
