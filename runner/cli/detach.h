/* SPDX-License-Identifier: MIT
 *
 * detach.h - goes on in a process of its own, while the first one waits until it has
 * started and says so.
 * Layer: cli. Before any thread and any descriptor of a library.
 */
#ifndef CLI_DETACH_H
#define CLI_DETACH_H

#include "base/error.h"

#include <stdint.h>

struct detach;

/*
 * Fork. In the child *detach is set, stdout and stderr go to $home/dags/<dag>.log. In the
 * parent *detach stays NULL: it returns when the child is ready (0, a line on stdout) or
 * has failed (its exit code; its message is on stderr).
 */
int detach_fork(const char *home, const char *dag, struct detach **detach,
                struct error *err);
void detach_free(struct detach *detach);

/* Tell the parent; only the first word counts. NULL is fine. link: to the run's page, or
 * NULL when no web server runs. */
void detach_ready(struct detach *detach, int64_t run, const char *link);
void detach_failed(struct detach *detach, int exit_code, const char *text);

#endif
