/* SPDX-License-Identifier: MIT
 *
 * actions.h - what can be done to a run that lives: asked through its control socket.
 * Layer: ops. Blocking, for the commands; an answer takes a moment or 5 s at the most.
 * Errors of all: ERROR_NOT_FOUND the dag does not run, or has no such node or client;
 *                ERROR_CONFLICT not now, because it is being stopped;
 *                ERROR_TIMEOUT, ERROR_UNREACHABLE no answer.
 */
#ifndef OPS_ACTIONS_H
#define OPS_ACTIONS_H

#include "ops/ops.h"

/* Nodes take no input until they are resumed; what they have in hand they finish.
 * node NULL: all nodes. */
int ops_pause(const struct ops *ops, const char *dag, const char *node, struct error *err);
int ops_resume(const struct ops *ops, const char *dag, const char *node, struct error *err);

/* A new process for every client of a node, or for one (client NULL: all): it finishes
 * what is in hand, ends, and is started again. */
int ops_restart(const struct ops *ops, const char *dag, const char *node,
                const char *client, struct error *err);

#endif
