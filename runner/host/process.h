/* SPDX-License-Identifier: MIT
 *
 * process.h - start a child in a process group of its own, learn its exact end.
 * Layer: host. Knows a command, not a node. One thread, which alone reaps children.
 */
#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process;

struct process_spec {
    const char *path;  /* of the program, as it is: PATH is not searched */
    char *const *argv; /* argv[0] included; NULL-terminated */
    char *const *envp; /* NULL: ours */
    const char *cwd;   /* NULL: ours */
    int stdin_fd;      /* -1: /dev/null */
    int stdout_fd;     /* -1: ours */
    int stderr_fd;     /* -1: ours */
    int extra_fd;      /* given to the child as extra_number (≥ 3); -1: none */
    int extra_number;
};

/* How a child ended, and what it used (with the children that it waited for). */
struct process_exit {
    int code;   /* exit code; -1: it died by a signal */
    int signal; /* 0: it exited */
    bool core_dumped;
    int64_t user_ms;
    int64_t system_ms;
    int64_t max_rss_bytes;
};

/*
 * Start it. The child leads a process group of its own, has default signal
 * dispositions, an empty signal mask and no descriptor besides those named. The
 * descriptors of the spec stay the caller's.
 * Errors: ERROR_INPUT with path and reason when it can't be executed or cwd can't be
 * entered; ERROR_INTERNAL when the system refuses a process.
 */
struct process *process_spawn(const struct process_spec *spec, struct error *err);
/* Frees the handle; a child that was not reaped yet is killed with its group and
 * reaped. */
void process_free(struct process *process);

pid_t process_pid(const struct process *process);
/* Readable once the child is dead. */
int process_fd(const struct process *process);

/* Send a signal to the child's group. Does nothing once it is reaped. */
void process_signal(struct process *process, int signal);
/*
 * If the child is dead: kill what is left of its group, reap it, fill *end, return
 * true. After that process_fd is no more to be watched. False: it still lives.
 */
bool process_reap(struct process *process, struct process_exit *end);

/* "exit code 3", "killed by SIGKILL", "killed by SIGSEGV (core dumped)". */
enum { PROCESS_EXIT_TEXT = 64 };
void process_exit_text(const struct process_exit *end, char text[PROCESS_EXIT_TEXT]);

/* From now on descendants whose parent dies become our children. */
int process_become_subreaper(struct error *err);
/*
 * The pids of our children, dead ones included. Returns how many there are; the first
 * max of them are written. At the start of a runner it tells which it was born with: a
 * shell that had background jobs and then exec'd us leaves us those.
 */
size_t process_children(pid_t *pids, size_t max);
/*
 * Reap dead descendants that were re-parented to us: all dead children but ours, which
 * are left to process_reap. Call it after SIGCHLD. Returns how many.
 */
size_t process_reap_orphans(const pid_t *ours, size_t count);
/* SIGKILL descendants that were re-parented to us and still live (they left their
 * client's group with setsid): all children but ours. Returns how many. */
size_t process_kill_orphans(const pid_t *ours, size_t count);

/* CPU time and memory of a living process; false when it is gone. */
struct process_usage {
    int64_t cpu_ms;
    int64_t rss_bytes;
};
bool process_usage(pid_t pid, struct process_usage *usage);

#endif
