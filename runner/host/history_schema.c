/* SPDX-License-Identifier: MIT
 *
 * The tables. Times are wall-clock milliseconds. What a later start resumes from (dags,
 * known_*, sources, topics) is kept apart from the runs, so that pruning old runs takes
 * nothing from it and no run number is ever used twice.
 */
#include "host/history_db.h"

#include "base/mem.h"
#include "host/lock.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char first_runs[] =
    "CREATE TABLE dags(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, path TEXT,"
    " broker TEXT, last_run INTEGER NOT NULL DEFAULT 0);"

    "CREATE TABLE texts(hash TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE runs(id INTEGER PRIMARY KEY, dag_id INTEGER NOT NULL REFERENCES dags,"
    " number INTEGER NOT NULL, state TEXT NOT NULL, path TEXT, broker TEXT, hash TEXT,"
    " host TEXT, user TEXT, pid INTEGER, boot_id TEXT, trigger TEXT, fresh INTEGER,"
    " started_ms INTEGER NOT NULL, alive_ms INTEGER NOT NULL, ended_ms INTEGER,"
    " exit_code INTEGER, text TEXT, UNIQUE(dag_id, number));"
    "CREATE INDEX runs_by_time ON runs(started_ms, id);"
    "CREATE INDEX runs_by_dag ON runs(dag_id, started_ms, id);"
    "CREATE INDEX runs_by_state ON runs(state, started_ms, id);"
    "CREATE INDEX runs_by_dag_state ON runs(dag_id, state, started_ms, id);"
    "CREATE INDEX runs_by_hash ON runs(hash);"
    "CREATE TRIGGER texts_go AFTER DELETE ON runs"
    " WHEN NOT EXISTS (SELECT 1 FROM runs WHERE hash = OLD.hash)"
    " BEGIN DELETE FROM texts WHERE hash = OLD.hash; END;"

    "CREATE TABLE nodes(id INTEGER PRIMARY KEY,"
    " run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    " node TEXT NOT NULL, program TEXT, consumer_group TEXT, state TEXT NOT NULL,"
    " clients INTEGER, restarts INTEGER, in_count INTEGER, answered INTEGER,"
    " dropped INTEGER, dead INTEGER, out_count INTEGER, repeats INTEGER, last_error TEXT,"
    " UNIQUE(run_id, node));"

    "CREATE TABLE attempts(id INTEGER PRIMARY KEY,"
    " run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    " node TEXT NOT NULL, client TEXT NOT NULL, attempt INTEGER NOT NULL, pid INTEGER,"
    " started_ms INTEGER, ended_ms INTEGER, exit_code INTEGER, signal INTEGER,"
    " reason TEXT, last_words TEXT, log_path TEXT, cpu_ms INTEGER, rss_bytes INTEGER,"
    " in_count INTEGER, answered INTEGER, dropped INTEGER, dead INTEGER,"
    " out_count INTEGER, repeats INTEGER, UNIQUE(run_id, node, client, attempt));"

    "CREATE TABLE edges(id INTEGER PRIMARY KEY,"
    " run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    " edge TEXT NOT NULL, from_node TEXT, to_node TEXT, topic TEXT, topic_id TEXT,"
    " consumer_group TEXT, partitions INTEGER, UNIQUE(run_id, edge));"

    "CREATE TABLE run_offsets(run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    " edge TEXT NOT NULL, partition INTEGER NOT NULL, read_start INTEGER,"
    " read_end INTEGER, write_start INTEGER, write_end INTEGER,"
    " PRIMARY KEY(run_id, edge, partition)) WITHOUT ROWID;"

    "CREATE TABLE events(id INTEGER PRIMARY KEY,"
    " run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    " ts_ms INTEGER NOT NULL, node TEXT, client TEXT, level TEXT, kind TEXT, text TEXT);"
    "CREATE INDEX events_by_run ON events(run_id, id);"

    "CREATE TABLE dead_letters(id INTEGER PRIMARY KEY,"
    " run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    " node TEXT NOT NULL, topic TEXT, partition INTEGER, \"offset\" INTEGER,"
    " failed_at TEXT, reason TEXT, ts_ms INTEGER);"
    "CREATE INDEX dead_letters_by_run ON dead_letters(run_id, node, failed_at, reason);";

static const char first_dags[] =
    /* Rings: a slot is written again after 600 s, 6 h and 7 d. */
    "CREATE TABLE samples(dag_id INTEGER NOT NULL REFERENCES dags ON DELETE CASCADE,"
    " series INTEGER NOT NULL, name TEXT NOT NULL, tier INTEGER NOT NULL,"
    " slot INTEGER NOT NULL, run INTEGER, ts_ms INTEGER NOT NULL, in_per_s REAL,"
    " out_per_s REAL, backlog INTEGER, cpu_percent REAL, rss_bytes INTEGER,"
    " PRIMARY KEY(dag_id, series, name, tier, slot)) WITHOUT ROWID;"

    "CREATE TABLE known_edges(dag_id INTEGER NOT NULL REFERENCES dags ON DELETE CASCADE,"
    " edge TEXT NOT NULL, from_node TEXT, to_node TEXT, topic TEXT, topic_id TEXT,"
    " consumer_group TEXT, partitions INTEGER, run INTEGER,"
    " PRIMARY KEY(dag_id, edge)) WITHOUT ROWID;"
    "CREATE TABLE known_offsets(dag_id INTEGER NOT NULL REFERENCES dags ON DELETE CASCADE,"
    " edge TEXT NOT NULL, partition INTEGER NOT NULL, committed INTEGER NOT NULL,"
    " PRIMARY KEY(dag_id, edge, partition)) WITHOUT ROWID;"
    "CREATE TABLE sources(dag_id INTEGER NOT NULL REFERENCES dags ON DELETE CASCADE,"
    " node TEXT NOT NULL, client TEXT NOT NULL, consumer_group TEXT, hash TEXT,"
    " position INTEGER, finished INTEGER, run INTEGER,"
    " PRIMARY KEY(dag_id, node, client)) WITHOUT ROWID;"
    "CREATE TABLE topics(dag_id INTEGER NOT NULL REFERENCES dags ON DELETE CASCADE,"
    " topic TEXT NOT NULL, topic_id TEXT, kind INTEGER, created INTEGER,"
    " PRIMARY KEY(dag_id, topic)) WITHOUT ROWID;";

static const char latencies[] =
    /* Of the records of a sample's span; NULL: there were none. */
    "ALTER TABLE samples ADD COLUMN p50_ms REAL;"
    "ALTER TABLE samples ADD COLUMN p99_ms REAL;";

/* What became of dead letters, by the id of their topic. */
static const char letter_marks[] =
    "CREATE TABLE letter_marks(topic_id TEXT NOT NULL, partition INTEGER NOT NULL,"
    " \"offset\" INTEGER NOT NULL, dag_id INTEGER NOT NULL REFERENCES dags ON DELETE"
    " CASCADE, node TEXT NOT NULL, state INTEGER NOT NULL, at_ms INTEGER NOT NULL, by TEXT,"
    " note TEXT, PRIMARY KEY(topic_id, partition, \"offset\")) WITHOUT ROWID;";

/* No references: a deed outlives the run that it was done to. */
static const char audit[] =
    "CREATE TABLE audit(id INTEGER PRIMARY KEY, ts_ms INTEGER NOT NULL, who TEXT NOT NULL,"
    " role TEXT, origin TEXT, action TEXT NOT NULL, dag TEXT, target TEXT, detail TEXT,"
    " ok INTEGER NOT NULL, text TEXT);"
    "CREATE INDEX audit_by_time ON audit(ts_ms, id);"
    "CREATE INDEX audit_by_dag ON audit(dag, ts_ms, id);";

static const struct history_script versions[] = {
    {{first_runs, first_dags}}, {{latencies}}, {{letter_marks}}, {{audit}}};
enum { VERSIONS = sizeof versions / sizeof *versions };

int history_schema_version(void)
{
    return VERSIONS;
}

/* The path of a lock that a living runner holds, or NULL. The caller frees. */
static char *living_runner(const char *home)
{
    char *pattern = mem_printf("%s/dags/*.lock", home);
    char *found = NULL;
    glob_t list;

    if (glob(pattern, GLOB_NOSORT, NULL, &list) == 0) {
        for (size_t i = 0; i < list.gl_pathc && found == NULL; i++) {
            pid_t pid = 0;

            if (lock_probe(list.gl_pathv[i], &pid) && pid != getpid())
                found = mem_strdup(list.gl_pathv[i]);
        }
        globfree(&list);
    }
    free(pattern);
    return found;
}

static int check_idle(const char *home, int version, int count, struct error *err)
{
    char *runner = living_runner(home);

    if (runner == NULL)
        return 0;
    error_set(err, ERROR_CONFLICT,
              "the history has schema %d and this dagrun writes %d, but a runner of the "
              "older version lives (%s); stop it first",
              version, count, runner);
    free(runner);
    return -1;
}

static int run_scripts(sqlite3 *db, int version, const struct history_script *scripts,
                       int count)
{
    char pragma[64];
    int code = SQLITE_OK;

    for (int i = version; i < count; i++) {
        for (int part = 0; part < HISTORY_PARTS && code == SQLITE_OK; part++) {
            if (scripts[i].parts[part])
                code = history_db_exec(db, scripts[i].parts[part]);
        }
    }
    (void)sqlite3_snprintf(sizeof pragma, pragma, "PRAGMA user_version=%d", count);
    return code == SQLITE_OK ? history_db_exec(db, pragma) : code;
}

int history_schema_apply(sqlite3 *db, const char *home,
                         const struct history_script *scripts, int count,
                         struct error *err)
{
    int code = SQLITE_OK;
    int64_t version = history_db_int(db, "PRAGMA user_version", 0, &code);

    if (code == SQLITE_OK && version == count)
        return 0;
    if (code == SQLITE_OK)
        code = history_db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK) /* again, now that nobody else can change it */
        version = history_db_int(db, "PRAGMA user_version", 0, &code);
    if (code != SQLITE_OK) {
        history_db_error(db, code, "read the schema", err);
        return -1;
    }
    if (version > count)
        error_set(err, ERROR_CONFLICT,
                  "the history was written by a newer dagrun (schema %d, this one knows "
                  "%d): use that one, or another DAGRUN_HOME",
                  (int)version, count);
    else if (version == 0 || version == count /* another start was faster */ ||
             check_idle(home, (int)version, count, err) == 0)
        code = run_scripts(db, (int)version, scripts, count);
    if (code == SQLITE_OK && !error_is_set(err))
        code = history_db_exec(db, "COMMIT");
    if (code != SQLITE_OK)
        history_db_error(db, code, "update the schema", err);
    if (error_is_set(err))
        (void)history_db_exec(db, "ROLLBACK");
    return error_is_set(err) ? -1 : 0;
}

int history_schema_update(sqlite3 *db, const char *home, struct error *err)
{
    return history_schema_apply(db, home, versions, VERSIONS, err);
}
