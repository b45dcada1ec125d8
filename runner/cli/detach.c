/* SPDX-License-Identifier: MIT */
#include "cli/detach.h"

#include "base/mem.h"
#include "base/text.h"
#include "cli/web_state.h"
#include "host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct detach {
    int pipe; /* to the parent; -1 once it was told */
    char *dag;
    char *log;
};

/* What the child writes: the exit code, then the line to show. */
struct word {
    int exit_code;
    char text[1200];
    char link[256]; /* to the run's page; "": there is none */
};

static void tell(struct detach *detach, const struct word *word)
{
    if (detach == NULL || detach->pipe < 0)
        return;
    (void)!write(detach->pipe, word, sizeof *word);
    (void)close(detach->pipe);
    detach->pipe = -1;
}

void detach_ready(struct detach *detach, int64_t run, const char *link)
{
    struct word word = {0};

    if (detach == NULL || detach->pipe < 0)
        return;
    /* Only now: until here Ctrl-C ends both, the parent that waits and the start. */
    (void)setsid();
    (void)snprintf(word.text, sizeof word.text, "%s@%" PRId64 " runs; its log is %s",
                   detach->dag, run, detach->log);
    (void)snprintf(word.link, sizeof word.link, "%s", link ? link : "");
    tell(detach, &word);
}

void detach_failed(struct detach *detach, int exit_code, const char *text)
{
    struct word word = {.exit_code = exit_code};

    (void)snprintf(word.text, sizeof word.text, "%s", text);
    tell(detach, &word);
}

void detach_free(struct detach *detach)
{
    if (detach == NULL)
        return;
    if (detach->pipe >= 0)
        (void)close(detach->pipe);
    free(detach->dag);
    free(detach->log);
    free(detach);
}

static void tell_ready(const struct word *word)
{
    text_printf_safe(stdout, "%s\n", word->text);
    (void)fflush(stdout);
    if (word->link[0])
        text_printf_safe(stderr, "dagrun: %s\n", word->link);
    else if (isatty(STDERR_FILENO))
        (void)fputs("dagrun: " WEB_STATE_HINT "\n", stderr);
}

static int wait_for_word(int fd, const char *log)
{
    struct word word;
    size_t have = 0;
    ssize_t len = 0;

    while (have < sizeof word &&
           ((len = read(fd, (char *)&word + have, sizeof word - have)) > 0 ||
            (len < 0 && errno == EINTR)))
        have += len > 0 ? (size_t)len : 0;
    (void)close(fd);
    if (have < sizeof word) {
        text_printf_safe(stderr, "dagrun: error: the runner died while starting; see %s\n",
                      log);
        return 1;
    }
    if (word.exit_code == 0)
        tell_ready(&word);
    else
        text_printf_safe(stderr, "dagrun: error: %s\n", word.text);
    return word.exit_code;
}

/* keep: another runner of this dag lives and writes there. */
static void become_daemon(const char *log, bool keep)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int file = open(log,
                    O_WRONLY | O_CREAT | (keep ? 0 : O_TRUNC) | O_APPEND | O_CLOEXEC, 0600);

    (void)dup2(null, STDIN_FILENO);
    (void)dup2(file >= 0 ? file : null, STDOUT_FILENO);
    (void)dup2(file >= 0 ? file : null, STDERR_FILENO);
    (void)close(null);
    if (file >= 0)
        (void)close(file);
}

int detach_fork(const char *home, const char *dag, struct detach **detach,
                struct error *err)
{
    char *folder = mem_printf("%s/dags", home);
    char *log = mem_printf("%s/%s.log", folder, dag);
    char *lock = mem_printf("%s/%s.lock", folder, dag);
    int ends[2];
    pid_t pid = -1;
    pid_t holder;
    int code = 1;

    (void)mkdir(folder, 0700);
    if (pipe2(ends, O_CLOEXEC) == 0)
        pid = fork();
    if (pid < 0) {
        error_set(err, ERROR_INTERNAL, "could not start a process: %s", strerror(errno));
    } else if (pid > 0) {
        (void)close(ends[1]);
        code = wait_for_word(ends[0], log);
    } else {
        (void)close(ends[0]);
        *detach = mem_alloc(sizeof **detach);
        **detach = (struct detach){
            .pipe = ends[1], .dag = mem_strdup(dag), .log = mem_strdup(log)};
        become_daemon(log, lock_probe(lock, &holder));
        code = 0;
    }
    free(folder);
    free(log);
    free(lock);
    return code;
}
