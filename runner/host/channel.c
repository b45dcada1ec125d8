/* SPDX-License-Identifier: MIT */
#include "host/channel.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    READS_PER_TURN = 4, DRAIN_READS_MAX = 256,
};

struct channel {
    struct loop *loop;
    int fd; /* -1: CHANNEL_CLOSED was reported */
    channel_fn *fn;
    void *arg;
    struct text_buf in;
    size_t scanned; /* bytes of in that hold no newline */
    bool skipping;  /* the rest of a line that is too long */
    struct text_buf out;
    bool waiting;        /* EPOLLOUT is watched */
    const char *failure; /* why no more is sent; reported when the input has ended */
    int depth;           /* calls of fn on the stack */
    bool dying;          /* closed from within fn: freed when the last one returns */
};

static void report(struct channel *channel, enum channel_event event,
                   const json_t *line, const char *text)
{
    channel->depth++;
    channel->fn(channel->arg, event, line, text);
    channel->depth--;
}

static void close_fd(struct channel *channel)
{
    loop_remove(channel->loop, channel->fd);
    (void)close(channel->fd);
    channel->fd = -1;
}

static void end(struct channel *channel, const char *why)
{
    close_fd(channel);
    report(channel, CHANNEL_CLOSED, NULL, channel->failure ? channel->failure : why);
}

static void free_channel(struct channel *channel)
{
    text_buf_clear(&channel->in);
    text_buf_clear(&channel->out);
    free(channel);
}

/* No more output; what the peer has sent until now is still read before the end. */
static void fail(struct channel *channel, const char *why)
{
    channel->failure = why;
    text_buf_clear(&channel->out);
    (void)shutdown(channel->fd, SHUT_RDWR);
}

static void take_line(struct channel *channel, const char *text, size_t len)
{
    struct error err = {0};
    json_t *value;

    if (len == 0)
        return;
    value = json_parse(text, len, &err);
    if (json_is_object(value))
        report(channel, CHANNEL_LINE, value, NULL);
    else
        report(channel, CHANNEL_MALFORMED, NULL,
               value ? "a line that is no JSON object" : err.text);
    json_decref(value);
}

static void drop_long_line(struct channel *channel)
{
    if (channel->in.len <= CHANNEL_LINE_MAX)
        return;
    text_buf_clear(&channel->in);
    channel->scanned = 0;
    if (channel->skipping)
        return;
    channel->skipping = true;
    report(channel, CHANNEL_MALFORMED, NULL, "a line of more than 4 MiB");
}

static void take_lines(struct channel *channel)
{
    size_t start = 0;

    while (!channel->dying) {
        const char *from = channel->in.data + channel->scanned;
        const char *newline = memchr(from, '\n', channel->in.len - channel->scanned);

        if (newline == NULL)
            break;
        channel->scanned = (size_t)(newline - channel->in.data) + 1;
        if (!channel->skipping)
            take_line(channel, channel->in.data + start, channel->scanned - 1 - start);
        channel->skipping = false;
        start = channel->scanned;
    }
    text_drop_front(&channel->in, start);
    channel->scanned = channel->in.len;
    if (!channel->dying)
        drop_long_line(channel);
}

/* Returns false when there is nothing more to read for now. */
static bool read_some(struct channel *channel)
{
    char data[READ_BYTES];
    ssize_t len = recv(channel->fd, data, sizeof data, 0);

    if (len > 0) {
        text_append_bytes(&channel->in, data, (size_t)len);
        take_lines(channel);
        return len == (ssize_t)sizeof data;
    }
    if (len == 0)
        end(channel, "closed by the peer");
    else if (errno != EAGAIN && errno != EINTR)
        end(channel, strerror(errno));
    return false;
}

static void send_some(struct channel *channel)
{
    ssize_t len = 0;

    if (channel->out.len > 0)
        len = send(channel->fd, channel->out.data, channel->out.len,
                   MSG_NOSIGNAL | MSG_DONTWAIT);
    if (len > 0)
        text_drop_front(&channel->out, (size_t)len);
    else if (len < 0 && errno != EAGAIN && errno != EINTR)
        fail(channel, strerror(errno));
    if (channel->out.len > CHANNEL_OUTPUT_MAX)
        fail(channel, "the peer reads too slowly");
    if (channel->waiting != (channel->out.len > 0)) {
        channel->waiting = !channel->waiting;
        loop_change(channel->loop, channel->fd,
                    channel->waiting ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

static void on_ready(void *arg, uint32_t events)
{
    struct channel *channel = arg;

    channel->depth++;
    if ((events & EPOLLOUT) && channel->waiting) {
        send_some(channel);
        if (!channel->waiting && channel->failure == NULL)
            report(channel, CHANNEL_DRAINED, NULL, NULL);
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        for (int i = 0; i < READS_PER_TURN && channel->fd >= 0; i++) {
            if (!read_some(channel))
                break;
        }
    }
    channel->depth--;
    if (channel->dying)
        free_channel(channel);
}

void channel_drain(struct channel *channel)
{
    channel->depth++;
    for (int i = 0; i < DRAIN_READS_MAX && channel->fd >= 0; i++) {
        if (!read_some(channel))
            break;
    }
    channel->depth--;
    if (channel->dying)
        free_channel(channel);
}

struct channel *channel_open(struct loop *loop, int fd, channel_fn *fn, void *arg,
                             struct error *err)
{
    struct channel *channel = mem_alloc(sizeof *channel);
    int flags = fcntl(fd, F_GETFL);

    *channel = (struct channel){.loop = loop, .fd = fd, .fn = fn, .arg = arg};
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        error_set(err, ERROR_INTERNAL, "descriptor %d: %s", fd, strerror(errno));
    } else if (loop_add(loop, fd, EPOLLIN, on_ready, channel, err) == 0) {
        return channel;
    }
    (void)close(fd);
    free(channel);
    return NULL;
}

void channel_close(struct channel *channel)
{
    if (channel == NULL)
        return;
    if (channel->fd >= 0) {
        if (channel->failure == NULL)
            send_some(channel);
        close_fd(channel);
    }
    if (channel->depth > 0)
        channel->dying = true;
    else
        free_channel(channel);
}

bool channel_is_open(const struct channel *channel)
{
    return channel->fd >= 0;
}

size_t channel_unsent(const struct channel *channel)
{
    return channel->out.len;
}

void channel_send_text(struct channel *channel, const char *line, size_t len)
{
    if (channel->fd < 0 || channel->failure)
        return;
    text_append_bytes(&channel->out, line, len);
    text_append_bytes(&channel->out, "\n", 1);
    if (!channel->waiting || channel->out.len > CHANNEL_OUTPUT_MAX)
        send_some(channel);
}

void channel_send(struct channel *channel, const json_t *object)
{
    char *line = json_line(object);

    channel_send_text(channel, line, strlen(line));
    free(line);
}

int channel_pair(int *ours, int *theirs, struct error *err)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        error_set(err, ERROR_INTERNAL, "socketpair: %s", strerror(errno));
        return -1;
    }
    *ours = fds[0];
    *theirs = fds[1];
    return 0;
}
