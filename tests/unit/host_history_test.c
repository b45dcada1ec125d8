/* SPDX-License-Identifier: MIT
 *
 * What a run writes into the history, and what is found there again.
 */
#include "host/history.h"
#include "host/history_internal.h"
#include "host/history_marks.h"

#include "base/mem.h"
#include "support/history_fixture.h"
#include "support/suite.h"

#include <check.h>

START_TEST(runs_count_per_dag_from_one_and_survive_reopening)
{
    struct history *history = fixture_open_history();

    ck_assert_int_eq(fixture_begin_run(history, "a"), 1);
    history_close(history);
    history = fixture_open_history();
    ck_assert_int_eq(fixture_begin_run(history, "a"), 2);
    history_close(history);
    history = fixture_open_history();
    ck_assert_int_eq(fixture_begin_run(history, "b"), 1);
    history_close(history);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM runs"), 3);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM texts"), 1);
}
END_TEST

START_TEST(a_number_is_not_used_again_when_its_run_was_pruned)
{
    struct history *history = fixture_open_history();

    (void)fixture_begin_run(history, "a");
    history_close(history);
    fixture_change("DELETE FROM runs");
    history = fixture_open_history();
    ck_assert_int_eq(fixture_begin_run(history, "a"), 2);
    history_close(history);
}
END_TEST

START_TEST(a_live_run_is_recorded_as_interrupted_by_the_next)
{
    struct history *history = fixture_open_history();
    struct history_attempt attempt = {.node = "n",
                                      .client = "0",
                                      .attempt = 1,
                                      .pid = 1,
                                      .started_ms = 5,
                                      .exit_code = -1};

    (void)fixture_begin_run(history, "a");
    history_run_state(history, "running");
    fixture_add_node(history, "n", 1);
    history_attempt(history, &attempt);
    history_close(history);
    history = fixture_open_history();
    (void)fixture_begin_run(history, "other");
    history_close(history);
    ck_assert_int_eq(
        fixture_ask("SELECT count(*) FROM runs WHERE state = 'interrupted'"), 0);
    history = fixture_open_history();
    (void)fixture_begin_run(history, "a");
    history_close(history);
    ck_assert_int_eq(fixture_ask("SELECT number FROM runs WHERE state = 'interrupted'"),
                     1);
    ck_assert_int_eq(
        fixture_ask("SELECT count(*) FROM nodes WHERE state = 'interrupted'"), 1);
    ck_assert_int_eq(
        fixture_ask("SELECT count(*) FROM attempts WHERE ended_ms IS NULL"), 0);
}
END_TEST

START_TEST(a_state_row_waits_once_and_is_not_written_unchanged)
{
    struct history *history = fixture_open_history();

    (void)fixture_begin_run(history, "a");
    ck_assert_uint_eq(history_queue_count(history->queue), 0);
    for (int64_t i = 0; i < 100; i++)
        fixture_add_node(history, "n", i);
    ck_assert_uint_eq(history_queue_count(history->queue), 1);
    history_tick(history);
    ck_assert_int_eq(fixture_ask("SELECT in_count FROM nodes"), 99);
    fixture_add_node(history, "n", 99);
    ck_assert_uint_eq(history_queue_count(history->queue), 0);
    fixture_add_node(history, "n", 100);
    ck_assert_uint_eq(history_queue_count(history->queue), 1);
    history_close(history);
    ck_assert_int_eq(fixture_ask("SELECT in_count FROM nodes"), 100);
}
END_TEST

START_TEST(an_attempt_keeps_its_begin_and_gets_its_end)
{
    struct history *history = fixture_open_history();
    struct history_attempt attempt = {.node = "n",
                                      .client = "0",
                                      .attempt = 1,
                                      .pid = 7,
                                      .started_ms = 5,
                                      .exit_code = -1};

    (void)fixture_begin_run(history, "a");
    history_attempt(history, &attempt);
    history_tick(history);
    ck_assert_int_eq(fixture_ask("SELECT ended_ms IS NULL FROM attempts"), 1);
    attempt.ended_ms = 9;
    attempt.signal = 9;
    attempt.reason = "killed";
    history_attempt(history, &attempt);
    history_tick(history);
    attempt.attempt = 2;
    attempt.ended_ms = 0;
    history_attempt(history, &attempt);
    history_close(history);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM attempts"), 2);
    ck_assert_int_eq(
        fixture_ask("SELECT signal FROM attempts WHERE attempt = 1 AND ended_ms = 9"),
        9);
}
END_TEST

START_TEST(the_next_start_finds_what_the_last_run_left)
{
    struct history *history = fixture_open_history();
    struct history_last last = {0};
    struct error err = {0};

    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_ptr_null(last.path);
    ck_assert_int_eq(last.run, 0);
    history_last_clear(&last);
    (void)fixture_begin_run(history, "a");
    fixture_fill_edges(history);
    history_run_end(history, "stopped", 0, NULL, 5000);
    history_close(history);
    fixture_change("DELETE FROM runs"); /* pruning takes nothing from it */
    history = fixture_open_history();
    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_str_eq(last.path, "/dags/a.yaml");
    ck_assert_uint_eq(last.edge_count, 1);
    ck_assert_str_eq(last.edges[0].topic_id, "T1");
    ck_assert_int_eq(last.edges[0].run, 1);
    ck_assert_int_eq(last.edges[0].partitions, 2);
    ck_assert_int_eq(last.edges[0].committed[0], -1);
    ck_assert_int_eq(last.edges[0].committed[1], 40);
    ck_assert_uint_eq(last.source_count, 1);
    ck_assert_int_eq(last.sources[0].position, 77);
    ck_assert(!last.sources[0].finished);
    ck_assert_uint_eq(last.topic_count, 1);
    ck_assert(last.topics[0].created);
    history_last_clear(&last);
    history_close(history);
}
END_TEST

START_TEST(a_known_offset_is_never_replaced_by_an_unknown_one)
{
    struct history *history = fixture_open_history();
    struct history_last last = {0};
    struct error err = {0};
    struct history_offsets unknown = {.edge = "x:y",
                                      .partition = 1,
                                      .read_start = -1,
                                      .read_end = -1,
                                      .write_start = -1,
                                      .write_end = -1};

    (void)fixture_begin_run(history, "a");
    fixture_fill_edges(history);
    history_close(history);
    history = fixture_open_history();
    (void)fixture_begin_run(history, "a");
    history_offsets(history, &unknown);
    history_close(history);
    history = fixture_open_history();
    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_int_eq(last.edges[0].committed[1], 40);
    history_last_clear(&last);
    history_close(history);
}
END_TEST

START_TEST(forgetting_a_dag_leaves_its_runs_and_frees_its_name)
{
    struct history *history = fixture_open_history();
    struct history_last last = {0};
    struct error err = {0};

    (void)fixture_begin_run(history, "a");
    fixture_fill_edges(history);
    history_close(history);
    history = fixture_open_history();
    ck_assert_int_eq(history_forget(history, "a", "x:y", &err), 0);
    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_uint_eq(last.edge_count, 0);
    ck_assert_uint_eq(last.source_count, 1);
    history_last_clear(&last);
    ck_assert_int_eq(history_forget(history, "a", NULL, &err), 0);
    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_ptr_null(last.path);
    ck_assert_uint_eq(last.source_count, 0);
    ck_assert_uint_eq(last.topic_count, 0);
    ck_assert_int_eq(last.run, 1);
    history_last_clear(&last);
    history_close(history);
}
END_TEST

START_TEST(samples_go_first_and_events_stay_when_there_is_no_room)
{
    struct history_queue *queue = history_queue_new(4000);
    struct history_value value = {.type = HISTORY_TEXT, .as.text = "some text"};
    struct history_row row = {.statement = 1, .count = 1, .values = &value};
    const struct history_entry *cursor = NULL;
    const struct history_row *next;
    int count[HISTORY_CLASSES] = {0};

    for (int i = 0; i < 200; i++) {
        row.class = (enum history_class)(i % HISTORY_CLASSES);
        history_queue_add(queue, &row);
    }
    while ((next = history_queue_next(queue, &cursor)) != NULL)
        count[next->class]++;
    ck_assert_int_eq(count[HISTORY_KEEP], 67);
    ck_assert_int_eq(count[HISTORY_SAMPLES], 0);
    ck_assert_int_eq(count[HISTORY_KEEP] + count[HISTORY_LETTERS] +
                         (int)history_queue_dropped(queue),
                     200);
    history_queue_free(queue);
}
END_TEST

static void mark(struct history *history, const struct history_mark *marks,
                 size_t count)
{
    struct history_marking marking = {
        .dag = "a", .node = "y", .topic_id = "T9", .marks = marks, .count = count};
    struct error err = {0};

    ck_assert_msg(history_marks_put(history, &marking, &err) == 0, "%s", err.text);
}

START_TEST(marks_of_dead_letters_are_kept_changed_and_taken_away)
{
    struct history *history = fixture_open_history();
    struct history_mark marks[] = {
        {.partition = 1, .offset = 5, .state = HISTORY_MARK_SENDING, .by = "me"},
        {.partition = 0, .offset = 7, .state = HISTORY_MARK_SENDING, .by = "me"},
        {.partition = 0, .offset = 2, .state = HISTORY_MARK_DROPPED, .note = "no use"},
    };
    struct history_mark_list list = {0};
    struct mem_arena arena = {0};
    struct error err = {0};

    (void)fixture_begin_run(history, "a");
    mark(history, marks, 3);
    marks[0].state = HISTORY_MARK_REPLAYED;
    marks[1].state = HISTORY_MARK_NONE;
    mark(history, marks, 2);
    ck_assert_int_eq(history_marks(history, "T9", &arena, &list, &err), 0);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(list.items[0].offset, 2);
    ck_assert_int_eq(list.items[0].state, HISTORY_MARK_DROPPED);
    ck_assert_str_eq(list.items[0].note, "no use");
    ck_assert_int_eq(list.items[1].partition, 1);
    ck_assert_int_eq(list.items[1].state, HISTORY_MARK_REPLAYED);
    list = (struct history_mark_list){0};
    ck_assert_int_eq(history_marks(history, "T10", &arena, &list, &err), 0);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_int_eq(history_forget(history, "a", NULL, &err), 0);
    ck_assert_int_eq(history_marks(history, "T9", &arena, &list, &err), 0);
    ck_assert_uint_eq(list.count, 0);
    mem_arena_clear(&arena);
    history_close(history);
}
END_TEST

START_TEST(samples_fill_rings_that_never_grow_past_their_slots)
{
    struct history *history = fixture_open_history();
    struct history_sample sample = {.series = HISTORY_EDGE, .id = "x:y", .backlog = 5};

    (void)fixture_begin_run(history, "a");
    for (int second = 0; second < 1300; second++) {
        sample.ts_ms = INT64_C(1000) * second;
        sample.in_per_s = second % 10;
        history_sample(history, &sample);
        if (second % 100 == 0)
            history_tick(history);
    }
    history_close(history);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM samples WHERE tier = 0"), 600);
    ck_assert_int_eq(fixture_ask("SELECT min(ts_ms) FROM samples WHERE tier = 0"),
                     700000);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM samples WHERE tier = 1"), 129);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM samples WHERE tier = 2"), 21);
    ck_assert_int_eq(
        fixture_ask("SELECT round(min(in_per_s) * 10) FROM samples WHERE tier = 1"),
        45);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host_history");
    TCase *tcase = tcase_create("history");

    tcase_add_checked_fixture(tcase, fixture_begin, fixture_end);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, runs_count_per_dag_from_one_and_survive_reopening);
    tcase_add_test(tcase, a_number_is_not_used_again_when_its_run_was_pruned);
    tcase_add_test(tcase, a_live_run_is_recorded_as_interrupted_by_the_next);
    tcase_add_test(tcase, a_state_row_waits_once_and_is_not_written_unchanged);
    tcase_add_test(tcase, an_attempt_keeps_its_begin_and_gets_its_end);
    tcase_add_test(tcase, the_next_start_finds_what_the_last_run_left);
    tcase_add_test(tcase, a_known_offset_is_never_replaced_by_an_unknown_one);
    tcase_add_test(tcase, forgetting_a_dag_leaves_its_runs_and_frees_its_name);
    tcase_add_test(tcase, samples_go_first_and_events_stay_when_there_is_no_room);
    tcase_add_test(tcase, marks_of_dead_letters_are_kept_changed_and_taken_away);
    tcase_add_test(tcase, samples_fill_rings_that_never_grow_past_their_slots);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
