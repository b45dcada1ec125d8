/* SPDX-License-Identifier: MIT
 *
 * lock.c - an open file description lock: another process can ask for it without taking
 * it (flock can't), and it is not lost when the file is opened and closed elsewhere in
 * this process (a classic record lock is).
 */
#include "host/lock.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lock {
    int fd;
};

static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static void write_holder(int fd)
{
    char boot[64] = "unknown";
    char when[CLOCK_TEXT];
    char text[256];
    int len;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (file) {
        if (fgets(boot, sizeof boot, file))
            boot[strcspn(boot, "\n")] = '\0';
        (void)fclose(file);
    }
    clock_format_utc(clock_wall_ms(), when);
    len = snprintf(text, sizeof text, "pid %d\nboot %s\nsince %s\n", (int)getpid(),
                   boot, when);
    /* Only for people and for lock_probe's pid; the lock holds without it. */
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) < 0)
        return;
}

static pid_t read_holder(int fd)
{
    char text[256] = "";
    int pid = 0;

    if (pread(fd, text, sizeof text - 1, 0) <= 0 || sscanf(text, "pid %d", &pid) != 1)
        return 0;
    return pid;
}

struct lock *lock_take(const char *path, struct error *err)
{
    struct flock range = whole_file();
    struct lock *lock;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (fcntl(fd, F_OFD_SETLK, &range) < 0) {
        if (errno == EAGAIN || errno == EACCES)
            error_set(err, ERROR_CONFLICT, "%s is held by process %d", path,
                      (int)read_holder(fd));
        else
            error_set(err, ERROR_INTERNAL, "%s can't be locked: %s", path,
                      strerror(errno));
        (void)close(fd);
        return NULL;
    }
    write_holder(fd);
    lock = mem_alloc(sizeof *lock);
    lock->fd = fd;
    return lock;
}

void lock_release(struct lock *lock)
{
    if (lock == NULL)
        return;
    (void)close(lock->fd);
    free(lock);
}

bool lock_probe(const char *path, pid_t *pid)
{
    struct flock range = whole_file();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool held;

    *pid = 0;
    if (fd < 0)
        return false;
    held = fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    if (held)
        *pid = read_holder(fd);
    (void)close(fd);
    return held;
}
