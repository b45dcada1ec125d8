/* SPDX-License-Identifier: MIT
 *
 * dag_read.h - from the tree of YAML values to a struct dag, through the table of keys.
 * Layer: core (pure). What is wrong with one value alone is found here; what is wrong with
 * the graph is dag_check.h's.
 */
#ifndef CORE_DAG_READ_H
#define CORE_DAG_READ_H

#include "core/dag.h"
#include "core/dag_keys.h"
#include "core/dag_yaml.h"

/* A node a reader names under from:, before names are looked up. */
struct dag_link {
    size_t to;                        /* the reading node */
    const struct dag_value *from;     /* the name */
    const struct dag_value *settings; /* map of edge settings; NULL: none */
    struct dag_link *next;
};

struct dag_reader {
    struct dag *dag;
    struct diag_list *diags;
    /* Where the keys being read stand, for messages; NULL: not there. */
    const char *where_node;
    const char *where_edge;
    const char *where_section; /* "kafka", "defaults: node" */
    bool in_defaults;
    size_t node; /* index of the node being read */
    const struct dag_value *nodes; /* value of nodes: */
    struct dag_node node_defaults;
    struct dag_edge edge_defaults;
    struct dag_link *links;
    struct dag_link **links_tail;
    size_t link_count; /* those that were refused, too */
    const char **numbers; /* "0", "1", …: the ids of counted clients */
    bool *from_given;     /* by node: it has a from:, right or wrong */
};

/* Read the whole file into r->dag, its edges included; links that lead nowhere are left out. */
void dag_read(struct dag_reader *r, const struct dag_value *root);

/* Report with the place in front. */
void dag_read_report(struct dag_reader *r, struct dag_pos at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Read a map whose keys are those of the scope into the struct that target is. */
void dag_read_section(struct dag_reader *r, enum dag_scope scope,
                      const struct dag_value *map, void *target);

/* Read one value as key says. Only what is right is stored. */
void dag_read_value(struct dag_reader *r, const struct dag_key *key,
                    const struct dag_value *value, void *target);

/* "where: KEY: expected …, found …" at the value. */
void dag_read_mismatch(struct dag_reader *r, const struct dag_key *key,
                       const struct dag_value *value);

/*
 * Is text what kafka.brokers takes, HOST[:PORT] with commas between them? librdkafka takes
 * any number for a port and would ask another one, 99999 - 65536.
 */
bool dag_read_is_brokers(const char *text);

/* The types that make up a node, apart from single values (dag_read_node.c). */
typedef void dag_read_fn(struct dag_reader *r, const struct dag_key *key,
                         const struct dag_value *value, void *slot);
dag_read_fn dag_read_args, dag_read_with, dag_read_env, dag_read_kafka, dag_read_clients,
    dag_read_from;

#endif
