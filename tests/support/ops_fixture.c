/* SPDX-License-Identifier: MIT */
#include "ops_fixture.h"

#include "base/mem.h"
#include "host/lock.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture fixture;

void fixture_begin(void)
{
    char path[96];

    (void)snprintf(fixture.home, sizeof fixture.home, "/tmp/dagrun-ops-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture.home));
    (void)snprintf(path, sizeof path, "%s/dags", fixture.home);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/runs", fixture.home);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

void fixture_end(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture.home);
    ck_assert_int_eq(system(command), 0);
}

struct history *fixture_open_history(void)
{
    char *path = mem_printf("%s/history.db", fixture.home);
    struct error err = {0};
    struct history *history = history_open(path, false, &err);

    ck_assert_msg(history != NULL, "%s", err.text);
    free(path);
    return history;
}

void fixture_record_run(const char *dag, const char *end, int64_t started_ms)
{
    struct history *history = fixture_open_history();
    struct history_run run = {
        .dag = {.dag = dag, .path = "/dags/a.yaml", .broker = "b:1"},
        .text = "name: a\n",
        .hash = "h",
        .started_ms = started_ms};
    struct history_node source = {
        .node = "ask", .program = "producer", .state = "done", .totals = {.out = 10}};
    struct history_node node = {
        .node = "calc",
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

struct ops *fixture_open_ops(void)
{
    struct error err = {0};
    struct ops *ops = ops_open(fixture.home, &err);

    ck_assert_msg(ops != NULL, "%s", err.text);
    return ops;
}

pid_t fixture_begin_runner(const char *dag)
{
    char *path = ops_lock_path(fixture.home, dag);
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

void fixture_end_runner(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
