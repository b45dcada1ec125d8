/* SPDX-License-Identifier: MIT */
#include "host/history_db.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool history_db_damaged(int code)
{
    int primary = code & 0xff;

    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

int history_db_exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int64_t history_db_int(sqlite3 *db, const char *sql, int64_t fallback, int *code)
{
    sqlite3_stmt *stmt = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (result == SQLITE_OK)
        result = sqlite3_step(stmt);
    if (result == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        fallback = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    if (code)
        *code = result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
    return fallback;
}

const char *history_db_text(sqlite3_stmt *stmt, int column, struct mem_arena *arena)
{
    return mem_arena_strdup(arena, (const char *)sqlite3_column_text(stmt, column));
}

/* SQLite has one word for many troubles; a full disk deserves its own. */
const char *history_db_reason(sqlite3 *db, int code)
{
    int primary = code & 0xff;
    bool io = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;

    if (primary == SQLITE_FULL || (io && db && sqlite3_system_errno(db) == ENOSPC))
        return "no space left on the disk";
    if (io && db && sqlite3_system_errno(db) == EACCES)
        return "permission denied; DAGRUN_HOME can name a folder of yours";
    if (primary == SQLITE_BUSY)
        return "other runners write all the time";
    return sqlite3_errstr(primary);
}

void history_db_error(sqlite3 *db, int code, const char *what, struct error *err)
{
    const char *file = db ? sqlite3_db_filename(db, "main") : NULL;

    if (history_db_damaged(code))
        error_set(err, ERROR_INTERNAL,
                  "history %s is damaged (%s); the next start sets it aside and begins a "
                  "new one",
                  file ? file : "", sqlite3_errstr(code));
    else
        error_set(err, ERROR_INTERNAL, "history %s: can't %s: %s", file ? file : "", what,
                  history_db_reason(db, code));
}

/* SQLite gives its other files the mode of the first. */
static void make_private(const char *path)
{
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        (void)close(fd);
}

/*
 * When two first starts turn WAL on at once, each may hold the lock that the other waits
 * for; SQLite then refuses at once instead of waiting. One of them has it a moment later.
 */
static int turn_wal_on(sqlite3 *db)
{
    int64_t until_ms = clock_mono_ms() + HISTORY_WAIT_MS;
    int code;

    while (((code = history_db_exec(db, "PRAGMA journal_mode=WAL")) & 0xff) == SQLITE_BUSY &&
           clock_mono_ms() < until_ms)
        (void)sqlite3_sleep(10);
    return code;
}

/* One connection with its settings; the reason of a failure in *code. */
static sqlite3 *connect_file(const char *path, bool read_only, int *code,
                             const char **reason)
{
    int flags = SQLITE_OPEN_READWRITE | (read_only ? 0 : SQLITE_OPEN_CREATE);
    sqlite3 *db = NULL;

    if (!read_only)
        make_private(path);
    *code = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (*code == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(db, 1);
        (void)sqlite3_busy_timeout(db, HISTORY_WAIT_MS);
        *code = read_only ? history_db_exec(db, "PRAGMA query_only=1") : turn_wal_on(db);
    }
    if (*code == SQLITE_OK)
        *code = history_db_exec(db, "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
                                    "PRAGMA journal_size_limit=16777216;"
                                    "PRAGMA temp_store=MEMORY");
    if (*code == SQLITE_OK) /* the first look at the file's content */
        (void)history_db_int(db, "SELECT count(*) FROM sqlite_schema", 0, code);
    if (*code != SQLITE_OK) {
        *reason = history_db_reason(db, *code);
        (void)sqlite3_close(db);
        return NULL;
    }
    return db;
}

/* A folder that we may not write to (a copy, a backup): read without any locks. */
static sqlite3 *connect_frozen(const char *path, int *code)
{
    char *uri = sqlite3_mprintf("file:%s?immutable=1", path);
    sqlite3 *db = NULL;

    if (uri == NULL)
        return NULL;
    *code = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    sqlite3_free(uri);
    if (*code == SQLITE_OK)
        (void)history_db_int(db, "SELECT count(*) FROM sqlite_schema", 0, code);
    if (*code != SQLITE_OK) {
        (void)sqlite3_close(db);
        return NULL;
    }
    return db;
}

static void rename_beside(const char *path, const char *suffix, const char *target)
{
    char *from = mem_printf("%s%s", path, suffix);
    char *to = mem_printf("%s%s", target, suffix);

    (void)rename(from, to);
    free(from);
    free(to);
}

static bool is_really_damaged(const char *path)
{
    int code = SQLITE_OK;
    const char *reason = NULL;
    sqlite3 *db = connect_file(path, true, &code, &reason);
    bool damaged = history_db_damaged(code);
    sqlite3_stmt *stmt = NULL;

    if (db == NULL)
        return damaged;
    code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);

        damaged = text == NULL || strcmp(text, "ok") != 0;
    } else {
        damaged = history_db_damaged(code);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return damaged;
}

int history_db_set_aside(const char *path, struct error *err)
{
    char *target;

    if (!is_really_damaged(path))
        return 0;
    target = mem_printf("%s.corrupt-%lld", path, (long long)clock_wall_ms());
    if (rename(path, target) != 0) {
        error_set(err, ERROR_INTERNAL, "history %s is damaged and can't be set aside: %s",
                  path, strerror(errno));
        free(target);
        return -1;
    }
    rename_beside(path, "-wal", target);
    rename_beside(path, "-shm", target);
    log_write(LOG_WARN, "history", NULL,
              "the history was damaged; it was set aside as %s and a new one begun. What "
              "earlier runs left to resume from is only in it",
              target);
    free(target);
    return 0;
}

static sqlite3 *connect_writer(const char *path, struct error *err)
{
    int code = SQLITE_OK;
    const char *reason = NULL;
    sqlite3 *db;

    db = connect_file(path, false, &code, &reason);
    if (db == NULL && history_db_damaged(code)) {
        if (history_db_set_aside(path, err) != 0)
            return NULL;
        db = connect_file(path, false, &code, &reason);
    }
    if (db == NULL) {
        error_set(err, ERROR_INTERNAL, "history %s can't be opened: %s", path, reason);
        return NULL;
    }
    return db;
}

static sqlite3 *connect_reader(const char *path, struct error *err)
{
    int code = SQLITE_OK;
    const char *reason = NULL;
    sqlite3 *db = connect_file(path, true, &code, &reason);

    if (db == NULL && !history_db_damaged(code))
        db = connect_frozen(path, &code);
    if (db == NULL && history_db_damaged(code))
        error_set(err, ERROR_INTERNAL,
                  "history %s is damaged; the next start sets it aside and begins a new one",
                  path);
    else if (db == NULL)
        error_set(err, ERROR_INTERNAL, "history %s can't be read: %s", path, reason);
    return db;
}

static int check_reader(sqlite3 *db, struct error *err)
{
    int64_t version = history_db_int(db, "PRAGMA user_version", 0, NULL);

    if (version == history_schema_version())
        return 0;
    if (version == 0)
        error_set(err, ERROR_NOT_FOUND, "there is no history yet");
    else
        error_set(err, ERROR_CONFLICT,
                  "the history has schema %d, this dagrun reads %d: %s", (int)version,
                  history_schema_version(),
                  version > history_schema_version() ? "use the newer one"
                                                     : "the next start brings it up to date");
    return -1;
}

static int prepare_writer(sqlite3 *db, const char *path, struct error *err)
{
    char *home = mem_strdup(path);
    char *slash = strrchr(home, '/');
    int result;

    if (slash)
        *slash = '\0';
    result = history_schema_update(db, slash ? home : ".", err);
    free(home);
    (void)sqlite3_busy_timeout(db, 0);
    return result;
}

sqlite3 *history_db_open(const char *path, bool read_only, struct error *err)
{
    struct stat st;
    sqlite3 *db;
    int result;

    if (read_only && stat(path, &st) != 0 && errno == ENOENT) {
        error_set(err, ERROR_NOT_FOUND, "there is no history yet");
        return NULL;
    }
    db = read_only ? connect_reader(path, err) : connect_writer(path, err);
    if (db == NULL)
        return NULL;
    result = read_only ? check_reader(db, err) : prepare_writer(db, path, err);
    if (result != 0) {
        (void)sqlite3_close(db);
        return NULL;
    }
    return db;
}
