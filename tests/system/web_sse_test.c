/* SPDX-License-Identifier: MIT
 *
 * Streams of events over real sockets, in one thread: readers that are fast, slow, deaf
 * or gone. The statuses are large, so that what the kernel buffers is soon full.
 */
#include "web/http.h"
#include "web/sse.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "support/descriptors.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAD = 2 * 1024 * 1024, LIMIT_MS = 45000, TURN_MS = 5 };

struct reader {
    int fd;
    struct text_buf in;
    int events;  /* statuses that came */
    int newest;  /* the number of the last one */
    bool mixed;  /* one came twice, or too late */
    bool is_cut; /* the server hung up */
};

static struct loop *loop;
static struct http *http;
static struct sse *sse;
static struct web_source source;
static json_t *live;
static char *pad;

static const json_t *get_live(void *arg)
{
    (void)arg;
    return live;
}

static void publish(int number)
{
    json_decref(live);
    live = json_pack("[{s:s,s:i,s:i,s:s}]", "dag", "x", "run", 1, "number", number,
                     "pad", pad);
}

static void on_request(void *arg, struct http_request *request)
{
    (void)arg;
    if (strcmp(http_target(request), "/well") == 0)
        http_answer(request, 200, "text/plain", mem_strdup("well"), 4);
    else
        ck_assert(sse_answer(sse, request, NULL, NULL));
}

static void set_up(void)
{
    struct error err = {0};
    const struct http_config config = {
        .host = "127.0.0.1", .port = 17117, .port_count = 1000, .fn = on_request};

    pad = mem_alloc(PAD + 1);
    memset(pad, '.', PAD);
    live = json_array();
    source.live = get_live;
    loop = loop_new(&err);
    sse = sse_new(&source);
    http = http_open(loop, &config, &err);
    ck_assert_msg(http != NULL, "%s", err.text);
}

static void tear_down(void)
{
    http_close(http);
    sse_free(sse);
    loop_free(loop);
    json_decref(live);
    free(pad);
}

/* -------------------------------------------------------------------------- readers */

static struct reader dial(const char *target, int receive_bytes)
{
    struct reader reader = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_port(http)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[128];
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);

    if (receive_bytes > 0)
        (void)setsockopt(reader.fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
                         sizeof receive_bytes);
    ck_assert_int_eq(connect(reader.fd, (struct sockaddr *)&address, sizeof address),
                     0);
    ck_assert_int_eq(send(reader.fd, text, (size_t)len, 0), len);
    return reader;
}

static void reader_clear(struct reader *reader)
{
    (void)close(reader->fd);
    text_buf_clear(&reader->in);
}

/* Count the statuses in what came; only what follows the last one is kept. */
static void count_events(struct reader *reader)
{
    static const char mark[] = "\"number\":";
    char *at;

    while ((at = memmem(reader->in.data, reader->in.len, mark, sizeof mark - 1)) &&
           memchr(at, ',', reader->in.len - (size_t)(at - reader->in.data))) {
        int number = atoi(at + sizeof mark - 1);

        reader->mixed = reader->mixed || number <= reader->newest;
        reader->newest = number;
        reader->events++;
        text_drop_front(&reader->in, (size_t)(at - reader->in.data) + sizeof mark - 1);
    }
    if (reader->in.len > 64 && !at)
        text_drop_front(&reader->in, reader->in.len - 64);
}

static void take(struct reader *reader)
{
    char bytes[65536];
    ssize_t len;

    while ((len = recv(reader->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        text_append_bytes(&reader->in, bytes, (size_t)len);
        count_events(reader);
    }
    reader->is_cut = len == 0 || (errno != EAGAIN && errno != EINTR);
}

static void turn(void)
{
    (void)sse_tick(sse);
    (void)http_tick(http);
    loop_wait(loop, clock_mono_ms() + TURN_MS);
}

/* Until this one has seen the number. */
static void read_to(struct reader *reader, int number)
{
    int64_t deadline_ms = clock_mono_ms() + LIMIT_MS;

    while (reader->newest < number) {
        turn();
        take(reader);
        ck_assert_msg(!reader->is_cut, "hung up on at %d", reader->newest);
        ck_assert_msg(clock_mono_ms() < deadline_ms, "%d of %d", reader->newest,
                      number);
    }
}

static void wait_for_descriptors(int count)
{
    int64_t deadline_ms = clock_mono_ms() + LIMIT_MS;

    while (descriptors_count() != count) {
        turn();
        ck_assert_msg(clock_mono_ms() < deadline_ms, "%d and not %d",
                      descriptors_count(), count);
    }
}

/* ---------------------------------------------------------------------------- tests */

START_TEST(a_slow_reader_gets_the_newest_and_holds_nobody_up)
{
    enum { LAST = 8 };
    struct reader fast = dial("/events", 0);
    struct reader slow = dial("/events", 4096);

    for (int number = 1; number <= LAST; number++) {
        publish(number);
        read_to(&fast, number);
    }
    read_to(&slow, LAST);
    ck_assert_int_eq(fast.events, LAST);
    ck_assert_msg(slow.events < LAST, "%d events were kept for it", slow.events);
    ck_assert(!fast.mixed && !slow.mixed);
    reader_clear(&fast);
    reader_clear(&slow);
}
END_TEST

/* What changes more often goes out twice a second, as it is then. */
START_TEST(many_changes_are_told_together)
{
    struct reader fast = dial("/events", 0);
    int64_t begin_ms = clock_mono_ms();
    int number = 0;

    pad[16] = '\0'; /* small ones */
    while (fast.events < 6 && clock_mono_ms() < begin_ms + LIMIT_MS) {
        publish(++number);
        turn();
        take(&fast);
    }
    ck_assert_int_eq(fast.events, 6);
    ck_assert_int_ge(clock_mono_ms() - begin_ms, (int64_t)5 * 500);
    ck_assert_int_gt(number, fast.events);
    reader_clear(&fast);
}
END_TEST

START_TEST(one_that_takes_nothing_is_hung_up_on)
{
    int before = descriptors_count();
    struct reader deaf = dial("/events", 4096);

    for (int number = 1; number <= 4; number++) {
        struct reader fast = dial("/events", 0);

        publish(number);
        read_to(&fast, number);
        reader_clear(&fast);
    }
    wait_for_descriptors(before + 1); /* its own end is left */
    reader_clear(&deaf);
}
END_TEST

START_TEST(one_that_is_gone_frees_its_place)
{
    int before = descriptors_count();
    struct reader asleep = dial("/events", 0);
    struct reader half = dial("/events", 4096);

    publish(1);
    read_to(&asleep, 1);
    reader_clear(&asleep);
    reader_clear(&half); /* in the middle of an event */
    wait_for_descriptors(before);
}
END_TEST

START_TEST(streams_end_with_the_server_asleep_or_not)
{
    struct error err = {0};
    struct reader asleep = dial("/events", 0);
    struct reader half = dial("/events", 4096);
    const struct http_config config = {
        .host = "127.0.0.1", .port = 17117, .port_count = 1000, .fn = on_request};

    publish(1);
    read_to(&asleep, 1);
    http_close(http);
    take(&asleep);
    ck_assert(asleep.is_cut);
    http = http_open(loop, &config, &err);
    ck_assert_ptr_nonnull(http);
    reader_clear(&asleep);
    reader_clear(&half);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sse");
    TCase *cases = tcase_create("sse");

    tcase_set_timeout(cases, 100);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_slow_reader_gets_the_newest_and_holds_nobody_up);
    tcase_add_test(cases, many_changes_are_told_together);
    tcase_add_test(cases, one_that_takes_nothing_is_hung_up_on);
    tcase_add_test(cases, one_that_is_gone_frees_its_place);
    tcase_add_test(cases, streams_end_with_the_server_asleep_or_not);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
