/* SPDX-License-Identifier: MIT
 *
 * run.c - opens a run's parts, takes it step by step, closes it.
 */
#include "run/run.h"

#include "base/clock.h"
#include "run/start.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

enum { BROADCAST_MS = 500 };

void run_fail(struct run *run, enum error_kind kind, const char *format, ...)
{
    char text[sizeof run->failure.text];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    error_set(&run->failure, kind, "%s", text);
}

void run_talk(struct run *run, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (run->options->on_talk)
        run->options->on_talk(run->options->arg, text);
}

void run_event(struct run *run, const char *level, const char *kind, const char *node,
               const char *client, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (run->number > 0)
        history_event(run->history, &(struct history_event){.ts_ms = clock_wall_ms(),
                                                            .node = node,
                                                            .client = client,
                                                            .level = level,
                                                            .kind = kind,
                                                            .text = text});
    run_talk(run, "%s%s%s%s%s", node ? node : "", client ? "." : "", client ? client : "",
             node ? ": " : "", text);
}

/* ---------------------------------------------------------------------------- opening */

/* The children that are not strays: the clients, and those we were born with. */
static pid_t *own_children(const struct run *run, size_t *count)
{
    size_t capacity = run->born_count;
    pid_t *pids = mem_alloc((capacity + 1) * sizeof *pids);

    memcpy(pids, run->born_with, run->born_count * sizeof *pids);
    *count = run->born_count;
    for (size_t n = 0; n < run->dag->node_count; n++) {
        for (size_t c = 0; c < run->nodes[n].client_count; c++) {
            const struct run_client *client = &run->nodes[n].clients[c];

            if (client->process == NULL)
                continue;
            pids = mem_grow(pids, *count, &capacity, sizeof *pids);
            pids[(*count)++] = process_pid(client->process);
        }
    }
    return pids;
}

static void end_strays(struct run *run, bool kill_too)
{
    size_t count;
    pid_t *own = own_children(run, &count);

    if (kill_too)
        (void)process_kill_orphans(own, count);
    (void)process_reap_orphans(own, count);
    free(own);
}

static void on_signal(void *arg, uint32_t events)
{
    struct run *run = arg;
    int signal;

    (void)events;
    while ((signal = signals_next(run->signals)) != 0) {
        if (signal == SIGCHLD) {
            end_strays(run, false);
        } else if (signal == SIGINT && run->rec->stop != RECONCILE_GO_ON) {
            run->interrupted = true;
            run_stop(run, RECONCILE_NOW);
        } else {
            run_stop(run, RECONCILE_DRAIN);
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

    run->edges = mem_alloc((dag->edge_count + 1) * sizeof *run->edges);
    for (size_t e = 0; e < dag->edge_count; e++) {
        run->edges[e].topic = dag->edges[e].topic;
        run->edges[e].group = dag_group(dag, dag->edges[e].to);
    }
}

static int init_nodes(struct run *run, struct error *err)
{
    const struct dag *dag = run->dag;

    run->nodes = mem_alloc(dag->node_count * sizeof *run->nodes);
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
        int e = dag_find_edge(run->dag, run->last.edges[i].edge);

        if (e < 0 || strcmp(run->dag->edges[e].topic, run->last.edges[i].topic) != 0)
            run->gone[run->gone_count++] =
                (struct run_gone){.known = &run->last.edges[i]};
    }
    for (size_t e = 0; e < run->dag->edge_count; e++) {
        for (size_t t = 0; t < run->last.topic_count; t++) {
            if (strcmp(run->last.topics[t].topic, run->edges[e].topic) == 0)
                run->edges[e].created = run->last.topics[t].created;
        }
    }
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
    if (server_open(run, err) < 0)
        return -1;
    return open_broker(run, err);
}

static void free_run(struct run *run)
{
    if (run->broker) {
        loop_remove(run->loop, broker_fd(run->broker));
        broker_close(run->broker);
    }
    for (size_t n = 0; run->nodes && n < run->dag->node_count; n++) {
        struct run_node *node = &run->nodes[n];

        for (size_t c = 0; c < node->client_count; c++)
            client_io_clear(&node->clients[c]);
        free(node->clients);
        free(node->group);
        free(node->dlq);
        free(node->program_path);
        free(node->last_error);
    }
    for (size_t e = 0; e < run->dag->edge_count; e++) {
        free(run->edges[e].topic_id);
        free(run->edges[e].group);
        free(run->edges[e].partitions);
    }
    for (size_t g = 0; g < run->gone_count; g++)
        free(run->gone[g].committed);
    if (run->control)
        control_close(run->control);
    history_close(run->history);
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
        free_run(run);
        return NULL;
    }
    run->broker_was_up = true;
    start_begin(run);
    return run;
}

/* ------------------------------------------------------------------------------ acting */

static void spawn(struct run *run, const struct reconcile_action *action)
{
    struct run_client *client = &run->nodes[action->node].clients[action->client];
    const struct dag_node *node = &run->dag->nodes[action->node];

    if (launch_client(client) == 0)
        return;
    run_event(run, "error", "spawn", node->name, node->clients[action->client], "%s",
              client->last_error);
    free(run->nodes[action->node].last_error);
    run->nodes[action->node].last_error = mem_strdup(client->last_error);
    reconcile_exited(run->rec, action->node, action->client, 127);
}

static void signal_client(struct run *run, const struct reconcile_action *action, int sig)
{
    struct run_client *client = &run->nodes[action->node].clients[action->client];

    if (client->process)
        process_signal(client->process, sig);
}

static void carry_out(struct run *run, const struct reconcile_action *action)
{
    switch (action->kind) {
    case REC_SPAWN:
        spawn(run, action);
        break;
    case REC_DRAIN:
        client_io_drain(&run->nodes[action->node].clients[action->client]);
        break;
    case REC_TERM:
        signal_client(run, action, SIGTERM);
        break;
    case REC_KILL:
        signal_client(run, action, SIGKILL);
        break;
    case REC_ASK_ENDS:
        offsets_ask_ends(run, action->node);
        break;
    case REC_ACCOUNT:
        end_strays(run, true);
        offsets_account(run);
        break;
    case REC_FINISH:
        run->over = true;
        break;
    }
}

/* Deciding may record facts again (a spawn that fails): until nothing is left to do. */
static void reconcile_all(struct run *run)
{
    do {
        reconcile_run(run->rec, clock_mono_ms(), &run->actions);
        for (size_t i = 0; i < run->actions.count; i++)
            carry_out(run, &run->actions.items[i]);
    } while (run->actions.count > 0 && !run->over);
}

static void watch_broker(struct run *run)
{
    bool up = broker_is_up(run->broker);
    const char *why = broker_last_error(run->broker);

    if (up == run->broker_was_up)
        return;
    run->broker_was_up = up;
    if (up)
        run_event(run, "info", "broker", NULL, NULL, "the broker is back");
    else
        run_event(run, "warn", "broker", NULL, NULL,
                  "the broker at %s is away: %s; the run waits for it",
                  run->options->brokers, why ? why : "no answer");
}

static void tick(struct run *run, int64_t now_ms)
{
    if (now_ms >= run->broadcast_ms) {
        run->broadcast_ms = now_ms + BROADCAST_MS;
        server_broadcast(run);
    }
    if (now_ms < run->tick_ms)
        return;
    run->tick_ms = now_ms + RUN_TICK_MS;
    client_io_usage(run, now_ms);
    watch_broker(run);
    record_tick(run);
    if (now_ms >= run->space_ms) {
        run->space_ms = now_ms + RUN_SPACE_MS;
        space_free(run);
    }
}

void run_step(struct run *run)
{
    if (run->failure.kind != ERROR_NONE) {
        run->over = true;
        return;
    }
    if (!run->launched) {
        start_step(run);
        if (run->rec->stop != RECONCILE_GO_ON)
            run_fail(run, ERROR_INTERRUPTED, "interrupted while starting; nothing ran");
        if (!run->launched)
            return;
        run->space_ms = clock_mono_ms() + RUN_SPACE_MS;
    }
    reconcile_all(run);
    offsets_tick(run, clock_mono_ms());
    tick(run, clock_mono_ms());
}

int64_t run_deadline_ms(const struct run *run)
{
    int64_t next = INT64_MAX;
    int64_t others[] = {reconcile_deadline(run->rec), offsets_deadline(run), run->tick_ms};

    if (run->failure.kind != ERROR_NONE)
        return 0;
    if (!run->launched)
        return run->pending > 0 || run->next_step == NULL ? next : run->step_at_ms;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        next = others[i] < next ? others[i] : next;
    if (run->rec->accounted && !run->over)
        return 0;
    return control_subscribers(run->control) > 0 && run->broadcast_ms < next
               ? run->broadcast_ms
               : next;
}

/* -------------------------------------------------------------------------- from outside */

bool run_is_over(const struct run *run)
{
    return run->over;
}

enum run_state run_current_state(const struct run *run)
{
    return run->rec->state;
}

int64_t run_number(const struct run *run)
{
    return run->number;
}

bool run_has_started(const struct run *run)
{
    return run->launched && run->rec->state != RUN_STARTING;
}

void run_stop(struct run *run, enum reconcile_stop stop)
{
    int64_t left = 0;

    if (run->rec->stop == RECONCILE_GO_ON && stop == RECONCILE_DRAIN && run->launched) {
        for (size_t e = 0; e < run->dag->edge_count; e++)
            left += offsets_backlog(&run->edges[e]);
        run_talk(run, "stopping: sources first, then the rest; %lld records are on the way "
                      "(again: end at once, they stay in their topics)",
                 (long long)left);
    }
    reconcile_stop(run->rec, stop);
}

static int exit_code(const struct run *run)
{
    switch (run->rec->state) {
    case RUN_SUCCEEDED:
    case RUN_STOPPED:
        return 0;
    case RUN_INTERRUPTED:
        return 130;
    default:
        return 1;
    }
}

/* The first client that failed for good, in one line; malloc'ed or NULL. */
static char *why_failed(const struct run *run)
{
    for (size_t n = 0; n < run->dag->node_count; n++) {
        const struct dag_node *node = &run->dag->nodes[n];

        for (size_t c = 0; c < node->client_count; c++) {
            const struct reconcile_client *rec = &run->rec->nodes[n].clients[c];
            const struct run_client *client = &run->nodes[n].clients[c];
            const char *error = client->last_error ? client->last_error
                                : client->last_exit ? client->last_exit
                                                    : "could not be started";
            char window[TEXT_NUMBER];

            if (rec->state != CLIENT_FAILED)
                continue;
            if (!rec->limit_reached)
                return mem_printf("%s.%s: %s", node->name, node->clients[c], error);
            text_format_duration(node->restart.window_ms, window);
            return mem_printf("%s.%s failed %d times within %s: %s", node->name,
                              node->clients[c], node->restart.max, window, error);
        }
    }
    return NULL;
}

int run_close(struct run *run, struct error *err)
{
    char *why = why_failed(run);
    int code;

    if (run->failure.kind != ERROR_NONE) {
        *err = run->failure;
        code = error_exit_code(run->failure.kind);
    } else {
        code = run->prepare_only ? 0 : exit_code(run);
    }
    if (run->number > 0) {
        record_end(run, code, run->failure.kind != ERROR_NONE ? run->failure.text : why);
        server_broadcast(run);
    }
    free(why);
    free_run(run);
    return code;
}
