/* SPDX-License-Identifier: MIT
 *
 * dag_keys.h - every key of the YAML language, in one table.
 * Layer: core (pure). The parser, `dagrun schema`, docs/dag-reference.md and completion
 * all come from it; nothing else knows a key's name, range or default.
 */
#ifndef CORE_DAG_KEYS_H
#define CORE_DAG_KEYS_H

#include "core/dag.h"

/* The maps of a dag file in which keys of ours stand. */
enum dag_scope {
    DAG_SCOPE_ROOT,
    DAG_SCOPE_KAFKA,
    DAG_SCOPE_DEFAULTS,
    DAG_SCOPE_NODE,
    DAG_SCOPE_EDGE,
    DAG_SCOPE_RESTART,
    DAG_SCOPE_STOP,
    DAG_SCOPES
};

enum dag_type {
    DAG_TYPE_TEXT,     /* not empty */
    DAG_TYPE_NAME,     /* [A-Za-z0-9][A-Za-z0-9_-]{0,62} */
    DAG_TYPE_PREFIX,   /* part of a topic name, may be empty */
    DAG_TYPE_BROKERS,  /* host:port, … */
    DAG_TYPE_PROGRAM,  /* name of a built-in, or a path */
    DAG_TYPE_PATH,     /* made absolute from the YAML's folder */
    DAG_TYPE_INT,      /* min to max */
    DAG_TYPE_DURATION, /* min to max, in ms */
    DAG_TYPE_SIZE,     /* min to max, in bytes */
    DAG_TYPE_CHOICE,   /* one of choices */
    DAG_TYPE_POLICY,   /* one of choices, or a map of keys of the inner scope */
    DAG_TYPE_ARGS,     /* list of texts */
    DAG_TYPE_ENV,      /* map name → text */
    DAG_TYPE_KAFKA,    /* map librdkafka property → text */
    DAG_TYPE_WITH,     /* map name → any value */
    DAG_TYPE_CLIENTS,  /* a number or a list of ids */
    DAG_TYPE_FROM,     /* a name, a list of names, a map name → keys of the inner scope */
    DAG_TYPE_SECTION,  /* a map of keys of the inner scope */
    DAG_TYPE_DEFAULTS, /* as a section, but only keys that may be defaults */
    DAG_TYPE_NODES,    /* a map name → keys of the inner scope */
    DAG_TYPES
};

enum {
    DAG_KEY_LATER = 1,    /* refused as "not supported yet" */
    DAG_KEY_DEFAULT = 2,  /* may stand under defaults: */
    DAG_KEY_REQUIRED = 4,
};

struct dag_key {
    enum dag_scope scope;
    const char *name;
    enum dag_type type;
    enum dag_scope inner;
    unsigned flags;
    const char *fallback; /* the default, as people read it; NULL: none */
    const char *range;    /* "1ms to 24h": what min and max are, in the key's unit */
    int64_t min;
    int64_t max;
    const char *const *choices; /* NULL-terminated; values are their indices */
    const char *choice_later;   /* a choice that is refused as "not supported yet" */
    const char *doc;
    size_t offset;     /* of the value in struct dag, dag_node, dag_edge, … policy */
    size_t pos_offset; /* of its struct dag_pos; 0: not kept */
};

/* Ends with a name that is NULL. */
extern const struct dag_key dag_keys[];

const struct dag_key *dag_key_find(enum dag_scope scope, const char *name);

/* The supported key of the scope that was probably meant; NULL when none is near. */
const char *dag_key_nearest(enum dag_scope scope, const char *name);

/* "a whole number from 1 to 1000": what the key takes; for messages and the reference. */
enum { DAG_EXPECTED = 256 };
void dag_key_expected(const struct dag_key *key, char expected[DAG_EXPECTED]);

/* Why a librdkafka property may not be set in kafka.properties; NULL: it may. */
const char *dag_property_refusal(const char *property);

/* Is the value of this librdkafka property a secret, never to be shown? */
bool dag_property_is_secret(const char *property);

/* The properties of dag_property_refusal(), for the reference page; NULL at the end. */
const char *dag_property_refused(size_t index);

/* [A-Za-z0-9][A-Za-z0-9_-]{0,62} */
bool dag_is_name(const char *text);
#define DAG_NAME_RULE                                                                      \
    "1 to 63 letters, digits, '-' and '_', beginning with a letter or digit"

#endif
