/* SPDX-License-Identifier: MIT
 *
 * daemon.h - start a program that is nobody's child and outlives us.
 * Layer: host. For the embedded broker, which serves many runs and belongs to none.
 */
#ifndef HOST_DAEMON_H
#define HOST_DAEMON_H

#include "base/error.h"

/*
 * Start it in a session of its own: stdin is /dev/null, stdout and stderr are appended to
 * the file log (made with mode 0600), other descriptors are closed, signals are at their
 * defaults. It is no child of ours, also not when we are a subreaper. That it could be
 * executed is not known here: the log has the reason when not.
 * Errors: ERROR_INTERNAL no process, or the log can't be opened.
 * Thread: any, but with process_become_subreaper not at the same time.
 */
int daemon_spawn(const char *path, char *const *argv, const char *log,
                 struct error *err);

#endif
