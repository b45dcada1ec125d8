/* SPDX-License-Identifier: MIT
 *
 * run_open.c - opens a run's parts, and frees them.
 */
#include "base/clock.h"
#include "run/start.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

static void on_signal(void *arg, uint32_t events)
{
    struct run *run = arg;
    int signal;

    (void)events;
    while ((signal = signals_next(run->signals)) != 0) {
        if (signal == SIGCHLD) {
            run_end_strays(run, false);
        } else {
            bool again = signal == SIGINT && run->rec->stop != RECONCILE_GO_ON;

            run_stop(run, again ? RECONCILE_NOW : RECONCILE_DRAIN);
        }
    }
}

static void on_broker(void *arg, uint32_t events)
{
    struct run *run = arg;

    (void)events;
    broker_dispatch(run->broker);
}

static void init_edges(struct run *run)
{
    const struct dag *dag = run->dag;

    run->edges = mem_alloc((dag->edge_count + dag->node_count + 1) * sizeof *run->edges);
    run->edge_count = dag->edge_count;
    for (size_t e = 0; e < dag->edge_count; e++) {
        const struct dag_edge *edge = &dag->edges[e];

        run->edges[e] = (struct run_edge){.id = edge->id,
                                          .from = dag->nodes[edge->from].name,
                                          .to = edge->to,
                                          .topic = edge->topic,
                                          .group = dag_group(dag, edge->to)};
    }
    for (size_t t = run->plan->edge_topic_count; t < run->plan->topic_count; t++) {
        const struct plan_topic *topic = &run->plan->topics[t];
        char *id;

        if (topic->kind != PLAN_RETRY)
            continue;
        id = dag_retry_edge(dag, topic->writer);
        run->edges[run->edge_count++] =
            (struct run_edge){.id = mem_arena_strdup(&run->plan->arena, id),
                              .from = DAG_RETRY_FROM,
                              .to = topic->writer,
                              .topic = topic->name,
                              .group = dag_group(dag, topic->writer)};
        free(id);
    }
}

struct run_edge *run_find_edge(const struct run *run, const char *id)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        if (strcmp(run->edges[e].id, id) == 0)
            return &run->edges[e];
    }
    return NULL;
}

/* The dag's edges are in run->edges before the retry topics, but those of one node need
 * not be in the order of its from:, which the clients are told. */
static void init_inputs(struct run *run)
{
    for (size_t n = 0; n < run->dag->node_count; n++) {
        const struct dag_node *node = &run->dag->nodes[n];
        struct run_node *rn = &run->nodes[n];

        rn->inputs = mem_alloc((node->input_count + 1) * sizeof *rn->inputs);
        for (size_t i = 0; i < node->input_count; i++)
            rn->inputs[rn->input_count++] = &run->edges[node->inputs[i]];
    }
    for (size_t e = run->dag->edge_count; e < run->edge_count; e++) {
        struct run_node *rn = &run->nodes[run->edges[e].to];

        rn->inputs[rn->input_count++] = &run->edges[e];
    }
}

static int init_nodes(struct run *run, struct error *err)
{
    const struct dag *dag = run->dag;

    run->nodes = mem_alloc(dag->node_count * sizeof *run->nodes);
    init_inputs(run);
    client_io_init(run);
    for (size_t n = 0; n < dag->node_count; n++) {
        struct run_node *node = &run->nodes[n];

        node->dlq = dag_dlq_topic(dag, n);
        if (dag->nodes[n].input_count > 0)
            node->group = dag_group(dag, n);
        else
            plan_source_hash(dag, n, node->source_hash);
        node->program_path = run->options->program_path(dag->nodes[n].program, err);
        if (node->program_path == NULL) {
            error_prefix(err, "node %s: ", dag->nodes[n].name);
            return -1;
        }
    }
    return 0;
}

/* Of the last run's edges: those that this dag has no more; and who made which topic. */
static void init_last(struct run *run)
{
    run->gone = mem_alloc((run->last.edge_count + 1) * sizeof *run->gone);
    for (size_t i = 0; i < run->last.edge_count; i++) {
        const struct run_edge *edge = run_find_edge(run, run->last.edges[i].edge);

        if (edge == NULL || strcmp(edge->topic, run->last.edges[i].topic) != 0)
            run->gone[run->gone_count++] =
                (struct run_gone){.known = &run->last.edges[i]};
    }
    for (size_t e = 0; e < run->edge_count; e++) {
        for (size_t t = 0; t < run->last.topic_count; t++) {
            if (strcmp(run->last.topics[t].topic, run->edges[e].topic) == 0)
                run->edges[e].created = run->last.topics[t].created;
        }
    }
}

/* A name that means nothing is a mistake in it. */
static int check_abandoned(const struct run *run, struct error *err)
{
    const struct plan_permits *permits = &run->options->permits;

    for (size_t i = 0; i < permits->abandon_count; i++) {
        bool known = run_find_edge(run, permits->abandon[i]) != NULL;

        for (size_t g = 0; g < run->gone_count && !known; g++)
            known = strcmp(run->gone[g].known->edge, permits->abandon[i]) == 0;
        if (!known) {
            error_set(err, ERROR_INPUT,
                      "--abandon %s: neither dag %s nor its last run has an edge of that "
                      "name",
                      permits->abandon[i], run->dag->name);
            return -1;
        }
    }
    return 0;
}

static int open_broker(struct run *run, struct error *err)
{
    const struct dag_settings *kafka = &run->dag->kafka;
    const char **properties = mem_alloc((kafka->count * 2 + 1) * sizeof *properties);
    struct broker_config config = {.brokers = run->options->brokers,
                                   .properties = properties,
                                   .client_id = "dagrun"};

    for (size_t i = 0; i < kafka->count; i++) {
        properties[i * 2] = kafka->items[i].name;
        properties[i * 2 + 1] = kafka->items[i].value;
    }
    run->broker = broker_open(&config, err);
    free(properties);
    if (run->broker == NULL)
        return -1;
    return loop_add(run->loop, broker_fd(run->broker), EPOLLIN, on_broker, run, err);
}

static int open_state(struct run *run, struct error *err)
{
    char *folder = mem_printf("%s/dags", run->options->home);
    char *lock = mem_printf("%s/%s.lock", folder, run->dag->name);
    char *history = mem_printf("%s/history.db", run->options->home);
    int result = -1;

    if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
        error_set(err, ERROR_INTERNAL, "%s: %s; set DAGRUN_HOME to a folder you can write",
                  folder, strerror(errno));
        goto done;
    }
    run->history = history_open(history, false, err);
    if (run->history == NULL)
        goto done;
    run->lock = lock_take(lock, err);
    if (run->lock == NULL) {
        error_prefix(err, "dag %s runs already: ", run->dag->name);
        goto done;
    }
    result = history_last_run(run->history, run->dag->name, &run->last, err);
done:
    free(folder);
    free(lock);
    free(history);
    return result;
}

static int open_parts(struct run *run, struct error *err)
{
    run->signals = signals_open(err);
    if (run->signals < 0 ||
        loop_add(run->loop, run->signals, EPOLLIN, on_signal, run, err) < 0)
        return -1;
    run->born_count = process_children(NULL, 0);
    run->born_with = mem_alloc((run->born_count + 1) * sizeof *run->born_with);
    (void)process_children(run->born_with, run->born_count);
    if (process_become_subreaper(err) < 0 || init_nodes(run, err) < 0)
        return -1;
    if (open_state(run, err) < 0)
        return -1;
    init_last(run);
    if (check_abandoned(run, err) < 0 || requests_open(run, err) < 0)
        return -1;
    return open_broker(run, err);
}

void run_free(struct run *run)
{
    if (run->broker) {
        loop_remove(run->loop, broker_fd(run->broker));
        broker_close(run->broker);
    }
    for (size_t n = 0; run->nodes && n < run->dag->node_count; n++) {
        struct run_node *node = &run->nodes[n];

        for (size_t c = 0; c < node->client_count; c++)
            client_io_free(node->clients[c]);
        free(node->clients);
        free(node->inputs);
        free(node->group);
        free(node->dlq);
        free(node->program_path);
        free(node->last_error);
    }
    for (size_t e = 0; e < run->edge_count; e++) {
        free(run->edges[e].topic_id);
        free(run->edges[e].group);
        free(run->edges[e].partitions);
    }
    for (size_t g = 0; g < run->gone_count; g++)
        free(run->gone[g].committed);
    /* 'stop' returns when the socket closes: then the next start must find the lock free. */
    history_close(run->history);
    if (run->control)
        control_close(run->control);
    if (run->lock)
        lock_release(run->lock);
    if (run->signals >= 0) {
        loop_remove(run->loop, run->signals);
        signals_close(run->signals);
    }
    history_last_clear(&run->last);
    reconcile_free(run->rec);
    plan_free(run->plan);
    free(run->actions.items);
    free(run->born_with);
    free(run->gone);
    free(run->nodes);
    free(run->edges);
    free(run);
}

struct run *run_open(struct loop *loop, const struct run_options *options,
                     struct error *err)
{
    struct run *run = mem_alloc(sizeof *run);

    run->options = options;
    run->dag = options->dag;
    run->loop = loop;
    run->signals = -1;
    run->prepare_only = options->prepare_only;
    run->started_wall_ms = clock_wall_ms();
    run->plan = plan_build(run->dag);
    run->rec = reconcile_new(run->dag, (uint64_t)run->started_wall_ms);
    init_edges(run);
    if (open_parts(run, err) < 0) {
        run_free(run);
        return NULL;
    }
    run->broker_was_up = true;
    start_begin(run);
    return run;
}
