/* SPDX-License-Identifier: MIT
 *
 * consumer_group.h - the inside of a consumer group. Layer: ledger/group; only for the
 * files consumer*.c, everybody else uses consumer.h.
 *
 * A request makes a change: the member as it will be, and what follows for the group.
 * The change is written to the store in one batch, and then becomes the group.
 */
#ifndef LEDGER_GROUP_CONSUMER_GROUP_H
#define LEDGER_GROUP_CONSUMER_GROUP_H

#include "ledger/group/consumer.h"
#include "ledger/group/consumer_member.h"
#include "ledger/group/pattern.h"

#include <uthash.h>

/* A regular expression that members subscribe by, and what it finds at the moment. */
struct consumer_pattern {
    char *text;
    struct pattern *pattern; /* NULL: stored by another version, finds nothing */
    char **topics;
    int32_t topics_count;
    uint64_t version; /* of the catalogue when it was looked through */
    UT_hash_handle hh;
};

/* Which partitions of a topic are some member's, to use or to give up. */
struct consumer_owned {
    struct wire_uuid topic;
    bool *taken; /* [partition] */
    int32_t room;
    UT_hash_handle hh;
};

struct consumer_group {
    const struct consumer_env *env;
    char *id;
    int32_t epoch;        /* grows when members, subscriptions or their topics change */
    int32_t target_epoch; /* of the members' targets; behind epoch: they are to be made
                             anew */
    uint64_t hash;        /* of the topics that are subscribed to, at epoch */
    uint64_t version;     /* of the catalogue when the hash was last compared */
    bool compared;        /* since the start of the broker */
    int64_t patterns_ms;  /* when the patterns were last looked through */
    int64_t deadline_ms;  /* no member has an earlier one */
    struct consumer_member *members;   /* by id */
    struct consumer_member *instances; /* the static ones by instance id */
    struct consumer_pattern *patterns; /* by text */
    struct consumer_owned *owned;      /* by topic id */
};

/* consumer.c: the member's timers; a group knows its earliest deadline. */
int32_t consumer_session_ms(const struct consumer_group *group);
int32_t consumer_heartbeat_ms(const struct consumer_group *group);
void consumer_watch(struct consumer_group *group, const struct consumer_member *member);
/* Take a member out of the group; the next heartbeat of another one makes new targets.
 */
enum kafka_error consumer_remove(struct consumer_group *group,
                                 struct consumer_member *member);

/* consumer_check.c: fill response with an error and its text; returns the error. */
enum kafka_error consumer_refuse(struct consumer_group_heartbeat_response *response,
                                 struct mem_arena *arena, enum kafka_error error,
                                 const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* consumer_table.c: put a member into the tables, or take it out; who owns is kept too.
 */
void consumer_link(struct consumer_group *group, struct consumer_member *member);
void consumer_unlink(struct consumer_group *group, struct consumer_member *member);
bool consumer_taken(const struct consumer_group *group,
                    const struct partition_id *which);
struct consumer_member *consumer_find(const struct consumer_group *group,
                                      const char *id);
struct consumer_member *consumer_find_instance(const struct consumer_group *group,
                                               const char *instance_id);

/* consumer_patterns.c */
struct consumer_pattern *consumer_pattern_find(const struct consumer_group *group,
                                               const char *text);
/* Compile a text nobody subscribed by yet; false and why when it is no pattern. */
bool consumer_pattern_add(struct consumer_group *group, const char *text,
                          char why[PATTERN_WHY]);
/* Look through the catalogue where it has changed; returns whether it did. */
bool consumer_patterns_refresh(struct consumer_group *group, int64_t now_ms);
/* Forget those that no member subscribes by any more. */
void consumer_patterns_tidy(struct consumer_group *group);
void consumer_patterns_free(struct consumer_group *group);

/* consumer_subscriptions.c: all members as they will be, and the topics they want. */
struct consumer_subscriptions {
    const struct consumer_member **members; /* in the order of their ids */
    int32_t members_count;
    struct group_topic *topics; /* that exist, in the order of their ids */
    int32_t topics_count;
    int32_t **wanted; /* [member]: places in topics, ascending */
    int32_t *wanted_count;
    bool homogeneous;
    uint64_t hash; /* of topics: ids, partitions; and of what patterns find */
};

/* All of the group's members, next in the place of old. Everything is in the arena. */
void consumer_subscriptions(const struct consumer_group *group,
                            const struct consumer_member *old,
                            const struct consumer_member *next, struct mem_arena *arena,
                            struct consumer_subscriptions *out);
/* (topic id, 0) of every topic that the member subscribes to. */
struct partition_set consumer_subscribed_to(const struct consumer_group *group,
                                            const struct consumer_member *member);

/* consumer_change.c */
/* The assignor that most members wish for, or the default. */
const char *consumer_preferred_assignor(const struct consumer_member *const *members,
                                        int32_t count);

struct consumer_change {
    struct consumer_group *group;
    struct consumer_member *old;  /* in the group; NULL: one joins */
    struct consumer_member *next; /* as it will be; NULL: it goes */
    int32_t epoch, target_epoch;
    uint64_t hash, version;
    struct consumer_subscriptions
        subscriptions;             /* filled with the targets, or to compare */
    struct partition_set *targets; /* [subscriptions.members]; NULL: they stay */
};

void consumer_change_begin(struct consumer_change *change, struct consumer_group *group,
                           struct consumer_member *old, struct consumer_member *next);
/* Compare the topics with those at the last epoch; bump, or differing ones: next epoch.
 */
void consumer_change_epoch(struct consumer_change *change, bool bump,
                           struct mem_arena *arena);
/* Make the targets of all members anew, for the change's epoch. */
void consumer_change_target(struct consumer_change *change, struct mem_arena *arena);
/* next's target, as it will be. */
const struct partition_set *
consumer_change_next_target(const struct consumer_change *change);
/* Store it, then the group is so. On failure the group is what it was and next is
 * freed. */
enum kafka_error consumer_change_commit(struct consumer_change *change);
void consumer_change_drop(struct consumer_change *change);

/* consumer_advance.c */
struct consumer_advance {
    struct consumer_group *group;
    struct consumer_member *old;       /* as the group has it; NULL: it joins */
    struct consumer_member *next;      /* with what the request said; taken */
    const struct partition_set *owned; /* what it says it has; NULL: unsaid */
    int64_t now_ms;
    bool assignment_changed; /* out */
};

/* On success the group has next, until the next change; on failure it is freed. */
enum kafka_error consumer_advance(struct consumer_advance *advance,
                                  struct mem_arena *arena);

#endif
