/* SPDX-License-Identifier: MIT
 *
 * samples.h - what flowed, waited and was used over a run, as points of a chart.
 * Layer: ops. The object is that of `dagrun show --samples --json` and of the API.
 */
#ifndef OPS_SAMPLES_H
#define OPS_SAMPLES_H

#include "ops/ops.h"

enum { OPS_POINTS_MAX = 500 };

struct ops_samples_query {
    const char *dag;
    int64_t run;      /* 0: the last */
    const char *node; /* node, or node and client, or edge; all NULL: the whole run */
    const char *client;
    const char *edge;
    const char *metric; /* of those below; NULL: all */
    int64_t since_ms;   /* 0: the begin of the run */
    int64_t until_ms;   /* 0: its end, or now */
    int points;         /* at most; 0: OPS_POINTS_MAX */
};

/*
 * {"dag", "run", "node", "client", "edge", "live", "step_ms", "time_ms": [...],
 * "metrics":
 * {"in_per_s": {"mean": [...], "min": [...], "max": [...]}, ...}}; null where nothing
 * is known. Metrics: in_per_s, out_per_s, backlog (records), backlog_s (seconds),
 * p50_ms, p99_ms, cpu_percent, rss_bytes. Errors: ERROR_INPUT, ERROR_NOT_FOUND.
 */
json_t *ops_samples_json(const struct ops *ops, const struct ops_samples_query *query,
                         struct error *err);

#endif
