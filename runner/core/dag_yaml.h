/* SPDX-License-Identifier: MIT
 *
 * dag_yaml.h - YAML text to a tree of values with positions; substitution is done.
 * Layer: core (pure). The only file that knows libyaml, and of it only the event parser:
 * its cost is bounded here (size, nesting, events, expansion of aliases), libyaml has no
 * bounds of its own. Knows nothing of dags.
 */
#ifndef CORE_DAG_YAML_H
#define CORE_DAG_YAML_H

#include "core/dag.h"
#include "core/dag_subst.h"

enum dag_value_kind { DAG_SCALAR, DAG_LIST, DAG_MAP };

struct dag_value {
    enum dag_value_kind kind;
    struct dag_pos pos;
    const char *text;       /* of a scalar, after substitution */
    bool plain;             /* a scalar without quotes and not a block: 5, true, null… */
    bool failed;            /* reported already: say nothing more about it */
    struct dag_item *items; /* of a list or map, in the order of the file */
    uint32_t count;         /* of them */
    uint32_t size;          /* values in it and itself, aliases expanded */
    uint32_t bytes;         /* text in it, aliases expanded */
};

struct dag_item {
    const struct dag_value *key; /* a scalar; NULL in a list */
    const struct dag_value *value;
    struct dag_item *next;
};

/* Parse one document. NULL when there is none that we take: diags says why. */
const struct dag_value *dag_yaml_parse(const char *text, size_t len,
                                       struct mem_arena *arena, struct dag_subst *subst,
                                       struct diag_list *diags);

/* A plain scalar that YAML reads as null: nothing, ~, null. */
bool dag_value_is_null(const struct dag_value *value);

/* What stands there, for messages: "a list", "a map", "nothing", "'text'". */
enum { DAG_SHOWN = 64 };
void dag_value_show(const struct dag_value *value, char shown[DAG_SHOWN]);
void dag_text_show(const char *text, char shown[DAG_SHOWN]);

#endif
