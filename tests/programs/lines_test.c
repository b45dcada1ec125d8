/* SPDX-License-Identifier: MIT */
#include "fake.h"
#include "support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int lines_main(int argc, char **argv);

/* Every test has a folder of its own as working folder, and a file "log" in it. */
static char folder[] = "/tmp/lines_test.XXXXXX";
static struct dagnode *n;

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    n = fake_new(lines_main);
    fake_option(n, "path", "log");
}

static void tear_down(void)
{
    fake_free(n);
    (void)unlink("log");
    (void)unlink("old");
    ck_assert_int_eq(rmdir(folder), 0);
}

static void write_file(const char *mode, const char *text)
{
    FILE *file = fopen("log", mode);

    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static void check_record(size_t index, const char *value, int64_t position)
{
    ck_assert_uint_lt(index, n->count);
    ck_assert_str_eq(n->records[index].value, value);
    ck_assert_uint_eq(n->records[index].len, strlen(value));
    ck_assert_int_eq(n->records[index].position, position);
}

START_TEST(a_position_is_the_byte_after_its_line)
{
    write_file("w", "a\n\nlast");
    ck_assert_int_eq(fake_start(n, 0), 0);
    ck_assert_int_eq(fake_poll(n), DAGNODE_END);
    ck_assert_uint_eq(n->count, 3);
    check_record(0, "a", 2);
    check_record(1, "", 3);
    check_record(2, "last", 7);
    fake_stop(n);
}
END_TEST

START_TEST(reading_goes_on_at_every_position_without_a_gap)
{
    static const struct {
        int64_t position;
        size_t count;
    } cases[] = {{0, 3}, {2, 2}, {3, 1}, {7, 0}};

    write_file("w", "a\n\nlast");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(fake_start(n, cases[i].position), 0);
        ck_assert_int_eq(fake_poll(n), DAGNODE_END);
        ck_assert_uint_eq(n->count, cases[i].count);
        if (n->count > 0)
            check_record(n->count - 1, "last", 7);
        fake_stop(n);
    }
}
END_TEST

START_TEST(another_file_under_the_name_is_refused)
{
    static const char text[] = "log is not the file that was read up to byte 4: it is "
                               "shorter, or no line ends there; start with --fresh to "
                               "read it from its beginning";

    write_file("w", "a\nb");
    ck_assert_int_eq(fake_start(n, 4), -1);
    ck_assert_int_eq(n->err.kind, DAGNODE_FATAL);
    ck_assert_str_eq(n->err.text, text);
    write_file("w", "no line ends at byte four\n");
    ck_assert_int_eq(fake_start(n, 4), -1);
    ck_assert_str_eq(n->err.text, text);
}
END_TEST

START_TEST(a_followed_file_that_was_replaced_meanwhile_is_read_from_its_beginning)
{
    fake_option(n, "follow", "true");
    write_file("w", "a\n");
    ck_assert_int_eq(fake_start(n, 1000), 0);
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 1);
    check_record(0, "a", 2);
    fake_stop(n);
}
END_TEST

START_TEST(a_followed_file_grows_is_rotated_and_is_cut)
{
    fake_option(n, "follow", "true");
    ck_assert_int_eq(fake_start(n, 0), 0);
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT); /* it is not there yet */
    write_file("w", "a\nhalf");
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 1);
    write_file("a", " line\nend");
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 1);
    check_record(0, "half line", 12);

    ck_assert_int_eq(rename("log", "old"), 0);
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 0);
    write_file("w", "new\n");
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 2);
    check_record(0, "end", 15);
    check_record(1, "new", 4);

    write_file("w", "x\n");
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 1);
    check_record(0, "x", 2);
    fake_stop(n);
}
END_TEST

START_TEST(a_pipe_is_read_to_its_end_and_waits_for_its_first_writer)
{
    int fd;

    ck_assert_int_eq(mkfifo("log", 0600), 0);
    ck_assert_int_eq(fake_start(n, 5), 0); /* a position means nothing here */
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    fd = open("log", O_WRONLY);
    ck_assert_int_eq(write(fd, "a\nb", 3), 3);
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 1);
    ck_assert_int_eq(write(fd, "c", 1), 1);
    (void)close(fd);
    ck_assert_int_eq(fake_poll(n), DAGNODE_END);
    ck_assert_uint_eq(n->count, 1);
    check_record(0, "bc", 4);
    fake_stop(n);
}
END_TEST

START_TEST(a_member_of_the_line_becomes_the_key)
{
    fake_option(n, "key", "id");
    write_file("w", "{\"id\":\"k\\n\"}\n{\"id\":1.50}\n{\"id\":null}\n{}\ntext\n");
    ck_assert_int_eq(fake_start(n, 0), 0);
    ck_assert_int_eq(fake_poll(n), DAGNODE_END);
    ck_assert_uint_eq(n->count, 5);
    ck_assert_str_eq(n->records[0].key, "k\n");
    ck_assert_str_eq(n->records[1].key, "1.50");
    for (size_t i = 2; i < 5; i++)
        ck_assert_str_eq(n->records[i].key, "");
    fake_stop(n);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lines");
    TCase *tcase = tcase_create("lines");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_position_is_the_byte_after_its_line);
    tcase_add_test(tcase, reading_goes_on_at_every_position_without_a_gap);
    tcase_add_test(tcase, another_file_under_the_name_is_refused);
    tcase_add_test(
        tcase, a_followed_file_that_was_replaced_meanwhile_is_read_from_its_beginning);
    tcase_add_test(tcase, a_followed_file_grows_is_rotated_and_is_cut);
    tcase_add_test(tcase, a_pipe_is_read_to_its_end_and_waits_for_its_first_writer);
    tcase_add_test(tcase, a_member_of_the_line_becomes_the_key);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
