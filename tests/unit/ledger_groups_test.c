/* SPDX-License-Identifier: MIT */
#include "ledger_groups_rig.h"
#include "support/suite.h"

/* ---- joining ----------------------------------------------------------------- */

START_TEST(a_first_member_is_in_a_generation_after_one_round)
{
    struct ticket *joined = join_new("rx");

    ck_assert_int_eq(joined->answers, 0);
    round_ends();
    ck_assert_int_eq(joined->answers, 1);
    ck_assert_int_eq(joined->error, KAFKA_NONE);
    ck_assert_int_eq(joined->generation, 1);
    ck_assert_int_eq(joined->members, 1);
    ck_assert_str_eq(joined->leader, joined->id);
    ck_assert_str_eq(joined->protocol, "r");
    ck_assert_str_eq(joined->type, "consumer");
    ck_assert_int_eq(strncmp(joined->id, "app-", 4), 0);
    ck_assert_int_eq((int)strlen(joined->id), 4 + 36);
    ck_assert_str_eq(state(), "CompletingRebalance");
}
END_TEST

START_TEST(members_of_one_round_are_in_the_same_generation)
{
    struct ticket *a = join_new(NULL), *b = join_new(NULL);
    struct ticket *c = join((struct client){.instance = "c"});
    struct ticket *d = join((struct client){.version = 3});

    round_ends();
    ck_assert_int_eq(a->answers + b->answers + c->answers + d->answers, 4);
    ck_assert_int_eq(a->members, 4);
    ck_assert_int_eq(b->members + c->members + d->members, 0);
    ck_assert_int_eq(b->generation, 1);
    ck_assert_str_eq(d->leader, a->id);
}
END_TEST

START_TEST(the_initial_delay_grows_with_members_that_come_up_to_the_rebalance_timeout)
{
    struct ticket *joined, *last = NULL;

    set_delay(3000);
    joined = join((struct client){.instance = "a", .rebalance = 8000});
    pass(2999);
    ck_assert_int_eq(joined->answers, 0);
    pass(1);
    ck_assert_int_eq(joined->answers, 1);

    ck_assert_int_eq(leave("", "a"), KAFKA_NONE);
    ck_assert_str_eq(state(), "Empty");
    joined = join((struct client){.instance = "b", .rebalance = 8000});
    for (int i = 0; i < 7; i++) {
        char name[2] = {(char)('m' + i), 0};

        pass(1000);
        last = join((struct client){.instance = name, .rebalance = 8000});
    }
    pass(999); /* 3000 + 3000 + 2000: the longest rebalance timeout is the end */
    ck_assert_int_eq(joined->answers, 0);
    pass(1);
    ck_assert_int_eq(joined->answers, 1);
    ck_assert_int_eq(joined->members, 8);
    ck_assert_int_eq(last->generation, joined->generation);
}
END_TEST

START_TEST(a_second_member_brings_all_together_without_waiting)
{
    struct ticket *one = stable_one(), *two = join_new(NULL), *again;

    ck_assert_str_eq(state(), "PreparingRebalance");
    ck_assert_int_eq(heartbeat(one), KAFKA_REBALANCE_IN_PROGRESS);
    again = join((struct client){.id = one->id});
    ck_assert_int_eq(again->answers, 1);
    ck_assert_int_eq(two->answers, 1);
    ck_assert_int_eq(again->generation, 2);
    ck_assert_int_eq(again->members, 2);
    ck_assert_int_eq(two->members, 0);
    ck_assert_str_eq(two->leader, one->id);
    ck_assert_int_eq(heartbeat(one), KAFKA_ILLEGAL_GENERATION);
    ck_assert_int_eq(heartbeat(two), KAFKA_NONE);
}
END_TEST

START_TEST(who_does_not_rejoin_in_the_longest_rebalance_timeout_is_out)
{
    struct ticket *one = stable_one(), *two;

    two = join((struct client){.version = 3, .rebalance = 20000});
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(two->answers, 0);
        ck_assert_int_eq(heartbeat(one), KAFKA_REBALANCE_IN_PROGRESS);
        pass(5000);
    }
    ck_assert_int_eq(two->answers, 1);
    ck_assert_int_eq(two->generation, 2);
    ck_assert_str_eq(two->leader, two->id);
    ck_assert_int_eq(two->members, 1);
    ck_assert_int_eq(heartbeat(one), KAFKA_UNKNOWN_MEMBER_ID);
}
END_TEST

START_TEST(a_pending_member_holds_up_a_rebalance_until_its_session_ends)
{
    struct ticket *one, *two, *pending;

    stable_two(&one, &two);
    pending = join((struct client){0});
    ck_assert_int_eq(pending->error, KAFKA_MEMBER_ID_REQUIRED);
    ck_assert_int_eq(leave(two->id, NULL), KAFKA_NONE);
    one = join((struct client){.id = one->id});
    pass(SESSION - 1);
    ck_assert_int_eq(one->answers, 0);
    pass(1);
    ck_assert_int_eq(one->answers, 1);
    ck_assert_int_eq(one->members, 1);
    ck_assert_int_eq(join((struct client){.id = pending->id})->error,
                     KAFKA_UNKNOWN_MEMBER_ID);
}
END_TEST

START_TEST(joins_that_cannot_be_are_refused)
{
    struct join_group_request request;
    struct ticket *ticket;
    struct groups_caller who = caller(9);

    ck_assert_int_eq(join((struct client){.id = "nobody"})->error,
                     KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(groups_count(groups), 0);
    ck_assert_int_eq(join((struct client){.protocols = ""})->error,
                     KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    (void)stable_one();
    ck_assert_int_eq(join((struct client){.protocols = "x"})->error,
                     KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    ck_assert_int_eq(join((struct client){.id = "nobody"})->error,
                     KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(join((struct client){.id = "nobody", .instance = "i"})->error,
                     KAFKA_UNKNOWN_MEMBER_ID);

    wire_defaults(&join_group_request_message, &request);
    ticket = new_ticket(false);
    groups_join(groups, &request, &who, ticket);
    ck_assert_int_eq(ticket->error, KAFKA_INVALID_GROUP_ID);
    request.group_id = wire_string_of("g");
    request.session_timeout_ms = 5999;
    groups_join(groups, &request, &who, ticket);
    ck_assert_int_eq(ticket->error, KAFKA_INVALID_SESSION_TIMEOUT);
    request.session_timeout_ms = 1800001;
    groups_join(groups, &request, &who, ticket);
    ck_assert_int_eq(ticket->error, KAFKA_INVALID_SESSION_TIMEOUT);
    ck_assert_int_eq(ticket->answers, 3);
}
END_TEST

START_TEST(most_votes_among_common_protocols_win)
{
    struct ticket *a = join_new("abc"), *b = join_new("bca"), *c = join_new("cba");

    round_ends();
    ck_assert_int_eq(a->answers + b->answers + c->answers, 3);
    ck_assert_str_eq(b->protocol, "a"); /* one vote each: the leader's choice */
    (void)join((struct client){.id = a->id, .protocols = "bc"});
    (void)join((struct client){.id = b->id, .protocols = "bca"});
    c = join((struct client){.id = c->id, .protocols = "cba"});
    ck_assert_str_eq(c->protocol, "b");
    /* A member may drop what nobody else needs, not what holds the group together. */
    ck_assert_int_eq(join((struct client){.id = c->id, .protocols = "a"})->error,
                     KAFKA_INCONSISTENT_GROUP_PROTOCOL);
}
END_TEST

START_TEST(a_full_group_turns_new_members_away)
{
    struct ticket *a, *b, *c;

    settings.max_size = 2;
    restart();
    stable_two(&a, &b);
    ck_assert_int_eq(join((struct client){0})->error, KAFKA_GROUP_MAX_SIZE_REACHED);
    ck_assert_int_eq(join((struct client){.instance = "i"})->error,
                     KAFKA_GROUP_MAX_SIZE_REACHED);
    ck_assert_int_eq(heartbeat(a), KAFKA_NONE);
    /* Who comes first in a rebalance has the place. */
    ck_assert_int_eq(leave(b->id, NULL), KAFKA_NONE);
    b = join((struct client){.instance = "i"});
    c = join((struct client){.instance = "j"});
    a = join((struct client){.id = a->id});
    ck_assert_int_eq(a->error, KAFKA_GROUP_MAX_SIZE_REACHED);
    ck_assert_int_eq(b->answers + c->answers, 0);
    pass(REBALANCE);
    ck_assert_int_eq(b->answers + c->answers, 2);
    ck_assert_int_eq(b->error + c->error, 0);
}
END_TEST

START_TEST(a_join_of_the_same_member_again_answers_the_earlier_one)
{
    struct ticket *one = stable_one(), *two = join_new(NULL), *again;

    again = join(
        (struct client){.id = two->id[0] ? two->id : tickets[tickets_used - 2].id});
    ck_assert_int_eq(two->answers, 1);
    ck_assert_int_eq(two->error, KAFKA_REBALANCE_IN_PROGRESS);
    one = join((struct client){.id = one->id});
    ck_assert_int_eq(again->answers + one->answers, 2);
    ck_assert_int_eq(two->answers, 1);
    ck_assert_int_eq(again->generation, 2);
}
END_TEST

START_TEST(a_lost_answer_is_given_again_without_a_rebalance)
{
    struct ticket *one, *two, *again;
    const char *given[4] = {NULL, "x", NULL, "y"};

    one = join_new(NULL);
    two = join_new(NULL);
    round_ends();
    again = join((struct client){.id = one->id});
    ck_assert_int_eq(again->answers, 1);
    ck_assert_int_eq(again->generation, 1);
    ck_assert_int_eq(again->members, 2);
    given[0] = one->id;
    given[2] = two->id;
    (void)sync_as(one->id, NULL, 1, given, 2);
    ck_assert_str_eq(sync_member(two)->assignment, "y");
    again = join((struct client){.id = two->id});
    ck_assert_int_eq(again->generation, 1);
    ck_assert_int_eq(again->members, 0);
    ck_assert_str_eq(state(), "Stable");
    (void)join((struct client){.id = two->id, .metadata = "other topics"});
    ck_assert_str_eq(state(), "PreparingRebalance");
}
END_TEST

START_TEST(the_leader_that_joins_again_starts_a_rebalance)
{
    struct ticket *one, *two;

    stable_two(&one, &two);
    (void)join((struct client){.id = one->id});
    ck_assert_str_eq(state(), "PreparingRebalance");
    ck_assert_int_eq(heartbeat(two), KAFKA_REBALANCE_IN_PROGRESS);
}
END_TEST

/* ---- syncing ----------------------------------------------------------------- */

START_TEST(all_sync_answers_come_with_the_leaders)
{
    struct ticket *one = join_new(NULL), *two = join_new(NULL), *waits, *leads;
    const char *given[4] = {NULL, "x", "stranger", "y"};

    round_ends();
    waits = sync_member(two);
    ck_assert_int_eq(waits->answers, 0);
    given[0] = one->id;
    leads = sync_as(one->id, NULL, 1, given, 2);
    ck_assert_int_eq(waits->answers + leads->answers, 2);
    ck_assert_str_eq(leads->assignment, "x");
    ck_assert_str_eq(leads->protocol, "r");
    ck_assert_str_eq(waits->assignment, "");
    ck_assert_int_eq(waits->error, KAFKA_NONE);
}
END_TEST

START_TEST(a_join_during_sync_sends_the_waiting_back)
{
    struct ticket *one = join_new(NULL), *two = join_new(NULL), *waits, *three;

    round_ends();
    waits = sync_member(two);
    three = join((struct client){.instance = "three"});
    ck_assert_int_eq(waits->answers, 1);
    ck_assert_int_eq(waits->error, KAFKA_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(sync_member(one)->error, KAFKA_REBALANCE_IN_PROGRESS);
    one = join((struct client){.id = one->id});
    two = join((struct client){.id = two->id});
    ck_assert_int_eq(one->answers + two->answers + three->answers, 3);
    ck_assert_int_eq(three->generation, 2);
}
END_TEST

START_TEST(who_never_syncs_is_out_after_the_rebalance_timeout)
{
    struct ticket *one = join_new(NULL), *two = join_new(NULL), *waits;

    round_ends();
    waits = sync_member(two);
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(waits->answers, 0);
        ck_assert_int_eq(heartbeat(one), KAFKA_NONE);
        pass(5000);
    }
    ck_assert_int_eq(waits->answers, 1);
    ck_assert_int_eq(waits->error, KAFKA_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(heartbeat(one), KAFKA_UNKNOWN_MEMBER_ID);
    two = join((struct client){.id = two->id});
    ck_assert_int_eq(two->answers, 1);
    ck_assert_str_eq(two->leader, two->id);
}
END_TEST

START_TEST(syncs_that_cannot_be_are_refused)
{
    struct ticket *one;
    struct sync_group_request request;
    struct ticket *ticket = new_ticket(true);
    struct groups_caller who = caller(5);

    ck_assert_int_eq(sync_as("nobody", NULL, 1, NULL, 0)->error,
                     KAFKA_UNKNOWN_MEMBER_ID);
    one = stable_one();
    ck_assert_int_eq(sync_as("nobody", NULL, 1, NULL, 0)->error,
                     KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(sync_as(one->id, NULL, 0, NULL, 0)->error,
                     KAFKA_ILLEGAL_GENERATION);
    ck_assert_int_eq(sync_as(one->id, "i", 1, NULL, 0)->error, KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_str_eq(sync_member(one)->assignment, "all");
    wire_defaults(&sync_group_request_message, &request);
    groups_sync(groups, &request, &who, ticket);
    ck_assert_int_eq(ticket->error, KAFKA_INVALID_GROUP_ID);
    request.group_id = wire_string_of("g");
    request.member_id = wire_string_of(one->id);
    request.generation_id = 1;
    request.protocol_type = wire_string_of("consumer");
    request.protocol_name = wire_string_of("x");
    groups_sync(groups, &request, &who, ticket);
    ck_assert_int_eq(ticket->error, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    request.protocol_type = wire_string_of("connect");
    request.protocol_name = wire_string_of("r");
    groups_sync(groups, &request, &who, ticket);
    ck_assert_int_eq(ticket->error, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
}
END_TEST

static TCase *joining(void)
{
    TCase *tcase = tcase_create("joining");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_first_member_is_in_a_generation_after_one_round);
    tcase_add_test(tcase, members_of_one_round_are_in_the_same_generation);
    tcase_add_test(
        tcase,
        the_initial_delay_grows_with_members_that_come_up_to_the_rebalance_timeout);
    tcase_add_test(tcase, a_second_member_brings_all_together_without_waiting);
    tcase_add_test(tcase, who_does_not_rejoin_in_the_longest_rebalance_timeout_is_out);
    tcase_add_test(tcase, a_pending_member_holds_up_a_rebalance_until_its_session_ends);
    tcase_add_test(tcase, joins_that_cannot_be_are_refused);
    tcase_add_test(tcase, most_votes_among_common_protocols_win);
    tcase_add_test(tcase, a_full_group_turns_new_members_away);
    tcase_add_test(tcase, a_join_of_the_same_member_again_answers_the_earlier_one);
    tcase_add_test(tcase, a_lost_answer_is_given_again_without_a_rebalance);
    tcase_add_test(tcase, the_leader_that_joins_again_starts_a_rebalance);
    tcase_add_test(tcase, all_sync_answers_come_with_the_leaders);
    tcase_add_test(tcase, a_join_during_sync_sends_the_waiting_back);
    tcase_add_test(tcase, who_never_syncs_is_out_after_the_rebalance_timeout);
    tcase_add_test(tcase, syncs_that_cannot_be_are_refused);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("ledger_groups");

    suite_add_tcase(suite, joining());
    return suite_run(suite);
}
