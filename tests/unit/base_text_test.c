/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>

START_TEST(durations_need_a_unit)
{
    int64_t ms = -1;

    ck_assert(text_parse_duration_ms("250ms", &ms));
    ck_assert_int_eq(ms, 250);
    ck_assert(text_parse_duration_ms("1.5s", &ms));
    ck_assert_int_eq(ms, 1500);
    ck_assert(text_parse_duration_ms("7d", &ms));
    ck_assert_int_eq(ms, 7LL * 24 * 3600 * 1000);
    ck_assert(!text_parse_duration_ms("10", &ms));
    ck_assert(!text_parse_duration_ms("s", &ms));
    ck_assert(!text_parse_duration_ms("-1s", &ms));
    ck_assert(!text_parse_duration_ms("1.s", &ms));
    ck_assert(!text_parse_duration_ms("999999999999999999d", &ms));
}
END_TEST

START_TEST(sizes_know_binary_and_decimal_units)
{
    int64_t bytes = -1;

    ck_assert(text_parse_bytes("2MiB", &bytes));
    ck_assert_int_eq(bytes, 2 << 20);
    ck_assert(text_parse_bytes("64kB", &bytes));
    ck_assert_int_eq(bytes, 64000);
    ck_assert(!text_parse_bytes("64 kB", &bytes));
}
END_TEST

START_TEST(counts_have_thousands_separators)
{
    char text[TEXT_NUMBER];

    text_format_count(1234567, text);
    ck_assert_str_eq(text, "1,234,567");
    text_format_count(-123, text);
    ck_assert_str_eq(text, "-123");
    text_format_count(0, text);
    ck_assert_str_eq(text, "0");
}
END_TEST

START_TEST(a_near_word_is_suggested_and_a_far_one_is_not)
{
    static const char *const words[] = {"clients", "restart", "program"};

    ck_assert_str_eq(text_nearest("client", words, 3), "clients");
    ck_assert_str_eq(text_nearest("progam", words, 3), "program");
    ck_assert_ptr_null(text_nearest("kubernetes", words, 3));
}
END_TEST

START_TEST(control_characters_are_shown_and_not_sent)
{
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);

    text_print_safe(out, "a\x1b[31m\tgr\xc3\xbc\xff\xc2\x9b", 14);
    (void)fclose(out);
    ck_assert_str_eq(data, "a\\x1b[31m\tgr\xc3\xbc\\xff\\xc2\\x9b");
    free(data);
}
END_TEST

START_TEST(marks_that_turn_the_direction_are_shown_too)
{
    static const char *const bad[] = {"\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f",
                                      "\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6",
                                      "\xe2\x81\xa9", "\xc2\x80",     "\xc2\x9f",
                                      "\x7f",         "\n",           "\xff"};
    static const char *const good[] = {"a", "\t", "\xc2\xa0", "\xe2\x80\xa6", "\xe2\x82\xac",
                                       "\xe2\x80\xaf", "\xf0\x9f\x98\x80"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_uint_eq(text_unsafe_length(bad[i], strlen(bad[i])), strlen(bad[i]));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_uint_eq(text_unsafe_length(good[i], strlen(good[i])), 0);
}
END_TEST

START_TEST(a_formatted_text_keeps_its_line_breaks_only)
{
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);

    text_printf_safe(out, "%s: %d\n", "a\x1b[1m\nb\xe2\x80\xae", 7);
    (void)fclose(out);
    ck_assert_str_eq(data, "a\\x1b[1m\nb\\xe2\\x80\\xae: 7\n");
    free(data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base_text");
    TCase *tcase = tcase_create("text");

    tcase_add_test(tcase, durations_need_a_unit);
    tcase_add_test(tcase, sizes_know_binary_and_decimal_units);
    tcase_add_test(tcase, counts_have_thousands_separators);
    tcase_add_test(tcase, a_near_word_is_suggested_and_a_far_one_is_not);
    tcase_add_test(tcase, control_characters_are_shown_and_not_sent);
    tcase_add_test(tcase, marks_that_turn_the_direction_are_shown_too);
    tcase_add_test(tcase, a_formatted_text_keeps_its_line_breaks_only);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
