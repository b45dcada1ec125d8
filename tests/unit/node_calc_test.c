/* SPDX-License-Identifier: MIT */
#include "common/calc.h"
#include "common/dumps.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct calc new_calc(enum calc_operation operation, bool signed_difference)
{
    return (struct calc){.operation = operation,
                         .signed_difference = signed_difference,
                         .reader = object_reader_new()};
}

static void clear_calc(struct calc *calc)
{
    object_reader_free(calc->reader);
    text_buf_clear(&calc->answer);
}

/* The answer, or the reason why there is none; both end with the next call. */
static const char *answer(struct calc *calc, const char *value,
                          struct dagnode_error *err)
{
    struct dagnode_record in = {.value = value,
                                .value_len = strlen(value),
                                .topic = "arithmetic.ask.calc",
                                .partition = 3,
                                .offset = 41};

    *err = (struct dagnode_error){0};
    if (calc_answer(calc, &in, err) != 0)
        return err->text;
    return text_str(&calc->answer);
}

START_TEST(the_seeds_record_is_answered)
{
    struct calc calc = new_calc(CALC_AS_ASKED, false);
    struct dagnode_error err;

    ck_assert_str_eq(
        answer(&calc,
               "{\"operator_1\": \"5\", \"operator_2\": \"2\", \"operation\": \"sum\"}",
               &err),
        "{\"id\":\"arithmetic.ask.calc/3/41\",\"operation\":\"sum\",\"result\":7}");
    ck_assert_str_eq(
        answer(&calc,
               "{\"id\":7,\"operator_1\":2,\"operator_2\":5,\"operation\":\"sub\"}",
               &err),
        "{\"id\":7,\"operation\":\"sub\",\"result\":3}");
    ck_assert_str_eq(
        answer(&calc,
               "{\"id\":\"a\\\"\",\"x\":\"9223372036854775807\",\"y\":1,"
               "\"operation\":\"sum\"}",
               &err),
        "{\"id\":\"a\\\"\",\"operation\":\"sum\",\"result\":9223372036854775808}");
    clear_calc(&calc);
}
END_TEST

START_TEST(a_difference_keeps_its_sign_when_asked_to)
{
    struct calc calc = new_calc(CALC_AS_ASKED, true);
    struct dagnode_error err;

    ck_assert_str_eq(
        answer(&calc, "{\"id\":1,\"x\":2,\"y\":5,\"operation\":\"sub\"}", &err),
        "{\"id\":1,\"operation\":\"sub\",\"result\":-3}");
    clear_calc(&calc);
}
END_TEST

START_TEST(add_and_subtract_do_not_look_at_the_operation)
{
    struct calc add = new_calc(CALC_SUM, false);
    struct calc subtract = new_calc(CALC_SUB, false);
    const char *value = "{\"id\":1,\"x\":2,\"y\":5,\"operation\":\"mul\"}";
    struct dagnode_error err;

    ck_assert_str_eq(answer(&add, value, &err),
                     "{\"id\":1,\"operation\":\"sum\",\"result\":7}");
    ck_assert_str_eq(answer(&subtract, value, &err),
                     "{\"id\":1,\"operation\":\"sub\",\"result\":3}");
    clear_calc(&add);
    clear_calc(&subtract);
}
END_TEST

START_TEST(what_can_not_be_computed_is_named)
{
    static const struct {
        const char *value;
        const char *text;
    } cases[] = {
        {"{\"operator_1\":\"5\",\"operator_2\":\"2\",\"operation\":\"mul\"}",
         "unknown operation \"mul\""},
        {"{\"operator_1\":\"five\",\"operator_2\":\"2\",\"operation\":\"sum\"}",
         "operator_1: not an integer: \"five\""},
        {"{\"operator_1\":1,\"operator_2\":2.0,\"operation\":\"sum\"}",
         "operator_2: not an integer: 2.0"},
        {"{\"x\":1,\"y\":[1, 2],\"operation\":\"sum\"}", "y: not an integer: [1,2]"},
        {"{\"x\":null,\"y\":2,\"operation\":\"sum\"}", "x: not an integer: null"},
        {"{\"operator_1\":1,\"y\":2,\"operation\":\"sum\"}", "operator_2: missing"},
        {"{\"x\":1,\"operation\":\"sum\"}", "y: missing"},
        {"{\"operation\":\"sum\"}",
         "operator_1 and operator_2: missing, and so are x and y"},
        {"{\"x\":1,\"y\":2}", "operation: missing"},
        {"{\"x\":1,\"y\":2,\"operation\":3}", "unknown operation 3"},
    };
    struct calc calc = new_calc(CALC_AS_ASKED, false);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dagnode_error err;

        ck_assert_str_eq(answer(&calc, cases[i].value, &err), cases[i].text);
        ck_assert_int_eq(err.kind, DAGNODE_TRANSFORM);
    }
    clear_calc(&calc);
}
END_TEST

static char *object_of_digits(size_t digits)
{
    char *value = malloc(digits + 64);
    char *end;

    strcpy(value, "{\"id\":1,\"y\":1,\"operation\":\"sum\",\"x\":");
    end = value + strlen(value);
    memset(end, '9', digits);
    strcpy(end + digits, "}");
    return value;
}

START_TEST(digits_have_a_limit)
{
    struct calc calc = new_calc(CALC_AS_ASKED, false);
    char *most = object_of_digits(CALC_DIGITS_MAX);
    char *too_many = object_of_digits(CALC_DIGITS_MAX + 1);
    struct dagnode_error err;

    ck_assert_uint_eq(strlen(answer(&calc, most, &err)),
                      strlen("{\"id\":1,\"operation\":\"sum\",\"result\":}") +
                          CALC_DIGITS_MAX + 1);
    ck_assert_str_eq(answer(&calc, too_many, &err),
                     "x: an integer of 100001 digits, at most 100000 are taken");
    free(most);
    free(too_many);
    clear_calc(&calc);
}
END_TEST

START_TEST(a_long_wrong_value_is_cut_between_two_characters)
{
    struct calc calc = new_calc(CALC_SUM, false);
    char value[256] = "{\"y\":1,\"x\":\"xy";
    struct dagnode_error err;
    const char *text;

    for (int i = 0; i < 60; i++)
        strcat(value, "é");
    strcat(value, "\"}");
    text = answer(&calc, value, &err);
    ck_assert_uint_eq(strlen(text), strlen("x: not an integer: ") + 79 + strlen("…"));
    ck_assert_str_eq(text + strlen(text) - strlen("é…"), "é…");
    clear_calc(&calc);
}
END_TEST

static void check_dumps(const char *text, const char *expected)
{
    struct text_buf out = {0};

    ck_assert(dumps_append(&out, text));
    ck_assert_str_eq(text_str(&out), expected);
    text_buf_clear(&out);
}

START_TEST(text_is_escaped_as_python_does_it)
{
    struct text_buf out = {0};

    check_dumps("", "\"\"");
    check_dumps("a\"\\/\b\f\n\r\t\x01\x7f",
                "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\"");
    check_dumps("é€😀", "\"\\u00e9\\u20ac\\ud83d\\ude00\"");
    ck_assert(!dumps_append(&out, "a\xff"));
    ck_assert(!dumps_append(&out, "\xc3"));
    ck_assert(!dumps_append(&out, "\xed\xa0\x80"));
    ck_assert(!dumps_append(&out, "\xc0\xaf"));
    ck_assert_uint_eq(out.len, 0);
    text_buf_clear(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node_calc");
    TCase *tcase = tcase_create("calc");

    tcase_add_test(tcase, the_seeds_record_is_answered);
    tcase_add_test(tcase, a_difference_keeps_its_sign_when_asked_to);
    tcase_add_test(tcase, add_and_subtract_do_not_look_at_the_operation);
    tcase_add_test(tcase, what_can_not_be_computed_is_named);
    tcase_add_test(tcase, digits_have_a_limit);
    tcase_add_test(tcase, a_long_wrong_value_is_cut_between_two_characters);
    tcase_add_test(tcase, text_is_escaped_as_python_does_it);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
