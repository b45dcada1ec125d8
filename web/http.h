/* SPDX-License-Identifier: MIT
 *
 * http.h - an HTTP/1.1 server on our loop: whole requests in, one answer each, which
 * may be a stream without an end. Layer: web. The only owner of libmicrohttpd. It knows
 * no route and no right; it keeps the limits (connections, time, sizes) and puts the
 * security headers on every answer. One thread.
 */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include "base/error.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_CONNECTIONS_MAX = 1200,
    HTTP_HEADER_MAX = 32 * 1024, /* request line and headers of one request */
    HTTP_BODY_MAX = 64 * 1024,
    HTTP_REQUEST_MS =
        20000, /* from connecting, or the last answer, to a whole request */
    HTTP_ANSWER_MS = 60000, /* to take an answer */
    HTTP_HELD_MAX = 256 << 20, /* answers, in all, that clients have not taken yet */
    HTTP_SMALL = 256 * 1024,   /* one of this size is given beyond that, too */
};

struct http;
struct http_request;

/*
 * A whole request has come. Answer it now, or keep the pointer and answer later: it
 * stays valid until http_answer, and every request must get exactly one.
 */
typedef void http_fn(void *arg, struct http_request *request);

struct http_config {
    const char *host; /* a numeric address, or a name that is resolved */
    int port;
    int port_count; /* how many ports are tried, from port on; 1: only this one */
    http_fn *fn;
    void *arg;
};

/* Listens at once. ERROR_CONFLICT: no such port is free; ERROR_INPUT: no such address.
 */
struct http *http_open(struct loop *loop, const struct http_config *config,
                       struct error *err);
/* Requests that still wait are answered with 503, streams end; NULL is fine. */
void http_close(struct http *http);

int http_port(const struct http *http);

/* Call it after every loop_wait; returns the deadline of the next one. */
int64_t http_tick(struct http *http);

/* ------------------------------------------------------------------------ a request */

const char *http_method(const struct http_request *request);
/* As it was sent: path and query, nothing decoded. */
const char *http_target(const struct http_request *request);
/* The first header of this name, or NULL. */
const char *http_header(const struct http_request *request, const char *name);
/* How many headers of this name there are. */
int http_header_count(const struct http_request *request, const char *name);
const char *http_body(const struct http_request *request, size_t *len);
/* Who asks: the peer's address as text. */
const char *http_peer(const struct http_request *request);

/*
 * Be told when who asks goes away before the answer, within a second or two, or when the
 * server ends. It still must be answered: fn may do it. NULL: no more.
 */
typedef void http_gone_fn(void *arg, struct http_request *request);
void http_on_gone(struct http_request *request, http_gone_fn *fn, void *arg);

/*
 * Be told the answer when it is made, exactly once for every request that is answered
 * and is no stream.
 */
typedef void http_answered_fn(void *arg, struct http_request *request, int status,
                              const char *body, size_t len);
void http_on_answered(struct http_request *request, http_answered_fn *fn, void *arg);
/* Its arg; NULL: nobody is told. */
void *http_answered_arg(const struct http_request *request);

/* A header of the answer, before http_answer. */
void http_add_header(struct http_request *request, const char *name, const char *value);

/*
 * Answer. body is taken (allocated by mem_alloc and its kin). Unless a Cache-Control
 * was added, the answer is not to be stored. The request is gone after it.
 * When too many bytes wait for clients (HTTP_HELD_MAX), it gets 503 instead.
 */
void http_answer(struct http_request *request, int status, const char *type, char *body,
                 size_t len);

/* ------------------------------------------------------------------------- a stream */

/* Put up to room bytes of what comes next. 0: there is nothing until http_stream_wake.
 */
typedef size_t http_pull_fn(void *arg, char *bytes, size_t room);
/* The client hung up, or the server ends. The request is gone after it. */
typedef void http_end_fn(void *arg);

/*
 * Answer with 200 and what pull gives whenever the client can take more. The request
 * stays valid until end, which comes exactly once. HTTP_ANSWER_MS does not hold for it;
 * a client that takes nothing at all is hung up on as in any answer, and one that hung
 * up is noticed within a second.
 */
void http_answer_stream(struct http_request *request, const char *type,
                        http_pull_fn *pull, http_end_fn *end, void *arg);
/* The same for something whose length is known: it ends there by itself. A pull that
 * gives nothing before that breaks it off. HTTP_ANSWER_MS holds for each piece. */
void http_answer_pulled(struct http_request *request, const char *type, int64_t len,
                        http_pull_fn *pull, http_end_fn *end, void *arg);
/* There is more; one that is not asleep asks by itself. */
void http_stream_wake(struct http_request *request);
/* Hang up; end comes later. */
void http_stream_cut(struct http_request *request);

#endif
