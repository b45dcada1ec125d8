/* SPDX-License-Identifier: MIT */
#include "host/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the grandchild, of a process that may have threads: async-signal-safe calls only. */
static _Noreturn void become(const char *path, char *const *argv, int log)
{
    static const char text[] = "can't be executed\n";
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);

    (void)sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(log, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    (void)execv(path, argv);
    (void)!write(STDERR_FILENO, path, strlen(path));
    (void)!write(STDERR_FILENO, ": ", 2);
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(127);
}

int daemon_spawn(const char *path, char *const *argv, const char *log, struct error *err)
{
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int reaper = 0;
    int status = 0;
    pid_t child;

    if (file < 0) {
        error_set(err, ERROR_INTERNAL, "%s: %s", log, strerror(errno));
        return -1;
    }
    /* An orphan becomes the child of the nearest subreaper: not ours, just now. */
    (void)prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    if (reaper)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 0);
    child = fork();
    if (child == 0) {
        (void)setsid();
        switch (fork()) {
        case -1:
            _exit(1);
        case 0:
            become(path, argv, file);
        default:
            _exit(0);
        }
    }
    if (child < 0)
        error_set(err, ERROR_INTERNAL, "%s: no new process: %s", path, strerror(errno));
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child > 0 && status != 0)
        error_set(err, ERROR_INTERNAL, "%s: no new process", path);
    if (reaper)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)close(file);
    return error_is_set(err) ? -1 : 0;
}
