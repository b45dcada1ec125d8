/* SPDX-License-Identifier: MIT
 *
 * Large answers over real sockets, in one thread, to clients that don't take them.
 */
#include "web/http.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE = 64 << 20, FIT = HTTP_HELD_MAX / LARGE, LIMIT_MS = 45000, TURN_MS = 5 };

static struct loop *loop;
static struct http *http;

static void on_request(void *arg, struct http_request *request)
{
    (void)arg;
    if (strcmp(http_target(request), "/well") == 0)
        http_answer(request, 200, "text/plain", mem_strdup("well"), 4);
    else
        http_answer(request, 200, "text/plain", mem_alloc(LARGE), LARGE);
}

static void set_up(void)
{
    struct error err = {0};
    const struct http_config config = {
        .host = "127.0.0.1", .port = 17117, .port_count = 1000, .fn = on_request};

    loop = loop_new(&err);
    http = http_open(loop, &config, &err);
    ck_assert_msg(http != NULL, "%s", err.text);
}

static void tear_down(void)
{
    http_close(http);
    loop_free(loop);
}

static int dial(const char *target)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_port(http)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[128];
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(send(fd, text, (size_t)len, 0), len);
    return fd;
}

/* The status of the answer; no more than its first bytes are taken. */
static int status_of(int fd)
{
    int64_t deadline_ms = clock_mono_ms() + LIMIT_MS;
    char line[] = "HTTP/1.1 200";

    while (recv(fd, line, sizeof line - 1, MSG_DONTWAIT) != sizeof line - 1) {
        ck_assert_msg(clock_mono_ms() < deadline_ms, "no answer");
        (void)http_tick(http);
        loop_wait(loop, clock_mono_ms() + TURN_MS);
    }
    return atoi(strchr(line, ' '));
}

static int ask(const char *target)
{
    int fd = dial(target);
    int status = status_of(fd);

    (void)close(fd);
    return status;
}

START_TEST(those_that_do_not_read_make_the_server_hold_only_so_much)
{
    int64_t deadline_ms = clock_mono_ms() + LIMIT_MS;
    int deaf[FIT];
    int status;

    for (int i = 0; i < FIT; i++) {
        deaf[i] = dial("/large");
        ck_assert_int_eq(status_of(deaf[i]), 200);
    }
    ck_assert_int_eq(ask("/large"), 503);
    ck_assert_int_eq(ask("/well"), 200);
    (void)close(deaf[0]);
    do {
        status = ask("/large");
        ck_assert_msg(clock_mono_ms() < deadline_ms, "its place was not freed");
    } while (status == 503);
    ck_assert_int_eq(status, 200);
    for (int i = 1; i < FIT; i++)
        (void)close(deaf[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answer");
    TCase *cases = tcase_create("answer");

    tcase_set_timeout(cases, 100);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, those_that_do_not_read_make_the_server_hold_only_so_much);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
