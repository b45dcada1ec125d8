/* SPDX-License-Identifier: MIT */
#include "cli/broker_log.h"

#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool broker_log_is(const char *path)
{
    struct stat ours;
    struct stat named;

    return fstat(STDERR_FILENO, &ours) == 0 && stat(path, &named) == 0 &&
           named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
}

void broker_log_bound(const char *path, int64_t max)
{
    struct stat ours;
    char *before;
    int fd;

    if (fstat(STDERR_FILENO, &ours) < 0 || ours.st_size <= max || !broker_log_is(path))
        return;
    before = mem_printf("%s.1", path);
    fd = rename(path, before) < 0
             ? -1
             : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) { /* else it goes on in the file that it has */
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
        (void)close(fd);
    }
    free(before);
}
