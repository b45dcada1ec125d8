/* SPDX-License-Identifier: MIT */
#include "web/url.h"

#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_target_is_taken_apart_and_decoded_once)
{
    struct url url = {0};
    struct error err = {0};

    ck_assert_int_eq(url_parse("/api/v1/runs/a%2Db/%253A?x=1+2&y=%26&z", &url, &err),
                     0);
    ck_assert_uint_eq(url.segment_count, 5);
    ck_assert_str_eq(url.segments[3], "a-b");
    ck_assert_str_eq(url.segments[4], "%3A");
    ck_assert_str_eq(url_member(&url, "x"), "1 2");
    ck_assert_str_eq(url_member(&url, "y"), "&");
    ck_assert_str_eq(url_member(&url, "z"), "");
    ck_assert_ptr_null(url_member(&url, "w"));
    url_clear(&url);
}
END_TEST

START_TEST(the_root_has_no_segments)
{
    struct url url = {0};
    struct error err = {0};

    ck_assert_int_eq(url_parse("/", &url, &err), 0);
    ck_assert_uint_eq(url.segment_count, 0);
    url_clear(&url);
}
END_TEST

static const char *const refused[] = {
    "",
    "api",
    "http://127.0.0.1/api",
    "*",
    "/a/../b",
    "/a/./b",
    "/%2e%2e/b",
    "/%2E./b",
    "/a%2fb",
    "/a%5cb",
    "/a\\b",
    "/a%00b",
    "/a%0ab",
    "/a%7f",
    "/a%",
    "/a%2",
    "/a%zz",
    "/a%c3",
    "/a%ff",
    "/a%c0%af",
    "/a?x=%00",
    "/a?x=%",
    "/a?x=1&x=2",
    "/1/2/3/4/5/6/7/8/9/10/11/12/13",
    "/a?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17",
};

START_TEST(what_could_be_read_in_two_ways_is_refused)
{
    struct url url = {0};
    struct error err = {0};

    ck_assert_msg(url_parse(refused[_i], &url, &err) == -1, "%s is taken", refused[_i]);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    url_clear(&url);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("url");
    TCase *tcase = tcase_create("url");

    tcase_add_test(tcase, a_target_is_taken_apart_and_decoded_once);
    tcase_add_test(tcase, the_root_has_no_segments);
    tcase_add_loop_test(tcase, what_could_be_read_in_two_ways_is_refused, 0,
                        sizeof refused / sizeof *refused);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
