/* SPDX-License-Identifier: MIT */
#include "sdk/spread.h"
#include "support/suite.h"

#include <check.h>

enum { PARTITIONS = 8 };

static struct spread spread;
static int64_t got[PARTITIONS];

static void begin_counting_again(void)
{
    for (int i = 0; i < PARTITIONS; i++)
        got[i] = 0;
}

static void begin(void)
{
    spread = (struct spread){.turn = 4000000000u}; /* it may overflow */
    begin_counting_again();
}

static void write_records(int64_t count, int64_t now_ms)
{
    for (int64_t i = 0; i < count; i++)
        got[spread_next(&spread, PARTITIONS, now_ms)]++;
}

static int64_t least(void)
{
    int64_t min = got[0];

    for (int i = 1; i < PARTITIONS; i++)
        min = got[i] < min ? got[i] : min;
    return min;
}

static int64_t most(void)
{
    int64_t max = got[0];

    for (int i = 1; i < PARTITIONS; i++)
        max = got[i] > max ? got[i] : max;
    return max;
}

START_TEST(as_many_records_as_partitions_go_to_each_of_them)
{
    write_records(PARTITIONS, 5000);
    ck_assert_int_eq(least(), 1);
}
END_TEST

START_TEST(a_burst_is_spread_evenly_whatever_its_size)
{
    static const int64_t sizes[] = {24, 100, 804, 10001, 300000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        begin();
        write_records(sizes[i], 5000);
        ck_assert_int_ge(least(), sizes[i] / PARTITIONS * 3 / 4);
        ck_assert_int_le(most(), sizes[i] / PARTITIONS * 3 / 2);
    }
}
END_TEST

START_TEST(a_fast_writer_stays_long_enough_to_fill_batches)
{
    uint32_t before = 0;
    int changes = 0;

    write_records(1000000, 5000);
    for (int i = 0; i < 100000; i++) {
        uint32_t partition = spread_next(&spread, PARTITIONS, 5000);

        changes += partition != before;
        before = partition;
    }
    ck_assert_int_le(changes, 100000 / SPREAD_CHUNK_MAX + 1);
}
END_TEST

START_TEST(a_steady_writer_changes_with_time)
{
    for (int64_t now_ms = 5000; now_ms < 5000 + 8000; now_ms++)
        write_records(1, now_ms);
    ck_assert_int_ge(least(), 900);
    ck_assert_int_le(most(), 1100);
}
END_TEST

START_TEST(a_steady_writer_changes_with_time_only)
{
    uint32_t before = 0;
    int changes = 0;

    for (int64_t now_ms = 5000; now_ms < 5000 + 20000; now_ms++) {
        uint32_t partition = spread_next(&spread, PARTITIONS, now_ms);

        changes += now_ms >= 15000 && partition != before;
        before = partition;
    }
    ck_assert_int_le(changes, 10000 / SPREAD_TURN_MS + 10);
}
END_TEST

START_TEST(a_burst_after_a_fast_time_is_spread_as_the_first)
{
    write_records(1000000, 5000);
    begin_counting_again();
    write_records(PARTITIONS + 1, 6000);
    ck_assert_int_eq(least(), 1);
}
END_TEST

START_TEST(a_burst_in_a_steady_flow_is_spread)
{
    write_records(1000000, 5000);
    for (int64_t now_ms = 5010; now_ms < 7000; now_ms++)
        write_records(1, now_ms);
    begin_counting_again();
    write_records(1000, 7000);
    ck_assert_int_ge(least(), 70);
}
END_TEST

START_TEST(one_record_now_and_then_visits_all)
{
    for (int i = 0; i < PARTITIONS; i++)
        write_records(1, 5000 + 1000 * i);
    ck_assert_int_eq(least(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sdk/spread");
    TCase *tcase = tcase_create("spread");

    tcase_add_checked_fixture(tcase, begin, NULL);
    tcase_add_test(tcase, as_many_records_as_partitions_go_to_each_of_them);
    tcase_add_test(tcase, a_burst_is_spread_evenly_whatever_its_size);
    tcase_add_test(tcase, a_fast_writer_stays_long_enough_to_fill_batches);
    tcase_add_test(tcase, a_steady_writer_changes_with_time);
    tcase_add_test(tcase, a_steady_writer_changes_with_time_only);
    tcase_add_test(tcase, a_burst_after_a_fast_time_is_spread_as_the_first);
    tcase_add_test(tcase, a_burst_in_a_steady_flow_is_spread);
    tcase_add_test(tcase, one_record_now_and_then_visits_all);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
