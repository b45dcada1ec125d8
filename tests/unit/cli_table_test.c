/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include "base/mem.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char running[] =
    "{'dag':'arithmetic','run':12,'state':'running','since_ms':1000,'now_ms':84000,"
    "'broker':{'address':'localhost:9092','up':true},'nodes':["
    "{'node':'ask','state':'done','want':1,'up':0,'in':0,'in_per_s':0,'out_per_s':0,"
    "'progress':1.0,'out':100000},"
    "{'node':'calc','state':'running','want':2,'up':2,'in_per_s':12345.6,"
    "'out_per_s':12000.2,'backlog':43210,'progress':0.5679,'dead':3,'restarts':1,"
    "'last_error':'calc.0: killed by signal 9'},"
    "{'node':'left','state':'waiting','want':1,'up':1,'in_per_s':0.25,'out_per_s':0,"
    "'backlog':0,'progress':null}]}";

static json_t *parse(const char *text)
{
    struct error err = {0};
    char *copy = mem_strdup(text);
    json_t *value;

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    value = json_parse(copy, strlen(copy), &err);
    ck_assert_msg(value != NULL, "%s", err.text);
    free(copy);
    return value;
}

static char *printed(const char *status, int width, bool color)
{
    json_t *value = parse(status);
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);

    table_print(out, value, width, color);
    (void)fclose(out);
    json_decref(value);
    return data;
}

static void check_text(char *actual, const char *expected)
{
    ck_assert_str_eq(actual, expected);
    free(actual);
}

START_TEST(the_table_shows_rates_backlog_progress_and_errors)
{
    check_text(printed(running, 0, false),
               "arithmetic@12  running  1m23s  broker localhost:9092\n"
               "NODE  STATE    CLIENTS    IN/s   OUT/s  BACKLOG  PROGRESS             DEAD  "
               "RESTARTS\n"
               "ask   done         0/1       0       0           [============] 100%\n"
               "calc  running      2/2  12,346  12,000   43,210  [======      ]  56%     3  "
               "       1\n"
               "left  waiting      1/1     0.2       0        0\n"
               "calc: calc.0: killed by signal 9\n");
}
END_TEST

START_TEST(a_narrow_terminal_loses_columns_and_keeps_states)
{
    check_text(printed(running, 30, false), "arithmetic@12  running  1m23s~\n"
                                            "NODE  STATE    BACKLOG  DEAD\n"
                                            "ask   done\n"
                                            "calc  running   43,210     3\n"
                                            "left  waiting        0\n"
                                            "calc: calc.0: killed by signa~\n");
    check_text(printed(running, 12, false), "arithmetic@~\n"
                                            "NODE  STATE\n"
                                            "ask   done\n"
                                            "calc  running\n"
                                            "left  waiting\n"
                                            "calc: calc.~\n");
}
END_TEST

START_TEST(colour_only_repeats_the_word)
{
    char *text = printed(running, 0, true);

    ck_assert_ptr_nonnull(strstr(text, "\x1b[32mrunning\x1b[0m"));
    free(text);
    text = printed(running, 0, false);
    ck_assert_ptr_null(strchr(text, '\x1b'));
    free(text);
}
END_TEST

START_TEST(a_run_that_ended_shows_totals)
{
    check_text(
        printed("{'dag':'a','run':3,'state':'degraded','since_ms':1000,'ended_ms':4500,"
                "'nodes':[{'node':'x','state':'done','in':0,'out':10},"
                "{'node':'y','state':'done','in':10,'answered':8,'dropped':1,'dead':1,"
                "'out':8}]}",
                80, false),
        "a@3  degraded  3.5s\n"
        "NODE  STATE  IN  ANSWERED  DROPPED  DEAD  OUT\n"
        "x     done    0         0        0     0   10\n"
        "y     done   10         8        1     1    8\n");
}
END_TEST

START_TEST(a_client_that_is_not_ready_for_long_is_told_with_its_log)
{
    check_text(printed("{'dag':'a','run':3,'state':'running','nodes':["
                       "{'node':'x','state':'starting','want':3,'up':0,'clients':["
                       "{'client':'0','state':'starting','uptime_ms':40000},"
                       "{'client':'1','state':'starting','uptime_ms':2000},"
                       "{'client':'2','state':'running','uptime_ms':40000}]}]}",
                       0, false),
               "a@3  running\n"
               "NODE  STATE     CLIENTS  IN/s  OUT/s  BACKLOG\n"
               "x     starting      0/3\n"
               "x.0: has not said for 40.0s that it is ready (its log: dagrun logs a/x.0)\n");
}
END_TEST

START_TEST(names_and_errors_do_nothing_to_the_terminal)
{
    char *text = printed("{'dag':'a','run':3,'state':'running','nodes':[{'node':'x\\u001b[2J',"
                         "'state':'running','last_error':'bad\\u001b]0;title\\u0007\\n'}]}",
                         0, true);

    ck_assert_ptr_null(strstr(text, "\x1b[2J"));
    ck_assert_ptr_null(strstr(text, "\x1b]"));
    ck_assert_ptr_null(strchr(text, '\a'));
    free(text);
}
END_TEST

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        count++;
    return count;
}

START_TEST(a_table_is_never_higher_than_the_terminal_and_shows_trouble_first)
{
    json_t *status = parse("{'dag':'a','run':1,'state':'running','nodes':[]}");
    json_t *nodes = json_object_get(status, "nodes");
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);
    struct table *table = table_new(out, 80, 10, false);

    for (int i = 0; i < 100; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "n%d", i);
        (void)json_array_append_new(
            nodes, json_pack("{s:s,s:s}", "node", name, "state",
                             i == 77 ? "failed" : "running"));
    }
    table_update(table, status);
    (void)fflush(out);
    ck_assert_uint_eq(count_of(data, "\n"), 9);
    ck_assert_ptr_nonnull(strstr(data, "n77"));
    ck_assert_ptr_nonnull(strstr(data, "and 94 more nodes"));
    table_free(table);
    (void)fclose(out);
    free(data);
    json_decref(status);
}
END_TEST

START_TEST(nothing_is_written_when_nothing_changed)
{
    json_t *status = parse(running);
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);
    struct table *table = table_new(out, 80, 24, false);
    size_t first;

    table_update(table, status);
    (void)fflush(out);
    first = len;
    ck_assert_uint_gt(first, 0);
    table_update(table, status);
    (void)fflush(out);
    ck_assert_uint_eq(len, first);
    table_free(table);
    (void)fclose(out);
    free(data);
    json_decref(status);
}
END_TEST

/*
 * A terminal of the test: applies what the table writes to rows of text. It knows line
 * feed, carriage return, cursor up, and erasing.
 */
struct screen {
    char rows[64][200];
    size_t row;
    size_t column;
};

static void escape(struct screen *screen, const char *code, char verb)
{
    size_t count = (size_t)strtoul(code, NULL, 10);

    if (verb == 'A') {
        ck_assert_uint_ge(screen->row, count);
        screen->row -= count;
    } else if (verb == 'K') {
        screen->rows[screen->row][screen->column] = '\0';
    } else if (verb == 'J') {
        screen->rows[screen->row][screen->column] = '\0';
        for (size_t i = screen->row + 1; i < 64; i++)
            screen->rows[i][0] = '\0';
    } else {
        ck_assert_int_eq(verb, 'm');
    }
}

static void show(struct screen *screen, const char *text)
{
    *screen = (struct screen){0};
    for (const char *c = text; *c; c++) {
        if (*c == '\n') {
            screen->row++;
            screen->column = 0;
            ck_assert_uint_lt(screen->row, 64);
        } else if (*c == '\r') {
            screen->column = 0;
        } else if (*c == '\x1b') {
            const char *code = c + 2;

            c = code + strspn(code, "0123456789;");
            escape(screen, code, *c);
        } else {
            char *row = screen->rows[screen->row];

            if (row[screen->column] == '\0')
                row[screen->column + 1] = '\0';
            row[screen->column++] = *c;
        }
    }
}

START_TEST(lines_stand_above_the_table_and_the_summary_replaces_it)
{
    json_t *status = parse(running);
    json_t *end = parse("{'dag':'arithmetic','run':12,'state':'succeeded','since_ms':1000,"
                        "'ended_ms':2000,'nodes':[{'node':'ask','state':'done','out':3}]}");
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);
    struct table *table = table_new(out, 80, 24, false);
    struct screen screen;

    table_update(table, status);
    table_line(table, "right.0", "Result of operation sum is ::: 7", 32);
    table_line(table, "left.0", "two", 3);
    table_update(table, status);
    (void)fflush(out);
    show(&screen, data);
    ck_assert_str_eq(screen.rows[0], "right.0 | Result of operation sum is ::: 7");
    ck_assert_str_eq(screen.rows[1], "left.0 | two");
    ck_assert_str_eq(screen.rows[2], "arithmetic@12  running  1m23s  broker localhost:9092");
    ck_assert_str_eq(screen.rows[8], "");
    table_finish(table, end);
    (void)fflush(out);
    show(&screen, data);
    ck_assert_str_eq(screen.rows[1], "left.0 | two");
    ck_assert_str_eq(screen.rows[2], "arithmetic@12  succeeded  1.0s");
    ck_assert_str_eq(screen.rows[4], "ask   done    0         0        0     0    3");
    ck_assert_str_eq(screen.rows[5], "");
    table_free(table);
    (void)fclose(out);
    free(data);
    json_decref(status);
    json_decref(end);
}
END_TEST

START_TEST(a_table_that_shrinks_leaves_nothing_behind)
{
    json_t *status = parse(running);
    json_t *small = parse("{'dag':'arithmetic','run':12,'state':'running','nodes':[]}");
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);
    struct table *table = table_new(out, 80, 24, false);
    struct screen screen;

    table_update(table, status);
    table_update(table, small);
    (void)fflush(out);
    show(&screen, data);
    ck_assert_str_eq(screen.rows[0], "arithmetic@12  running");
    for (int i = 1; i < 10; i++)
        ck_assert_str_eq(screen.rows[i], "");
    table_free(table);
    (void)fclose(out);
    free(data);
    json_decref(status);
    json_decref(small);
}
END_TEST

static char *plain(const char *before, const char *after)
{
    json_t *old = before ? parse(before) : NULL;
    json_t *new = parse(after);
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);

    plain_update(out, old, new);
    (void)fclose(out);
    json_decref(old);
    json_decref(new);
    return data;
}

START_TEST(plain_lines_say_only_what_changed)
{
    static const char first[] =
        "{'dag':'a','run':1,'state':'running','broker':{'address':'b:1','up':true},"
        "'nodes':[{'node':'x','state':'running','in':1},{'node':'y','state':'running'},"
        "{'node':'z','state':'starting'}]}";

    check_text(plain(NULL, first), "a@1: running\nx, y: running\nz: starting\n");
    check_text(plain(first, "{'dag':'a','run':1,'state':'running','broker':{'address':'b:1',"
                            "'up':true},'nodes':[{'node':'x','state':'running','in':999},"
                            "{'node':'y','state':'running'},"
                            "{'node':'z','state':'starting'}]}"),
               "");
    check_text(plain(first, "{'dag':'a','run':1,'state':'draining','broker':{'address':'b:1',"
                            "'up':false,'error':'refused'},'nodes':[{'node':'x','state':'done'},"
                            "{'node':'y','state':'backoff','restarts':2,"
                            "'last_error':'exit code 3'},"
                            "{'node':'z','state':'starting'}]}"),
               "a@1: draining\n"
               "a@1: broker b:1 is down\n"
               "x: done\n"
               "y: restarted (2 times): exit code 3\n"
               "y: backoff\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_table");
    TCase *tcase = tcase_create("table");

    tcase_add_test(tcase, the_table_shows_rates_backlog_progress_and_errors);
    tcase_add_test(tcase, a_narrow_terminal_loses_columns_and_keeps_states);
    tcase_add_test(tcase, a_client_that_is_not_ready_for_long_is_told_with_its_log);
    tcase_add_test(tcase, colour_only_repeats_the_word);
    tcase_add_test(tcase, a_run_that_ended_shows_totals);
    tcase_add_test(tcase, names_and_errors_do_nothing_to_the_terminal);
    tcase_add_test(tcase, a_table_is_never_higher_than_the_terminal_and_shows_trouble_first);
    tcase_add_test(tcase, nothing_is_written_when_nothing_changed);
    tcase_add_test(tcase, lines_stand_above_the_table_and_the_summary_replaces_it);
    tcase_add_test(tcase, a_table_that_shrinks_leaves_nothing_behind);
    tcase_add_test(tcase, plain_lines_say_only_what_changed);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
