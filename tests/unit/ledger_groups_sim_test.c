/* SPDX-License-Identifier: MIT
 *
 * Two hundred clients that join, leave, die, come back and sleep at random, and a
 * broker that restarts at random, against what must always be true.
 */
#include "base/mem.h"
#include "ledger/group/groups.h"
#include "ledger/wire/messages_groups.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CLIENTS = 200,
    PARTITIONS = 60,
    STATIC_EVERY = 4, /* each fourth client has an instance id */
    STEPS = 40000,
    STEP_MS = 40,
    SESSION_MS = 6000,
    REBALANCE_MS = 9000,
    HEARTBEAT_MS = 1500,
    GENERATIONS = 30000,
    ID_MAX = 64,
};

struct ticket {
    bool is_sync;
    int answers;
    struct join_group_response join; /* without its texts */
    int error;
    char id[ID_MAX];
    char (*members)[ID_MAX]; /* the leader's list */
    uint8_t owned[PARTITIONS];
    struct ticket *next;
};

enum phase { DOWN, IDLE, JOINING, SYNCING, WORKING };

struct client {
    enum phase phase;
    char id[ID_MAX], instance[ID_MAX];
    int generation;
    struct ticket *ticket;
    int64_t beat_ms;
    int64_t asleep_until_ms;
};

/* What was ever said of a generation. */
struct seen {
    int16_t leader;            /* client that was asked to assign, + 1 */
    int16_t owner[PARTITIONS]; /* client, + 1 */
};

static char path[256];
static struct store *store;
static struct offsets *offsets;
static struct groups *groups;
static struct client clients[CLIENTS];
static struct seen *seen; /* by generation */
static struct ticket *tickets;
static int64_t now_ms = 1000, wall_ms = 1000000;
static uint32_t state = 4242;
static int last_generation, wrong_leader, wrong_owner, wrong_order, twice, joins,
    restarts;

static uint32_t roll(uint32_t sides)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % sides;
}

/* ---- answers ----------------------------------------------------------------- */

static void take_join(struct ticket *ticket, const struct join_group_response *response)
{
    ticket->join = *response;
    ticket->error = response->error_code;
    snprintf(ticket->id, ID_MAX, "%.*s", (int)response->member_id.len,
             response->member_id.data);
    if (response->members_count <= 0)
        return;
    ticket->members =
        mem_alloc((size_t)response->members_count * sizeof *ticket->members);
    for (int32_t i = 0; i < response->members_count; i++)
        snprintf(ticket->members[i], ID_MAX, "%.*s",
                 (int)response->members[i].member_id.len,
                 response->members[i].member_id.data);
}

static void answer(void *arg, const void *response)
{
    struct ticket *ticket = arg;
    const struct sync_group_response *sync = response;

    twice += ticket->answers++ > 0;
    if (!ticket->is_sync) {
        take_join(ticket, response);
        return;
    }
    ticket->error = sync->error_code;
    if (sync->error_code == KAFKA_NONE && sync->assignment.len == PARTITIONS)
        memcpy(ticket->owned, sync->assignment.data, PARTITIONS);
}

static struct ticket *new_ticket(bool is_sync)
{
    struct ticket *ticket = mem_alloc(sizeof *ticket);

    ticket->is_sync = is_sync;
    ticket->next = tickets;
    tickets = ticket;
    return ticket;
}

/* ---- the broker -------------------------------------------------------------- */

static void open_all(void)
{
    struct groups_settings settings;
    struct store_report report;
    struct error err = {0};

    groups_settings_default(&settings);
    store = store_open(path, &report, &err);
    ck_assert_msg(store != NULL, "%s", err.text);
    offsets = offsets_open(store, &err);
    groups = groups_open(&settings, store, offsets, answer, now_ms, &err);
}

static void close_all(void)
{
    groups_close(groups);
    offsets_close(offsets);
    store_close(store);
}

static struct groups_caller caller(int16_t version)
{
    return (struct groups_caller){wire_string_of("sim"), "/::1", now_ms, wall_ms,
                                  version};
}

/* ---- the clients ------------------------------------------------------------- */

static struct wire_string instance_of(const struct client *client)
{
    return client->instance[0] ? wire_string_of(client->instance)
                               : (struct wire_string){NULL, -1};
}

static void client_join(struct client *client)
{
    struct join_group_request_join_group_request_protocol protocol = {
        wire_string_of("range"), {(const uint8_t *)"m", 1}};
    struct join_group_request request;
    struct groups_caller who = caller(roll(5) == 0 ? 3 : 9);

    if (client->instance[0])
        who.version = 9;
    wire_defaults(&join_group_request_message, &request);
    request.group_id = wire_string_of("g");
    request.session_timeout_ms = SESSION_MS;
    request.rebalance_timeout_ms = REBALANCE_MS;
    request.member_id = wire_string_of(client->id);
    request.group_instance_id = instance_of(client);
    request.protocol_type = wire_string_of("consumer");
    request.protocols = &protocol;
    request.protocols_count = 1;
    client->phase = JOINING;
    client->ticket = new_ticket(false);
    joins++;
    groups_join(groups, &request, &who, client->ticket);
}

/* Deal the partitions out among the members, when this one was told to. */
static void client_sync(struct client *client, const struct ticket *joined)
{
    int32_t count = joined->join.skip_assignment ? 0 : joined->join.members_count;
    struct sync_group_request_sync_group_request_assignment *given =
        mem_alloc(((size_t)count + 1) * sizeof *given);
    uint8_t(*owned)[PARTITIONS] = mem_alloc(((size_t)count + 1) * sizeof *owned);
    struct sync_group_request request;
    struct groups_caller who = caller(5);

    for (int p = 0; count > 0 && p < PARTITIONS; p++)
        owned[p % count][p] = 1;
    for (int32_t i = 0; i < count; i++) {
        given[i].member_id = wire_string_of(joined->members[i]);
        given[i].assignment = (struct wire_bytes){owned[i], PARTITIONS};
    }
    wire_defaults(&sync_group_request_message, &request);
    request.group_id = wire_string_of("g");
    request.generation_id = client->generation;
    request.member_id = wire_string_of(client->id);
    request.group_instance_id = instance_of(client);
    request.assignments = given;
    request.assignments_count = count;
    client->phase = SYNCING;
    client->ticket = new_ticket(true);
    groups_sync(groups, &request, &who, client->ticket);
    free(given);
    free(owned);
}

static void client_recover(struct client *client, int error)
{
    client->phase = error == KAFKA_FENCED_INSTANCE_ID ? DOWN : IDLE;
    if (error == KAFKA_UNKNOWN_MEMBER_ID || error == KAFKA_FENCED_INSTANCE_ID)
        client->id[0] = '\0';
}

static void client_joined(struct client *client, const struct ticket *ticket)
{
    int generation = ticket->join.generation_id;
    int16_t self = (int16_t)(client - clients + 1);

    if (ticket->error == KAFKA_MEMBER_ID_REQUIRED)
        memcpy(client->id, ticket->id, ID_MAX);
    if (ticket->error != KAFKA_NONE) {
        client_recover(client, ticket->error);
        return;
    }
    ck_assert_int_lt(generation, GENERATIONS);
    memcpy(client->id, ticket->id, ID_MAX);
    wrong_order += generation < client->generation;
    client->generation = generation;
    if (generation > last_generation)
        last_generation = generation;
    if (ticket->join.members_count > 0 && !ticket->join.skip_assignment) {
        wrong_leader += seen[generation].leader != 0 && seen[generation].leader != self;
        seen[generation].leader = self;
    }
    client_sync(client, ticket);
}

static void client_synced(struct client *client, const struct ticket *ticket)
{
    int16_t self = (int16_t)(client - clients + 1);

    if (ticket->error != KAFKA_NONE) {
        client_recover(client, ticket->error);
        return;
    }
    client->phase = WORKING;
    client->beat_ms = now_ms + HEARTBEAT_MS;
    for (int p = 0; p < PARTITIONS; p++) {
        int16_t *owner = &seen[client->generation].owner[p];

        if (!ticket->owned[p])
            continue;
        wrong_owner += *owner != 0 && *owner != self;
        *owner = self;
    }
}

static void client_beat(struct client *client)
{
    struct heartbeat_request request;
    struct groups_caller who = caller(4);
    int error;

    wire_defaults(&heartbeat_request_message, &request);
    request.group_id = wire_string_of("g");
    request.generation_id = client->generation;
    request.member_id = wire_string_of(client->id);
    request.group_instance_id = instance_of(client);
    client->beat_ms = now_ms + HEARTBEAT_MS;
    error = groups_heartbeat(groups, &request, &who);
    if (error != KAFKA_NONE)
        client_recover(client, error);
}

static void client_leave(struct client *client)
{
    struct leave_group_request_member_identity one;
    struct leave_group_request request;
    struct leave_group_response response;
    struct groups_caller who = caller(5);
    struct mem_arena arena = {0};

    wire_defaults(&leave_group_request_message, &request);
    wire_defaults(&leave_group_request_member_identity_message, &one);
    request.group_id = wire_string_of("g");
    request.members = &one;
    request.members_count = 1;
    one.member_id = wire_string_of(client->id);
    one.group_instance_id = instance_of(client);
    groups_leave(groups, &request, &who, &arena, &response);
    mem_arena_clear(&arena);
    client->phase = DOWN;
    client->id[0] = '\0';
}

/* One step of a client that is awake. */
static void client_step(struct client *client)
{
    struct ticket *ticket = client->ticket;

    if (client->phase == IDLE) {
        client_join(client);
    } else if (client->phase == WORKING) {
        if (client->beat_ms <= now_ms)
            client_beat(client);
    } else if (client->phase != DOWN && ticket->answers > 0) {
        client->ticket = NULL;
        if (client->phase == JOINING)
            client_joined(client, ticket);
        else
            client_synced(client, ticket);
    }
}

static void chaos(void)
{
    struct client *client = &clients[roll(CLIENTS)];
    uint32_t what = roll(100);

    if (what < 50 && client->phase == DOWN) {
        client->phase = IDLE;
        client->generation = 0;
    } else if (what < 60 && client->phase == WORKING) {
        client_leave(client);
    } else if (what < 75) { /* it dies and says nothing; its request is left behind */
        client->phase = DOWN;
        client->id[0] = '\0';
    } else if (what < 85) {
        client->asleep_until_ms = now_ms + roll(12000);
    } else if (roll(60) == 0) {
        close_all();
        open_all();
        restarts++;
    }
}

static void step(void)
{
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i].asleep_until_ms <= now_ms)
            client_step(&clients[i]);
    }
    (void)groups_tick(groups, now_ms, wall_ms);
    now_ms += STEP_MS;
    wall_ms += STEP_MS;
}

/* All that live work in the last generation, and every partition has its owner. */
static void check_calm(void)
{
    int lost = 0, elsewhere = 0, unowned = 0, generation = 0;

    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i].phase == WORKING && clients[i].generation > generation)
            generation = clients[i].generation;
    }
    for (int i = 0; i < CLIENTS; i++) {
        lost += clients[i].phase != WORKING && clients[i].phase != DOWN;
        elsewhere += clients[i].phase == WORKING && clients[i].generation != generation;
    }
    for (int p = 0; p < PARTITIONS; p++)
        unowned += seen[generation].owner[p] == 0;
    ck_assert_int_eq(lost, 0);
    ck_assert_int_eq(elsewhere, 0);
    ck_assert_int_eq(unowned, 0);
}

static void free_tickets(void)
{
    int unanswered = 0;

    while (tickets) {
        struct ticket *ticket = tickets;

        tickets = ticket->next;
        unanswered += ticket->answers != 1;
        free(ticket->members);
        free(ticket);
    }
    ck_assert_int_eq(unanswered, 0);
}

START_TEST(whatever_clients_do_a_generation_has_one_leader_and_a_partition_one_owner)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/ledger-groups-sim-%d", tmp ? tmp : "/tmp",
             (int)getpid());
    unlink(path);
    seen = mem_alloc(GENERATIONS * sizeof *seen);
    open_all();
    for (int i = 0; i < CLIENTS; i += STATIC_EVERY)
        snprintf(clients[i].instance, ID_MAX, "static-%d", i);
    for (int n = 0; n < STEPS; n++) {
        /* Calm for a while now and then, so that there are stable generations. */
        if (n / 400 % 3 != 2 && roll(4) == 0)
            chaos();
        if (n % 1200 == 1199)
            check_calm();
        step();
    }
    close_all();
    free_tickets();
    free(seen);
    unlink(path);
    ck_assert_int_eq(twice, 0);
    ck_assert_int_eq(wrong_leader, 0);
    ck_assert_int_eq(wrong_owner, 0);
    ck_assert_int_eq(wrong_order, 0);
    /* It was no idle simulation. */
    ck_assert_int_gt(last_generation, 200);
    ck_assert_int_gt(joins, 5000);
    ck_assert_int_gt(restarts, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_groups_sim");
    TCase *tcase = tcase_create("sim");

    tcase_add_test(
        tcase,
        whatever_clients_do_a_generation_has_one_leader_and_a_partition_one_owner);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
