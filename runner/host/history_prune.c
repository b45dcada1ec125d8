/* SPDX-License-Identifier: MIT
 *
 * Deleting old runs. What a start resumes from is in tables of its own and stays.
 */
#include "host/history_internal.h"
#include "host/history_read.h"

#include <string.h>

static void read_row(sqlite3_stmt *stmt, struct mem_arena *arena,
                     struct history_run_row *run)
{
    run->id = sqlite3_column_int64(stmt, 0);
    run->dag = history_db_text(stmt, 1, arena);
    run->run = sqlite3_column_int64(stmt, 2);
    run->state = history_db_text(stmt, 3, arena);
    run->started_ms = sqlite3_column_int64(stmt, 4);
}

static int prepare(struct history *history, const char *columns, const char *dag,
                   int64_t before_ms, int keep, sqlite3_stmt **stmt)
{
    char *sql = sqlite3_mprintf(
        "SELECT %s FROM (SELECT id, dag_id, number, state, started_ms,"
        " row_number() OVER (PARTITION BY dag_id ORDER BY number DESC) AS age FROM runs"
        " WHERE ?1 IS NULL OR dag_id = (SELECT id FROM dags WHERE name = ?1)) r"
        " JOIN dags d ON d.id = r.dag_id WHERE age > ?2 AND (?3 = 0 OR started_ms < ?3)"
        " ORDER BY started_ms, r.id",
        columns);
    int code = sql ? sqlite3_prepare_v2(history->db, sql, -1, stmt, NULL) : SQLITE_NOMEM;

    sqlite3_free(sql);
    if (code != SQLITE_OK)
        return code;
    if (dag)
        (void)sqlite3_bind_text(*stmt, 1, dag, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(*stmt, 2, keep);
    (void)sqlite3_bind_int64(*stmt, 3, before_ms);
    return SQLITE_OK;
}

int history_prunable(struct history *history, const char *dag, int64_t before_ms, int keep,
                     struct mem_arena *arena, struct history_run_list *out,
                     struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    size_t capacity = 0;
    int code = prepare(history, "count(*)", dag, before_ms, keep, &stmt);

    *out = (struct history_run_list){0};
    if (code == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        capacity = (size_t)sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    stmt = NULL;
    out->items = mem_arena_alloc(arena, (capacity + 1) * sizeof *out->items);
    if (code == SQLITE_OK)
        code = prepare(history, "r.id, d.name, r.number, r.state, r.started_ms", dag,
                       before_ms, keep, &stmt);
    if (code == SQLITE_OK) {
        while (out->count < capacity && (code = sqlite3_step(stmt)) == SQLITE_ROW)
            read_row(stmt, arena, &out->items[out->count++]);
    }
    (void)sqlite3_finalize(stmt);
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return 0;
    history_db_error(history->db, code, "list old runs", err);
    return -1;
}

int history_delete_run(struct history *history, int64_t id, struct error *err)
{
    char sql[96];
    int code;

    (void)sqlite3_snprintf(sizeof sql, sql,
                           "BEGIN IMMEDIATE; DELETE FROM runs WHERE id = %lld; COMMIT",
                           (long long)id);
    (void)sqlite3_busy_timeout(history->db, HISTORY_WAIT_MS);
    code = history_db_exec(history->db, sql);
    (void)sqlite3_busy_timeout(history->db, 0);
    if (code == SQLITE_OK)
        return 0;
    history_db_error(history->db, code, "delete a run", err);
    if (!sqlite3_get_autocommit(history->db))
        (void)history_db_exec(history->db, "ROLLBACK");
    return -1;
}
