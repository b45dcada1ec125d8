/* SPDX-License-Identifier: MIT
 *
 * Samples out of their rings, a fixed number of points for any span. The rings overlap
 * and a later run of the dag writes over the slots of an earlier one: so each point
 * takes the finest ring that has anything of its time.
 */
#include "host/history_internal.h"
#include "host/history_read.h"

enum { FIRST_METRIC = 2 }; /* column of the query: tier, ts_ms, then the metrics */

static const char samples_sql[] =
    "SELECT tier, ts_ms, in_per_s, out_per_s, backlog, p50_ms, p99_ms, cpu_percent,"
    " rss_bytes FROM samples"
    " WHERE dag_id = (SELECT id FROM dags WHERE name = ?1) AND series = ?2 AND name = "
    "?3"
    " AND run = ?4 AND ts_ms >= ?5 AND ts_ms <= ?6";

/* One value of one point while rows are added. */
static void add_value(struct history_metric *metric, double value)
{
    if (metric->count == 0 || value < metric->min)
        metric->min = value;
    if (metric->count == 0 || value > metric->max)
        metric->max = value;
    metric->mean += (value - metric->mean) / (double)++metric->count;
}

static void add_row(sqlite3_stmt *stmt, struct history_point *point)
{
    int tier = sqlite3_column_int(stmt, 0);

    if (point->is_set && tier > point->tier)
        return;
    if (!point->is_set || tier < point->tier) {
        int64_t ts_ms = point->ts_ms;

        *point = (struct history_point){.ts_ms = ts_ms, .tier = tier, .is_set = true};
    }
    for (int m = 0; m < HISTORY_METRICS; m++) {
        int column = FIRST_METRIC + m;
        double value = sqlite3_column_double(stmt, column);
        bool unknown = sqlite3_column_type(stmt, column) == SQLITE_NULL ||
                       (m == HISTORY_BACKLOG && value < 0);

        if (!unknown)
            add_value(&point->metrics[m], value);
    }
}

static int step_through(sqlite3_stmt *stmt, const struct history_sample_query *query,
                        struct history_points *out)
{
    int code;

    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t ts_ms = sqlite3_column_int64(stmt, 1);

        add_row(stmt, &out->items[(ts_ms - query->since_ms) / out->step_ms]);
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Points without a row are left out. */
static void pack(struct history_points *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < out->count; i++) {
        if (out->items[i].is_set)
            out->items[kept++] = out->items[i];
    }
    out->count = kept;
}

int history_points(struct history *history, const struct history_sample_query *query,
                   struct mem_arena *arena, struct history_points *out,
                   struct error *err)
{
    int64_t span_ms = query->until_ms - query->since_ms + 1;
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(history->db, samples_sql, -1, &stmt, NULL);

    *out = (struct history_points){.step_ms = 1000};
    if (span_ms > query->points * INT64_C(1000))
        out->step_ms = (span_ms + query->points - 1) / query->points;
    out->count =
        span_ms > 0 ? (size_t)((span_ms + out->step_ms - 1) / out->step_ms) : 0;
    out->items = mem_arena_alloc(arena, (out->count + 1) * sizeof *out->items);
    for (size_t i = 0; i < out->count; i++)
        out->items[i] = (struct history_point){.ts_ms = query->since_ms +
                                                        (int64_t)i * out->step_ms};
    if (code == SQLITE_OK) {
        (void)sqlite3_bind_text(stmt, 1, query->dag, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(stmt, 2, (int)query->series);
        (void)sqlite3_bind_text(stmt, 3, query->id, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 4, query->run);
        (void)sqlite3_bind_int64(stmt, 5, query->since_ms);
        (void)sqlite3_bind_int64(stmt, 6, query->until_ms);
        code = step_through(stmt, query, out);
    }
    (void)sqlite3_finalize(stmt);
    if (code != SQLITE_OK) {
        history_db_error(history->db, code, "read", err);
        return -1;
    }
    pack(out);
    return 0;
}

bool history_has_series(struct history *history, int64_t run_id,
                        enum history_series series, const char *id)
{
    static const char *const sql[] = {
        [HISTORY_EDGE] = "SELECT 1 FROM edges WHERE run_id = ?1 AND edge = ?2",
        [HISTORY_NODE] = "SELECT 1 FROM nodes WHERE run_id = ?1 AND node = ?2",
        [HISTORY_CLIENT] = "SELECT 1 FROM attempts WHERE run_id = ?1"
                           " AND node || '.' || client = ?2 LIMIT 1",
        [HISTORY_ALL] = "SELECT ?1 IS NOT NULL AND ?2 = ''",
    };
    sqlite3_stmt *stmt = NULL;
    bool found = false;

    if (sqlite3_prepare_v2(history->db, sql[series], -1, &stmt, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_int64(stmt, 1, run_id);
        (void)sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
        found = sqlite3_step(stmt) == SQLITE_ROW;
    }
    (void)sqlite3_finalize(stmt);
    return found;
}
