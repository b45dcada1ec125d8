/* SPDX-License-Identifier: MIT */
#include "ledger/group/pattern.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const char *text, const char *name)
{
    char why[PATTERN_WHY] = "";
    struct pattern *pattern = pattern_new(text, strlen(text), why);
    bool match = pattern != NULL && pattern_matches(pattern, name);

    ck_assert_msg(pattern != NULL, "%s: %s", text, why);
    pattern_free(pattern);
    return match;
}

static void refused(const char *text, const char *expected)
{
    char why[PATTERN_WHY] = "";
    struct pattern *pattern = pattern_new(text, strlen(text), why);

    ck_assert_msg(pattern == NULL, "%s", text);
    ck_assert_str_eq(why, expected);
}

START_TEST(the_whole_name_must_match)
{
    ck_assert(matches("orders", "orders"));
    ck_assert(!matches("orders", "orders-1"));
    ck_assert(!matches("orders", "my-orders"));
    ck_assert(matches("orders-.*|bills", "orders-eu"));
    ck_assert(matches("orders-.*|bills", "bills"));
    ck_assert(!matches("orders-.*|bills", "bills-eu"));
    ck_assert(matches("a|ab", "ab"));
    ck_assert(matches("^t[0-9]{2}$", "t07"));
    ck_assert(matches("(?i)ORDERS", "orders"));
    ck_assert(matches("(?P<x>a)(?:b)?[\\d_-]+", "a-7"));
    ck_assert(matches("a.*?b", "axxb"));
    ck_assert(!matches("", "x"));
}
END_TEST

START_TEST(errors_have_re2s_words)
{
    refused("(a", "missing closing )");
    refused("[a", "missing closing ]");
    refused("*", "missing argument to repetition operator");
    refused("a\\", "trailing backslash at end of expression");
    refused("[b-a]", "invalid character class range");
    refused("a{2,1}", "invalid repeat count");
    refused("a{1,1001}", "invalid repeat count");
    refused("a)", "regexp/syntax: internal error");
    refused("\\q", "invalid escape sequence");
    refused("(?P<n", "invalid named capture");
    refused("[[:foo:]]", "invalid character class range");
    refused("\\pX", "invalid character class range");
}
END_TEST

START_TEST(what_re2_does_not_know_is_refused)
{
    refused("(a)\\1", "invalid escape sequence");
    refused("(?=a)", "invalid or unsupported Perl syntax");
    refused("(?<=a)b", "invalid or unsupported Perl syntax");
    refused("(?>a)", "invalid or unsupported Perl syntax");
    refused("a++", "invalid nested repetition operator");
    refused("a**", "invalid nested repetition operator");
    refused("(*LIMIT_MATCH=1)a", "missing argument to repetition operator");
}
END_TEST

START_TEST(no_pattern_stalls_the_loop)
{
    char name[250];

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    /* Would need 2^249 steps. */
    ck_assert(!matches("(a|aa|a?)*b", name));
    ck_assert(!matches("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x", name));
}
END_TEST

START_TEST(broken_text_is_no_pattern)
{
    char why[PATTERN_WHY] = "";

    ck_assert_ptr_null(pattern_new("a\xff", 2, why));
    ck_assert(why[0] != '\0');
    ck_assert_ptr_null(pattern_new("[", 1, why));
    ck_assert_ptr_null(pattern_new("[\\", 2, why));
    ck_assert_ptr_null(pattern_new("(?", 2, why));
    ck_assert_ptr_null(pattern_new("\\", 1, why));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pattern");
    TCase *tcase = tcase_create("all");

    tcase_add_test(tcase, the_whole_name_must_match);
    tcase_add_test(tcase, errors_have_re2s_words);
    tcase_add_test(tcase, what_re2_does_not_know_is_refused);
    tcase_add_test(tcase, no_pattern_stalls_the_loop);
    tcase_add_test(tcase, broken_text_is_no_pattern);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
