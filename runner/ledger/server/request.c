/* SPDX-License-Identifier: MIT */
#include "ledger/server/request.h"

#include "ledger/server/server_private.h"
#include "ledger/wire/api.h"
#include "ledger/wire/table.h"

#include <stdlib.h>
#include <utlist.h>

enum {
    SCRATCH_KEPT_BYTES = 256 * 1024,
    ANSWER_MAX = 100 * 1000 * 1000, /* what librdkafka takes, too */
};

/*
 * Which version to read the body by. A version of ApiVersions that we do not know is
 * the one case that has an answer: the client learns from it what to ask.
 */
static bool choose_version(const struct wire_api *api, struct request *request)
{
    if (request->version >= api->min_version && request->version <= api->max_version)
        return true;
    if (api->key != WIRE_API_VERSIONS)
        return false;
    request->unsupported = true;
    request->version = 0;
    return true;
}

static int decode(struct request *request, struct error *err)
{
    struct wire_header header;
    void *message;

    if (wire_header_read(request->frame, request->frame_len, &header, err) < 0)
        return -1;
    request->key = header.key;
    request->version = header.version;
    request->correlation = header.correlation;
    request->client_id = header.client_id;
    request->api = wire_api_find(header.key);
    if (request->api == NULL || !choose_version(request->api, request)) {
        error_set(err, ERROR_INPUT, "request %d version %d is not offered", header.key,
                  header.version);
        return -1;
    }
    message = mem_arena_alloc(&request->arena, request->api->request->size);
    request->message = message;
    if (request->unsupported) {
        wire_defaults(request->api->request, message);
        return 0;
    }
    return wire_read(request->api->request, request->version,
                     request->frame + header.len, request->frame_len - header.len,
                     &request->arena, message, err);
}

static void free_request(struct request *request)
{
    struct server *server = request->server;

    DL_DELETE(server->requests, request);
    connection_give_frame(server, request->frame, request->frame_len,
                          request->frame_len);
    mem_arena_clear(&request->arena);
    free(request);
}

void request_begin(struct connection *connection)
{
    struct server *server = connection->server;
    struct request *request = mem_alloc(sizeof *request);
    struct error err = {0};

    request->server = server;
    request->connection = connection;
    request->host = connection->host;
    request->frame = connection->frame;
    request->frame_len = connection->frame_len;
    request->now_ms = server->now_ms;
    request->wall_ms = server->settings.wall_ms();
    connection->frame = NULL;
    connection->request = request;
    DL_APPEND(server->requests, request);
    if (decode(request, &err) < 0) {
        connection_refuse(connection, "%s", err.text);
        return;
    }
    request->taken = true;
    if (!server->fn(server->arg, request)) {
        request->taken = false;
        connection_refuse(connection, "request %s is not offered", request->api->name);
    }
}

void request_orphan(struct request *request)
{
    request->connection->request = NULL;
    request->connection = NULL;
    request->host = "";
    if (request->gone)
        request->gone(request, request->gone_arg);
    else if (!request->taken)
        free_request(request);
}

void request_free_all(struct server *server)
{
    while (server->requests)
        free_request(server->requests);
}

void request_on_gone(struct request *request, request_gone_fn *fn, void *arg)
{
    request->gone = fn;
    request->gone_arg = arg;
}

/* A buffer that served a large answer is not kept. */
static void take_scratch(struct server *server, struct wire_out *out)
{
    out->bytes = server->scratch;
    out->bytes.len = 0;
    server->scratch = (struct text_buf){0};
}

void request_answer(struct request *request, const void *response)
{
    struct connection *connection = request->connection;
    struct server *server = request->server;
    bool kept = server->settings.before_answer == NULL ||
                server->settings.before_answer(server->arg);
    struct wire_out out = {0};

    take_scratch(server, &out);
    /* The parts of a Fetch are bounded otherwise, and its slices have to move to out.
     */
    out.limit = request->key == WIRE_FETCH ? 0 : ANSWER_MAX;
    wire_write_response(request->api, request->version, request->correlation, response,
                        &out);
    free_request(request);
    if (connection) {
        connection->request = NULL;
        if (out.overflowed)
            connection_refuse(connection, "an answer of more than %d bytes",
                              (int)ANSWER_MAX);
        else if (kept)
            connection_send(connection, &out);
        else
            connection_refuse(connection, "what its answer says cannot be kept");
    }
    if (server->scratch.data == NULL && out.bytes.capacity <= SCRATCH_KEPT_BYTES) {
        server->scratch = out.bytes;
        out.bytes = (struct text_buf){0};
    }
    wire_out_clear(&out);
}

void request_drop(struct request *request)
{
    struct connection *connection = request->connection;

    free_request(request);
    if (connection) {
        connection->request = NULL;
        connection_go_on(connection);
    }
}

void request_hang_up(struct request *request, const char *why)
{
    struct connection *connection = request->connection;

    free_request(request);
    if (connection) {
        connection->request = NULL;
        connection_refuse(connection, "%s", why);
    }
}
