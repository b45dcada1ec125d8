/* SPDX-License-Identifier: MIT
 *
 * The reading commands on a history that the test has written: what they print, byte for
 * byte, and their exit codes. Runs of a real Kafka are in tests/e2e.
 */
#include "base/mem.h"
#include "cli/cmd.h"
#include "host/history.h"
#include "support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[64];

static void fill(struct history *history)
{
    struct history_node source = {
        .node = "ask", .program = "producer", .state = "done", .totals = {.out = 10}};
    struct history_node calc = {.node = "calc",
                                .program = "arithmetic",
                                .group = "a.calc",
                                .state = "done",
                                .totals = {.in = 10, .answered = 8, .dead = 2, .out = 8}};
    struct history_node left = {.node = "left",
                                .program = "print",
                                .group = "a.left",
                                .state = "failed",
                                .restarts = 1,
                                .totals = {.in = 8, .answered = 7},
                                .last_error = "bad \x1b[31m end"};
    struct history_attempt attempt = {.node = "left",
                                      .client = "0",
                                      .attempt = 1,
                                      .pid = 4712,
                                      .started_ms = 1000000,
                                      .ended_ms = 1002500,
                                      .exit_code = -1,
                                      .signal = 9,
                                      .reason = "killed by SIGKILL",
                                      .last_words = "one\ntwo",
                                      .log_path = "/logs/left.0.1.log",
                                      .cpu_ms = 30};
    struct history_edge edge = {.edge = "ask:calc",
                                .from = "ask",
                                .to = "calc",
                                .topic = "a.ask.calc",
                                .group = "a.calc",
                                .partitions = 1};
    struct history_offsets offsets = {
        .edge = "ask:calc", .read_start = 0, .read_end = 8, .write_start = 0, .write_end = 10};
    struct history_dead_letter letter = {.node = "calc",
                                         .topic = "a.ask.calc",
                                         .failed_at = "DECODE",
                                         .reason = "not JSON",
                                         .ts_ms = 1001000};

    history_node(history, &source);
    history_node(history, &calc);
    history_node(history, &left);
    history_attempt(history, &attempt);
    history_edge(history, &edge);
    history_offsets(history, &offsets);
    history_dead_letter(history, &letter);
    history_dead_letter(history, &letter);
}

static void set_up(void)
{
    struct history_run run = {.dag = {.dag = "a", .path = "/dags/a.yaml", .broker = "b:1"},
                              .text = "name: a\n",
                              .hash = "h",
                              .host = "box",
                              .user = "me",
                              .pid = 4711,
                              .trigger = "start",
                              .started_ms = 1000000};
    struct error err = {0};
    struct history *history;
    int64_t number;
    char *path;

    (void)snprintf(home, sizeof home, "/tmp/dagrun-readers-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
    ck_assert_int_eq(setenv("DAGRUN_HOME", home, 1), 0);
    ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
    path = mem_printf("%s/history.db", home);
    history = history_open(path, false, &err);
    ck_assert_msg(history != NULL, "%s", err.text);
    ck_assert_int_eq(history_run_begin(history, &run, &number, &err), 0);
    fill(history);
    history_run_end(history, "failed", 1, "left.0 failed too often", 1003000);
    history_close(history);
    free(path);
}

static void tear_down(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", home);
    ck_assert_int_eq(system(command), 0);
}

/* Run a command; what it prints on stdout, and its exit code. */
static char *command(int *code, const char *verb, const char *one, const char *two)
{
    char *path = mem_printf("%s/stdout", home);
    char *argv[] = {"dagrun", (char *)verb, (char *)one, (char *)two, NULL};
    int argc = two ? 4 : one ? 3 : 2;
    int saved = dup(STDOUT_FILENO);
    int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
    char *text;
    off_t size;

    ck_assert_int_ge(fd, 0);
    (void)fflush(stdout);
    (void)dup2(fd, STDOUT_FILENO);
    *code = cmd_main(argc, argv);
    (void)fflush(stdout);
    (void)dup2(saved, STDOUT_FILENO);
    (void)close(saved);
    size = lseek(fd, 0, SEEK_END);
    text = mem_alloc((size_t)size + 1);
    ck_assert_int_eq(pread(fd, text, (size_t)size, 0), size);
    (void)close(fd);
    free(path);
    return text;
}

static void check_command(const char *verb, const char *one, const char *two, int code,
                          const char *expected)
{
    int got;
    char *text = command(&got, verb, one, two);

    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(got, code);
    free(text);
}

START_TEST(show_prints_all_of_a_run)
{
    check_command(
        "show", "a@1", NULL, 0,
        "a@1  failed\n"
        "  yaml     /dags/a.yaml\n"
        "  broker   b:1\n"
        "  started  1970-01-01 00:16:40 +00:00 by me@box (start, pid 4711)\n"
        "  ended    1970-01-01 00:16:43 +00:00 after 3.0s, exit code 1\n"
        "  why      left.0 failed too often\n"
        "\nnodes\n"
        "NODE  STATE   PROGRAM     IN  ANSWERED  DROPPED  DEAD  OUT  REPEATS  RESTARTS  "
        "IN = SUM\n"
        "ask   done    producer     0         0        0     0   10        0            "
        "source\n"
        "calc  done    arithmetic  10         8        0     2    8        0            "
        "yes\n"
        "left  failed  print        8         7        0     0    0        0         1  NO\n"
        "left: bad \\x1b[31m end\n"
        "\nattempts\n"
        "CLIENT  ATTEMPT   PID  STARTED                     LIVED  END               CPU  "
        "REASON\n"
        "left.0        1  4712  1970-01-01 00:16:40 +00:00   2.5s  signal 9 (KILL)  30ms  "
        "killed by SIGKILL\n"
        "\nlast words of left.0, attempt 1 (/logs/left.0.1.log)\n"
        "  | one\n"
        "  | two\n"
        "\nedges (offset ranges: first, next; not counts)\n"
        "EDGE      TOPIC       PARTITION  WRITTEN  READ    BEHIND\n"
        "ask:calc  a.ask.calc          0  [0, 10)  [0, 8)       2\n"
        "\ndead letters\n"
        "NODE  COUNT  FAILED AT  LAST                        REASON\n"
        "calc      2  DECODE     1970-01-01 00:16:41 +00:00  not JSON\n");
}
END_TEST

START_TEST(show_says_that_dead_letters_are_a_sample_where_they_are)
{
    struct history_node calc = {
        .node = "calc", .state = "done", .totals = {.in = 9000, .dead = 9000}};
    struct error err = {0};
    char *path = mem_printf("%s/history.db", home);
    struct history *history = history_open(path, false, &err);
    struct history_run run = {.dag = {.dag = "a", .path = "/dags/a.yaml", .broker = "b:1"},
                              .trigger = "start",
                              .started_ms = 2000000};
    int64_t number;
    char *text;
    int code;

    ck_assert_int_eq(history_run_begin(history, &run, &number, &err), 0);
    fill(history);
    history_node(history, &calc);
    history_close(history);
    text = command(&code, "show", "a", NULL);
    ck_assert_msg(strstr(text, "\ndead letters\na sample") != NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "'dagrun dlq list a'"));
    free(text);
    free(path);
}
END_TEST

START_TEST(history_lists_runs)
{
    check_command("history", NULL, NULL, 0,
                  "RUN  STATE   STARTED                     DURATION  EXIT  DEAD  TRIGGER  "
                  "WHY\n"
                  "a@1  failed  1970-01-01 00:16:40 +00:00      3.0s     1     2  start    "
                  "left.0 failed too often\n");
    check_command("history", "--json", NULL, 0,
                  "{\"runs\":[{\"dag\":\"a\",\"run\":1,\"state\":\"failed\","
                  "\"started\":\"1970-01-01T00:16:40.000Z\","
                  "\"ended\":\"1970-01-01T00:16:43.000Z\",\"exit_code\":1,\"dead\":2,"
                  "\"trigger\":\"start\",\"yaml\":\"/dags/a.yaml\","
                  "\"text\":\"left.0 failed too often\"}],\"next\":null}\n");
}
END_TEST

START_TEST(show_gives_the_yaml_as_it_was)
{
    check_command("show", "--yaml", "a@last", 0, "name: a\n");
}
END_TEST

START_TEST(what_is_not_there_or_not_meant_has_its_exit_code)
{
    check_command("show", "a@2", NULL, 4, "");
    check_command("show", "b", NULL, 4, "");
    check_command("status", "b", NULL, 4, "");
    check_command("logs", "a/calc", NULL, 4, "");
    check_command("tap", "a/ask:nix", NULL, 4, "");
    check_command("show", "a/calc", NULL, 2, "");
    check_command("show", "--nix", NULL, 2, "");
    check_command("history", "--state=nix", NULL, 2, "");
    check_command("history", "--since=nix", NULL, 2, "");
    check_command("history", "--limit=0", NULL, 2, "");
    check_command("tap", "a/calc", NULL, 2, "");
    check_command("prune", "a", NULL, 2, "");
    check_command("clean", NULL, NULL, 2, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_readers");
    TCase *tcase = tcase_create("readers");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, show_prints_all_of_a_run);
    tcase_add_test(tcase, show_says_that_dead_letters_are_a_sample_where_they_are);
    tcase_add_test(tcase, history_lists_runs);
    tcase_add_test(tcase, show_gives_the_yaml_as_it_was);
    tcase_add_test(tcase, what_is_not_there_or_not_meant_has_its_exit_code);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
