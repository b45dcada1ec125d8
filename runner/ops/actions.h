/* SPDX-License-Identifier: MIT
 *
 * actions.h - what can be done to a run that lives: asked through its control socket.
 * Layer: ops. Blocking, for the commands; an answer takes a moment or 5 s at the most.
 * Errors of all: ERROR_NOT_FOUND the dag does not run, or has no such node or client;
 *                ERROR_CONFLICT not now, because it is being stopped, or not this node;
 *                ERROR_TIMEOUT, ERROR_UNREACHABLE no answer.
 */
#ifndef OPS_ACTIONS_H
#define OPS_ACTIONS_H

#include "ops/ops.h"

struct ops_action {
    const char *verb;   /* stop pause resume restart scale */
    const char *node;   /* NULL: all */
    const char *client; /* of a restart; NULL: all */
    int64_t clients;    /* of a scale: how many there are to be, else 0 */
    bool now;           /* of a stop */
    const char *by;     /* who asks, for the run's events; NULL: not said */
};

/* The request of an action, for one who must not wait: sent through host/control.h, its
 * reply is read by ops_action_reply. */
json_t *ops_action_request(const struct ops_action *action);
int ops_action_reply(const json_t *reply, struct error *err);

/* Ask, and wait for the answer; a stop has begun then, not ended. */
int ops_act(const struct ops *ops, const char *dag, const struct ops_action *action,
            struct error *err);

/* Nodes take no input until they are resumed; what they have in hand they finish.
 * node NULL: all nodes. */
int ops_pause(const struct ops *ops, const char *dag, const char *node, struct error *err);
int ops_resume(const struct ops *ops, const char *dag, const char *node, struct error *err);

/* A new process for every client of a node, or for one (client NULL: all): it finishes
 * what is in hand, ends, and is started again. */
int ops_restart(const struct ops *ops, const char *dag, const char *node,
                const char *client, struct error *err);

/* So many clients of a node, until the run ends: more are started, or the highest finish
 * what is in hand and leave. */
int ops_scale(const struct ops *ops, const char *dag, const char *node, int64_t clients,
              struct error *err);

#endif
