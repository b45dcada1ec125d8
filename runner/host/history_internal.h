/* SPDX-License-Identifier: MIT
 *
 * history_internal.h - what a history handle holds, for history*.c only.
 * Layer: host, private.
 */
#ifndef HOST_HISTORY_INTERNAL_H
#define HOST_HISTORY_INTERNAL_H

#include "host/history.h"
#include "host/history_db.h"
#include "host/history_queue.h"

enum history_statement {
    HISTORY_PUT_DAG,
    HISTORY_PUT_TEXT,
    HISTORY_PUT_RUN,
    HISTORY_PUT_INTERRUPTED,
    HISTORY_PUT_INTERRUPTED_NODES,
    HISTORY_PUT_INTERRUPTED_ATTEMPTS,
    HISTORY_PUT_STATE,
    HISTORY_PUT_END,
    HISTORY_PUT_NODE,
    HISTORY_PUT_ATTEMPT,
    HISTORY_PUT_EDGE,
    HISTORY_PUT_KNOWN_EDGE,
    HISTORY_PUT_OFFSETS,
    HISTORY_PUT_KNOWN_OFFSET,
    HISTORY_PUT_SOURCE,
    HISTORY_PUT_TOPIC,
    HISTORY_PUT_EVENT,
    HISTORY_PUT_SAMPLE,
    HISTORY_PUT_LETTER,
    HISTORY_PUT_AUDIT,
    HISTORY_STATEMENTS
};

struct history_samples;

struct history {
    sqlite3 *db; /* NULL: it could not be opened again after damage */
    char *path;
    bool read_only;
    sqlite3_stmt *statements[HISTORY_STATEMENTS];
    struct history_queue *queue;
    struct history_samples *samples;
    bool has_dag;
    bool has_run;
    int64_t number; /* of the run, 0 none */
    int64_t dag_id; /* as in the file; 0 until the row is there */
    int64_t run_id;
    int64_t alive_ms; /* when the file was last told that the runner lives */
    int64_t waiting_since_ms; /* monotonic; 0: nothing failed */
    char degraded[256];
};

/* history_write.c: the queue into the file. */

/* Write what fits into one short transaction. SQLite's code; *left: more is waiting. */
int history_write(struct history *history, bool *left);
/* history_write until nothing is left, a failure other than "busy", or wait_ms are over. */
int history_write_all(struct history *history, int64_t wait_ms);
/* Drop the connection with its statements. */
void history_disconnect(struct history *history);
/* After a code that means damage: set the file aside, open a new one, fill it again. */
int history_recover(struct history *history, struct error *err);

/* history_read.c: the text of the list query, for a look at its plan. The caller frees. */
struct history_filter;
char *history_list_sql(const struct history_filter *filter);

/* history_sample.c */
struct history_samples *history_samples_new(void);
void history_samples_free(struct history_samples *samples);

#endif
