/* SPDX-License-Identifier: MIT
 *
 * reconcile.h - the one function that decides: compares what is wanted with what is, and
 * lists what to do.
 * Layer: core (pure): no I/O, no clock, no threads. The runner's callbacks record facts in
 * struct reconcile; reconcile_run() turns them into actions; run/ carries those out. Called
 * twice without a new fact it lists nothing the second time. tests/sim drives it through
 * a million random events.
 */
#ifndef CORE_RECONCILE_H
#define CORE_RECONCILE_H

#include "core/client.h"
#include "core/dag.h"

/* A run's states, also in the history. */
enum run_state {
    RUN_STARTING,
    RUN_RUNNING,
    RUN_DRAINING,
    RUN_SUCCEEDED,
    RUN_DEGRADED, /* all done, but dead letters or a loss */
    RUN_FAILED,
    RUN_STOPPED,
    RUN_INTERRUPTED,
    RUN_STATES
};
const char *run_state_name(enum run_state state);
bool run_state_is_over(enum run_state state);

enum reconcile_stop {
    RECONCILE_GO_ON = 0,
    RECONCILE_DRAIN, /* sources first, then layer by layer */
    RECONCILE_NOW,   /* kill everything */
};

struct reconcile_client {
    enum client_state state;
    enum client_event fact; /* recorded, not looked at yet: READY or EXIT_… */
    int64_t deadline_ms;    /* of its state; INT64_MAX: none */
    int64_t heard_ms;       /* last sign of life */
    struct client_damping damping;
    int starts;             /* ever */
    int lives; /* starts after no failure: the first, those asked for, every return */
    bool leaving;           /* it was too many: it goes for good, or has gone */
    bool restart_asked;     /* fact: a user wants a new process */
    bool limit_reached;     /* failed because it started too often */
};

struct reconcile_node {
    struct reconcile_client *clients;
    size_t client_count;    /* those that have left, too: they may come back */
    size_t wanted;          /* fact: the first so many are to run; as in the dag at first */
    bool paused;            /* fact: it takes no input, by a user's wish */
    bool ends_asked;        /* REC_ASK_ENDS was listed */
    bool ends_known;        /* fact: the ends of its inputs, all writers gone */
    bool reached;           /* fact: everything up to the ends is finished and committed */
    int64_t turn_ms;        /* since when all its writers are gone; -1: they are not */
};

struct reconcile {
    const struct dag *dag;
    struct reconcile_node *nodes; /* as dag->nodes */
    enum run_state state;
    enum reconcile_stop stop; /* fact: what the user asked for */
    bool account_asked;       /* REC_ACCOUNT was listed */
    bool accounted;           /* fact: the final counts are in (or can't be had) */
    bool degraded;            /* fact, known with accounted: dead letters or a loss */
    int64_t silence_ms;       /* a client that is silent for so long is hung */
    uint64_t seed;            /* of the jitter */
};

enum reconcile_kind {
    REC_SPAWN,    /* start a process for node, client */
    REC_DRAIN,    /* tell it to finish */
    REC_LEAVE,    /* tell it to finish and to give its partitions back at once */
    REC_TERM,     /* SIGTERM to its group */
    REC_KILL,     /* SIGKILL to its group */
    REC_ASK_ENDS, /* find the ends of node's inputs, then set ends_known */
    REC_ACCOUNT,  /* no process is left: take the final counts, then set accounted */
    REC_FINISH,   /* the run is over: state says how */
};
struct reconcile_action {
    enum reconcile_kind kind;
    size_t node;
    size_t client;
};
/* Zero-initialise; reused from call to call; free(items) at the end. */
struct reconcile_actions {
    struct reconcile_action *items;
    size_t count;
    size_t capacity;
};

/* seed: for the jitter of delays. The dag is borrowed. */
struct reconcile *reconcile_new(const struct dag *dag, uint64_t seed);
void reconcile_free(struct reconcile *rec);

/* Facts. exit_code: as a shell says it, 128 + n for signal n. */
void reconcile_ready(struct reconcile *rec, size_t node, size_t client);
void reconcile_heard(struct reconcile *rec, size_t node, size_t client, int64_t now_ms);
void reconcile_exited(struct reconcile *rec, size_t node, size_t client, int exit_code);
void reconcile_stop(struct reconcile *rec, enum reconcile_stop stop); /* never less */
/*
 * A paused node holds a run that could finish; a stop does not wait for it: what it has not
 * taken stays in its topics.
 */
void reconcile_pause(struct reconcile *rec, size_t node, bool paused);
/* A new process for a client that has one or waits for one: it finishes what is in hand
 * first. It is none of the starts that restart.max counts. */
void reconcile_restart(struct reconcile *rec, size_t node, size_t client);
/*
 * So many clients of a node, at least 1: new ones start, or the highest leave. The array of
 * clients may move; it never gets shorter, so that an index stays one client's for ever.
 */
void reconcile_scale(struct reconcile *rec, size_t node, size_t wanted);

/* Decide: actions is emptied and filled. Times are monotonic ms. */
void reconcile_run(struct reconcile *rec, int64_t now_ms, struct reconcile_actions *actions);

/* When reconcile_run must be called again without a fact; INT64_MAX: never. */
int64_t reconcile_deadline(const struct reconcile *rec);

/* Starts after a failure or by a user's wish; not those that scaling asked for. */
int reconcile_restarts(const struct reconcile *rec, size_t node, size_t client);

/* A node's state in the words of the history: waiting, starting, running, … */
const char *reconcile_node_state(const struct reconcile *rec, size_t node);

#endif
