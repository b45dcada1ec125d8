/* SPDX-License-Identifier: MIT */
#include "core/client.h"

#include <stdlib.h>

static const struct client_step table[CLIENT_STATES][CLIENT_EVENTS] = {
    [CLIENT_DOWN][CLIENT_WANT_UP] = {CLIENT_SPAWN, CLIENT_STARTING},
    [CLIENT_DOWN][CLIENT_WANT_DRAIN] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_DOWN][CLIENT_WANT_KILL] = {CLIENT_MOVE, CLIENT_DONE},

    [CLIENT_STARTING][CLIENT_READY] = {CLIENT_MOVE, CLIENT_UP},
    [CLIENT_STARTING][CLIENT_WANT_RESTART] = {CLIENT_DRAIN, CLIENT_RESTARTING},
    [CLIENT_STARTING][CLIENT_WANT_DRAIN] = {CLIENT_DRAIN, CLIENT_DRAINING},
    [CLIENT_STARTING][CLIENT_WANT_KILL] = {CLIENT_KILL, CLIENT_KILLED},
    [CLIENT_STARTING][CLIENT_SILENT] = {CLIENT_KILL, CLIENT_HUNG},
    [CLIENT_STARTING][CLIENT_EXIT_DONE] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_STARTING][CLIENT_EXIT_FAILURE] = {CLIENT_WAIT, CLIENT_BACKOFF},
    [CLIENT_STARTING][CLIENT_EXIT_FINAL] = {CLIENT_MOVE, CLIENT_FAILED},

    [CLIENT_UP][CLIENT_WANT_RESTART] = {CLIENT_DRAIN, CLIENT_RESTARTING},
    [CLIENT_UP][CLIENT_WANT_DRAIN] = {CLIENT_DRAIN, CLIENT_DRAINING},
    [CLIENT_UP][CLIENT_WANT_KILL] = {CLIENT_KILL, CLIENT_KILLED},
    [CLIENT_UP][CLIENT_SILENT] = {CLIENT_KILL, CLIENT_HUNG},
    [CLIENT_UP][CLIENT_EXIT_DONE] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_UP][CLIENT_EXIT_FAILURE] = {CLIENT_WAIT, CLIENT_BACKOFF},
    [CLIENT_UP][CLIENT_EXIT_FINAL] = {CLIENT_MOVE, CLIENT_FAILED},

    [CLIENT_RESTARTING][CLIENT_TIMEOUT] = {CLIENT_KILL, CLIENT_HUNG},
    [CLIENT_RESTARTING][CLIENT_WANT_DRAIN] = {CLIENT_DRAIN, CLIENT_DRAINING},
    [CLIENT_RESTARTING][CLIENT_WANT_KILL] = {CLIENT_KILL, CLIENT_KILLED},
    [CLIENT_RESTARTING][CLIENT_EXIT_DONE] = {CLIENT_SPAWN, CLIENT_STARTING},
    [CLIENT_RESTARTING][CLIENT_EXIT_FAILURE] = {CLIENT_SPAWN, CLIENT_STARTING},
    [CLIENT_RESTARTING][CLIENT_EXIT_FINAL] = {CLIENT_MOVE, CLIENT_FAILED},

    /* What a client leaves undone while it drains stays in its topics. */
    [CLIENT_DRAINING][CLIENT_TIMEOUT] = {CLIENT_TERM, CLIENT_TERMINATING},
    [CLIENT_DRAINING][CLIENT_WANT_KILL] = {CLIENT_KILL, CLIENT_KILLED},
    [CLIENT_DRAINING][CLIENT_EXIT_DONE] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_DRAINING][CLIENT_EXIT_FAILURE] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_DRAINING][CLIENT_EXIT_FINAL] = {CLIENT_MOVE, CLIENT_FAILED},

    [CLIENT_TERMINATING][CLIENT_TIMEOUT] = {CLIENT_KILL, CLIENT_KILLED},
    [CLIENT_TERMINATING][CLIENT_WANT_KILL] = {CLIENT_KILL, CLIENT_KILLED},
    [CLIENT_TERMINATING][CLIENT_EXIT_DONE] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_TERMINATING][CLIENT_EXIT_FAILURE] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_TERMINATING][CLIENT_EXIT_FINAL] = {CLIENT_MOVE, CLIENT_DONE},

    [CLIENT_KILLED][CLIENT_EXIT_DONE] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_KILLED][CLIENT_EXIT_FAILURE] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_KILLED][CLIENT_EXIT_FINAL] = {CLIENT_MOVE, CLIENT_DONE},

    [CLIENT_HUNG][CLIENT_WANT_KILL] = {CLIENT_MOVE, CLIENT_KILLED},
    [CLIENT_HUNG][CLIENT_WANT_DRAIN] = {CLIENT_MOVE, CLIENT_KILLED},
    [CLIENT_HUNG][CLIENT_EXIT_DONE] = {CLIENT_WAIT, CLIENT_BACKOFF},
    [CLIENT_HUNG][CLIENT_EXIT_FAILURE] = {CLIENT_WAIT, CLIENT_BACKOFF},
    [CLIENT_HUNG][CLIENT_EXIT_FINAL] = {CLIENT_WAIT, CLIENT_BACKOFF},

    [CLIENT_BACKOFF][CLIENT_TIMEOUT] = {CLIENT_SPAWN, CLIENT_STARTING},
    [CLIENT_BACKOFF][CLIENT_WANT_RESTART] = {CLIENT_SPAWN, CLIENT_STARTING},
    [CLIENT_BACKOFF][CLIENT_WANT_DRAIN] = {CLIENT_MOVE, CLIENT_DONE},
    [CLIENT_BACKOFF][CLIENT_WANT_KILL] = {CLIENT_MOVE, CLIENT_DONE},
};

struct client_step client_step(enum client_state state, enum client_event event)
{
    struct client_step step = table[state][event];

    if (step.action == CLIENT_STAY)
        step.next = state;
    return step;
}

bool client_has_process(enum client_state state)
{
    return state >= CLIENT_STARTING && state <= CLIENT_HUNG;
}

bool client_is_over(enum client_state state)
{
    return state == CLIENT_DONE || state == CLIENT_FAILED;
}

const char *client_state_name(enum client_state state)
{
    static const char *const names[CLIENT_STATES] = {
        [CLIENT_DOWN] = "waiting",         [CLIENT_STARTING] = "starting",
        [CLIENT_UP] = "running",           [CLIENT_RESTARTING] = "restarting",
        [CLIENT_DRAINING] = "draining",
        [CLIENT_TERMINATING] = "draining", [CLIENT_KILLED] = "draining",
        [CLIENT_HUNG] = "backoff",         [CLIENT_BACKOFF] = "backoff",
        [CLIENT_DONE] = "done",            [CLIENT_FAILED] = "failed",
    };

    return names[state];
}

static int ring_size(const struct dag_restart_policy *policy)
{
    return policy->max > 0 ? policy->max : 1;
}

void client_damping_init(struct client_damping *damping,
                         const struct dag_restart_policy *policy, uint64_t seed)
{
    *damping = (struct client_damping){.random = seed | 1};
    damping->starts = mem_alloc((size_t)ring_size(policy) * sizeof *damping->starts);
}

void client_damping_clear(struct client_damping *damping)
{
    free(damping->starts);
    *damping = (struct client_damping){0};
}

void client_damping_started(struct client_damping *damping,
                            const struct dag_restart_policy *policy, int64_t now_ms)
{
    damping->starts[damping->start_count++ % ring_size(policy)] = now_ms;
}

/* xorshift64: jitter needs no better one. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x;
}

static int64_t with_jitter(int64_t delay_ms, uint64_t *random)
{
    int64_t span = delay_ms * 2 / 5;

    return delay_ms - span / 2 + (int64_t)(next_random(random) % (uint64_t)(span + 1));
}

int64_t client_damping_next(struct client_damping *damping,
                            const struct dag_restart_policy *policy, int64_t now_ms)
{
    int size = ring_size(policy);
    int64_t last;
    int64_t oldest;

    if (damping->start_count == 0)
        return 0;
    last = damping->starts[(damping->start_count - 1) % size];
    oldest = damping->starts[damping->start_count % size];
    if (damping->start_count >= size && now_ms - oldest < policy->window_ms)
        return -1;
    if (damping->delay_ms == 0 || now_ms - last > policy->backoff_max_ms)
        damping->delay_ms = policy->backoff_ms;
    else
        damping->delay_ms *= 2;
    if (damping->delay_ms > policy->backoff_max_ms)
        damping->delay_ms = policy->backoff_max_ms;
    return with_jitter(damping->delay_ms, &damping->random);
}
