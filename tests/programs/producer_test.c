/* SPDX-License-Identifier: MIT */
#include "fake.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int producer_main(int argc, char **argv);

static struct dagnode *n;

static void set_up(void)
{
    n = fake_new(producer_main);
}

static void tear_down(void)
{
    fake_free(n);
}

START_TEST(a_producer_goes_on_with_the_next_record)
{
    struct fake_record all[20];

    fake_option(n, "count", "20");
    ck_assert_int_eq(fake_start(n, 0), 0);
    ck_assert_int_eq(fake_poll(n), DAGNODE_END);
    ck_assert_uint_eq(n->count, 20);
    memcpy(all, n->records, sizeof all);
    fake_stop(n);
    for (int64_t position = 0; position <= 20; position++) {
        ck_assert_int_eq(fake_start(n, position), 0);
        ck_assert_int_eq(fake_poll(n), DAGNODE_END);
        ck_assert_int_eq((int64_t)n->count, 20 - position);
        for (size_t i = 0; i < n->count; i++)
            ck_assert_mem_eq(&n->records[i], &all[(size_t)position + i], sizeof *all);
        fake_stop(n);
    }
}
END_TEST

START_TEST(values_have_exactly_the_size_that_was_asked_for)
{
    for (int size = 60; size < 120; size++) {
        char text[16];

        (void)snprintf(text, sizeof text, "%d", size);
        tear_down();
        set_up();
        fake_option(n, "count", "1");
        fake_option(n, "size", text);
        ck_assert_int_eq(fake_start(n, 0), 0);
        ck_assert_int_eq(fake_poll(n), DAGNODE_END);
        ck_assert_uint_eq(n->records[0].len, (size_t)size);
        fake_stop(n);
    }
}
END_TEST

START_TEST(keys_come_in_turn)
{
    fake_option(n, "count", "5");
    fake_option(n, "keys", "2");
    ck_assert_int_eq(fake_start(n, 0), 0);
    ck_assert_int_eq(fake_poll(n), DAGNODE_END);
    ck_assert_str_eq(n->records[0].key, "key-1");
    ck_assert_str_eq(n->records[1].key, "key-2");
    ck_assert_str_eq(n->records[4].key, "key-1");
    fake_stop(n);
}
END_TEST

START_TEST(a_rate_lets_the_first_record_go_and_holds_the_second_back)
{
    fake_option(n, "rate", "0.001");
    ck_assert_int_eq(fake_start(n, 0), 0);
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 1);
    ck_assert_int_eq(fake_poll(n), DAGNODE_WAIT);
    ck_assert_uint_eq(n->count, 0);
    fake_stop(n);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("producer");
    TCase *tcase = tcase_create("producer");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_producer_goes_on_with_the_next_record);
    tcase_add_test(tcase, values_have_exactly_the_size_that_was_asked_for);
    tcase_add_test(tcase, keys_come_in_turn);
    tcase_add_test(tcase, a_rate_lets_the_first_record_go_and_holds_the_second_back);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
