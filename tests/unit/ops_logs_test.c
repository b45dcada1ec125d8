/* SPDX-License-Identifier: MIT
 *
 * Logs are found, followed and, with their runs, pruned.
 */
#include "ops/logs.h"

#include "base/text.h"
#include "host/history_internal.h"
#include "ops/prune.h"
#include "support/ops_fixture.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *log_at(const char *node, const char *client, int attempt)
{
    char *folder = ops_run_folder(fixture.home, "a", 1);
    char *path = ops_log_path(fixture.home, "a", 1, node, client, attempt);

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
    } files[] = {{"calc", "0", 1},
                 {"calc", "0", 2},
                 {"calc", "0", 10},
                 {"calc", "1", 1},
                 {"ask", "0", 1}};
    struct log_query query = {.dag = "a", .run = 1};
    struct mem_arena arena = {0};
    struct log_list list;
    struct ops *ops = fixture_open_ops();

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
    } cases[] = {{1, "f|", true},
                 {2, "e|f|", true},
                 {3, "d|e|f|", true},
                 {5, "b|c|d|e|f|", true},
                 {6, "a|b|c|d|e|f|", false},
                 {9, "a|b|c|d|e|f|", false},
                 {-1, "a|b|c|d|e|f|", false},
                 {0, "", true}};

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

START_TEST(pruning_takes_old_runs_with_their_logs_and_leaves_what_lives)
{
    struct prune_spec spec = {.before_ms = 5000, .keep = 1};
    struct prune_plan plan = {0};
    struct error err = {0};
    char *log = log_at("calc", "0", 1);
    char *folder = ops_run_folder(fixture.home, "a", 1);
    struct history *history;
    struct ops *ops;
    size_t done;
    pid_t pid;

    fixture_record_run("a", "succeeded", 1000);
    fixture_record_run("a", "succeeded", 2000);
    fixture_record_run("a", "succeeded", 9000);
    fixture_record_run("b", "succeeded", 1000);
    fixture_record_run("c", NULL, 1000);
    write_text(log, "w", "x\n");
    pid = fixture_begin_runner("c");
    ops = fixture_open_ops();
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
    fixture_end_runner(pid);
    ops_close(ops);
    history = fixture_open_history();
    ck_assert_int_eq(history_db_int(history->db, "SELECT count(*) FROM nodes", 0, NULL),
                     6);
    ck_assert_int_eq(history_db_int(history->db, "SELECT count(*) FROM texts", 0, NULL),
                     1);
    history_close(history);
    free(folder);
    free(log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ops_logs");
    TCase *tcase = tcase_create("logs");

    tcase_add_checked_fixture(tcase, fixture_begin, fixture_end);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, the_newest_attempt_of_each_client_is_found);
    tcase_add_test(tcase, a_log_is_followed_through_its_rotation);
    tcase_add_test(tcase, last_lines_come_out_of_rotated_parts_too);
    tcase_add_test(tcase, pruning_takes_old_runs_with_their_logs_and_leaves_what_lives);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
