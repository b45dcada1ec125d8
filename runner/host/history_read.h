/* SPDX-License-Identifier: MIT
 *
 * history_read.h - the queries behind history, show, status and prune.
 * Layer: host. States are as recorded: whether a live one is true is asked of the run's
 * lock, by ops/. Results live in the caller's arena; every list has a limit.
 */
#ifndef HOST_HISTORY_READ_H
#define HOST_HISTORY_READ_H

#include "host/history.h"

/* A run as lists show it. */
struct history_run_row {
    int64_t id; /* of the row, for paging and pruning */
    const char *dag;
    int64_t run;
    const char *state;
    const char *path;
    const char *broker;
    const char *hash;
    const char *host;
    const char *user;
    const char *trigger;
    bool fresh;
    int64_t pid;
    int64_t started_ms;
    int64_t alive_ms; /* when it was last known to live */
    int64_t ended_ms; /* 0: not recorded */
    int exit_code;    /* -1: not recorded */
    const char *text; /* why it ended so, or NULL */
    int64_t dead;     /* dead letters of all nodes */
};

enum { HISTORY_PAGE_MAX = 1000, HISTORY_STATES_MAX = 10 };

/* Zero-initialise for "everything, newest first". */
struct history_filter {
    const char *dag; /* NULL: all */
    const char *states[HISTORY_STATES_MAX];
    size_t state_count; /* 0: all */
    int64_t since_ms;   /* began at or after; 0: whenever */
    int64_t before_ms;  /* keyset: what follows the run that began then with this id; */
    int64_t before_id;  /* both 0: from the newest */
    int limit;          /* 1 … HISTORY_PAGE_MAX */
};

struct history_run_list {
    struct history_run_row *items;
    size_t count;
};

/* Newest first. An index serves every combination of filters. */
int history_runs(struct history *history, const struct history_filter *filter,
                 struct mem_arena *arena, struct history_run_list *out, struct error *err);

/* run 0: the last one. ERROR_NOT_FOUND when there is none. */
int history_find_run(struct history *history, const char *dag, int64_t run,
                     struct mem_arena *arena, struct history_run_row *out,
                     struct error *err);

struct history_dag_row {
    const char *dag;
    const char *path; /* NULL: cleaned */
    int64_t last_run;
};
struct history_dag_list {
    struct history_dag_row *items;
    size_t count;
};
int history_dags(struct history *history, struct mem_arena *arena,
                 struct history_dag_list *out, struct error *err);

/* Dead letters of one node that failed alike. */
struct history_letter_group {
    const char *node;
    const char *failed_at;
    const char *reason;
    int64_t count;
    int64_t first_ms;
    int64_t last_ms;
};

/* How many rows of a run history_details reads; the newest where there are more. */
enum {
    HISTORY_ATTEMPTS_MAX = 2000,
    HISTORY_EVENTS_MAX = 1000,
    HISTORY_GROUPS_MAX = 200,
};

struct history_details {
    struct history_run_row run;
    const char *yaml; /* NULL: not recorded */
    struct history_node *nodes;
    size_t node_count;
    struct history_attempt *attempts; /* in the order of their begin */
    size_t attempt_count;
    int64_t attempts_total;
    struct history_edge *edges;
    size_t edge_count;
    struct history_offsets *offsets; /* by edge, partition */
    size_t offsets_count;
    struct history_event *events; /* oldest first */
    size_t event_count;
    int64_t events_total;
    struct history_letter_group *letters; /* most frequent first */
    size_t letter_count;
};
int history_details(struct history *history, const char *dag, int64_t run,
                    struct mem_arena *arena, struct history_details *out,
                    struct error *err);

enum history_metric_kind {
    HISTORY_IN,
    HISTORY_OUT,
    HISTORY_BACKLOG,
    HISTORY_P50,
    HISTORY_P99,
    HISTORY_CPU,
    HISTORY_RSS,
    HISTORY_METRICS
};

/* The samples of one point's time; count 0: none is known. */
struct history_metric {
    double mean;
    double min;
    double max;
    int count;
};

struct history_point {
    int64_t ts_ms; /* of its begin */
    int tier;      /* which ring: 0 seconds, 1 ten seconds, 2 minutes */
    bool is_set;
    struct history_metric metrics[HISTORY_METRICS];
};

struct history_points {
    struct history_point *items; /* oldest first; times without a sample have none */
    size_t count;
    int64_t step_ms; /* from one point to the next */
};

struct history_sample_query {
    const char *dag;
    int64_t run;
    enum history_series series;
    const char *id;
    int64_t since_ms; /* first and last moment */
    int64_t until_ms;
    int points; /* at most so many */
};

int history_points(struct history *history, const struct history_sample_query *query,
                   struct mem_arena *arena, struct history_points *out, struct error *err);

/* Does the run (id of its row) have this edge, node or client? */
bool history_has_series(struct history *history, int64_t run_id,
                        enum history_series series, const char *id);

/*
 * The runs that pruning would take, oldest first: began before before_ms (0: whenever) and
 * not among the newest keep of their dag. dag NULL: all dags.
 */
int history_prunable(struct history *history, const char *dag, int64_t before_ms, int keep,
                     struct mem_arena *arena, struct history_run_list *out,
                     struct error *err);

/* Delete one run with everything that belongs to it. Waits for other writers. */
int history_delete_run(struct history *history, int64_t id, struct error *err);

#endif
