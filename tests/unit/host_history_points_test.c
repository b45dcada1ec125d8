/* SPDX-License-Identifier: MIT */
#include "host/history.h"
#include "host/history_read.h"
#include "support/history_fixture.h"
#include "support/suite.h"

#include <check.h>

enum { SECOND = 1000 };

static struct history *history;
static struct mem_arena arena;
static int64_t number;

/* Each run has a runner of its own. */
static void begin_run(void)
{
    const struct history_run run = {
        .dag = {.dag = "a", .path = "/a.yaml"}, .text = "name: a\n", .hash = "x"};
    struct error err = {0};

    history_close(history);
    history = history_open(fixture.path, false, &err);
    ck_assert_msg(history != NULL, "%s", err.text);
    ck_assert_msg(history_run_begin(history, &run, &number, &err) == 0, "%s", err.text);
}

static void set_up(void)
{
    fixture_begin();
    begin_run();
}

static void tear_down(void)
{
    history_close(history);
    history = NULL;
    mem_arena_clear(&arena);
    fixture_end();
}

/* Seconds [from, to): the rate is the second, but for one that stands out. */
static void fill(int from, int to, int peak)
{
    for (int second = from; second < to; second++) {
        const struct history_sample sample = {.ts_ms = second * INT64_C(1000),
                                              .series = HISTORY_NODE,
                                              .id = "n",
                                              .in_per_s =
                                                  second == peak ? 9999 : second,
                                              .backlog = second % 2 ? 7 : -1,
                                              .p50_ms = -1,
                                              .p99_ms = second == peak ? 500 : -1};

        history_sample(history, &sample);
        if (second % 100 == 0)
            history_tick(history);
    }
    history_tick(history);
}

static struct history_points points(int from, int to, int count)
{
    const struct history_sample_query query = {.dag = "a",
                                               .run = number,
                                               .series = HISTORY_NODE,
                                               .id = "n",
                                               .since_ms = from * INT64_C(1000),
                                               .until_ms = to * INT64_C(1000) - 1,
                                               .points = count};
    struct history_points out;
    struct error err = {0};

    ck_assert_msg(history_points(history, &query, &arena, &out, &err) == 0, "%s",
                  err.text);
    return out;
}

START_TEST(a_short_span_has_a_point_a_second)
{
    struct history_points out;

    fill(0, 100, 50);
    out = points(10, 30, 500);
    ck_assert_uint_eq(out.count, 20);
    ck_assert_int_eq(out.step_ms, SECOND);
    ck_assert_int_eq(out.items[3].ts_ms, 13 * SECOND);
    ck_assert_double_eq(out.items[3].metrics[HISTORY_IN].mean, 13);
    ck_assert_int_eq(out.items[3].metrics[HISTORY_IN].count, 1);
}
END_TEST

START_TEST(fewer_points_keep_least_and_greatest)
{
    struct history_points out;
    const struct history_metric *in;

    fill(0, 100, 55);
    out = points(0, 100, 10);
    ck_assert_uint_eq(out.count, 10);
    ck_assert_int_eq(out.step_ms, 10 * SECOND);
    in = &out.items[5].metrics[HISTORY_IN];
    ck_assert_double_eq(in->min, 50);
    ck_assert_double_eq(in->max, 9999);
    ck_assert_double_eq_tol(in->mean, (545 - 55 + 9999) / 10.0, 1e-6);
}
END_TEST

START_TEST(what_is_unknown_is_no_number)
{
    struct history_points out;

    fill(0, 100, 55);
    out = points(0, 100, 10);
    ck_assert_int_eq(out.items[2].metrics[HISTORY_BACKLOG].count, 5);
    ck_assert_double_eq(out.items[2].metrics[HISTORY_BACKLOG].min, 7);
    ck_assert_int_eq(out.items[2].metrics[HISTORY_P99].count, 0);
    ck_assert_double_eq(out.items[5].metrics[HISTORY_P99].max, 500);
    ck_assert_int_eq(out.items[5].metrics[HISTORY_P50].count, 0);
}
END_TEST

START_TEST(what_the_seconds_have_lost_comes_from_a_coarser_ring)
{
    struct history_points out;

    fill(0, 1300, 55);
    out = points(0, 1300, 130);
    ck_assert_uint_eq(out.count, 130);
    ck_assert_int_eq(out.items[5].tier, 1);
    ck_assert_double_eq_tol(out.items[6].metrics[HISTORY_IN].mean, 64.5, 1e-6);
    ck_assert_double_eq(out.items[5].metrics[HISTORY_P99].max, 500);
    ck_assert_int_eq(out.items[100].tier, 0);
    ck_assert_double_eq_tol(out.items[100].metrics[HISTORY_IN].mean, 1004.5, 1e-6);
}
END_TEST

START_TEST(a_later_run_has_only_its_own)
{
    fill(0, 100, -1);
    begin_run();
    ck_assert_uint_eq(points(0, 100, 500).count, 0);
    fill(100, 110, -1);
    ck_assert_uint_eq(points(0, 200, 500).count, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host_history_points");
    TCase *tcase = tcase_create("points");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_short_span_has_a_point_a_second);
    tcase_add_test(tcase, fewer_points_keep_least_and_greatest);
    tcase_add_test(tcase, what_is_unknown_is_no_number);
    tcase_add_test(tcase, what_the_seconds_have_lost_comes_from_a_coarser_ring);
    tcase_add_test(tcase, a_later_run_has_only_its_own);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
