/* SPDX-License-Identifier: MIT
 *
 * Runs of the history, with the states that are true now.
 */
#include "ops/ops.h"

#include "base/text.h"
#include "core/dag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const live_states[] = {"starting", "running", "draining"};
enum { LIVE_STATES = sizeof live_states / sizeof *live_states };

/* A run that is recorded as live is so only while its lock is held, and only the last. */
static bool row_is_live(const struct ops *ops, const struct history_run_row *run)
{
    struct mem_arena arena = {0};
    struct history_run_row last;
    struct error err = {0};
    bool live;

    if (!ops_state_is_live(run->state) || !ops_is_live(ops, run->dag))
        return false;
    live = history_find_run(ops_history(ops), run->dag, 0, &arena, &last, &err) == 0 &&
           last.run == run->run;
    mem_arena_clear(&arena);
    return live;
}

static void set_interrupted(struct history_run_row *run)
{
    run->state = "interrupted";
    run->text = "the runner ended without recording how";
    run->ended_ms = run->alive_ms;
}

static int read_cursor(const char *after, struct history_filter *filter, struct error *err)
{
    char end;

    if (after == NULL)
        return 0;
    if (sscanf(after, "%" SCNd64 ".%" SCNd64 "%c", &filter->before_ms, &filter->before_id,
               &end) == 2)
        return 0;
    error_set(err, ERROR_INPUT, "'%s' is not the cursor of a page", after);
    return -1;
}

/* What is asked of the file: "interrupted" may still be recorded as live. */
static void set_states(const char *state, struct history_filter *filter)
{
    if (state == NULL)
        return;
    filter->states[filter->state_count++] = state;
    for (size_t i = 0; i < LIVE_STATES && strcmp(state, "interrupted") == 0; i++)
        filter->states[filter->state_count++] = live_states[i];
}

static int check_filter(const struct ops_filter *filter, struct error *err)
{
    static const char *const states[] = {"starting",    "running", "draining",
                                         "succeeded",   "degraded", "failed",
                                         "stopped",     "interrupted"};
    enum { STATES = sizeof states / sizeof *states };
    const char *near;

    for (size_t i = 0; filter->state && i < STATES; i++) {
        if (strcmp(filter->state, states[i]) == 0)
            return 0;
    }
    if (filter->state == NULL)
        return 0;
    near = text_nearest(filter->state, states, STATES);
    error_set(err, ERROR_INPUT,
              "no run state '%s'%s%s%s: starting, running, draining, succeeded, degraded, "
              "failed, stopped or interrupted",
              filter->state, near ? " (did you mean '" : "", near ? near : "",
              near ? "'?)" : "");
    return -1;
}

/* Put the true states in, and take out what the filter did not ask for. */
static void correct(const struct ops *ops, const char *state, struct history_run_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct history_run_row *run = &list->items[i];

        if (ops_state_is_live(run->state) && !row_is_live(ops, run))
            set_interrupted(run);
        if (state == NULL || strcmp(run->state, state) == 0)
            list->items[kept++] = *run;
    }
    list->count = kept;
}

int ops_runs(const struct ops *ops, const struct ops_filter *filter, struct ops_runs *out,
             struct error *err)
{
    struct history_filter inner = {
        .dag = filter->dag, .since_ms = filter->since_ms, .limit = filter->limit};

    if (check_filter(filter, err) != 0 || read_cursor(filter->after, &inner, err) != 0)
        return -1;
    if (ops_history(ops) == NULL)
        return 0;
    set_states(filter->state, &inner);
    if (history_runs(ops_history(ops), &inner, &out->arena, &out->list, err) != 0)
        return -1;
    if (out->list.count == (size_t)filter->limit) {
        const struct history_run_row *last = &out->list.items[out->list.count - 1];

        (void)snprintf(out->cursor, sizeof out->cursor, "%" PRId64 ".%" PRId64,
                       last->started_ms, last->id);
    }
    correct(ops, filter->state, &out->list);
    return 0;
}

void ops_runs_clear(struct ops_runs *runs)
{
    mem_arena_clear(&runs->arena);
    *runs = (struct ops_runs){0};
}

static void correct_details(struct history_details *details)
{
    set_interrupted(&details->run);
    for (size_t i = 0; i < details->node_count; i++) {
        struct history_node *node = &details->nodes[i];

        if (strcmp(node->state, "done") != 0 && strcmp(node->state, "failed") != 0)
            node->state = "interrupted";
    }
    for (size_t i = 0; i < details->attempt_count; i++) {
        struct history_attempt *attempt = &details->attempts[i];

        if (attempt->ended_ms != 0)
            continue;
        attempt->ended_ms = details->run.alive_ms;
        attempt->reason = "its runner ended";
    }
}

static bool was_written(const struct history_details *details, const char *edge)
{
    for (size_t i = 0; i < details->offsets_count; i++) {
        if (strcmp(details->offsets[i].edge, edge) == 0 &&
            details->offsets[i].write_end > 0)
            return true;
    }
    return false;
}

/* Retry topics stand among the edges, but only where something was ever sent again. */
static void hide_unused_retries(struct history_details *details)
{
    size_t kept = 0;

    for (size_t i = 0; i < details->edge_count; i++) {
        const struct history_edge *edge = &details->edges[i];

        if (strcmp(edge->from, DAG_RETRY_FROM) != 0 || was_written(details, edge->edge))
            details->edges[kept++] = *edge;
    }
    details->edge_count = kept;
}

int ops_find_run(const struct ops *ops, const char *dag, int64_t run,
                 struct mem_arena *arena, struct history_run_row *out, struct error *err)
{
    if (ops_history(ops) == NULL) {
        error_set(err, ERROR_NOT_FOUND, "no run of '%s' is known", dag);
        return -1;
    }
    if (history_find_run(ops_history(ops), dag, run, arena, out, err) != 0)
        return -1;
    if (ops_state_is_live(out->state) && !row_is_live(ops, out))
        set_interrupted(out);
    return 0;
}

int ops_run(const struct ops *ops, const char *dag, int64_t run, struct ops_run *out,
            struct error *err)
{
    if (ops_history(ops) == NULL) {
        error_set(err, ERROR_NOT_FOUND, "no run of '%s' is known", dag);
        return -1;
    }
    if (history_details(ops_history(ops), dag, run, &out->arena, &out->details, err) != 0)
        return -1;
    hide_unused_retries(&out->details);
    out->live = row_is_live(ops, &out->details.run);
    if (ops_state_is_live(out->details.run.state) && !out->live)
        correct_details(&out->details);
    return 0;
}

void ops_run_clear(struct ops_run *run)
{
    mem_arena_clear(&run->arena);
    *run = (struct ops_run){0};
}

bool ops_node_is_sound(const struct history_node *node)
{
    const struct history_totals *t = &node->totals;

    return node->group == NULL || t->in == t->answered + t->dropped + t->dead;
}
