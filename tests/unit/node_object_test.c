/* SPDX-License-Identifier: MIT */
#include "common/object.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int read_text(struct object_reader *reader, const char *text,
                     struct dagnode_error *err)
{
    struct dagnode_record in = {.value = text, .value_len = text ? strlen(text) : 0};

    return object_read(reader, &in, err);
}

START_TEST(a_value_that_is_no_object_is_a_decode_error_that_says_so)
{
    static const struct {
        const char *value;
        const char *text;
    } cases[] = {
        {NULL, "no value: a JSON object is expected"},
        {"", "empty value: a JSON object is expected"},
        {"[1]", "array: a JSON object is expected"},
        {"12", "number: a JSON object is expected"},
        {"\"a\"", "string: a JSON object is expected"},
        {"null", "null: a JSON object is expected"},
        {"{\"a\":\"\xff\"}", "not JSON: wrong string at byte 6"},
        {"{\"a\":01}", "not JSON: wrong number at byte 5"},
        {"{} x", "not JSON: more follows after its end at byte 3"},
    };
    struct object_reader *reader = object_reader_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dagnode_error err = {0};

        ck_assert_int_eq(read_text(reader, cases[i].value, &err), -1);
        ck_assert_int_eq(err.kind, DAGNODE_DECODE);
        ck_assert_str_eq(err.text, cases[i].text);
    }
    object_reader_free(reader);
}
END_TEST

START_TEST(members_are_found_and_the_last_of_two_counts)
{
    static const struct object_name names[] = {OBJECT_NAME("b"), OBJECT_NAME("none"),
                                               OBJECT_NAME("a"), OBJECT_NAME("n")};
    struct object_reader *reader = object_reader_new();
    struct dagnode_error err = {0};
    struct object_value values[4];

    ck_assert_int_eq(read_text(reader,
                               "{\"a\":1,\"b\":\"x\\ny\",\"c\":{\"none\":1},\"n\":null,"
                               "\"a\":12345678901234567890.00}",
                               &err),
                     0);
    object_find(reader, names, 4, values);
    ck_assert_int_eq(values[0].type, OBJECT_STRING);
    ck_assert_mem_eq(values[0].text, "x\ny", 3);
    ck_assert_int_eq(values[1].type, OBJECT_MISSING);
    ck_assert_int_eq(values[2].type, OBJECT_NUMBER);
    ck_assert_uint_eq(values[2].len, 23);
    ck_assert_mem_eq(values[2].text, "12345678901234567890.00", 23);
    ck_assert_int_eq(values[3].type, OBJECT_NULL);
    object_reader_free(reader);
}
END_TEST

static void check_with(const char *object, const char *expected)
{
    static const struct object_field fields[] = {
        {OBJECT_NAME("via"), OBJECT_NAME("\"via\""), OBJECT_NAME("\"tag\"")},
        {OBJECT_NAME("a\"b"), OBJECT_NAME("\"a\\\"b\""), OBJECT_NAME("[1,2]")},
    };
    struct object_reader *reader = object_reader_new();
    struct dagnode_error err = {0};
    struct text_buf out = {0};

    ck_assert_int_eq(read_text(reader, object, &err), 0);
    object_append_with(reader, fields, 2, &out);
    ck_assert_str_eq(text_str(&out), expected);
    text_buf_clear(&out);
    object_reader_free(reader);
}

START_TEST(members_are_added_at_the_end_and_replaced_in_place)
{
    check_with("{}", "{\"via\":\"tag\",\"a\\\"b\":[1,2]}");
    check_with("{ \"n\" : 1.50 }", "{\"n\":1.50,\"via\":\"tag\",\"a\\\"b\":[1,2]}");
    check_with("{\"via\":{\"deep\":[1]},\"z\":1e400}",
               "{\"via\":\"tag\",\"z\":1e400,\"a\\\"b\":[1,2]}");
    check_with("{\"a\\u0022b\":0,\"m\":\"\\u00e9\\/\",\"via\":null}",
               "{\"a\\\"b\":[1,2],\"m\":\"é/\",\"via\":\"tag\"}");
}
END_TEST

START_TEST(every_digit_of_a_number_passes_through)
{
    check_with(
        "{\"n\":-0.10000000000000000000001,\"k\":123456789012345678901234567890}",
        "{\"n\":-0.10000000000000000000001,\"k\":123456789012345678901234567890,"
        "\"via\":\"tag\",\"a\\\"b\":[1,2]}");
}
END_TEST

START_TEST(json_is_made_compact_and_anything_else_is_refused)
{
    struct object_reader *reader = object_reader_new();
    struct text_buf out = {0};
    static const char pretty[] = "[\n  1,\n  \"a\\nb\"\n]";

    ck_assert(object_append_compact(reader, pretty, sizeof pretty - 1, &out));
    ck_assert_str_eq(text_str(&out), "[1,\"a\\nb\"]");
    ck_assert(!object_append_compact(reader, "a\nb", 3, &out));
    ck_assert(!object_append_compact(reader, "", 0, &out));
    ck_assert_str_eq(text_str(&out), "[1,\"a\\nb\"]");
    text_buf_clear(&out);
    object_reader_free(reader);
}
END_TEST

START_TEST(a_reader_takes_small_and_large_objects_in_turn)
{
    static const struct object_name name = OBJECT_NAME("n");
    struct object_reader *reader = object_reader_new();
    struct text_buf large = {0};

    text_append(&large, "{\"list\":[0");
    for (int i = 1; i < 100000; i++)
        text_appendf(&large, ",%d", i);
    text_append(&large, "],\"n\":1}");
    for (int i = 0; i < 4; i++) {
        struct object_value value;

        ck_assert(object_try_read(reader, i % 2 ? large.data : "{\"n\":1}",
                                  i % 2 ? large.len : 7));
        object_find(reader, &name, 1, &value);
        ck_assert_int_eq(value.type, OBJECT_NUMBER);
    }
    ck_assert(!object_try_read(reader, "{", 1));
    text_buf_clear(&large);
    object_reader_free(reader);
}
END_TEST

START_TEST(deep_nesting_does_not_overflow_the_stack)
{
    enum { DEPTH = 200000 };
    struct object_reader *reader = object_reader_new();
    char *text = malloc(2 * DEPTH + 6);
    struct text_buf out = {0};

    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', DEPTH);
    memset(text + 5 + DEPTH, ']', DEPTH);
    text[5 + 2 * DEPTH] = '}';
    ck_assert(object_append_compact(reader, text, 2 * DEPTH + 6, &out));
    ck_assert_uint_eq(out.len, 2 * DEPTH + 6);
    text_buf_clear(&out);
    free(text);
    object_reader_free(reader);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node_object");
    TCase *tcase = tcase_create("object");

    tcase_add_test(tcase, a_value_that_is_no_object_is_a_decode_error_that_says_so);
    tcase_add_test(tcase, members_are_found_and_the_last_of_two_counts);
    tcase_add_test(tcase, members_are_added_at_the_end_and_replaced_in_place);
    tcase_add_test(tcase, every_digit_of_a_number_passes_through);
    tcase_add_test(tcase, json_is_made_compact_and_anything_else_is_refused);
    tcase_add_test(tcase, a_reader_takes_small_and_large_objects_in_turn);
    tcase_add_test(tcase, deep_nesting_does_not_overflow_the_stack);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
