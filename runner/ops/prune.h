/* SPDX-License-Identifier: MIT
 *
 * prune.h - taking old runs out of the history, with their log folders.
 * Layer: ops. What a start resumes from stays, and so do runs that live.
 */
#ifndef OPS_PRUNE_H
#define OPS_PRUNE_H

#include "ops/ops.h"

struct prune_spec {
    const char *dag;   /* NULL: all */
    int64_t before_ms; /* only runs begun before; 0: whenever */
    int keep;          /* the newest of each dag that stay in any case */
};

struct prune_plan {
    struct mem_arena arena;
    struct history_run_list runs; /* oldest first */
    int64_t deeds;                /* of the audit; only with before_ms and of all dags */
    int64_t deeds_before_ms;
};

/* Which runs would go. */
int prune_plan(const struct ops *ops, const struct prune_spec *spec,
               struct prune_plan *out, struct error *err);
void prune_plan_clear(struct prune_plan *plan);

/* Delete them; *done counts the runs that are gone, also when it fails on the way. */
int prune_carry_out(const struct ops *ops, const struct prune_plan *plan, size_t *done,
                    struct error *err);

#endif
