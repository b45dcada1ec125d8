/* SPDX-License-Identifier: MIT
 *
 * The consumer protocol, request by request, as Apache Kafka 4.2 answers.
 */
#include "../support/consumer_fake.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct fake fake;

static void setup(void)
{
    fake_open(&fake, "ledger-consumer");
    fake_topic(&fake, "t", 4);
}

static void teardown(void)
{
    fake_close(&fake);
}

static struct partition_set owning(const char *topic, int32_t first, int32_t count)
{
    struct partition_set set = {0};

    for (int32_t p = first; p < first + count; p++)
        partition_set_add(&set, &fake_find(&fake, topic)->id, p);
    return set;
}

/* A heartbeat that says what it owns: count partitions of t from first on. */
static enum kafka_error beat_with(const char *member, int32_t epoch, int32_t first,
                                  int32_t count)
{
    struct partition_set set = owning("t", first, count);
    enum kafka_error error = fake_beat_owning(&fake, member, epoch, &set);

    partition_set_clear(&set);
    return error;
}

static enum kafka_error send_static(const char *member, const char *instance,
                                    int32_t epoch)
{
    struct consumer_group_heartbeat_request request = fake_request(member, epoch);

    request.instance_id = wire_string_of(instance);
    if (epoch == 0) {
        request.rebalance_timeout_ms = 60000;
        request.topic_partitions_count = 0;
        fake_subscribe(&fake, &request, "t");
    }
    return fake_send(&fake, &request);
}

static enum kafka_error join_by_pattern(const char *member, const char *regex)
{
    struct consumer_group_heartbeat_request request = fake_request(member, 0);

    request.rebalance_timeout_ms = 60000;
    request.topic_partitions_count = 0;
    request.subscribed_topic_regex = wire_string_of(regex);
    return fake_send(&fake, &request);
}

static const char *state(void)
{
    return consumer_state(fake.group);
}

START_TEST(the_first_member_gets_everything)
{
    ck_assert_str_eq(state(), "Empty");
    ck_assert_int_eq(fake_join(&fake, "a", "t"), KAFKA_NONE);
    ck_assert_int_eq(fake.answer.member_epoch, 1);
    ck_assert_int_eq(fake.answer.heartbeat_interval_ms, 5000);
    ck_assert(wire_string_is(fake.answer.member_id, "a"));
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3");
    ck_assert_str_eq(state(), "Stable");
}
END_TEST

START_TEST(the_second_member_waits_for_what_the_first_gives_up)
{
    fake_join(&fake, "a", "t");
    fake_join(&fake, "b", "t");
    ck_assert_int_eq(fake.answer.member_epoch, 2);
    ck_assert_str_eq(fake_assignment(&fake), "");
    ck_assert_str_eq(state(), "Reconciling");

    /* a is told what it may keep, and stays in its epoch until it says so. */
    fake_beat(&fake, "a", 1);
    ck_assert_int_eq(fake.answer.member_epoch, 1);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1");
    fake_beat(&fake, "b", 2);
    ck_assert_str_eq(fake_assignment(&fake), "-");
    beat_with("a", 1, 0, 4);
    ck_assert_int_eq(fake.answer.member_epoch, 1);
    beat_with("a", 1, 0, 2);
    ck_assert_int_eq(fake.answer.member_epoch, 2);

    fake_beat(&fake, "b", 2);
    ck_assert_str_eq(fake_assignment(&fake), "t:2,3");
    ck_assert_str_eq(state(), "Stable");
}
END_TEST

START_TEST(an_answer_says_the_assignment_only_when_asked_or_changed)
{
    struct consumer_group_heartbeat_request full = fake_request("a", 1);
    struct partition_set set = owning("t", 0, 4);

    fake_join(&fake, "a", "t");
    fake_beat(&fake, "a", 1);
    ck_assert_str_eq(fake_assignment(&fake), "-");
    beat_with("a", 1, 0, 4);
    ck_assert_str_eq(fake_assignment(&fake), "-");
    full.rebalance_timeout_ms = 60000;
    fake_subscribe(&fake, &full, "t");
    fake_own(&fake, &full, &set);
    fake_send(&fake, &full);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3");
    fake_join(&fake, "a", "t");
    ck_assert_int_eq(fake.answer.member_epoch, 1);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3");
    partition_set_clear(&set);
}
END_TEST

START_TEST(wrong_epochs_are_fenced)
{
    ck_assert_int_eq(fake_beat(&fake, "a", 1), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_str_eq(fake_text(&fake), "Member a is not a member of group the group.");
    fake_join(&fake, "a", "t");
    ck_assert_int_eq(fake_beat(&fake, "a", 2), KAFKA_FENCED_MEMBER_EPOCH);
    ck_assert_str_eq(
        fake_text(&fake),
        "The consumer group member has a greater member epoch (2) than the one "
        "known by the group coordinator (1). The member must abandon all its "
        "partitions and rejoin.");
    fake_join(&fake, "b", "t");
    ck_assert_int_eq(fake_beat(&fake, "b", 1), KAFKA_FENCED_MEMBER_EPOCH);
    ck_assert_str_eq(
        fake_text(&fake),
        "The consumer group member has a smaller member epoch (1) than the one "
        "known by the group coordinator (2). The member must abandon all its "
        "partitions and rejoin.");
}
END_TEST

START_TEST(the_epoch_before_is_accepted_when_the_answer_was_lost)
{
    fake_join(&fake, "a", "t");
    fake_join(&fake, "b", "t");
    fake_beat(&fake, "a", 1);
    beat_with("a", 1, 0, 2); /* epoch 2: this answer is lost */
    fake_reopen(&fake);
    ck_assert_int_eq(beat_with("a", 1, 0, 2), KAFKA_NONE);
    ck_assert_int_eq(fake.answer.member_epoch, 2);
    ck_assert_int_eq(beat_with("a", 1, 0, 3), KAFKA_FENCED_MEMBER_EPOCH);
    ck_assert_int_eq(fake_beat(&fake, "a", 1), KAFKA_FENCED_MEMBER_EPOCH);
}
END_TEST

static void refused(const struct consumer_group_heartbeat_request *request,
                    const char *text)
{
    ck_assert_int_eq(fake_send(&fake, request), KAFKA_INVALID_REQUEST);
    ck_assert_str_eq(fake_text(&fake), text);
}

START_TEST(invalid_requests_have_kafkas_texts)
{
    struct consumer_group_heartbeat_request request = fake_request("", 0);

    refused(&request, "MemberId can't be empty.");
    request = fake_request("a", 0);
    request.group_id = wire_string_of(" ");
    refused(&request, "GroupId can't be empty.");
    request = fake_request("a", 0);
    request.instance_id = wire_string_of("");
    refused(&request, "InstanceId can't be empty.");
    request = fake_request("a", 0);
    request.rack_id = wire_string_of("");
    refused(&request, "RackId can't be empty.");
    request = fake_request("a", 0);
    refused(&request, "RebalanceTimeoutMs must be provided in first request.");
    request.rebalance_timeout_ms = 1000;
    refused(&request, "TopicPartitions must be empty when (re-)joining.");
    request.topic_partitions_count = 0;
    refused(&request,
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null "
            "when (re-)joining.");
    request = fake_request("a", -2);
    refused(&request, "InstanceId can't be null.");
    request = fake_request("a", -3);
    refused(&request, "MemberEpoch is invalid.");
    request = fake_request("a", 1);
    request.server_assignor = wire_string_of("sticky");
    ck_assert_int_eq(fake_send(&fake, &request), KAFKA_UNSUPPORTED_ASSIGNOR);
    ck_assert_str_eq(fake_text(&fake),
                     "ServerAssignor sticky is not supported. Supported "
                     "assignors: uniform, range.");
}
END_TEST

START_TEST(a_member_without_an_id_gets_one)
{
    struct consumer_group_heartbeat_request request = fake_request("", 0);
    struct groups_caller caller = {wire_string_of("c"), "/127.0.0.1", fake.now_ms, 0,
                                   0};
    struct consumer_group_heartbeat_response answer;
    struct mem_arena arena = {0};

    request.rebalance_timeout_ms = 1000;
    request.topic_partitions_count = 0;
    fake_subscribe(&fake, &request, "t");
    ck_assert_int_eq(consumer_check(&request, 0, &arena, &answer), KAFKA_NONE);
    consumer_heartbeat(fake.group, &request, &caller, &arena, &answer);
    ck_assert_int_eq(answer.error_code, KAFKA_NONE);
    ck_assert_int_eq(answer.member_id.len, 22);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(a_silent_member_is_removed_after_its_session)
{
    fake_join(&fake, "a", "t");
    fake_join(&fake, "b", "t");
    fake.now_ms += 30000;
    fake_beat(&fake, "b", 2);
    ck_assert_int_eq(consumer_tick(fake.group, fake.now_ms), fake.now_ms + 15000);
    fake.now_ms += 15000;
    ck_assert_int_eq(consumer_tick(fake.group, fake.now_ms), fake.now_ms + 30000);
    ck_assert_str_eq(state(), "Assigning");
    ck_assert_int_eq(consumer_epoch(fake.group), 3);
    fake_beat(&fake, "b", 2);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3");
    ck_assert_int_eq(fake_beat(&fake, "a", 1), KAFKA_UNKNOWN_MEMBER_ID);
}
END_TEST

START_TEST(a_group_may_have_a_session_timeout_of_its_own)
{
    fake.session_own_ms = 46000;
    fake_join(&fake, "a", "t");
    ck_assert_int_eq(consumer_tick(fake.group, fake.now_ms + 45000),
                     fake.now_ms + 46000);
    ck_assert(!consumer_is_empty(fake.group));
    ck_assert_int_eq(consumer_tick(fake.group, fake.now_ms + 46000), INT64_MAX);
    ck_assert(consumer_is_empty(fake.group));
}
END_TEST

START_TEST(who_does_not_give_up_in_time_is_removed)
{
    fake.env.session_timeout_ms = 1000000;
    fake_join(&fake, "a", "t");
    fake_join(&fake, "b", "t");
    fake_beat(&fake, "a", 1);
    fake.now_ms += 59999;
    consumer_tick(fake.group, fake.now_ms);
    ck_assert_int_eq(beat_with("a", 1, 0, 4), KAFKA_NONE);
    fake.now_ms++;
    consumer_tick(fake.group, fake.now_ms);
    ck_assert_int_eq(fake_beat(&fake, "a", 1), KAFKA_UNKNOWN_MEMBER_ID);
    fake_beat(&fake, "b", 2);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3");
}
END_TEST

START_TEST(who_leaves_makes_room_at_once)
{
    fake_join(&fake, "a", "t");
    ck_assert_int_eq(fake_leave(&fake, "a"), KAFKA_NONE);
    ck_assert_int_eq(fake.answer.member_epoch, -1);
    ck_assert_str_eq(state(), "Empty");
    ck_assert_int_eq(consumer_epoch(fake.group), 2);
    ck_assert_int_eq(fake_leave(&fake, "a"), KAFKA_UNKNOWN_MEMBER_ID);
    fake_join(&fake, "b", "t");
    ck_assert_int_eq(fake.answer.member_epoch, 3);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3");
}
END_TEST

START_TEST(a_static_member_comes_back_to_what_it_had)
{
    send_static("a1", "a", 0);
    ck_assert_int_eq(send_static("a2", "a", 0), KAFKA_UNRELEASED_INSTANCE_ID);
    ck_assert_str_eq(
        fake_text(&fake),
        "Static member a2 with instance id a cannot join the group because the "
        "instance id is owned by a1 member.");
    ck_assert_int_eq(send_static("a2", "a", 1), KAFKA_FENCED_INSTANCE_ID);
    ck_assert_str_eq(fake_text(&fake),
                     "Static member a2 with instance id a was fenced by member a1.");
    ck_assert_int_eq(send_static("a1", "b", 1), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_str_eq(fake_text(&fake), "Instance id b is unknown.");

    ck_assert_int_eq(send_static("a1", "a", -2), KAFKA_NONE);
    ck_assert_int_eq(fake.answer.member_epoch, -2);
    fake_join(&fake, "b", "t"); /* meanwhile the partitions are kept */
    ck_assert_str_eq(fake_assignment(&fake), "");
    ck_assert_int_eq(consumer_epoch(fake.group), 2);
    ck_assert_int_eq(send_static("a2", "a", 0), KAFKA_NONE);
    ck_assert_int_eq(fake.answer.member_epoch, 2);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1");
    ck_assert_int_eq(consumer_epoch(fake.group), 2);
    ck_assert_int_eq(fake_beat(&fake, "a1", 1), KAFKA_UNKNOWN_MEMBER_ID);
    fake_reopen(&fake);
    ck_assert_int_eq(send_static("a2", "a", 2), KAFKA_NONE);
}
END_TEST

START_TEST(a_static_member_that_stays_away_loses_it)
{
    send_static("a1", "a", 0);
    send_static("a1", "a", -2);
    consumer_tick(fake.group, fake.now_ms + 44999);
    ck_assert(!consumer_is_empty(fake.group));
    consumer_tick(fake.group, fake.now_ms + 45000);
    ck_assert(consumer_is_empty(fake.group));
}
END_TEST

START_TEST(a_static_member_cannot_take_anothers_id)
{
    fake_join(&fake, "b", "t");
    send_static("a1", "a", 0);
    send_static("a1", "a", -2);
    ck_assert_int_eq(send_static("b", "a", 0), KAFKA_INVALID_REQUEST);
}
END_TEST

START_TEST(topics_that_change_make_a_new_assignment)
{
    fake_join(&fake, "a", "t,u");
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3");
    fake_topic(&fake, "other", 1);
    fake_beat(&fake, "a", 1);
    ck_assert_int_eq(fake.answer.member_epoch, 1);
    fake_topic(&fake, "u", 1);
    fake_beat(&fake, "a", 1);
    ck_assert_int_eq(fake.answer.member_epoch, 2);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3 u:0");
    fake_topic(&fake, "u", 2);
    fake_beat(&fake, "a", 2);
    ck_assert_int_eq(fake.answer.member_epoch, 3);
    ck_assert_str_eq(fake_assignment(&fake), "t:0,1,2,3 u:0,1");
    fake_topic(&fake, "t", 0);
    fake_beat(&fake, "a", 3);
    ck_assert_str_eq(fake_assignment(&fake), "u:0,1");
}
END_TEST

START_TEST(a_topic_made_again_is_another_one)
{
    struct partition_set old = owning("t", 0, 4), none = {0};

    fake_join(&fake, "a", "t");
    fake_topic(&fake, "t", 0);
    fake_topic(&fake, "t", 1);
    fake_beat_owning(&fake, "a", 1, &old);
    ck_assert_str_eq(fake_assignment(&fake), ""); /* first give up the old one */
    fake_beat_owning(&fake, "a", 1, &none);
    ck_assert_str_eq(fake_assignment(&fake), "t:0");
    partition_set_clear(&old);
}
END_TEST

START_TEST(a_changed_subscription_drops_topics_at_once)
{
    struct consumer_group_heartbeat_request request = fake_request("a", 1);

    fake_topic(&fake, "u", 1);
    fake_join(&fake, "a", "t,u");
    fake_subscribe(&fake, &request, "u");
    fake_send(&fake, &request);
    ck_assert_int_eq(fake.answer.member_epoch, 1);
    ck_assert_str_eq(fake_assignment(&fake), "u:0");
    ck_assert(!consumer_subscribes(fake.group, "t"));
    ck_assert(consumer_subscribes(fake.group, "u"));
}
END_TEST

START_TEST(patterns_follow_the_catalogue)
{
    struct partition_set left;

    fake_topic(&fake, "x-1", 1);
    ck_assert_int_eq(join_by_pattern("a", "x-.*"), KAFKA_NONE);
    ck_assert_str_eq(fake_assignment(&fake), "x-1:0");
    ck_assert(consumer_subscribes(fake.group, "x-1"));
    fake_topic(&fake, "x-2", 2);
    fake.now_ms += 1000;
    fake_beat(&fake, "a", 1);
    ck_assert_str_eq(fake_assignment(&fake), "x-1:0 x-2:0,1");
    fake_topic(&fake, "y", 1);
    fake.now_ms += 1000;
    fake_beat(&fake, "a", 2);
    ck_assert_int_eq(fake.answer.member_epoch, 2);
    fake_topic(&fake, "x-1", 0);
    fake.now_ms += 1000;
    fake_beat(&fake, "a", 2);
    ck_assert_str_eq(fake_assignment(&fake), "x-2:0,1");
    left = owning("x-2", 0, 2);
    fake_beat_owning(&fake, "a", 2, &left);
    ck_assert_int_eq(fake.answer.member_epoch, 3);
    fake_reopen(&fake);
    ck_assert_int_eq(fake_beat(&fake, "a", 3), KAFKA_NONE);
    ck_assert_int_eq(fake.answer.member_epoch, 3);
    partition_set_clear(&left);
}
END_TEST

START_TEST(a_broken_pattern_changes_nothing)
{
    ck_assert_int_eq(join_by_pattern("a", "(x"), KAFKA_INVALID_REGULAR_EXPRESSION);
    ck_assert_str_eq(fake_text(&fake),
                     "SubscribedTopicRegex `(x` is not a valid regular "
                     "expression: missing closing ).");
    ck_assert(consumer_is_empty(fake.group));
    ck_assert_int_eq(consumer_epoch(fake.group), 0);
}
END_TEST

START_TEST(most_wishes_choose_the_assignor)
{
    struct consumer_group_describe_response_described_group group;
    struct consumer_group_heartbeat_request request = fake_request("a", 0);

    request.rebalance_timeout_ms = 1000;
    request.topic_partitions_count = 0;
    request.server_assignor = wire_string_of("range");
    fake_subscribe(&fake, &request, "t");
    fake_send(&fake, &request);
    fake_join(&fake, "b", "t");
    consumer_describe(fake.group, &fake.arena, &group);
    ck_assert(wire_string_is(group.assignor_name, "range"));
}
END_TEST

START_TEST(a_full_group_takes_nobody)
{
    fake.env.max_size = 1;
    fake_join(&fake, "a", "t");
    ck_assert_int_eq(fake_join(&fake, "b", "t"), KAFKA_GROUP_MAX_SIZE_REACHED);
    ck_assert_str_eq(
        fake_text(&fake),
        "The consumer group has reached its maximum capacity of 1 members.");
    ck_assert_int_eq(fake_join(&fake, "a", "t"), KAFKA_NONE);
}
END_TEST

START_TEST(members_go_on_after_a_restart)
{
    fake_join(&fake, "a", "t");
    fake_join(&fake, "b", "t");
    fake_beat(&fake, "a", 1);
    fake_reopen(&fake);
    ck_assert_str_eq(state(), "Reconciling");
    fake_beat(&fake, "b", 2);
    ck_assert_str_eq(fake_assignment(&fake), "-");
    beat_with("a", 1, 0, 2);
    ck_assert_int_eq(fake.answer.member_epoch, 2);
    fake_reopen(&fake);
    fake_beat(&fake, "b", 2);
    ck_assert_str_eq(fake_assignment(&fake), "t:2,3");
    fake_reopen(&fake);
    consumer_tick(fake.group, fake.now_ms + 44999);
    ck_assert_str_eq(state(), "Stable");
    consumer_tick(fake.group, fake.now_ms + 45000);
    ck_assert_str_eq(state(), "Empty");
    fake_reopen(&fake);
    ck_assert_str_eq(state(), "Empty");
    ck_assert_int_eq(consumer_epoch(fake.group), 4);
    ck_assert_int_eq(consumer_forget(fake.group), KAFKA_NONE);
    fake_reopen(&fake);
    ck_assert_int_eq(consumer_epoch(fake.group), 0);
}
END_TEST

START_TEST(a_full_disk_changes_nothing)
{
    enum kafka_error join, leave, beat;
    int64_t retry_ms;

    fake_join(&fake, "a", "t");
    fake_disk(&fake, true); /* no assertion meanwhile: libcheck writes files too */
    join = fake_join(&fake, "b", "t");
    leave = fake_leave(&fake, "a");
    retry_ms = consumer_tick(fake.group, fake.now_ms + 45000);
    beat = fake_beat(&fake, "a", 1);
    fake_disk(&fake, false);
    ck_assert_int_eq(join, KAFKA_COORDINATOR_NOT_AVAILABLE);
    ck_assert_int_eq(leave, KAFKA_COORDINATOR_NOT_AVAILABLE);
    ck_assert_int_eq(retry_ms, fake.now_ms + 46000);
    ck_assert_int_eq(beat, KAFKA_NONE); /* it had nothing to write */
    ck_assert_int_eq(consumer_epoch(fake.group), 1);
    ck_assert_int_eq(fake_beat(&fake, "b", 1), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(fake_join(&fake, "b", "t"), KAFKA_NONE);
    ck_assert_int_eq(fake.answer.member_epoch, 2);
}
END_TEST

static enum kafka_error commit(const char *member, int32_t epoch, int16_t version,
                               bool transactional)
{
    return consumer_may_commit(fake.group, &(struct consumer_commit){
                                               .member_id = wire_string_of(member),
                                               .instance_id = wire_string_of(NULL),
                                               .epoch = epoch,
                                               .version = version,
                                               .transactional = transactional,
                                           });
}

START_TEST(offsets_need_the_members_epoch)
{
    struct wire_string a = wire_string_of("a"), none = wire_string_of(NULL);

    ck_assert_int_eq(commit("", -1, 9, false), KAFKA_NONE);
    ck_assert_int_eq(commit("a", 1, 9, false), KAFKA_UNKNOWN_MEMBER_ID);
    fake_join(&fake, "a", "t");
    ck_assert_int_eq(commit("", -1, 9, false), KAFKA_UNKNOWN_MEMBER_ID);
    ck_assert_int_eq(commit("", -1, 3, true), KAFKA_NONE);
    ck_assert_int_eq(commit("a", 1, 9, false), KAFKA_NONE);
    ck_assert_int_eq(commit("a", 1, 8, false), KAFKA_UNSUPPORTED_VERSION);
    ck_assert_int_eq(commit("a", 1, 3, true), KAFKA_NONE);
    ck_assert_int_eq(commit("a", 0, 9, false), KAFKA_STALE_MEMBER_EPOCH);
    ck_assert_int_eq(commit("a", 2, 9, false), KAFKA_STALE_MEMBER_EPOCH);
    ck_assert_int_eq(consumer_may_fetch(fake.group, none, -1), KAFKA_NONE);
    ck_assert_int_eq(consumer_may_fetch(fake.group, a, 1), KAFKA_NONE);
    ck_assert_int_eq(consumer_may_fetch(fake.group, a, 2), KAFKA_STALE_MEMBER_EPOCH);
    ck_assert_int_eq(consumer_may_fetch(fake.group, wire_string_of("b"), 1),
                     KAFKA_UNKNOWN_MEMBER_ID);
}
END_TEST

START_TEST(a_description_shows_members_and_targets)
{
    struct consumer_group_describe_response_described_group group;
    const struct consumer_group_describe_response_member *b;

    fake_join(&fake, "a", "t");
    fake_join(&fake, "b", "t");
    consumer_describe(fake.group, &fake.arena, &group);
    ck_assert(wire_string_is(group.group_state, "Reconciling"));
    ck_assert(wire_string_is(group.assignor_name, "uniform"));
    ck_assert_int_eq(group.group_epoch, 2);
    ck_assert_int_eq(group.assignment_epoch, 2);
    ck_assert_int_eq(group.members_count, 2);
    b = &group.members[wire_string_is(group.members[1].member_id, "b")];
    ck_assert(wire_string_is(b->client_id, "a client"));
    ck_assert(wire_string_is(b->client_host, "/127.0.0.1"));
    ck_assert_int_eq(b->member_epoch, 2);
    ck_assert_int_eq(b->member_type, 1);
    ck_assert_int_eq(b->subscribed_topic_names_count, 1);
    ck_assert_int_eq(b->assignment.topic_partitions_count, 0);
    ck_assert_int_eq(b->target_assignment.topic_partitions_count, 1);
    ck_assert_int_eq(b->target_assignment.topic_partitions[0].partitions_count, 2);
    ck_assert(wire_string_is(b->target_assignment.topic_partitions[0].topic_name, "t"));
}
END_TEST

int main(void)
{
    const TTest *const all[] = {
        the_first_member_gets_everything,
        the_second_member_waits_for_what_the_first_gives_up,
        an_answer_says_the_assignment_only_when_asked_or_changed,
        wrong_epochs_are_fenced,
        the_epoch_before_is_accepted_when_the_answer_was_lost,
        invalid_requests_have_kafkas_texts,
        a_member_without_an_id_gets_one,
        a_silent_member_is_removed_after_its_session,
        a_group_may_have_a_session_timeout_of_its_own,
        who_does_not_give_up_in_time_is_removed,
        who_leaves_makes_room_at_once,
        a_static_member_comes_back_to_what_it_had,
        a_static_member_that_stays_away_loses_it,
        a_static_member_cannot_take_anothers_id,
        topics_that_change_make_a_new_assignment,
        a_topic_made_again_is_another_one,
        a_changed_subscription_drops_topics_at_once,
        patterns_follow_the_catalogue,
        a_broken_pattern_changes_nothing,
        most_wishes_choose_the_assignor,
        a_full_group_takes_nobody,
        members_go_on_after_a_restart,
        a_full_disk_changes_nothing,
        offsets_need_the_members_epoch,
        a_description_shows_members_and_targets,
    };
    Suite *suite = suite_create("consumer");
    TCase *tcase = tcase_create("all");

    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        tcase_add_test(tcase, all[i]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
