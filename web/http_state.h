/* SPDX-License-Identifier: MIT
 *
 * http_state.h - what a server and its requests consist of, for http.c (connections and
 * requests) and http_answer.c (answers and streams) alone. Layer: web.
 */
#ifndef WEB_HTTP_STATE_H
#define WEB_HTTP_STATE_H

#include "base/text.h"
#include "web/http.h"

#include <microhttpd.h>

enum { HTTP_PEER_TEXT = 64 };

struct http_conn {
    int fd;
    int64_t deadline_ms; /* then it is hung up on */
    char peer[HTTP_PEER_TEXT];
    struct http_conn *next;
    struct http_conn **link; /* what points to this one */
};

struct http_request {
    struct http *http;
    struct MHD_Connection *connection;
    struct http_conn *conn;
    char *target;
    const char *method;
    bool begun; /* its headers have been seen */
    bool whole; /* handed to the caller */
    bool too_large;
    bool suspended; /* no answer yet, or a stream with nothing to send */
    http_gone_fn *gone; /* told when the client hangs up before the answer */
    void *gone_arg;
    http_answered_fn *answered; /* told the answer */
    void *answered_arg;
    struct text_buf body;
    struct MHD_Response *response; /* made, not queued yet */
    int status;
    size_t held_bytes;       /* of a whole answer, until it was taken */
    struct text_buf headers; /* of the answer: name NUL value NUL … */
    http_pull_fn *pull;      /* of a stream; NULL: a plain answer */
    http_end_fn *end;
    void *stream_arg;
    bool has_length;           /* of the stream */
    bool over;                 /* the stream is to end */
    struct http_request *next; /* of those that wait, or of the streams */
    struct http_request **link;
};

struct http {
    struct loop *loop;
    http_fn *fn;
    void *arg;
    struct MHD_Daemon *daemon;
    int epoll_fd;
    int port;
    int64_t look_ms;
    size_t held_bytes; /* of all answers that are being taken */
    struct http_conn *conns;
    struct http_request *waiting; /* for their answer */
    struct http_request *streams;
};

/* Put it into a list of requests, and out of the one that it is in. */
void http_link(struct http_request *request, struct http_request **list);
void http_unlink(struct http_request *request);

/* Give libmicrohttpd the answer that was made. */
enum MHD_Result http_queue(struct http_request *request);

/* Whoever waits for an answer to somebody who has hung up is told. */
void http_look_at_waiting(struct http *http);
/* Streams whose client has hung up end. */
void http_look_at_streams(struct http *http);

/* Requests that wait are answered with 503, streams end. */
void http_answer_all(struct http *http);

#endif
