/* SPDX-License-Identifier: MIT
 *
 * A group whose members change over from the classic protocol to the consumer protocol,
 * and back, one by one: through groups.h, with restarts, a full disk and members that
 * do not follow. What is answered when is compared with a real Kafka in
 * tests/conformance/test_heartbeat.py.
 */
#include "../support/consumer_fake.h"

#include "ledger/group/offsets.h"
#include "ledger/wire/messages_groups.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SESSION_MS = 10000, REBALANCE_MS = 60000, ID = 80 };

/* The last answer to a join or a sync. */
struct heard {
    int answers, error, generation;
    char id[ID];
    int32_t partitions[16], count; /* of t, as assigned by a sync */
};

static struct fake fake;
static struct offsets *offsets;
static struct groups *groups;
static struct heard joined, synced;

/* ---- embedded in the classic protocol -------------------------------------------- */

static uint8_t embedded[256];

static size_t put(size_t at, uint32_t value, int bytes)
{
    while (bytes-- > 0)
        embedded[at++] = (uint8_t)(value >> (8 * bytes));
    return at;
}

static size_t put_topic(size_t at, int32_t first, int32_t count)
{
    at = put(at, 1, 2);
    embedded[at++] = 't';
    at = put(at, (uint32_t)count, 4);
    for (int32_t p = first; p < first + count; p++)
        at = put(at, (uint32_t)p, 4);
    return at;
}

/* A subscription to t that owns count partitions from first on. */
static struct wire_bytes subscription(int32_t first, int32_t count)
{
    size_t at = put(0, 1, 2);

    at = put(at, 1, 4);
    at = put(at, 1, 2);
    embedded[at++] = 't';
    at = put(at, UINT32_MAX, 4); /* no user data */
    at = put(at, count > 0, 4);
    if (count > 0)
        at = put_topic(at, first, count);
    return (struct wire_bytes){embedded, (int32_t)at};
}

static struct wire_bytes assignment(int32_t first, int32_t count)
{
    size_t at = put(put(0, 1, 2), 1, 4);

    at = put_topic(at, first, count);
    return (struct wire_bytes){embedded, (int32_t)put(at, UINT32_MAX, 4)};
}

static uint32_t get(const uint8_t **at)
{
    const uint8_t *b = *at;

    *at += 4;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Version, topics, "t", partitions. */
static void read_assignment(struct wire_bytes bytes, struct heard *out)
{
    const uint8_t *at = bytes.data + 2;

    out->count = 0;
    if (bytes.len < 6 || get(&at) == 0)
        return;
    at += 3;
    out->count = (int32_t)get(&at);
    for (int32_t i = 0; i < out->count; i++)
        out->partitions[i] = (int32_t)get(&at);
}

/* ---- the coordinator ------------------------------------------------------------- */

static void answer(void *ticket, const void *response)
{
    struct heard *heard = ticket;
    const struct join_group_response *join = response;
    const struct sync_group_response *sync = response;

    heard->answers++;
    if (heard == &synced) {
        heard->error = sync->error_code;
        read_assignment(sync->assignment, heard);
        return;
    }
    heard->error = join->error_code;
    heard->generation = join->generation_id;
    snprintf(heard->id, ID, "%.*s", join->member_id.len, join->member_id.data);
}

static void open_groups(void)
{
    struct groups_settings settings;
    struct error err = {0};

    groups_settings_default(&settings);
    settings.consumer = &fake.env;
    offsets = offsets_open(fake.store, &err);
    groups = groups_open(&settings, fake.store, offsets, answer, fake.now_ms, &err);
    ck_assert_ptr_nonnull(groups);
}

static void close_groups(void)
{
    groups_close(groups);
    offsets_close(offsets);
}

static void restart(void)
{
    struct store_report report;
    struct error err = {0};

    close_groups();
    store_close(fake.store);
    fake.store = fake.env.store = store_open(fake.path, &report, &err);
    ck_assert_ptr_nonnull(fake.store);
    open_groups();
}

static void setup(void)
{
    fake_open(&fake, "ledger-migrate");
    fake_topic(&fake, "t", 4);
    joined = synced = (struct heard){0};
    open_groups();
}

static void teardown(void)
{
    close_groups();
    fake_close(&fake);
}

static struct groups_caller caller(int16_t version)
{
    return (struct groups_caller){wire_string_of("c"), "/127.0.0.1", fake.now_ms,
                                  fake.now_ms, version};
}

static void pass(int64_t ms)
{
    fake.now_ms += ms;
    groups_tick(groups, fake.now_ms, fake.now_ms);
}

/* A member of the classic protocol joins; owns count partitions from first on. */
static int classic_join(const char *id, int32_t first, int32_t count)
{
    struct groups_caller who = caller(9);
    struct join_group_request_join_group_request_protocol protocol = {
        wire_string_of("range"), subscription(first, count)};
    struct join_group_request request;

    wire_defaults(&join_group_request_message, &request);
    request.group_id = wire_string_of("the group");
    request.member_id = wire_string_of(id);
    request.session_timeout_ms = SESSION_MS;
    request.rebalance_timeout_ms = REBALANCE_MS;
    request.protocol_type = wire_string_of("consumer");
    request.protocols = &protocol;
    request.protocols_count = 1;
    groups_join(groups, &request, &who, &joined);
    groups_tick(groups, fake.now_ms, fake.now_ms);
    return joined.error;
}

static int classic_sync(const char *id, int32_t generation, struct wire_bytes mine)
{
    struct groups_caller who = caller(5);
    struct sync_group_request_sync_group_request_assignment one = {wire_string_of(id),
                                                                   mine};
    struct sync_group_request request;

    wire_defaults(&sync_group_request_message, &request);
    request.group_id = wire_string_of("the group");
    request.member_id = wire_string_of(id);
    request.generation_id = generation;
    request.protocol_type = wire_string_of("consumer");
    request.protocol_name = wire_string_of("range");
    request.assignments = &one;
    request.assignments_count = mine.len > 0;
    groups_sync(groups, &request, &who, &synced);
    return synced.error;
}

static enum kafka_error classic_beat(const char *id, int32_t generation)
{
    struct groups_caller who = caller(4);
    struct heartbeat_request request;

    wire_defaults(&heartbeat_request_message, &request);
    request.group_id = wire_string_of("the group");
    request.member_id = wire_string_of(id);
    request.generation_id = generation;
    return groups_heartbeat(groups, &request, &who);
}

/* A member of the consumer protocol. */
static enum kafka_error beat(const char *id, int32_t epoch)
{
    struct consumer_group_heartbeat_request request = fake_request(id, epoch);
    struct groups_caller who = caller(1);
    struct mem_arena arena = {0};

    if (epoch == 0) {
        request.rebalance_timeout_ms = REBALANCE_MS;
        request.topic_partitions_count = 0;
        fake_subscribe(&fake, &request, "t");
    }
    groups_consumer_heartbeat(groups, &request, &who, &arena, &fake.answer);
    mem_arena_clear(&fake.arena);
    fake.arena = arena;
    return fake.answer.error_code;
}

/* A classic group with one member that has everything; its id. */
static const char *classic_group(void)
{
    static char id[ID];

    ck_assert_int_eq(classic_join("", 0, 0), KAFKA_MEMBER_ID_REQUIRED);
    snprintf(id, ID, "%s", joined.id);
    ck_assert_int_eq(classic_join(id, 0, 0), KAFKA_NONE);
    ck_assert_int_eq(classic_sync(id, 1, assignment(0, 4)), KAFKA_NONE);
    ck_assert_int_eq(classic_beat(id, 1), KAFKA_NONE);
    return id;
}

static const char *state(void)
{
    struct consumer_group_describe_response_described_group group;

    groups_consumer_describe(groups, wire_string_of("the group"), &fake.arena, &group);
    return group.error_code != KAFKA_NONE
               ? "-"
               : mem_arena_strndup(&fake.arena, group.group_state.data,
                                   (size_t)group.group_state.len);
}

/* ---- cases ----------------------------------------------------------------------- */

START_TEST(a_classic_member_gives_up_and_goes_on)
{
    const char *a = classic_group();

    ck_assert_str_eq(state(), "-");
    ck_assert_int_eq(beat("b", 0), KAFKA_NONE);
    ck_assert_str_eq(state(), "Reconciling");
    ck_assert_int_eq(classic_beat(a, 1), KAFKA_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(classic_join(a, 0, 4), KAFKA_NONE);
    ck_assert_int_eq(joined.generation, 1);
    ck_assert_int_eq(classic_sync(a, 1, (struct wire_bytes){NULL, 0}), KAFKA_NONE);
    ck_assert_int_eq(synced.count, 2);
    ck_assert_int_eq(classic_join(a, 0, 2), KAFKA_NONE);
    ck_assert_int_eq(joined.generation, 2);
    ck_assert_int_eq(classic_beat(a, 2), KAFKA_NONE);
    beat("b", 2);
    ck_assert_str_eq(fake_assignment(&fake), "t:2,3");
    ck_assert_str_eq(state(), "Stable");
}
END_TEST

START_TEST(a_mixed_group_survives_a_restart)
{
    const char *a = classic_group();

    beat("b", 0);
    restart();
    ck_assert_int_eq(classic_beat(a, 1), KAFKA_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(classic_join(a, 0, 2), KAFKA_NONE);
    restart();
    ck_assert_int_eq(classic_sync(a, 2, (struct wire_bytes){NULL, 0}), KAFKA_NONE);
    ck_assert_int_eq(synced.count, 2);
    ck_assert_int_eq(classic_beat(a, 2), KAFKA_NONE);
    ck_assert_int_eq(beat("b", 2), KAFKA_NONE);
    /* The end of b makes it classic again, and that is kept too. */
    ck_assert_int_eq(beat("b", -1), KAFKA_NONE);
    ck_assert_str_eq(state(), "-");
    restart();
    ck_assert_str_eq(state(), "-");
    ck_assert_int_eq(classic_join(a, 0, 2), KAFKA_NONE);
    ck_assert_int_gt(joined.generation, 2);
}
END_TEST

START_TEST(the_end_of_the_last_session_makes_it_classic)
{
    const char *a = classic_group();

    beat("b", 0);
    for (int i = 0; i < 9; i++) {
        ck_assert_str_ne(state(), "-");
        pass(5000);
        classic_beat(a, 1);
    }
    ck_assert_str_eq(state(), "-");
    ck_assert_int_eq(classic_join(a, 0, 4), KAFKA_NONE);
    ck_assert_int_eq(classic_sync(a, joined.generation, assignment(0, 4)), KAFKA_NONE);
    ck_assert_int_eq(synced.count, 4);
}
END_TEST

START_TEST(who_waits_in_join_is_sent_to_join_again)
{
    const char *a = classic_group();
    int answers;

    classic_join("", 0, 0);
    classic_join(joined.id, 0, 0); /* begins a rebalance and waits for a */
    answers = joined.answers;
    ck_assert_int_eq(beat("b", 0), KAFKA_NONE);
    ck_assert_int_eq(joined.answers, answers + 1);
    ck_assert_int_eq(joined.error, KAFKA_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(classic_join(joined.id, 0, 0), KAFKA_NONE);
    ck_assert_int_eq(classic_beat(a, 1), KAFKA_REBALANCE_IN_PROGRESS);
}
END_TEST

START_TEST(who_does_not_join_again_is_removed)
{
    const char *a = classic_group();

    beat("b", 0);
    classic_beat(a, 1); /* told to join */
    for (int i = 0; i < 11; i++) {
        pass(5000);
        ck_assert_int_eq(classic_beat(a, 1), KAFKA_REBALANCE_IN_PROGRESS);
        beat("b", 2);
    }
    pass(5000);
    ck_assert_int_eq(classic_beat(a, 1), KAFKA_UNKNOWN_MEMBER_ID);
    beat("b", 2);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3");
}
END_TEST

START_TEST(who_does_not_sync_is_removed)
{
    const char *a = classic_group();

    beat("b", 0);
    classic_join(a, 0, 2);
    for (int i = 0; i < 11; i++) {
        pass(5000);
        ck_assert_int_eq(classic_beat(a, 2), KAFKA_NONE);
        beat("b", 2);
    }
    pass(5000);
    ck_assert_int_eq(classic_beat(a, 2), KAFKA_UNKNOWN_MEMBER_ID);
}
END_TEST

START_TEST(a_full_disk_leaves_the_protocol_as_it_is)
{
    const char *a = classic_group();
    enum kafka_error up, still, down;

    fake_disk(&fake, true);
    up = beat("b", 0);
    still = classic_beat(a, 1);
    fake_disk(&fake, false);
    ck_assert_int_eq(up, KAFKA_COORDINATOR_NOT_AVAILABLE);
    ck_assert_int_eq(still, KAFKA_NONE);
    ck_assert_str_eq(state(), "-");
    ck_assert_int_eq(beat("b", 0), KAFKA_NONE);
    fake_disk(&fake, true);
    down = beat("b", -1);
    fake_disk(&fake, false);
    ck_assert_int_eq(down, KAFKA_COORDINATOR_NOT_AVAILABLE);
    ck_assert_str_ne(state(), "-");
    ck_assert_int_eq(beat("b", -1), KAFKA_NONE);
    ck_assert_str_eq(state(), "-");
}
END_TEST

START_TEST(what_two_members_were_assigned_is_with_one)
{
    const char *a = classic_group();
    char c[ID];

    classic_join("", 0, 0);
    snprintf(c, ID, "%s", joined.id);
    classic_join(c, 0, 0);
    classic_join(a, 0, 0); /* answers both: the last one heard is generation 2 */
    /* A broken assignor: both get everything. */
    {
        struct groups_caller who = caller(5);
        struct sync_group_request_sync_group_request_assignment both[] = {
            {wire_string_of(a), assignment(0, 4)},
            {wire_string_of(c), assignment(0, 4)}};
        struct sync_group_request request;

        wire_defaults(&sync_group_request_message, &request);
        request.group_id = wire_string_of("the group");
        request.generation_id = 2;
        request.member_id = wire_string_of(a);
        request.assignments = both;
        request.assignments_count = 2;
        groups_sync(groups, &request, &who, &synced);
    }
    ck_assert_int_eq(synced.error, KAFKA_NONE);
    ck_assert_int_eq(beat("b", 0), KAFKA_NONE);
    ck_assert_str_eq(state(), "Reconciling");
}
END_TEST

int main(void)
{
    const TTest *const all[] = {
        a_classic_member_gives_up_and_goes_on,
        a_mixed_group_survives_a_restart,
        the_end_of_the_last_session_makes_it_classic,
        who_waits_in_join_is_sent_to_join_again,
        who_does_not_join_again_is_removed,
        who_does_not_sync_is_removed,
        a_full_disk_leaves_the_protocol_as_it_is,
        what_two_members_were_assigned_is_with_one,
    };
    Suite *suite = suite_create("migrate");
    TCase *tcase = tcase_create("all");

    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        tcase_add_test(tcase, all[i]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
