/* SPDX-License-Identifier: MIT */
#include "sdk/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 16 << 10, GUARD_EXIT = 1 };

/* Watch for the end of the socket only: reading it is the main thread's. */
static void *guard_main(void *arg)
{
    const struct link *link = arg;
    struct pollfd fds[2] = {{.fd = link->fd, .events = POLLRDHUP},
                            {.fd = link->guard_stop[0], .events = POLLIN}};

    do {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
    } while (!(fds[0].revents & (POLLRDHUP | POLLHUP | POLLERR)));
    fds[0].fd = -1;
    if (poll(fds, 2, LINK_GUARD_MS) == 0)
        _exit(GUARD_EXIT);
    return NULL;
}

static int start_guard(struct link *link, struct error *err)
{
    sigset_t all, before;
    int result;

    if (pipe2(link->guard_stop, O_CLOEXEC) < 0) {
        error_set(err, ERROR_INTERNAL, "pipe: %s", strerror(errno));
        return -1;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&link->guard, NULL, guard_main, link);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        error_set(err, ERROR_INTERNAL, "pthread_create: %s", strerror(result));
        (void)close(link->guard_stop[0]);
        (void)close(link->guard_stop[1]);
        return -1;
    }
    return 0;
}

int link_open(struct link *link, int fd, struct error *err)
{
    int flags = fcntl(fd, F_GETFL);

    *link = (struct link){.fd = fd};
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        error_set(err, ERROR_INPUT, "the runner's descriptor %d: %s", fd,
                  strerror(errno));
        return -1;
    }
    return start_guard(link, err);
}

void link_close(struct link *link)
{
    (void)close(link->guard_stop[1]);
    (void)pthread_join(link->guard, NULL);
    (void)close(link->guard_stop[0]);
    (void)close(link->fd);
    text_buf_clear(&link->in);
    text_buf_clear(&link->out);
}

/* Append what the socket holds; false when nothing came. */
static bool fill(struct link *link)
{
    char chunk[CHUNK];
    ssize_t got = recv(link->fd, chunk, sizeof chunk, 0);

    if (got > 0)
        text_append_bytes(&link->in, chunk, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        link->closed = true;
    return got > 0;
}

const char *link_next_line(struct link *link, size_t *len)
{
    text_drop_front(&link->in, link->in_used);
    link->in_used = 0;
    for (;;) {
        char *end = link->in.len ? memchr(link->in.data, '\n', link->in.len) : NULL;

        if (end) {
            *end = '\0';
            *len = (size_t)(end - link->in.data);
            link->in_used = *len + 1;
            return link->in.data;
        }
        if (link->closed || !fill(link))
            return NULL;
    }
}

const char *link_read_line(struct link *link, size_t *len)
{
    const char *line;

    while ((line = link_next_line(link, len)) == NULL && !link->closed) {
        struct pollfd fd = {.fd = link->fd, .events = POLLIN};

        (void)poll(&fd, 1, -1);
    }
    return line;
}

void link_flush(struct link *link)
{
    while (link->out.len > 0 && !link->closed) {
        ssize_t put = send(link->fd, link->out.data, link->out.len, MSG_NOSIGNAL);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            link->closed = errno != EAGAIN;
            return;
        }
        text_drop_front(&link->out, (size_t)put);
    }
}

void link_send(struct link *link, const char *line)
{
    if (link->closed || link->out.len > LINK_BACKLOG)
        return;
    text_append(&link->out, line);
    text_append(&link->out, "\n");
    link_flush(link);
}

bool link_wants_write(const struct link *link)
{
    return link->out.len > 0 && !link->closed;
}
