/* SPDX-License-Identifier: MIT */
#include "core/reconcile.h"

#include "base/contract.h"

#include <stdlib.h>

/* As long as Kafka's own limit for a consumer that does not poll. */
enum { SILENCE_MS = 300 * 1000 };

const char *run_state_name(enum run_state state)
{
    static const char *const names[RUN_STATES] = {
        [RUN_STARTING] = "starting",   [RUN_RUNNING] = "running",
        [RUN_DRAINING] = "draining",   [RUN_SUCCEEDED] = "succeeded",
        [RUN_DEGRADED] = "degraded",   [RUN_FAILED] = "failed",
        [RUN_STOPPED] = "stopped",     [RUN_INTERRUPTED] = "interrupted",
    };

    return names[state];
}

bool run_state_is_over(enum run_state state)
{
    return state >= RUN_SUCCEEDED;
}

static void init_damping(struct reconcile *rec, size_t node, size_t client)
{
    client_damping_init(&rec->nodes[node].clients[client].damping,
                        &rec->dag->nodes[node].restart,
                        rec->seed + (node << 16) + client * 2);
}

void reconcile_scale(struct reconcile *rec, size_t n, size_t wanted)
{
    struct reconcile_node *node = &rec->nodes[n];
    size_t had = node->client_count;

    node->wanted = wanted;
    if (wanted <= had)
        return;
    node->clients = mem_resize(node->clients, wanted * sizeof *node->clients);
    node->client_count = wanted;
    for (size_t c = had; c < wanted; c++) {
        node->clients[c] = (struct reconcile_client){.deadline_ms = INT64_MAX};
        init_damping(rec, n, c);
    }
}

struct reconcile *reconcile_new(const struct dag *dag, uint64_t seed)
{
    struct reconcile *rec = mem_alloc(sizeof *rec);

    rec->dag = dag;
    rec->seed = seed;
    rec->silence_ms = SILENCE_MS;
    rec->nodes = mem_alloc(dag->node_count * sizeof *rec->nodes);
    for (size_t n = 0; n < dag->node_count; n++) {
        struct reconcile_node *node = &rec->nodes[n];

        node->turn_ms = -1;
        reconcile_scale(rec, n, dag->nodes[n].client_count);
    }
    return rec;
}

void reconcile_free(struct reconcile *rec)
{
    if (rec == NULL)
        return;
    for (size_t n = 0; n < rec->dag->node_count; n++) {
        for (size_t c = 0; c < rec->nodes[n].client_count; c++)
            client_damping_clear(&rec->nodes[n].clients[c].damping);
        free(rec->nodes[n].clients);
    }
    free(rec->nodes);
    free(rec);
}

void reconcile_ready(struct reconcile *rec, size_t node, size_t client)
{
    struct reconcile_client *c = &rec->nodes[node].clients[client];

    if (c->fact == CLIENT_NOTHING)
        c->fact = CLIENT_READY;
}

void reconcile_heard(struct reconcile *rec, size_t node, size_t client, int64_t now_ms)
{
    rec->nodes[node].clients[client].heard_ms = now_ms;
}

static bool is_source(const struct reconcile *rec, size_t node)
{
    return rec->dag->nodes[node].input_count == 0;
}

/*
 * A source that exits 0 is finished; any other node exits 0 only when it was told to, so
 * without that it is a failure as any other.
 */
void reconcile_exited(struct reconcile *rec, size_t node, size_t client, int exit_code)
{
    enum dag_restart when = rec->dag->nodes[node].restart.when;
    struct reconcile_client *c = &rec->nodes[node].clients[client];
    bool told = c->state == CLIENT_RESTARTING || c->state == CLIENT_DRAINING ||
                c->state == CLIENT_TERMINATING || c->state == CLIENT_KILLED;

    if (exit_code == CONTRACT_EXIT_STAY_DOWN || exit_code == CONTRACT_EXIT_USAGE)
        c->fact = CLIENT_EXIT_FINAL;
    else if (exit_code == CONTRACT_EXIT_DONE && (told || is_source(rec, node)))
        c->fact = when == DAG_RESTART_ALWAYS && !told ? CLIENT_EXIT_FAILURE
                                                      : CLIENT_EXIT_DONE;
    else
        c->fact = when == DAG_RESTART_NEVER ? CLIENT_EXIT_FINAL : CLIENT_EXIT_FAILURE;
}

void reconcile_stop(struct reconcile *rec, enum reconcile_stop stop)
{
    if (stop > rec->stop)
        rec->stop = stop;
}

void reconcile_pause(struct reconcile *rec, size_t node, bool paused)
{
    rec->nodes[node].paused = paused;
}

void reconcile_restart(struct reconcile *rec, size_t node, size_t client)
{
    rec->nodes[node].clients[client].restart_asked = true;
}

static void list(struct reconcile_actions *actions, enum reconcile_kind kind, size_t node,
                 size_t client)
{
    actions->items = mem_grow(actions->items, actions->count, &actions->capacity,
                              sizeof *actions->items);
    actions->items[actions->count++] =
        (struct reconcile_action){.kind = kind, .node = node, .client = client};
}

static void begin_backoff(const struct dag_restart_policy *policy,
                          struct reconcile_client *c, int64_t now_ms)
{
    int64_t delay_ms = client_damping_next(&c->damping, policy, now_ms);

    if (delay_ms < 0) {
        c->state = CLIENT_FAILED;
        c->limit_reached = true;
        return;
    }
    c->deadline_ms = now_ms + delay_ms;
}

/* Apply one event to one client: its state, its deadline, the action. */
static void apply(struct reconcile *rec, size_t n, size_t i, enum client_event event,
                  int64_t now_ms, struct reconcile_actions *actions)
{
    const struct dag_node *node = &rec->dag->nodes[n];
    struct reconcile_client *c = &rec->nodes[n].clients[i];
    enum client_state before = c->state;
    struct client_step step = client_step(before, event);

    if (step.action == CLIENT_STAY)
        return;
    c->state = step.next;
    c->deadline_ms = INT64_MAX;
    switch (step.action) {
    case CLIENT_SPAWN:
        c->starts++;
        c->lives += before == CLIENT_DOWN || before == CLIENT_RESTARTING;
        if (before != CLIENT_RESTARTING)
            client_damping_started(&c->damping, &node->restart, now_ms);
        c->heard_ms = now_ms;
        list(actions, REC_SPAWN, n, i);
        break;
    case CLIENT_DRAIN:
        c->deadline_ms = now_ms + node->stop.grace_ms;
        list(actions, c->leaving ? REC_LEAVE : REC_DRAIN, n, i);
        break;
    case CLIENT_TERM:
        c->deadline_ms = now_ms + node->stop.grace_ms;
        list(actions, REC_TERM, n, i);
        break;
    case CLIENT_KILL:
        list(actions, REC_KILL, n, i);
        break;
    case CLIENT_WAIT:
        begin_backoff(&node->restart, c, now_ms);
        break;
    case CLIENT_STAY:
    case CLIENT_MOVE:
        break;
    }
}

static void apply_to_all(struct reconcile *rec, size_t n, enum client_event event,
                         int64_t now_ms, struct reconcile_actions *actions)
{
    for (size_t i = 0; i < rec->nodes[n].client_count; i++)
        apply(rec, n, i, event, now_ms, actions);
}

/* A client that is too many goes, before anything could start it again. */
static void shed(struct reconcile *rec, size_t n, size_t i, int64_t now_ms,
                 struct reconcile_actions *actions)
{
    if (i < rec->nodes[n].wanted)
        return;
    rec->nodes[n].clients[i].leaving = true;
    apply(rec, n, i, CLIENT_WANT_DRAIN, now_ms, actions);
}

/* One that had left and is wanted again begins anew: its old failures are forgotten. */
static void take_back(struct reconcile *rec, size_t n, size_t i)
{
    struct reconcile_client *c = &rec->nodes[n].clients[i];

    if (i >= rec->nodes[n].wanted || !c->leaving || c->state != CLIENT_DONE)
        return;
    c->leaving = false;
    c->state = CLIENT_DOWN;
    client_damping_clear(&c->damping);
    init_damping(rec, n, i);
}

static void bring_up(struct reconcile *rec, size_t n, int64_t now_ms,
                     struct reconcile_actions *actions)
{
    for (size_t i = 0; i < rec->nodes[n].wanted; i++) {
        take_back(rec, n, i);
        apply(rec, n, i, CLIENT_WANT_UP, now_ms, actions);
    }
}

/* Facts and deadlines of every client of a node. */
static void digest(struct reconcile *rec, size_t n, int64_t now_ms,
                   struct reconcile_actions *actions)
{
    for (size_t i = 0; i < rec->nodes[n].client_count; i++) {
        struct reconcile_client *c = &rec->nodes[n].clients[i];
        enum client_event fact = c->fact;

        shed(rec, n, i, now_ms, actions);
        c->fact = CLIENT_NOTHING;
        if (fact != CLIENT_NOTHING)
            apply(rec, n, i, fact, now_ms, actions);
        if (c->restart_asked)
            apply(rec, n, i, CLIENT_WANT_RESTART, now_ms, actions);
        c->restart_asked = false;
        if (c->deadline_ms <= now_ms)
            apply(rec, n, i, CLIENT_TIMEOUT, now_ms, actions);
        if (now_ms - c->heard_ms >= rec->silence_ms)
            apply(rec, n, i, CLIENT_SILENT, now_ms, actions);
    }
}

static bool node_is_over(const struct reconcile_node *node)
{
    for (size_t i = 0; i < node->client_count; i++) {
        if (!client_is_over(node->clients[i].state))
            return false;
    }
    return true;
}

static bool node_has_failed(const struct reconcile_node *node)
{
    for (size_t i = 0; i < node->client_count; i++) {
        if (node->clients[i].state == CLIENT_FAILED)
            return true;
    }
    return false;
}

static bool writers_are_gone(const struct reconcile *rec, size_t n)
{
    const struct dag_node *node = &rec->dag->nodes[n];

    for (size_t i = 0; i < node->input_count; i++) {
        if (!node_is_over(&rec->nodes[rec->dag->edges[node->inputs[i]].from]))
            return false;
    }
    return true;
}

/* May a node's clients finish what is in hand and go? */
static bool may_go(struct reconcile *rec, size_t n, int64_t now_ms)
{
    struct reconcile_node *node = &rec->nodes[n];
    bool stopping = rec->stop != RECONCILE_GO_ON;

    if (is_source(rec, n))
        return stopping;
    if (node->turn_ms < 0)
        return false;
    if (node->ends_known && node->reached)
        return true;
    return stopping && (node->paused || node_has_failed(node) ||
                        now_ms - node->turn_ms >= rec->dag->nodes[n].stop.drain_ms);
}

static void decide_node(struct reconcile *rec, size_t n, int64_t now_ms,
                        struct reconcile_actions *actions)
{
    struct reconcile_node *node = &rec->nodes[n];

    if (node_is_over(node))
        return;
    if (rec->stop == RECONCILE_NOW) {
        apply_to_all(rec, n, CLIENT_WANT_KILL, now_ms, actions);
        return;
    }
    if (!is_source(rec, n) && node->turn_ms < 0 && writers_are_gone(rec, n))
        node->turn_ms = now_ms;
    if (node->turn_ms >= 0 && !node->ends_asked) {
        node->ends_asked = true;
        list(actions, REC_ASK_ENDS, n, 0);
    }
    if (may_go(rec, n, now_ms))
        apply_to_all(rec, n, CLIENT_WANT_DRAIN, now_ms, actions);
    else if (rec->stop == RECONCILE_GO_ON)
        bring_up(rec, n, now_ms, actions);
}

static enum run_state over_state(const struct reconcile *rec, bool failed)
{
    if (failed)
        return RUN_FAILED;
    if (rec->stop == RECONCILE_NOW)
        return RUN_INTERRUPTED;
    if (rec->stop == RECONCILE_DRAIN)
        return RUN_STOPPED;
    return rec->degraded ? RUN_DEGRADED : RUN_SUCCEEDED;
}

/* Not while it waits for a restart: "start -d" would call a crash loop a good start. */
static bool is_or_was_up(enum client_state state)
{
    return state != CLIENT_DOWN && state != CLIENT_STARTING && state != CLIENT_BACKOFF &&
           state != CLIENT_FAILED;
}

static void decide_run(struct reconcile *rec, struct reconcile_actions *actions)
{
    bool all_over = true;
    bool all_up = true;
    bool failed = false;

    for (size_t n = 0; n < rec->dag->node_count; n++) {
        const struct reconcile_node *node = &rec->nodes[n];

        all_over = all_over && node_is_over(node);
        failed = failed || node_has_failed(node);
        for (size_t i = 0; i < node->client_count; i++)
            all_up = all_up && is_or_was_up(node->clients[i].state);
    }
    if (all_over && rec->accounted) {
        rec->state = over_state(rec, failed);
        list(actions, REC_FINISH, 0, 0);
    } else if (all_over) {
        if (!rec->account_asked)
            list(actions, REC_ACCOUNT, 0, 0);
        rec->account_asked = true;
    } else if (rec->stop != RECONCILE_GO_ON) {
        rec->state = RUN_DRAINING;
    } else if (rec->state == RUN_STARTING && all_up) {
        rec->state = RUN_RUNNING;
    }
}

void reconcile_run(struct reconcile *rec, int64_t now_ms, struct reconcile_actions *actions)
{
    actions->count = 0;
    if (run_state_is_over(rec->state))
        return;
    for (size_t n = 0; n < rec->dag->node_count; n++)
        digest(rec, n, now_ms, actions);
    for (size_t n = 0; n < rec->dag->node_count; n++) {
        /* A run whose node has failed for good can't finish: it drains the others. */
        if (node_has_failed(&rec->nodes[n]))
            reconcile_stop(rec, RECONCILE_DRAIN);
    }
    for (size_t i = 0; i < rec->dag->node_count; i++)
        decide_node(rec, rec->dag->order[i], now_ms, actions);
    decide_run(rec, actions);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t reconcile_deadline(const struct reconcile *rec)
{
    int64_t next = INT64_MAX;

    for (size_t n = 0; n < rec->dag->node_count; n++) {
        const struct reconcile_node *node = &rec->nodes[n];
        bool waits_for_rest = rec->stop == RECONCILE_DRAIN && node->turn_ms >= 0;
        int64_t drain_ms = rec->dag->nodes[n].stop.drain_ms;

        for (size_t i = 0; i < node->client_count; i++) {
            const struct reconcile_client *c = &node->clients[i];

            next = earlier(next, c->deadline_ms);
            if (c->state == CLIENT_STARTING || c->state == CLIENT_UP) {
                next = earlier(next, c->heard_ms + rec->silence_ms);
                if (waits_for_rest)
                    next = earlier(next, node->turn_ms + drain_ms);
            }
        }
    }
    return next;
}

int reconcile_restarts(const struct reconcile *rec, size_t node, size_t client)
{
    const struct reconcile_client *c = &rec->nodes[node].clients[client];

    return c->starts - c->lives;
}

const char *reconcile_node_state(const struct reconcile *rec, size_t node)
{
    /* The most telling state of its clients: the first of these that one of them has. */
    static const enum client_state telling[] = {
        CLIENT_FAILED,   CLIENT_BACKOFF,     CLIENT_HUNG,   CLIENT_RESTARTING,
        CLIENT_STARTING, CLIENT_UP,          CLIENT_DRAINING, CLIENT_TERMINATING,
        CLIENT_KILLED,   CLIENT_DOWN,        CLIENT_DONE};
    const struct reconcile_node *n = &rec->nodes[node];

    for (size_t t = 0; t < sizeof telling / sizeof *telling; t++) {
        for (size_t i = 0; i < n->client_count; i++) {
            if (n->clients[i].state == telling[t])
                return client_state_name(telling[t]);
        }
    }
    return client_state_name(CLIENT_DOWN);
}
