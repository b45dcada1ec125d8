/* SPDX-License-Identifier: MIT
 *
 * sim_reconcile.c - the whole runner without processes, broker and clock: seeded random
 * graphs, exits, crashes, silence, scaling, stops and clock steps drive reconcile_run().
 * After every event it is checked that no client has two processes, that an action fits its
 * state, that deciding twice changes nothing, and that every run ends.
 * SIM_SEED=n repeats one schedule.
 */
#include "base/contract.h"
#include "core/reconcile.h"
#include "support/suite.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NODES_MAX = 8,
    CLIENTS_MAX = 3,
    SCALED_MAX = 6,
    RUNS = 1000,
    EVENTS_AT_LEAST = 1000000
};

/* A process as the simulated machine has it. */
struct process {
    bool alive;
    bool told;  /* drain or TERM arrived */
    bool stubborn; /* ignores both */
    bool mute;  /* never says anything again */
};

struct sim {
    uint64_t seed;
    uint64_t random;
    struct dag dag;
    struct dag_node nodes[NODES_MAX];
    struct dag_edge edges[NODES_MAX * NODES_MAX];
    size_t edge_lists[NODES_MAX][2][NODES_MAX];
    size_t order[NODES_MAX];
    struct process processes[NODES_MAX][SCALED_MAX];
    struct reconcile *rec;
    struct reconcile_actions actions;
    int64_t now_ms;
    bool finished;
    bool ends_asked[NODES_MAX];
    long events;
};

/* Not ck_assert: that notes every passed check, and here are tens of millions. */
static void must(const struct sim *sim, bool ok, const char *what)
{
    if (!ok)
        ck_abort_msg("seed %" PRIu64 ", event %ld: %s", sim->seed, sim->events, what);
}

static uint64_t roll(struct sim *sim, uint64_t sides)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 7;
    sim->random ^= sim->random << 17;
    return sim->random % sides;
}

static void add_edge(struct sim *sim, size_t from, size_t to)
{
    struct dag_node *writer = &sim->nodes[from];
    struct dag_node *reader = &sim->nodes[to];
    size_t edge = sim->dag.edge_count++;

    sim->edges[edge].from = from;
    sim->edges[edge].to = to;
    sim->edge_lists[from][1][writer->output_count++] = edge;
    sim->edge_lists[to][0][reader->input_count++] = edge;
}

/* Nodes are in topological order: every node reads from some earlier ones, or none. */
static void make_dag(struct sim *sim)
{
    sim->dag.node_count = 1 + roll(sim, NODES_MAX);
    sim->dag.nodes = sim->nodes;
    sim->dag.edges = sim->edges;
    sim->dag.order = sim->order;
    for (size_t n = 0; n < sim->dag.node_count; n++) {
        struct dag_node *node = &sim->nodes[n];

        sim->order[n] = n;
        node->client_count = 1 + roll(sim, CLIENTS_MAX);
        node->inputs = sim->edge_lists[n][0];
        node->outputs = sim->edge_lists[n][1];
        node->stop = (struct dag_stop_policy){.grace_ms = 1000, .drain_ms = 5000};
        node->restart = (struct dag_restart_policy){
            .when = (enum dag_restart)(roll(sim, 8) ? 0 : roll(sim, 3)),
            .max = 5 + (int)roll(sim, 200),
            .window_ms = 60000,
            .backoff_ms = 100,
            .backoff_max_ms = 30000};
        for (size_t from = 0; from < n; from++) {
            if (roll(sim, 3) == 0)
                add_edge(sim, from, n);
        }
    }
}

static void carry_out(struct sim *sim, const struct reconcile_action *action)
{
    struct process *p = &sim->processes[action->node][action->client];
    bool too_many = action->client >= sim->rec->nodes[action->node].wanted;

    switch (action->kind) {
    case REC_SPAWN:
        must(sim, !p->alive, "a second process for one client id");
        must(sim, !too_many, "spawned although it was scaled away");
        must(sim, sim->rec->stop != RECONCILE_NOW, "spawned while stopping at once");
        *p = (struct process){
            .alive = true, .stubborn = roll(sim, 10) == 0, .mute = roll(sim, 40) == 0};
        break;
    case REC_LEAVE:
        must(sim, too_many, "told to leave although it is wanted");
        /* fall through */
    case REC_DRAIN:
    case REC_TERM:
        must(sim,
             p->alive || sim->rec->nodes[action->node].clients[action->client].fact !=
                             CLIENT_NOTHING,
             "told a process that is not there");
        p->told = true;
        break;
    case REC_KILL:
        p->stubborn = false;
        p->mute = false;
        if (p->alive) {
            p->alive = false;
            reconcile_exited(sim->rec, action->node, action->client, 128 + 9);
        }
        break;
    case REC_ASK_ENDS:
        must(sim, !sim->ends_asked[action->node], "asked for the ends twice");
        sim->ends_asked[action->node] = true;
        for (size_t i = 0; i < sim->nodes[action->node].input_count; i++) {
            size_t from = sim->edges[sim->nodes[action->node].inputs[i]].from;

            for (size_t c = 0; c < sim->rec->nodes[from].client_count; c++)
                must(sim, !sim->processes[from][c].alive,
                     "asked for the ends while a writer lives");
        }
        break;
    case REC_ACCOUNT:
        must(sim, !sim->rec->accounted, "counted twice");
        sim->rec->accounted = true;
        break;
    case REC_FINISH:
        sim->finished = true;
        break;
    }
}

static void check_state(const struct sim *sim)
{
    for (size_t n = 0; n < sim->dag.node_count; n++) {
        for (size_t c = 0; c < sim->rec->nodes[n].client_count; c++) {
            const struct reconcile_client *client = &sim->rec->nodes[n].clients[c];

            must(sim, client->state < CLIENT_STATES, "an illegal state");
            must(sim, !sim->processes[n][c].alive || client_has_process(client->state),
                 "a process lives in a state without one");
            must(sim, client->state != CLIENT_BACKOFF || client->deadline_ms != INT64_MAX,
                 "a back-off without an end");
            must(sim, !sim->finished || !sim->processes[n][c].alive,
                 "an orphan after the end");
        }
    }
}

/* A run that is running has had every client up, none of them in a crash loop. */
static void check_start(const struct sim *sim, enum run_state before)
{
    if (before != RUN_STARTING || sim->rec->state != RUN_RUNNING)
        return;
    for (size_t n = 0; n < sim->dag.node_count; n++) {
        for (size_t c = 0; c < sim->rec->nodes[n].client_count; c++) {
            enum client_state state = sim->rec->nodes[n].clients[c].state;

            must(sim, state != CLIENT_DOWN && state != CLIENT_STARTING &&
                          state != CLIENT_BACKOFF && state != CLIENT_FAILED,
                 "running although a client never came up");
        }
    }
}

/* While nothing ends a node, it has as many clients as are wanted, or they are on their
 * way: none rests that is to run, and none runs untold that is too many. */
static void check_scale(const struct sim *sim)
{
    for (size_t n = 0; n < sim->dag.node_count; n++) {
        const struct reconcile_node *node = &sim->rec->nodes[n];

        for (size_t c = 0; c < node->client_count; c++) {
            enum client_state state = node->clients[c].state;

            must(sim, c < node->wanted || (state != CLIENT_UP && state != CLIENT_STARTING &&
                                           state != CLIENT_BACKOFF),
                 "goes on although it was scaled away");
            must(sim,
                 c >= node->wanted || sim->rec->stop != RECONCILE_GO_ON || node->reached ||
                     sim->nodes[n].input_count == 0 || state != CLIENT_DONE ||
                     node->clients[c].fact != CLIENT_NOTHING,
                 "rests although it is wanted");
        }
    }
}

static void decide(struct sim *sim)
{
    enum run_state before = sim->rec->state;
    size_t count;

    reconcile_run(sim->rec, sim->now_ms, &sim->actions);
    check_start(sim, before);
    count = sim->actions.count;
    for (size_t i = 0; i < count; i++) {
        struct reconcile_action action = sim->actions.items[i];

        carry_out(sim, &action);
    }
    check_state(sim);
    check_scale(sim);
    sim->events++;
}

/* With nothing new, deciding again must list nothing. */
static void check_idempotent(struct sim *sim)
{
    bool has_fact = false;

    for (size_t n = 0; n < sim->dag.node_count; n++) {
        for (size_t c = 0; c < sim->rec->nodes[n].client_count; c++)
            has_fact = has_fact || sim->rec->nodes[n].clients[c].restart_asked ||
                       sim->rec->nodes[n].clients[c].fact != CLIENT_NOTHING;
    }
    if (has_fact || sim->rec->accounted)
        return;
    reconcile_run(sim->rec, sim->now_ms, &sim->actions);
    must(sim, sim->actions.count == 0, "deciding twice listed an action twice");
}

static void end_process(struct sim *sim, size_t n, size_t c, int exit_code)
{
    sim->processes[n][c].alive = false;
    reconcile_exited(sim->rec, n, c, exit_code);
}

static int random_failure(struct sim *sim)
{
    static const int codes[] = {1, 128 + 9, 128 + 11, 0, 3};

    if (roll(sim, 300) == 0)
        return CONTRACT_EXIT_STAY_DOWN;
    return codes[roll(sim, sizeof codes / sizeof *codes)];
}

/* Something happens to one process. */
static void disturb(struct sim *sim, size_t n, size_t c)
{
    struct process *p = &sim->processes[n][c];
    bool source = sim->nodes[n].input_count == 0;

    if (!p->alive)
        return;
    if (!p->mute)
        reconcile_heard(sim->rec, n, c, sim->now_ms);
    if (p->told && !p->stubborn && !p->mute)
        end_process(sim, n, c, roll(sim, 10) ? 0 : random_failure(sim));
    else if (roll(sim, 25) == 0)
        end_process(sim, n, c, random_failure(sim));
    else if (source && roll(sim, 30) == 0)
        end_process(sim, n, c, 0);
    else if (!p->mute)
        reconcile_ready(sim->rec, n, c);
}

static void progress(struct sim *sim, size_t n)
{
    if (!sim->ends_asked[n])
        return;
    if (roll(sim, 2))
        sim->rec->nodes[n].ends_known = true;
    else if (sim->rec->nodes[n].ends_known && roll(sim, 3) == 0)
        sim->rec->nodes[n].reached = true;
}

static void one_event(struct sim *sim)
{
    size_t n = roll(sim, sim->dag.node_count);
    int64_t deadline = reconcile_deadline(sim->rec);

    switch (roll(sim, 6)) {
    case 0:
        progress(sim, n);
        break;
    case 1: /* to the next deadline, as the sleeping runner does */
        if (deadline != INT64_MAX && deadline > sim->now_ms)
            sim->now_ms = deadline;
        break;
    case 2:
        sim->now_ms += (int64_t)roll(sim, 200);
        break;
    case 3:
        if (roll(sim, 400) == 0)
            reconcile_stop(sim->rec, RECONCILE_DRAIN);
        else if (roll(sim, 4000) == 0)
            reconcile_stop(sim->rec, RECONCILE_NOW);
        else if (roll(sim, 1000) == 0)
            sim->now_ms += 3600 * 1000; /* the machine slept */
        else if (roll(sim, 100) == 0)
            reconcile_pause(sim->rec, n, roll(sim, 3) == 0);
        else if (roll(sim, 100) == 0)
            reconcile_restart(sim->rec, n, roll(sim, sim->rec->nodes[n].client_count));
        else if (sim->nodes[n].input_count > 0 && roll(sim, 20) == 0)
            reconcile_scale(sim->rec, n, 1 + roll(sim, SCALED_MAX));
        break;
    default:
        disturb(sim, n, roll(sim, sim->rec->nodes[n].client_count));
        break;
    }
}

static long run_schedule(uint64_t seed)
{
    struct sim *sim = mem_alloc(sizeof *sim);
    long left = 20000;
    long events;

    sim->seed = seed;
    sim->random = seed * 0x9e3779b97f4a7c15ULL + 1;
    make_dag(sim);
    sim->rec = reconcile_new(&sim->dag, seed);
    while (!sim->finished && left-- > 0) {
        if (left == 10000)
            reconcile_stop(sim->rec, RECONCILE_DRAIN);
        decide(sim);
        check_idempotent(sim);
        one_event(sim);
    }
    must(sim, sim->finished, "the run never ends");
    must(sim, run_state_is_over(sim->rec->state), "finished in a state that goes on");
    events = sim->events;
    free(sim->actions.items);
    reconcile_free(sim->rec);
    free(sim);
    return events;
}

START_TEST(every_schedule_keeps_the_rules_and_ends)
{
    const char *only = getenv("SIM_SEED");
    long events = 0;

    if (only) {
        (void)run_schedule(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= RUNS || events < EVENTS_AT_LEAST; seed++)
        events += run_schedule(seed);
    (void)printf("%ld events\n", events);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_reconcile");
    TCase *tcase = tcase_create("sim");

    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, every_schedule_keeps_the_rules_and_ends);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
