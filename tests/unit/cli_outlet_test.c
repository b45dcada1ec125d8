/* SPDX-License-Identifier: MIT */
#include "cli/outlet.h"
#include "support/suite.h"

#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t read_all(int fd)
{
    char data[65536];
    size_t sum = 0;
    ssize_t len;

    while ((len = read(fd, data, sizeof data)) > 0)
        sum += (size_t)len;
    return sum;
}

START_TEST(a_line_goes_through_at_once)
{
    int ends[2];
    char data[16];
    struct outlet outlet;

    ck_assert_int_eq(pipe(ends), 0);
    outlet = (struct outlet){.fd = ends[1]};
    outlet_line(&outlet, "hello", 5);
    ck_assert_int_eq(read(ends[0], data, sizeof data), 6);
    ck_assert_int_eq(memcmp(data, "hello\n", 6), 0);
    outlet_close(&outlet);
}
END_TEST

START_TEST(a_reader_that_does_not_read_stops_nobody_and_loses_no_order)
{
    static char line[1000];
    int ends[2];
    struct outlet outlet;
    int64_t dropped;
    pid_t reader;
    int status;

    memset(line, 'x', sizeof line);
    ck_assert_int_eq(pipe(ends), 0);
    outlet = (struct outlet){.fd = ends[1]};
    for (int i = 0; i < 6000; i++)
        outlet_line(&outlet, line, sizeof line); /* would block for ever */
    ck_assert(!outlet_flush(&outlet));
    ck_assert_uint_le(outlet.kept.len, OUTLET_KEPT_BYTES);
    dropped = outlet_take_dropped(&outlet);
    ck_assert_int_gt(dropped, 0);
    reader = fork();
    if (reader == 0) {
        (void)close(ends[1]);
        _exit(read_all(ends[0]) == (size_t)(6000 - dropped) * 1001 ? 0 : 1);
    }
    outlet_close(&outlet);
    (void)close(ends[1]);
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_reader_that_is_gone_is_no_error)
{
    int ends[2];
    struct outlet outlet;

    (void)signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    (void)close(ends[0]);
    outlet = (struct outlet){.fd = ends[1]};
    outlet_line(&outlet, "hello", 5);
    outlet_line(&outlet, "again", 5);
    ck_assert(outlet.broken);
    outlet_close(&outlet);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_outlet");
    TCase *tcase = tcase_create("outlet");

    tcase_add_test(tcase, a_line_goes_through_at_once);
    tcase_add_test(tcase, a_reader_that_does_not_read_stops_nobody_and_loses_no_order);
    tcase_add_test(tcase, a_reader_that_is_gone_is_no_error);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
