/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/mem.h"
#include "host/logfile.h"
#include "host/process.h"
#include "host/signals.h"
#include "support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char *path;
static struct loop *loop;
static struct logfile *logs;
static struct process *child;
static char shown[65536];
static int64_t lines_shown;
static int64_t lines_skipped;

static void set_up(void)
{
    struct error err = {0};

    (void)snprintf(folder, sizeof folder, "/tmp/logfile_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = mem_printf("%s/x.log", folder);
    loop = loop_new(&err);
}

static void tear_down(void)
{
    char *command = mem_printf("chmod -R u+w '%s'; rm -rf '%s'", folder, folder);

    process_free(child);
    logfile_close(logs);
    loop_free(loop);
    ck_assert_int_eq(system(command), 0);
    free(command);
    free(path);
}

static void on_line(void *arg, enum logfile_stream stream, const char *text, size_t len,
                    int64_t skipped)
{
    size_t used = strlen(shown);

    (void)arg;
    lines_shown++;
    lines_skipped += skipped;
    if (used + len + 4 < sizeof shown)
        (void)snprintf(shown + used, sizeof shown - used, "%c:%.*s\n",
                       stream == LOGFILE_STDOUT ? 'o' : 'e', (int)len, text);
}

static void start(struct logfile_spec spec, char *argv[])
{
    struct process_spec process = {
        .path = TEST_CHILD, .argv = argv, .stdin_fd = -1, .extra_fd = -1};
    struct error err = {0};

    spec.path = path;
    logs = logfile_open(loop, &spec, &err);
    ck_assert_msg(logs != NULL, "%s", err.text);
    process.stdout_fd = logfile_child_fd(logs, LOGFILE_STDOUT);
    process.stderr_fd = logfile_child_fd(logs, LOGFILE_STDERR);
    child = process_spawn(&process, &err);
    ck_assert_msg(child != NULL, "%s", err.text);
    logfile_started(logs);
}

/* Turn the loop until the child is dead; how long the longest turn was. */
static int64_t run(void)
{
    int64_t longest_ms = 0;
    struct process_exit end;

    while (!process_reap(child, &end)) {
        int64_t start_ms = clock_mono_ms();

        loop_wait(loop, start_ms); /* only what is ready */
        if (clock_mono_ms() - start_ms > longest_ms)
            longest_ms = clock_mono_ms() - start_ms;
    }
    ck_assert_int_eq(end.code, 0);
    logfile_drain(logs);
    return longest_ms;
}

static char *read_text(const char *suffix)
{
    char *name = mem_printf("%s%s", path, suffix);
    char *text = mem_alloc(1 << 20);
    FILE *file = fopen(name, "r");

    ck_assert_msg(file != NULL, "%s is missing", name);
    text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
    (void)fclose(file);
    free(name);
    return text;
}

static int64_t size_of(const char *suffix)
{
    char *name = mem_printf("%s%s", path, suffix);
    struct stat info;
    int64_t size = stat(name, &info) == 0 ? info.st_size : -1;

    free(name);
    return size;
}

START_TEST(both_streams_are_kept_line_by_line)
{
    const char *last[LOGFILE_LAST];
    char *text;

    start((struct logfile_spec){.on_line = on_line},
          (char *[]){"child", "print", "one\ntwo\nunfinished", "oops\n", NULL});
    (void)run();
    ck_assert(logfile_at_end(logs));
    ck_assert_int_eq(logfile_bytes(logs), 8 + 10 + 5);
    ck_assert_int_eq(logfile_dropped(logs), 0);
    ck_assert_uint_eq(logfile_last(logs, last), 4);
    logfile_note(logs, "exit code 0");
    text = read_text("");
    ck_assert_uint_eq(strlen(text), 8 + 10 + 1 + 5 + strlen("[dagrun] exit code 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "one\ntwo\n"));
    ck_assert_ptr_nonnull(strstr(text, "unfinished\n"));
    ck_assert_ptr_nonnull(strstr(text, "oops\n"));
    ck_assert_ptr_nonnull(strstr(shown, "o:one\no:two\n"));
    ck_assert_ptr_nonnull(strstr(shown, "e:oops\n"));
    free(text);
}
END_TEST

START_TEST(the_last_lines_are_the_newest_ten)
{
    const char *last[LOGFILE_LAST];
    char expected[32];

    start((struct logfile_spec){0}, (char *[]){"child", "flood", "100000", NULL});
    (void)run();
    ck_assert_uint_eq(logfile_last(logs, last), LOGFILE_LAST);
    for (int i = 0; i < LOGFILE_LAST; i++) {
        (void)snprintf(expected, sizeof expected, "line %d ", 990 + i);
        ck_assert_msg(strncmp(last[i], expected, strlen(expected)) == 0, "%s", last[i]);
    }
}
END_TEST

START_TEST(files_rotate_at_a_line_and_old_ones_go)
{
    char *text;

    start((struct logfile_spec){.max_bytes = 10000,
                                .keep = 3,
                                .bytes_per_second = 1 << 30},
          (char *[]){"child", "print", "first\n", "", NULL});
    (void)run();
    for (int i = 0; i < 1000; i++)
        logfile_note(logs, "a note of our own to fill the file with");
    ck_assert_int_le(size_of(""), 10000);
    ck_assert_int_gt(size_of(".1"), 9900);
    ck_assert_int_le(size_of(".1"), 10000);
    ck_assert_int_gt(size_of(".2"), 9900);
    ck_assert_int_eq(size_of(".3"), -1);
    text = read_text(".1");
    ck_assert_int_eq(strncmp(text, "[dagrun] a note", 15), 0);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    free(text);
}
END_TEST

START_TEST(a_flood_blocks_nobody_and_what_is_missing_is_said)
{
    int64_t start_ms = clock_mono_ms();
    int64_t longest_ms;
    char *text;

    start((struct logfile_spec){.bytes_per_second = 100000, .on_line = on_line},
          (char *[]){"child", "flood", "100000000", NULL});
    longest_ms = run();
    ck_assert_int_eq(logfile_bytes(logs), 100000000);
    /* 100 kB in each second that it took, plus the one that was begun. */
    ck_assert_int_ge(logfile_dropped(logs),
                     100000000 - 100000 * ((clock_mono_ms() - start_ms) / 1000 + 2));
    ck_assert_int_lt(longest_ms, 2000);
    ck_assert_int_le(lines_shown, 1000 * ((clock_mono_ms() - start_ms) / 1000 + 2));
    ck_assert_int_eq(
        lines_shown + lines_skipped + logfile_skipped(logs, LOGFILE_STDOUT), 1000000);
    logfile_close(logs);
    logs = NULL;
    text = read_text("");
    ck_assert_ptr_nonnull(
        strstr(text, "bytes are missing here: more came in a second"));
    free(text);
}
END_TEST

START_TEST(a_full_disk_costs_the_log_and_not_the_client)
{
    free(path);
    path = mem_strdup("/dev/full");
    start((struct logfile_spec){0}, (char *[]){"child", "flood", "1000000", NULL});
    (void)run();
    ck_assert_int_eq(logfile_bytes(logs), 1000000);
    ck_assert_int_eq(logfile_dropped(logs), 1000000);
}
END_TEST

START_TEST(a_file_that_can_not_be_made_costs_the_log_and_not_the_client)
{
    const char *last[LOGFILE_LAST];

    free(path);
    path = mem_printf("%s/no/such/folder.log", folder);
    start((struct logfile_spec){0}, (char *[]){"child", "print", "words\n", "", NULL});
    (void)run();
    ck_assert_int_eq(logfile_dropped(logs), 6);
    ck_assert_uint_eq(logfile_last(logs, last), 1);
    ck_assert_str_eq(last[0], "words");
}
END_TEST

START_TEST(a_disk_that_has_room_again_is_written_again)
{
    char *moved = mem_printf("%s/y.log", folder);
    char *text;

    /* A folder in the file's place until it goes away. */
    ck_assert_int_eq(mkdir(path, 0700), 0);
    start((struct logfile_spec){0}, (char *[]){"child", "print", "lost\n", "", NULL});
    (void)run();
    ck_assert_int_eq(logfile_dropped(logs), 5);
    ck_assert_int_eq(rmdir(path), 0);
    (void)usleep(1100 * 1000);
    logfile_note(logs, "here again");
    text = read_text("");
    ck_assert_str_eq(text,
                     "[dagrun] 5 bytes are missing here: the file can't be opened\n"
                     "[dagrun] here again\n");
    free(text);
    free(moved);
}
END_TEST

START_TEST(one_that_holds_the_pipe_open_holds_up_nobody)
{
    char *pid_path = mem_printf("%s/pid", folder);
    int64_t start_ms;
    FILE *file;
    int pid = 0;

    start((struct logfile_spec){0}, (char *[]){"child", "hold-pipe", pid_path, NULL});
    (void)run();
    ck_assert(!logfile_at_end(logs));
    start_ms = clock_mono_ms();
    logfile_drain(logs);
    logfile_close(logs);
    logs = NULL;
    ck_assert_int_lt(clock_mono_ms() - start_ms, 1000);
    file = fopen(pid_path, "r");
    ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
    (void)fclose(file);
    (void)kill(pid, SIGKILL);
    free(pid_path);
}
END_TEST

START_TEST(a_line_without_end_is_cut_and_not_collected)
{
    char *text = mem_alloc(100001);
    char *kept;

    memset(text, 'x', 100000);
    start((struct logfile_spec){0}, (char *[]){"child", "print", text, "", NULL});
    (void)run();
    ck_assert_int_eq(logfile_bytes(logs), 100000);
    kept = read_text("");
    ck_assert_uint_eq(strlen(kept), 100000 + 7); /* in pieces of 16 KiB */
    free(kept);
    free(text);
}
END_TEST

START_TEST(signals_come_as_numbers_and_only_once_each)
{
    struct error err = {0};
    struct pollfd watched;
    int fd = signals_open(&err);

    ck_assert_int_ge(fd, 0);
    watched = (struct pollfd){.fd = fd, .events = POLLIN};
    ck_assert_int_eq(signals_next(fd), 0);
    ck_assert_int_eq(kill(getpid(), SIGPIPE), 0); /* ignored */
    ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
    ck_assert_int_eq(kill(getpid(), SIGINT), 0);
    ck_assert_int_eq(poll(&watched, 1, 1000), 1);
    ck_assert_int_eq(signals_next(fd) + signals_next(fd), SIGTERM + SIGINT);
    ck_assert_int_eq(signals_next(fd), 0);
    start((struct logfile_spec){0}, (char *[]){"child", "exit", "0", NULL});
    ck_assert_int_eq(poll(&watched, 1, 5000), 1);
    ck_assert_int_eq(signals_next(fd), SIGCHLD);
    signals_close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("logfile");
    TCase *cases = tcase_create("logfile");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, both_streams_are_kept_line_by_line);
    tcase_add_test(cases, the_last_lines_are_the_newest_ten);
    tcase_add_test(cases, files_rotate_at_a_line_and_old_ones_go);
    tcase_add_test(cases, a_flood_blocks_nobody_and_what_is_missing_is_said);
    tcase_add_test(cases, a_full_disk_costs_the_log_and_not_the_client);
    tcase_add_test(cases, a_file_that_can_not_be_made_costs_the_log_and_not_the_client);
    tcase_add_test(cases, a_disk_that_has_room_again_is_written_again);
    tcase_add_test(cases, one_that_holds_the_pipe_open_holds_up_nobody);
    tcase_add_test(cases, a_line_without_end_is_cut_and_not_collected);
    tcase_add_test(cases, signals_come_as_numbers_and_only_once_each);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
