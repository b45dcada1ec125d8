/* SPDX-License-Identifier: MIT
 *
 * dlq.h - the dead letters of a dag: what there is, sending it again, giving it up.
 * Layer: ops. Blocking, for the commands. docs/decisions/0010-dead-letters.md says how
 * every letter is sent again at most once, whatever dies meanwhile.
 */
#ifndef OPS_DLQ_H
#define OPS_DLQ_H

#include "base/json.h"
#include "host/history_marks.h"
#include "host/tap.h"
#include "ops/ops.h"

/* One node's letters. */
struct dlq_node {
    const char *name;
    const char *topic;
    const char *topic_id; /* NULL: the topic is not there */
    const char *retry;    /* topic that they are sent to again */
    bool reads;           /* false: a source, whose letters can't be sent again */
    bool retry_there;
    int partitions; /* of the topic */
    struct history_mark_list marks;
};

struct dlq {
    struct mem_arena arena;
    const char *home;
    const char *dag;
    const struct broker_config *config;
    struct history *history;
    struct lock *lock;
    struct dlq_node *nodes;
    size_t node_count;
};

/*
 * Ask the broker which letters' topics there are. change: letters will be sent again or
 * dropped; nobody else may do so meanwhile. Zero-initialise; dlq_close frees, after a
 * failure, too. last and config are borrowed.
 * Errors: ERROR_UNREACHABLE no broker; ERROR_CONFLICT somebody else changes this dag's.
 */
int dlq_open(struct dlq *dlq, const char *home, const char *dag,
             const struct history_last *last, const struct broker_config *config,
             bool change, struct error *err);
void dlq_close(struct dlq *dlq);

/* ERROR_NOT_FOUND names one that is near. */
struct dlq_node *dlq_find_node(const struct dlq *dlq, const char *name,
                               struct error *err);

/* -------------------------------------------------------------------------- letters */

struct dlq_letter {
    const struct tap_record *record; /* as it is in the topic, with all headers */
    const char *node;
    const char *reason;
    const char *failed_at; /* DECODE TRANSFORM SINK WRITE; "" when it does not say */
    const char *topic;     /* where it came from; "" when it does not say */
    int64_t partition;
    int64_t offset;
    int64_t run;
    int64_t attempt;
    int64_t died_ms;
    int64_t replays;                 /* how often its record was sent again before */
    const struct history_mark *mark; /* NULL: open */
};

/* What a letter's headers say. Texts go into the arena. */
void dlq_letter_read(struct dlq_letter *letter, const struct dlq_node *node,
                     const struct tap_record *record, struct mem_arena *arena);

/* NULL: it has none. */
struct history_mark *dlq_find_mark(const struct history_mark_list *marks,
                                   int64_t partition, int64_t offset);

/* Reasons that differ only in what is quoted, or in numbers, are one: those parts
 * become "…" and #. */
char *dlq_pattern(struct mem_arena *arena, const char *reason);

struct dlq_selection {
    const char *node;       /* NULL: all */
    const char *reason;     /* as a letter has it, or a pattern; NULL: any */
    const char *failed_at;  /* NULL: any */
    int32_t partition;      /* -1: any */
    const int64_t *offsets; /* ascending; none: any */
    size_t offset_count;
    int64_t since_ms; /* died at or after; 0: whenever */
    int64_t until_ms; /* died before; 0: whenever */
};
bool dlq_selects(const struct dlq_selection *selection,
                 const struct dlq_letter *letter);

enum dlq_state { DLQ_OPEN, DLQ_SENDING, DLQ_REPLAYED, DLQ_DROPPED, DLQ_STATES };
enum dlq_state dlq_letter_state(const struct dlq_letter *letter);
const char *dlq_state_name(enum dlq_state state);

/* Return 1 to go on, 0 to stop, -1 and err. The letter lives until it returns. */
typedef int dlq_letter_fn(void *arg, const struct dlq_letter *letter,
                          struct error *err);

/* Letters of one node, oldest first, from an offset on (0: the first); up to the end as
 * it was at the beginning. */
int dlq_read(const struct dlq *dlq, const struct dlq_node *node,
             const struct dlq_selection *selection, int64_t from, dlq_letter_fn *fn,
             void *arg, struct error *err);

/* --------------------------------------------------------------------------- groups */

struct dlq_group {
    const char *node;
    const char *failed_at;
    const char *reason; /* a pattern */
    int64_t counts[DLQ_STATES];
    int64_t first_ms;
    int64_t last_ms;
};

struct dlq_groups {
    struct mem_arena arena;
    struct dlq_group *items; /* most open ones first */
    size_t count;
    size_t capacity;
    int64_t counts[DLQ_STATES];
};

/* Reasons beyond DLQ_GROUPS_MAX are one group, "(other reasons)". */
enum { DLQ_GROUPS_MAX = 1000 };
int dlq_groups_read(const struct dlq *dlq, const struct dlq_selection *selection,
                    struct dlq_groups *out, struct error *err);
void dlq_groups_clear(struct dlq_groups *groups);

/* --------------------------------------------------------------------------- acting */

/* Told now and then; more may follow. */
typedef void dlq_progress_fn(void *arg, int64_t done);

struct dlq_action {
    bool replay; /* else drop */
    struct dlq_selection selection;
    bool dry_run;
    bool force; /* replay also what was sent again max_replays times */
    int64_t max_replays;
    int64_t rate; /* replay at most so many letters a second; 0: no limit */
    const char *by;
    const char *note;             /* why they are dropped; NULL: not said */
    dlq_progress_fn *on_progress; /* or NULL */
    void *arg;
};

enum { DLQ_MAX_REPLAYS = 5 };

struct dlq_result {
    int64_t selected; /* open letters that the selection has */
    int64_t done;     /* sent again or dropped; a dry run: would be */
    int64_t worn_out; /* left, because they were sent again max_replays times already */
    int64_t found;    /* of an earlier replay that was killed: had been sent */
    int64_t not_sent; /* of the same: had not, and are open again */
};

/*
 * Send the open letters that are selected to their nodes' retry topics, or drop them:
 * mark them as done with. Each at most once, whatever dies meanwhile. Errors:
 * ERROR_CONFLICT a selected node has no retry topic (yet); ERROR_TIMEOUT,
 *         ERROR_UNREACHABLE the broker; what was done before is done and counted.
 */
int dlq_act(struct dlq *dlq, const struct dlq_action *action, struct dlq_result *result,
            struct error *err);

/* ----------------------------------------------------------------------------- JSON */

json_t *dlq_groups_json(const struct dlq *dlq, const struct dlq_groups *groups);
/* Without the record itself. */
json_t *dlq_letter_json(const struct dlq_letter *letter);
json_t *dlq_result_json(const struct dlq *dlq, const struct dlq_action *action,
                        const struct dlq_result *result);

#endif
