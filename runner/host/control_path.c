/* SPDX-License-Identifier: MIT */
#include "host/control_path.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int control_path(const char *path, struct sockaddr_un *address, int *dir_fd,
                 struct error *err)
{
    const char *name = strrchr(path, '/');
    char *dir;
    int len;

    *dir_fd = -1;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) < sizeof address->sun_path) {
        (void)snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
        return 0;
    }
    /* 108 bytes are all an address has: reach the folder through its descriptor. */
    dir = name ? mem_strndup(path, (size_t)(name - path) + 1) : mem_strdup(".");
    *dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    if (*dir_fd < 0) {
        error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_INTERNAL,
                  "folder of %s: %s", path, strerror(errno));
        return -1;
    }
    len = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s",
                   *dir_fd, name ? name + 1 : path);
    if (len < (int)sizeof address->sun_path)
        return 0;
    error_set(err, ERROR_INTERNAL, "%s: its last part is too long for a socket", path);
    (void)close(*dir_fd);
    *dir_fd = -1;
    return -1;
}
