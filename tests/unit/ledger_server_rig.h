/* SPDX-License-Identifier: MIT
 *
 * ledger_server_rig.h - a server whose handler is the test's own and whose clock is a
 * variable, and clients over socket pairs.
 */
#ifndef LEDGER_SERVER_RIG_H
#define LEDGER_SERVER_RIG_H

#include "base/log.h"
#include "ledger/server/output.h"
#include "ledger/server/server.h"
#include "ledger/wire/api.h"
#include "ledger/wire/messages_fetch.h"
#include "ledger/wire/messages_groups.h"
#include "ledger/wire/messages_metadata.h"
#include "ledger/wire/messages_produce.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SLICES_MAX = 40, KIB = 1024 };

static int64_t clock_ms;

struct world {
    struct loop *loop;
    struct server *server;
    struct request *held[8]; /* of Heartbeat */
    int held_count;
    int gone;    /* calls of the gone function */
    bool watch;  /* held requests have one */
    int seen;    /* requests that reached the handler */
    bool refuse; /* the handler serves nothing */
    bool unsupported;
    int file; /* what Fetch answers: slices of it */
    int64_t slices[SLICES_MAX];
    int slices_count;
    int released;
    size_t memory; /* if not 0, Fetch answers so many bytes from memory */
};

static inline int64_t now_ms(void)
{
    return clock_ms;
}

static inline void count_release(void *owner)
{
    ((struct world *)owner)->released++;
}

static inline void on_gone(struct request *request, void *arg)
{
    ((struct world *)arg)->gone++;
    request_drop(request);
}

static inline void hold(struct world *world, struct request *request)
{
    world->held[world->held_count++] = request;
    if (world->watch)
        request_on_gone(request, on_gone, world);
}

static inline void answer_heartbeat(struct request *request, int16_t code)
{
    struct heartbeat_response response;

    wire_defaults(&heartbeat_response_message, &response);
    response.error_code = code;
    request_answer(request, &response);
}

/* One partition per slice; the slices follow each other in the file. */
static inline void answer_fetch(struct world *world, struct request *request)
{
    struct fetch_response_partition_data partitions[SLICES_MAX];
    struct fetch_response_fetchable_topic_response topic;
    struct fetch_response response;
    int64_t position = 0;
    uint8_t *memory = NULL;

    wire_defaults(&fetch_response_message, &response);
    wire_defaults(&fetch_response_fetchable_topic_response_message, &topic);
    for (int i = 0; i < world->slices_count; i++) {
        wire_defaults(&fetch_response_partition_data_message, &partitions[i]);
        partitions[i].partition_index = i;
        partitions[i].records = (struct wire_records){.len = world->slices[i],
                                                      .fd = world->file,
                                                      .position = position,
                                                      .owner = world,
                                                      .release = count_release};
        position += world->slices[i];
    }
    if (world->memory > 0) {
        memory = mem_alloc(world->memory);
        wire_defaults(&fetch_response_partition_data_message, &partitions[0]);
        partitions[0].records =
            (struct wire_records){.data = memory, .len = (int64_t)world->memory};
    }
    topic.partitions = partitions;
    topic.partitions_count = memory ? 1 : world->slices_count;
    response.responses = &topic;
    response.responses_count = 1;
    request_answer(request, &response);
    free(memory);
}

static inline void answer_versions(struct world *world, struct request *request)
{
    struct api_versions_response response;

    world->unsupported = request->unsupported;
    wire_defaults(&api_versions_response_message, &response);
    request_answer(request, &response);
}

static inline bool serve(void *arg, struct request *request)
{
    struct world *world = arg;

    world->seen++;
    if (world->refuse)
        return false;
    if (request->key == WIRE_HEARTBEAT)
        hold(world, request);
    else if (request->key == WIRE_FETCH)
        answer_fetch(world, request);
    else if (request->key == WIRE_PRODUCE)
        request_drop(request);
    else
        answer_versions(world, request);
    return true;
}

static inline void build_with(struct world *world,
                              void (*change)(struct server_settings *))
{
    struct server_settings settings;
    struct error err = {0};

    clock_ms = 1000000;
    *world = (struct world){.file = -1};
    world->loop = loop_new(&err);
    server_settings_default(&settings);
    settings.now_ms = now_ms;
    settings.wall_ms = now_ms;
    if (change)
        change(&settings);
    world->server = server_open(world->loop, &settings, serve, world, &err);
    ck_assert_msg(world->server != NULL, "%s", err.text);
}

static inline void build(struct world *world)
{
    build_with(world, NULL);
}

static inline void tear_down(struct world *world)
{
    server_close(world->server, 0);
    loop_free(world->loop);
    if (world->file >= 0)
        (void)close(world->file);
}

static inline void turn(struct world *world)
{
    loop_wait(world->loop, 0);
    (void)server_tick(world->server, clock_ms);
}

static inline int connect_to(struct world *world)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    server_take(world->server, ends[1]);
    return ends[0];
}

static inline void make_request(int16_t key, int16_t version, int32_t correlation,
                                struct wire_out *out)
{
    const struct wire_api *api = wire_api_find(key);
    uint64_t room[64] = {0};

    ck_assert_uint_le(api->request->size, sizeof room);
    wire_defaults(api->request, room);
    wire_write_request(api, version, correlation, wire_string_of("test"), room, out);
}

static inline void send_all(int fd, const void *data, size_t len)
{
    ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static inline void ask(int fd, int16_t key, int16_t version, int32_t correlation)
{
    struct wire_out out = {0};

    make_request(key, version, correlation, &out);
    send_all(fd, out.bytes.data, out.bytes.len);
    wire_out_clear(&out);
}

static inline int32_t number_at(const char *data)
{
    uint32_t value;

    memcpy(&value, data, sizeof value);
    return (int32_t)ntohl(value);
}

/* Read what there is into buf, turning the server; at most turns times. */
static inline void pump(struct world *world, int fd, struct text_buf *buf, int turns)
{
    while (turns-- > 0) {
        ssize_t n;

        turn(world);
        text_reserve(buf, 64 * KIB);
        n = recv(fd, buf->data + buf->len, 64 * KIB, MSG_DONTWAIT);
        if (n > 0)
            buf->len += (size_t)n;
    }
}

/* The correlation ids of the answers that came. */
static inline int correlations(const struct text_buf *buf, int32_t *ids, int max)
{
    size_t at = 0;
    int count = 0;

    while (at + 8 <= buf->len && count < max) {
        ids[count++] = number_at(buf->data + at + 4);
        at += 4 + (size_t)number_at(buf->data + at);
    }
    return at == buf->len ? count : -1;
}

static inline bool is_closed(struct world *world, int fd)
{
    char byte;

    for (int i = 0; i < 3; i++)
        turn(world);
    errno = 0;
    /* A reset: it was closed with bytes unread. */
    return recv(fd, &byte, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN;
}

#endif
