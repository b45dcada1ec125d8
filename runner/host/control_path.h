/* SPDX-License-Identifier: MIT
 *
 * control_path.h - a unix socket's address from a path of any length. Layer: host;
 * private to control*.c.
 */
#ifndef HOST_CONTROL_PATH_H
#define HOST_CONTROL_PATH_H

#include "base/error.h"

#include <sys/un.h>

/*
 * Fill address. *dir_fd: a descriptor that the address needs and the caller closes
 * after bind or connect, -1 none. -1 and err when the path can't be an address.
 */
int control_path(const char *path, struct sockaddr_un *address, int *dir_fd,
                 struct error *err);

#endif
