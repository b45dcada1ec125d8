/* SPDX-License-Identifier: MIT
 *
 * consumer_member.h - one member of a consumer group: what it said of itself, and how
 * far it is with its partitions. Layer: ledger/group. A request changes a copy; the
 * group takes it when the store has it.
 */
#ifndef LEDGER_GROUP_CONSUMER_MEMBER_H
#define LEDGER_GROUP_CONSUMER_MEMBER_H

#include "base/text.h"
#include "ledger/group/partition_set.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

struct consumer_group_heartbeat_request;

enum {
    CONSUMER_JOIN = 0, /* member epochs that mean something else in a request */
    CONSUMER_LEAVE = -1,
    CONSUMER_LEAVE_STATIC = -2,
};

enum consumer_member_state {
    CONSUMER_STABLE, /* at the epoch of its target, or at an older one, with all it had
                      */
    CONSUMER_UNREVOKED,  /* must give up partitions before it may go on */
    CONSUMER_UNRELEASED, /* waits for partitions that others have not given up yet */
};

struct consumer_member {
    char *id;
    char *instance_id; /* NULL: not static */
    char *rack_id;     /* NULL: none */
    char *client_id;
    char *client_host;
    char *regex;    /* never NULL; "" without */
    char *assignor; /* NULL: no wish */
    char **topics;  /* subscribed names, ascending, without duplicates */
    int32_t topics_count;
    int32_t rebalance_timeout_ms;

    enum consumer_member_state state;
    int32_t epoch;
    int32_t previous_epoch;
    struct partition_set assigned; /* may be used by the member */
    struct partition_set revoking; /* not its own any more, but not given up either */
    struct partition_set target;   /* where it shall come to */

    int64_t session_deadline_ms;
    int64_t rebalance_deadline_ms; /* INT64_MAX: none */
    UT_hash_handle hh;
    UT_hash_handle hh_instance;
};

struct consumer_member *consumer_member_new(const char *id);
void consumer_member_free(struct consumer_member *member); /* NULL is fine */
/* Everything but the target and the place in the group's tables. */
struct consumer_member *consumer_member_copy(const struct consumer_member *member);

bool consumer_member_same_topics(const struct consumer_member *a,
                                 const struct consumer_member *b);
/* Stable, and at this epoch of the target? */
bool consumer_member_settled(const struct consumer_member *member, int32_t epoch);

/* Take over what the request says; what it leaves out stays. */
void consumer_member_update(struct consumer_member *member,
                            const struct consumer_group_heartbeat_request *request,
                            struct wire_string client_id, const char *client_host);
/* The next epoch; the one before it is remembered, its answer may get lost. */
void consumer_member_advance(struct consumer_member *member, int32_t epoch);

/*
 * The stored forms: what the member said, where it is, and its target. Reading returns
 * false when the bytes are no such thing; the member is then partly filled.
 */
void consumer_member_write_facts(const struct consumer_member *member,
                                 struct text_buf *out);
void consumer_member_write_place(const struct consumer_member *member,
                                 struct text_buf *out);
void consumer_member_write_target(const struct partition_set *target,
                                  struct text_buf *out);
bool consumer_member_read_facts(struct consumer_member *member, const void *data,
                                size_t len);
bool consumer_member_read_place(struct consumer_member *member, const void *data,
                                size_t len);
bool consumer_member_read_target(struct consumer_member *member, const void *data,
                                 size_t len);

#endif
