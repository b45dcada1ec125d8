/* SPDX-License-Identifier: MIT
 *
 * server.h - the transport: a listener, its connections, framing and output.
 * Layer: ledger/server. It knows frames and headers, not what a request means.
 *
 * Memory: one budget for all request frames, counted by the bytes received; when it is
 * used up, connections with large frames wait for their turn, and those that hold a
 * part of a frame and send nothing are closed. Answers that their readers do not take
 * have a budget too (without file slices, which cost no memory); beyond it the reader
 * that has not moved for the longest time is closed. An idle connection holds no
 * buffer. One request of a connection is in work at a time, the next ones stay in its
 * socket until the answer has left, so that answers come in order and slow readers read
 * less.
 */
#ifndef LEDGER_SERVER_SERVER_H
#define LEDGER_SERVER_SERVER_H

#include "base/error.h"
#include "base/loop.h"
#include "ledger/server/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;

/* Takes a request; false: nobody serves this api or version, close the connection. */
typedef bool server_fn(void *arg, struct request *request);

struct server_settings {
    const char *host; /* to listen on: an address or a name; "" all of them */
    int port;         /* 0: the kernel's choice */
    int max_connections;
    int64_t idle_ms;           /* close connections that were silent for so long */
    int64_t stall_ms;          /* and those that stall in a frame while others wait */
    int64_t frames_bytes;      /* budget of all request frames */
    int64_t answers_bytes;     /* and of all answers that wait for slow readers */
    int32_t max_request_bytes; /* larger frames close their connection */
    /* NULL, or called before each answer leaves. False: it does not, its connection is
     * closed, for what it says cannot be kept. */
    bool (*before_answer)(void *arg);
    int64_t (*now_ms)(void);
    int64_t (*wall_ms)(void);
};

void server_settings_default(struct server_settings *settings);

/*
 * Listen and serve on loop. settings are copied, the host is borrowed only for the
 * call. Returns NULL and err when it cannot listen.
 */
struct server *server_open(struct loop *loop, const struct server_settings *settings,
                           server_fn *fn, void *arg, struct error *err);

/*
 * Stop reading, and write what is already answered for at most linger_ms; then close
 * all. Requests that still wait lose their connection: their gone functions are called.
 */
void server_close(struct server *server, int64_t linger_ms);

int server_port(const struct server *server);
int server_connections(const struct server *server);
int64_t server_frames_bytes(const struct server *server); /* held at the moment */

/* Serve a connected socket as if it had been accepted; owned from here on (for tests).
 */
void server_take(struct server *server, int fd);

/*
 * Close idle and stalled connections, go on accepting and reading where that had to
 * wait, give memory back. Returns the monotonic time of the next call.
 */
int64_t server_tick(struct server *server, int64_t now_ms);

#endif
