/* SPDX-License-Identifier: MIT */
#include "host/history_marks.h"

#include "host/history_internal.h"

#include <string.h>

static void grow(struct history_mark_list *list, struct mem_arena *arena,
                 size_t *capacity)
{
    struct history_mark *larger;

    if (list->count < *capacity)
        return;
    *capacity = *capacity ? *capacity * 2 : 64;
    larger = mem_arena_alloc(arena, *capacity * sizeof *larger);
    if (list->count)
        memcpy(larger, list->items, list->count * sizeof *larger);
    list->items = larger;
}

int history_marks(struct history *history, const char *topic_id,
                  struct mem_arena *arena, struct history_mark_list *out,
                  struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    size_t capacity = 0;
    int code =
        sqlite3_prepare_v2(history->db,
                           "SELECT partition, \"offset\", state, at_ms, by, note FROM"
                           " letter_marks WHERE topic_id = ?1"
                           " ORDER BY partition, \"offset\"",
                           -1, &stmt, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(stmt, 1, topic_id, -1, SQLITE_STATIC);
    while (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        grow(out, arena, &capacity);
        out->items[out->count++] = (struct history_mark){
            .partition = sqlite3_column_int(stmt, 0),
            .offset = sqlite3_column_int64(stmt, 1),
            .state = (enum history_mark_state)sqlite3_column_int(stmt, 2),
            .at_ms = sqlite3_column_int64(stmt, 3),
            .by = history_db_text(stmt, 4, arena),
            .note = history_db_text(stmt, 5, arena)};
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(stmt);
    if (code == SQLITE_DONE)
        return 0;
    history_db_error(history->db, code, "read what became of dead letters", err);
    return -1;
}

/* ------------------------------------------------------------------------- writing */

static int put(const struct history_marking *marking, const struct history_mark *mark,
               sqlite3_stmt *stmt)
{
    int code;

    (void)sqlite3_bind_text(stmt, 1, marking->topic_id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(stmt, 2, mark->partition);
    (void)sqlite3_bind_int64(stmt, 3, mark->offset);
    (void)sqlite3_bind_text(stmt, 4, marking->dag, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 5, marking->node, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(stmt, 6, (int)mark->state);
    (void)sqlite3_bind_int64(stmt, 7, mark->at_ms);
    (void)sqlite3_bind_text(stmt, 8, mark->by, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 9, mark->note, -1, SQLITE_STATIC);
    code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int take_away(const struct history_marking *marking,
                     const struct history_mark *mark, sqlite3_stmt *stmt)
{
    int code;

    (void)sqlite3_bind_text(stmt, 1, marking->topic_id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(stmt, 2, mark->partition);
    (void)sqlite3_bind_int64(stmt, 3, mark->offset);
    code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int put_all(sqlite3 *db, const struct history_marking *marking)
{
    sqlite3_stmt *insert = NULL;
    sqlite3_stmt *remove = NULL;
    int code = sqlite3_prepare_v2(
        db,
        "INSERT INTO letter_marks(topic_id, partition, \"offset\", dag_id, node, state,"
        " at_ms, by, note) VALUES(?1, ?2, ?3, (SELECT id FROM dags WHERE name = ?4), "
        "?5, ?6,"
        " ?7, ?8, ?9) ON CONFLICT DO UPDATE SET state = excluded.state,"
        " at_ms = excluded.at_ms, by = excluded.by, note = excluded.note",
        -1, &insert, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db,
                                  "DELETE FROM letter_marks WHERE topic_id = ?1 AND"
                                  " partition = ?2 AND \"offset\" = ?3",
                                  -1, &remove, NULL);
    for (size_t i = 0; i < marking->count && code == SQLITE_OK; i++) {
        const struct history_mark *mark = &marking->marks[i];

        code = mark->state == HISTORY_MARK_NONE ? take_away(marking, mark, remove)
                                                : put(marking, mark, insert);
    }
    (void)sqlite3_finalize(insert);
    (void)sqlite3_finalize(remove);
    return code;
}

/* Marks that are lost after they were promised would send letters twice: to the disk.
 */
int history_marks_put(struct history *history, const struct history_marking *marking,
                      struct error *err)
{
    sqlite3 *db = history->db;
    int code;

    (void)sqlite3_busy_timeout(db, HISTORY_WAIT_MS);
    code = history_db_exec(db, "PRAGMA synchronous=FULL");
    if (code == SQLITE_OK)
        code = history_db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = put_all(db, marking);
    if (code == SQLITE_OK)
        code = history_db_exec(db, "COMMIT");
    if (code != SQLITE_OK) {
        history_db_error(db, code, "record what becomes of dead letters", err);
        if (!sqlite3_get_autocommit(db))
            (void)history_db_exec(db, "ROLLBACK");
    }
    (void)sqlite3_busy_timeout(db, 0);
    return code == SQLITE_OK ? 0 : -1;
}

int history_marks_event(struct history *history, const char *dag,
                        const struct history_event *event, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(
        history->db,
        "INSERT INTO events(run_id, ts_ms, node, client, level, kind, text)"
        " SELECT r.id, ?2, ?3, ?4, ?5, ?6, ?7 FROM runs r JOIN dags d ON d.id = "
        "r.dag_id"
        " WHERE d.name = ?1 ORDER BY r.number DESC LIMIT 1",
        -1, &stmt, NULL);

    (void)sqlite3_busy_timeout(history->db, HISTORY_WAIT_MS);
    if (code == SQLITE_OK) {
        (void)sqlite3_bind_text(stmt, 1, dag, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 2, event->ts_ms);
        (void)sqlite3_bind_text(stmt, 3, event->node, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 4, event->client, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 5, event->level, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 6, event->kind, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 7, event->text, -1, SQLITE_STATIC);
        code = sqlite3_step(stmt);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_busy_timeout(history->db, 0);
    if (code == SQLITE_DONE)
        return 0;
    history_db_error(history->db, code, "record an event", err);
    return -1;
}
