/* SPDX-License-Identifier: MIT */
#include "ledger/server/server_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SMALL_FRAME = 16 * 1024,  /* never waits for the budget */
    READ_BYTES = 1024 * 1024, /* of one connection in one round */
    COMPLAIN_MS = 1000,
};

static void watch(struct connection *connection, uint32_t events)
{
    if (connection->fd < 0 || connection->events == events)
        return;
    connection->events = events;
    loop_change(connection->server->loop, connection->fd, events);
}

void connection_watch(struct connection *connection)
{
    if (connection->output)
        watch(connection, EPOLLOUT);
    else if (connection->waiting)
        watch(connection, 0);
    else if (connection->request == NULL)
        watch(connection, EPOLLIN);
    /* With a request in work it stays as it is until something comes (see busy). */
}

static void touch(struct connection *connection)
{
    struct server *server = connection->server;

    connection->active_ms = server->now_ms;
    connection->moved_ms = server->now_ms;
    DL_DELETE(server->connections, connection);
    DL_APPEND(server->connections, connection);
}

static void stop_waiting(struct connection *connection)
{
    struct server *server = connection->server;

    if (!connection->waiting)
        return;
    connection->waiting = false;
    DL_DELETE2(server->waiting, connection, prev_waiting, next_waiting);
}

static void start_waiting(struct connection *connection)
{
    struct server *server = connection->server;

    connection->waiting = true;
    DL_APPEND2(server->waiting, connection, prev_waiting, next_waiting);
    connection_watch(connection);
}

/* Its time within the request counts from now on. */
static void let_in(struct connection *connection)
{
    connection->moved_ms = connection->server->now_ms;
    stop_waiting(connection);
    connection_watch(connection);
}

void connection_give_frame(struct server *server, uint8_t *frame, uint32_t len,
                           uint32_t got)
{
    if (frame == NULL)
        return;
    if (server->overdraft == frame)
        server->overdraft = NULL;
    frames_give(&server->frames, frame, len, got, server->now_ms);
    while (server->waiting && !frames_full(&server->frames))
        let_in(server->waiting);
    if (server->waiting && server->overdraft == NULL) {
        server->overdraft = server->waiting->frame;
        let_in(server->waiting);
    }
}

static void clear_output(struct connection *connection)
{
    if (connection->output == NULL)
        return;
    connection->server->answers_bytes -= (int64_t)connection->output->out.bytes.len;
    output_clear(connection->output);
    free(connection->output);
    connection->output = NULL;
}

void connection_close(struct connection *connection)
{
    struct server *server = connection->server;

    if (connection->fd < 0)
        return;
    loop_remove(server->loop, connection->fd);
    (void)close(connection->fd);
    connection->fd = -1;
    server->count--;
    server->resume_ms = 0;
    stop_waiting(connection);
    DL_DELETE(server->connections, connection);
    connection_give_frame(server, connection->frame, connection->frame_len,
                          connection->frame_got);
    connection->frame = NULL;
    clear_output(connection);
    if (connection->request)
        request_orphan(connection->request);
    connection->next = server->closed;
    server->closed = connection;
}

void connection_refuse(struct connection *connection, const char *format, ...)
{
    struct server *server = connection->server;
    char text[256], fields[INET6_ADDRSTRLEN + 64];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (server->now_ms - server->complain_ms < COMPLAIN_MS && server->complain_ms > 0) {
        server->complaints++;
    } else {
        (void)snprintf(fields, sizeof fields, "client=%s unlogged=%lld",
                       connection->host, (long long)server->complaints);
        log_write(LOG_WARN, "ledger", fields, "connection closed: %s", text);
        server->complain_ms = server->now_ms;
        server->complaints = 0;
    }
    connection_close(connection);
}

/* How much of this frame may be read now; 0: the connection waits. */
static uint32_t may_read(struct connection *connection)
{
    struct server *server = connection->server;
    int64_t room = server->frames.budget_bytes - server->frames.held_bytes;

    if (connection->frame_len <= SMALL_FRAME)
        return SMALL_FRAME;
    if (server->overdraft == NULL && room <= 0)
        server->overdraft = connection->frame;
    if (server->overdraft == connection->frame || room > READ_BYTES)
        return READ_BYTES;
    if (room > 0)
        return (uint32_t)room;
    start_waiting(connection);
    return 0;
}

/* Up to len bytes; -1: nothing there or the connection is closed now. */
static ssize_t receive(struct connection *connection, void *to, size_t len)
{
    ssize_t n;

    do
        n = recv(connection->fd, to, len, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        connection->moved_ms = connection->server->now_ms;
    else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
        connection_close(connection);
    return n > 0 ? n : -1;
}

static bool read_head(struct connection *connection)
{
    const uint8_t *head = connection->head;
    int32_t max = connection->server->settings.max_request_bytes;
    uint32_t len;
    ssize_t n = receive(connection, connection->head + connection->head_got,
                        sizeof connection->head - connection->head_got);

    if (n < 0)
        return false;
    connection->head_got = (uint8_t)(connection->head_got + n);
    if (connection->head_got < sizeof connection->head)
        return false;
    connection->head_got = 0;
    len = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 |
          head[3];
    if (len == 0 || len > (uint32_t)max) {
        connection_refuse(
            connection,
            "a request of %u bytes, allowed are 1 to %d; is it a Kafka client?", len,
            max);
        return false;
    }
    connection->frame = frames_take(&connection->server->frames, len);
    connection->frame_len = len;
    connection->frame_got = 0;
    return true;
}

/* True: the frame is whole. */
static bool read_frame(struct connection *connection)
{
    uint32_t left = connection->frame_len - connection->frame_got;
    uint32_t want = may_read(connection);
    ssize_t n;

    if (want == 0)
        return false;
    if (want > left)
        want = left;
    n = receive(connection, connection->frame + connection->frame_got, want);
    if (n < 0)
        return false;
    frames_count(&connection->server->frames, (uint32_t)n);
    connection->frame_got += (uint32_t)n;
    return connection->frame_got == connection->frame_len;
}

static void read_request(struct connection *connection)
{
    if (connection->frame == NULL && !read_head(connection))
        return;
    if (!read_frame(connection))
        return;
    touch(connection);
    request_begin(connection);
}

static void flush(struct connection *connection)
{
    struct output *output = connection->output;
    size_t before = output->bytes_sent;
    enum output_result result;

    result = output_send(output, connection->fd, connection->server->copies);
    if (result == OUTPUT_BROKEN) {
        connection_close(connection);
        return;
    }
    if (output->bytes_sent != before || output->slice_sent > 0)
        connection->moved_ms = connection->server->now_ms;
    if (result != OUTPUT_DONE)
        return;
    clear_output(connection);
    touch(connection);
    connection_go_on(connection);
}

/*
 * Something came while a request is in work. If it is the end, the connection closes; a
 * next request stays in the socket, and we look no more until this one is answered.
 */
static void busy(struct connection *connection)
{
    char byte;
    ssize_t n = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        connection_close(connection);
    else if (n > 0)
        watch(connection, 0);
}

static void on_event(void *arg, uint32_t events)
{
    struct connection *connection = arg;
    struct server *server = connection->server;

    server->now_ms = server->settings.now_ms();
    if (events & (EPOLLERR | EPOLLHUP))
        connection_close(connection);
    else if (connection->output)
        flush(connection);
    else if (connection->request)
        busy(connection);
    else
        read_request(connection);
}

void connection_open(struct server *server, int fd, const char *host)
{
    struct connection *connection = mem_alloc(sizeof *connection);
    struct error err = {0};

    connection->server = server;
    connection->fd = fd;
    connection->events = EPOLLIN;
    connection->active_ms = server->now_ms;
    connection->moved_ms = server->now_ms;
    (void)snprintf(connection->host, sizeof connection->host, "%s", host);
    if (loop_add(server->loop, fd, EPOLLIN, on_event, connection, &err) < 0) {
        log_write(LOG_WARN, "ledger", NULL, "connection refused: %s", err.text);
        (void)close(fd);
        free(connection);
        return;
    }
    server->count++;
    DL_APPEND(server->connections, connection);
}

void connection_go_on(struct connection *connection)
{
    connection_watch(connection);
}

/* The reader that has not moved for the longest time; NULL: only this one is slow. */
static struct connection *find_slowest(const struct connection *but)
{
    struct connection *at, *slowest = NULL;

    DL_FOREACH(but->server->connections, at)
    {
        if (at->output && at != but && (!slowest || at->moved_ms < slowest->moved_ms))
            slowest = at;
    }
    return slowest;
}

/* What could not leave at once waits here, within the budget of all. */
static void keep_output(struct connection *connection, const struct output *output)
{
    struct server *server = connection->server;

    connection->output = mem_alloc(sizeof *output);
    *connection->output = *output;
    connection->moved_ms = server->now_ms;
    server->answers_bytes += (int64_t)output->out.bytes.len;
    connection_watch(connection);
    while (server->answers_bytes > server->settings.answers_bytes) {
        struct connection *slowest = find_slowest(connection);

        if (slowest == NULL)
            return;
        connection_refuse(slowest,
                          "it does not read its answers, others need the memory");
    }
}

void connection_send(struct connection *connection, struct wire_out *out)
{
    struct output output = {.out = *out};
    enum output_result result;

    *out = (struct wire_out){.slices = NULL};
    result = output_send(&output, connection->fd, connection->server->copies);
    if (result == OUTPUT_BLOCKED) {
        keep_output(connection, &output);
        return;
    }
    if (result == OUTPUT_BROKEN) {
        output_clear(&output);
        connection_close(connection);
        return;
    }
    *out = output.out;
    touch(connection);
    connection_go_on(connection);
}
