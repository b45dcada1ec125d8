/* SPDX-License-Identifier: MIT */
#include "ledger_groups_rig.h"
#include "support/suite.h"

#include <signal.h>
#include <sys/resource.h>

/* ---- commits ----------------------------------------------------------------- */

START_TEST(commits_follow_the_state_of_the_group)
{
    struct ticket *one, *two;

    ck_assert_int_eq(may_commit("", NULL, 3), KAFKA_GROUP_ID_NOT_FOUND);
    ck_assert_int_eq(may_commit_in_transaction("", 3), KAFKA_ILLEGAL_GENERATION);
    ck_assert_int_eq(groups_count(groups), 0);
    ck_assert_int_eq(may_commit("", NULL, -1), KAFKA_NONE);
    ck_assert_int_eq(groups_count(groups), 1);
    ck_assert_int_eq(may_commit("somebody", NULL, -1), KAFKA_NONE);
    ck_assert_int_eq(may_commit("somebody", NULL, 0), KAFKA_UNKNOWN_MEMBER_ID);

    one = join_new(NULL);
    round_ends();
    ck_assert_int_eq(may_commit(one->id, NULL, 1), KAFKA_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(may_commit_in_transaction(one->id, 1), KAFKA_NONE);
    ck_assert_int_eq(may_commit("", NULL, -1), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(may_commit_in_transaction("", -1), KAFKA_NONE);
    (void)sync_member(one);
    ck_assert_int_eq(may_commit(one->id, NULL, 1), KAFKA_NONE);
    ck_assert_int_eq(may_commit(one->id, NULL, 0), KAFKA_ILLEGAL_GENERATION);
    ck_assert_int_eq(may_commit(one->id, NULL, -1), KAFKA_ILLEGAL_GENERATION);
    ck_assert_int_eq(may_commit("nobody", NULL, 1), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(may_commit("", NULL, -1), KAFKA_UNKNOWN_MEMBER_ID);
    two = join_new(NULL);
    ck_assert_int_eq(may_commit(one->id, NULL, 1), KAFKA_NONE);
    (void)two;
}
END_TEST

START_TEST(a_commit_keeps_the_session)
{
    struct ticket *one = stable_one();

    for (int i = 0; i < 5; i++) {
        pass(SESSION - 1);
        ck_assert_int_eq(may_commit(one->id, NULL, 1), KAFKA_NONE);
    }
    pass(SESSION);
    ck_assert_int_eq(may_commit(one->id, NULL, 1), KAFKA_UNKNOWN_MEMBER_ID);
}
END_TEST

static void commit(const char *group, const char *topic, int64_t offset)
{
    struct offset value = {.offset = offset,
                           .leader_epoch = 0,
                           .commit_ms = wall_ms,
                           .expire_ms = -1,
                           .metadata = {"", 0}};
    struct error err = {0};

    offsets_begin(offsets, wire_string_of(group), -1);
    (void)offsets_set(offsets, wire_string_of(topic), 0, &value);
    ck_assert_int_eq(offsets_end(offsets, &err), 0);
}

static bool has_offset(const char *topic)
{
    return offsets_find(offsets, wire_string_of("g"), wire_string_of(topic), 0) != NULL;
}

START_TEST(offsets_expire_a_week_after_the_group_became_empty)
{
    const int64_t week = 7LL * 24 * 3600 * 1000, check = 600000;
    struct ticket *one = stable_one();

    commit("g", "t", 1);
    pass(week - SESSION / 2); /* its session ends, so the group is empty from then on */
    ck_assert_str_eq(state(), "Empty");
    pass(check);
    ck_assert(has_offset("t"));
    pass(SESSION + check);
    ck_assert(!has_offset("t"));
    ck_assert_str_eq(state(), "Dead");
    ck_assert_int_eq(groups_count(groups), 0);
    restart();
    ck_assert_int_eq(groups_count(groups), 0);
    ck_assert_int_eq(store_count(store), 0);
    (void)one;
}
END_TEST

START_TEST(offsets_of_no_group_expire_a_week_after_their_commit)
{
    const int64_t week = 7LL * 24 * 3600 * 1000, check = 600000;

    ck_assert_int_eq(may_commit("", NULL, -1), KAFKA_NONE);
    commit("g", "old", 1);
    pass(week / 2);
    commit("g", "new", 1);
    restart(); /* the group itself is nowhere stored */
    ck_assert_str_eq(state(), "Empty");
    pass(week / 2 + check);
    ck_assert(!has_offset("old"));
    ck_assert(has_offset("new"));
    pass(week / 2);
    ck_assert(!has_offset("new"));
    ck_assert_int_eq(groups_count(groups), 0);
}
END_TEST

/* ---- administration ---------------------------------------------------------- */

static int list(const char *state_filter, const char *type_filter)
{
    struct wire_string states = wire_string_of(state_filter);
    struct wire_string types = wire_string_of(type_filter);
    struct list_groups_request request = {&states, state_filter ? 1 : 0, &types,
                                          type_filter ? 1 : 0};
    struct list_groups_response response;
    struct mem_arena arena = {0};

    groups_list(groups, &request, &arena, &response);
    mem_arena_clear(&arena);
    return response.groups_count;
}

START_TEST(groups_are_listed_by_state_and_type)
{
    ck_assert_int_eq(list(NULL, NULL), 0);
    (void)stable_one();
    ck_assert_int_eq(list(NULL, NULL), 1);
    ck_assert_int_eq(list("stable", NULL), 1);
    ck_assert_int_eq(list("Stable", "classic"), 1);
    ck_assert_int_eq(list("Empty", NULL), 0);
    ck_assert_int_eq(list(NULL, "Consumer"), 0);
    ck_assert_int_eq(list("no such state", NULL), 0);
}
END_TEST

START_TEST(describe_shows_members_and_subscriptions_of_a_stable_group)
{
    struct describe_groups_response_described_group out;
    struct mem_arena arena = {0};
    struct ticket *one = stable_one();

    groups_describe(groups, wire_string_of("g"), 6, &arena, &out);
    ck_assert_int_eq(out.error_code, KAFKA_NONE);
    ck_assert(wire_string_is(out.protocol_type, "consumer"));
    ck_assert(wire_string_is(out.protocol_data, "r"));
    ck_assert_int_eq(out.members_count, 1);
    ck_assert(wire_string_is(out.members[0].member_id, one->id));
    ck_assert(wire_string_is(out.members[0].client_id, "app"));
    ck_assert(wire_string_is(out.members[0].client_host, "/127.0.0.1"));
    ck_assert_int_eq(out.members[0].member_metadata.len, 1);
    ck_assert_int_eq(out.members[0].member_assignment.len, 3);
    groups_describe(groups, wire_string_of("no"), 6, &arena, &out);
    ck_assert_int_eq(out.error_code, KAFKA_GROUP_ID_NOT_FOUND);
    ck_assert(wire_string_is(out.error_message, "Group no not found."));
    groups_describe(groups, wire_string_of("no"), 5, &arena, &out);
    ck_assert_int_eq(out.error_code, KAFKA_NONE);
    ck_assert(wire_string_is(out.group_state, "Dead"));
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(only_empty_groups_are_deleted_with_their_offsets)
{
    struct ticket *one = stable_one();

    commit("g", "t", 1);
    ck_assert_int_eq(groups_delete(groups, wire_string_of("g")), KAFKA_NON_EMPTY_GROUP);
    ck_assert_int_eq(groups_delete(groups, wire_string_of("no")),
                     KAFKA_GROUP_ID_NOT_FOUND);
    ck_assert_int_eq(leave(one->id, NULL), KAFKA_NONE);
    ck_assert_int_eq(groups_delete(groups, wire_string_of("g")), KAFKA_NONE);
    ck_assert(!has_offset("t"));
    ck_assert_str_eq(state(), "Dead");
    ck_assert_int_eq(store_count(store), 0);
}
END_TEST

/* A subscription of version 1 to the topic "t". */
static const char subscribed[] = "\0\1\0\0\0\1\0\1t\xff\xff\xff\xff\0\0\0\0";

START_TEST(offsets_of_a_subscribed_topic_are_not_deleted)
{
    struct join_group_request_join_group_request_protocol protocol = {
        wire_string_of("range"), {(const uint8_t *)subscribed, sizeof subscribed - 1}};
    struct wire_string group = wire_string_of("g"), none = {NULL, -1};
    struct join_group_request request;
    struct groups_caller who = caller(3);
    struct ticket *ticket = new_ticket(false);

    ck_assert_int_eq(groups_check_offset_delete(groups, group, none),
                     KAFKA_GROUP_ID_NOT_FOUND);
    wire_defaults(&join_group_request_message, &request);
    request.group_id = group;
    request.session_timeout_ms = request.rebalance_timeout_ms = SESSION;
    request.protocol_type = wire_string_of("consumer");
    request.protocols = &protocol;
    request.protocols_count = 1;
    groups_join(groups, &request, &who, ticket);
    round_ends();
    ck_assert_int_eq(ticket->error, KAFKA_NONE);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(groups_check_offset_delete(groups, group, none), KAFKA_NONE);
        ck_assert_int_eq(groups_check_offset_delete(groups, group, wire_string_of("t")),
                         KAFKA_GROUP_SUBSCRIBED_TO_TOPIC);
        ck_assert_int_eq(groups_check_offset_delete(groups, group, wire_string_of("u")),
                         KAFKA_NONE);
        (void)sync_member(ticket);
        restart();
    }
    pass(SESSION);
    ck_assert_int_eq(groups_check_offset_delete(groups, group, wire_string_of("t")),
                     KAFKA_NONE);
}
END_TEST

START_TEST(another_protocol_type_protects_all_offsets_while_it_has_members)
{
    struct join_group_request_join_group_request_protocol protocol = {
        wire_string_of("v1"), {(const uint8_t *)"x", 1}};
    struct wire_string group = wire_string_of("g"), none = {NULL, -1};
    struct join_group_request request;
    struct groups_caller who = caller(3);
    struct ticket *ticket = new_ticket(false);

    wire_defaults(&join_group_request_message, &request);
    request.group_id = group;
    request.session_timeout_ms = request.rebalance_timeout_ms = SESSION;
    request.protocol_type = wire_string_of("connect");
    request.protocols = &protocol;
    request.protocols_count = 1;
    groups_join(groups, &request, &who, ticket);
    round_ends();
    ck_assert_int_eq(groups_check_offset_delete(groups, group, none),
                     KAFKA_NON_EMPTY_GROUP);
    ck_assert_int_eq(join((struct client){0})->error,
                     KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    pass(SESSION);
    ck_assert_int_eq(groups_check_offset_delete(groups, group, none), KAFKA_NONE);
}
END_TEST

/* ---- what survives ----------------------------------------------------------- */

START_TEST(members_go_on_after_a_restart_of_the_broker)
{
    struct ticket *one, *two;

    stable_two(&one, &two);
    restart();
    ck_assert_str_eq(state(), "Stable");
    ck_assert_int_eq(heartbeat(one), KAFKA_NONE);
    ck_assert_int_eq(may_commit(two->id, NULL, 2), KAFKA_NONE);
    ck_assert_str_eq(sync_member(two)->assignment, "right");
    pass(SESSION - 1);
    ck_assert_str_eq(state(), "Stable");
    ck_assert_int_eq(heartbeat(one), KAFKA_NONE);
    pass(1);
    ck_assert_int_eq(heartbeat(one), KAFKA_REBALANCE_IN_PROGRESS);
}
END_TEST

START_TEST(a_generation_that_was_told_is_never_used_again)
{
    struct ticket *one = stable_one(), *again;

    again = join((struct client){.id = one->id});
    ck_assert_int_eq(again->generation, 2);
    again = join((struct client){.id = one->id, .metadata = "new"});
    ck_assert_int_eq(again->generation, 3); /* and no assignment for it */
    restart();
    ck_assert_int_eq(heartbeat_as(one->id, NULL, 3), KAFKA_ILLEGAL_GENERATION);
    ck_assert_int_eq(heartbeat_as(one->id, NULL, 2), KAFKA_ILLEGAL_GENERATION);
    ck_assert_int_eq(heartbeat_as(one->id, NULL, 1), KAFKA_REBALANCE_IN_PROGRESS);
    again = join((struct client){.id = one->id});
    ck_assert_int_eq(again->generation, 4);
    ck_assert_int_eq(leave(one->id, NULL), KAFKA_NONE);
    restart();
    again = join_new(NULL);
    round_ends();
    ck_assert_int_eq(again->generation, 6);
}
END_TEST

START_TEST(closing_answers_all_that_wait)
{
    struct ticket *one = stable_one(), *joins = join_new(NULL), *syncs, *a, *b;

    (void)one;
    restart();
    ck_assert_int_eq(joins->answers, 1);
    ck_assert_int_eq(joins->error, KAFKA_NOT_COORDINATOR);
    a = join((struct client){.id = one->id});
    ck_assert_int_eq(a->answers, 1);
    b = join((struct client){.instance = "b"});
    a = join((struct client){.id = one->id});
    syncs = sync_as(b->id, "b", b->generation, NULL, 0);
    restart();
    ck_assert_int_eq(syncs->answers, 1);
    ck_assert_int_eq(syncs->error, KAFKA_NOT_COORDINATOR);
}
END_TEST

START_TEST(on_a_full_disk_members_are_told_to_try_again)
{
    struct ticket *one = join_new(NULL), *synced;
    struct rlimit old, small;

    round_ends();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = (rlim_t)store_bytes(store);
    setrlimit(RLIMIT_FSIZE, &small);
    synced = sync_member(one);
    ck_assert_int_eq(synced->answers, 1);
    ck_assert_int_eq(synced->error, KAFKA_COORDINATOR_NOT_AVAILABLE);
    ck_assert_str_eq(state(), "PreparingRebalance");
    setrlimit(RLIMIT_FSIZE, &old);
    one = join((struct client){.id = one->id});
    ck_assert_int_eq(one->answers, 1);
    ck_assert_int_eq(sync_member(one)->error, KAFKA_NONE);
    ck_assert_str_eq(state(), "Stable");
}
END_TEST

/* ---- a broker that ends at any byte ------------------------------------------ */

enum { ACTS = 24 };

/* What was acknowledged, and how much of the journal there was then. */
struct act {
    int64_t bytes;
    int64_t offset; /* committed; -1: none */
    int generation; /* the highest that a member was told */
};

static void act(struct act *done, int number, char id[TEXT], int *generation)
{
    struct ticket *joined, *synced;

    tickets_used = 0;
    if (number % 6 == 0) {
        joined =
            join((struct client){.instance = "i", .metadata = number % 12 ? "a" : "b"});
        round_ends();
        if (joined->answers == 0) /* it has to come back as the member that it was */
            joined = join((struct client){.id = id, .instance = "i"});
        ck_assert_int_eq(joined->error, KAFKA_NONE);
        copy(id, joined->id, (int32_t)strlen(joined->id));
        *generation = joined->generation;
    } else if (number % 6 == 1) {
        synced = sync_as(id, "i", *generation, NULL, 0);
        ck_assert_int_eq(synced->error, KAFKA_NONE);
    } else if (number % 6 == 5) {
        ck_assert_int_eq(leave("", "i"), KAFKA_NONE);
        (*generation)++; /* the empty one */
    } else {
        commit("g", "t", number);
    }
    done->bytes = store_bytes(store);
    done->generation = *generation;
    done->offset =
        has_offset("t")
            ? offsets_find(offsets, wire_string_of("g"), wire_string_of("t"), 0)->offset
            : -1;
}

static void cut(const char *from, const char *to, int64_t bytes)
{
    char *data = mem_alloc((size_t)bytes + 1);
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");

    ck_assert_int_eq((int64_t)fread(data, 1, (size_t)bytes, in), bytes);
    ck_assert_int_eq((int64_t)fwrite(data, 1, (size_t)bytes, out), bytes);
    (void)fclose(in);
    (void)fclose(out);
    free(data);
}

/* Opened from so much of the journal, is everything acknowledged by then there? */
static bool is_kept(const struct act *last)
{
    struct ticket *joined;
    int64_t offset;
    bool kept;

    open_all();
    offset =
        has_offset("t")
            ? offsets_find(offsets, wire_string_of("g"), wire_string_of("t"), 0)->offset
            : -1;
    pass(SESSION + REBALANCE);
    tickets_used = 0;
    joined = join((struct client){.instance = "new"});
    round_ends();
    kept = joined->answers == 1 && joined->generation > last->generation &&
           offset == last->offset;
    close_all();
    return kept;
}

START_TEST(whatever_byte_the_broker_ends_at_nothing_acknowledged_is_lost)
{
    static struct act acts[ACTS];
    char id[TEXT] = "", whole[sizeof path], *cut_path;
    int generation = 0, last = 0, lost = 0;

    for (int i = 0; i < ACTS; i++)
        act(&acts[i], i, id, &generation);
    memcpy(whole, path, sizeof whole);
    close_all();
    cut_path = mem_printf("%s-cut", whole);
    snprintf(path, sizeof path, "%s", cut_path);
    (void)freopen("/dev/null", "w", stderr); /* a line a torn tail */
    for (int64_t bytes = acts[0].bytes; bytes <= acts[ACTS - 1].bytes; bytes++) {
        while (last + 1 < ACTS && acts[last + 1].bytes <= bytes)
            last++;
        cut(whole, cut_path, bytes);
        lost += !is_kept(&acts[last]);
    }
    ck_assert_int_eq(lost, 0);
    ck_assert_int_gt(generation, 6);
    unlink(whole);
    free(cut_path);
    open_all();
}
END_TEST

static TCase *keeping(void)
{
    TCase *tcase = tcase_create("keeping");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, commits_follow_the_state_of_the_group);
    tcase_add_test(tcase, a_commit_keeps_the_session);
    tcase_add_test(tcase, offsets_expire_a_week_after_the_group_became_empty);
    tcase_add_test(tcase, offsets_of_no_group_expire_a_week_after_their_commit);
    tcase_add_test(tcase, groups_are_listed_by_state_and_type);
    tcase_add_test(tcase, describe_shows_members_and_subscriptions_of_a_stable_group);
    tcase_add_test(tcase, only_empty_groups_are_deleted_with_their_offsets);
    tcase_add_test(tcase, offsets_of_a_subscribed_topic_are_not_deleted);
    tcase_add_test(tcase,
                   another_protocol_type_protects_all_offsets_while_it_has_members);
    tcase_add_test(tcase, members_go_on_after_a_restart_of_the_broker);
    tcase_add_test(tcase, a_generation_that_was_told_is_never_used_again);
    tcase_add_test(tcase, closing_answers_all_that_wait);
    tcase_add_test(tcase, on_a_full_disk_members_are_told_to_try_again);
    tcase_add_test(tcase,
                   whatever_byte_the_broker_ends_at_nothing_acknowledged_is_lost);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("ledger_groups_keep");

    suite_add_tcase(suite, keeping());
    return suite_run(suite);
}
