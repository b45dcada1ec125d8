/* SPDX-License-Identifier: MIT */
#include "common/integer.h"
#include "support/suite.h"

#include <check.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef size_t (*operation_fn)(const struct integer *a, const struct integer *b,
                               char *out);

static struct integer parsed(const char *text)
{
    struct integer number;

    ck_assert_msg(integer_parse(text, strlen(text), &number), "%s", text);
    return number;
}

/* The answer in a buffer of exactly the promised room: ASan sees a byte too many. */
static char *answer(operation_fn operation, const char *a_text, const char *b_text)
{
    struct integer a = parsed(a_text);
    struct integer b = parsed(b_text);
    char *out = malloc(integer_room(&a, &b));
    size_t len = operation(&a, &b, out);
    char *text = strndup(out, len);

    free(out);
    return text;
}

static void check_answer(operation_fn operation, const char *a, const char *b,
                         const char *expected)
{
    char *text = answer(operation, a, b);

    ck_assert_msg(strcmp(text, expected) == 0, "%s, %s: %s, not %s", a, b, text,
                  expected);
    free(text);
}

START_TEST(text_that_is_no_whole_number_is_refused)
{
    static const char *const wrong[] = {"",   "-",   "+",   "five", "1.0", "1e3", " 1",
                                        "1 ", "--1", "+-1", "0x10", "1_0", "١",   "-"};
    struct integer number;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!integer_parse(wrong[i], strlen(wrong[i]), &number), "%s",
                      wrong[i]);
}
END_TEST

START_TEST(signs_and_leading_zeros_are_understood)
{
    struct integer number = parsed("-000");

    ck_assert(!number.negative);
    ck_assert_uint_eq(number.len, 1);
    number = parsed("-007");
    ck_assert(number.negative);
    ck_assert_uint_eq(number.len, 1);
    ck_assert_int_eq(number.digits[0], '7');
    check_answer(integer_add, "+5", "-0", "5");
}
END_TEST

START_TEST(the_seeds_examples_hold)
{
    check_answer(integer_add, "5", "2", "7");
    check_answer(integer_distance, "5", "2", "3");
    check_answer(integer_distance, "2", "5", "3");
    check_answer(integer_subtract, "2", "5", "-3");
    check_answer(integer_add, "-4", "4", "0");
}
END_TEST

START_TEST(the_edges_of_machine_words_do_not_wrap)
{
    check_answer(integer_add, "9223372036854775807", "1", "9223372036854775808");
    check_answer(integer_add, "999999999999999999", "999999999999999999",
                 "1999999999999999998");
    check_answer(integer_subtract, "-999999999999999999", "999999999999999999",
                 "-1999999999999999998");
    check_answer(integer_subtract, "-9223372036854775808", "1", "-9223372036854775809");
    check_answer(integer_distance, "-9223372036854775808", "9223372036854775807",
                 "18446744073709551615");
    check_answer(integer_add, "99999999999999999999", "1", "100000000000000000000");
    check_answer(integer_subtract, "100000000000000000000", "99999999999999999999",
                 "1");
    check_answer(integer_subtract, "100000000000000000000", "100000000000000000000",
                 "0");
    check_answer(integer_distance, "100000000000000000000", "100000000000000000000",
                 "0");
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11;
}

static char *random_number(uint64_t *state, size_t max_digits)
{
    size_t digits = 1 + next_random(state) % max_digits;
    char *text = malloc(digits + 2);
    size_t at = 0;

    if (next_random(state) % 2)
        text[at++] = '-';
    for (size_t i = 0; i < digits; i++)
        text[at++] = (char)('0' + next_random(state) % 10);
    text[at] = '\0';
    return text;
}

__extension__ typedef __int128 wide_int; /* ISO C has none: only checked against here */

/* The value of up to 38 digits, and back. */
static wide_int wide(const char *text)
{
    bool negative = *text == '-';
    wide_int value = 0;

    for (text += negative; *text != '\0'; text++)
        value = value * 10 + (*text - '0');
    return negative ? -value : value;
}

static void wide_text(wide_int value, char out[64])
{
    char reversed[64];
    size_t count = 0;
    bool negative = value < 0;

    do {
        int digit = (int)(value % 10);

        reversed[count++] = (char)('0' + (digit < 0 ? -digit : digit));
        value /= 10;
    } while (value != 0);
    if (negative)
        *out++ = '-';
    while (count > 0)
        *out++ = reversed[--count];
    *out = '\0';
}

START_TEST(random_numbers_agree_with_128_bit_arithmetic)
{
    uint64_t state = 1;

    for (int i = 0; i < 20000; i++) {
        char *a = random_number(&state, 37);
        char *b = random_number(&state, 37);
        wide_int difference = wide(a) - wide(b);
        char expected[64];

        wide_text(wide(a) + wide(b), expected);
        check_answer(integer_add, a, b, expected);
        wide_text(difference, expected);
        check_answer(integer_subtract, a, b, expected);
        wide_text(difference < 0 ? -difference : difference, expected);
        check_answer(integer_distance, a, b, expected);
        free(a);
        free(b);
    }
}
END_TEST

START_TEST(long_numbers_come_back_when_what_was_added_is_taken_away)
{
    uint64_t state = 2;

    for (int i = 0; i < 500; i++) {
        char *a = random_number(&state, 2000);
        char *b = random_number(&state, 2000);
        char *sum = answer(integer_add, a, b);
        char *back = answer(integer_subtract, sum, b);
        char *plain = answer(integer_add, a, "0");

        ck_assert_str_eq(back, plain);
        free(a);
        free(b);
        free(sum);
        free(back);
        free(plain);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node_integer");
    TCase *tcase = tcase_create("integer");

    tcase_add_test(tcase, text_that_is_no_whole_number_is_refused);
    tcase_add_test(tcase, signs_and_leading_zeros_are_understood);
    tcase_add_test(tcase, the_seeds_examples_hold);
    tcase_add_test(tcase, the_edges_of_machine_words_do_not_wrap);
    tcase_add_test(tcase, random_numbers_agree_with_128_bit_arithmetic);
    tcase_add_test(tcase, long_numbers_come_back_when_what_was_added_is_taken_away);
    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
