/* SPDX-License-Identifier: MIT
 *
 * client.h - one client's life as a table: state and event in, action and state out; and
 * how long to wait before the next start.
 * Layer: core (pure). Spawning and killing are the runner's; here it is only decided.
 */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "core/dag.h"

#include <stdbool.h>
#include <stdint.h>

enum client_state {
    CLIENT_DOWN = 0,    /* never started */
    CLIENT_STARTING,    /* process runs, not ready yet */
    CLIENT_UP,          /* ready */
    CLIENT_RESTARTING,  /* the same, to be started again at once */
    CLIENT_DRAINING,    /* told to finish what is in hand */
    CLIENT_TERMINATING, /* took too long: SIGTERM sent */
    CLIENT_KILLED,      /* SIGKILL sent, exit expected */
    CLIENT_HUNG,        /* SIGKILL sent because it was silent; starts again */
    CLIENT_BACKOFF,     /* failed, waits for the next start */
    CLIENT_DONE,        /* ended as wanted */
    CLIENT_FAILED,      /* failed for good */
    CLIENT_STATES
};

enum client_event {
    CLIENT_NOTHING = 0,
    CLIENT_WANT_UP,
    CLIENT_READY,
    CLIENT_WANT_RESTART, /* a user wants a new process */
    CLIENT_WANT_DRAIN,
    CLIENT_WANT_KILL,
    CLIENT_SILENT,       /* no sign of life for too long */
    CLIENT_TIMEOUT,      /* the deadline of its state has come */
    CLIENT_EXIT_DONE,    /* exited as wanted */
    CLIENT_EXIT_FAILURE, /* exited, and may start again */
    CLIENT_EXIT_FINAL,   /* exited, and must not start again */
    CLIENT_EVENTS
};

enum client_action {
    CLIENT_STAY = 0,
    CLIENT_SPAWN,
    CLIENT_DRAIN,
    CLIENT_TERM,
    CLIENT_KILL,
    CLIENT_WAIT, /* begin the back-off */
    CLIENT_MOVE, /* only the state changes */
};

struct client_step {
    enum client_action action;
    enum client_state next;
};

/* What an event does in a state. CLIENT_STAY: nothing, and next is the same state. */
struct client_step client_step(enum client_state state, enum client_event event);

/* A process of this client exists in that state. */
bool client_has_process(enum client_state state);
/* Nothing more will happen in that state. */
bool client_is_over(enum client_state state);

const char *client_state_name(enum client_state state);

/* When a client started, for the start limit and the growing delay. */
enum { CLIENT_STARTS_MAX = 1000 }; /* largest restart.max */
struct client_damping {
    int64_t *starts; /* ring of the last policy->max + 1 start times, monotonic ms */
    int start_count; /* ever */
    int64_t delay_ms; /* of the last back-off; 0: none yet */
    uint64_t random;  /* state of the jitter's generator, seeded by the caller */
};
void client_damping_init(struct client_damping *damping,
                         const struct dag_restart_policy *policy, uint64_t seed);
void client_damping_clear(struct client_damping *damping);
void client_damping_started(struct client_damping *damping,
                            const struct dag_restart_policy *policy, int64_t now_ms);

/*
 * How long to wait before the next start: doubles from backoff_ms to backoff_max_ms with
 * ±20 % jitter, and begins anew after a life longer than backoff_max_ms. -1: too many
 * starts within the window, the client has failed.
 */
int64_t client_damping_next(struct client_damping *damping,
                            const struct dag_restart_policy *policy, int64_t now_ms);

#endif
