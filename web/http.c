/* SPDX-License-Identifier: MIT */
#include "web/http_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE_SECONDS =
        15, /* libmicrohttpd's own limit: nothing sent or taken for so long */
    LOOK_EVERY_MS = 1000,
};

/* ---------------------------------------------------------------------- connections */

static void unlink_conn(struct http_conn *conn)
{
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    free(conn);
}

static struct http_conn *conn_new(struct http *http, struct MHD_Connection *connection)
{
    struct http_conn *conn = mem_alloc(sizeof *conn);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;

    conn->fd = info ? info->connect_fd : -1;
    conn->deadline_ms = clock_mono_ms() + HTTP_REQUEST_MS;
    if (getpeername(conn->fd, (struct sockaddr *)&address, &len) != 0 ||
        getnameinfo((struct sockaddr *)&address, len, conn->peer, sizeof conn->peer,
                    NULL, 0, NI_NUMERICHOST) != 0)
        (void)snprintf(conn->peer, sizeof conn->peer, "?");
    conn->next = http->conns;
    conn->link = &http->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    http->conns = conn;
    return conn;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = conn_new(arg, connection);
    } else if (*context) {
        unlink_conn(*context);
        *context = NULL;
    }
}

/* libmicrohttpd's limit is about silence; one that drips a byte now and then is ours.
 */
static void hang_up_on_slow_ones(struct http *http, int64_t now_ms)
{
    for (struct http_conn *conn = http->conns; conn; conn = conn->next) {
        if (conn->deadline_ms <= now_ms)
            (void)shutdown(conn->fd, SHUT_RDWR);
    }
}

/* ------------------------------------------------------------------------- requests */

static void *on_target(void *arg, const char *target, struct MHD_Connection *connection)
{
    struct http_request *request = mem_alloc(sizeof *request);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    request->http = arg;
    request->connection = connection;
    request->conn = info->socket_context;
    request->target = mem_strdup(target);
    return request;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct http_request *request = *context;

    (void)arg;
    (void)connection;
    (void)code;
    if (request == NULL)
        return;
    *context = NULL;
    http_unlink(request);
    request->http->held_bytes -= request->held_bytes;
    request->conn->deadline_ms = clock_mono_ms() + HTTP_REQUEST_MS;
    if (request->end)
        request->end(request->stream_arg);
    if (request->response)
        MHD_destroy_response(request->response);
    text_buf_clear(&request->body);
    text_buf_clear(&request->headers);
    free(request->target);
    free(request);
}

static enum MHD_Result refuse(struct http_request *request, int status, char *text)
{
    http_answer(request, status, "application/json", text, strlen(text));
    return http_queue(request);
}

static enum MHD_Result refuse_size(struct http_request *request)
{
    return refuse(request, 413,
                  mem_printf("{\"error\":\"the body is larger than %d bytes\"}\n",
                             HTTP_BODY_MAX));
}

/*
 * Where the body ends can be read in one way only: a proxy in front that reads it in
 * another would let a second request through inside of it (RFC 9112, 6.3 and 11.2).
 */
static bool is_clear_about_its_end(const struct http_request *request)
{
    const char *coding = http_header(request, "Transfer-Encoding");
    int lengths = http_header_count(request, "Content-Length");

    if (coding == NULL)
        return lengths <= 1;
    return lengths == 0 && http_header_count(request, "Transfer-Encoding") == 1 &&
           strcasecmp(coding, "chunked") == 0;
}

/* What its headers say is refused before any of its body is taken. */
static enum MHD_Result begin(struct http_request *request, const char *method)
{
    const char *length = http_header(request, "Content-Length");
    int64_t bytes = 0;

    request->begun = true;
    request->method = method;
    if (!is_clear_about_its_end(request))
        return refuse(request, 400,
                      mem_strdup("{\"error\":\"one Content-Length, or "
                                 "Transfer-Encoding: chunked\"}\n"));
    if (length && (!text_parse_int(length, &bytes) || bytes > HTTP_BODY_MAX))
        return refuse_size(request);
    return MHD_YES;
}

static void take(struct http_request *request, const char *data, size_t len)
{
    if (request->body.len + len > HTTP_BODY_MAX)
        request->too_large = true;
    else
        text_append_bytes(&request->body, data, len);
}

static enum MHD_Result hand_over(struct http_request *request)
{
    struct http *http = request->http;

    request->whole = true;
    request->conn->deadline_ms = INT64_MAX; /* now it is us who take time */
    if (request->too_large)
        return refuse_size(request);
    http->fn(http->arg, request);
    if (request->response)
        return http_queue(request);
    request->suspended = true;
    http_link(request, &http->waiting);
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *data, size_t *len,
                                  void **context)
{
    struct http_request *request = *context;

    (void)arg;
    (void)connection;
    (void)url;
    (void)version;
    if (request == NULL)
        return MHD_NO;
    if (!request->begun)
        return begin(request, method);
    if (*len > 0) {
        take(request, data, *len);
        *len = 0;
        return MHD_YES;
    }
    if (request->response)
        return http_queue(request);
    return request->whole ? MHD_NO : hand_over(request);
}

const char *http_method(const struct http_request *request)
{
    return request->method;
}

const char *http_target(const struct http_request *request)
{
    return request->target;
}

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct header_count {
    const char *name;
    int count;
};

static enum MHD_Result count_header(void *arg, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct header_count *count = arg;

    (void)kind;
    (void)value;
    count->count += strcasecmp(key, count->name) == 0;
    return MHD_YES;
}

int http_header_count(const struct http_request *request, const char *name)
{
    struct header_count count = {.name = name};

    (void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_header,
                                    &count);
    return count.count;
}

const char *http_body(const struct http_request *request, size_t *len)
{
    *len = request->body.len;
    return text_str(&request->body);
}

const char *http_peer(const struct http_request *request)
{
    return request->conn->peer;
}

void http_on_gone(struct http_request *request, http_gone_fn *fn, void *arg)
{
    request->gone = fn;
    request->gone_arg = arg;
}

/* --------------------------------------------------------------------------- server */

/* Decoding is ours, once: libmicrohttpd hands everything on as it came. */
static size_t leave_encoded(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *arg, const char *format,
                                                         va_list ap)
{
    char text[512];

    (void)arg;
    (void)vsnprintf(text, sizeof text, format, ap);
    text[strcspn(text, "\n")] = '\0';
    log_write(LOG_DEBUG, "web", NULL, "%s", text);
}

static struct MHD_Daemon *start_daemon(struct http *http, int listen_fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned int)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_HEADER_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
}

static void on_ready(void *arg, uint32_t events)
{
    (void)arg;
    (void)events; /* http_tick runs it */
}

struct http *http_open(struct loop *loop, const struct http_config *config,
                       struct error *err)
{
    struct http *http = mem_alloc(sizeof *http);
    int port = config->port;
    int fd = web_listen(config->host, config->port_count, &port, err);

    *http = (struct http){.loop = loop,
                          .fn = config->fn,
                          .arg = config->arg,
                          .epoll_fd = -1,
                          .port = port};
    if (fd >= 0)
        http->daemon = start_daemon(http, fd);
    if (http->daemon) {
        http->epoll_fd =
            MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        if (loop_add(loop, http->epoll_fd, EPOLLIN, on_ready, http, err) == 0)
            return http;
        http->epoll_fd = -1;
    } else if (fd >= 0) {
        error_set(err, ERROR_INTERNAL, "the HTTP server could not be started: %s",
                  strerror(errno));
        (void)close(fd);
    }
    http_close(http);
    return NULL;
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    http_answer_all(http);
    if (http->epoll_fd >= 0)
        loop_remove(http->loop, http->epoll_fd);
    if (http->daemon) {
        (void)MHD_run(http->daemon);
        MHD_stop_daemon(http->daemon);
    }
    free(http);
}

int http_port(const struct http *http)
{
    return http->port;
}

int64_t http_tick(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG left = 0;
    int64_t now_ms = clock_mono_ms();

    if (now_ms >= http->look_ms) {
        hang_up_on_slow_ones(http, now_ms);
        http_look_at_streams(http);
        http_look_at_waiting(http);
        http->look_ms = now_ms + LOOK_EVERY_MS;
    }
    (void)MHD_run(http->daemon);
    if (MHD_get_timeout(http->daemon, &left) == MHD_YES &&
        now_ms + (int64_t)left < http->look_ms)
        return now_ms + (int64_t)left;
    return http->conns ? http->look_ms : INT64_MAX;
}
