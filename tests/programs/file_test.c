/* SPDX-License-Identifier: MIT */
#include "fake.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int file_main(int argc, char **argv);

/* Every test has a folder of its own as working folder. */
static char folder[] = "/tmp/file_test.XXXXXX";
static struct dagnode *n;

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    n = fake_new(file_main);
    fake_option(n, "path", "out");
    ck_assert_int_eq(fake_start(n, 0), 0);
}

static void tear_down(void)
{
    fake_stop(n);
    fake_free(n);
    (void)unlink("out");
    (void)unlink("moved");
    (void)unlink("out.torn");
    ck_assert_int_eq(rmdir(folder), 0);
}

static int record(const char *value)
{
    return fake_record(n, value, strlen(value));
}

static void check_file(const char *name, const char *expected)
{
    char text[256] = "";
    FILE *file = fopen(name, "r");

    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_commit_writes_what_was_handled)
{
    ck_assert_int_eq(record("a"), 0);
    check_file("out", "");
    ck_assert_int_eq(fake_commit(n), 0);
    check_file("out", "a\n");
    ck_assert_int_eq(fake_commit(n), 0);
    check_file("out", "a\n");
}
END_TEST

START_TEST(line_breaks_are_taken_out_of_json_and_of_nothing_else)
{
    ck_assert_int_eq(record("{\n  \"a\": 1.0,\n  \"b\": \"x\\ny\"\n}"), 0);
    ck_assert_int_eq(record("two\nlines"), -1);
    ck_assert_int_eq(n->err.kind, DAGNODE_SINK);
    ck_assert_str_eq(n->err.text,
                     "the value has a line break and is not JSON: it can't be "
                     "one line of a file");
    ck_assert_int_eq(fake_commit(n), 0);
    check_file("out", "{\"a\":1.0,\"b\":\"x\\ny\"}\n");
}
END_TEST

START_TEST(a_record_without_value_is_a_dead_letter_and_an_empty_one_is_a_line)
{
    ck_assert_int_eq(fake_record(n, NULL, 0), -1);
    ck_assert_int_eq(n->err.kind, DAGNODE_SINK);
    ck_assert_str_eq(n->err.text,
                     "no value: a record without one can't be a line of a file");
    ck_assert_int_eq(record(""), 0);
    ck_assert_int_eq(fake_commit(n), 0);
    check_file("out", "\n");
}
END_TEST

START_TEST(a_file_that_is_moved_away_is_followed_by_a_new_one)
{
    ck_assert_int_eq(record("a"), 0);
    ck_assert_int_eq(fake_commit(n), 0);
    ck_assert_int_eq(rename("out", "moved"), 0);
    ck_assert_int_eq(record("b"), 0);
    ck_assert_int_eq(fake_commit(n), 0);
    check_file("moved", "a\n");
    check_file("out", "b\n");
}
END_TEST

START_TEST(many_records_go_out_before_the_commit_in_large_writes)
{
    static char value[70000];
    FILE *file;

    memset(value, 'x', sizeof value);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(fake_record(n, value, sizeof value), 0);
    file = fopen("out", "r");
    (void)fseek(file, 0, SEEK_END);
    ck_assert_int_eq(ftell(file), 4 * ((long)sizeof value + 1));
    (void)fclose(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("file");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_commit_writes_what_was_handled);
    tcase_add_test(tcase, line_breaks_are_taken_out_of_json_and_of_nothing_else);
    tcase_add_test(tcase,
                   a_record_without_value_is_a_dead_letter_and_an_empty_one_is_a_line);
    tcase_add_test(tcase, a_file_that_is_moved_away_is_followed_by_a_new_one);
    tcase_add_test(tcase, many_records_go_out_before_the_commit_in_large_writes);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
