/* SPDX-License-Identifier: MIT
 *
 * Answers: whole ones, and streams that are pulled as the client takes them.
 */
#include "web/http_state.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    STREAM_BLOCK = 1024, /* for HTTP/1.0 only: chunks have a buffer of their own */
    PULL_BLOCK = 64 * 1024,
};

static const struct {
    const char *name;
    const char *value;
} security_headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action "
     "'self'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

void http_unlink(struct http_request *request)
{
    if (request->link == NULL)
        return;
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    request->link = NULL;
}

void http_link(struct http_request *request, struct http_request **list)
{
    http_unlink(request);
    request->next = *list;
    request->link = list;
    if (request->next)
        request->next->link = &request->next;
    *list = request;
}

/* -------------------------------------------------------------------------- answers */

static void put_headers(const struct http_request *request,
                        struct MHD_Response *response)
{
    bool cached = false;
    size_t at = 0;

    for (size_t i = 0; i < sizeof security_headers / sizeof *security_headers; i++)
        (void)MHD_add_response_header(response, security_headers[i].name,
                                      security_headers[i].value);
    while (at < request->headers.len) {
        const char *name = request->headers.data + at;
        const char *value = name + strlen(name) + 1;

        (void)MHD_add_response_header(response, name, value);
        cached = cached || strcmp(name, "Cache-Control") == 0;
        at += strlen(name) + strlen(value) + 2;
    }
    if (!cached)
        (void)MHD_add_response_header(response, "Cache-Control", "no-store");
}

static bool is_endless(const struct http_request *request)
{
    return request->pull && !request->has_length;
}

enum MHD_Result http_queue(struct http_request *request)
{
    enum MHD_Result result = MHD_queue_response(
        request->connection, (unsigned int)request->status, request->response);

    MHD_destroy_response(request->response);
    request->response = NULL;
    request->conn->deadline_ms =
        is_endless(request) ? INT64_MAX : clock_mono_ms() + HTTP_ANSWER_MS;
    return result;
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    text_append_bytes(&request->headers, name, strlen(name) + 1);
    text_append_bytes(&request->headers, value, strlen(value) + 1);
}

static void resume(struct http_request *request)
{
    if (!request->suspended)
        return;
    request->suspended = false;
    MHD_resume_connection(request->connection);
}

static void answer(struct http_request *request, int status, const char *type,
                   struct MHD_Response *response)
{
    if (response == NULL)
        abort(); /* out of memory */
    request->response = response;
    request->status = status;
    if (type)
        (void)MHD_add_response_header(response, "Content-Type", type);
    put_headers(request, response);
    request->gone = NULL; /* what it would tell is over */
    http_unlink(request);
    resume(request);
}

void http_on_answered(struct http_request *request, http_answered_fn *fn, void *arg)
{
    request->answered = fn;
    request->answered_arg = arg;
}

void *http_answered_arg(const struct http_request *request)
{
    return request->answered ? request->answered_arg : NULL;
}

/* Clients that read slowly, or not at all, can't make the server hold any number of
 * large answers. Small ones say what was done: they are always given. */
static bool is_too_much(const struct http_request *request, size_t len)
{
    return len > HTTP_SMALL && len + request->http->held_bytes > HTTP_HELD_MAX;
}

void http_answer(struct http_request *request, int status, const char *type, char *body,
                 size_t len)
{
    http_answered_fn *answered = request->answered;

    if (is_too_much(request, len)) {
        free(body);
        text_buf_clear(&request->headers); /* they were about that body */
        body = mem_strdup("{\"error\":\"clients have not taken the large answers "
                          "before this one yet; try again\","
                          "\"kind\":\"unreachable\"}\n");
        len = strlen(body);
        status = 503;
        type = "application/json";
    }
    request->held_bytes = len;
    request->http->held_bytes += len;
    request->answered = NULL;
    if (answered)
        answered(request->answered_arg, request, status, body, len);
    answer(request, status, type,
           MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE));
}

/* -------------------------------------------------------------------------- streams */

static ssize_t on_pull(void *arg, uint64_t at, char *bytes, size_t room)
{
    struct http_request *request = arg;
    size_t len;

    (void)at;
    if (request->over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    len = request->pull(request->stream_arg, bytes, room);
    if (len == 0 && request->has_length)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (request->has_length) /* the piece before was taken */
        request->conn->deadline_ms = clock_mono_ms() + HTTP_ANSWER_MS;
    if (len == 0) {
        request->suspended = true;
        MHD_suspend_connection(request->connection);
    }
    return (ssize_t)len;
}

void http_answer_stream(struct http_request *request, const char *type,
                        http_pull_fn *pull, http_end_fn *end, void *arg)
{
    request->pull = pull;
    request->end = end;
    request->stream_arg = arg;
    answer(request, 200, type,
           MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_pull,
                                             request, NULL));
    http_link(request, &request->http->streams);
}

void http_answer_pulled(struct http_request *request, const char *type, int64_t len,
                        http_pull_fn *pull, http_end_fn *end, void *arg)
{
    request->pull = pull;
    request->end = end;
    request->stream_arg = arg;
    request->has_length = true;
    answer(request, 200, type,
           MHD_create_response_from_callback((uint64_t)len, PULL_BLOCK, on_pull,
                                             request, NULL));
    http_link(request, &request->http->streams);
}

void http_stream_wake(struct http_request *request)
{
    resume(request);
}

void http_stream_cut(struct http_request *request)
{
    request->over = true;
    (void)shutdown(request->conn->fd, SHUT_RDWR);
    resume(request);
}

static bool has_hung_up(int fd)
{
    char byte;
    ssize_t len = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR);
}

/* libmicrohttpd does not look at connections that are suspended. */
void http_look_at_waiting(struct http *http)
{
    for (struct http_request *request = http->waiting, *next; request; request = next) {
        http_gone_fn *gone = request->gone;

        next = request->next;
        request->gone = gone && has_hung_up(request->conn->fd) ? NULL : gone;
        if (gone && request->gone == NULL)
            gone(request->gone_arg, request);
    }
}

void http_look_at_streams(struct http *http)
{
    for (struct http_request *stream = http->streams; stream; stream = stream->next) {
        if (stream->suspended && has_hung_up(stream->conn->fd))
            http_stream_cut(stream);
    }
}

void http_answer_all(struct http *http)
{
    while (http->waiting) {
        struct http_request *request = http->waiting;
        http_gone_fn *gone = request->gone;
        char *text;

        request->gone = NULL;
        if (gone)
            gone(request->gone_arg, request);
        if (http->waiting != request)
            continue; /* it was answered */
        text = mem_strdup("{\"error\":\"the server is being stopped\"}\n");
        http_answer(request, 503, "application/json", text, strlen(text));
    }
    for (struct http_request *stream = http->streams; stream; stream = stream->next) {
        stream->over = true;
        resume(stream);
    }
}
