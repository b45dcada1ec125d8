/* SPDX-License-Identifier: MIT
 *
 * Who did what: written beside any run, read in pages, deleted by age.
 */
#include "host/history_audit.h"

#include "base/mem.h"
#include "base/text.h"
#include "support/history_fixture.h"
#include "support/suite.h"

#include <check.h>
#include <string.h>

static struct history *history;
static struct mem_arena arena;

static void set_up(void)
{
    struct error err = {0};

    fixture_begin();
    history = history_open(fixture.path, false, &err);
    ck_assert_msg(history != NULL, "%s", err.text);
}

static void tear_down(void)
{
    mem_arena_clear(&arena);
    history_close(history);
    fixture_end();
}

static void do_at(int64_t ts_ms, const char *dag, const char *target)
{
    const struct history_deed deed = {.ts_ms = ts_ms,
                                      .who = "otto",
                                      .role = "operator",
                                      .origin = "127.0.0.1",
                                      .action = "stop",
                                      .dag = dag,
                                      .target = target,
                                      .ok = true};

    history_audit(history, &deed);
}

static struct history_deed_list read_all(struct history_deed_filter filter)
{
    struct history_deed_list list = {0};
    struct error err = {0};

    filter.limit = filter.limit ? filter.limit : 100;
    ck_assert_msg(history_deeds(history, &filter, &arena, &list, &err) == 0, "%s",
                  err.text);
    return list;
}

START_TEST(a_deed_is_read_as_it_was_written)
{
    const struct history_deed deed = {.ts_ms = 5,
                                      .who = "",
                                      .origin = "pid 1",
                                      .action = "login",
                                      .detail = "{\"a\":1}",
                                      .ok = false,
                                      .text = "no"};
    struct history_deed_list list;

    history_audit(history, &deed);
    ck_assert(history_is_waiting(history));
    history_tick(history);
    ck_assert(!history_is_waiting(history));
    list = read_all((struct history_deed_filter){0});
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.items[0].ts_ms, 5);
    ck_assert_str_eq(list.items[0].who, "");
    ck_assert_ptr_null(list.items[0].role);
    ck_assert_str_eq(list.items[0].origin, "pid 1");
    ck_assert_str_eq(list.items[0].action, "login");
    ck_assert_ptr_null(list.items[0].dag);
    ck_assert_ptr_null(list.items[0].target);
    ck_assert_str_eq(list.items[0].detail, "{\"a\":1}");
    ck_assert(!list.items[0].ok);
    ck_assert_str_eq(list.items[0].text, "no");
}
END_TEST

START_TEST(pages_go_from_the_newest_to_the_oldest_without_a_gap)
{
    struct history_deed_filter filter = {.limit = 2};
    char seen[16] = "";

    do_at(10, "a", "1");
    do_at(20, "b", "2");
    do_at(20, "a", "3"); /* in the same millisecond */
    do_at(20, "a", "4");
    do_at(15, "b", "5"); /* written late */
    history_tick(history);
    for (;;) {
        struct history_deed_list list = read_all(filter);

        for (size_t i = 0; i < list.count; i++)
            (void)strcat(seen, list.items[i].target);
        if (list.count < 2)
            break;
        filter.before_ms = list.items[1].ts_ms;
        filter.before_id = list.items[1].id;
    }
    ck_assert_str_eq(seen, "43251");
    ck_assert_uint_eq(read_all((struct history_deed_filter){.dag = "b"}).count, 2);
    ck_assert_uint_eq(read_all((struct history_deed_filter){.dag = "c"}).count, 0);
    ck_assert_uint_eq(read_all((struct history_deed_filter){.since_ms = 20}).count, 3);
}
END_TEST

START_TEST(what_is_old_is_deleted_and_the_rest_stays)
{
    struct error err = {0};
    int64_t count = -1;

    do_at(10, "a", "1");
    do_at(20, "a", "2");
    history_tick(history);
    ck_assert_int_eq(history_deeds_before(history, 20, &count, &err), 0);
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(history_delete_deeds(history, 20, &err), 0);
    ck_assert_str_eq(read_all((struct history_deed_filter){0}).items[0].target, "2");
    ck_assert_uint_eq(read_all((struct history_deed_filter){0}).count, 1);
}
END_TEST

START_TEST(a_long_text_is_cut_between_two_characters)
{
    struct text_buf text = {0};
    struct history_deed deed = {.who = "a", .action = "b"};
    size_t len;

    text_append(&text, "x");
    while (text.len < 5000)
        text_append(&text, "\xc3\xa4");
    deed.text = text_str(&text);
    history_audit(history, &deed);
    history_tick(history);
    len = strlen(read_all((struct history_deed_filter){0}).items[0].text);
    ck_assert_uint_le(len, 2000);
    ck_assert_uint_ge(len, 1990);
    ck_assert_uint_eq(len % 2, 1); /* one and whole pairs */
    text_buf_clear(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit");
    TCase *tcase = tcase_create("audit");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_deed_is_read_as_it_was_written);
    tcase_add_test(tcase, pages_go_from_the_newest_to_the_oldest_without_a_gap);
    tcase_add_test(tcase, what_is_old_is_deleted_and_the_rest_stays);
    tcase_add_test(tcase, a_long_text_is_cut_between_two_characters);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
