/* SPDX-License-Identifier: MIT
 *
 * consumer_member.h - one member of a consumer group: what it said of itself, and how
 * far it is with its partitions. Layer: ledger/group. A request changes a copy; the
 * group takes it when the store has it.
 */
#ifndef LEDGER_GROUP_CONSUMER_MEMBER_H
#define LEDGER_GROUP_CONSUMER_MEMBER_H

#include "base/mem.h"
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
    bool classic;               /* it uses the classic protocol (consumer_classic.h) */
    int32_t classic_session_ms; /* its session timeout then */
    struct text_buf protocols;  /* and its protocols: names and metadata, packed */

    enum consumer_member_state state;
    int32_t epoch;
    int32_t previous_epoch;
    struct partition_set assigned; /* may be used by the member */
    struct partition_set revoking; /* not its own any more, but not given up either */
    struct partition_set target;   /* where it shall come to */

    int64_t session_deadline_ms;
    int64_t rebalance_deadline_ms; /* to give up partitions; INT64_MAX: none */
    int64_t join_deadline_ms; /* of the classic protocol, to join again, and to sync */
    int64_t sync_deadline_ms;
    UT_hash_handle hh;
    UT_hash_handle hh_instance;
};

struct consumer_member *consumer_member_new(const char *id);
void consumer_member_free(struct consumer_member *member); /* NULL is fine */
/* Everything but the target and the place in the group's tables. */
struct consumer_member *consumer_member_copy(const struct consumer_member *member);

/* The same for the member that takes the place of a static one: it begins at epoch 0.
 */
struct consumer_member *consumer_member_successor(const struct consumer_member *member,
                                                  const char *id);
/* A uuid as Kafka writes it: 16 random bytes in base64 for URLs. */
char *consumer_new_id(struct mem_arena *arena);

bool consumer_member_same_topics(const struct consumer_member *a,
                                 const struct consumer_member *b);
/* Stable, and at this epoch of the target? */
bool consumer_member_settled(const struct consumer_member *member, int32_t epoch);

/* Take over what the request says; what it leaves out stays. It is no classic one then.
 */
void consumer_member_update(struct consumer_member *member,
                            const struct consumer_group_heartbeat_request *request,
                            struct wire_string client_id, const char *client_host);

/* A protocol that a member of the classic protocol offers. */
struct consumer_protocol {
    struct wire_string name;
    struct wire_bytes metadata;
};

/* What a member of the classic protocol says; all borrowed. */
struct consumer_classic_facts {
    struct wire_string instance_id; /* null: none */
    struct wire_string rack_id;
    struct wire_string client_id;
    const char *client_host;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms; /* -1: as before */
    const struct wire_string *topics;
    int32_t topics_count;
    const struct consumer_protocol *protocols;
    int32_t protocols_count;
};
void consumer_member_update_classic(struct consumer_member *member,
                                    const struct consumer_classic_facts *facts);
/* The index-th protocol of a classic member; false: it has not so many. */
bool consumer_member_protocol(const struct consumer_member *member, int32_t index,
                              struct consumer_protocol *out);

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
