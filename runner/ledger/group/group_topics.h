/* SPDX-License-Identifier: MIT
 *
 * group_topics.h - what groups want to know of topics, and of a group's own configs.
 * Layer: ledger/group. group/ does not know topic/: whoever builds both hands in these
 * functions. Everything they hand out is borrowed until the catalogue changes.
 */
#ifndef LEDGER_GROUP_GROUP_TOPICS_H
#define LEDGER_GROUP_GROUP_TOPICS_H

#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct group_topic {
    const char *name;
    struct wire_uuid id;
    int32_t partitions;
};

typedef void group_topic_fn(void *arg, const struct group_topic *topic);

struct group_topics {
    void *arg;
    bool (*find)(void *arg, const char *name, struct group_topic *out);
    bool (*find_id)(void *arg, const struct wire_uuid *id, struct group_topic *out);
    void (*each)(void *arg, group_topic_fn *fn, void *fn_arg); /* in any order */
    /* A number that changes whenever a topic is created, grown or deleted. */
    uint64_t (*version)(void *arg);
};

/*
 * A config that was set for one group ("consumer.session.timeout.ms"): its value;
 * false when the group has none of its own, then the broker's default holds.
 */
struct group_configs {
    void *arg;
    bool (*find)(void *arg, const char *group_id, const char *name, int64_t *value);
};

#endif
