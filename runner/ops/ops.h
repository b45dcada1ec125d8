/* SPDX-License-Identifier: MIT
 *
 * ops.h - the state directory opened for questions: what CLI and web share.
 * Layer: ops. No printing, no HTTP. A run is live exactly while its dag's lock is held, so
 * every state handed out here is true, whatever the history has recorded.
 */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include "base/error.h"
#include "base/json.h"
#include "host/history_read.h"

#include <stdbool.h>

struct ops;

/* home: the state directory; one without a history yet is fine: everything is empty. */
struct ops *ops_open(const char *home, struct error *err);
void ops_close(struct ops *ops);

const char *ops_home(const struct ops *ops);
/* NULL: there is none yet. */
struct history *ops_history(const struct ops *ops);

/* Files of the state directory; the caller frees. */
char *ops_lock_path(const char *home, const char *dag);
char *ops_socket_path(const char *home, const char *dag);
char *ops_run_folder(const char *home, const char *dag, int64_t run);
char *ops_log_path(const char *home, const char *dag, int64_t run, const char *node,
                   const char *client, int64_t attempt);

/* Does a runner of this dag live? */
bool ops_is_live(const struct ops *ops, const char *dag);

/* Names of dags whose runner lives, sorted; in the arena. */
struct ops_names {
    const char **items;
    size_t count;
};
void ops_live_dags(const struct ops *ops, struct mem_arena *arena, struct ops_names *out);

/* Is this recorded state one of a run that has not ended? */
bool ops_state_is_live(const char *state);

/* ---------------------------------------------------------------------------- runs */

struct ops_filter {
    const char *dag;   /* NULL: all */
    const char *state; /* NULL: all */
    int64_t since_ms;
    const char *after; /* the cursor of an earlier page, or NULL */
    int limit;
};

struct ops_runs {
    struct mem_arena arena;
    struct history_run_list list;
    char cursor[64]; /* of the next page; "" when this is the last */
};
int ops_runs(const struct ops *ops, const struct ops_filter *filter, struct ops_runs *out,
             struct error *err);
void ops_runs_clear(struct ops_runs *runs);

/* run 0: the last. */
struct ops_run {
    struct mem_arena arena;
    struct history_details details;
    bool live;
};
int ops_run(const struct ops *ops, const char *dag, int64_t run, struct ops_run *out,
            struct error *err);
void ops_run_clear(struct ops_run *run);

/* Only the row of a run, with the state that is true now; ended_ms 0: it lives. */
int ops_find_run(const struct ops *ops, const char *dag, int64_t run,
                 struct mem_arena *arena, struct history_run_row *out, struct error *err);

/* in = answered + dropped + dead, or a source. */
bool ops_node_is_sound(const struct history_node *node);

/* The objects of --json and of the API; times are UTC. The caller owns them. */
json_t *ops_run_row_json(const struct history_run_row *run);
json_t *ops_runs_json(const struct ops_runs *runs);
json_t *ops_run_json(const struct ops_run *run);

/* -------------------------------------------------------------------------- status */

/*
 * The status object of a dag (docs/protocol.md): of its runner while that lives, else put
 * together from the history's last run, with "live": false.
 * Errors: ERROR_NOT_FOUND never ran; ERROR_TIMEOUT the runner does not answer.
 */
json_t *ops_status(const struct ops *ops, const char *dag, struct error *err);

/* The same from the history alone: for one who has the runner's word already, or must not
 * wait for it. */
json_t *ops_recorded_status(const struct ops *ops, const char *dag, struct error *err);

/* ------------------------------------------------------------------ dags and pictures */

/* The dags that are known or live, each with its YAML and its last run. */
json_t *ops_dags_json(const struct ops *ops, struct error *err);

/* Where the boxes and lines of a run's graph go (core/layout.h), in pixels. */
json_t *ops_graph_json(const struct ops_run *run);

#endif
