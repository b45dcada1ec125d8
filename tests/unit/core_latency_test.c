/* SPDX-License-Identifier: MIT */
#include "core/latency.h"
#include "support/suite.h"

#include <check.h>

START_TEST(nothing_has_no_percentile)
{
    const struct latency none = {0};

    ck_assert(latency_percentile(&none, 0.5) < 0);
}
END_TEST

START_TEST(a_percentile_is_in_the_bucket_of_its_record)
{
    /* 50 in less than 1 ms, 49 from 4 to 8 ms, one from 512 to 1024 ms */
    const struct latency latency = {.buckets = {[0] = 50, [3] = 49, [10] = 1}};

    ck_assert_double_eq(latency_percentile(&latency, 0.5), 1);
    ck_assert_double_eq(latency_percentile(&latency, 0.25), 0.5);
    ck_assert_double_eq(latency_percentile(&latency, 0.99), 8);
    ck_assert_double_eq(latency_percentile(&latency, 1), 1024);
}
END_TEST

START_TEST(what_came_since_is_the_difference_and_a_new_process_counts_anew)
{
    const struct latency before = {.buckets = {[1] = 7, [2] = 3}};
    const struct latency now = {.buckets = {[1] = 9, [2] = 3, [5] = 1}};
    struct latency out;

    latency_since(&now, &before, &out);
    ck_assert_int_eq(out.buckets[1], 2);
    ck_assert_int_eq(out.buckets[2], 0);
    ck_assert_int_eq(out.buckets[5], 1);
    latency_since(&before, &now, &out);
    ck_assert_int_eq(out.buckets[1], 7);
    latency_add(&out, &now);
    ck_assert_int_eq(out.buckets[1], 16);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_latency");
    TCase *tcase = tcase_create("latency");

    tcase_add_test(tcase, nothing_has_no_percentile);
    tcase_add_test(tcase, a_percentile_is_in_the_bucket_of_its_record);
    tcase_add_test(tcase,
                   what_came_since_is_the_difference_and_a_new_process_counts_anew);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
