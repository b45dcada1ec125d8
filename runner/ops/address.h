/* SPDX-License-Identifier: MIT
 *
 * address.h - what people type: DAG, DAG/NODE, DAG/NODE.N, DAG/FROM:TO, DAG@12, DAG@last.
 * Layer: ops. The dag may be left out while exactly one runs (NODE, NODE.N, FROM:TO, @12),
 * and may be the path of a YAML file that has run.
 */
#ifndef OPS_ADDRESS_H
#define OPS_ADDRESS_H

#include "ops/ops.h"

/* Zero-initialise; address_clear. */
struct address {
    struct mem_arena arena;
    const char *dag;    /* always set */
    const char *node;   /* NULL: not said */
    const char *client; /* NULL: not said */
    const char *from;   /* of an edge, or NULL */
    const char *to;
    const char *edge; /* "from:to", or NULL */
    int64_t run;      /* 0: not said, or @last */
    bool has_run;     /* @… was said */
};

/*
 * Resolve text; NULL means the one dag that runs, or, when none does and only one dag is
 * known, that one. The dag is one that is known or lives; nodes and edges are not checked.
 * Errors: ERROR_INPUT not an address, or no dag said and several run (they are named);
 *         ERROR_NOT_FOUND no such dag.
 */
int address_resolve(const struct ops *ops, const char *text, struct address *out,
                    struct error *err);
void address_clear(struct address *address);

#endif
