/* SPDX-License-Identifier: MIT
 *
 * assignor.h - who gets which partition: Kafka's assignors "uniform" and "range".
 * Layer: ledger/group (pure). Sticky: a member keeps what it has where balance allows.
 * Topics and members are numbers here, so that 1,000 members and 10,000 partitions are
 * a few milliseconds.
 */
#ifndef LEDGER_GROUP_ASSIGNOR_H
#define LEDGER_GROUP_ASSIGNOR_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

/* One partition of topic number `topic`. */
struct assignor_partition {
    int32_t topic;
    int32_t partition;
};

struct assignor_member {
    const char *instance_id; /* NULL: not static; range puts static ones first */
    const char *id;
    const int32_t *topics; /* subscribed, ascending topic numbers */
    int32_t topics_count;
    const struct assignor_partition *owned; /* the current target, ascending */
    int32_t owned_count;
};

struct assignor_input {
    const int32_t *topic_partitions; /* [topic number] = how many partitions it has */
    int32_t topics_count;
    const struct assignor_member *members;
    int32_t members_count;
    bool homogeneous; /* all members subscribe to the same topics */
};

/* Per member, in the order of the input: its partitions, ascending. */
struct assignor_share {
    struct assignor_partition *partitions;
    int32_t count;
};

/* Fill shares[members_count]; everything in them comes from arena. */
typedef void assignor_fn(const struct assignor_input *input, struct mem_arena *arena,
                         struct assignor_share *shares);

assignor_fn assignor_uniform;
assignor_fn assignor_range;

/* By Kafka's name ("uniform", "range"), NULL when there is none. The first is the
 * default. */
assignor_fn *assignor_find(const char *name);
const char *assignor_default(void);

#endif
