/* SPDX-License-Identifier: MIT */
#include "sdk/emission.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char value[] = "value", key[] = "key";
static const struct dagnode_record in = {
    .value = value, .value_len = 5, .key = key, .key_len = 3, .timestamp_ms = 77};

START_TEST(what_is_left_out_comes_from_the_record_in_hand)
{
    struct emissions emissions = {0};
    struct dagnode_output out = {.value = "x", .value_len = 1};

    emissions_add(&emissions, &in, &out);
    out.replace_key = true;
    out.timestamp_ms = 5;
    emissions_add(&emissions, &in, &out);
    ck_assert_ptr_eq(emissions.list[0].key, key);
    ck_assert_int_eq(emissions.list[0].timestamp_ms, 77);
    ck_assert_ptr_null(emissions.list[1].key);
    ck_assert_int_eq(emissions.list[1].timestamp_ms, 5);
    emissions_clear(&emissions);
}
END_TEST

START_TEST(bytes_of_the_record_are_not_copied_others_are)
{
    struct emissions emissions = {0};
    char own[] = "own";
    struct dagnode_output part = {.value = value + 2, .value_len = 3};
    struct dagnode_output copy = {.value = own, .value_len = 3};
    struct dagnode_output none = {0};
    struct dagnode_output empty = {.value = "", .value_len = 0};

    emissions_add(&emissions, &in, &part);
    emissions_add(&emissions, &in, &copy);
    emissions_add(&emissions, &in, &none);
    emissions_add(&emissions, &in, &empty);
    own[0] = '!';
    ck_assert_ptr_eq(emissions.list[0].value, value + 2);
    ck_assert_mem_eq(emissions.list[1].value, "own", 3);
    ck_assert_ptr_null(emissions.list[2].value);
    ck_assert_ptr_nonnull(emissions.list[3].value);
    emissions_clear(&emissions);
}
END_TEST

START_TEST(what_was_kept_survives_a_growing_arena)
{
    enum { COUNT = 3000 };
    struct emissions emissions = {0};
    char text[64], name[64];

    for (int round = 0; round < 3; round++) {
        emissions_reset(&emissions);
        for (int i = 0; i < COUNT; i++) {
            struct dagnode_output out = {.value = text, .key = name, .replace_key = true};

            out.value_len = (size_t)snprintf(text, sizeof text, "value number %d", i);
            out.key_len = (size_t)snprintf(name, sizeof name, "k%d", i);
            emissions_add(&emissions, &in, &out);
        }
        ck_assert_uint_eq(emissions.count, COUNT);
        for (int i = 0; i < COUNT; i++) {
            (void)snprintf(text, sizeof text, "value number %d", i);
            (void)snprintf(name, sizeof name, "k%d", i);
            ck_assert_uint_eq(emissions.list[i].value_len, strlen(text));
            ck_assert_mem_eq(emissions.list[i].value, text, strlen(text));
            ck_assert_mem_eq(emissions.list[i].key, name, strlen(name));
        }
    }
    emissions_clear(&emissions);
}
END_TEST

START_TEST(a_source_has_its_own_time_and_key)
{
    struct dagnode_output out = {.key = "k", .key_len = 1, .position = 9};
    struct emission e = emission_complete(NULL, &out, 123);

    ck_assert_int_eq(e.timestamp_ms, 123);
    ck_assert_int_eq(e.position, 9);
    ck_assert_uint_eq(e.key_len, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sdk/emission");
    TCase *tcase = tcase_create("emission");

    tcase_add_test(tcase, what_is_left_out_comes_from_the_record_in_hand);
    tcase_add_test(tcase, bytes_of_the_record_are_not_copied_others_are);
    tcase_add_test(tcase, what_was_kept_survives_a_growing_arena);
    tcase_add_test(tcase, a_source_has_its_own_time_and_key);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
