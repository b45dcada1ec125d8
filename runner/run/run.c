/* SPDX-License-Identifier: MIT
 *
 * run.c - takes a run step by step: reconciles, carries out, ticks; and ends it.
 */
#include "run/run.h"

#include "base/clock.h"
#include "run/start.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

/* The children that are not strays: the clients, and those we were born with. */
static pid_t *own_children(const struct run *run, size_t *count)
{
    size_t capacity = run->born_count;
    pid_t *pids = mem_alloc((capacity + 1) * sizeof *pids);

    memcpy(pids, run->born_with, run->born_count * sizeof *pids);
    *count = run->born_count;
    for (size_t n = 0; n < run->dag->node_count; n++) {
        for (size_t c = 0; c < run->nodes[n].client_count; c++) {
            const struct run_client *client = run->nodes[n].clients[c];

            if (client->process == NULL)
                continue;
            pids = mem_grow(pids, *count, &capacity, sizeof *pids);
            pids[(*count)++] = process_pid(client->process);
        }
    }
    return pids;
}

void run_end_strays(struct run *run, bool kill_too)
{
    size_t count;
    pid_t *own = own_children(run, &count);

    if (kill_too)
        (void)process_kill_orphans(own, count);
    (void)process_reap_orphans(own, count);
    free(own);
}

/* ------------------------------------------------------------------------------ acting */

static void spawn(struct run *run, const struct reconcile_action *action)
{
    struct run_client *client = run->nodes[action->node].clients[action->client];
    const struct dag_node *node = &run->dag->nodes[action->node];

    if (launch_client(client) == 0)
        return;
    run_event(run, "error", "spawn", node->name, client->name, "%s",
              client->last_error);
    client_io_blame(client, client->last_error);
    reconcile_exited(run->rec, action->node, action->client, 127);
}

static void signal_client(struct run *run, const struct reconcile_action *action, int sig)
{
    struct run_client *client = run->nodes[action->node].clients[action->client];

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
        client_io_tell(run->nodes[action->node].clients[action->client], "drain");
        break;
    case REC_LEAVE:
        client_io_tell_leave(run->nodes[action->node].clients[action->client]);
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
        run_end_strays(run, true);
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

static void on_ping(void *arg, const struct broker_reply *reply)
{
    (void)arg;
    (void)reply; /* broker_is_up has seen whether it came */
}

static void watch_broker(struct run *run)
{
    bool up = broker_is_up(run->broker);
    const char *why = broker_last_error(run->broker);

    /* A run at rest asks nothing else, and would never learn that it is back. */
    if (!up && broker_outstanding(run->broker) == 0)
        broker_ping(run->broker, RUN_PING_MS, on_ping, NULL);
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

/* Records wait, and the node neither takes nor finishes one: somebody should look. */
static void watch_node(struct run *run, size_t n, int64_t now_ms)
{
    struct run_node *node = &run->nodes[n];
    const char *name = run->dag->nodes[n].name;
    int64_t progress = node->totals.in + offsets_taken(run, n);
    int64_t backlog = offsets_node_backlog(run, n);
    bool waits = backlog > 0 && !node->paused && broker_is_up(run->broker);

    switch (stall_see(&node->stall, waits, progress, now_ms)) {
    case STALL_BEGINS:
        run_event(run, "warn", "stall", name, NULL,
                  "stands still: %lld record%s and none was taken or finished for %d s",
                  (long long)backlog, backlog == 1 ? " waits" : "s wait",
                  STALL_AFTER_MS / 1000);
        break;
    case STALL_ENDS:
        run_event(run, "info", "stall", name, NULL, "goes on");
        break;
    case STALL_SAME:
        break;
    }
}

static void tick(struct run *run, int64_t now_ms)
{
    if (now_ms >= run->broadcast_ms) {
        run->broadcast_ms = now_ms + BROADCAST_MS;
        requests_broadcast(run);
    }
    if (now_ms < run->tick_ms)
        return;
    run->tick_ms = now_ms + RUN_TICK_MS;
    client_io_usage(run, now_ms);
    for (size_t n = 0; n < run->dag->node_count; n++) {
        offsets_sum(run, n);
        watch_node(run, n, now_ms);
    }
    watch_broker(run);
    record_tick(run);
    if (now_ms >= run->space_ms) {
        run->space_ms = now_ms + RUN_SPACE_MS;
        space_free(run);
    }
}

/* Which topics it made must be known to later runs: those answers are heard first. */
static bool is_interrupted(const struct run *run)
{
    return run->rec->stop == RECONCILE_NOW ||
           (run->rec->stop != RECONCILE_GO_ON && !start_makes_topics(run));
}

void run_step(struct run *run)
{
    if (run->failure.kind != ERROR_NONE) {
        run->over = true;
        return;
    }
    if (!run->launched) {
        if (is_interrupted(run))
            run_fail(run, ERROR_INTERRUPTED, "interrupted while starting; nothing ran");
        else
            start_step(run);
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
    return run->launched && run->rec->state == RUN_RUNNING;
}

void run_stop(struct run *run, enum reconcile_stop stop)
{
    int64_t left = 0;

    if (run->rec->stop == RECONCILE_GO_ON && stop == RECONCILE_DRAIN && run->launched) {
        for (size_t e = 0; e < run->edge_count; e++)
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

        for (size_t c = 0; c < run->nodes[n].client_count; c++) {
            const struct reconcile_client *rec = &run->rec->nodes[n].clients[c];
            const struct run_client *client = run->nodes[n].clients[c];
            const char *error = client->last_error ? client->last_error
                                : client->last_exit ? client->last_exit
                                                    : "could not be started";
            char window[TEXT_NUMBER];

            if (rec->state != CLIENT_FAILED)
                continue;
            if (!rec->limit_reached)
                return mem_printf("%s.%s: %s", node->name, client->name, error);
            text_format_duration(node->restart.window_ms, window);
            return mem_printf("%s.%s failed %d times within %s: %s", node->name,
                              client->name, node->restart.max, window, error);
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
        requests_broadcast(run);
    }
    free(why);
    run_free(run);
    return code;
}
