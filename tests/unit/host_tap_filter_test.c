/* SPDX-License-Identifier: MIT */
#include "host/tap_filter.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const struct tap_header headers[] = {
    {.name = "trace", .value = "abc-1", .len = 5},
    {.name = "empty", .value = NULL, .len = 0},
};
static const char value[] = "{\"user\":{\"name\":\"ann\",\"ids\":[7,8.5]},\"ok\":true,"
                            "\"none\":null,\"big\":9007199254740993,\"a=b\":1}";
static const struct tap_record record = {.key = "k\0ey",
                                         .key_len = 4,
                                         .value = value,
                                         .value_len = sizeof value - 1,
                                         .headers = headers,
                                         .header_count = 2};

static bool fits(enum tap_term_kind kind, const char *text)
{
    struct tap_filter filter = {0};
    struct error err = {0};

    ck_assert_int_eq(tap_filter_add(&filter, kind, text, &err), 0);
    return tap_filter_fits(&filter, &record);
}

START_TEST(a_text_is_found_in_key_value_and_headers)
{
    ck_assert(fits(TAP_CONTAINS, "ey"));
    ck_assert(fits(TAP_CONTAINS, "\"ann\""));
    ck_assert(fits(TAP_CONTAINS, "trac"));
    ck_assert(fits(TAP_CONTAINS, "c-1"));
    ck_assert(!fits(TAP_CONTAINS, "Ann"));
    ck_assert(fits(TAP_KEY, "ey"));
    ck_assert(!fits(TAP_KEY, "ann"));
    ck_assert(fits(TAP_VALUE, "ann"));
    ck_assert(!fits(TAP_VALUE, "trace"));
    ck_assert(fits(TAP_HEADER, "trace"));
    ck_assert(fits(TAP_HEADER, "empty"));
    ck_assert(!fits(TAP_HEADER, "trac"));
    ck_assert(fits(TAP_HEADER, "trace=bc"));
    ck_assert(!fits(TAP_HEADER, "trace=x"));
    ck_assert(!fits(TAP_HEADER, "empty=x"));
}
END_TEST

START_TEST(a_field_of_the_value_is_compared)
{
    ck_assert(fits(TAP_WHERE, "user.name=ann"));
    ck_assert(fits(TAP_WHERE, ".user.name=ann"));
    ck_assert(!fits(TAP_WHERE, "user.name=an"));
    ck_assert(!fits(TAP_WHERE, "user=ann"));
    ck_assert(!fits(TAP_WHERE, "name=ann"));
    ck_assert(fits(TAP_WHERE, "user.ids.0=7"));
    ck_assert(fits(TAP_WHERE, "user.ids.0=7.0"));
    ck_assert(fits(TAP_WHERE, "user.ids.1=8.5"));
    ck_assert(!fits(TAP_WHERE, "user.ids.2=7"));
    ck_assert(!fits(TAP_WHERE, "user.ids.x=7"));
    ck_assert(!fits(TAP_WHERE, "user.ids.0=nan"));
    ck_assert(!fits(TAP_WHERE, "user.ids.0="));
    ck_assert(fits(TAP_WHERE, "ok=true"));
    ck_assert(!fits(TAP_WHERE, "ok=false"));
    ck_assert(fits(TAP_WHERE, "none=null"));
    ck_assert(!fits(TAP_WHERE, "nix=null"));
    ck_assert(fits(TAP_WHERE, "big=9007199254740993"));
    ck_assert(!fits(TAP_WHERE, "big=9007199254740992"));
}
END_TEST

START_TEST(all_terms_must_fit)
{
    struct tap_filter filter = {0};
    struct error err = {0};

    ck_assert_int_eq(tap_filter_add(&filter, TAP_WHERE, "ok=true", &err), 0);
    ck_assert_int_eq(tap_filter_add(&filter, TAP_CONTAINS, "ann", &err), 0);
    ck_assert(tap_filter_fits(&filter, &record));
    ck_assert_int_eq(tap_filter_add(&filter, TAP_WHERE, "none=x", &err), 0);
    ck_assert(!tap_filter_fits(&filter, &record));
}
END_TEST

START_TEST(what_is_no_json_or_not_there_fits_no_field)
{
    const struct tap_record texts[] = {{.value = "{", .value_len = 1},
                                       {.value = "7", .value_len = 1},
                                       {.value = NULL},
                                       {.value = "", .value_len = 0},
                                       {.value = "{\"a\":\"\xff\"}", .value_len = 9}};
    struct tap_filter filter = {0};
    struct error err = {0};

    ck_assert_int_eq(tap_filter_add(&filter, TAP_WHERE, "a=7", &err), 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert(!tap_filter_fits(&filter, &texts[i]));
    filter.count = 0;
    ck_assert_int_eq(tap_filter_add(&filter, TAP_CONTAINS, "a", &err), 0);
    ck_assert(!tap_filter_fits(&filter, &texts[2]));
    ck_assert(tap_filter_fits(&filter, &texts[4]));
}
END_TEST

START_TEST(what_is_no_filter_is_refused)
{
    static const char *const bad[] = {"", "a", "=a"};
    struct tap_filter filter = {0};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};

        ck_assert_int_eq(tap_filter_add(&filter, TAP_WHERE, bad[i], &err), -1);
        ck_assert_int_eq(err.kind, ERROR_INPUT);
    }
    for (int i = 0; i <= TAP_TERMS_MAX; i++) {
        struct error err = {0};

        ck_assert_int_eq(tap_filter_add(&filter, TAP_KEY, "k", &err),
                         i < TAP_TERMS_MAX ? 0 : -1);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host_tap_filter");
    TCase *cases = tcase_create("filter");

    tcase_add_test(cases, a_text_is_found_in_key_value_and_headers);
    tcase_add_test(cases, a_field_of_the_value_is_compared);
    tcase_add_test(cases, all_terms_must_fit);
    tcase_add_test(cases, what_is_no_json_or_not_there_fits_no_field);
    tcase_add_test(cases, what_is_no_filter_is_refused);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
