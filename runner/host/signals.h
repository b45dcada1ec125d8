/* SPDX-License-Identifier: MIT
 *
 * signals.h - signals as a descriptor on the loop. Layer: host.
 */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include "base/error.h"

/*
 * From now on INT, TERM, HUP and CHLD only make the returned descriptor readable, PIPE
 * is ignored. Call it before any thread is made. -1 and err when the system refuses.
 */
int signals_open(struct error *err);
/* The next pending signal's number; 0: none. */
int signals_next(int fd);
/* Back to defaults. */
void signals_close(int fd);

#endif
