/* SPDX-License-Identifier: MIT */
#include "ops/dlq.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define HEADER(header_name, text)                                                      \
    {                                                                                  \
        .name = (header_name), .value = (text), .len = sizeof(text) - 1                \
    }

static struct mem_arena arena;

static void tear_down(void)
{
    mem_arena_clear(&arena);
}

static struct dlq_letter read_letter(const struct dlq_node *node,
                                     const struct tap_record *record)
{
    struct dlq_letter letter;

    dlq_letter_read(&letter, node, record, &arena);
    return letter;
}

START_TEST(reasons_that_differ_in_what_is_quoted_or_counted_are_one)
{
    static const char *const cases[][2] = {
        {"unknown operation \"mul\"", "unknown operation \"…\""},
        {"unknown operation \"a\\\"b\"!", "unknown operation \"…\"!"},
        {"operator_1: not an integer: \"five\"", "operator_1: not an integer: \"…\""},
        {"line 42 of 'x y': byte 7", "line # of '…': byte #"},
        {"can't open it, isn't there", "can't open it, isn't there"},
        {"it ends \"too early", "it ends \"too early"},
        {"", ""},
        {"h264 has 3 errors", "h264 has # errors"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(dlq_pattern(&arena, cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(a_letter_says_what_its_last_headers_say)
{
    const struct tap_header headers[] = {
        HEADER("dagrun-reason", "a forged one of the record"),
        HEADER("color", "red"),
        HEADER("dagrun-reason", "the true one"),
        HEADER("dagrun-failed-at", "SINK"),
        HEADER("dagrun-topic", "d.a.b"),
        HEADER("dagrun-partition", "3"),
        HEADER("dagrun-offset", "17"),
        HEADER("dagrun-time", "1700000000000"),
        HEADER("dagrun-run", "many"),
    };
    const struct tap_record record = {
        .timestamp_ms = 5, .headers = headers, .header_count = 9};
    const struct dlq_node node = {.name = "b", .topic = "d.b.dlq"};
    struct dlq_letter letter = read_letter(&node, &record);

    ck_assert_str_eq(letter.reason, "the true one");
    ck_assert_str_eq(letter.failed_at, "SINK");
    ck_assert_str_eq(letter.topic, "d.a.b");
    ck_assert_int_eq(letter.partition, 3);
    ck_assert_int_eq(letter.offset, 17);
    ck_assert_int_eq(letter.died_ms, 1700000000000);
    ck_assert_int_eq(letter.run, 0);
    ck_assert_int_eq(letter.replays, 0);
    ck_assert_int_eq(dlq_letter_state(&letter), DLQ_OPEN);
}
END_TEST

START_TEST(only_replays_of_the_same_topic_count)
{
    const struct tap_header own[] = {HEADER("dagrun-replay", "d.b.dlq/0/4"),
                                     HEADER("dagrun-replays", "3")};
    const struct tap_header other[] = {HEADER("dagrun-replay", "d.a.dlq/0/4"),
                                       HEADER("dagrun-replays", "3")};
    struct tap_record record = {.headers = own, .header_count = 2};
    const struct dlq_node node = {.name = "b", .topic = "d.b.dlq"};

    ck_assert_int_eq(read_letter(&node, &record).replays, 3);
    record.headers = other;
    ck_assert_int_eq(read_letter(&node, &record).replays, 0);
}
END_TEST

START_TEST(a_letter_finds_its_mark)
{
    struct history_mark marks[] = {
        {.partition = 0, .offset = 2, .state = HISTORY_MARK_REPLAYED},
        {.partition = 0, .offset = 5, .state = HISTORY_MARK_SENDING},
        {.partition = 1, .offset = 2, .state = HISTORY_MARK_DROPPED},
        {.partition = 1, .offset = 3, .state = HISTORY_MARK_NONE},
    };
    const struct dlq_node node = {.name = "b", .topic = "d.b.dlq", .marks = {marks, 4}};
    static const struct {
        int32_t partition;
        int64_t offset;
        enum dlq_state state;
    } cases[] = {{0, 2, DLQ_REPLAYED}, {0, 5, DLQ_SENDING}, {1, 2, DLQ_DROPPED},
                 {1, 3, DLQ_OPEN},     {0, 3, DLQ_OPEN},    {2, 2, DLQ_OPEN}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tap_record record = {.partition = cases[i].partition,
                                    .offset = cases[i].offset};
        struct dlq_letter letter = read_letter(&node, &record);

        ck_assert_int_eq(dlq_letter_state(&letter), cases[i].state);
    }
}
END_TEST

START_TEST(a_selection_takes_what_all_its_words_fit)
{
    const struct tap_record record = {.partition = 0, .offset = 9};
    const struct dlq_letter letter = {.record = &record,
                                      .node = "b",
                                      .reason = "line 3 is \"x\"",
                                      .failed_at = "DECODE",
                                      .died_ms = 1000};
    static const int64_t nine[] = {3, 9, 12};
    static const int64_t others[] = {3, 8, 12};
    const struct dlq_selection any = {.partition = -1};
    struct dlq_selection one = any;

    ck_assert(dlq_selects(&any, &letter));
    one.reason = "line # is \"…\"";
    one.failed_at = "DECODE";
    one.since_ms = 1000;
    one.until_ms = 1001;
    one.node = "b";
    one.partition = 0;
    one.offsets = nine;
    one.offset_count = 3;
    ck_assert(dlq_selects(&one, &letter));
    one.reason = "line 3 is \"x\"";
    ck_assert(dlq_selects(&one, &letter));
    one.reason = "line 4 is \"x\"";
    ck_assert(!dlq_selects(&one, &letter));
    one = any;
    one.until_ms = 1000;
    ck_assert(!dlq_selects(&one, &letter));
    one = any;
    one.since_ms = 1001;
    ck_assert(!dlq_selects(&one, &letter));
    one = any;
    one.offsets = others;
    one.offset_count = 3;
    ck_assert(!dlq_selects(&one, &letter));
    one = any;
    one.failed_at = "SINK";
    ck_assert(!dlq_selects(&one, &letter));
    one = any;
    one.node = "c";
    ck_assert(!dlq_selects(&one, &letter));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ops_dlq");
    TCase *tcase = tcase_create("ops_dlq");

    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_test(tcase, reasons_that_differ_in_what_is_quoted_or_counted_are_one);
    tcase_add_test(tcase, a_letter_says_what_its_last_headers_say);
    tcase_add_test(tcase, only_replays_of_the_same_topic_count);
    tcase_add_test(tcase, a_letter_finds_its_mark);
    tcase_add_test(tcase, a_selection_takes_what_all_its_words_fit);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
