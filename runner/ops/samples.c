/* SPDX-License-Identifier: MIT */
#include "ops/samples.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT = HISTORY_METRICS, METRICS }; /* WAIT is made of two others */

static const char *const names[] = {
    [HISTORY_IN] = "in_per_s",     [HISTORY_OUT] = "out_per_s",
    [HISTORY_BACKLOG] = "backlog", [HISTORY_P50] = "p50_ms",
    [HISTORY_P99] = "p99_ms",      [HISTORY_CPU] = "cpu_percent",
    [HISTORY_RSS] = "rss_bytes",   [WAIT] = "backlog_s",
};

static json_t *number(const struct history_metric *metric, double value)
{
    /* Seventeen digits of a thousand points would be most of the answer. */
    double rounded = (double)(int64_t)(value + 0.5);

    if (metric->count == 0)
        return json_null();
    return value >= 1000 || rounded == value ? json_integer((json_int_t)rounded)
                                             : json_real(value);
}

/*
 * How long what waits lasts at the rate at which it is worked off: of an edge what is
 * read from it, of anything else what it takes. Unknown while nothing moves.
 */
static struct history_metric wait_of(const struct history_point *point, bool of_edge)
{
    const struct history_metric *backlog = &point->metrics[HISTORY_BACKLOG];
    const struct history_metric *rate =
        &point->metrics[of_edge ? HISTORY_OUT : HISTORY_IN];
    struct history_metric wait = *backlog;

    if (backlog->count == 0 || backlog->max <= 0)
        return wait;
    if (rate->count == 0 || rate->mean <= 0)
        return (struct history_metric){0};
    wait.mean /= rate->mean;
    wait.min /= rate->mean;
    wait.max /= rate->mean;
    return wait;
}

static json_t *metric_json(const struct history_points *points, int kind, bool of_edge)
{
    json_t *mean = json_array();
    json_t *min = json_array();
    json_t *max = json_array();

    for (size_t i = 0; i < points->count; i++) {
        const struct history_point *point = &points->items[i];
        struct history_metric metric =
            kind == WAIT ? wait_of(point, of_edge) : point->metrics[kind];

        (void)json_array_append_new(mean, number(&metric, metric.mean));
        (void)json_array_append_new(min, number(&metric, metric.min));
        (void)json_array_append_new(max, number(&metric, metric.max));
    }
    return json_pack("{s:o,s:o,s:o}", "mean", mean, "min", min, "max", max);
}

static json_t *name_or_null(const char *name)
{
    return name ? json_text(name) : json_null();
}

static json_t *samples_json(const struct ops_samples_query *query, int64_t run,
                            bool live, const struct history_points *points)
{
    json_t *times = json_array();
    json_t *metrics = json_object();

    for (size_t i = 0; i < points->count; i++)
        (void)json_array_append_new(times, json_integer(points->items[i].ts_ms));
    for (int m = 0; m < METRICS; m++) {
        if (query->metric == NULL || strcmp(query->metric, names[m]) == 0)
            (void)json_object_set_new(metrics, names[m],
                                      metric_json(points, m, query->edge != NULL));
    }
    return json_pack("{s:o,s:I,s:o,s:o,s:o,s:b,s:I,s:o,s:o}", "dag",
                     json_text(query->dag), "run", (json_int_t)run, "node",
                     name_or_null(query->node), "client", name_or_null(query->client),
                     "edge", name_or_null(query->edge), "live", live, "step_ms",
                     (json_int_t)points->step_ms, "time_ms", times, "metrics", metrics);
}

static int check(const struct ops_samples_query *query, struct error *err)
{
    if (query->client && query->node == NULL)
        error_set(err, ERROR_INPUT, "a client is named together with its node");
    else if (query->edge && query->node)
        error_set(err, ERROR_INPUT, "either a node or an edge, not both");
    else if (query->points < 0 || query->points == 1 || query->points > OPS_POINTS_MAX)
        error_set(err, ERROR_INPUT, "from 2 to %d points", OPS_POINTS_MAX);
    for (int m = 0; m < METRICS && query->metric && !error_is_set(err); m++) {
        if (strcmp(query->metric, names[m]) == 0)
            return 0;
    }
    if (query->metric && !error_is_set(err)) {
        error_set(err, ERROR_INPUT, "no metric '%s'", query->metric);
        error_near(err, text_nearest(query->metric, names, METRICS));
    }
    return error_is_set(err) ? -1 : 0;
}

static enum history_series series_of(const struct ops_samples_query *query)
{
    if (query->edge)
        return HISTORY_EDGE;
    if (query->client)
        return HISTORY_CLIENT;
    return query->node ? HISTORY_NODE : HISTORY_ALL;
}

static int read_points(const struct ops *ops, const struct ops_samples_query *query,
                       const struct history_run_row *run, struct mem_arena *arena,
                       struct history_points *out, struct error *err)
{
    const char *id = query->edge ? query->edge : query->node ? query->node : "";
    int64_t end_ms = run->ended_ms ? run->ended_ms : clock_wall_ms();
    struct history_sample_query inner = {
        .dag = run->dag,
        .run = run->run,
        .series = series_of(query),
        .id = query->client ? mem_arena_printf(arena, "%s.%s", id, query->client) : id,
        .since_ms =
            query->since_ms > run->started_ms ? query->since_ms : run->started_ms,
        .until_ms =
            query->until_ms && query->until_ms < end_ms ? query->until_ms : end_ms,
        .points = query->points ? query->points : OPS_POINTS_MAX};

    if (!history_has_series(ops_history(ops), run->id, inner.series, inner.id)) {
        error_set(err, ERROR_NOT_FOUND, "%s@%lld has no %s '%s'", run->dag,
                  (long long)run->run,
                  query->edge     ? "edge"
                  : query->client ? "client"
                                  : "node",
                  inner.id);
        return -1;
    }
    return history_points(ops_history(ops), &inner, arena, out, err);
}

json_t *ops_samples_json(const struct ops *ops, const struct ops_samples_query *query,
                         struct error *err)
{
    struct mem_arena arena = {0};
    struct history_run_row run = {0};
    struct history_points points = {0};
    json_t *json = NULL;

    if (check(query, err) != 0)
        return NULL;
    if (ops_find_run(ops, query->dag, query->run, &arena, &run, err) == 0 &&
        read_points(ops, query, &run, &arena, &points, err) == 0)
        json = samples_json(query, run.run, run.ended_ms == 0, &points);
    mem_arena_clear(&arena);
    return json;
}
