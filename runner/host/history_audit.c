/* SPDX-License-Identifier: MIT */
#include "host/history_audit.h"

#include "base/text.h"
#include "host/history_internal.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 2000 };

bool history_is_waiting(const struct history *history)
{
    return history_queue_count(history->queue) > 0;
}

static struct history_value number(int64_t value)
{
    return (struct history_value){.type = HISTORY_INT, .as.number = value};
}

/* Cut, into *copy, which the caller frees. */
static struct history_value words(const char *text, char **copy)
{
    size_t len = text ? strlen(text) : 0;

    if (text == NULL)
        return (struct history_value){.type = HISTORY_NULL};
    if (len > TEXT_MAX) {
        len = TEXT_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--; /* not within a character */
    }
    *copy = mem_strndup(text, len);
    return (struct history_value){.type = HISTORY_TEXT, .as.text = *copy};
}

void history_audit(struct history *history, const struct history_deed *deed)
{
    char *copies[8] = {0};
    const struct history_value values[] = {number(deed->ts_ms),
                                           words(deed->who, &copies[0]),
                                           words(deed->role, &copies[1]),
                                           words(deed->origin, &copies[2]),
                                           words(deed->action, &copies[3]),
                                           words(deed->dag, &copies[4]),
                                           words(deed->target, &copies[5]),
                                           words(deed->detail, &copies[6]),
                                           number(deed->ok),
                                           words(deed->text, &copies[7])};
    const struct history_row row = {.statement = HISTORY_PUT_AUDIT,
                                    .count = sizeof values / sizeof *values,
                                    .values = values};

    history_queue_add(history->queue, &row);
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        free(copies[i]);
}

/* --------------------------------------------------------------------------- reading */

static void read_deed(sqlite3_stmt *stmt, struct mem_arena *arena,
                      struct history_deed *deed)
{
    deed->id = sqlite3_column_int64(stmt, 0);
    deed->ts_ms = sqlite3_column_int64(stmt, 1);
    deed->who = history_db_text(stmt, 2, arena);
    deed->role = history_db_text(stmt, 3, arena);
    deed->origin = history_db_text(stmt, 4, arena);
    deed->action = history_db_text(stmt, 5, arena);
    deed->dag = history_db_text(stmt, 6, arena);
    deed->target = history_db_text(stmt, 7, arena);
    deed->detail = history_db_text(stmt, 8, arena);
    deed->ok = sqlite3_column_int(stmt, 9) != 0;
    deed->text = history_db_text(stmt, 10, arena);
}

static int prepare(struct history *history, const struct history_deed_filter *filter,
                   sqlite3_stmt **stmt)
{
    bool first_page = filter->before_ms == 0 && filter->before_id == 0;
    char *sql = sqlite3_mprintf(
        "SELECT id, ts_ms, who, role, origin, action, dag, target, detail, ok, text"
        " FROM audit WHERE %s (ts_ms, id) < (?2, ?3) AND ts_ms >= ?4"
        " ORDER BY ts_ms DESC, id DESC LIMIT ?5",
        filter->dag ? "dag = ?1 AND" : "");
    int code =
        sql ? sqlite3_prepare_v2(history->db, sql, -1, stmt, NULL) : SQLITE_NOMEM;

    sqlite3_free(sql);
    if (code != SQLITE_OK)
        return code;
    if (filter->dag)
        (void)sqlite3_bind_text(*stmt, 1, filter->dag, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(*stmt, 2, first_page ? INT64_MAX : filter->before_ms);
    (void)sqlite3_bind_int64(*stmt, 3, first_page ? INT64_MAX : filter->before_id);
    (void)sqlite3_bind_int64(*stmt, 4, filter->since_ms);
    (void)sqlite3_bind_int(*stmt, 5, filter->limit);
    return SQLITE_OK;
}

int history_deeds(struct history *history, const struct history_deed_filter *filter,
                  struct mem_arena *arena, struct history_deed_list *out,
                  struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = prepare(history, filter, &stmt);

    out->count = 0;
    out->items = mem_arena_alloc(arena, (size_t)filter->limit * sizeof *out->items);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(stmt);
        if (code == SQLITE_ROW)
            read_deed(stmt, arena, &out->items[out->count++]);
    }
    (void)sqlite3_finalize(stmt);
    if (code == SQLITE_DONE)
        return 0;
    history_db_error(history->db, code, "read the audit", err);
    return -1;
}

/* -------------------------------------------------------------------------- deleting */

int history_deeds_before(struct history *history, int64_t before_ms, int64_t *count,
                         struct error *err)
{
    char sql[96];
    int code;

    (void)sqlite3_snprintf(sizeof sql, sql,
                           "SELECT count(*) FROM audit WHERE ts_ms < %lld",
                           (long long)before_ms);
    *count = history_db_int(history->db, sql, 0, &code);
    if (code == SQLITE_OK)
        return 0;
    history_db_error(history->db, code, "count the audit", err);
    return -1;
}

int history_delete_deeds(struct history *history, int64_t before_ms, struct error *err)
{
    char sql[96];
    int code;

    (void)sqlite3_snprintf(sizeof sql, sql, "DELETE FROM audit WHERE ts_ms < %lld",
                           (long long)before_ms);
    (void)sqlite3_busy_timeout(history->db, HISTORY_WAIT_MS);
    code = history_db_exec(history->db, sql);
    (void)sqlite3_busy_timeout(history->db, 0);
    if (code == SQLITE_OK)
        return 0;
    history_db_error(history->db, code, "delete from the audit", err);
    return -1;
}
