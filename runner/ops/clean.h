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
};

struct clean_item {
    enum clean_what what;
    enum clean_fate fate;
    const char *name;
    const char *topic_id; /* as recorded, or NULL */
    int partitions;
    const char *member; /* of a group: client id and host of one, NULL: it has none */
};

struct clean_plan {
    struct mem_arena arena;
    const char *dag;
    struct clean_item *items;
    size_t count;
};

/*
 * What would go, after a look at the broker.
 * Errors: ERROR_CONFLICT the dag runs; ERROR_UNREACHABLE no broker.
 */
int clean_plan(const struct ops *ops, const char *dag, const struct history_last *last,
               const struct broker_config *config, struct clean_plan *out,
               struct error *err);
void clean_plan_clear(struct clean_plan *plan);

/*
 * Delete groups, then topics, then forget the dag's state, holding the dag's lock. The
 * broker takes clients that have just ended for members until their sessions run out,
 * 10 to 30 s later; it waits for that for at most 60 s.
 * Errors: ERROR_CONFLICT a group still has a member (a client on another machine), or the
 *         dag was started meanwhile: its topics are all there then.
 */
int clean_carry_out(const struct ops *ops, const struct clean_plan *plan,
                    const struct broker_config *config, struct error *err);

#endif
