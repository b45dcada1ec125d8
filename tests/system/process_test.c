/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/mem.h"
#include "host/process.h"
#include "support/descriptors.h"
#include "support/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/process_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char *command = mem_printf("rm -rf '%s'", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
}

static struct process_spec spec_of(char *argv[])
{
    return (struct process_spec){.path = TEST_CHILD,
                                 .argv = argv,
                                 .stdin_fd = -1,
                                 .stdout_fd = -1,
                                 .stderr_fd = -1,
                                 .extra_fd = -1};
}

static struct process *start(char *argv[])
{
    struct process_spec spec = spec_of(argv);
    struct error err = {0};
    struct process *process = process_spawn(&spec, &err);

    ck_assert_msg(process != NULL, "%s", err.text);
    return process;
}

static void wait_dead(struct process *process, struct process_exit *end)
{
    struct pollfd watched = {.fd = process_fd(process), .events = POLLIN};

    while (!process_reap(process, end))
        ck_assert_int_gt(poll(&watched, 1, 20000), 0);
}

/* Run a child with its stdout in text. */
static struct process_exit capture(struct process_spec spec, char *text, size_t size)
{
    struct error err = {0};
    struct process_exit end;
    struct process *process;
    size_t len = 0;
    ssize_t got;
    int fds[2];

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    spec.stdout_fd = fds[1];
    process = process_spawn(&spec, &err);
    ck_assert_msg(process != NULL, "%s", err.text);
    (void)close(fds[1]);
    while ((got = read(fds[0], text + len, size - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    (void)close(fds[0]);
    wait_dead(process, &end);
    process_free(process);
    return end;
}

static pid_t read_pid(const char *path)
{
    FILE *file = fopen(path, "r");
    int pid = 0;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
    (void)fclose(file);
    return pid;
}

/* Gone, or dead and only waiting for its parent. */
static bool is_dead(pid_t pid)
{
    char path[64];
    char state = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file == NULL)
        return true;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    (void)fclose(file);
    return state == 'Z' || state == 'X';
}

static bool dies_within(pid_t pid, int ms)
{
    int64_t deadline_ms = clock_mono_ms() + ms;

    while (!is_dead(pid)) {
        if (clock_mono_ms() > deadline_ms)
            return false;
        (void)usleep(2000);
    }
    return true;
}

START_TEST(an_exit_code_is_exact)
{
    static const int codes[] = {0, 1, 2, 100, 127, 128, 255};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char *number = mem_printf("%d", codes[i]);
        struct process *process = start((char *[]){"child", "exit", number, NULL});
        char text[PROCESS_EXIT_TEXT];
        struct process_exit end;

        wait_dead(process, &end);
        ck_assert_int_eq(end.code, codes[i]);
        ck_assert_int_eq(end.signal, 0);
        ck_assert_int_gt(end.max_rss_bytes, 0);
        process_exit_text(&end, text);
        ck_assert_ptr_nonnull(strstr(text, number));
        process_free(process);
        free(number);
    }
}
END_TEST

START_TEST(a_death_by_signal_is_not_an_exit_code)
{
    const int signals[] = {SIGKILL, SIGSEGV, SIGABRT, SIGTERM, SIGRTMIN};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        char *number = mem_printf("%d", signals[i]);
        struct process *process = start((char *[]){"child", "signal", number, NULL});
        struct process_exit end;

        wait_dead(process, &end);
        ck_assert_int_eq(end.code, -1);
        ck_assert_int_eq(end.signal, signals[i]);
        process_free(process);
        free(number);
    }
}
END_TEST

START_TEST(an_end_reads_well)
{
    struct process_exit killed = {.code = -1, .signal = SIGKILL};
    struct process_exit dumped = {.code = -1, .signal = SIGSEGV, .core_dumped = true};
    struct process_exit exited = {.code = 3};
    char text[PROCESS_EXIT_TEXT];

    process_exit_text(&killed, text);
    ck_assert_str_eq(text, "killed by SIGKILL");
    process_exit_text(&dumped, text);
    ck_assert_str_eq(text, "killed by SIGSEGV (core dumped)");
    process_exit_text(&exited, text);
    ck_assert_str_eq(text, "exit code 3");
}
END_TEST

START_TEST(a_child_starts_with_a_clean_slate)
{
    char *argv[] = {"child", "state", NULL};
    struct process_spec spec = spec_of(argv);
    sigset_t blocked;
    char text[4096];
    int leaked[4];
    int pair[2];

    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)sigaddset(&blocked, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    for (int i = 0; i < 4; i++)
        leaked[i] = open("/dev/null", O_RDONLY); /* without close-on-exec */
    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    spec.extra_fd = pair[0];
    spec.extra_number = 5;
    (void)capture(spec, text, sizeof text);
    ck_assert_str_eq(text, "leader 1\nfd 0\nfd 1\nfd 2\nfd 5\n");
    for (int i = 0; i < 4; i++)
        (void)close(leaked[i]);
    (void)close(pair[0]);
    (void)close(pair[1]);
}
END_TEST

START_TEST(the_extra_descriptor_works_whatever_its_number_was)
{
    /* As source each of the numbers that the child's descriptors take. */
    for (int number = 0; number < 8; number++) {
        char *argv[] = {"child", "echo-fd", "3", NULL};
        struct process_spec spec = spec_of(argv);
        struct error err = {0};
        struct process_exit end;
        struct process *process;
        char back[3] = "";
        int kept;
        int ours;
        int pair[2];

        kept = fcntl(number, F_DUPFD_CLOEXEC, 100); /* -1 when it was closed */
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        ours = fcntl(pair[0], F_DUPFD_CLOEXEC, 100);
        (void)close(pair[0]);
        (void)dup2(pair[1],
                   number); /* may be where check reports: no assert till undone */
        if (pair[1] != number)
            (void)close(pair[1]);
        spec.extra_fd = number;
        spec.extra_number = 3;
        process = process_spawn(&spec, &err);
        (void)close(number);
        if (kept >= 0) {
            (void)dup2(kept, number);
            (void)close(kept);
        }
        ck_assert_msg(process != NULL, "%s", err.text);
        ck_assert_int_eq(write(ours, "hi", 2), 2);
        ck_assert_int_eq(read(ours, back, 2), 2);
        ck_assert_str_eq(back, "hi");
        (void)close(ours);
        wait_dead(process, &end);
        ck_assert_int_eq(end.code, 0);
        process_free(process);
    }
}
END_TEST

START_TEST(a_child_runs_in_its_folder)
{
    char *argv[] = {"child", "pwd", NULL};
    struct process_spec spec = spec_of(argv);
    char text[256];
    char *expected;

    make_folder();
    spec.cwd = folder;
    (void)capture(spec, text, sizeof text);
    expected = mem_printf("%s\n", folder);
    ck_assert_str_eq(text, expected);
    free(expected);
    remove_folder();
}
END_TEST

static void refuses(const char *path, const char *cwd, enum error_kind kind,
                    const char *expected)
{
    char *argv[] = {"x", NULL};
    struct process_spec spec = spec_of(argv);
    struct error err = {0};
    int descriptors = descriptors_count();

    spec.path = path;
    spec.cwd = cwd;
    ck_assert_ptr_null(process_spawn(&spec, &err));
    ck_assert_int_eq(err.kind, kind);
    ck_assert_msg(strstr(err.text, expected) != NULL, "'%s' has no '%s'", err.text,
                  expected);
    ck_assert_int_eq(descriptors_count(), descriptors);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child was left behind */
    ck_assert_int_eq(errno, ECHILD);
}

static char *make_file(const char *name, const char *content, mode_t mode)
{
    char *path = mem_printf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    (void)fputs(content, file);
    (void)fclose(file);
    (void)chmod(path, mode);
    return path;
}

START_TEST(why_a_program_does_not_start_reaches_the_parent)
{
    char *plain;
    char *orphan;
    char *junk;

    make_folder();
    plain = make_file("plain", "#!/bin/sh\n", 0600);
    orphan = make_file("orphan", "#!/no/such/interpreter\n", 0700);
    junk = make_file("junk", "just text\n", 0700);
    refuses("/no/such/program", NULL, ERROR_INPUT, "/no/such/program: no such file");
    refuses(plain, NULL, ERROR_INPUT, "permission denied: not executable");
    refuses(folder, NULL, ERROR_INPUT, "is a folder");
    refuses(orphan, NULL, ERROR_INPUT, "interpreter");
    refuses(junk, NULL, ERROR_INPUT, "not a program");
    refuses(TEST_CHILD, "/no/such/folder", ERROR_INPUT,
            "folder /no/such/folder can't be entered: No such file");
    free(plain);
    free(orphan);
    free(junk);
    remove_folder();
}
END_TEST

START_TEST(a_term_is_ignored_and_a_kill_is_not)
{
    char *argv[] = {"child", "ignore-term", NULL};
    struct process_spec spec = spec_of(argv);
    struct error err = {0};
    struct process_exit end;
    struct process *process;
    char ready[16];
    int fds[2];

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    spec.stdout_fd = fds[1];
    process = process_spawn(&spec, &err);
    (void)close(fds[1]);
    ck_assert_int_gt(read(fds[0], ready, sizeof ready), 0);
    process_signal(process, SIGTERM);
    (void)usleep(50 * 1000);
    ck_assert(!process_reap(process, &end));
    process_signal(process, SIGKILL);
    wait_dead(process, &end);
    ck_assert_int_eq(end.signal, SIGKILL);
    (void)close(fds[0]);
    process_free(process);
}
END_TEST

START_TEST(a_grandchild_dies_with_its_leader)
{
    struct error err = {0};
    struct process_exit end;
    struct process *process;
    pid_t grandchild;
    char *path;

    make_folder();
    ck_assert_int_eq(process_become_subreaper(&err), 0);
    path = mem_printf("%s/pid", folder);
    process = start((char *[]){"child", "grandchild", path, NULL});
    wait_dead(process, &end);
    ck_assert_int_eq(end.code, 0);
    grandchild = read_pid(path);
    ck_assert(dies_within(grandchild, 5000));
    while (process_reap_orphans(NULL, 0) == 0)
        (void)usleep(1000);
    ck_assert_int_eq(kill(grandchild, 0), -1); /* reaped: not even a zombie */
    process_free(process);
    free(path);
    remove_folder();
}
END_TEST

START_TEST(a_grandchild_that_left_the_group_can_be_killed_and_ours_are_spared)
{
    struct error err = {0};
    struct process_exit end;
    struct process *process;
    struct process *other;
    pid_t daemon;
    pid_t ours;
    char *path;

    make_folder();
    ck_assert_int_eq(process_become_subreaper(&err), 0);
    path = mem_printf("%s/pid", folder);
    other = start((char *[]){"child", "sleep", NULL});
    ours = process_pid(other);
    process = start((char *[]){"child", "daemon", path, NULL});
    wait_dead(process, &end);
    daemon = read_pid(path);
    ck_assert(!is_dead(daemon));
    ck_assert_uint_eq(process_children(NULL, 0), 2);
    ck_assert_uint_eq(process_kill_orphans(&ours, 1), 1);
    ck_assert(dies_within(daemon, 5000));
    while (process_reap_orphans(&ours, 1) == 0)
        (void)usleep(1000);
    ck_assert(!is_dead(ours));
    ck_assert(!process_reap(other, &end));
    process_free(other); /* kills and reaps it */
    ck_assert_int_eq(kill(ours, 0), -1);
    process_free(process);
    free(path);
    remove_folder();
}
END_TEST

START_TEST(a_thousand_children_leave_exact_statuses_and_no_zombie)
{
    enum { TOTAL = 1000, AT_ONCE = 50 };
    struct process *living[AT_ONCE] = {0};
    int expected[AT_ONCE] = {0};
    int descriptors = descriptors_count();
    int started = 0;
    int ended = 0;

    while (ended < TOTAL) {
        for (int i = 0; i < AT_ONCE; i++) {
            struct process_exit end;

            if (living[i] && process_reap(living[i], &end)) {
                int seen = end.signal ? 1000 + end.signal : end.code;

                ck_assert_int_eq(seen, expected[i]);
                process_free(living[i]);
                living[i] = NULL;
                ended++;
            }
            if (living[i] == NULL && started < TOTAL) {
                bool by_signal = started % 5 == 0;
                int number = by_signal ? SIGKILL : started % 256;
                char *text = mem_printf("%d", number);
                const char *how = by_signal ? "signal" : "exit";

                living[i] = start((char *[]){"child", (char *)how, text, NULL});
                expected[i] = by_signal ? 1000 + number : number;
                free(text);
                started++;
            }
        }
        (void)usleep(500);
    }
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_uint_eq(process_children(NULL, 0), 0);
    ck_assert_int_eq(descriptors_count(), descriptors);
}
END_TEST

START_TEST(usage_is_read_of_the_living_only)
{
    struct process_usage usage;

    ck_assert(process_usage(getpid(), &usage));
    ck_assert_int_gt(usage.rss_bytes, 100 * 1024);
    for (volatile int i = 0; i < 100 * 1000 * 1000 && usage.cpu_ms == 0; i++) {
        if (i % 1000000 == 0)
            ck_assert(process_usage(getpid(), &usage));
    }
    ck_assert_int_gt(usage.cpu_ms, 0);
    ck_assert(!process_usage(0x3ffffff, &usage));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process");
    TCase *cases = tcase_create("process");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, an_exit_code_is_exact);
    tcase_add_test(cases, a_death_by_signal_is_not_an_exit_code);
    tcase_add_test(cases, an_end_reads_well);
    tcase_add_test(cases, a_child_starts_with_a_clean_slate);
    tcase_add_test(cases, the_extra_descriptor_works_whatever_its_number_was);
    tcase_add_test(cases, a_child_runs_in_its_folder);
    tcase_add_test(cases, why_a_program_does_not_start_reaches_the_parent);
    tcase_add_test(cases, a_term_is_ignored_and_a_kill_is_not);
    tcase_add_test(cases, a_grandchild_dies_with_its_leader);
    tcase_add_test(cases,
                   a_grandchild_that_left_the_group_can_be_killed_and_ours_are_spared);
    tcase_add_test(cases, a_thousand_children_leave_exact_statuses_and_no_zombie);
    tcase_add_test(cases, usage_is_read_of_the_living_only);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
