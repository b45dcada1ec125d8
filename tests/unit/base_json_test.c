/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_line_is_harmless_on_a_terminal_and_the_same_value)
{
    /* jansson escapes what is below 0x20; DEL, C1 and marks of direction are ours. */
    const char *text = "gr\xc3\xbc\xc3\x9f\x1b[m \x7f\xc2\x9b|\xe2\x80\xae\xe2\x82\xac"
                       "\xf0\x9f\x98\x80\xd8\x9c";
    json_t *value = json_pack("{s:s}", "\xc2\x85", text);
    struct error err = {0};
    char *line = json_line(value);
    json_t *again = json_parse(line, strlen(line), &err);

    ck_assert_str_eq(line, "{\"\\u0085\":\"gr\xc3\xbc\xc3\x9f\\u001B[m "
                           "\\u007F\\u009B|\\u202E\xe2\x82\xac\xf0\x9f\x98\x80\\u061C\"}");
    ck_assert_int_eq(json_equal(value, again), 1);
    json_decref(value);
    json_decref(again);
    free(line);
}
END_TEST

START_TEST(a_line_without_such_characters_stays_as_it_is)
{
    json_t *value = json_pack("[s,i,n]", "a\\b\"", 7);
    char *line = json_line(value);

    ck_assert_str_eq(line, "[\"a\\\\b\\\"\",7,null]");
    json_decref(value);
    free(line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base_json");
    TCase *cases = tcase_create("json");

    tcase_add_test(cases, a_line_is_harmless_on_a_terminal_and_the_same_value);
    tcase_add_test(cases, a_line_without_such_characters_stays_as_it_is);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
