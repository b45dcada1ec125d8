/* SPDX-License-Identifier: MIT
 *
 * The queue into the file: short transactions, never waiting for another writer except
 * where the caller gives a time; and what happens when that fails.
 */
#include "host/history_internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ?1 is the run's id, ?2 the dag's, ?3 and on the row's values. */
static const struct {
    const char *sql;
    bool needs_run;
} statements[HISTORY_STATEMENTS] = {
    [HISTORY_PUT_DAG] =
        {"INSERT INTO dags(name, path, broker, last_run) VALUES(?3, ?4, ?5, ?6)"
         " ON CONFLICT(name) DO UPDATE SET path = excluded.path,"
         " broker = excluded.broker, last_run = max(last_run, excluded.last_run)"
         " RETURNING id",
         false},
    [HISTORY_PUT_TEXT] = {"INSERT INTO texts(hash, text) VALUES(?3, ?4)"
                          " ON CONFLICT DO NOTHING",
                          false},
    [HISTORY_PUT_RUN] =
        {"INSERT INTO runs(dag_id, number, state, path, broker, hash, host, user, pid,"
         " boot_id, trigger, fresh, started_ms, alive_ms)"
         " VALUES(?2, ?3, 'starting', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)"
         " ON CONFLICT(dag_id, number) DO UPDATE SET state = excluded.state RETURNING id",
         false},
    [HISTORY_PUT_INTERRUPTED] =
        {"UPDATE runs SET state = 'interrupted', ended_ms = alive_ms,"
         " text = 'the runner ended without recording how; found by run ' || ?3"
         " WHERE dag_id = ?2 AND number < ?3 AND state IN (" HISTORY_LIVE_STATES ")",
         false},
    [HISTORY_PUT_INTERRUPTED_NODES] =
        {"UPDATE nodes SET state = 'interrupted' WHERE state NOT IN ('done', 'failed')"
         " AND run_id IN (SELECT id FROM runs WHERE dag_id = ?2 AND number < ?3"
         " AND state IN (" HISTORY_LIVE_STATES "))",
         false},
    [HISTORY_PUT_INTERRUPTED_ATTEMPTS] =
        {"UPDATE attempts SET ended_ms = (SELECT alive_ms FROM runs WHERE id = run_id),"
         " reason = 'its runner ended' WHERE ended_ms IS NULL AND run_id IN"
         " (SELECT id FROM runs WHERE dag_id = ?2 AND number < ?3"
         " AND state IN (" HISTORY_LIVE_STATES "))",
         false},
    [HISTORY_PUT_STATE] = {"UPDATE runs SET state = ?3 WHERE id = ?1", true},
    [HISTORY_PUT_END] = {"UPDATE runs SET state = ?3, exit_code = ?4, text = ?5,"
                         " ended_ms = ?6, alive_ms = ?6 WHERE id = ?1",
                         true},
    [HISTORY_PUT_NODE] =
        {"INSERT INTO nodes(run_id, node, program, consumer_group, state, clients,"
         " restarts, in_count, answered, dropped, dead, out_count, repeats, last_error)"
         " VALUES(?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
         " ON CONFLICT(run_id, node) DO UPDATE SET program = excluded.program,"
         " consumer_group = excluded.consumer_group, state = excluded.state,"
         " clients = excluded.clients, restarts = excluded.restarts,"
         " in_count = excluded.in_count, answered = excluded.answered,"
         " dropped = excluded.dropped, dead = excluded.dead,"
         " out_count = excluded.out_count, repeats = excluded.repeats,"
         " last_error = excluded.last_error",
         true},
    [HISTORY_PUT_ATTEMPT] =
        {"INSERT INTO attempts(run_id, node, client, attempt, pid, started_ms, ended_ms,"
         " exit_code, signal, reason, last_words, log_path, cpu_ms, rss_bytes, in_count,"
         " answered, dropped, dead, out_count, repeats) VALUES(?1, ?3, ?4, ?5, ?6, ?7,"
         " ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)"
         " ON CONFLICT(run_id, node, client, attempt) DO UPDATE SET pid = excluded.pid,"
         " started_ms = excluded.started_ms, ended_ms = excluded.ended_ms,"
         " exit_code = excluded.exit_code, signal = excluded.signal,"
         " reason = excluded.reason, last_words = excluded.last_words,"
         " log_path = excluded.log_path, cpu_ms = excluded.cpu_ms,"
         " rss_bytes = excluded.rss_bytes, in_count = excluded.in_count,"
         " answered = excluded.answered, dropped = excluded.dropped,"
         " dead = excluded.dead, out_count = excluded.out_count,"
         " repeats = excluded.repeats",
         true},
    [HISTORY_PUT_EDGE] =
        {"INSERT INTO edges(run_id, edge, from_node, to_node, topic, topic_id,"
         " consumer_group, partitions) VALUES(?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
         " ON CONFLICT(run_id, edge) DO UPDATE SET topic = excluded.topic,"
         " topic_id = excluded.topic_id, consumer_group = excluded.consumer_group,"
         " partitions = excluded.partitions",
         true},
    [HISTORY_PUT_KNOWN_EDGE] =
        {"INSERT INTO known_edges(dag_id, edge, from_node, to_node, topic, topic_id,"
         " consumer_group, partitions, run) VALUES(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
         " ON CONFLICT(dag_id, edge) DO UPDATE SET from_node = excluded.from_node,"
         " to_node = excluded.to_node, topic = excluded.topic,"
         " topic_id = excluded.topic_id, consumer_group = excluded.consumer_group,"
         " partitions = excluded.partitions, run = excluded.run",
         false},
    [HISTORY_PUT_OFFSETS] =
        {"INSERT INTO run_offsets(run_id, edge, partition, read_start, read_end,"
         " write_start, write_end) VALUES(?1, ?3, ?4, ?5, ?6, ?7, ?8)"
         " ON CONFLICT DO UPDATE SET read_start = excluded.read_start,"
         " read_end = excluded.read_end, write_start = excluded.write_start,"
         " write_end = excluded.write_end",
         true},
    [HISTORY_PUT_KNOWN_OFFSET] =
        {"INSERT INTO known_offsets(dag_id, edge, partition, committed)"
         " VALUES(?2, ?3, ?4, ?5)"
         " ON CONFLICT DO UPDATE SET committed = excluded.committed",
         false},
    [HISTORY_PUT_SOURCE] =
        {"INSERT INTO sources(dag_id, node, client, consumer_group, hash, position,"
         " finished, run) VALUES(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
         " ON CONFLICT DO UPDATE SET consumer_group = excluded.consumer_group,"
         " hash = excluded.hash, position = excluded.position,"
         " finished = excluded.finished, run = excluded.run",
         false},
    [HISTORY_PUT_TOPIC] =
        {"INSERT INTO topics(dag_id, topic, topic_id, kind, created)"
         " VALUES(?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET"
         " topic_id = excluded.topic_id, kind = excluded.kind, created = excluded.created",
         false},
    [HISTORY_PUT_EVENT] =
        {"INSERT INTO events(run_id, ts_ms, node, client, level, kind, text)"
         " VALUES(?1, ?3, ?4, ?5, ?6, ?7, ?8)",
         true},
    [HISTORY_PUT_SAMPLE] =
        {"INSERT OR REPLACE INTO samples(dag_id, series, name, tier, slot, run, ts_ms,"
         " in_per_s, out_per_s, backlog, cpu_percent, rss_bytes, p50_ms, p99_ms)"
         " VALUES(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
         false},
    [HISTORY_PUT_LETTER] =
        {"INSERT INTO dead_letters(run_id, node, topic, partition, \"offset\", failed_at,"
         " reason, ts_ms) VALUES(?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
         true},
    [HISTORY_PUT_AUDIT] =
        {"INSERT INTO audit(ts_ms, who, role, origin, action, dag, target, detail, ok,"
         " text) VALUES(?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
         false},
};

enum { TRANSACTION_MS = 50, CLOCK_EVERY = 128, ALIVE_EVERY_MS = 5000 };

static int prepare(struct history *history, int statement, sqlite3_stmt **stmt)
{
    int code = SQLITE_OK;

    if (history->statements[statement] == NULL)
        code = sqlite3_prepare_v3(history->db, statements[statement].sql, -1,
                                  SQLITE_PREPARE_PERSISTENT,
                                  &history->statements[statement], NULL);
    *stmt = history->statements[statement];
    return code;
}

static void bind(sqlite3_stmt *stmt, int at, const struct history_value *value)
{
    switch (value->type) {
    case HISTORY_INT:
        (void)sqlite3_bind_int64(stmt, at, value->as.number);
        break;
    case HISTORY_REAL:
        (void)sqlite3_bind_double(stmt, at, value->as.real);
        break;
    case HISTORY_TEXT:
        (void)sqlite3_bind_text(stmt, at, value->as.text, -1, SQLITE_STATIC);
        break;
    case HISTORY_NULL:
        (void)sqlite3_bind_null(stmt, at);
        break;
    }
}

static int put(struct history *history, const struct history_row *row)
{
    sqlite3_stmt *stmt;
    int code = prepare(history, row->statement, &stmt);

    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_bind_int64(stmt, 1, history->run_id);
    (void)sqlite3_bind_int64(stmt, 2, history->dag_id);
    for (size_t i = 0; i < row->count; i++)
        bind(stmt, (int)i + 3, &row->values[i]);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW && row->statement == HISTORY_PUT_DAG)
        history->dag_id = sqlite3_column_int64(stmt, 0);
    if (code == SQLITE_ROW && row->statement == HISTORY_PUT_RUN)
        history->run_id = sqlite3_column_int64(stmt, 0);
    if (code == SQLITE_ROW)
        code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A row that the schema refuses would block all others for ever: it is left out. */
static int put_or_skip(struct history *history, const struct history_row *row)
{
    int code;

    if (statements[row->statement].needs_run && history->run_id == 0)
        return SQLITE_OK;
    code = put(history, row);
    if ((code & 0xff) != SQLITE_CONSTRAINT && (code & 0xff) != SQLITE_TOOBIG)
        return code;
    log_write(LOG_WARN, "history", NULL, "a row was refused and left out: %s",
              sqlite3_errmsg(history->db));
    return SQLITE_OK;
}

static int put_alive(struct history *history, int64_t now_ms)
{
    char sql[128];

    if (history->run_id == 0)
        return SQLITE_OK;
    (void)sqlite3_snprintf(sizeof sql, sql,
                           "UPDATE runs SET alive_ms = %lld WHERE id = %lld AND ended_ms"
                           " IS NULL",
                           (long long)now_ms, (long long)history->run_id);
    return history_db_exec(history->db, sql);
}

static int put_rows(struct history *history, size_t *count)
{
    int64_t until_ms = clock_mono_ms() + TRANSACTION_MS;
    const struct history_entry *cursor = NULL;
    const struct history_row *row;
    int code = SQLITE_OK;

    while ((row = history_queue_next(history->queue, &cursor)) != NULL) {
        code = put_or_skip(history, row);
        if (code != SQLITE_OK)
            break;
        (*count)++;
        if (*count % CLOCK_EVERY == 0 && clock_mono_ms() >= until_ms)
            break;
    }
    return code;
}

int history_write(struct history *history, bool *left)
{
    int64_t dag_id = history->dag_id;
    int64_t run_id = history->run_id;
    int64_t now_ms = clock_wall_ms();
    bool alive_due = history->has_run && now_ms - history->alive_ms >= ALIVE_EVERY_MS;
    size_t count = 0;
    int code;

    *left = history_queue_count(history->queue) > 0;
    if (!*left && !alive_due)
        return SQLITE_OK;
    code = history_db_exec(history->db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = put_rows(history, &count);
    if (code == SQLITE_OK)
        code = put_alive(history, now_ms);
    if (code == SQLITE_OK)
        code = history_db_exec(history->db, "COMMIT");
    if (code != SQLITE_OK) {
        if (!sqlite3_get_autocommit(history->db))
            (void)history_db_exec(history->db, "ROLLBACK");
        history->dag_id = dag_id;
        history->run_id = run_id;
        return code;
    }
    history->alive_ms = now_ms;
    history_queue_written(history->queue, count);
    *left = history_queue_count(history->queue) > 0;
    return SQLITE_OK;
}

int history_write_all(struct history *history, int64_t wait_ms)
{
    enum { PAUSE_US = 5000 };
    int64_t until_ms = clock_mono_ms() + wait_ms;
    bool left = true;
    int code = SQLITE_OK;

    while (left) {
        code = history_write(history, &left);
        if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
            break;
        if (clock_mono_ms() >= until_ms)
            break;
        if (code != SQLITE_OK)
            (void)usleep(PAUSE_US);
    }
    return code;
}

void history_disconnect(struct history *history)
{
    for (int i = 0; i < HISTORY_STATEMENTS; i++) {
        (void)sqlite3_finalize(history->statements[i]);
        history->statements[i] = NULL;
    }
    (void)sqlite3_close(history->db);
    history->db = NULL;
}

int history_recover(struct history *history, struct error *err)
{
    history_disconnect(history);
    history->dag_id = 0;
    history->run_id = 0;
    if (history_db_set_aside(history->path, err) != 0)
        return -1;
    history->db = history_db_open(history->path, false, err);
    if (history->db == NULL)
        return -1;
    history_queue_again(history->queue);
    return 0;
}
