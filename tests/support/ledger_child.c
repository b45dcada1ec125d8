/* SPDX-License-Identifier: MIT */
#include "ledger_child.h"

#include "base/clock.h"

#include <check.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void ledger_child_init(struct ledger_child *child)
{
    *child = (struct ledger_child){.dir = "/tmp/ledger_test.XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(child->dir));
}

/* Its first line is its address. */
static void read_address(struct ledger_child *child, int fd)
{
    size_t len = 0;

    child->address[0] = '\0';
    while (len < sizeof child->address - 1 && strchr(child->address, '\n') == NULL) {
        ssize_t n = read(fd, child->address + len, sizeof child->address - 1 - len);

        if (n <= 0)
            break;
        len += (size_t)n;
        child->address[len] = '\0';
    }
    ck_assert_msg(strchr(child->address, '\n') != NULL,
                  "the broker does not start: its own line says why");
    child->address[strcspn(child->address, "\n")] = '\0';
    child->port = atoi(strrchr(child->address, ':') + 1);
}

int64_t ledger_child_start(struct ledger_child *child, const char *option)
{
    int64_t start_ms = clock_mono_ms();
    char port[16];
    char *argv[] = {(char *)TEST_LEDGER,     child->dir,     port,
                    (char *)"with_parent=1", (char *)option, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];

    (void)snprintf(port, sizeof port, "%d", child->port);
    ck_assert_int_eq(pipe(ends), 0);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_addclose(&actions, ends[0]);
    ck_assert_int_eq(
        posix_spawn(&child->pid, TEST_LEDGER, &actions, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    read_address(child, ends[0]);
    (void)close(ends[0]);
    return clock_mono_ms() - start_ms;
}

static int end(struct ledger_child *child, int signal_number)
{
    int status = -1;

    (void)kill(child->pid, signal_number);
    (void)waitpid(child->pid, &status, 0);
    return status;
}

void ledger_child_kill(struct ledger_child *child)
{
    int status = end(child, SIGKILL);

    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "the broker was gone before it was killed: status %d", status);
}

void ledger_child_kill_in_stop(struct ledger_child *child, int after_ms)
{
    int status;

    (void)kill(child->pid, SIGTERM);
    (void)usleep((useconds_t)after_ms * 1000);
    status = end(child, SIGKILL);
    ck_assert_msg(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL
                                      : WEXITSTATUS(status) == 0,
                  "the broker ended with status %d", status);
}

int64_t ledger_child_stop(struct ledger_child *child)
{
    int64_t start_ms = clock_mono_ms();
    int status = end(child, SIGTERM);

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "the broker ended with status %d", status);
    return clock_mono_ms() - start_ms;
}

int64_t ledger_child_rss_kb(const struct ledger_child *child)
{
    char path[64], line[128];
    long long kb = -1;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)child->pid);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) && sscanf(line, "VmRSS: %lld", &kb) != 1)
        continue;
    (void)fclose(file);
    return kb;
}

static int remove_entry(const char *path, const struct stat *stat, int type,
                        struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

void ledger_child_clear(struct ledger_child *child)
{
    (void)nftw(child->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
