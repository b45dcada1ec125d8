/* SPDX-License-Identifier: MIT
 *
 * ledger_groups_rig.h - a group coordinator with a fake clock, and clients that call
 * it. For ledger_groups*_test.c. One group "g"; a ticket is what a client sees of its
 * join or sync.
 */
#ifndef LEDGER_GROUPS_RIG_H
#define LEDGER_GROUPS_RIG_H

#include "base/mem.h"
#include "ledger/group/groups.h"
#include "ledger/wire/messages_groups.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 80, TICKETS = 400, SESSION = 10000, REBALANCE = 60000 };

/* What a client sees of its join or sync. */
struct ticket {
    bool is_sync;
    int answers;
    int error, generation;
    bool skip;
    char id[TEXT], leader[TEXT], protocol[TEXT], type[TEXT], assignment[TEXT];
    int members;
};

static char path[256];
static struct store *store;
static struct offsets *offsets;
static struct groups *groups;
static struct groups_settings settings;
static struct ticket tickets[TICKETS];
static int tickets_used;
static int64_t now_ms, wall_ms;

static inline void copy(char to[TEXT], const void *from, int32_t len)
{
    snprintf(to, TEXT, "%.*s", len > 0 ? (int)len : 0, (const char *)from);
}

static inline void answer(void *arg, const void *response)
{
    struct ticket *ticket = arg;
    const struct join_group_response *join = response;
    const struct sync_group_response *sync = response;

    ticket->answers++;
    if (ticket->is_sync) {
        ticket->error = sync->error_code;
        copy(ticket->assignment, sync->assignment.data, sync->assignment.len);
        copy(ticket->protocol, sync->protocol_name.data, sync->protocol_name.len);
        return;
    }
    ticket->error = join->error_code;
    ticket->generation = join->generation_id;
    ticket->skip = join->skip_assignment;
    ticket->members = join->members_count;
    copy(ticket->id, join->member_id.data, join->member_id.len);
    copy(ticket->leader, join->leader.data, join->leader.len);
    copy(ticket->protocol, join->protocol_name.data, join->protocol_name.len);
    copy(ticket->type, join->protocol_type.data, join->protocol_type.len);
}

/* ---- a broker and its clients ------------------------------------------------ */

static inline void open_all(void)
{
    struct store_report report;
    struct error err = {0};

    store = store_open(path, &report, &err);
    ck_assert_msg(store != NULL, "%s", err.text);
    offsets = offsets_open(store, &err);
    groups = groups_open(&settings, store, offsets, answer, now_ms, &err);
    ck_assert_ptr_nonnull(groups);
}

static inline void close_all(void)
{
    groups_close(groups);
    offsets_close(offsets);
    store_close(store);
}

static inline void restart(void)
{
    close_all();
    open_all();
}

static inline void begin(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/ledger-groups-%d", tmp ? tmp : "/tmp",
             (int)getpid());
    unlink(path);
    now_ms = 1000;
    wall_ms = 1000000;
    groups_settings_default(&settings);
    open_all();
}

static inline void end(void)
{
    close_all();
    unlink(path);
}

static inline void set_delay(int64_t delay_ms)
{
    settings.initial_rebalance_delay_ms = delay_ms;
    restart();
}

/* Let time pass; what is due on the way happens in its time. */
static inline void pass(int64_t ms)
{
    int64_t until = now_ms + ms, next_ms;

    while ((next_ms = groups_tick(groups, now_ms, wall_ms)) <= until) {
        wall_ms += next_ms - now_ms;
        now_ms = next_ms;
    }
    wall_ms += until - now_ms;
    now_ms = until;
}

static inline void round_ends(void)
{
    (void)groups_tick(groups, now_ms, wall_ms);
}

static inline struct groups_caller caller(int version)
{
    return (struct groups_caller){wire_string_of("app"), "/127.0.0.1", now_ms, wall_ms,
                                  (int16_t)version};
}

static inline struct ticket *new_ticket(bool is_sync)
{
    struct ticket *ticket;

    ck_assert_int_lt(tickets_used, TICKETS);
    ticket = &tickets[tickets_used++];
    memset(ticket, 0, sizeof *ticket);
    ticket->is_sync = is_sync;
    return ticket;
}

struct client {
    const char *id;        /* "" or NULL: none yet */
    const char *instance;  /* NULL: dynamic */
    const char *protocols; /* one letter each, as preferred; NULL: "r" */
    const char *metadata;  /* NULL: the protocol's letter */
    int version;           /* 0: 9 */
    int rebalance;         /* 0: REBALANCE */
};

static inline struct ticket *join(struct client client)
{
    struct join_group_request_join_group_request_protocol protocols[8];
    struct join_group_request request;
    struct ticket *ticket = new_ticket(false);
    struct groups_caller who = caller(client.version ? client.version : 9);
    const char *letters = client.protocols ? client.protocols : "r";

    wire_defaults(&join_group_request_message, &request);
    request.group_id = wire_string_of("g");
    request.session_timeout_ms = SESSION;
    request.rebalance_timeout_ms = client.rebalance ? client.rebalance : REBALANCE;
    request.member_id = wire_string_of(client.id ? client.id : "");
    request.group_instance_id = wire_string_of(client.instance);
    request.protocol_type = wire_string_of("consumer");
    request.protocols = protocols;
    request.protocols_count = (int32_t)strlen(letters);
    for (int i = 0; letters[i]; i++) {
        const char *metadata = client.metadata ? client.metadata : &letters[i];

        protocols[i].name = (struct wire_string){&letters[i], 1};
        protocols[i].metadata = (struct wire_bytes){
            (const uint8_t *)metadata, client.metadata ? (int32_t)strlen(metadata) : 1};
    }
    groups_join(groups, &request, &who, ticket);
    return ticket;
}

/* A dynamic member comes: first it is told its id. */
static inline struct ticket *join_new(const char *protocols)
{
    struct ticket *first = join((struct client){.protocols = protocols});

    ck_assert_int_eq(first->error, KAFKA_MEMBER_ID_REQUIRED);
    return join((struct client){.id = first->id, .protocols = protocols});
}

static inline struct ticket *sync_as(const char *id, const char *instance,
                                     int generation, const char *const *assignments,
                                     int count)
{
    struct sync_group_request_sync_group_request_assignment given[8];
    struct sync_group_request request;
    struct ticket *ticket = new_ticket(true);
    struct groups_caller who = caller(5);

    wire_defaults(&sync_group_request_message, &request);
    request.group_id = wire_string_of("g");
    request.member_id = wire_string_of(id);
    request.group_instance_id = wire_string_of(instance);
    request.generation_id = generation;
    request.assignments = given;
    request.assignments_count = count;
    for (int i = 0; i < count; i++) {
        given[i].member_id = wire_string_of(assignments[2 * i]);
        given[i].assignment =
            (struct wire_bytes){(const uint8_t *)assignments[2 * i + 1],
                                (int32_t)strlen(assignments[2 * i + 1])};
    }
    groups_sync(groups, &request, &who, ticket);
    return ticket;
}

static inline struct ticket *sync_member(const struct ticket *joined)
{
    return sync_as(joined->id, NULL, joined->generation, NULL, 0);
}

static inline int heartbeat_as(const char *id, const char *instance, int generation)
{
    struct heartbeat_request request;
    struct groups_caller who = caller(4);

    wire_defaults(&heartbeat_request_message, &request);
    request.group_id = wire_string_of("g");
    request.member_id = wire_string_of(id);
    request.group_instance_id = wire_string_of(instance);
    request.generation_id = generation;
    return groups_heartbeat(groups, &request, &who);
}

static inline int heartbeat(const struct ticket *joined)
{
    return heartbeat_as(joined->id, NULL, joined->generation);
}

static inline int leave(const char *id, const char *instance)
{
    struct leave_group_request_member_identity one;
    struct leave_group_request request;
    struct leave_group_response response;
    struct groups_caller who = caller(5);
    struct mem_arena arena = {0};
    int error;

    wire_defaults(&leave_group_request_message, &request);
    wire_defaults(&leave_group_request_member_identity_message, &one);
    request.group_id = wire_string_of("g");
    one.member_id = wire_string_of(id);
    one.group_instance_id = wire_string_of(instance);
    request.members = &one;
    request.members_count = 1;
    groups_leave(groups, &request, &who, &arena, &response);
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    ck_assert_int_eq(response.members_count, 1);
    error = response.members[0].error_code;
    mem_arena_clear(&arena);
    return error;
}

static inline int may_commit(const char *id, const char *instance, int generation)
{
    struct groups_member who = {wire_string_of("g"), wire_string_of(id),
                                wire_string_of(instance), generation};
    struct groups_caller from = caller(9);

    return groups_check_commit(groups, &who, false, &from);
}

static inline int may_commit_in_transaction(const char *id, int generation)
{
    struct groups_member who = {
        wire_string_of("g"), wire_string_of(id), {NULL, -1}, generation};
    struct groups_caller from = caller(3);

    return groups_check_commit(groups, &who, true, &from);
}

/* The state as DescribeGroups shows it. */
static inline const char *state(void)
{
    struct describe_groups_response_described_group out;
    struct mem_arena arena = {0};
    static char text[TEXT];

    groups_describe(groups, wire_string_of("g"), 6, &arena, &out);
    copy(text, out.group_state.data, out.group_state.len);
    mem_arena_clear(&arena);
    return text;
}

/* One member alone in a stable group. */
static inline struct ticket *stable_one(void)
{
    struct ticket *joined = join_new(NULL), *synced;
    const char *given[] = {joined->id, "all"};

    round_ends();
    ck_assert_int_eq(joined->answers, 1);
    given[0] = joined->id;
    synced = sync_as(joined->id, NULL, joined->generation, given, 1);
    ck_assert_str_eq(synced->assignment, "all");
    ck_assert_str_eq(state(), "Stable");
    return joined;
}

/* Two members, the first of them leads; both know the stable generation 2. */
static inline void stable_two(struct ticket **first, struct ticket **second)
{
    struct ticket *one = stable_one(), *two = join_new(NULL);
    const char *given[4];

    *first = join((struct client){.id = one->id});
    *second = two;
    ck_assert_int_eq((*first)->answers + two->answers, 2);
    given[0] = one->id, given[1] = "left", given[2] = two->id, given[3] = "right";
    (void)sync_member(two);
    (void)sync_as(one->id, NULL, two->generation, given, 2);
    ck_assert_str_eq(state(), "Stable");
}

#endif
