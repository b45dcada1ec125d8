/* SPDX-License-Identifier: MIT
 *
 * clean.h - taking back what a dag has on its broker: topics, consumer groups; and what a
 * later start would resume from. Runs stay in the history.
 * Layer: ops. Blocking, for the commands. Only topics that dagrun made are deleted, and
 * none that somebody has made anew since.
 */
#ifndef OPS_CLEAN_H
#define OPS_CLEAN_H

#include "host/broker.h"
#include "ops/ops.h"

enum clean_what { CLEAN_TOPIC, CLEAN_GROUP };

enum clean_fate {
    CLEAN_DELETE,
    CLEAN_GONE,    /* not there any more */
    CLEAN_FOREIGN, /* a topic that dagrun did not make: stays */
    CLEAN_REMADE,  /* deleted and made by somebody else since: stays */
    CLEAN_BUSY,    /* a group that has members: nothing is cleaned */
};

struct clean_item {
    enum clean_what what;
    enum clean_fate fate;
    const char *name;
    const char *topic_id; /* as recorded, or NULL */
    int partitions;
    const char *member; /* CLEAN_BUSY: client id and host of one */
};

struct clean_plan {
    struct mem_arena arena;
    const char *dag;
    struct clean_item *items;
    size_t count;
    bool busy; /* some group has members */
};

/*
 * What would go, after a look at the broker.
 * Errors: ERROR_CONFLICT the dag runs; ERROR_UNREACHABLE no broker.
 */
int clean_plan(const struct ops *ops, const char *dag, const struct history_last *last,
               const struct broker_config *config, struct clean_plan *out,
               struct error *err);
void clean_plan_clear(struct clean_plan *plan);

/* Delete topics and groups, then forget the dag's state. The dag's lock is held
 * meanwhile. Refused (ERROR_CONFLICT) when the plan says busy. */
int clean_carry_out(const struct ops *ops, const struct clean_plan *plan,
                    const struct broker_config *config, struct error *err);

#endif
