/* SPDX-License-Identifier: MIT */
#include "host/history_read.h"

#include "base/text.h"
#include "host/history_internal.h"

#include <stdlib.h>
#include <string.h>

#define RUN_COLUMNS                                                                        \
    "r.id, d.name, r.number, r.state, r.path, r.broker, r.hash, r.host, r.user,"           \
    " r.trigger, r.fresh, r.pid, r.started_ms, r.alive_ms, r.ended_ms, r.exit_code,"       \
    " r.text, (SELECT sum(dead) FROM nodes WHERE run_id = r.id)"

/* What a query's rows are read into: a list that grows in the arena. */
struct reader {
    struct mem_arena *arena;
    sqlite3_stmt *stmt;
    void *items;
    size_t count;
    size_t size;
};

typedef void read_fn(const struct reader *reader, void *item);

static const char *text(const struct reader *reader, int column)
{
    return history_db_text(reader->stmt, column, reader->arena);
}

/* Columns that may be NULL where a plain sort or comparison needs a string. */
static const char *word(const struct reader *reader, int column)
{
    const char *value = text(reader, column);

    return value ? value : "";
}

static int64_t integer(const struct reader *reader, int column)
{
    return sqlite3_column_int64(reader->stmt, column);
}

static int small(const struct reader *reader, int column)
{
    return sqlite3_column_int(reader->stmt, column);
}

static void *new_item(struct reader *reader)
{
    if (reader->count == 0 ||
        (reader->count >= 16 && (reader->count & (reader->count - 1)) == 0)) {
        size_t capacity = reader->count ? reader->count * 2 : 16;
        void *larger = mem_arena_alloc(reader->arena, capacity * reader->size);

        if (reader->count)
            memcpy(larger, reader->items, reader->count * reader->size);
        reader->items = larger;
    }
    return (char *)reader->items + reader->count++ * reader->size;
}

/* Step through the prepared statement and release it. */
static int read_rows(struct reader *reader, read_fn *fn)
{
    int code;

    while ((code = sqlite3_step(reader->stmt)) == SQLITE_ROW)
        fn(reader, new_item(reader));
    (void)sqlite3_finalize(reader->stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int fail(struct history *history, int code, struct error *err)
{
    history_db_error(history->db, code, "read", err);
    return -1;
}

static void read_run(const struct reader *reader, void *item)
{
    struct history_run_row *run = item;

    run->id = integer(reader, 0);
    run->dag = word(reader, 1);
    run->run = integer(reader, 2);
    run->state = word(reader, 3);
    run->path = text(reader, 4);
    run->broker = text(reader, 5);
    run->hash = text(reader, 6);
    run->host = text(reader, 7);
    run->user = text(reader, 8);
    run->trigger = text(reader, 9);
    run->fresh = small(reader, 10) != 0;
    run->pid = integer(reader, 11);
    run->started_ms = integer(reader, 12);
    run->alive_ms = integer(reader, 13);
    run->ended_ms = integer(reader, 14);
    run->exit_code =
        sqlite3_column_type(reader->stmt, 15) == SQLITE_NULL ? -1 : small(reader, 15);
    run->text = text(reader, 16);
    run->dead = integer(reader, 17);
}

/* ------------------------------------------------------------------------ run lists */

/*
 * One query per filter would be many; one with "?1 IS NULL OR" would use no index. So the
 * text is put together from fixed parts. Several states are a union of single ones, each
 * of which walks its index from the newest and stops at the limit.
 */
static void append_arm(struct text_buf *sql, const struct history_filter *filter, size_t at)
{
    text_append(sql, "SELECT id FROM (SELECT id FROM runs WHERE");
    if (filter->dag)
        text_append(sql, " dag_id = (SELECT id FROM dags WHERE name = ?1) AND");
    if (filter->state_count > 0)
        text_appendf(sql, " state = ?%zu AND", at + 6);
    text_append(sql, " (started_ms, id) < (?2, ?3) AND started_ms >= ?4"
                     " ORDER BY started_ms DESC, id DESC LIMIT ?5)");
}

char *history_list_sql(const struct history_filter *filter)
{
    struct text_buf sql = {0};

    text_append(&sql, "SELECT " RUN_COLUMNS " FROM runs r JOIN dags d ON d.id = r.dag_id"
                      " WHERE r.id IN (");
    append_arm(&sql, filter, 0);
    for (size_t i = 1; i < filter->state_count; i++) {
        text_append(&sql, " UNION ALL ");
        append_arm(&sql, filter, i);
    }
    text_append(&sql, ") ORDER BY r.started_ms DESC, r.id DESC LIMIT ?5");
    return text_take(&sql);
}

static void bind_filter(sqlite3_stmt *stmt, const struct history_filter *filter)
{
    bool first_page = filter->before_ms == 0 && filter->before_id == 0;

    if (filter->dag)
        (void)sqlite3_bind_text(stmt, 1, filter->dag, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, first_page ? INT64_MAX : filter->before_ms);
    (void)sqlite3_bind_int64(stmt, 3, first_page ? INT64_MAX : filter->before_id);
    (void)sqlite3_bind_int64(stmt, 4, filter->since_ms);
    (void)sqlite3_bind_int(stmt, 5, filter->limit);
    for (size_t i = 0; i < filter->state_count; i++)
        (void)sqlite3_bind_text(stmt, (int)i + 6, filter->states[i], -1, SQLITE_STATIC);
}

int history_runs(struct history *history, const struct history_filter *filter,
                 struct mem_arena *arena, struct history_run_list *out, struct error *err)
{
    struct reader reader = {.arena = arena, .size = sizeof *out->items};
    char *sql = history_list_sql(filter);
    int code = sqlite3_prepare_v2(history->db, sql, -1, &reader.stmt, NULL);

    free(sql);
    if (code == SQLITE_OK) {
        bind_filter(reader.stmt, filter);
        code = read_rows(&reader, read_run);
    }
    out->items = reader.items;
    out->count = reader.count;
    return code == SQLITE_OK ? 0 : fail(history, code, err);
}

int history_find_run(struct history *history, const char *dag, int64_t run,
                     struct mem_arena *arena, struct history_run_row *out,
                     struct error *err)
{
    struct reader reader = {.arena = arena, .size = sizeof *out};
    int code = sqlite3_prepare_v2(history->db,
                                  "SELECT " RUN_COLUMNS
                                  " FROM runs r JOIN dags d ON d.id = r.dag_id"
                                  " WHERE d.name = ?1 AND (?2 = 0 OR r.number = ?2)"
                                  " ORDER BY r.number DESC LIMIT 1",
                                  -1, &reader.stmt, NULL);

    if (code == SQLITE_OK) {
        (void)sqlite3_bind_text(reader.stmt, 1, dag, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(reader.stmt, 2, run);
        code = read_rows(&reader, read_run);
    }
    if (code != SQLITE_OK)
        return fail(history, code, err);
    if (reader.count == 0) {
        if (run == 0)
            error_set(err, ERROR_NOT_FOUND, "no run of '%s' is known", dag);
        else
            error_set(err, ERROR_NOT_FOUND, "no run %s@%lld is known", dag, (long long)run);
        return -1;
    }
    *out = *(struct history_run_row *)reader.items;
    return 0;
}

static void read_dag(const struct reader *reader, void *item)
{
    struct history_dag_row *dag = item;

    dag->dag = word(reader, 0);
    dag->path = text(reader, 1);
    dag->last_run = integer(reader, 2);
}

int history_dags(struct history *history, struct mem_arena *arena,
                 struct history_dag_list *out, struct error *err)
{
    struct reader reader = {.arena = arena, .size = sizeof *out->items};
    int code = sqlite3_prepare_v2(history->db,
                                  "SELECT name, path, last_run FROM dags ORDER BY name", -1,
                                  &reader.stmt, NULL);

    if (code == SQLITE_OK)
        code = read_rows(&reader, read_dag);
    out->items = reader.items;
    out->count = reader.count;
    return code == SQLITE_OK ? 0 : fail(history, code, err);
}

/* -------------------------------------------------------------------------- details */

/* Rows of one run: ?1 its id, ?2 the limit. */
static int read_of_run(struct history *history, const char *sql, int64_t id, int limit,
                       struct reader *reader, read_fn *fn)
{
    int code = sqlite3_prepare_v2(history->db, sql, -1, &reader->stmt, NULL);

    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_bind_int64(reader->stmt, 1, id);
    (void)sqlite3_bind_int(reader->stmt, 2, limit);
    return read_rows(reader, fn);
}

static void read_totals(const struct reader *reader, int column,
                        struct history_totals *totals)
{
    totals->in = integer(reader, column);
    totals->answered = integer(reader, column + 1);
    totals->dropped = integer(reader, column + 2);
    totals->dead = integer(reader, column + 3);
    totals->out = integer(reader, column + 4);
    totals->repeats = integer(reader, column + 5);
}

static void read_node(const struct reader *reader, void *item)
{
    struct history_node *node = item;

    node->node = word(reader, 0);
    node->program = word(reader, 1);
    node->group = text(reader, 2);
    node->state = word(reader, 3);
    node->clients = small(reader, 4);
    node->restarts = small(reader, 5);
    read_totals(reader, 6, &node->totals);
    node->last_error = text(reader, 12);
}

static int read_nodes(struct history *history, struct mem_arena *arena,
                      struct history_details *out)
{
    struct reader reader = {.arena = arena, .size = sizeof *out->nodes};
    int code = read_of_run(history,
                           "SELECT node, program, consumer_group, state, clients, restarts,"
                           " in_count, answered, dropped, dead, out_count, repeats,"
                           " last_error FROM nodes WHERE run_id = ?1 ORDER BY id",
                           out->run.id, 0, &reader, read_node);

    out->nodes = reader.items;
    out->node_count = reader.count;
    return code;
}

static void read_attempt(const struct reader *reader, void *item)
{
    struct history_attempt *attempt = item;

    attempt->node = word(reader, 0);
    attempt->client = word(reader, 1);
    attempt->attempt = integer(reader, 2);
    attempt->pid = integer(reader, 3);
    attempt->started_ms = integer(reader, 4);
    attempt->ended_ms = integer(reader, 5);
    attempt->exit_code = small(reader, 6);
    attempt->signal = small(reader, 7);
    attempt->reason = text(reader, 8);
    attempt->last_words = text(reader, 9);
    attempt->log_path = text(reader, 10);
    attempt->cpu_ms = integer(reader, 11);
    attempt->rss_bytes = integer(reader, 12);
    read_totals(reader, 13, &attempt->totals);
}

static int64_t count_of_run(struct history *history, const char *table, int64_t id)
{
    char *sql = sqlite3_mprintf("SELECT count(*) FROM %s WHERE run_id = %lld", table,
                                (long long)id);
    int64_t count = sql ? history_db_int(history->db, sql, 0, NULL) : 0;

    sqlite3_free(sql);
    return count;
}

static int read_attempts(struct history *history, struct mem_arena *arena,
                         struct history_details *out)
{
    struct reader reader = {.arena = arena, .size = sizeof *out->attempts};
    int code = read_of_run(
        history,
        "SELECT node, client, attempt, pid, started_ms, ended_ms, exit_code, signal,"
        " reason, last_words, log_path, cpu_ms, rss_bytes, in_count, answered, dropped,"
        " dead, out_count, repeats FROM (SELECT * FROM attempts WHERE run_id = ?1"
        " ORDER BY id DESC LIMIT ?2) ORDER BY started_ms, id",
        out->run.id, HISTORY_ATTEMPTS_MAX, &reader, read_attempt);

    out->attempts = reader.items;
    out->attempt_count = reader.count;
    out->attempts_total = count_of_run(history, "attempts", out->run.id);
    return code;
}

static void read_edge(const struct reader *reader, void *item)
{
    struct history_edge *edge = item;

    edge->edge = word(reader, 0);
    edge->from = word(reader, 1);
    edge->to = word(reader, 2);
    edge->topic = word(reader, 3);
    edge->topic_id = text(reader, 4);
    edge->group = text(reader, 5);
    edge->partitions = small(reader, 6);
}

static void read_offsets(const struct reader *reader, void *item)
{
    struct history_offsets *offsets = item;

    offsets->edge = word(reader, 0);
    offsets->partition = small(reader, 1);
    offsets->read_start = integer(reader, 2);
    offsets->read_end = integer(reader, 3);
    offsets->write_start = integer(reader, 4);
    offsets->write_end = integer(reader, 5);
}

static int read_edges(struct history *history, struct mem_arena *arena,
                      struct history_details *out)
{
    struct reader edges = {.arena = arena, .size = sizeof *out->edges};
    struct reader offsets = {.arena = arena, .size = sizeof *out->offsets};
    int code = read_of_run(history,
                           "SELECT edge, from_node, to_node, topic, topic_id,"
                           " consumer_group, partitions FROM edges WHERE run_id = ?1"
                           " ORDER BY id",
                           out->run.id, 0, &edges, read_edge);

    if (code == SQLITE_OK)
        code = read_of_run(history,
                           "SELECT edge, partition, read_start, read_end, write_start,"
                           " write_end FROM run_offsets WHERE run_id = ?1"
                           " ORDER BY edge, partition",
                           out->run.id, 0, &offsets, read_offsets);
    out->edges = edges.items;
    out->edge_count = edges.count;
    out->offsets = offsets.items;
    out->offsets_count = offsets.count;
    return code;
}

static void read_event(const struct reader *reader, void *item)
{
    struct history_event *event = item;

    event->ts_ms = integer(reader, 0);
    event->node = text(reader, 1);
    event->client = text(reader, 2);
    event->level = word(reader, 3);
    event->kind = word(reader, 4);
    event->text = word(reader, 5);
}

static int read_events(struct history *history, struct mem_arena *arena,
                       struct history_details *out)
{
    struct reader reader = {.arena = arena, .size = sizeof *out->events};
    int code = read_of_run(history,
                           "SELECT ts_ms, node, client, level, kind, text FROM"
                           " (SELECT * FROM events WHERE run_id = ?1 ORDER BY id DESC"
                           " LIMIT ?2) ORDER BY id",
                           out->run.id, HISTORY_EVENTS_MAX, &reader, read_event);

    out->events = reader.items;
    out->event_count = reader.count;
    out->events_total = count_of_run(history, "events", out->run.id);
    return code;
}

static void read_group(const struct reader *reader, void *item)
{
    struct history_letter_group *group = item;

    group->node = word(reader, 0);
    group->failed_at = word(reader, 1);
    group->reason = word(reader, 2);
    group->count = integer(reader, 3);
    group->first_ms = integer(reader, 4);
    group->last_ms = integer(reader, 5);
}

static int read_letters(struct history *history, struct mem_arena *arena,
                        struct history_details *out)
{
    struct reader reader = {.arena = arena, .size = sizeof *out->letters};
    int code = read_of_run(history,
                           "SELECT node, failed_at, reason, count(*), min(ts_ms),"
                           " max(ts_ms) FROM dead_letters WHERE run_id = ?1"
                           " GROUP BY node, failed_at, reason ORDER BY 4 DESC, 1, 3"
                           " LIMIT ?2",
                           out->run.id, HISTORY_GROUPS_MAX, &reader, read_group);

    out->letters = reader.items;
    out->letter_count = reader.count;
    return code;
}

static void read_text(const struct reader *reader, void *item)
{
    *(const char **)item = text(reader, 0);
}

static int read_yaml(struct history *history, struct mem_arena *arena,
                     struct history_details *out)
{
    struct reader reader = {.arena = arena, .size = sizeof(const char *)};
    int code = read_of_run(history,
                           "SELECT text FROM texts WHERE hash ="
                           " (SELECT hash FROM runs WHERE id = ?1)",
                           out->run.id, 0, &reader, read_text);

    out->yaml = reader.count ? *(const char **)reader.items : NULL;
    return code;
}

static int read_details(struct history *history, struct mem_arena *arena,
                        struct history_details *out)
{
    int code = read_yaml(history, arena, out);

    if (code == SQLITE_OK)
        code = read_nodes(history, arena, out);
    if (code == SQLITE_OK)
        code = read_attempts(history, arena, out);
    if (code == SQLITE_OK)
        code = read_edges(history, arena, out);
    if (code == SQLITE_OK)
        code = read_events(history, arena, out);
    if (code == SQLITE_OK)
        code = read_letters(history, arena, out);
    return code;
}

int history_details(struct history *history, const char *dag, int64_t run,
                    struct mem_arena *arena, struct history_details *out,
                    struct error *err)
{
    int code = history_db_exec(history->db, "BEGIN"); /* one moment for all queries */

    *out = (struct history_details){0};
    if (code != SQLITE_OK)
        return fail(history, code, err);
    if (history_find_run(history, dag, run, arena, &out->run, err) == 0)
        code = read_details(history, arena, out);
    if (code != SQLITE_OK)
        (void)fail(history, code, err);
    (void)history_db_exec(history->db, "ROLLBACK");
    return error_is_set(err) ? -1 : 0;
}
