/* SPDX-License-Identifier: MIT */
#include "ledger/server/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/server/server_private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    ACCEPTS = 64, /* in one round */
    PAUSE_MS = 100,
    UPKEEP_MS = 1000,
};

void server_settings_default(struct server_settings *settings)
{
    *settings = (struct server_settings){
        .host = "127.0.0.1",
        .max_connections = INT32_MAX,
        .idle_ms = 10 * 60 * 1000,
        .stall_ms = 5000,
        .frames_bytes = 32 * 1024 * 1024,
        .answers_bytes = 32 * 1024 * 1024,
        .max_request_bytes = 100 * 1024 * 1024,
        .now_ms = clock_mono_ms,
        .wall_ms = clock_wall_ms,
    };
}

static void pause_accepting(struct server *server)
{
    server->paused = true;
    server->resume_ms = server->now_ms + PAUSE_MS;
    loop_change(server->loop, server->listener, 0);
}

static void resume_accepting(struct server *server)
{
    if (!server->paused || server->count >= server->settings.max_connections ||
        server->now_ms < server->resume_ms)
        return;
    server->paused = false;
    loop_change(server->loop, server->listener, EPOLLIN);
}

/* An IPv4 client of an IPv6 listener is shown as what it is. */
static void unmap_host(char *host)
{
    static const char prefix[] = "::ffff:";
    size_t len = sizeof prefix - 1;

    if (strncmp(host, prefix, len) == 0)
        memmove(host, host + len, strlen(host + len) + 1);
}

static void accept_one(struct server *server, int fd, const struct sockaddr *address,
                       socklen_t len)
{
    const int on = 1;
    char host[INET6_ADDRSTRLEN];

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (getnameinfo(address, len, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
        (void)snprintf(host, sizeof host, "unknown");
    unmap_host(host);
    connection_open(server, fd, host);
}

static void on_accept(void *arg, uint32_t events)
{
    struct server *server = arg;

    (void)events;
    server->now_ms = server->settings.now_ms();
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd;

        if (server->count >= server->settings.max_connections) {
            pause_accepting(server);
            return;
        }
        fd = accept4(server->listener, (struct sockaddr *)&address, &len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                errno == ENOBUFS)
                pause_accepting(server);
            return;
        }
        accept_one(server, fd, (const struct sockaddr *)&address, len);
    }
}

void server_take(struct server *server, int fd)
{
    connection_open(server, fd, "local");
}

static int listen_on(const struct addrinfo *address)
{
    const int on = 1, off = 0;
    int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
               address->ai_protocol);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 ||
        listen(fd, BACKLOG) < 0) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* All addresses: the IPv6 one takes IPv4 as well, but not every machine has IPv6. */
static int open_listener(const char *host, int port, struct error *err)
{
    static const int families[] = {AF_INET6, AF_INET};
    bool any = host[0] == '\0';
    char service[16];
    int fd = -1;

    (void)snprintf(service, sizeof service, "%d", port);
    for (int i = 0; i < (any ? 2 : 1) && fd < 0; i++) {
        struct addrinfo hints = {.ai_family = any ? families[i] : AF_UNSPEC,
                                 .ai_socktype = SOCK_STREAM,
                                 .ai_flags = AI_PASSIVE};
        struct addrinfo *list = NULL;
        int code = getaddrinfo(any ? NULL : host, service, &hints, &list);

        if (code != 0) {
            error_set(err, ERROR_INPUT, "cannot listen on %s: %s", host,
                      gai_strerror(code));
            return -1;
        }
        for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
            fd = listen_on(at);
        freeaddrinfo(list);
    }
    if (fd < 0)
        error_set(err, errno == EADDRINUSE ? ERROR_CONFLICT : ERROR_INTERNAL,
                  "cannot listen on %s:%d: %s", any ? "*" : host, port,
                  strerror(errno));
    return fd;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return -1;
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

struct server *server_open(struct loop *loop, const struct server_settings *settings,
                           server_fn *fn, void *arg, struct error *err)
{
    int listener = open_listener(settings->host, settings->port, err);
    struct server *server;

    if (listener < 0)
        return NULL;
    (void)signal(SIGPIPE, SIG_IGN); /* sendfile has no MSG_NOSIGNAL */
    server = mem_alloc(sizeof *server);
    server->loop = loop;
    server->settings = *settings;
    server->settings.host = NULL;
    server->fn = fn;
    server->arg = arg;
    server->listener = listener;
    server->port = port_of(listener);
    server->now_ms = settings->now_ms();
    frames_init(&server->frames, settings->frames_bytes);
    if (loop_add(loop, listener, EPOLLIN, on_accept, server, err) < 0) {
        (void)close(listener);
        free(server);
        return NULL;
    }
    return server;
}

static void free_closed(struct server *server)
{
    while (server->closed) {
        struct connection *next = server->closed->next;

        free(server->closed);
        server->closed = next;
    }
}

/* Does any connection still have something to send? Wait for the sockets at most so
 * long. */
static bool wait_for_output(struct server *server, int64_t deadline_ms)
{
    int64_t left = deadline_ms - server->settings.now_ms();
    struct connection *connection;
    bool any = false;

    DL_FOREACH(server->connections, connection)
    any = any || connection->output;
    if (!any || left <= 0)
        return false;
    loop_wait(server->loop, deadline_ms);
    return true;
}

static void stop_reading(struct server *server)
{
    struct connection *connection, *next;

    DL_FOREACH_SAFE(server->connections, connection, next)
    {
        if (connection->output == NULL)
            connection_close(connection);
    }
}

void server_close(struct server *server, int64_t linger_ms)
{
    int64_t deadline_ms;

    if (server == NULL)
        return;
    deadline_ms = server->settings.now_ms() + linger_ms;
    loop_remove(server->loop, server->listener);
    (void)close(server->listener);
    do
        stop_reading(server);
    while (wait_for_output(server, deadline_ms));
    while (server->connections)
        connection_close(server->connections);
    request_free_all(server);
    free_closed(server);
    frames_clear(&server->frames);
    text_buf_clear(&server->scratch);
    free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}

int server_connections(const struct server *server)
{
    return server->count;
}

int64_t server_frames_bytes(const struct server *server)
{
    return server->frames.held_bytes;
}

static void close_idle(struct server *server)
{
    for (;;) {
        struct connection *oldest = server->connections;

        if (oldest == NULL ||
            server->now_ms - oldest->active_ms < server->settings.idle_ms)
            return;
        if (oldest->request ||
            server->now_ms - oldest->moved_ms < server->settings.idle_ms) {
            oldest->active_ms = server->now_ms; /* at work, only slowly */
            DL_DELETE(server->connections, oldest);
            DL_APPEND(server->connections, oldest);
        } else {
            connection_close(oldest);
        }
    }
}

/* Others wait for the memory that these hold without going on. */
static void close_stalled(struct server *server)
{
    struct connection *connection, *next;

    DL_FOREACH_SAFE(server->connections, connection, next)
    {
        if (connection->frame && !connection->waiting &&
            server->now_ms - connection->moved_ms >= server->settings.stall_ms)
            connection_refuse(connection, "it stalled within a request of %u bytes",
                              connection->frame_len);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t server_tick(struct server *server, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;

    server->now_ms = now_ms;
    close_idle(server);
    if (server->waiting)
        close_stalled(server);
    if (server->frames.kept_bytes > 0)
        frames_trim(&server->frames, now_ms);
    free_closed(server);
    resume_accepting(server);
    if (server->connections)
        next_ms = server->connections->active_ms + server->settings.idle_ms;
    if (server->waiting || server->frames.kept_bytes > 0)
        next_ms = earlier(next_ms, now_ms + UPKEEP_MS);
    if (server->paused && server->count < server->settings.max_connections)
        next_ms = earlier(next_ms, server->resume_ms);
    return next_ms;
}
