/* SPDX-License-Identifier: MIT
 *
 * ledger_server_test.c - the transport: framing, order, memory, slow and dead peers.
 * The handler is the test's own; the clock is a variable.
 */
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
};

static int64_t now_ms(void)
{
    return clock_ms;
}

static void count_release(void *owner)
{
    ((struct world *)owner)->released++;
}

static void on_gone(struct request *request, void *arg)
{
    ((struct world *)arg)->gone++;
    request_drop(request);
}

static void hold(struct world *world, struct request *request)
{
    world->held[world->held_count++] = request;
    if (world->watch)
        request_on_gone(request, on_gone, world);
}

static void answer_heartbeat(struct request *request, int16_t code)
{
    struct heartbeat_response response;

    wire_defaults(&heartbeat_response_message, &response);
    response.error_code = code;
    request_answer(request, &response);
}

/* One partition per slice; the slices follow each other in the file. */
static void answer_fetch(struct world *world, struct request *request)
{
    struct fetch_response_partition_data partitions[SLICES_MAX];
    struct fetch_response_fetchable_topic_response topic;
    struct fetch_response response;
    int64_t position = 0;

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
    topic.partitions = partitions;
    topic.partitions_count = world->slices_count;
    response.responses = &topic;
    response.responses_count = 1;
    request_answer(request, &response);
}

static void answer_versions(struct world *world, struct request *request)
{
    struct api_versions_response response;

    world->unsupported = request->unsupported;
    wire_defaults(&api_versions_response_message, &response);
    request_answer(request, &response);
}

static bool serve(void *arg, struct request *request)
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

static void build_with(struct world *world, void (*change)(struct server_settings *))
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

static void build(struct world *world)
{
    build_with(world, NULL);
}

static void tear_down(struct world *world)
{
    server_close(world->server, 0);
    loop_free(world->loop);
    if (world->file >= 0)
        (void)close(world->file);
}

static void turn(struct world *world)
{
    loop_wait(world->loop, 0);
    (void)server_tick(world->server, clock_ms);
}

static int connect_to(struct world *world)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    server_take(world->server, ends[1]);
    return ends[0];
}

static void make_request(int16_t key, int16_t version, int32_t correlation,
                         struct wire_out *out)
{
    const struct wire_api *api = wire_api_find(key);
    uint64_t room[64] = {0};

    ck_assert_uint_le(api->request->size, sizeof room);
    wire_defaults(api->request, room);
    wire_write_request(api, version, correlation, wire_string_of("test"), room, out);
}

static void send_all(int fd, const void *data, size_t len)
{
    ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void ask(int fd, int16_t key, int16_t version, int32_t correlation)
{
    struct wire_out out = {0};

    make_request(key, version, correlation, &out);
    send_all(fd, out.bytes.data, out.bytes.len);
    wire_out_clear(&out);
}

static int32_t number_at(const char *data)
{
    uint32_t value;

    memcpy(&value, data, sizeof value);
    return (int32_t)ntohl(value);
}

/* Read what there is into buf, turning the server; at most turns times. */
static void pump(struct world *world, int fd, struct text_buf *buf, int turns)
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
static int correlations(const struct text_buf *buf, int32_t *ids, int max)
{
    size_t at = 0;
    int count = 0;

    while (at + 8 <= buf->len && count < max) {
        ids[count++] = number_at(buf->data + at + 4);
        at += 4 + (size_t)number_at(buf->data + at);
    }
    return at == buf->len ? count : -1;
}

static bool is_closed(struct world *world, int fd)
{
    char byte;

    for (int i = 0; i < 3; i++)
        turn(world);
    errno = 0;
    /* A reset: it was closed with bytes unread. */
    return recv(fd, &byte, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN;
}

START_TEST(an_answer_has_the_number_of_its_request)
{
    struct world world;
    struct text_buf buf = {0};
    int32_t id = 0;
    int fd;

    build(&world);
    fd = connect_to(&world);
    ask(fd, WIRE_API_VERSIONS, 3, 77);
    pump(&world, fd, &buf, 3);
    ck_assert_int_eq(correlations(&buf, &id, 1), 1);
    ck_assert_int_eq(id, 77);
    ck_assert_int_eq(server_frames_bytes(world.server), 0);
    text_buf_clear(&buf);
    (void)close(fd);
    tear_down(&world);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
    struct world world;
    struct text_buf buf = {0};
    struct wire_out out = {0};
    int32_t id = 0;
    int fd;

    build(&world);
    fd = connect_to(&world);
    make_request(WIRE_API_VERSIONS, 0, 5, &out);
    for (size_t i = 0; i < out.bytes.len; i++) {
        ck_assert_int_eq(world.seen, 0);
        send_all(fd, out.bytes.data + i, 1);
        turn(&world);
        turn(&world);
    }
    pump(&world, fd, &buf, 1);
    ck_assert_int_eq(correlations(&buf, &id, 1), 1);
    ck_assert_int_eq(id, 5);
    wire_out_clear(&out);
    text_buf_clear(&buf);
    (void)close(fd);
    tear_down(&world);
}
END_TEST

START_TEST(one_request_at_a_time_is_in_work)
{
    struct world world;
    struct text_buf buf = {0};
    int32_t ids[4];
    int fd;

    build(&world);
    fd = connect_to(&world);
    for (int i = 1; i <= 3; i++)
        ask(fd, WIRE_HEARTBEAT, 3, i);
    pump(&world, fd, &buf, 5);
    ck_assert_int_eq(world.seen, 1);
    for (int i = 0; i < 3; i++) {
        answer_heartbeat(world.held[i], 0);
        pump(&world, fd, &buf, 5);
    }
    ck_assert_int_eq(correlations(&buf, ids, 4), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ids[i], i + 1);
    text_buf_clear(&buf);
    (void)close(fd);
    tear_down(&world);
}
END_TEST

START_TEST(requests_without_answer_follow_each_other)
{
    struct world world;
    struct text_buf buf = {0};
    int fd;

    build(&world);
    fd = connect_to(&world);
    for (int i = 0; i < 10; i++)
        ask(fd, WIRE_PRODUCE, 3, i);
    (void)shutdown(fd, SHUT_WR); /* what was sent before the end still counts */
    pump(&world, fd, &buf, 20);
    ck_assert_int_eq(world.seen, 10);
    ck_assert_uint_eq(buf.len, 0);
    ck_assert(is_closed(&world, fd));
    ck_assert_int_eq(server_connections(world.server), 0);
    text_buf_clear(&buf);
    (void)close(fd);
    tear_down(&world);
}
END_TEST

START_TEST(an_unknown_version_of_api_versions_is_served_all_others_are_not)
{
    struct world world;
    struct wire_out out = {0};
    int fd;

    build(&world);
    fd = connect_to(&world);
    make_request(WIRE_API_VERSIONS, 3, 1, &out);
    out.bytes.data[7] = 99;
    send_all(fd, out.bytes.data, out.bytes.len);
    turn(&world);
    ck_assert_int_eq(world.seen, 1);
    ck_assert(world.unsupported);
    out.bytes.data[5] = WIRE_HEARTBEAT;
    send_all(fd, out.bytes.data, out.bytes.len);
    turn(&world);
    ck_assert_int_eq(world.seen, 1);
    wire_out_clear(&out);
    ck_assert_int_eq(server_connections(world.server), 0);
    (void)close(fd);
    tear_down(&world);
}
END_TEST

static const struct {
    size_t len;
    const char *bytes;
} malformed[] = {
    {4, "\0\0\0\0"},
    {4, "\377\377\377\377"},
    {4, "\177\377\377\377"},
    {16, "GET / HTTP/1.1\r\n"},
    {6, "\0\0\0\2\0\22"},
    {14, "\0\0\0\12\0\22\0\0\0\0\0\1\0\50"},           /* the client id is longer */
    {14, "\0\0\0\12\7\377\0\0\0\0\0\1\377\377"},       /* no such request */
    {18, "\0\0\0\16\0\14\0\0\0\0\0\1\377\377\0\20ab"}, /* the group is longer */
};

START_TEST(a_malformed_request_closes_its_connection_alone)
{
    struct world world;
    struct text_buf buf = {0};
    int32_t id = 0;
    int bad, good;

    build(&world);
    good = connect_to(&world);
    bad = connect_to(&world);
    send_all(bad, malformed[_i].bytes, malformed[_i].len);
    ck_assert(is_closed(&world, bad));
    ask(good, WIRE_API_VERSIONS, 3, 9);
    pump(&world, good, &buf, 3);
    ck_assert_int_eq(correlations(&buf, &id, 1), 1);
    ck_assert_int_eq(server_connections(world.server), 1);
    text_buf_clear(&buf);
    (void)close(good);
    (void)close(bad);
    tear_down(&world);
}
END_TEST

START_TEST(what_nobody_serves_closes_the_connection)
{
    struct world world;
    int fd;

    build(&world);
    world.refuse = true;
    fd = connect_to(&world);
    ask(fd, WIRE_API_VERSIONS, 3, 1);
    ck_assert(is_closed(&world, fd));
    (void)close(fd);
    tear_down(&world);
}
END_TEST

START_TEST(a_waiting_request_is_told_that_its_client_has_gone)
{
    struct world world;
    int fd;

    build(&world);
    world.watch = true;
    fd = connect_to(&world);
    ask(fd, WIRE_HEARTBEAT, 3, 1);
    turn(&world);
    ck_assert_int_eq(world.held_count, 1);
    (void)close(fd);
    turn(&world);
    ck_assert_int_eq(world.gone, 1);
    ck_assert_int_eq(server_connections(world.server), 0);
    tear_down(&world);
}
END_TEST

START_TEST(a_request_may_be_answered_after_its_client_has_gone)
{
    struct world world;
    int fd;

    build(&world);
    fd = connect_to(&world);
    ask(fd, WIRE_HEARTBEAT, 3, 1);
    turn(&world);
    (void)close(fd);
    turn(&world);
    ck_assert_int_eq(server_connections(world.server), 0);
    ck_assert_str_eq(world.held[0]->host, "");
    answer_heartbeat(world.held[0], 0);
    ck_assert_int_eq(server_frames_bytes(world.server), 0);
    tear_down(&world);
}
END_TEST

START_TEST(closing_frees_requests_that_still_wait)
{
    struct world world;
    int fds[3];

    build(&world);
    for (int i = 0; i < 3; i++) {
        fds[i] = connect_to(&world);
        ask(fds[i], WIRE_HEARTBEAT, 3, i);
    }
    turn(&world);
    ck_assert_int_eq(world.held_count, 3);
    (void)close(fds[0]);
    turn(&world);
    tear_down(&world);
    (void)close(fds[1]);
    (void)close(fds[2]);
}
END_TEST

/* ---- output -----------------------------------------------------------------------
 */

static char pattern_at(int64_t position)
{
    return (char)(position * 2654435761u >> 13);
}

static int64_t sum_slices(const struct world *world)
{
    int64_t sum = 0;

    for (int i = 0; i < world->slices_count; i++)
        sum += world->slices[i];
    return sum;
}

static void make_file(struct world *world)
{
    char path[] = "/tmp/ledger_server_test.XXXXXX";
    int64_t len = sum_slices(world);
    char *data = mem_alloc((size_t)len + 1);

    for (int64_t i = 0; i < len; i++)
        data[i] = pattern_at(i);
    world->file = mkstemp(path);
    ck_assert_int_ge(world->file, 0);
    (void)unlink(path);
    ck_assert_int_eq(write(world->file, data, (size_t)len), len);
    free(data);
}

/* Decode the answer: are all slices there, with the right bytes? */
static bool right_records(const struct world *world, const struct text_buf *buf)
{
    struct mem_arena arena = {0};
    struct error err = {0};
    struct fetch_response response;
    int64_t position = 0;
    bool right;

    right = wire_read(&fetch_response_message, 11, (const uint8_t *)buf->data + 8,
                      buf->len - 8, &arena, &response, &err) == 0 &&
            response.responses[0].partitions_count == world->slices_count;
    for (int i = 0; right && i < world->slices_count; i++) {
        const struct wire_records *records =
            &response.responses[0].partitions[i].records;

        right = records->len == world->slices[i];
        for (int64_t k = 0; right && k < records->len; k++)
            right = (char)records->data[k] == pattern_at(position + k);
        position += world->slices[i];
    }
    mem_arena_clear(&arena);
    return right;
}

START_TEST(slices_of_files_arrive_whole_however_slow_the_reader_is)
{
    struct world world;
    struct text_buf buf = {0};
    unsigned seed = (unsigned)_i + 1;
    int small = 4096, fd;

    build(&world);
    world.slices_count = 1 + rand_r(&seed) % SLICES_MAX;
    for (int i = 0; i < world.slices_count; i++)
        world.slices[i] =
            1 + rand_r(&seed) % (rand_r(&seed) % 3 ? 20 * KIB : 300 * KIB);
    make_file(&world);
    fd = connect_to(&world);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    ask(fd, WIRE_FETCH, 11, 1);
    for (int i = 0;
         i < 10000 && (buf.len < 4 || buf.len < 4 + (size_t)number_at(buf.data)); i++) {
        char piece[5000];
        ssize_t n;

        turn(&world);
        n = recv(fd, piece, 1 + (size_t)rand_r(&seed) % sizeof piece, MSG_DONTWAIT);
        if (n > 0)
            text_append_bytes(&buf, piece, (size_t)n);
    }
    ck_assert(right_records(&world, &buf));
    turn(&world);
    ck_assert_int_eq(world.released, world.slices_count);
    text_buf_clear(&buf);
    (void)close(fd);
    tear_down(&world);
}
END_TEST

START_TEST(slices_are_released_when_the_reader_goes)
{
    struct world world;
    int fd;

    build(&world);
    world.slices_count = 3;
    for (int i = 0; i < 3; i++)
        world.slices[i] = 2 * KIB * KIB;
    make_file(&world);
    fd = connect_to(&world);
    ask(fd, WIRE_FETCH, 11, 1);
    turn(&world);
    ck_assert_int_lt(world.released, 3);
    (void)close(fd);
    turn(&world);
    ck_assert_int_eq(world.released, 3);
    ck_assert_int_eq(server_connections(world.server), 0);
    tear_down(&world);
}
END_TEST

START_TEST(a_file_that_is_too_short_closes_the_connection)
{
    struct world world;
    struct text_buf buf = {0};
    int fd;

    build(&world);
    world.slices_count = 2;
    world.slices[0] = _i == 0 ? 100 : 50 * KIB;
    world.slices[1] = _i == 0 ? 100 : 50 * KIB;
    make_file(&world);
    ck_assert_int_eq(ftruncate(world.file, world.slices[0] + 1), 0);
    fd = connect_to(&world);
    ask(fd, WIRE_FETCH, 11, 1);
    pump(&world, fd, &buf, 5);
    ck_assert_int_eq(world.released, 2);
    ck_assert_int_eq(server_connections(world.server), 0);
    text_buf_clear(&buf);
    (void)close(fd);
    tear_down(&world);
}
END_TEST

START_TEST(a_slow_reader_does_not_stop_others)
{
    struct world world;
    struct text_buf buf = {0};
    int32_t ids[20];
    int slow, fast;

    build(&world);
    world.slices_count = 1;
    world.slices[0] = 4 * KIB * KIB;
    make_file(&world);
    slow = connect_to(&world);
    fast = connect_to(&world);
    ask(slow, WIRE_FETCH, 11, 1);
    ask(slow, WIRE_API_VERSIONS, 3, 2);
    turn(&world);
    for (int i = 0; i < 20; i++) {
        ask(fast, WIRE_API_VERSIONS, 3, i);
        pump(&world, fast, &buf, 2);
    }
    ck_assert_int_eq(correlations(&buf, ids, 20), 20);
    ck_assert_int_eq(world.seen, 21); /* the slow one's second request waits */
    text_buf_clear(&buf);
    (void)close(slow);
    (void)close(fast);
    tear_down(&world);
}
END_TEST

/* ---- memory -----------------------------------------------------------------------
 */

static void small_budget(struct server_settings *settings)
{
    settings->frames_bytes = 100 * KIB;
    settings->stall_ms = 5000;
}

/* A Produce request of len bytes, its tail ignored by the reader. */
static char *make_large(size_t len)
{
    struct wire_out out = {0};
    char *data = mem_alloc(len + 4);
    uint32_t size = htonl((uint32_t)len);

    make_request(WIRE_PRODUCE, 3, 1, &out);
    memcpy(data, out.bytes.data, out.bytes.len);
    memcpy(data, &size, sizeof size);
    wire_out_clear(&out);
    return data;
}

/* Send what the socket takes, turning the server. Returns how much that was. */
static size_t push(struct world *world, int fd, const char *data, size_t len)
{
    size_t done = 0;

    for (int idle = 0; done < len && idle < 3;) {
        ssize_t n = send(fd, data + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL);

        turn(world);
        idle = n > 0 ? 0 : idle + 1;
        done += n > 0 ? (size_t)n : 0;
    }
    return done;
}

START_TEST(large_requests_come_whole_and_leave_no_memory)
{
    struct world world;
    size_t len = 3 * KIB * KIB + 17;
    char *data = make_large(len);
    int fd;

    build(&world);
    fd = connect_to(&world);
    for (int i = 1; i <= 5; i++) {
        ck_assert_uint_eq(push(&world, fd, data, len + 4), len + 4);
        turn(&world);
        ck_assert_int_eq(world.seen, i);
        ck_assert_int_eq(server_frames_bytes(world.server), 0);
    }
    ck_assert_int_le(server_tick(world.server, clock_ms), clock_ms + 1000);
    clock_ms += 5000;
    ck_assert_int_gt(server_tick(world.server, clock_ms), clock_ms + 1000);
    free(data);
    (void)close(fd);
    tear_down(&world);
}
END_TEST

START_TEST(the_budget_holds_and_everybody_gets_through_it)
{
    struct world world;
    size_t len = 500 * KIB;
    char *data = make_large(len);
    size_t sent[4] = {0};
    int64_t most = 0;
    int fds[4];

    build_with(&world, small_budget);
    for (int i = 0; i < 4; i++)
        fds[i] = connect_to(&world);
    for (int round = 0; round < 400 && world.seen < 4; round++) {
        int i = round % 4;

        sent[i] += push(&world, fds[i], data + sent[i],
                        len + 4 - sent[i] < 20 * KIB ? len + 4 - sent[i] : 20 * KIB);
        turn(&world);
        if (server_frames_bytes(world.server) > most)
            most = server_frames_bytes(world.server);
    }
    ck_assert_int_eq(world.seen, 4);
    ck_assert_int_gt(most, 100 * KIB);
    ck_assert_int_le(most, 650 * KIB); /* the budget, and one request beyond it */
    ck_assert_int_eq(server_frames_bytes(world.server), 0);
    for (int i = 0; i < 4; i++)
        (void)close(fds[i]);
    free(data);
    tear_down(&world);
}
END_TEST

START_TEST(who_stalls_while_others_wait_is_closed)
{
    struct world world;
    size_t len = 900 * KIB;
    char *data = make_large(len);
    int stalled, waiting;
    size_t sent;

    build_with(&world, small_budget);
    stalled = connect_to(&world);
    waiting = connect_to(&world);
    ck_assert_uint_eq(push(&world, stalled, data, 200 * KIB), 200 * KIB);
    sent = push(&world, waiting, data, len + 4);
    ck_assert_uint_lt(sent, len + 4);
    clock_ms += 4999;
    turn(&world);
    ck_assert_int_eq(server_connections(world.server), 2);
    clock_ms += 1;
    turn(&world);
    ck_assert_int_eq(server_connections(world.server), 1);
    ck_assert_uint_eq(push(&world, waiting, data + sent, len + 4 - sent),
                      len + 4 - sent);
    turn(&world);
    ck_assert_int_eq(world.seen, 1);
    free(data);
    (void)close(stalled);
    (void)close(waiting);
    tear_down(&world);
}
END_TEST

START_TEST(small_requests_pass_a_budget_that_is_used_up)
{
    struct world world;
    size_t len = 300 * KIB;
    char *data = make_large(len);
    struct text_buf buf = {0};
    int32_t id = 0;
    int large, small;

    build_with(&world, small_budget);
    large = connect_to(&world);
    small = connect_to(&world);
    (void)push(&world, large, data, 200 * KIB);
    ask(small, WIRE_API_VERSIONS, 3, 4);
    pump(&world, small, &buf, 3);
    ck_assert_int_eq(correlations(&buf, &id, 1), 1);
    text_buf_clear(&buf);
    free(data);
    (void)close(large);
    (void)close(small);
    tear_down(&world);
}
END_TEST

/* ---- connections ------------------------------------------------------------------
 */

START_TEST(silent_connections_are_closed_working_ones_are_not)
{
    struct world world;
    int silent, working;

    build(&world);
    silent = connect_to(&world);
    working = connect_to(&world);
    ask(working, WIRE_HEARTBEAT, 3, 1);
    turn(&world);
    clock_ms += 10 * 60 * 1000 - 1;
    turn(&world);
    ck_assert_int_eq(server_connections(world.server), 2);
    clock_ms += 1;
    ck_assert(is_closed(&world, silent));
    ck_assert_int_eq(server_connections(world.server), 1);
    answer_heartbeat(world.held[0], 0);
    (void)close(silent);
    (void)close(working);
    tear_down(&world);
}
END_TEST

static void two_connections(struct server_settings *settings)
{
    settings->max_connections = 2;
}

static int connect_tcp(struct world *world)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons((uint16_t)server_port(world->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

START_TEST(connections_beyond_the_limit_wait_for_a_place)
{
    struct world world;
    struct text_buf buf = {0};
    int32_t id = 0;
    int fds[3];

    build_with(&world, two_connections);
    for (int i = 0; i < 3; i++)
        fds[i] = connect_tcp(&world);
    ask(fds[2], WIRE_API_VERSIONS, 3, 8);
    pump(&world, fds[2], &buf, 5);
    ck_assert_int_eq(server_connections(world.server), 2);
    ck_assert_uint_eq(buf.len, 0);
    (void)close(fds[0]);
    for (int i = 0; i < 100 && buf.len == 0; i++) {
        pump(&world, fds[2], &buf, 1);
        (void)poll(NULL, 0, 1);
    }
    ck_assert_int_eq(correlations(&buf, &id, 1), 1);
    ck_assert_int_eq(id, 8);
    text_buf_clear(&buf);
    (void)close(fds[1]);
    (void)close(fds[2]);
    tear_down(&world);
}
END_TEST

START_TEST(an_address_in_use_is_named)
{
    struct world world;
    struct server_settings settings;
    struct error err = {0};

    build(&world);
    server_settings_default(&settings);
    settings.port = server_port(world.server);
    ck_assert_ptr_null(server_open(world.loop, &settings, serve, &world, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.text, "127.0.0.1"));
    tear_down(&world);
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
    struct world world;
    unsigned seed = 1;

    build(&world);
    for (int i = 0; i < 3000; i++) {
        unsigned char bytes[64];
        size_t len = 4 + (size_t)rand_r(&seed) % (sizeof bytes - 4);
        int fd = connect_to(&world);

        for (size_t k = 0; k < len; k++)
            bytes[k] = (unsigned char)rand_r(&seed);
        if (i % 2) { /* a frame of the right length and a key that exists */
            uint32_t size = htonl((uint32_t)len - 4);

            memcpy(bytes, &size, sizeof size);
            bytes[4] = 0;
            bytes[5] %= WIRE_KEYS;
            bytes[6] = 0;
            bytes[7] %= 5;
        }
        send_all(fd, bytes, len);
        turn(&world);
        turn(&world);
        (void)close(fd);
        turn(&world);
        for (; world.held_count > 0; world.held_count--)
            answer_heartbeat(world.held[world.held_count - 1], 0);
    }
    turn(&world);
    ck_assert_int_eq(server_connections(world.server), 0);
    ck_assert_int_eq(server_frames_bytes(world.server), 0);
    tear_down(&world);
}
END_TEST

static TCase *cases(void)
{
    TCase *tcase = tcase_create("server");

    tcase_add_test(tcase, an_answer_has_the_number_of_its_request);
    tcase_add_test(tcase, a_request_may_come_byte_by_byte);
    tcase_add_test(tcase, one_request_at_a_time_is_in_work);
    tcase_add_test(tcase, requests_without_answer_follow_each_other);
    tcase_add_test(tcase,
                   an_unknown_version_of_api_versions_is_served_all_others_are_not);
    tcase_add_loop_test(tcase, a_malformed_request_closes_its_connection_alone, 0,
                        (int)(sizeof malformed / sizeof malformed[0]));
    tcase_add_test(tcase, what_nobody_serves_closes_the_connection);
    tcase_add_test(tcase, a_waiting_request_is_told_that_its_client_has_gone);
    tcase_add_test(tcase, a_request_may_be_answered_after_its_client_has_gone);
    tcase_add_test(tcase, closing_frees_requests_that_still_wait);
    tcase_add_loop_test(tcase, slices_of_files_arrive_whole_however_slow_the_reader_is,
                        0, 8);
    tcase_add_test(tcase, slices_are_released_when_the_reader_goes);
    tcase_add_loop_test(tcase, a_file_that_is_too_short_closes_the_connection, 0, 2);
    tcase_add_test(tcase, a_slow_reader_does_not_stop_others);
    tcase_add_test(tcase, large_requests_come_whole_and_leave_no_memory);
    tcase_add_test(tcase, the_budget_holds_and_everybody_gets_through_it);
    tcase_add_test(tcase, who_stalls_while_others_wait_is_closed);
    tcase_add_test(tcase, small_requests_pass_a_budget_that_is_used_up);
    tcase_add_test(tcase, silent_connections_are_closed_working_ones_are_not);
    tcase_add_test(tcase, connections_beyond_the_limit_wait_for_a_place);
    tcase_add_test(tcase, an_address_in_use_is_named);
    tcase_add_test(tcase, random_bytes_do_no_harm);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("server");
    SRunner *runner;
    int failed;

    log_set_level(LOG_ERROR);
    suite_add_tcase(suite, cases());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
