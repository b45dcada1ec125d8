/* SPDX-License-Identifier: MIT
 *
 * listen.h - a socket that listens, on the first port that is free.
 * Layer: web.
 */
#ifndef WEB_LISTEN_H
#define WEB_LISTEN_H

#include "base/error.h"

/*
 * Try port_count ports from *port on; *port is the one it came to. -1 and err:
 * ERROR_CONFLICT all are taken, ERROR_INPUT no such address, or not ours.
 */
int web_listen(const char *host, int port_count, int *port, struct error *err);

#endif
