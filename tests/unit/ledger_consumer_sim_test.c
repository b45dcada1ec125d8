/* SPDX-License-Identifier: MIT
 *
 * A random life of a consumer group, of members of the consumer protocol and, in the
 * last case, of the classic one as well: members that join, give up slowly, die, leave,
 * come back with instance ids, lose answers; topics that come, grow and go; a disk that
 * is full now and then; a broker that restarts at any moment. At no time do two members
 * of the group use one partition, and when it is quiet everything comes to rest.
 */
#include "../support/consumer_fake.h"

#include "ledger/group/consumer_classic.h"
#include "ledger/wire/messages_groups.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIENTS = 7,
    NAMES = 4,
    PARTITIONS = 5,
    STEPS = 2000,
    QUIET_ROUNDS = 60,
    HEARTBEAT_MS = 5000,
};

/* A consumer as it behaves: it gives up first, then takes what is new. */
struct client {
    char id[FAKE_NAME];
    char instance[FAKE_NAME]; /* "": dynamic */
    char subscription[FAKE_NAME];
    bool by_pattern;
    bool classic;   /* uses the classic protocol */
    bool eager;     /* and gives up everything before it joins again */
    bool joins;     /* it was told to */
    bool alive;     /* the process runs */
    bool member;    /* it believes to be one */
    bool tells_all; /* the next heartbeat says everything, the last answer got lost */
    bool tells_owned;
    bool reconciles;
    int32_t epoch;
    int64_t next_ms; /* heartbeat */
    int64_t done_ms; /* giving up takes until then */
    struct partition_set uses, assigned;
};

static struct fake fake;
static struct client clients[CLIENTS];
static const char *const names[NAMES] = {"t", "u", "v", "w"};
static unsigned seed;
static int incarnations;
static int doubles, backwards, surprises;
static bool with_classic;

static int pick(int below)
{
    seed = seed * 1103515245U + 12345U;
    return (int)(seed >> 16 & 0x7fff) % below;
}

/* ---- clients --------------------------------------------------------------------- */

static void forget_group(struct client *client)
{
    client->member = false;
    client->reconciles = false;
    client->epoch = 0;
    partition_set_clear(&client->uses);
    partition_set_clear(&client->assigned);
}

static void new_id(struct client *client)
{
    snprintf(client->id, sizeof(client->id), "m%d", ++incarnations);
}

static void choose_subscription(struct client *client, bool alike)
{
    static const char *const sets[] = {"t,u", "t,u", "t,u,v", "u,w", "v"};
    static const char *const patterns[] = {"[tu]", ".*", "w|v"};

    client->by_pattern = !alike && !client->classic && pick(4) == 0;
    snprintf(client->subscription, sizeof(client->subscription), "%s",
             client->by_pattern ? patterns[pick(3)] : sets[alike ? 0 : pick(5)]);
}

static void start_client(struct client *client, bool alike)
{
    forget_group(client);
    client->alive = true;
    client->next_ms = fake.now_ms;
    client->classic = with_classic && pick(2) == 0;
    client->eager = pick(2) == 0;
    client->joins = false;
    new_id(client);
    if (client->classic)
        client->id[0] = '\0'; /* the broker gives it one */
    choose_subscription(client, alike);
}

static void subscribe(struct client *client,
                      struct consumer_group_heartbeat_request *request)
{
    fake_subscribe(&fake, request, client->by_pattern ? "" : client->subscription);
    request->subscribed_topic_regex =
        wire_string_of(client->by_pattern ? client->subscription : "");
    request->rebalance_timeout_ms = 20000;
}

static struct consumer_group_heartbeat_request next_request(struct client *client)
{
    struct consumer_group_heartbeat_request request =
        fake_request(client->id, client->member ? client->epoch : 0);

    if (*client->instance != '\0')
        request.instance_id = wire_string_of(client->instance);
    if (!client->member || client->tells_all)
        subscribe(client, &request);
    if (!client->member)
        request.topic_partitions_count = 0;
    else if (client->tells_all || client->tells_owned)
        fake_own(&fake, &request, &client->uses);
    return request;
}

/* Give up what is not assigned any more; what is new may be used as soon as that is
 * done. */
static void reconcile(struct client *client, bool slow)
{
    struct partition_set kept = partition_set_and(&client->uses, &client->assigned);
    bool gives_up = kept.count < client->uses.count;

    client->reconciles = true;
    client->done_ms = fake.now_ms + (gives_up && slow ? pick(25000) : 0);
    partition_set_clear(&kept);
}

static void finish_reconciling(struct client *client)
{
    if (!client->reconciles || client->done_ms > fake.now_ms)
        return;
    partition_set_clear(&client->uses);
    client->uses = partition_set_copy(&client->assigned);
    client->reconciles = false;
    client->tells_owned = true;
    client->next_ms = fake.now_ms;
}

static void take_answer(struct client *client, enum kafka_error error, bool slow)
{
    switch (error) {
    case KAFKA_NONE:
        if (client->member && fake.answer.member_epoch < client->epoch)
            backwards++;
        client->member = true;
        client->tells_all = false;
        client->tells_owned = false;
        client->epoch = fake.answer.member_epoch;
        if (fake_assigned(&fake, &client->assigned))
            reconcile(client, slow);
        return;
    case KAFKA_FENCED_MEMBER_EPOCH:
    case KAFKA_UNKNOWN_MEMBER_ID:
        forget_group(client);
        client->next_ms = fake.now_ms;
        return;
    case KAFKA_UNRELEASED_INSTANCE_ID: /* the one before has not timed out yet */
        client->next_ms = fake.now_ms + HEARTBEAT_MS;
        return;
    case KAFKA_FENCED_INSTANCE_ID:
        forget_group(client);
        client->alive = false;
        return;
    case KAFKA_COORDINATOR_NOT_AVAILABLE:
        client->tells_all = client->member;
        return;
    default:
        surprises++;
    }
}

static void beat(struct client *client, bool slow)
{
    struct consumer_group_heartbeat_request request;
    enum kafka_error error;

    finish_reconciling(client);
    if (!client->alive || client->next_ms > fake.now_ms)
        return;
    client->next_ms = fake.now_ms + HEARTBEAT_MS;
    request = next_request(client);
    error = fake_send(&fake, &request);
    if (slow && pick(15) == 0)
        client->tells_all = client->member; /* the answer gets lost */
    else
        take_answer(client, error, slow);
}

/* ---- clients of the classic protocol --------------------------------------------- */

/* The embedded subscription: what it wants and what it owns. */
static struct wire_bytes said(const struct client *client, struct wire_out *out,
                              struct mem_arena *arena)
{
    struct consumer_protocol_subscription subscription;
    struct consumer_protocol_subscription_topic_partition *topics =
        mem_arena_alloc(arena, FAKE_TOPICS * sizeof(*topics));
    struct consumer_group_heartbeat_request wanted;
    size_t run;

    wanted = fake_request(client->id, 0);
    fake_subscribe(&fake, &wanted, client->subscription);
    wire_defaults(&consumer_protocol_subscription_message, &subscription);
    subscription.topics = wanted.subscribed_topic_names;
    subscription.topics_count = wanted.subscribed_topic_names_count;
    subscription.owned_partitions = topics;
    for (size_t i = 0; i < client->uses.count; i += run) {
        int32_t *numbers = mem_arena_alloc(arena, PARTITIONS * sizeof(*numbers));
        struct group_topic topic;

        run = partition_set_run(&client->uses, i);
        if (!fake.env.topics.find_id(&fake, &client->uses.items[i].topic, &topic))
            continue;
        for (size_t j = 0; j < run; j++)
            numbers[j] = client->uses.items[i + j].partition;
        topics[subscription.owned_partitions_count++] =
            (struct consumer_protocol_subscription_topic_partition){
                wire_string_of(topic.name), numbers, (int32_t)run};
    }
    text_append_bytes(&out->bytes, "\0\1", 2);
    wire_write(&consumer_protocol_subscription_message, 1, &subscription, out);
    return (struct wire_bytes){(const uint8_t *)out->bytes.data,
                               (int32_t)out->bytes.len};
}

static struct groups_caller who(int16_t version)
{
    return (struct groups_caller){wire_string_of("c"), "/127.0.0.1", fake.now_ms,
                                  fake.now_ms, version};
}

static struct wire_string instance_of(const struct client *client)
{
    return wire_string_of(*client->instance != '\0' ? client->instance : NULL);
}

static enum kafka_error classic_join(struct client *client)
{
    struct join_group_request_join_group_request_protocol protocol = {
        .name = wire_string_of("range")};
    struct groups_caller caller = who(9);
    struct join_group_response response;
    struct join_group_request request;
    struct mem_arena arena = {0};
    struct wire_out out = {0};
    enum kafka_error error;

    if (client->eager)
        partition_set_clear(&client->uses);
    wire_defaults(&join_group_request_message, &request);
    protocol.metadata = said(client, &out, &arena);
    request.member_id = wire_string_of(client->id);
    request.group_instance_id = instance_of(client);
    request.session_timeout_ms = 30000;
    request.rebalance_timeout_ms = 20000;
    request.protocol_type = wire_string_of("consumer");
    request.protocols = &protocol;
    request.protocols_count = 1;
    error = consumer_classic_join(fake.group, &request, &caller, &arena, &response);
    if (error == KAFKA_NONE || error == KAFKA_MEMBER_ID_REQUIRED)
        snprintf(client->id, sizeof(client->id), "%.*s", response.member_id.len,
                 response.member_id.data);
    if (error == KAFKA_NONE)
        client->epoch = response.generation_id;
    wire_out_clear(&out);
    mem_arena_clear(&arena);
    return error;
}

/* A cooperative one keeps what it has, and joins again when it had to give up some. */
static enum kafka_error classic_sync(struct client *client)
{
    struct groups_caller caller = who(5);
    struct sync_group_response response;
    struct sync_group_request request;
    struct mem_arena arena = {0};
    enum kafka_error error;
    bool custom;

    wire_defaults(&sync_group_request_message, &request);
    request.member_id = wire_string_of(client->id);
    request.group_instance_id = instance_of(client);
    request.generation_id = client->epoch;
    error = consumer_classic_sync(fake.group, &request, &caller, &arena, &response);
    if (error == KAFKA_NONE) {
        partition_set_clear(&client->assigned);
        consumer_classic_assigned(fake.group, response.assignment, &client->assigned,
                                  &custom);
        client->joins = !partition_set_within(&client->uses, &client->assigned);
        partition_set_clear(&client->uses);
        client->uses = partition_set_copy(&client->assigned);
    }
    mem_arena_clear(&arena);
    return error;
}

static enum kafka_error classic_step(struct client *client, bool slow)
{
    struct groups_caller caller = who(4);
    struct heartbeat_request request;
    enum kafka_error error = KAFKA_NONE;

    if (client->member && !client->joins) {
        wire_defaults(&heartbeat_request_message, &request);
        request.member_id = wire_string_of(client->id);
        request.group_instance_id = instance_of(client);
        request.generation_id = client->epoch;
        error = consumer_classic_heartbeat(fake.group, &request, &caller);
        client->joins = error == KAFKA_REBALANCE_IN_PROGRESS;
        return client->joins ? KAFKA_NONE : error;
    }
    error = classic_join(client);
    if (error == KAFKA_MEMBER_ID_REQUIRED)
        error = classic_join(client);
    if (error != KAFKA_NONE || (slow && pick(15) == 0))
        return error; /* or the answer gets lost */
    client->member = true;
    client->joins = false;
    error = classic_sync(client);
    if (error == KAFKA_REBALANCE_IN_PROGRESS)
        client->joins = true;
    return client->joins ? KAFKA_NONE : error;
}

static void classic_beat(struct client *client, bool slow)
{
    enum kafka_error error;

    if (!client->alive || client->next_ms > fake.now_ms)
        return;
    client->next_ms = fake.now_ms + HEARTBEAT_MS;
    error = classic_step(client, slow);
    switch (error) {
    case KAFKA_NONE:
        return;
    case KAFKA_COORDINATOR_NOT_AVAILABLE:
        client->joins = true;
        return;
    case KAFKA_UNKNOWN_MEMBER_ID:
    case KAFKA_ILLEGAL_GENERATION:
        forget_group(client);
        client->joins = false;
        if (error == KAFKA_UNKNOWN_MEMBER_ID)
            client->id[0] = '\0';
        return;
    case KAFKA_FENCED_INSTANCE_ID:
        forget_group(client);
        client->alive = false;
        return;
    default:
        surprises++;
    }
}

static void any_beat(struct client *client, bool slow)
{
    if (client->classic)
        classic_beat(client, slow);
    else
        beat(client, slow);
}

static void leave(struct client *client)
{
    bool for_a_while = *client->instance != '\0' && pick(2) == 0;
    struct consumer_group_heartbeat_request request =
        fake_request(client->id, for_a_while ? -2 : -1);

    if (*client->instance != '\0')
        request.instance_id = wire_string_of(client->instance);
    if (client->member && client->classic)
        consumer_leave(fake.group, wire_string_of(client->id), instance_of(client));
    else if (client->member)
        fake_send(&fake, &request);
    forget_group(client);
    client->alive = false;
}

/* ---- invariants ------------------------------------------------------------------ */

/* Is the client still a member, whatever its epoch? If not it may not commit anything.
 */
static bool counts(const struct client *client)
{
    struct consumer_commit commit = {wire_string_of(client->id), wire_string_of(NULL),
                                     client->epoch, 9, false};

    return client->alive && client->member &&
           consumer_may_commit(fake.group, &commit) != KAFKA_UNKNOWN_MEMBER_ID;
}

static void check_owners(void)
{
    for (int a = 0; a < CLIENTS; a++)
        for (int b = a + 1; b < CLIENTS; b++)
            if (clients[a].uses.count > 0 && clients[b].uses.count > 0 &&
                counts(&clients[a]) && counts(&clients[b]) &&
                partition_set_meet(&clients[a].uses, &clients[b].uses))
                doubles++;
}

/* ---- the world ------------------------------------------------------------------- */

static void change_topics(void)
{
    const char *name = names[pick(NAMES)];
    const struct fake_topic *topic = fake_find(&fake, name);

    if (topic == NULL)
        fake_topic(&fake, name, 1 + pick(3));
    else if (pick(4) == 0)
        fake_topic(&fake, name, 0);
    else if (topic->partitions < PARTITIONS)
        fake_topic(&fake, name, topic->partitions + 1);
}

static void disturb(bool alike)
{
    struct client *client = &clients[pick(CLIENTS)];

    switch (pick(40)) {
    case 0:
    case 1:
    case 2:
        if (!client->alive)
            start_client(client, alike);
        return;
    case 3:
        client->alive = false; /* dies, and the group does not know */
        return;
    case 4:
        if (client->alive)
            leave(client);
        return;
    case 5:
        change_topics();
        return;
    case 6:
        fake_reopen(&fake);
        return;
    case 7:
        if (client->alive && !alike) {
            choose_subscription(client, alike);
            client->tells_all = client->member;
            client->joins = client->member;
        }
        return;
    default:
        return;
    }
}

static void step(bool alike)
{
    bool full_disk = pick(50) == 0;

    disturb(alike);
    if (full_disk)
        fake_disk(&fake, true);
    fake.now_ms += pick(1500);
    for (int i = 0; i < CLIENTS; i++)
        any_beat(&clients[i], true);
    consumer_tick(fake.group, fake.now_ms);
    if (full_disk)
        fake_disk(&fake, false);
    check_owners();
}

/* No more events: heartbeats only, nobody is slow. */
static void become_quiet(void)
{
    for (int round = 0; round < QUIET_ROUNDS; round++) {
        fake.now_ms += HEARTBEAT_MS;
        for (int i = 0; i < CLIENTS; i++) {
            clients[i].done_ms = fake.now_ms;
            any_beat(&clients[i], false);
        }
        consumer_tick(fake.group, fake.now_ms);
        check_owners();
    }
}

static bool wants(const struct client *client, const char *name)
{
    if (!client->by_pattern)
        return strchr(client->subscription, *name) != NULL;
    return strcmp(client->subscription, ".*") == 0 ||
           strchr(client->subscription, *name) != NULL;
}

/* Partitions that are not used by exactly one subscriber, or not by any without one. */
static int not_at_rest(void)
{
    int wrong = 0;

    for (int n = 0; n < NAMES; n++) {
        const struct fake_topic *topic = fake_find(&fake, names[n]);

        for (int32_t p = 0; topic != NULL && p < topic->partitions; p++) {
            int users = 0, subscribers = 0;

            for (int i = 0; i < CLIENTS; i++) {
                bool subscribes = clients[i].alive && wants(&clients[i], names[n]);

                subscribers += subscribes;
                if (partition_set_has(&clients[i].uses, &topic->id, p) &&
                    clients[i].alive)
                    users += subscribes ? 1 : 100;
            }
            wrong += users != (subscribers > 0);
        }
    }
    return wrong;
}

static int spread(void)
{
    size_t least = SIZE_MAX, most = 0;

    for (int i = 0; i < CLIENTS; i++) {
        if (!clients[i].alive)
            continue;
        least = clients[i].uses.count < least ? clients[i].uses.count : least;
        most = clients[i].uses.count > most ? clients[i].uses.count : most;
    }
    return most == 0 ? 0 : (int)(most - least);
}

static void run(unsigned number, bool alike)
{
    seed = number;
    doubles = backwards = surprises = incarnations = 0;
    memset(clients, 0, sizeof(clients));
    for (int i = 0; i < CLIENTS; i += 2)
        snprintf(clients[i].instance, sizeof(clients[i].instance), "i%d", i);
    for (int i = 0; i < STEPS; i++) {
        step(alike);
        if (i % 500 != 499)
            continue;
        become_quiet();
        ck_assert_int_eq(not_at_rest(), 0);
        ck_assert_str_eq(consumer_state(fake.group),
                         consumer_is_empty(fake.group) ? "Empty" : "Stable");
        ck_assert(!alike || spread() <= 1);
    }
    ck_assert_int_eq(doubles, 0);
    ck_assert_int_eq(backwards, 0);
    ck_assert_int_eq(surprises, 0);
    for (int i = 0; i < CLIENTS; i++)
        forget_group(&clients[i]);
}

static void setup(void)
{
    fake_open(&fake, "ledger-consumer-sim");
    fake_topic(&fake, "t", 3);
    fake_topic(&fake, "u", 2);
}

static void teardown(void)
{
    fake_close(&fake);
}

START_TEST(members_with_one_subscription_share_evenly)
{
    run((unsigned)_i * 7919 + 1, true);
}
END_TEST

START_TEST(members_with_different_subscriptions_come_to_rest)
{
    run((unsigned)_i * 104729 + 7, false);
}
END_TEST

START_TEST(members_of_both_protocols_come_to_rest)
{
    with_classic = true;
    run((unsigned)_i * 31337 + 3, false);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("consumer_sim");
    TCase *tcase = tcase_create("all");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, members_with_one_subscription_share_evenly, 0, 2);
    tcase_add_loop_test(tcase, members_with_different_subscriptions_come_to_rest, 0, 3);
    tcase_add_loop_test(tcase, members_of_both_protocols_come_to_rest, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
