/* SPDX-License-Identifier: MIT
 *
 * dag_subst.h - ${NAME}, ${NAME:-default}, ${file:PATH} and $$ in one scalar.
 * Layer: core (pure). Where values come from is the caller's struct dag_source.
 */
#ifndef CORE_DAG_SUBST_H
#define CORE_DAG_SUBST_H

#include "core/dag.h"

struct dag_subst {
    const struct dag_source *source;
    const char *dir; /* ${file:PATH} starts here */
    struct mem_arena *arena;
    struct diag_list *diags;
    size_t bytes; /* put in so far; at most DAG_FILE_BYTES_MAX for a file */
};

/*
 * The text with everything put in: text itself when there is no '$' in it, else a copy in
 * the arena. NULL when something is missing or malformed: diags says what, at pos.
 */
const char *dag_subst_text(struct dag_subst *subst, const char *text, struct dag_pos pos);

#endif
