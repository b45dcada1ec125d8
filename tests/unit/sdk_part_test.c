/* SPDX-License-Identifier: MIT */
#include "sdk/part.h"
#include "support/suite.h"

#include <check.h>

static struct parts parts;
static const struct window_totals none;

static void begin(void)
{
    parts = (struct parts){0};
}

static void end(void)
{
    parts_clear(&parts);
}

/* Take the record at offset and hand one write of it out; returns the write's tag. */
static uint64_t take(struct part *part, int64_t offset)
{
    uint64_t sequence = window_take(&part->window, offset);

    window_slot(&part->window, sequence)->pending++;
    part->unreported++;
    window_release(&part->window, sequence);
    return part_tag(part, sequence);
}

START_TEST(a_tag_finds_its_record_again)
{
    struct part *a = parts_add(&parts, "t", 0, 0, &none);
    struct part *b = parts_add(&parts, "t", 1, 0, &none);
    uint64_t first = take(a, 0), second = take(b, 0);

    ck_assert_ptr_eq(part_of(&parts, first), a);
    ck_assert_ptr_eq(part_of(&parts, second), b);
    parts_reported(&parts, second);
    ck_assert_int_eq(b->window.low, 1);
    ck_assert_int_eq(a->window.low, 0);
    ck_assert_int_eq(parts_unfinished(&parts), 1);
}
END_TEST

START_TEST(a_part_that_was_taken_away_waits_for_its_reports)
{
    struct part *a = parts_add(&parts, "t", 0, 0, &none);
    uint64_t late = take(a, 0);
    struct part *again;

    parts_drop(&parts, a);
    ck_assert_ptr_null(parts_find(&parts, "t", 0));
    ck_assert_int_eq(parts_unfinished(&parts), 0);
    again = parts_add(&parts, "t", 0, 0, &none);
    ck_assert_uint_ne(again->id, late >> 48);
    parts_reported(&parts, late);
    ck_assert_int_eq(again->window.low, 0);
    ck_assert_uint_eq(parts_add(&parts, "t", 2, 0, &none)->id, late >> 48);
}
END_TEST

START_TEST(totals_count_what_was_done_here_also_in_parts_that_are_gone)
{
    const struct window_totals before = {.in = 1000, .answered = 1000, .out = 1000};
    struct part *a = parts_add(&parts, "t", 0, 1000, &before);

    parts_reported(&parts, take(a, 1000));
    ck_assert_int_eq(a->window.totals.in, 1001);
    ck_assert_int_eq(parts_totals(&parts).in, 1);
    parts_drop(&parts, a);
    ck_assert_int_eq(parts_totals(&parts).in, 1);
    ck_assert_int_eq(parts_totals(&parts).answered, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sdk/part");
    TCase *tcase = tcase_create("part");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_tag_finds_its_record_again);
    tcase_add_test(tcase, a_part_that_was_taken_away_waits_for_its_reports);
    tcase_add_test(tcase, totals_count_what_was_done_here_also_in_parts_that_are_gone);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
