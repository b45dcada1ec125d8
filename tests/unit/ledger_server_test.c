/* SPDX-License-Identifier: MIT
 *
 * ledger_server_test.c - the transport: framing, order, connections, broken and dead
 * peers.
 */
#include "ledger_server_rig.h"
#include "support/suite.h"

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

int main(void)
{
    Suite *suite = suite_create("server");
    TCase *tcase = tcase_create("server");

    log_set_level(LOG_ERROR);
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
    tcase_add_test(tcase, silent_connections_are_closed_working_ones_are_not);
    tcase_add_test(tcase, connections_beyond_the_limit_wait_for_a_place);
    tcase_add_test(tcase, an_address_in_use_is_named);
    tcase_add_test(tcase, random_bytes_do_no_harm);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
