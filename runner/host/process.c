/* SPDX-License-Identifier: MIT */
#include "host/process.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FIRST_EXTRA = 3,
    RAISED_FROM = 64, /* sources are moved above every number that a child is given */
};

struct process {
    pid_t pid; /* also its process group */
    int fd;
    bool reaped;
};

/* The descriptors for the child, each at a number that no dup2 overwrites on the way.
 */
struct sources {
    int fds[4]; /* for 0, 1, 2 and extra_number; -1: none */
    bool raised[4];
};

static int raise_one(int *fd, bool *raised, struct error *err)
{
    int copy;

    if (*fd < 0 || *fd >= RAISED_FROM)
        return 0;
    copy = fcntl(*fd, F_DUPFD_CLOEXEC, RAISED_FROM);
    if (copy < 0) {
        error_set(err, ERROR_INTERNAL, "no descriptor for a new process: %s",
                  strerror(errno));
        return -1;
    }
    *fd = copy;
    *raised = true;
    return 0;
}

static void sources_close(struct sources *sources)
{
    for (int i = 0; i < 4; i++) {
        if (sources->raised[i])
            (void)close(sources->fds[i]);
    }
}

static int sources_open(struct sources *sources, const struct process_spec *spec,
                        struct error *err)
{
    *sources = (struct sources){
        .fds = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd, spec->extra_fd}};
    for (int i = 0; i < 4; i++) {
        if (raise_one(&sources->fds[i], &sources->raised[i], err) < 0) {
            sources_close(sources);
            return -1;
        }
    }
    return 0;
}

static int add_actions(posix_spawn_file_actions_t *actions,
                       const struct process_spec *spec, const struct sources *sources)
{
    int rc = 0;
    int first_free = spec->extra_fd >= 0 ? spec->extra_number + 1 : FIRST_EXTRA;

    if (spec->stdin_fd < 0)
        rc |= posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i < 3; i++) {
        if (sources->fds[i] >= 0)
            rc |= posix_spawn_file_actions_adddup2(actions, sources->fds[i], i);
    }
    if (sources->fds[3] >= 0)
        rc |= posix_spawn_file_actions_adddup2(actions, sources->fds[3],
                                               spec->extra_number);
    for (int fd = FIRST_EXTRA; fd < first_free - 1; fd++)
        rc |= posix_spawn_file_actions_addclose(actions, fd);
    rc |= posix_spawn_file_actions_addclosefrom_np(actions, first_free);
    if (spec->cwd)
        rc |= posix_spawn_file_actions_addchdir_np(actions, spec->cwd);
    return rc;
}

static int add_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all;
    sigset_t none;
    int rc = 0;

    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    rc |= posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP |
                                                   POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
    rc |= posix_spawnattr_setpgroup(attributes, 0);
    rc |= posix_spawnattr_setsigmask(attributes, &none);
    rc |= posix_spawnattr_setsigdefault(attributes, &all);
    return rc;
}

/* posix_spawn tells an errno and not which of the steps failed: look again. */
static void explain(const struct process_spec *spec, int code, struct error *err)
{
    struct stat file;

    if (spec->cwd && access(spec->cwd, X_OK) < 0)
        error_set(err, ERROR_INPUT, "folder %s can't be entered: %s", spec->cwd,
                  strerror(errno));
    else if (code != ENOENT && code != EACCES && code != ENOEXEC && code != ENOTDIR &&
             code != ELOOP && code != ENAMETOOLONG && code != ETXTBSY && code != E2BIG)
        error_set(err, ERROR_INTERNAL, "%s: no new process: %s", spec->path,
                  strerror(code));
    else if (stat(spec->path, &file) < 0)
        error_set(err, ERROR_INPUT, "%s: %s", spec->path,
                  errno == ENOENT ? "no such file" : strerror(errno));
    else if (S_ISDIR(file.st_mode))
        error_set(err, ERROR_INPUT, "%s: is a folder, not a program", spec->path);
    else if (code == EACCES)
        error_set(err, ERROR_INPUT, "%s: permission denied: not executable",
                  spec->path);
    else if (code == ENOENT)
        error_set(err, ERROR_INPUT, "%s: the interpreter in its first line is missing",
                  spec->path);
    else if (code == ENOEXEC)
        error_set(err, ERROR_INPUT, "%s: not a program: no binary and no #! line",
                  spec->path);
    else
        error_set(err, ERROR_INPUT, "%s: can't be executed: %s", spec->path,
                  strerror(code));
}

static int spawn(const struct process_spec *spec, const struct sources *sources,
                 pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    rc = add_actions(&actions, spec, sources) || add_attributes(&attributes) ? ENOMEM
                                                                             : 0;
    if (rc == 0)
        rc = posix_spawn(pid, spec->path, &actions, &attributes, spec->argv,
                         spec->envp ? spec->envp : environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

struct process *process_spawn(const struct process_spec *spec, struct error *err)
{
    struct process *process;
    struct sources sources;
    pid_t pid = 0;
    int rc;

    if (sources_open(&sources, spec, err) < 0)
        return NULL;
    rc = spawn(spec, &sources, &pid);
    sources_close(&sources);
    if (rc != 0) {
        explain(spec, rc, err);
        return NULL;
    }
    process = mem_alloc(sizeof *process);
    process->pid = pid;
    /* No race: the pid can't be used again before we reap it. */
    process->fd = pidfd_open(pid, 0);
    if (process->fd < 0) {
        error_set(err, ERROR_INTERNAL, "no descriptor for process %d: %s", (int)pid,
                  strerror(errno));
        process_free(process);
        return NULL;
    }
    return process;
}

void process_free(struct process *process)
{
    if (process == NULL)
        return;
    if (!process->reaped) {
        process_signal(process, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (process->fd >= 0)
        (void)close(process->fd);
    free(process);
}

pid_t process_pid(const struct process *process)
{
    return process->pid;
}

int process_fd(const struct process *process)
{
    return process->fd;
}

void process_signal(struct process *process, int signal)
{
    if (!process->reaped)
        (void)kill(-process->pid, signal);
}

static int64_t to_ms(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static void fill_exit(struct process_exit *end, const siginfo_t *info,
                      const struct rusage *used)
{
    bool exited = info->si_code == CLD_EXITED;

    *end = (struct process_exit){
        .code = exited ? info->si_status : -1,
        .signal = exited ? 0 : info->si_status,
        .core_dumped = info->si_code == CLD_DUMPED,
        .user_ms = to_ms(&used->ru_utime),
        .system_ms = to_ms(&used->ru_stime),
        .max_rss_bytes = (int64_t)used->ru_maxrss * 1024,
    };
}

/* waitid as the kernel has it: libc's leaves the usage out. */
static long wait_for(int pidfd, siginfo_t *info, int options, struct rusage *used)
{
    memset(info, 0, sizeof *info);
    return syscall(SYS_waitid, P_PIDFD, pidfd, info, options | WEXITED | WNOHANG, used);
}

bool process_reap(struct process *process, struct process_exit *end)
{
    struct rusage used = {0};
    siginfo_t info;

    if (process->reaped || wait_for(process->fd, &info, WNOWAIT, NULL) < 0 ||
        info.si_pid == 0)
        return false;
    /* The dead leader still holds the group's number: it can't hit a stranger. */
    (void)kill(-process->pid, SIGKILL);
    if (wait_for(process->fd, &info, 0, &used) < 0 || info.si_pid == 0)
        return false;
    process->reaped = true;
    fill_exit(end, &info, &used);
    return true;
}

void process_exit_text(const struct process_exit *end, char text[PROCESS_EXIT_TEXT])
{
    const char *name = end->signal ? sigabbrev_np(end->signal) : NULL;

    if (end->signal == 0)
        (void)snprintf(text, PROCESS_EXIT_TEXT, "exit code %d", end->code);
    else if (name)
        (void)snprintf(text, PROCESS_EXIT_TEXT, "killed by SIG%s%s", name,
                       end->core_dumped ? " (core dumped)" : "");
    else
        (void)snprintf(text, PROCESS_EXIT_TEXT, "killed by signal %d%s", end->signal,
                       end->core_dumped ? " (core dumped)" : "");
}

int process_become_subreaper(struct error *err)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
        return 0;
    error_set(err, ERROR_INTERNAL, "this process can't adopt orphans: %s",
              strerror(errno));
    return -1;
}
