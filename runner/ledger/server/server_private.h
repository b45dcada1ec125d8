/* SPDX-License-Identifier: MIT
 *
 * server_private.h - what server.c, connection.c and request.c share.
 * Layer: ledger/server, private.
 */
#ifndef LEDGER_SERVER_SERVER_PRIVATE_H
#define LEDGER_SERVER_SERVER_PRIVATE_H

#include "ledger/server/frames.h"
#include "ledger/server/output.h"
#include "ledger/server/server.h"

#include <netinet/in.h>
#include <utlist.h>

/*
 * Reading: no request in work, nothing to send. Its frame is NULL while the length is
 * read. A connection is freed in server_tick only, so that whoever closed it from
 * within one of its own calls can return through them.
 */
struct connection {
    struct server *server;
    struct connection *prev, *next;                 /* by last activity, oldest first */
    struct connection *prev_waiting, *next_waiting; /* for room in the budget */
    struct request *request;                        /* in work */
    struct output *output;                          /* NULL: nothing left to send */
    uint8_t *frame;
    int64_t active_ms; /* a request came or an answer left */
    int64_t moved_ms;  /* a byte moved */
    uint32_t frame_len, frame_got;
    uint32_t events; /* watched */
    int fd;          /* -1: closed, to be freed */
    uint8_t head[4];
    uint8_t head_got;
    bool waiting;
    char host[INET6_ADDRSTRLEN];
};

struct server {
    struct loop *loop;
    struct server_settings settings; /* host is not kept */
    server_fn *fn;
    void *arg;
    int listener; /* -1: closed */
    int port;
    int count;
    bool paused;       /* not accepting: too many connections or descriptors */
    int64_t resume_ms; /* not before this */
    struct connection *connections;
    struct connection *waiting; /* in the order in which they came */
    const uint8_t *overdraft;   /* the frame that may grow with the budget used up */
    struct connection *closed;  /* to be freed */
    struct request *requests;   /* in work, of all connections, also of gone ones */
    struct frames frames;
    int64_t answers_bytes;         /* of all outputs */
    struct text_buf scratch;       /* room for the next answer */
    int64_t now_ms;                /* of the last event */
    int64_t complain_ms;           /* when a closed connection was logged last */
    int64_t complaints;            /* that were not logged since then */
    uint8_t copies[OUTPUT_COPIES]; /* for output_send */
};

/* connection.c */
void connection_open(struct server *server, int fd, const char *host);
void connection_close(struct connection *connection);
/* Close it because of what its client did: one log line, at most one a second. */
void connection_refuse(struct connection *connection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Send out (moved from) and read the next request when it has left. */
void connection_send(struct connection *connection, struct wire_out *out);
/* The request in work is over without an answer. */
void connection_go_on(struct connection *connection);
/* Watch for what the state needs. */
void connection_watch(struct connection *connection);
/* Give a frame back; whoever waits for room reads on. */
void connection_give_frame(struct server *server, uint8_t *frame, uint32_t len,
                           uint32_t got);

/* request.c: decode the connection's whole frame and hand it to the server's function.
 */
void request_begin(struct connection *connection);
/* The connection of this request is going. */
void request_orphan(struct request *request);
void request_free_all(struct server *server);

#endif
