/* SPDX-License-Identifier: MIT
 *
 * lock.h - a lock file: held exactly as long as its process lives.
 * Layer: host. The kernel drops the lock at any death, so nothing is ever stale.
 */
#ifndef HOST_LOCK_H
#define HOST_LOCK_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct lock;

/*
 * Take the lock, making the file (0600) when there is none, and write pid, boot id and
 * time into it. NULL: ERROR_CONFLICT when another process has it (err names its pid),
 * ERROR_INTERNAL when the file can't be made. Not inherited by programs we execute.
 */
struct lock *lock_take(const char *path, struct error *err);
void lock_release(struct lock *lock); /* the file stays, unlocked */

/* Does a living process hold it? Asks without taking. *pid: its number, 0 unknown. */
bool lock_probe(const char *path, pid_t *pid);

#endif
