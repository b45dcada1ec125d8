/* SPDX-License-Identifier: MIT
 *
 * run_state.h - what the files of run/ share: the run's parts and facts.
 * Layer: run, and only for it.
 */
#ifndef RUN_RUN_STATE_H
#define RUN_RUN_STATE_H

#include "base/text.h"
#include "core/latency.h"
#include "core/stall.h"
#include "host/broker.h"
#include "host/channel.h"
#include "host/control.h"
#include "host/history.h"
#include "host/lock.h"
#include "host/logfile.h"
#include "host/process.h"
#include "host/signals.h"
#include "run/launch.h"
#include "run/run.h"

enum {
    RUN_BROKER_TIMEOUT_MS = 8000,
    RUN_PING_MS = 250,
    RUN_TICK_MS = 1000,
    RUN_COMMIT_MS = 200,
    RUN_SPACE_MS = 10000,
};

/* One partition of an edge, as its reading group sees it. Offsets: -1 unknown. */
struct run_partition {
    int64_t beginning;   /* first record there is */
    int64_t end;         /* newest known end */
    int64_t write_start; /* end when the run began */
    int64_t start;       /* committed when the run began */
    int64_t committed;
    int64_t final_end;   /* end after the last writer was gone */
    bool given;          /* committed before this start, or restored */
    struct history_totals base; /* totals in the metadata when the run began */
    struct history_totals now;
    int64_t in_before;   /* of now, when the first client may start */
};

/* What a node reads: an edge of the dag, or the topic that its dead letters are sent to
 * again. */
struct run_edge {
    const char *id;   /* "ask:add", "retry:add" */
    const char *from; /* the writing node; DAG_RETRY_FROM */
    size_t to;        /* the reading node */
    const char *topic;
    char *topic_id;
    char *group;
    bool created; /* the topic is dagrun's */
    struct run_partition *partitions;
    size_t partition_count;
    size_t existing; /* partitions that were there before the run grew them */
    int64_t seen_in; /* records read from it, by the counts in the commits */
    double lately;   /* the same of the last seconds, the newest weigh most */
};

struct run_client {
    struct run *run;
    size_t node;
    size_t index;
    char *name; /* "0", or as in the YAML */
    char *id;   /* "<dag>.<node>.<client>" */
    char *instance; /* its name in the group, once that is not its id any more; or NULL */
    struct process *process;
    struct channel *channel;
    struct logfile *log;
    char *log_path;
    int attempt; /* from 1 */
    int64_t started_wall_ms;
    int64_t started_mono_ms;
    /* from its last stats line */
    struct history_totals totals; /* of this attempt */
    int64_t taken;
    int64_t lag; /* -1: unknown */
    bool idle;
    bool finished;
    int64_t position;
    double in_per_s;
    double out_per_s;
    int64_t stats_ms; /* monotonic, of the rates; 0: none yet */
    struct history_totals rate_base;
    struct latency latency;      /* of the records since the stats line before */
    struct latency latency_base; /* all that the last line counts */
    struct latency latency_sampled; /* all that was counted by the last sample */
    char *last_error; /* of this life */
    char *last_exit;
    char *last_words; /* of the last attempt that failed, ≤ 10 lines */
    /* usage */
    int64_t cpu_ms;
    int64_t rss_bytes;
    double cpu_percent;
    int64_t usage_ms;
    /* a source's checkpoint */
    char *checkpoint_group;
    int64_t checkpoint_run;  /* that wrote the newest checkpoint; -1: there is none */
    int64_t resume_position; /* 0: begins anew */
    int64_t said_out;        /* outputs by the stats of ended attempts */
    int64_t final_out;       /* this run's outputs by its checkpoint; -1: unknown */
};

struct run_node {
    struct run_client **clients; /* as in reconcile: those that have left, too */
    size_t client_count;
    struct run_edge **inputs; /* of the dag's edges in their order, then retry */
    size_t input_count;
    char *group;
    char *dlq;
    char *program_path;
    char source_hash[65];
    struct history_totals done;   /* of ended attempts */
    int64_t taken;                /* by ended attempts */
    int64_t skipped;              /* by --fresh */
    struct history_totals totals; /* of the run; exact once counted */
    bool offsets_pending;         /* a request for its group's offsets is under way */
    bool offsets_wanted;
    bool paused;       /* by a user: its clients are told when they start */
    bool ends_wanted;  /* REC_ASK_ENDS, until the answer is in */
    bool ends_pending;
    bool ends_refused; /* and that was told */
    int64_t ends_retry_ms;
    int64_t offsets_retry_ms;
    struct stall stall;
    char *last_error; /* NULL again when a restart.window went well since */
    int64_t error_ms; /* monotonic */
};

/* A step of the start: what comes when all its requests are answered. */
typedef void run_step_fn(struct run *run);

struct run {
    const struct run_options *options;
    const struct dag *dag;
    struct plan *plan;
    struct loop *loop;
    struct lock *lock;
    struct history *history;
    struct history_last last;
    struct broker *broker;
    struct control *control;
    int signals;
    pid_t *born_with; /* children that were there before the run */
    size_t born_count;
    struct reconcile *rec;
    struct reconcile_actions actions;
    struct run_node *nodes;
    struct run_edge *edges; /* as dag->edges, then retry topics as the plan has them */
    size_t edge_count;

    int64_t number;
    int64_t started_wall_ms;
    bool launched; /* start is through, reconcile decides */
    bool prepare_only; /* for send: topics and offsets, no process */
    bool over;
    struct error failure; /* of the start */
    enum run_state shown_state;

    /* start.c */
    size_t pending;         /* requests not answered yet */
    run_step_fn *next_step; /* when pending is 0 */
    bool told_waiting;      /* that old members are still in a group */
    size_t leaderless;      /* topics, or partitions, without leader by the last answer */
    int64_t step_at_ms;     /* not before; 0 at once */
    int64_t step_limit_ms;
    struct run_gone *gone;  /* edges of earlier runs that the dag has no more */
    size_t gone_count;
    int64_t left_records;   /* found unread at the start */
    int64_t skipped_records;

    int64_t tick_ms;
    int64_t broadcast_ms;
    int64_t space_ms;
    bool broker_was_up;
    size_t account_pending;
    bool ends_known; /* of every partition, after the last process was gone */
    int64_t account_limit_ms;
};

/* An edge that an earlier run had and this dag has not. */
struct run_gone {
    const struct history_known_edge *known;
    int64_t unread;
    int64_t *committed;
    size_t partition_count;
    bool topic_there;
    bool same_topic;
};

/* run_open.c */
void run_free(struct run *run);
/* By its id; NULL when there is none. */
struct run_edge *run_find_edge(const struct run *run, const char *id);

/* run.c */
/* Reap descendants that lost their parents; kill_too: those that live, too. */
void run_end_strays(struct run *run, bool kill_too);
void run_fail(struct run *run, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void run_talk(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One line for people and the history. client NULL: about the node, node NULL: the run. */
void run_event(struct run *run, const char *level, const char *kind, const char *node,
               const char *client, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* offsets.c */
void offsets_tick(struct run *run, int64_t now_ms);
void offsets_want(struct run *run, size_t node);
void offsets_ask_ends(struct run *run, size_t node);
void offsets_account(struct run *run);
void offsets_sum(struct run *run, size_t node);
/* The object in commit metadata, owned by the caller; NULL when it is none. */
json_t *offsets_metadata(const char *metadata);
bool offsets_parse_counts(const char *metadata, struct history_totals *totals);
/* How many records the offsets [from, to) of a partition may be; exact where nobody writes in
 * transactions, and for one transaction of a replay. */
int64_t offsets_records(const struct run_edge *edge, int64_t from, int64_t to);
int64_t offsets_backlog(const struct run_edge *edge);
/* Of all inputs of a node. */
int64_t offsets_node_backlog(const struct run *run, size_t node);
/* Records that clients of a node have taken in this run, those in hand, too. */
int64_t offsets_taken(const struct run *run, size_t node);
int64_t offsets_deadline(const struct run *run);

/* loss.c */
/* Once accounted for: tell of records that were counted and are not there, or that are there
 * and were not counted. */
bool loss_find(struct run *run);

/* client_io.c */
void client_io_init(struct run *run);
/* A node gets clients, up to count; they have no process yet. */
void client_io_grow(struct run *run, size_t node, size_t count);
/*
 * The next process of a client gets a new name in its group. A member that has left for good
 * stays known for 10 s without its topics; one that came back under its name would get its
 * place back: no partition, for ever.
 */
void client_io_rename(struct run_client *client);
/* It was scaled away, and its process has ended. */
bool client_io_is_gone(const struct run_client *client);
/* Close what belongs to one attempt; free: all of the client. */
void client_io_close(struct run_client *client);
void client_io_free(struct run_client *client);
void client_io_on_line(void *arg, enum channel_event event, const json_t *line,
                       const char *text);
void client_io_on_exit(void *arg, uint32_t events);
/* Tell a client "drain", "pause" or "resume"; nothing when it has no process. */
void client_io_tell(struct run_client *client, const char *what);
/* This is the last error of its node, until that has gone well for a restart.window. */
void client_io_blame(struct run_client *client, const char *text);
/* Tell it to drain and to give its partitions back at once. */
void client_io_tell_leave(struct run_client *client);
void client_io_usage(struct run *run, int64_t now_ms);

/* record.c: rows of the history */
char *record_last_words(const struct run_client *client);
void record_begin(struct run *run);
void record_attempt(struct run_client *client, const struct process_exit *end,
                    const char *reason);
void record_tick(struct run *run);
void record_end(struct run *run, int exit_code, const char *text);

/* sample.c */
void sample_tick(struct run *run);

/* status.c: records a second that are written to an edge (in) or read from it. */
double run_edge_rate(const struct run *run, size_t edge, bool in);

/* space.c */
void space_free(struct run *run);

/* scale.c */
/*
 * How many clients of a node run from now on; by: " by ann" or "", for the event.
 * -1: ERROR_INPUT it is no number of clients; ERROR_CONFLICT this node can't have so many, or
 *     not now.
 */
int scale_node(struct run *run, size_t node, int64_t wanted, const char *by,
               struct error *err);

/* requests.c */
int requests_open(struct run *run, struct error *err);
void requests_broadcast(struct run *run);

#endif
