/* SPDX-License-Identifier: MIT */
#include "base/loop.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 64 };

struct watch {
    int fd; /* -1 once removed: freed after the round */
    loop_fn *fn;
    void *arg;
    struct watch *next;
};

struct loop {
    int epoll_fd;
    struct watch *watches;
    struct watch *removed;
};

struct loop *loop_new(struct error *err)
{
    struct loop *loop = mem_alloc(sizeof *loop);

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        error_set(err, ERROR_INTERNAL, "epoll_create1: %s", strerror(errno));
        free(loop);
        return NULL;
    }
    return loop;
}

static void free_list(struct watch *watch)
{
    while (watch) {
        struct watch *next = watch->next;

        free(watch);
        watch = next;
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    free_list(loop->watches);
    free_list(loop->removed);
    (void)close(loop->epoll_fd);
    free(loop);
}

static struct watch **find(struct loop *loop, int fd)
{
    struct watch **at = &loop->watches;

    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    return at;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *arg,
             struct error *err)
{
    struct watch *watch = mem_alloc(sizeof *watch);
    struct epoll_event event = {.events = events, .data.ptr = watch};

    *watch = (struct watch){.fd = fd, .fn = fn, .arg = arg, .next = loop->watches};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        error_set(err, ERROR_INTERNAL, "epoll_ctl on descriptor %d: %s", fd,
                  strerror(errno));
        free(watch);
        return -1;
    }
    loop->watches = watch;
    return 0;
}

void loop_change(struct loop *loop, int fd, uint32_t events)
{
    struct watch *watch = *find(loop, fd);
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (watch)
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void loop_remove(struct loop *loop, int fd)
{
    struct watch **at = find(loop, fd);
    struct watch *watch = *at;

    if (watch == NULL)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    *at = watch->next;
    watch->fd = -1;
    watch->next = loop->removed;
    loop->removed = watch;
}

static int timeout_until(int64_t deadline_ms)
{
    int64_t left;

    if (deadline_ms == INT64_MAX)
        return -1;
    left = deadline_ms - clock_mono_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

void loop_wait(struct loop *loop, int64_t deadline_ms)
{
    struct epoll_event events[BATCH];
    int count = epoll_wait(loop->epoll_fd, events, BATCH, timeout_until(deadline_ms));

    for (int i = 0; i < count; i++) {
        struct watch *watch = events[i].data.ptr;

        if (watch->fd >= 0)
            watch->fn(watch->arg, events[i].events);
    }
    free_list(loop->removed);
    loop->removed = NULL;
}
