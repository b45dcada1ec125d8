/* SPDX-License-Identifier: MIT
 *
 * history_db.h - the SQLite file under the history: opening, schema, damage.
 * Layer: host, private to history*.c, which alone include sqlite3.h.
 */
#ifndef HOST_HISTORY_DB_H
#define HOST_HISTORY_DB_H

#include "base/error.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { HISTORY_WAIT_MS = 2000 };

/* States of a run that has not ended, as SQL. */
#define HISTORY_LIVE_STATES "'starting','running','draining'"

/*
 * Open the file with its settings and bring the schema up to date; contracts as
 * history_open. A damaged file is set aside first unless read_only.
 */
sqlite3 *history_db_open(const char *path, bool read_only, struct error *err);

/* Does this result code mean that the file is damaged? */
bool history_db_damaged(int code);

/*
 * The file failed with a code that means damage. Look again with a full check, because
 * another runner may have replaced it already; set it aside when it is really damaged.
 * No connection of this process may be open on it.
 */
int history_db_set_aside(const char *path, struct error *err);

/* Run statements without results. */
int history_db_exec(sqlite3 *db, const char *sql);

/* The first column of the first row, or fallback; *code (may be NULL) gets the result. */
int64_t history_db_int(sqlite3 *db, const char *sql, int64_t fallback, int *code);

/* A copy of a column of the row that stmt stands on; NULL when the column is. */
const char *history_db_text(sqlite3_stmt *stmt, int column, struct mem_arena *arena);

/*
 * Bring the schema of db from its user_version to the newest. home is the folder with
 * dags/, whose locks must be free when there is something to change in an existing schema.
 */
int history_schema_update(sqlite3 *db, const char *home, struct error *err);
/* The same with another list, for tests: scripts[i] leads from version i to i + 1. */
enum { HISTORY_PARTS = 2 }; /* ISO C bounds a string literal */
struct history_script {
    const char *parts[HISTORY_PARTS];
};
int history_schema_apply(sqlite3 *db, const char *home,
                         const struct history_script *scripts, int count,
                         struct error *err);
int history_schema_version(void);

/* A failed call's code in words; db may be NULL. */
const char *history_db_reason(sqlite3 *db, int code);

/* Set err from a failed call. */
void history_db_error(sqlite3 *db, int code, const char *what, struct error *err);

#endif
