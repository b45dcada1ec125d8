/* SPDX-License-Identifier: MIT
 *
 * history.h - what happened, in SQLite: writing it during a run, and the few small
 * lookups that a start needs. history_read.h has the queries of the readers.
 * Layer: host. It knows no dag: callers hand in small structs, whose strings are copied.
 *
 * A handle belongs to one thread. Writers only queue (in memory, no I/O); history_tick
 * writes the queue in one short transaction. Nothing here ever waits for another process
 * except history_run_begin, history_dag_begin and history_close, each at most 2 s.
 * Rows that replace an earlier state (run, node, edge, offset, source, topic) are kept
 * once in the queue, and not written again while nothing in them has changed: calling
 * them every second for everything is the intended use.
 * When the disk is full or the file cannot be written, the queue waits and the next tick
 * tries again; samples are dropped first, then dead letters (which Kafka has), nothing
 * else. A damaged file is set aside as history.db.corrupt-<time> with a warning on the
 * log, and a new one goes on. The run is never affected.
 */
#ifndef HOST_HISTORY_H
#define HOST_HISTORY_H

#include "base/error.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history;

/*
 * Open path ("$DAGRUN_HOME/history.db"), made when it is not there (not when read_only).
 * An older schema is brought up to date, unless a runner lives (a lock is held in the
 * folder dags/ beside the file), so open the history before taking the dag's own lock;
 * read_only leaves the file alone.
 * Errors: ERROR_NOT_FOUND read_only and no file yet; ERROR_CONFLICT a newer schema, or an
 *         older one while a runner lives; ERROR_INTERNAL unreadable or not writable.
 */
struct history *history_open(const char *path, bool read_only, struct error *err);

/* Write what is queued, trying for at most 2 s, and close. NULL is fine. */
void history_close(struct history *history);

/* Why rows are waiting or were dropped, one line; NULL while all is well. Borrowed. */
const char *history_degraded(const struct history *history);

/* The version of SQLite. */
const char *history_library_version(void);

/* ------------------------------------------------------------ what the last run left */

struct history_known_edge {
    const char *edge; /* "ask:calc" */
    const char *from;
    const char *to;
    const char *topic;
    const char *topic_id; /* NULL: was not known */
    const char *group;
    int partitions;
    int64_t run;        /* the last run that had this edge */
    int64_t *committed; /* partitions elements; last known committed offset, -1 none */
};

struct history_known_source {
    const char *node;
    const char *client;
    const char *group; /* of its checkpoint; NULL without outputs */
    const char *hash;  /* of program, args, options */
    int64_t position;  /* -1: none yet */
    bool finished;
    int64_t run;
};

/* enum plan_topic_kind in words; host knows no plan. */
enum history_topic_kind {
    HISTORY_TOPIC_EDGE,
    HISTORY_TOPIC_DLQ,
    HISTORY_TOPIC_PARKING,
    HISTORY_TOPIC_RETRY,
};

struct history_topic {
    const char *topic;
    const char *topic_id; /* NULL: not known */
    enum history_topic_kind kind;
    bool created; /* by dagrun: only such a topic is ever emptied or deleted */
};

/* All that is known of a dag. Owned by the caller: zero-initialise, history_last_clear. */
struct history_last {
    struct mem_arena arena;
    const char *path;   /* NULL: the name is free (never ran, or cleaned) */
    const char *broker;
    int64_t run;        /* number of the last run, 0: none */
    const char *state;  /* as recorded: a live one means interrupted when the lock is free */
    struct history_known_edge *edges; /* of all runs since the last clean, newest state */
    size_t edge_count;
    struct history_known_source *sources;
    size_t source_count;
    struct history_topic *topics;
    size_t topic_count;
};

/* Fill in out. A dag that never ran is no error: path NULL, run 0. */
int history_last_run(struct history *history, const char *dag, struct history_last *out,
                     struct error *err);
void history_last_clear(struct history_last *last);

/*
 * Forget what a later start would resume from: path, edges, offsets, sources, topics of a
 * dag (dagrun clean, or an edge given up: edge != NULL forgets only that one). Runs stay.
 * Written at once.
 */
int history_forget(struct history *history, const char *dag, const char *edge,
                   struct error *err);

/* ---------------------------------------------------------------------- writing a run */

struct history_dag {
    const char *dag;
    const char *path;   /* of the YAML, absolute */
    const char *broker; /* its address, without secrets */
};

/*
 * Say which dag the handle writes about when there is no run (send while none lives):
 * history_edge, _offsets, _source and _topic then record what is known, the others do
 * nothing. Written at once.
 */
int history_dag_begin(struct history *history, const struct history_dag *dag,
                      struct error *err);

struct history_run {
    struct history_dag dag;
    const char *text; /* the YAML before substitution */
    const char *hash; /* SHA-256 of text, hex */
    const char *host;
    const char *user;
    int64_t pid; /* of the runner */
    const char *boot_id;
    const char *trigger; /* "start" "restart" "rerun" … */
    bool fresh;
    int64_t started_ms; /* wall clock, as all times here */
    int64_t last_number; /* a run known from elsewhere: the number is larger; or 0 */
};

/*
 * Begin a run in state "starting"; *run is its number, counted per dag from 1 and never
 * used twice. The caller holds the dag's lock, so earlier runs of the dag in a live state
 * are recorded as interrupted. From here to history_close the handle writes about this run.
 * Written at once; when the file can't be written (disk full) it is queued and the run has
 * its number all the same.
 * Errors: ERROR_INTERNAL when not even the number can be read.
 */
int history_run_begin(struct history *history, const struct history_run *run,
                      int64_t *number, struct error *err);

/* starting running draining …: any state that does not end the run. */
void history_run_state(struct history *history, const char *state);

/* The end: succeeded degraded failed stopped interrupted. text: one line why, or NULL. */
void history_run_end(struct history *history, const char *state, int exit_code,
                     const char *text, int64_t ended_ms);

/* A run's counts. in = answered + dropped + dead holds when a run has ended well. */
struct history_totals {
    int64_t in;
    int64_t answered;
    int64_t dropped;
    int64_t dead;
    int64_t out;
    int64_t repeats; /* handled again after a crash; not in the others */
};

struct history_node {
    const char *node;
    const char *program;
    const char *group; /* NULL: a source */
    const char *state;
    int clients; /* wanted */
    int restarts;
    struct history_totals totals;
    const char *last_error; /* NULL: none */
};
void history_node(struct history *history, const struct history_node *node);

/* One life of one client. Call at its begin (ended_ms 0) and at its end. */
struct history_attempt {
    const char *node;
    const char *client; /* "0" */
    int64_t attempt;    /* from 1, per client and run */
    int64_t pid;
    int64_t started_ms;
    int64_t ended_ms;       /* 0: it lives */
    int exit_code;          /* -1: ended by a signal, or it lives */
    int signal;             /* 0: none */
    const char *reason;     /* why it ended: "finished", "no progress for 60s" …, or NULL */
    const char *last_words; /* ≤ 10 lines, or NULL */
    const char *log_path;
    int64_t cpu_ms;
    int64_t rss_bytes;
    struct history_totals totals;
};
void history_attempt(struct history *history, const struct history_attempt *attempt);

struct history_edge {
    const char *edge; /* "ask:calc" */
    const char *from;
    const char *to;
    const char *topic;
    const char *topic_id;
    const char *group; /* of the reading node */
    int partitions;
};
void history_edge(struct history *history, const struct history_edge *edge);

/*
 * The offsets that this run wrote and read on one partition: [start, end). An unknown one
 * is -1. read_end is the committed offset: what a later start restores.
 */
struct history_offsets {
    const char *edge;
    int partition;
    int64_t read_start;
    int64_t read_end;
    int64_t write_start;
    int64_t write_end;
};
void history_offsets(struct history *history, const struct history_offsets *offsets);

struct history_source {
    const char *node;
    const char *client;
    const char *group;
    const char *hash;
    int64_t position; /* -1: none */
    bool finished;
};
void history_source(struct history *history, const struct history_source *source);

void history_topic(struct history *history, const struct history_topic *topic);

/* node, client: NULL when it is about the run. kind: one word a filter can use. */
struct history_event {
    int64_t ts_ms;
    const char *node;
    const char *client;
    const char *level; /* error warn info */
    const char *kind;  /* "state" "restart" "broker" "conflict" "drop" … */
    const char *text;
};
void history_event(struct history *history, const struct history_event *event);

enum history_series { HISTORY_EDGE, HISTORY_NODE, HISTORY_CLIENT, HISTORY_ALL };

/* One second of an edge, node, client or all of a run; kept 1 s (10 min), 10 s (6 h), 60 s
 * (7 d) per dag. */
struct history_sample {
    int64_t ts_ms;
    enum history_series series;
    const char *id; /* "ask:calc", "calc", "calc.0" or "" */
    double in_per_s;
    double out_per_s;
    int64_t backlog; /* -1: unknown */
    double cpu_percent; /* 0 for edges */
    int64_t rss_bytes;
    double p50_ms; /* latency of the records of that second; -1: there were none */
    double p99_ms;
};
void history_sample(struct history *history, const struct history_sample *sample);

struct history_dead_letter {
    const char *node;
    const char *topic; /* where the record came from, with partition and offset */
    int partition;
    int64_t offset;
    const char *failed_at; /* DECODE TRANSFORM SINK WRITE */
    const char *reason;
    int64_t ts_ms;
};
void history_dead_letter(struct history *history,
                         const struct history_dead_letter *letter);

/* Write what is queued, once, without waiting. Call it once a second. */
void history_tick(struct history *history);

#endif
