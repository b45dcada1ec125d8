/* SPDX-License-Identifier: MIT */
#include "fake.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int print_main(int argc, char **argv);

/* stdout is a file for the time of a test. */
static char path[] = "/tmp/print_test.XXXXXX";
static struct dagnode *n;
static int terminal;

static void set_up(void)
{
    int fd = mkstemp(path);

    (void)fflush(stdout);
    terminal = dup(STDOUT_FILENO);
    ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(fd);
    n = fake_new(print_main);
    ck_assert_int_eq(fake_start(n, 0), 0);
}

static void tear_down(void)
{
    fake_stop(n);
    fake_free(n);
    ck_assert_int_eq(dup2(terminal, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(terminal);
    (void)unlink(path);
}

static void check_printed(const char *expected)
{
    char text[256] = "";
    FILE *file = fopen(path, "r");

    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_line_break_in_a_value_makes_no_second_line)
{
    ck_assert_int_eq(fake_record(n, "a\nResult of operation sum is ::: 7", 34), 0);
    ck_assert_int_eq(fake_commit(n), 0);
    check_printed("a\\x0aResult of operation sum is ::: 7\n");
}
END_TEST

START_TEST(no_value_and_an_empty_one_are_told_apart)
{
    ck_assert_int_eq(fake_record(n, NULL, 0), 0);
    ck_assert_int_eq(fake_record(n, "", 0), 0);
    ck_assert_int_eq(fake_commit(n), 0);
    check_printed("(no value)\n\n");
}
END_TEST

START_TEST(a_line_after_a_quiet_time_is_shown_at_once)
{
    (void)usleep(50 * 1000);
    ck_assert_int_eq(fake_record(n, "now", 3), 0);
    check_printed("now\n");
}
END_TEST

START_TEST(output_that_can_not_be_written_stops_the_client)
{
    ck_assert_ptr_nonnull(freopen("/dev/full", "w", stdout));
    (void)fake_record(n, "a", 1);
    ck_assert_int_eq(fake_commit(n), -1);
    ck_assert_int_eq(n->err.kind, DAGNODE_FATAL);
    ck_assert_str_eq(n->err.text, "can't write to stdout: No space left on device");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("print");
    TCase *tcase = tcase_create("print");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_line_break_in_a_value_makes_no_second_line);
    tcase_add_test(tcase, no_value_and_an_empty_one_are_told_apart);
    tcase_add_test(tcase, a_line_after_a_quiet_time_is_shown_at_once);
    tcase_add_test(tcase, output_that_can_not_be_written_stops_the_client);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
