/* SPDX-License-Identifier: MIT */
#include "sdk/window.h"
#include "support/suite.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct window window;

static void begin(void)
{
    const struct window_totals before = {.in = 5, .answered = 5, .out = 9};

    window_init(&window, 100, &before);
}

static void end(void)
{
    window_clear(&window);
}

START_TEST(low_never_passes_an_unfinished_record)
{
    uint64_t a = window_take(&window, 100), b = window_take(&window, 101),
             c = window_take(&window, 102);

    window_release(&window, c);
    window_release(&window, b);
    ck_assert_int_eq(window.low, 100);
    ck_assert_int_eq(window.totals.in, 5);
    ck_assert_int_eq(window.unfinished, 1);
    window_release(&window, a);
    ck_assert_int_eq(window.low, 103);
    ck_assert_int_eq(window.totals.in, 8);
    ck_assert_int_eq(window.unfinished, 0);
}
END_TEST

START_TEST(offsets_may_have_holes)
{
    uint64_t a = window_take(&window, 107), b = window_take(&window, 900);

    window_release(&window, a);
    ck_assert_int_eq(window.low, 108);
    window_release(&window, b);
    ck_assert_int_eq(window.low, 901);
    ck_assert_int_eq(window.next_offset, 901);
}
END_TEST

START_TEST(a_record_waits_for_all_its_writes)
{
    uint64_t a = window_take(&window, 100);

    window_slot(&window, a)->pending += 2;
    window_release(&window, a);
    window_slot(&window, a)->out++;
    window_release(&window, a);
    ck_assert_int_eq(window.low, 100);
    window_slot(&window, a)->out++;
    window_release(&window, a);
    ck_assert_int_eq(window.low, 101);
    ck_assert_int_eq(window.totals.out, 11);
    ck_assert_int_eq(window.totals.answered, 6);
}
END_TEST

START_TEST(outcomes_are_counted_apart)
{
    uint64_t a = window_take(&window, 100), b = window_take(&window, 101);

    window_slot(&window, a)->outcome = WINDOW_DEAD;
    window_slot(&window, b)->outcome = WINDOW_DROPPED;
    window_release(&window, b);
    window_release(&window, a);
    ck_assert_int_eq(window.totals.in, 7);
    ck_assert_int_eq(window.totals.answered, 5);
    ck_assert_int_eq(window.totals.dead, 1);
    ck_assert_int_eq(window.totals.dropped, 1);
}
END_TEST

START_TEST(a_skip_is_for_an_empty_window_and_forward_only)
{
    uint64_t a = window_take(&window, 100);

    window_skip_to(&window, 120);
    ck_assert_int_eq(window.low, 100);
    window_release(&window, a);
    window_skip_to(&window, 90);
    ck_assert_int_eq(window.low, 101);
    window_skip_to(&window, 120);
    ck_assert_int_eq(window.low, 120);
    ck_assert_int_eq(window.next_offset, 120);
    ck_assert_int_eq(window.totals.in, 6);
}
END_TEST

/* A model beside it: finish in random order, grow, go around the ring many times. */
START_TEST(random_orders_agree_with_a_model)
{
    enum { COUNT = 20000, AHEAD = 1500 };
    static bool done[COUNT];
    int taken = 0, low = 0;

    srand(7);
    while (low < COUNT) {
        int pick;

        if (taken < COUNT && taken - low < AHEAD && rand() % 2) {
            ck_assert_uint_eq(window_take(&window, 100 + taken), (uint64_t)taken);
            taken++;
            continue;
        }
        if (taken == low)
            continue;
        pick = low + rand() % (taken - low);
        if (done[pick])
            pick = low;
        done[pick] = true;
        window_release(&window, (uint64_t)pick);
        while (low < taken && done[low])
            low++;
        ck_assert_int_eq(window.low, 100 + low);
        ck_assert_int_eq(window.totals.in, 5 + low);
        ck_assert_uint_eq(window_span(&window), (uint64_t)(taken - low));
    }
    ck_assert_int_eq(window.unfinished, 0);
}
END_TEST

START_TEST(totals_are_written_as_the_contract_says)
{
    char text[WINDOW_METADATA];
    const struct window_totals totals = {INT64_MAX, 2, 3, 4, 5};
    size_t len = window_format_totals(&totals, text);

    ck_assert_str_eq(text, "{\"in\":9223372036854775807,\"answered\":2,\"dropped\":3,"
                           "\"dead\":4,\"out\":5}");
    ck_assert_uint_eq(len, strlen(text));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sdk/window");
    TCase *tcase = tcase_create("window");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, low_never_passes_an_unfinished_record);
    tcase_add_test(tcase, offsets_may_have_holes);
    tcase_add_test(tcase, a_record_waits_for_all_its_writes);
    tcase_add_test(tcase, outcomes_are_counted_apart);
    tcase_add_test(tcase, a_skip_is_for_an_empty_window_and_forward_only);
    tcase_add_test(tcase, random_orders_agree_with_a_model);
    tcase_add_test(tcase, totals_are_written_as_the_contract_says);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
