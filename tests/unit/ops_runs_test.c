/* SPDX-License-Identifier: MIT */
#include "ops/ops.h"

#include "base/text.h"
#include "host/history_internal.h"
#include "host/lock.h"
#include "ops/address.h"
#include "ops/logs.h"
#include "ops/prune.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char home[64];

static void set_up(void)
{
    char path[96];

    (void)snprintf(home, sizeof home, "/tmp/dagrun-ops-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
    (void)snprintf(path, sizeof path, "%s/dags", home);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/runs", home);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void tear_down(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", home);
    ck_assert_int_eq(system(command), 0);
}

static struct history *open_history(void)
{
    char *path = mem_printf("%s/history.db", home);
    struct error err = {0};
    struct history *history = history_open(path, false, &err);

    ck_assert_msg(history != NULL, "%s", err.text);
    free(path);
    return history;
}

/* A run with one node of each kind, left in the given state; NULL leaves it live. */
static void record_run(const char *dag, const char *end, int64_t started_ms)
{
    struct history *history = open_history();
    struct history_run run = {.dag = {.dag = dag, .path = "/dags/a.yaml", .broker = "b:1"},
                              .text = "name: a\n",
                              .hash = "h",
                              .started_ms = started_ms};
    struct history_node source = {
        .node = "ask", .program = "producer", .state = "done", .totals = {.out = 10}};
    struct history_node node = {.node = "calc",
                                .program = "arithmetic",
                                .group = "a.calc",
                                .state = "running",
                                .clients = 1,
                                .totals = {.in = 10, .answered = 8, .dead = 2, .out = 8}};
    struct history_attempt attempt = {.node = "calc",
                                      .client = "0",
                                      .attempt = 1,
                                      .pid = 7,
                                      .started_ms = started_ms,
                                      .exit_code = -1};
    struct error err = {0};
    int64_t number;

    ck_assert_int_eq(history_run_begin(history, &run, &number, &err), 0);
    history_run_state(history, "running");
    history_node(history, &source);
    history_node(history, &node);
    history_attempt(history, &attempt);
    if (end)
        history_run_end(history, end, 0, NULL, started_ms + 5000);
    history_close(history);
}

static struct ops *open_ops(void)
{
    struct error err = {0};
    struct ops *ops = ops_open(home, &err);

    ck_assert_msg(ops != NULL, "%s", err.text);
    return ops;
}

/* A process that holds the lock of a dag until it is ended. */
static pid_t begin_runner(const char *dag)
{
    char *path = ops_lock_path(home, dag);
    int ready[2];
    char byte = 'n';
    pid_t pid;

    ck_assert_int_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        struct error err = {0};

        byte = lock_take(path, &err) ? 'y' : 'n';
        (void)!write(ready[1], &byte, 1);
        for (;;)
            (void)pause();
    }
    free(path);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    (void)close(ready[0]);
    (void)close(ready[1]);
    return pid;
}

static void end_runner(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

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

    record_run("a", NULL, 1000);
    pid = begin_runner("a");
    ops = open_ops();
    ck_assert_uint_eq(count_in_state(ops, "running"), 1);
    ck_assert_uint_eq(count_in_state(ops, "interrupted"), 0);
    ck_assert_int_eq(ops_run(ops, "a", 0, &run, &err), 0);
    ck_assert(run.live);
    ck_assert_str_eq(run.details.nodes[1].state, "running");
    ops_run_clear(&run);
    end_runner(pid);
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

    record_run("a", "succeeded", 1000);
    record_run("a", NULL, 2000);
    history = open_history();
    ck_assert_int_eq(history_db_exec(history->db, sql), SQLITE_OK);
    history_close(history);
    pid = begin_runner("a");
    ops = open_ops();
    ck_assert_int_eq(ops_run(ops, "a", 1, &run, &err), 0);
    ck_assert_str_eq(run.details.run.state, "interrupted");
    ops_run_clear(&run);
    ck_assert_uint_eq(count_in_state(ops, "running"), 1);
    end_runner(pid);
    ops_close(ops);
}
END_TEST

START_TEST(the_status_of_a_dead_run_comes_from_the_history)
{
    struct error err = {0};
    struct ops *ops;
    json_t *status;

    record_run("a", "stopped", 1000);
    ops = open_ops();
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
        record_run("a", "succeeded", i < 4 ? 1000 : 2000); /* equal times too */
    ops = open_ops();
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

    record_run("a", "succeeded", 1000);
    ops = open_ops();
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
    struct ops *ops = open_ops();
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

    ck_assert_int_eq(sqlite3_prepare_v2(history->db, explain, -1, &stmt, NULL), SQLITE_OK);
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

    record_run("a", "succeeded", 1000);
    history = open_history();
    ck_assert_int_eq(
        history_db_exec(history->db,
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
    ck_assert_msg(strcmp(shown, expected) == 0, "%s: %s, expected %s", text ? text : "-",
                  shown, expected);
    free(shown);
    address_clear(&a);
}

START_TEST(addresses_name_dags_nodes_clients_edges_and_runs)
{
    struct ops *ops;

    record_run("a", "succeeded", 1000);
    record_run("pipe", "succeeded", 1000);
    ops = open_ops();
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

    record_run("a", NULL, 1000);
    record_run("b", "succeeded", 1000);
    pid = begin_runner("a");
    ops = open_ops();
    check_address(ops, NULL, "a||||-1");
    check_address(ops, "calc", "a|calc|||-1");
    check_address(ops, "calc.0", "a|calc|0||-1");
    check_address(ops, "ask:calc", "a|||ask:calc|-1");
    check_address(ops, "@last", "a||||0");
    check_address(ops, "b", "b||||-1");
    other = begin_runner("b");
    check_address(ops, NULL, "error 2");
    check_address(ops, "ask:calc", "error 2");
    end_runner(pid);
    end_runner(other);
    ops_close(ops);
}
END_TEST

START_TEST(a_yaml_path_names_the_dag_that_last_ran_from_it)
{
    char *file = mem_printf("%s/x.yaml", home);
    struct history *history;
    struct history_dag dag = {.dag = "named", .path = file, .broker = "b:1"};
    struct error err = {0};
    char *address = mem_printf("%s/calc", file);
    struct ops *ops;
    FILE *out = fopen(file, "w");

    ck_assert_ptr_nonnull(out);
    (void)fclose(out);
    history = open_history();
    ck_assert_int_eq(history_dag_begin(history, &dag, &err), 0);
    history_close(history);
    ops = open_ops();
    check_address(ops, file, "named||||-1");
    check_address(ops, address, "named|calc|||-1");
    check_address(ops, "/nowhere/x.yaml", "error 4");
    ops_close(ops);
    free(address);
    free(file);
}
END_TEST

/* ----------------------------------------------------------------------------- logs */

static char *log_at(const char *node, const char *client, int attempt)
{
    char *folder = ops_run_folder(home, "a", 1);
    char *path = ops_log_path(home, "a", 1, node, client, attempt);

    (void)mkdir(folder, 0700);
    free(folder);
    return path;
}

static void write_text(const char *path, const char *mode, const char *text)
{
    FILE *out = fopen(path, mode);

    ck_assert_ptr_nonnull(out);
    (void)fputs(text, out);
    (void)fclose(out);
}

START_TEST(the_newest_attempt_of_each_client_is_found)
{
    static const struct {
        const char *node;
        const char *client;
        int attempt;
    } files[] = {{"calc", "0", 1}, {"calc", "0", 2}, {"calc", "0", 10}, {"calc", "1", 1},
                 {"ask", "0", 1}};
    struct log_query query = {.dag = "a", .run = 1};
    struct mem_arena arena = {0};
    struct log_list list;
    struct ops *ops = open_ops();

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = log_at(files[i].node, files[i].client, files[i].attempt);

        write_text(path, "w", "x\n");
        free(path);
    }
    logs_find(ops, &query, &arena, &list);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_str_eq(list.items[0].node, "ask");
    ck_assert_int_eq(list.items[1].attempt, 10);
    query.node = "calc";
    query.client = "0";
    query.attempt = 2;
    logs_find(ops, &query, &arena, &list);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.items[0].attempt, 2);
    query.dag = "nix";
    logs_find(ops, &query, &arena, &list);
    ck_assert_uint_eq(list.count, 0);
    mem_arena_clear(&arena);
    ops_close(ops);
}
END_TEST

static void collect(void *arg, const char *text, size_t len)
{
    struct text_buf *out = arg;

    text_append_bytes(out, text, len);
    text_append(out, "|");
}

static void check_read(struct log_reader *reader, bool last, const char *expected)
{
    struct text_buf out = {0};

    (void)log_reader_read(reader, last, collect, &out);
    ck_assert_str_eq(text_str(&out), expected);
    text_buf_clear(&out);
}

START_TEST(a_log_is_followed_through_its_rotation)
{
    char *path = log_at("calc", "0", 1);
    char *older = mem_printf("%s.1", path);
    struct error err = {0};
    bool skipped = false;
    struct log_reader *reader;

    write_text(path, "w", "one\ntwo\nthree\n");
    reader = log_reader_open(path, 2, &skipped, &err);
    ck_assert_ptr_nonnull(reader);
    ck_assert(skipped);
    check_read(reader, false, "two|three|");
    write_text(path, "a", "fo");
    check_read(reader, false, "");
    write_text(path, "a", "ur\nfive\n");
    ck_assert_int_eq(rename(path, older), 0);
    write_text(path, "w", "six\n");
    check_read(reader, false, "four|five|six|");
    write_text(path, "a", "unfinished");
    check_read(reader, false, "");
    check_read(reader, true, "unfinished|");
    log_reader_close(reader);
    free(older);
    free(path);
}
END_TEST

START_TEST(last_lines_come_out_of_rotated_parts_too)
{
    char *path = log_at("calc", "0", 1);
    char *first = mem_printf("%s.1", path);
    char *second = mem_printf("%s.2", path);
    static const struct {
        int64_t lines;
        const char *expected;
        bool skipped;
    } cases[] = {{1, "f|", true},       {2, "e|f|", true},           {3, "d|e|f|", true},
                 {5, "b|c|d|e|f|", true}, {6, "a|b|c|d|e|f|", false},
                 {9, "a|b|c|d|e|f|", false}, {-1, "a|b|c|d|e|f|", false}, {0, "", true}};

    write_text(second, "w", "a\nb\n");
    write_text(first, "w", "c\nd\n");
    write_text(path, "w", "e\nf\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        bool skipped = false;
        struct log_reader *reader =
            log_reader_open(path, cases[i].lines, &skipped, &err);

        check_read(reader, true, cases[i].expected);
        ck_assert_int_eq(skipped, cases[i].skipped);
        log_reader_close(reader);
    }
    free(second);
    free(first);
    free(path);
}
END_TEST

/* --------------------------------------------------------------------------- pruning */

START_TEST(pruning_takes_old_runs_with_their_logs_and_leaves_what_lives)
{
    struct prune_spec spec = {.before_ms = 5000, .keep = 1};
    struct prune_plan plan = {0};
    struct error err = {0};
    char *log = log_at("calc", "0", 1);
    char *folder = ops_run_folder(home, "a", 1);
    struct history *history;
    struct ops *ops;
    size_t done;
    pid_t pid;

    record_run("a", "succeeded", 1000);
    record_run("a", "succeeded", 2000);
    record_run("a", "succeeded", 9000);
    record_run("b", "succeeded", 1000);
    record_run("c", NULL, 1000);
    write_text(log, "w", "x\n");
    pid = begin_runner("c");
    ops = open_ops();
    ck_assert_int_eq(prune_plan(ops, &spec, &plan, &err), 0);
    ck_assert_uint_eq(plan.runs.count, 2);
    ck_assert_msg(prune_carry_out(ops, &plan, &done, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(done, 2);
    ck_assert_int_ne(access(folder, F_OK), 0);
    prune_plan_clear(&plan);
    spec = (struct prune_spec){.keep = 0};
    ck_assert_int_eq(prune_plan(ops, &spec, &plan, &err), 0);
    ck_assert_uint_eq(plan.runs.count, 2); /* a@3 and b@1, but not c, which lives */
    prune_plan_clear(&plan);
    end_runner(pid);
    ops_close(ops);
    history = open_history();
    ck_assert_int_eq(history_db_int(history->db, "SELECT count(*) FROM nodes", 0, NULL), 6);
    ck_assert_int_eq(history_db_int(history->db, "SELECT count(*) FROM texts", 0, NULL), 1);
    history_close(history);
    free(folder);
    free(log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ops_runs");
    TCase *tcase = tcase_create("ops");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_run_is_never_shown_running_when_its_runner_is_dead);
    tcase_add_test(tcase,
                   an_earlier_run_that_is_recorded_live_is_not_live_because_a_later_one_is);
    tcase_add_test(tcase, the_status_of_a_dead_run_comes_from_the_history);
    tcase_add_test(tcase, pages_follow_each_other_without_gap_or_repeat);
    tcase_add_test(tcase, a_bad_filter_is_refused_with_what_was_expected);
    tcase_add_test(tcase, no_history_is_an_empty_one);
    tcase_add_test(tcase, the_list_of_100000_runs_is_read_through_its_indices);
    tcase_add_test(tcase, addresses_name_dags_nodes_clients_edges_and_runs);
    tcase_add_test(tcase, the_dag_may_be_left_out_while_one_runs);
    tcase_add_test(tcase, a_yaml_path_names_the_dag_that_last_ran_from_it);
    tcase_add_test(tcase, the_newest_attempt_of_each_client_is_found);
    tcase_add_test(tcase, a_log_is_followed_through_its_rotation);
    tcase_add_test(tcase, last_lines_come_out_of_rotated_parts_too);
    tcase_add_test(tcase, pruning_takes_old_runs_with_their_logs_and_leaves_what_lives);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
