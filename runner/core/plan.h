/* SPDX-License-Identifier: MIT
 *
 * plan.h - what a dag becomes on a broker: topics, groups, processes; and how that
 * differs from what its last run left behind.
 * Layer: core (pure).
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "base/json.h"
#include "core/dag.h"

/* One topic: of an edge, of several edges that share it, of dead letters, of dead letters
 * sent again, or parking. */
enum plan_topic_kind { PLAN_EDGE, PLAN_DLQ, PLAN_RETRY, PLAN_PARKING };

struct plan_topic {
    enum plan_topic_kind kind;
    const char *name;
    size_t writer; /* node index; PLAN_RETRY: that reads it; PLAN_PARKING: unused */
    int partitions;
    int replication;
    int64_t retention_ms;      /* kept behind the slowest reader; dead letters: for ever */
    int64_t max_message_bytes; /* the topic's max.message.bytes */
    size_t *edges;             /* indices of the edges on it */
    size_t edge_count;
};

struct plan {
    struct mem_arena arena;
    const struct dag *dag;
    struct plan_topic *topics; /* edges first, then dead letters, retry, parking */
    size_t topic_count;
    size_t edge_topic_count;
    size_t *topic_of_edge; /* dag edge index → topic index */
};

struct plan *plan_build(const struct dag *dag);
void plan_free(struct plan *plan);

/* A topic's config as created: pairs name, value; NULL-terminated. Lives in the plan. */
const char *const *plan_topic_config(struct plan *plan, size_t topic);

/* The plan for people (aligned text) and for --json; the caller frees. */
char *plan_text(const struct plan *plan);
char *plan_json(const struct plan *plan);
json_t *plan_json_value(const struct plan *plan); /* the caller may add members */

/*
 * What the history and the broker say about an edge that an earlier run had, or that this
 * plan has. Filled in by run/ from the history and from the broker.
 */
struct plan_edge_state {
    const char *id; /* "ask:calc" */
    const char *topic;
    const char *topic_id; /* of the last run; NULL: this dag never had the edge */
    const char *topic_id_now; /* NULL: the topic is not there */
    const char *group;
    int64_t unread; /* records between the group's offset and the end; 0 when unknown */
    bool keyed;     /* some unread records may have keys: growing would reorder them */
    int partitions_now; /* 0: not there */
    bool offsets_missing; /* the group's committed offsets are gone */
    bool restorable;      /* … and the history knows them */
};

struct plan_source_state {
    const char *node;
    bool interrupted;  /* a checkpoint exists and is not finished */
    const char *hash;  /* of what decides its output: program, args, with (last run) */
    int64_t position;
};

struct plan_last {
    const struct plan_edge_state *edges; /* of the last run and of this plan, by id */
    size_t edge_count;
    const struct plan_source_state *sources;
    size_t source_count;
    const char *path; /* YAML path of the last run; NULL: never ran */
    const char *broker; /* that the last run was on, when it is called otherwise now */
};

/* What the user said at start. */
struct plan_permits {
    bool fresh;                 /* skip what is unread, begin sources anew */
    bool adopt;                 /* take over the name from another path */
    const char *const *abandon; /* edge ids */
    size_t abandon_count;
};

enum plan_conflict_kind {
    PLAN_OTHER_PATH,      /* the name belongs to another YAML */
    PLAN_EDGE_GONE,       /* unread records on an edge the dag no longer has */
    PLAN_TOPIC_REMADE,    /* deleted and created again behind our back, or deleted */
    PLAN_SOURCE_CHANGED,  /* interrupted source whose program, args or options changed */
    PLAN_OFFSETS_LOST,    /* the group's offsets are gone and the history has none */
    PLAN_PARTITIONS_SHRINK,
    PLAN_PARTITIONS_KEYED, /* growing while keyed records are unread */
};

struct plan_conflict {
    enum plan_conflict_kind kind;
    char *text; /* one line: what, counts, the ways out */
};

/*
 * Compare plan and last run. A state whose topic or group is not the plan's is of an edge
 * that has moved: its unread records are on the old topic. A topic that has more
 * partitions than planned keeps them when dagrun chose the number. Returns the number of
 * conflicts; *conflicts is malloc'ed, free with plan_conflicts_free. 0: start may go on.
 */
size_t plan_compare(const struct plan *plan, const struct plan_last *last,
                    const struct plan_permits *permits, struct plan_conflict **conflicts);
void plan_conflicts_free(struct plan_conflict *conflicts, size_t count);

/* Hash of what decides a source's output (program, args, with), 64 hex digits + NUL. */
void plan_source_hash(const struct dag *dag, size_t node, char hash[65]);

#endif
