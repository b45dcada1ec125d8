/* SPDX-License-Identifier: MIT
 *
 * process_proc.c - what /proc knows: our children, the usage of a process.
 */
#include "host/process.h"

#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Orphans are given to a process's first thread, and children are started by it. */
size_t process_children(pid_t *pids, size_t max)
{
    char path[64];
    FILE *file;
    size_t count = 0;
    int pid;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fscanf(file, "%d", &pid) == 1) {
        if (count < max)
            pids[count] = pid;
        count++;
    }
    (void)fclose(file);
    return count;
}

static bool contains(const pid_t *pids, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++) {
        if (pids[i] == pid)
            return true;
    }
    return false;
}

/* Our children that are not in ours; the caller frees. */
static pid_t *orphans(const pid_t *ours, size_t our_count, size_t *count)
{
    size_t max = process_children(NULL, 0) + 16;
    pid_t *pids = mem_alloc(max * sizeof *pids);
    size_t found = process_children(pids, max);
    size_t kept = 0;

    for (size_t i = 0; i < found && i < max; i++) {
        if (!contains(ours, our_count, pids[i]))
            pids[kept++] = pids[i];
    }
    *count = kept;
    return pids;
}

size_t process_reap_orphans(const pid_t *ours, size_t count)
{
    size_t found;
    pid_t *pids = orphans(ours, count, &found);
    size_t reaped = 0;

    for (size_t i = 0; i < found; i++) {
        if (waitpid(pids[i], NULL, WNOHANG) == pids[i])
            reaped++;
    }
    free(pids);
    return reaped;
}

size_t process_kill_orphans(const pid_t *ours, size_t count)
{
    size_t found;
    pid_t *pids = orphans(ours, count, &found);
    size_t killed = 0;

    /* A child's number is its own until we reap it, so no stranger can be hit. */
    for (size_t i = 0; i < found; i++) {
        if (kill(pids[i], SIGKILL) == 0)
            killed++;
    }
    free(pids);
    return killed;
}

static bool read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t len;

    if (file == NULL)
        return false;
    len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return len > 0;
}

bool process_usage(pid_t pid, struct process_usage *usage)
{
    unsigned long user;
    unsigned long system;
    unsigned long pages;
    char path[64];
    char text[1024];
    const char *after_name;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!read_file(path, text, sizeof text))
        return false;
    /* The name may hold spaces and parentheses: the fields begin after its last one. */
    after_name = strrchr(text, ')');
    if (after_name == NULL ||
        sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &user, &system) != 2)
        return false;
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (!read_file(path, text, sizeof text) || sscanf(text, "%*u %lu", &pages) != 1)
        return false;
    usage->cpu_ms = (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
    usage->rss_bytes = (int64_t)pages * sysconf(_SC_PAGESIZE);
    return true;
}
