/* SPDX-License-Identifier: MIT */
#include "core/stall.h"
#include "support/suite.h"

START_TEST(it_stalls_once_when_records_wait_and_nothing_moves)
{
    struct stall stall = {0};

    ck_assert_int_eq(stall_see(&stall, true, 7, 1000), STALL_SAME);
    ck_assert_int_eq(stall_see(&stall, true, 7, 2000), STALL_SAME);
    ck_assert_int_eq(stall_see(&stall, true, 7, 2000 + STALL_AFTER_MS - 1), STALL_SAME);
    ck_assert_int_eq(stall_see(&stall, true, 7, 2000 + STALL_AFTER_MS), STALL_BEGINS);
    ck_assert_int_eq(stall_see(&stall, true, 7, 2000 + 9 * STALL_AFTER_MS), STALL_SAME);
}
END_TEST

START_TEST(it_goes_on_with_the_first_record_or_when_none_waits)
{
    for (int empty = 0; empty < 2; empty++) {
        struct stall stall = {0};

        (void)stall_see(&stall, true, 0, 1000);
        ck_assert_int_eq(stall_see(&stall, true, 0, 1000 + STALL_AFTER_MS), STALL_BEGINS);
        ck_assert_int_eq(stall_see(&stall, !empty, !empty, 2000 + STALL_AFTER_MS),
                         STALL_ENDS);
        ck_assert_int_eq(stall_see(&stall, !empty, !empty, 3000 + STALL_AFTER_MS),
                         STALL_SAME);
    }
}
END_TEST

START_TEST(time_in_which_nothing_waited_does_not_count)
{
    struct stall stall = {0};

    (void)stall_see(&stall, true, 7, 1000);
    (void)stall_see(&stall, false, 7, STALL_AFTER_MS);
    ck_assert_int_eq(stall_see(&stall, true, 7, 1000 + STALL_AFTER_MS), STALL_SAME);
    ck_assert_int_eq(stall_see(&stall, true, 7, 1000 + 2 * STALL_AFTER_MS), STALL_BEGINS);
}
END_TEST

START_TEST(a_slow_node_that_moves_at_all_is_none)
{
    struct stall stall = {0};

    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(stall_see(&stall, true, i, 1000 + i * (STALL_AFTER_MS - 1)),
                         STALL_SAME);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_stall");
    TCase *tcase = tcase_create("stall");

    tcase_add_test(tcase, it_stalls_once_when_records_wait_and_nothing_moves);
    tcase_add_test(tcase, it_goes_on_with_the_first_record_or_when_none_waits);
    tcase_add_test(tcase, time_in_which_nothing_waited_does_not_count);
    tcase_add_test(tcase, a_slow_node_that_moves_at_all_is_none);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
