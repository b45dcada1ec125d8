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
    struct watch *next; /* of the removed ones */
};

struct loop {
    int epoll_fd;
    struct watch **watches; /* by descriptor; NULL: not watched */
    int room;
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

static void free_removed(struct loop *loop)
{
    while (loop->removed) {
        struct watch *next = loop->removed->next;

        free(loop->removed);
        loop->removed = next;
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    free_removed(loop);
    for (int fd = 0; fd < loop->room; fd++)
        free(loop->watches[fd]);
    free(loop->watches);
    (void)close(loop->epoll_fd);
    free(loop);
}

static struct watch *find(const struct loop *loop, int fd)
{
    return fd >= 0 && fd < loop->room ? loop->watches[fd] : NULL;
}

static void make_room(struct loop *loop, int fd)
{
    int room = loop->room ? loop->room : 16;

    if (fd < loop->room)
        return;
    while (room <= fd)
        room *= 2;
    loop->watches = mem_resize(loop->watches, (size_t)room * sizeof *loop->watches);
    for (int i = loop->room; i < room; i++)
        loop->watches[i] = NULL;
    loop->room = room;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *arg,
             struct error *err)
{
    struct watch *watch = mem_alloc(sizeof *watch);
    struct epoll_event event = {.events = events, .data.ptr = watch};

    *watch = (struct watch){.fd = fd, .fn = fn, .arg = arg};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        error_set(err, ERROR_INTERNAL, "epoll_ctl on descriptor %d: %s", fd,
                  strerror(errno));
        free(watch);
        return -1;
    }
    make_room(loop, fd);
    loop->watches[fd] = watch;
    return 0;
}

void loop_change(struct loop *loop, int fd, uint32_t events)
{
    struct watch *watch = find(loop, fd);
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (watch)
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void loop_remove(struct loop *loop, int fd)
{
    struct watch *watch = find(loop, fd);

    if (watch == NULL)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    loop->watches[fd] = NULL;
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
    free_removed(loop);
}
