/* SPDX-License-Identifier: MIT
 *
 * Which runs there are, in which state, and what addresses name.
 */
#include "ops/ops.h"

#include "host/history_internal.h"
#include "ops/address.h"
#include "support/ops_fixture.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_in_state(const struct ops *ops, const char *state)
{
    struct ops_filter filter = {.state = state, .limit = 100};
    struct ops_runs runs = {0};
    struct error err = {0};
    size_t count;

    ck_assert_msg(ops_runs(ops, &filter, &runs, &err) == 0, "%s", err.text);
    count = runs.list.count;
    ops_runs_clear(&runs);
    return count;
}

START_TEST(a_run_is_never_shown_running_when_its_runner_is_dead)
{
    struct ops_run run = {0};
    struct error err = {0};
    struct ops *ops;
    pid_t pid;

    fixture_record_run("a", NULL, 1000);
    pid = fixture_begin_runner("a");
    ops = fixture_open_ops();
    ck_assert_uint_eq(count_in_state(ops, "running"), 1);
    ck_assert_uint_eq(count_in_state(ops, "interrupted"), 0);
    ck_assert_int_eq(ops_run(ops, "a", 0, &run, &err), 0);
    ck_assert(run.live);
    ck_assert_str_eq(run.details.nodes[1].state, "running");
    ops_run_clear(&run);
    fixture_end_runner(pid);
    ck_assert_uint_eq(count_in_state(ops, "running"), 0);
    ck_assert_uint_eq(count_in_state(ops, "interrupted"), 1);
    ck_assert_int_eq(ops_run(ops, "a", 0, &run, &err), 0);
    ck_assert(!run.live);
    ck_assert_str_eq(run.details.run.state, "interrupted");
    ck_assert_str_eq(run.details.nodes[0].state, "done");
    ck_assert_str_eq(run.details.nodes[1].state, "interrupted");
    ck_assert_int_gt(run.details.attempts[0].ended_ms, 0);
    ops_run_clear(&run);
    ops_close(ops);
}
END_TEST

START_TEST(an_earlier_run_that_is_recorded_live_is_not_live_because_a_later_one_is)
{
    struct ops_run run = {0};
    struct error err = {0};
    struct ops *ops;
    pid_t pid;
    char sql[] = "UPDATE runs SET state = 'running'";
    struct history *history;

    fixture_record_run("a", "succeeded", 1000);
    fixture_record_run("a", NULL, 2000);
    history = fixture_open_history();
    ck_assert_int_eq(history_db_exec(history->db, sql), SQLITE_OK);
    history_close(history);
    pid = fixture_begin_runner("a");
    ops = fixture_open_ops();
    ck_assert_int_eq(ops_run(ops, "a", 1, &run, &err), 0);
    ck_assert_str_eq(run.details.run.state, "interrupted");
    ops_run_clear(&run);
    ck_assert_uint_eq(count_in_state(ops, "running"), 1);
    fixture_end_runner(pid);
    ops_close(ops);
}
END_TEST

START_TEST(the_status_of_a_dead_run_comes_from_the_history)
{
    struct error err = {0};
    struct ops *ops;
    json_t *status;

    fixture_record_run("a", "stopped", 1000);
    ops = fixture_open_ops();
    status = ops_status(ops, "a", &err);
    ck_assert_msg(status != NULL, "%s", err.text);
    ck_assert_str_eq(json_get_string(status, "state", ""), "stopped");
    ck_assert(!json_get_bool(status, "live", true));
    ck_assert_int_eq(json_array_size(json_object_get(status, "nodes")), 2);
    json_decref(status);
    ck_assert_ptr_null(ops_status(ops, "nix", &err));
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    ops_close(ops);
}
END_TEST

START_TEST(pages_follow_each_other_without_gap_or_repeat)
{
    struct ops_filter filter = {.limit = 3};
    struct error err = {0};
    char cursor[64];
    struct ops *ops;
    int64_t expected = 7;
    int pages = 0;

    for (int i = 0; i < 7; i++)
        fixture_record_run("a", "succeeded", i < 4 ? 1000 : 2000); /* equal times too */
    ops = fixture_open_ops();
    do {
        struct ops_runs runs = {0};

        ck_assert_int_eq(ops_runs(ops, &filter, &runs, &err), 0);
        for (size_t i = 0; i < runs.list.count; i++)
            ck_assert_int_eq(runs.list.items[i].run, expected--);
        (void)snprintf(cursor, sizeof cursor, "%s", runs.cursor);
        filter.after = cursor;
        ops_runs_clear(&runs);
        pages++;
    } while (*cursor);
    ck_assert_int_eq(expected, 0);
    ck_assert_int_eq(pages, 3);
    ops_close(ops);
}
END_TEST

START_TEST(a_bad_filter_is_refused_with_what_was_expected)
{
    struct ops_filter filter = {.state = "runing", .limit = 10};
    struct ops_runs runs = {0};
    struct error err = {0};
    struct ops *ops;

    fixture_record_run("a", "succeeded", 1000);
    ops = fixture_open_ops();
    ck_assert_int_eq(ops_runs(ops, &filter, &runs, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "did you mean 'running'?"));
    err = (struct error){0};
    filter = (struct ops_filter){.after = "x", .limit = 10};
    ck_assert_int_eq(ops_runs(ops, &filter, &runs, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ops_close(ops);
}
END_TEST

START_TEST(no_history_is_an_empty_one)
{
    struct ops *ops = fixture_open_ops();
    struct address address = {0};
    struct error err = {0};

    ck_assert_uint_eq(count_in_state(ops, NULL), 0);
    ck_assert_int_eq(address_resolve(ops, NULL, &address, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    address_clear(&address);
    ops_close(ops);
}
END_TEST

/* Every walk of the list must come from an index, already in order. */
static void check_plan(struct history *history, const struct history_filter *filter,
                       const char *index)
{
    char *sql = history_list_sql(filter);
    char *explain = mem_printf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;
    bool found = false;

    ck_assert_int_eq(sqlite3_prepare_v2(history->db, explain, -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(stmt, 3);

        found = found || strstr(detail, index) != NULL;
        ck_assert_msg(strstr(detail, "SCAN runs") == NULL ||
                          strstr(detail, "USING") != NULL,
                      "%s", detail);
    }
    ck_assert_msg(found, "no use of %s", index);
    (void)sqlite3_finalize(stmt);
    free(explain);
    free(sql);
}

START_TEST(the_list_of_100000_runs_is_read_through_its_indices)
{
    struct history_filter filter = {.limit = 50};
    struct history_run_list list = {0};
    struct mem_arena arena = {0};
    struct error err = {0};
    struct history *history;

    fixture_record_run("a", "succeeded", 1000);
    history = fixture_open_history();
    ck_assert_int_eq(
        history_db_exec(
            history->db,
            "INSERT INTO dags(name) VALUES('b');"
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"
            " WHERE i < 100000) INSERT INTO runs(dag_id, number, state,"
            " started_ms, alive_ms) SELECT 1 + i % 2, i,"
            " CASE WHEN i = 5 THEN 'failed' ELSE 'succeeded' END, i * 1000, 0"
            " FROM n"),
        SQLITE_OK);
    check_plan(history, &filter, "runs_by_time");
    filter.dag = "a";
    check_plan(history, &filter, "runs_by_dag");
    filter.states[filter.state_count++] = "failed";
    filter.states[filter.state_count++] = "running";
    check_plan(history, &filter, "runs_by_dag_state");
    filter.dag = NULL;
    check_plan(history, &filter, "runs_by_state");
    ck_assert_int_eq(history_runs(history, &filter, &arena, &list, &err), 0);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.items[0].run, 5);
    filter.state_count = 0;
    filter.before_ms = 50000000;
    filter.before_id = INT64_MAX;
    ck_assert_int_eq(history_runs(history, &filter, &arena, &list, &err), 0);
    ck_assert_uint_eq(list.count, 50);
    ck_assert_int_eq(list.items[0].run, 50000);
    mem_arena_clear(&arena);
    history_close(history);
}
END_TEST

/* ------------------------------------------------------------------------ addresses */

static void check_address(const struct ops *ops, const char *text, const char *expected)
{
    struct address a = {0};
    struct error err = {0};
    char *shown;

    if (address_resolve(ops, text, &a, &err) == 0)
        shown = mem_printf("%s|%s|%s|%s|%lld", a.dag, a.node ? a.node : "",
                           a.client ? a.client : "", a.edge ? a.edge : "",
                           a.has_run ? (long long)a.run : -1);
    else
        shown = mem_printf("error %d", error_exit_code(err.kind));
    ck_assert_msg(strcmp(shown, expected) == 0, "%s: %s, expected %s",
                  text ? text : "-", shown, expected);
    free(shown);
    address_clear(&a);
}

START_TEST(addresses_name_dags_nodes_clients_edges_and_runs)
{
    struct ops *ops;

    fixture_record_run("a", "succeeded", 1000);
    fixture_record_run("pipe", "succeeded", 1000);
    ops = fixture_open_ops();
    check_address(ops, "a", "a||||-1");
    check_address(ops, "a/calc", "a|calc|||-1");
    check_address(ops, "a/calc.1", "a|calc|1||-1");
    check_address(ops, "a/ask:calc", "a|||ask:calc|-1");
    check_address(ops, "a@12", "a||||12");
    check_address(ops, "a@last", "a||||0");
    check_address(ops, "a@3/calc.0", "a|calc|0||3");
    check_address(ops, "pip", "error 4");
    check_address(ops, "nix/calc", "error 4");
    check_address(ops, "a@", "error 2");
    check_address(ops, "a@0", "error 2");
    check_address(ops, "a/", "error 2");
    check_address(ops, "a/calc.", "error 2");
    check_address(ops, "a/:calc", "error 2");
    check_address(ops, "a/b/c", "error 2");
    check_address(ops, "", "error 2");
    check_address(ops, NULL, "error 2"); /* two dags, none runs */
    ops_close(ops);
}
END_TEST

START_TEST(the_dag_may_be_left_out_while_one_runs)
{
    struct ops *ops;
    pid_t pid;
    pid_t other;

    fixture_record_run("a", NULL, 1000);
    fixture_record_run("b", "succeeded", 1000);
    pid = fixture_begin_runner("a");
    ops = fixture_open_ops();
    check_address(ops, NULL, "a||||-1");
    check_address(ops, "calc", "a|calc|||-1");
    check_address(ops, "calc.0", "a|calc|0||-1");
    check_address(ops, "ask:calc", "a|||ask:calc|-1");
    check_address(ops, "@last", "a||||0");
    check_address(ops, "b", "b||||-1");
    other = fixture_begin_runner("b");
    check_address(ops, NULL, "error 2");
    check_address(ops, "ask:calc", "error 2");
    fixture_end_runner(pid);
    fixture_end_runner(other);
    ops_close(ops);
}
END_TEST

START_TEST(a_yaml_path_names_the_dag_that_last_ran_from_it)
{
    char *file = mem_printf("%s/x.yaml", fixture.home);
    struct history *history;
    struct history_dag dag = {.dag = "named", .path = file, .broker = "b:1"};
    struct error err = {0};
    char *address = mem_printf("%s/calc", file);
    struct ops *ops;
    FILE *out = fopen(file, "w");

    ck_assert_ptr_nonnull(out);
    (void)fclose(out);
    history = fixture_open_history();
    ck_assert_int_eq(history_dag_begin(history, &dag, &err), 0);
    history_close(history);
    ops = fixture_open_ops();
    check_address(ops, file, "named||||-1");
    check_address(ops, address, "named|calc|||-1");
    check_address(ops, "/nowhere/x.yaml", "error 4");
    ops_close(ops);
    free(address);
    free(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ops_runs");
    TCase *tcase = tcase_create("ops");

    tcase_add_checked_fixture(tcase, fixture_begin, fixture_end);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_run_is_never_shown_running_when_its_runner_is_dead);
    tcase_add_test(
        tcase, an_earlier_run_that_is_recorded_live_is_not_live_because_a_later_one_is);
    tcase_add_test(tcase, the_status_of_a_dead_run_comes_from_the_history);
    tcase_add_test(tcase, pages_follow_each_other_without_gap_or_repeat);
    tcase_add_test(tcase, a_bad_filter_is_refused_with_what_was_expected);
    tcase_add_test(tcase, no_history_is_an_empty_one);
    tcase_add_test(tcase, the_list_of_100000_runs_is_read_through_its_indices);
    tcase_add_test(tcase, addresses_name_dags_nodes_clients_edges_and_runs);
    tcase_add_test(tcase, the_dag_may_be_left_out_while_one_runs);
    tcase_add_test(tcase, a_yaml_path_names_the_dag_that_last_ran_from_it);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
