/* SPDX-License-Identifier: MIT
 *
 * What a start asks: the few rows that an earlier run left to resume from.
 */
#include "host/history_internal.h"

#include <string.h>

/* One query over a dag's rows; the steps of all of them look alike. */
static int query(struct history *history, const char *sql, const char *dag,
                 sqlite3_stmt **stmt)
{
    int code = sqlite3_prepare_v2(history->db, sql, -1, stmt, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(*stmt, 1, dag, -1, SQLITE_STATIC);
    return code;
}

static const char *text(struct history_last *out, sqlite3_stmt *stmt, int column)
{
    return history_db_text(stmt, column, &out->arena);
}

static int finish(sqlite3_stmt *stmt, int code)
{
    (void)sqlite3_finalize(stmt);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int read_dag(struct history *history, const char *dag, struct history_last *out)
{
    sqlite3_stmt *stmt = NULL;
    int code = query(history,
                     "SELECT d.path, d.broker, r.number, r.state FROM dags d LEFT JOIN runs"
                     " r ON r.dag_id = d.id WHERE d.name = ?1 ORDER BY r.number DESC LIMIT 1",
                     dag, &stmt);

    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        out->path = text(out, stmt, 0);
        out->broker = text(out, stmt, 1);
        out->run = sqlite3_column_int64(stmt, 2);
        out->state = text(out, stmt, 3);
    }
    return finish(stmt, code);
}

/* Arena arrays grow by doubling; the old ones stay until the arena goes. */
static void *grow(struct history_last *out, void *array, size_t count, size_t size)
{
    void *larger;

    if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
        return array;
    larger = mem_arena_alloc(&out->arena, (count ? count * 2 : 8) * size);
    if (count)
        memcpy(larger, array, count * size);
    return larger;
}

enum { PARTITIONS_MAX = 1000000 };

static void read_edge(sqlite3_stmt *stmt, struct history_last *out)
{
    struct history_known_edge *edge;
    int partitions = sqlite3_column_int(stmt, 6);

    out->edges = grow(out, out->edges, out->edge_count, sizeof *out->edges);
    edge = &out->edges[out->edge_count++];
    edge->edge = text(out, stmt, 0);
    edge->from = text(out, stmt, 1);
    edge->to = text(out, stmt, 2);
    edge->topic = text(out, stmt, 3);
    edge->topic_id = text(out, stmt, 4);
    edge->group = text(out, stmt, 5);
    edge->partitions = partitions > 0 && partitions <= PARTITIONS_MAX ? partitions : 0;
    edge->run = sqlite3_column_int64(stmt, 7);
    edge->committed =
        mem_arena_alloc(&out->arena, ((size_t)edge->partitions + 1) * sizeof(int64_t));
    for (int i = 0; i < edge->partitions; i++)
        edge->committed[i] = -1;
}

static int read_edges(struct history *history, const char *dag, struct history_last *out)
{
    sqlite3_stmt *stmt = NULL;
    int code = query(history,
                     "SELECT edge, from_node, to_node, topic, topic_id, consumer_group,"
                     " partitions, run FROM known_edges WHERE dag_id ="
                     " (SELECT id FROM dags WHERE name = ?1) ORDER BY edge",
                     dag, &stmt);

    while (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        read_edge(stmt, out);
        code = SQLITE_OK;
    }
    return finish(stmt, code);
}

static int read_offsets(struct history *history, const char *dag, struct history_last *out)
{
    sqlite3_stmt *stmt = NULL;
    size_t at = 0;
    int code = query(history,
                     "SELECT edge, partition, committed FROM known_offsets WHERE dag_id ="
                     " (SELECT id FROM dags WHERE name = ?1) ORDER BY edge",
                     dag, &stmt);

    while (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *edge = (const char *)sqlite3_column_text(stmt, 0);
        int partition = sqlite3_column_int(stmt, 1);

        /* Both lists are in the order of their edges. */
        while (at < out->edge_count && strcmp(out->edges[at].edge, edge) < 0)
            at++;
        if (at < out->edge_count && strcmp(out->edges[at].edge, edge) == 0 &&
            partition >= 0 && partition < out->edges[at].partitions)
            out->edges[at].committed[partition] = sqlite3_column_int64(stmt, 2);
        code = SQLITE_OK;
    }
    return finish(stmt, code);
}

static int read_sources(struct history *history, const char *dag, struct history_last *out)
{
    sqlite3_stmt *stmt = NULL;
    int code = query(history,
                     "SELECT node, client, consumer_group, hash, position, finished, run"
                     " FROM sources WHERE dag_id = (SELECT id FROM dags WHERE name = ?1)"
                     " ORDER BY node, client",
                     dag, &stmt);

    while (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct history_known_source *source;

        out->sources = grow(out, out->sources, out->source_count, sizeof *out->sources);
        source = &out->sources[out->source_count++];
        source->node = text(out, stmt, 0);
        source->client = text(out, stmt, 1);
        source->group = text(out, stmt, 2);
        source->hash = text(out, stmt, 3);
        source->position = sqlite3_column_int64(stmt, 4);
        source->finished = sqlite3_column_int(stmt, 5) != 0;
        source->run = sqlite3_column_int64(stmt, 6);
        code = SQLITE_OK;
    }
    return finish(stmt, code);
}

static int read_topics(struct history *history, const char *dag, struct history_last *out)
{
    sqlite3_stmt *stmt = NULL;
    int code = query(history,
                     "SELECT topic, topic_id, kind, created FROM topics WHERE dag_id ="
                     " (SELECT id FROM dags WHERE name = ?1) ORDER BY kind, topic",
                     dag, &stmt);

    while (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct history_topic *topic;

        out->topics = grow(out, out->topics, out->topic_count, sizeof *out->topics);
        topic = &out->topics[out->topic_count++];
        topic->topic = text(out, stmt, 0);
        topic->topic_id = text(out, stmt, 1);
        topic->kind = (enum history_topic_kind)sqlite3_column_int(stmt, 2);
        topic->created = sqlite3_column_int(stmt, 3) != 0;
        code = SQLITE_OK;
    }
    return finish(stmt, code);
}

static int read_all(struct history *history, const char *dag, struct history_last *out)
{
    int code = read_dag(history, dag, out);

    if (code == SQLITE_OK)
        code = read_edges(history, dag, out);
    if (code == SQLITE_OK)
        code = read_offsets(history, dag, out);
    if (code == SQLITE_OK)
        code = read_sources(history, dag, out);
    if (code == SQLITE_OK)
        code = read_topics(history, dag, out);
    return code;
}

int history_last_run(struct history *history, const char *dag, struct history_last *out,
                     struct error *err)
{
    int code = read_all(history, dag, out);

    if (history_db_damaged(code) && !history->read_only) {
        history_last_clear(out);
        if (history_recover(history, err) != 0)
            return -1;
        code = read_all(history, dag, out);
    }
    if (code == SQLITE_OK)
        return 0;
    history_last_clear(out);
    history_db_error(history->db, code, "read what the last run left", err);
    return -1;
}

void history_last_clear(struct history_last *last)
{
    mem_arena_clear(&last->arena);
    *last = (struct history_last){0};
}

static int forget(sqlite3 *db, const char *dag, const char *edge)
{
    static const char *const whole[] = {
        "DELETE FROM known_edges WHERE dag_id = (SELECT id FROM dags WHERE name = ?1)",
        "DELETE FROM known_offsets WHERE dag_id = (SELECT id FROM dags WHERE name = ?1)",
        "DELETE FROM sources WHERE dag_id = (SELECT id FROM dags WHERE name = ?1)",
        "DELETE FROM topics WHERE dag_id = (SELECT id FROM dags WHERE name = ?1)",
        "DELETE FROM letter_marks WHERE dag_id = (SELECT id FROM dags WHERE name = ?1)",
        "UPDATE dags SET path = NULL, broker = NULL WHERE name = ?1",
    };
    static const char *const one[] = {
        "DELETE FROM known_edges WHERE edge = ?2 AND dag_id ="
        " (SELECT id FROM dags WHERE name = ?1)",
        "DELETE FROM known_offsets WHERE edge = ?2 AND dag_id ="
        " (SELECT id FROM dags WHERE name = ?1)",
    };
    size_t count = edge ? sizeof one / sizeof *one : sizeof whole / sizeof *whole;
    int code = SQLITE_OK;

    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        sqlite3_stmt *stmt = NULL;

        code = sqlite3_prepare_v2(db, edge ? one[i] : whole[i], -1, &stmt, NULL);
        if (code == SQLITE_OK)
            code = sqlite3_bind_text(stmt, 1, dag, -1, SQLITE_STATIC);
        if (code == SQLITE_OK && edge)
            code = sqlite3_bind_text(stmt, 2, edge, -1, SQLITE_STATIC);
        if (code == SQLITE_OK)
            code = sqlite3_step(stmt);
        (void)sqlite3_finalize(stmt);
        if (code == SQLITE_DONE)
            code = SQLITE_OK;
    }
    return code;
}

int history_forget(struct history *history, const char *dag, const char *edge,
                   struct error *err)
{
    int code;

    (void)sqlite3_busy_timeout(history->db, HISTORY_WAIT_MS);
    code = history_db_exec(history->db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = forget(history->db, dag, edge);
    if (code == SQLITE_OK)
        code = history_db_exec(history->db, "COMMIT");
    if (code != SQLITE_OK) {
        history_db_error(history->db, code, "forget what the last run left", err);
        if (!sqlite3_get_autocommit(history->db))
            (void)history_db_exec(history->db, "ROLLBACK");
    }
    (void)sqlite3_busy_timeout(history->db, 0);
    return code == SQLITE_OK ? 0 : -1;
}
