/* SPDX-License-Identifier: MIT
 *
 * A forked copy of this process computes and says the answer with its exit code. There
 * is one thread, so a copy may do what it likes; nothing has to be handed over, and no
 * password goes through a pipe or an argument.
 */
#include "web/verify.h"

#include "base/mem.h"
#include "web/password.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_YES = 0, EXIT_NO = 1 };

struct job {
    struct verifier *verifier;
    char *password;
    char *hash; /* NULL: of nobody */
    verify_fn *fn;
    void *arg;
    pid_t pid; /* 0: it waits */
    int fd;    /* pidfd */
    struct job *next;
};

struct verifier {
    struct loop *loop;
    struct job *first; /* those that run, then those that wait, by age */
    int count;
    int running;
};

struct verifier *verifier_new(struct loop *loop)
{
    struct verifier *verifier = mem_alloc(sizeof *verifier);

    verifier->loop = loop;
    return verifier;
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void unlink_job(struct job *job)
{
    struct job **link = &job->verifier->first;

    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    job->verifier->count--;
}

static void finish(struct job *job, bool matches, const struct error *err)
{
    unlink_job(job);
    job->fn(job->arg, matches, err);
    wipe(job->password);
    free(job->hash);
    free(job);
}

/* Its end; the exit code, or -1. */
static int reap(struct job *job)
{
    siginfo_t end = {0};

    loop_remove(job->verifier->loop, job->fd);
    (void)close(job->fd);
    job->verifier->running--;
    while (waitid(P_PID, (id_t)job->pid, &end, WEXITED) != 0 && errno == EINTR)
        ;
    return end.si_code == CLD_EXITED ? end.si_status : -1;
}

void verifier_free(struct verifier *verifier)
{
    static const struct error none = {0};

    if (verifier == NULL)
        return;
    while (verifier->first) {
        struct job *job = verifier->first;

        if (job->pid) {
            (void)kill(job->pid, SIGKILL);
            (void)reap(job);
        }
        finish(job, false, &none);
    }
    free(verifier);
}

/* Nothing of the server stays open in the copy: who hangs up is gone. */
static _Noreturn void compute(const struct job *job)
{
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    _exit(password_matches(job->password, job->hash) ? EXIT_YES : EXIT_NO);
}

static void start_waiting(struct verifier *verifier);

static void on_end(void *arg, uint32_t events)
{
    struct job *job = arg;
    struct verifier *verifier = job->verifier;
    struct error err = {0};
    int code = reap(job);

    (void)events;
    if (code != EXIT_YES && code != EXIT_NO)
        error_set(&err, ERROR_INTERNAL, "the password could not be verified");
    finish(job, code == EXIT_YES, &err);
    start_waiting(verifier);
}

static void start(struct job *job)
{
    struct verifier *verifier = job->verifier;
    struct error err = {0};

    job->pid = fork();
    if (job->pid == 0)
        compute(job);
    if (job->pid > 0)
        job->fd = pidfd_open(job->pid, 0);
    if (job->pid < 0 || job->fd < 0) {
        error_set(&err, ERROR_INTERNAL, "the password could not be verified: %s",
                  strerror(errno));
        if (job->pid > 0)
            (void)waitpid(job->pid, NULL, 0);
        finish(job, false, &err);
        return;
    }
    verifier->running++;
    if (loop_add(verifier->loop, job->fd, EPOLLIN, on_end, job, &err) != 0) {
        (void)reap(job);
        finish(job, false, &err);
    }
}

static struct job *next_waiting(const struct verifier *verifier)
{
    for (struct job *job = verifier->first; job; job = job->next) {
        if (job->pid == 0)
            return job;
    }
    return NULL;
}

static void start_waiting(struct verifier *verifier)
{
    struct job *job;

    while (verifier->running < VERIFY_AT_ONCE && (job = next_waiting(verifier)) != NULL)
        start(job);
}

void verify_start(struct verifier *verifier, const char *password, const char *hash,
                  verify_fn *fn, void *arg)
{
    struct error err = {0};
    struct job **link = &verifier->first;
    struct job *job;

    if (verifier->count >= VERIFY_WAITING_MAX) {
        error_set(&err, ERROR_UNREACHABLE, "too many passwords wait; try again");
        fn(arg, false, &err);
        return;
    }
    job = mem_alloc(sizeof *job);
    *job = (struct job){.verifier = verifier,
                        .password = mem_strdup(password),
                        .hash = mem_strdup(hash),
                        .fn = fn,
                        .arg = arg};
    while (*link)
        link = &(*link)->next;
    *link = job;
    verifier->count++;
    start_waiting(verifier);
}
