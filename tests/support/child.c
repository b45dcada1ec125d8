/* SPDX-License-Identifier: MIT
 *
 * child.c - a process that behaves as badly as a test asks for.
 *
 *     child exit N            exits with N
 *     child signal N          dies by signal N
 *     child sleep             sleeps until it is killed
 *     child ignore-term       ignores TERM, writes "ready", sleeps
 *     child grandchild PATH   forks a sleeping child in its group, writes its pid to
 * PATH, exits 0 child daemon PATH       the same, but the child leaves with setsid
 *     child print OUT ERR     writes OUT to stdout, ERR to stderr, exits 0
 *     child flood BYTES       writes BYTES of lines of 100 bytes to stdout, exits 0
 *     child hold-pipe PATH    as daemon; the child keeps stdout open
 *     child state             prints its signal mask, dispositions, group, descriptors
 *     child echo-fd N         writes what it reads from descriptor N back to it
 *     child pwd               prints its folder
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static _Noreturn void sleep_for_ever(void)
{
    for (;;)
        (void)pause();
}

static void write_pid(const char *path, pid_t pid)
{
    char *temporary = NULL;
    FILE *file;

    if (asprintf(&temporary, "%s.new", path) < 0)
        exit(97);
    file = fopen(temporary, "w");
    if (file == NULL)
        exit(98);
    (void)fprintf(file, "%d\n", (int)pid);
    (void)fclose(file);
    (void)rename(temporary, path);
    free(temporary);
}

static int leave_behind(const char *path, int own_session, int keep_stdout)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (own_session)
            (void)setsid();
        if (!keep_stdout) {
            (void)close(1);
            (void)close(2);
        }
        write_pid(path, getpid());
        sleep_for_ever();
    }
    while (access(path, F_OK) < 0)
        (void)usleep(1000);
    return 0;
}

static int die_by(int number)
{
    struct rlimit no_core = {0};

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    return 96;
}

static int flood(long long bytes)
{
    char block[100 * 600];
    long long line = 0;

    while (bytes > 0) {
        size_t size = bytes < (long long)sizeof block ? (size_t)bytes : sizeof block;

        memset(block, '.', sizeof block);
        for (size_t at = 0; at + 100 <= sizeof block; at += 100) {
            (void)snprintf(block + at, 100, "line %lld", line++);
            block[at + strlen(block + at)] = ' ';
            block[at + 99] = '\n';
        }
        if (fwrite(block, 1, size, stdout) != size)
            return 95;
        bytes -= (long long)size;
    }
    return 0;
}

static int print_state(void)
{
    sigset_t blocked;
    struct dirent *entry;
    DIR *dir;

    (void)sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int number = 1; number < 32; number++) {
        struct sigaction action;

        if (sigismember(&blocked, number))
            (void)printf("blocked %d\n", number);
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            (void)printf("ignored %d\n", number);
    }
    (void)printf("leader %d\n", getpgrp() == getpid());
    dir = opendir("/proc/self/fd");
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
            (void)printf("fd %s\n", entry->d_name);
    }
    (void)closedir(dir);
    return 0;
}

static int echo_fd(int fd)
{
    char data[4096];
    ssize_t len;

    while ((len = read(fd, data, sizeof data)) > 0) {
        if (write(fd, data, (size_t)len) != len)
            return 94;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *first = argc > 2 ? argv[2] : "0";

    if (strcmp(what, "exit") == 0)
        return atoi(first);
    if (strcmp(what, "signal") == 0)
        return die_by(atoi(first));
    if (strcmp(what, "sleep") == 0)
        sleep_for_ever();
    if (strcmp(what, "ignore-term") == 0) {
        (void)signal(SIGTERM, SIG_IGN);
        (void)puts("ready");
        (void)fflush(stdout);
        sleep_for_ever();
    }
    if (strcmp(what, "grandchild") == 0)
        return leave_behind(first, 0, 0);
    if (strcmp(what, "daemon") == 0)
        return leave_behind(first, 1, 0);
    if (strcmp(what, "hold-pipe") == 0)
        return leave_behind(first, 1, 1);
    if (strcmp(what, "print") == 0) {
        (void)fputs(first, stdout);
        (void)fputs(argc > 3 ? argv[3] : "", stderr);
        return 0;
    }
    if (strcmp(what, "flood") == 0)
        return flood(atoll(first));
    if (strcmp(what, "state") == 0)
        return print_state();
    if (strcmp(what, "echo-fd") == 0)
        return echo_fd(atoi(first));
    if (strcmp(what, "pwd") == 0) {
        char folder[4096];

        (void)puts(getcwd(folder, sizeof folder));
        return 0;
    }
    (void)fprintf(stderr, "child: what is '%s'?\n", what);
    return 99;
}
