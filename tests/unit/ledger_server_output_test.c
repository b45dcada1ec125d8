/* SPDX-License-Identifier: MIT
 *
 * ledger_server_output_test.c - the transport: answers with slices of files, slow
 * readers, and the budget of memory for requests.
 */
#include "ledger_server_rig.h"
#include "support/suite.h"

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

static void small_answers(struct server_settings *settings)
{
    settings->answers_bytes = 5 * KIB * KIB;
}

START_TEST(answers_that_nobody_reads_have_a_budget)
{
    struct world world;
    int fds[6];

    build_with(&world, small_answers);
    world.memory = 2 * KIB * KIB;
    for (int i = 0; i < 6; i++) {
        fds[i] = connect_to(&world);
        ask(fds[i], WIRE_FETCH, 11, 1);
        turn(&world);
        clock_ms += 10;
    }
    /* Two answers of 2 MiB each may wait: those that came last. */
    ck_assert_int_eq(server_connections(world.server), 2);
    for (int i = 0; i < 6; i++)
        (void)close(fds[i]);
    turn(&world);
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

int main(void)
{
    Suite *suite = suite_create("server output");
    TCase *tcase = tcase_create("server output");

    log_set_level(LOG_ERROR);
    tcase_add_loop_test(tcase, slices_of_files_arrive_whole_however_slow_the_reader_is,
                        0, 8);
    tcase_add_test(tcase, slices_are_released_when_the_reader_goes);
    tcase_add_loop_test(tcase, a_file_that_is_too_short_closes_the_connection, 0, 2);
    tcase_add_test(tcase, a_slow_reader_does_not_stop_others);
    tcase_add_test(tcase, large_requests_come_whole_and_leave_no_memory);
    tcase_add_test(tcase, the_budget_holds_and_everybody_gets_through_it);
    tcase_add_test(tcase, who_stalls_while_others_wait_is_closed);
    tcase_add_test(tcase, answers_that_nobody_reads_have_a_budget);
    tcase_add_test(tcase, small_requests_pass_a_budget_that_is_used_up);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
