/* SPDX-License-Identifier: MIT
 *
 * dag.h - the graph of one YAML file: nodes, edges, settings, each with its position.
 * Layer: core (pure). Loaded into one arena, checked, then frozen: const struct dag *.
 * Defaults are filled in; what was left to dagrun is marked so. Strings are the dag's.
 */
#ifndef CORE_DAG_H
#define CORE_DAG_H

#include "base/error.h"
#include "base/mem.h"
#include "core/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DAG_FILE_BYTES_MAX = 1 << 20,
    DAG_NESTING_MAX = 64,
    DAG_EVENTS_MAX = 500000,
    DAG_ALIAS_NODES_MAX = 10000,
    DAG_NAME_MAX = 63,
};

/* Defaults that others show, too. */
#define DAG_RETENTION_MS (INT64_C(3600) * 1000)
#define DAG_MAX_RECORD_BYTES (INT64_C(2) << 20)
#define DAG_DLQ_EXTRA_BYTES (INT64_C(1) << 20)
/* Where records on a retry topic come from; no node can have that name. */
#define DAG_RETRY_FROM "retry"

struct dag_pos {
    int line;
    int column;
};

/* name: value, as in env, kafka.properties and with. */
struct dag_setting {
    const char *name;
    const char *value; /* text; for with: JSON text (a plain 5 is 5, a quoted one "5") */
    struct dag_pos pos; /* of the name */
    struct dag_pos value_pos;
};
struct dag_settings {
    struct dag_setting *items;
    size_t count;
};

enum dag_restart { DAG_RESTART_ON_FAILURE, DAG_RESTART_ALWAYS, DAG_RESTART_NEVER };

enum dag_delivery { DAG_AT_LEAST_ONCE, DAG_EXACTLY_ONCE /* not supported yet */ };

struct dag_restart_policy {
    enum dag_restart when;   /* default on-failure */
    int max;                 /* default 5: starts within window before the node fails */
    int64_t window_ms;       /* default 60 s */
    int64_t backoff_ms;      /* default 100 ms: first delay, doubles */
    int64_t backoff_max_ms;  /* default 30 s */
};

struct dag_stop_policy {
    int64_t grace_ms;  /* default 10 s: TERM → KILL */
    int64_t drain_ms;  /* default 30 s: drain → TERM */
};

struct dag_node {
    const char *name;
    struct dag_pos pos;
    const char *program; /* plain name of a built-in, or a path (has a '/'), absolute */
    bool program_is_path;
    struct dag_pos program_pos;
    const char **args; /* NULL-terminated, exactly as written */
    size_t arg_count;
    struct dag_pos args_pos;
    struct dag_settings with;
    const char **clients; /* ids: "0", "1"… or as listed */
    size_t client_count;
    struct dag_pos clients_pos;
    struct dag_restart_policy restart;
    struct dag_stop_policy stop;
    enum dag_delivery delivery;
    struct dag_settings env;
    const char *cwd; /* absolute; default dag.dir */
    size_t *inputs;  /* indices into dag.edges, in the order of from: */
    size_t input_count;
    size_t *outputs; /* indices into dag.edges, in the order of the reading nodes */
    size_t output_count;
    size_t layer; /* 0 = source; longest distance from one */
};

struct dag_edge {
    const char *id; /* "ask:calc" */
    size_t from;    /* indices into dag.nodes */
    size_t to;
    struct dag_pos pos;
    const char *topic; /* default <prefix><dag>.<from>.<to> */
    bool topic_given;
    struct dag_pos topic_pos;
    int partitions; /* 0: left to dagrun (plan decides) */
    struct dag_pos partitions_pos;
    int replication; /* -1: the broker's default */
    int64_t retention_ms;
    int64_t max_record_bytes;
};

struct dag {
    struct mem_arena arena;
    const char *name;
    const char *path; /* absolute, as given to dag_load */
    const char *dir;  /* its folder */
    const char *brokers; /* NULL: not named in the YAML */
    struct dag_pos brokers_pos;
    struct dag_settings kafka; /* librdkafka properties, after substitution: secrets! */
    const char *prefix;        /* of topics and groups, "" by default */
    struct dag_node *nodes;    /* in the order of the file */
    size_t node_count;
    struct dag_edge *edges;
    size_t edge_count;
    size_t *order;    /* node indices, every node after all it reads from */
    const char *text; /* the YAML before substitution: what is stored and shown */
    char hash[65];    /* SHA-256 of text, hex */
    struct name_table *node_names; /* dag_find_node's and dag_find_edge's */
    struct name_table *edge_names;
};

/* Where ${NAME}, ${file:PATH} and --param values come from. Return NULL when missing. */
struct dag_source {
    const char *(*find)(void *arg, const char *name); /* params first, then environment */
    /* Read a small file; text belongs to the caller until free(); NULL and err if not. */
    char *(*read_file)(void *arg, const char *path, struct error *err);
    void *arg;
};

/*
 * Parse, substitute and check a YAML text. path is absolute; relative paths inside start
 * at its folder. Returns NULL and one or more diags when anything is wrong.
 */
struct dag *dag_load(const char *text, size_t len, const char *path,
                     const struct dag_source *source, struct diag_list *diags);
void dag_free(struct dag *dag);

/*
 * dag.text for others to see: the values of secret kafka.properties that stand in it
 * literally are "***". The caller frees.
 */
char *dag_masked_text(const struct dag *dag);

/* -1 when there is none. */
int dag_find_node(const struct dag *dag, const char *name);
int dag_find_edge(const struct dag *dag, const char *id);

/*
 * Check a node's args and with against what its program says of itself (--describe,
 * docs/protocol.md). describe is its JSON text.
 */
void dag_check_program(const struct dag *dag, size_t node, const char *describe,
                       struct diag_list *diags);

/* The consumer group of a node, its dead-letter topic, a client's id. The caller frees. */
char *dag_group(const struct dag *dag, size_t node);
char *dag_dlq_topic(const struct dag *dag, size_t node);
/* The topic that its dead letters are sent to again, and that topic as an edge. */
char *dag_retry_topic(const struct dag *dag, size_t node);
char *dag_retry_edge(const struct dag *dag, size_t node);
char *dag_parking_topic(const struct dag *dag);
char *dag_client_id(const struct dag *dag, size_t node, const char *client);
char *dag_checkpoint_group(const struct dag *dag, size_t node, const char *client);

#endif
