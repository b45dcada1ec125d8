/* SPDX-License-Identifier: MIT */
#include "ledger_groups_rig.h"
#include "support/suite.h"

/* ---- sessions and leaving ---------------------------------------------------- */

START_TEST(a_silent_member_is_lost_and_a_waiting_one_is_not)
{
    struct ticket *one, *two;

    stable_two(&one, &two);
    pass(SESSION - 1);
    ck_assert_int_eq(heartbeat(one), KAFKA_NONE);
    pass(1);
    ck_assert_int_eq(heartbeat(one), KAFKA_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(heartbeat(two), KAFKA_UNKNOWN_MEMBER_ID);
    /* It waits for a pending member, longer than its own session. */
    (void)join((struct client){0});
    one = join((struct client){.id = one->id});
    pass(SESSION / 2);
    ck_assert_int_eq(one->answers, 0);
    pass(SESSION / 2);
    ck_assert_int_eq(one->answers, 1);
    ck_assert_int_eq(one->error, KAFKA_NONE);
    ck_assert_int_eq(one->members, 1);
    pass(SESSION);
    ck_assert_str_eq(state(), "Empty");
}
END_TEST

START_TEST(a_member_whose_heartbeat_nobody_read_gets_time)
{
    struct ticket *one, *two;

    stable_two(&one, &two);
    now_ms += 3 * SESSION; /* the broker stood still */
    groups_postpone(groups, now_ms + 5000);
    pass(0);
    ck_assert_int_eq(heartbeat(one), KAFKA_NONE);
    pass(4999);
    ck_assert_str_eq(state(), "Stable");
    pass(1); /* the other one has really gone */
    ck_assert_int_eq(heartbeat(two), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(heartbeat(one), KAFKA_REBALANCE_IN_PROGRESS);
    /* Nor is one thrown out of a rebalance that it could not join. */
    now_ms += 2 * REBALANCE;
    groups_postpone(groups, now_ms + 5000);
    pass(0);
    one = join((struct client){.id = one->id});
    ck_assert_int_eq(one->error, KAFKA_NONE);
    ck_assert_int_eq(one->members, 1);
}
END_TEST

START_TEST(a_new_member_that_waits_is_given_up_after_five_minutes)
{
    struct ticket *one, *two;

    one = join((struct client){.version = 3, .rebalance = 900000});
    round_ends();
    (void)sync_member(one);
    two = join((struct client){.version = 3, .rebalance = 900000});
    for (int i = 0; i < 60; i++) {
        ck_assert_int_eq(two->answers, 0);
        pass(5000);
        ck_assert_int_eq(heartbeat(one), KAFKA_REBALANCE_IN_PROGRESS);
    }
    ck_assert_int_eq(two->answers, 1);
    ck_assert_int_eq(two->error, KAFKA_UNKNOWN_MEMBER_ID);
}
END_TEST

START_TEST(leaving_by_member_or_instance_ends_what_waits)
{
    struct ticket *one, *two, *i;

    ck_assert_int_eq(leave("nobody", NULL), KAFKA_UNKNOWN_MEMBER_ID);
    stable_two(&one, &two);
    ck_assert_int_eq(leave("nobody", NULL), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(leave("", NULL), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(leave("", "i"), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_str_eq(state(), "Stable");
    i = join((struct client){.instance = "i"});
    ck_assert_int_eq(leave("", "i"), KAFKA_NONE);
    ck_assert_int_eq(i->answers, 1);
    ck_assert_int_eq(i->error, KAFKA_UNKNOWN_MEMBER_ID);
    one = join((struct client){.id = one->id});
    ck_assert_int_eq(leave(two->id, NULL), KAFKA_NONE);
    ck_assert_int_eq(one->answers, 1);
    ck_assert_int_eq(one->members, 1);
    ck_assert_int_eq(leave(one->id, NULL), KAFKA_NONE);
    ck_assert_str_eq(state(), "Empty");
    ck_assert_int_eq(heartbeat(one), KAFKA_UNKNOWN_MEMBER_ID);
}
END_TEST

START_TEST(a_member_that_leaves_while_it_syncs_gets_its_answer)
{
    struct ticket *one = join_new(NULL), *two = join_new(NULL), *waits;

    round_ends();
    waits = sync_member(two);
    ck_assert_int_eq(leave(two->id, NULL), KAFKA_NONE);
    ck_assert_int_eq(waits->answers, 1);
    ck_assert_int_eq(waits->error, KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(heartbeat(one), KAFKA_REBALANCE_IN_PROGRESS);
}
END_TEST

START_TEST(old_versions_of_leave_name_one_member)
{
    struct leave_group_request request;
    struct leave_group_response response;
    struct groups_caller who = caller(1);
    struct mem_arena arena = {0};
    struct ticket *one = stable_one();

    wire_defaults(&leave_group_request_message, &request);
    request.group_id = wire_string_of("g");
    request.member_id = wire_string_of("nobody");
    groups_leave(groups, &request, &who, &arena, &response);
    ck_assert_int_eq(response.error_code, KAFKA_UNKNOWN_MEMBER_ID);
    request.member_id = wire_string_of(one->id);
    groups_leave(groups, &request, &who, &arena, &response);
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    ck_assert_str_eq(state(), "Empty");
    request.group_id = wire_string_of("");
    groups_leave(groups, &request, &who, &arena, &response);
    ck_assert_int_eq(response.error_code, KAFKA_INVALID_GROUP_ID);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(the_leader_that_does_not_come_back_is_replaced)
{
    struct ticket *one, *two;

    stable_two(&one, &two);
    ck_assert_int_eq(leave(one->id, NULL), KAFKA_NONE);
    two = join((struct client){.id = two->id});
    ck_assert_int_eq(two->answers, 1);
    ck_assert_str_eq(two->leader, two->id);
    ck_assert_int_eq(two->members, 1);
}
END_TEST

/* ---- static members ---------------------------------------------------------- */

/* Two static members, "i" leads, stable. */
static void stable_static(struct ticket **i, struct ticket **j)
{
    const char *given[4] = {NULL, "for i", NULL, "for j"};

    *i = join((struct client){.instance = "i"});
    *j = join((struct client){.instance = "j"});
    round_ends();
    given[0] = (*i)->id;
    given[2] = (*j)->id;
    (void)sync_as((*j)->id, "j", 1, NULL, 0);
    (void)sync_as((*i)->id, "i", 1, given, 2);
    ck_assert_str_eq(state(), "Stable");
}

START_TEST(a_static_member_that_restarts_keeps_its_assignment)
{
    struct ticket *i, *j, *back;

    stable_static(&i, &j);
    back = join((struct client){.instance = "j"});
    ck_assert_int_eq(back->answers, 1);
    ck_assert_int_eq(back->error, KAFKA_NONE);
    ck_assert_int_eq(back->generation, 1);
    ck_assert_str_ne(back->id, j->id);
    ck_assert_str_eq(back->leader, i->id);
    ck_assert(!back->skip);
    ck_assert_str_eq(state(), "Stable");
    ck_assert_str_eq(sync_as(back->id, "j", 1, NULL, 0)->assignment, "for j");
    ck_assert_int_eq(heartbeat_as(i->id, "i", 1), KAFKA_NONE);
    ck_assert_int_eq(heartbeat_as(j->id, "j", 1), KAFKA_FENCED_INSTANCE_ID);
    ck_assert_int_eq(heartbeat_as(j->id, NULL, 1), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(may_commit(j->id, "j", 1), KAFKA_FENCED_INSTANCE_ID);
    ck_assert_int_eq(sync_as(j->id, "j", 1, NULL, 0)->error, KAFKA_FENCED_INSTANCE_ID);
    ck_assert_int_eq(join((struct client){.id = j->id, .instance = "j"})->error,
                     KAFKA_FENCED_INSTANCE_ID);
    ck_assert_int_eq(leave(j->id, "j"), KAFKA_FENCED_INSTANCE_ID);
}
END_TEST

START_TEST(a_static_leader_that_restarts_leads_but_does_not_assign)
{
    struct ticket *i, *j, *back, *old;

    stable_static(&i, &j);
    back = join((struct client){.instance = "i"});
    ck_assert(back->skip);
    ck_assert_int_eq(back->members, 2);
    ck_assert_str_eq(back->leader, back->id);
    ck_assert_str_eq(sync_as(back->id, "i", 1, NULL, 0)->assignment, "for i");
    ck_assert_str_eq(state(), "Stable");
    /* Before version 9 it is told of the old leader, so that it follows. */
    old = join((struct client){.instance = "i", .version = 7});
    ck_assert(!old->skip);
    ck_assert_int_eq(old->members, 0);
    ck_assert_str_eq(old->leader, back->id);
}
END_TEST

START_TEST(a_static_member_that_restarts_with_other_protocols_rebalances)
{
    struct ticket *i, *back;

    i = join((struct client){.instance = "i", .protocols = "ab"});
    round_ends();
    (void)sync_as(i->id, "i", 1, NULL, 0);
    ck_assert_str_eq(i->protocol, "a");
    back = join((struct client){.instance = "i", .protocols = "ba"});
    ck_assert_int_eq(back->answers, 1);
    ck_assert_int_eq(back->generation, 2);
    ck_assert_str_eq(back->protocol, "b");
}
END_TEST

START_TEST(a_static_member_that_waits_is_fenced_by_its_successor)
{
    struct ticket *i, *j, *waits, *back;

    stable_static(&i, &j);
    waits = join((struct client){.id = i->id, .instance = "i"});
    ck_assert_str_eq(state(), "PreparingRebalance");
    back = join((struct client){.instance = "i"});
    ck_assert_int_eq(waits->answers, 1);
    ck_assert_int_eq(waits->error, KAFKA_FENCED_INSTANCE_ID);
    ck_assert_str_eq(waits->id, i->id);
    j = join((struct client){.id = j->id, .instance = "j"});
    ck_assert_int_eq(back->answers + j->answers, 2);
    /* During sync the assignment may already be for the old id: all join again. */
    waits = sync_as(j->id, "j", 2, NULL, 0);
    back = join((struct client){.instance = "j"});
    ck_assert_int_eq(waits->error, KAFKA_FENCED_INSTANCE_ID);
    ck_assert_int_eq(back->answers, 0);
    ck_assert_str_eq(state(), "PreparingRebalance");
}
END_TEST

START_TEST(static_members_stay_in_a_rebalance_until_their_session_ends)
{
    struct ticket *i, *j, *k;

    stable_static(&i, &j);
    k = join((struct client){.instance = "k", .rebalance = 8000});
    j = join((struct client){.id = j->id, .instance = "j", .rebalance = 8000});
    ck_assert_int_eq(j->answers, 0);
    pass(SESSION); /* i has gone: its session ends before the rebalance timeout */
    ck_assert_int_eq(j->answers + k->answers, 2);
    ck_assert_str_eq(k->leader, j->id);
    ck_assert_int_eq(j->members, 2);
}
END_TEST

static TCase *living(void)
{
    TCase *tcase = tcase_create("living");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_silent_member_is_lost_and_a_waiting_one_is_not);
    tcase_add_test(tcase, a_member_whose_heartbeat_nobody_read_gets_time);
    tcase_add_test(tcase, a_new_member_that_waits_is_given_up_after_five_minutes);
    tcase_add_test(tcase, leaving_by_member_or_instance_ends_what_waits);
    tcase_add_test(tcase, a_member_that_leaves_while_it_syncs_gets_its_answer);
    tcase_add_test(tcase, old_versions_of_leave_name_one_member);
    tcase_add_test(tcase, the_leader_that_does_not_come_back_is_replaced);
    tcase_add_test(tcase, a_static_member_that_restarts_keeps_its_assignment);
    tcase_add_test(tcase, a_static_leader_that_restarts_leads_but_does_not_assign);
    tcase_add_test(tcase,
                   a_static_member_that_restarts_with_other_protocols_rebalances);
    tcase_add_test(tcase, a_static_member_that_waits_is_fenced_by_its_successor);
    tcase_add_test(tcase, static_members_stay_in_a_rebalance_until_their_session_ends);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("ledger_groups_life");

    suite_add_tcase(suite, living());
    return suite_run(suite);
}
