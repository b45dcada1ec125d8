/* SPDX-License-Identifier: MIT
 *
 * request.h - one request of a client, from its decoded message to its answer.
 * Layer: ledger/server. A handler gets it, and answers or drops it exactly once: at
 * once, or later from a tick or another request. Until then everything in it stays
 * valid: the message and its strings point into the request's own buffer and arena.
 */
#ifndef LEDGER_SERVER_REQUEST_H
#define LEDGER_SERVER_REQUEST_H

#include "base/mem.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct request;
struct server;
struct ledger;
struct wire_api;

/* Called when the connection of a waiting request is gone; it must drop the request. */
typedef void request_gone_fn(struct request *request, void *arg);

struct request {
    int16_t key, version;
    int32_t correlation;
    bool unsupported; /* ApiVersions of an unknown version: read as version 0 */
    struct wire_string client_id; /* len -1: none */
    const char *host;             /* the peer's address as text */
    const void *message;          /* struct <api>_request */
    struct mem_arena arena;       /* for the handler too; freed with the request */
    int64_t now_ms, wall_ms;      /* when the request was complete */
    const struct wire_api *api;
    void *state; /* the handler's own */

    struct connection *connection; /* the rest is the server's; NULL once it is gone */
    struct request *prev, *next;
    request_gone_fn *gone;
    void *gone_arg;
    bool taken; /* by a handler */
    uint8_t *frame;
    uint32_t frame_len;
    struct server *server;
};

/*
 * Has the answer in the making grown so large that the rest is to be refused? A request
 * of a few bytes may name the same group a hundred thousand times.
 */
enum { REQUEST_ARENA_BYTES = 32 * 1024 * 1024 };

static inline bool request_is_full(const struct request *request)
{
    return request->arena.bytes > REQUEST_ARENA_BYTES;
}

/* A handler. It owns the request until it answers or drops it. */
typedef void api_fn(struct ledger *ledger, struct request *request);

/*
 * Send response (struct <api>_response, by the api's descriptor and the request's
 * version) and free the request. response is not kept; file slices in it are owned from
 * here on and released when sent or dropped. If the connection is gone it only frees.
 * An answer of more than 100 MB without records is not sent, its connection is closed.
 */
void request_answer(struct request *request, const void *response);

/* Free the request without an answer (acks=0, or its connection is gone). */
void request_drop(struct request *request);

/*
 * Free the request and close its connection, with a line in the log that says why: as
 * Kafka does after an error with acks=0.
 */
void request_hang_up(struct request *request, const char *why);

/*
 * Have fn called when the connection goes while the request waits. Without it a waiting
 * request just stays until it is answered. fn must call request_drop.
 */
void request_on_gone(struct request *request, request_gone_fn *fn, void *arg);

#endif
