/* SPDX-License-Identifier: MIT
 *
 * ledger_api_test.c - Produce, ListOffsets and the life of a whole broker.
 */
#include "ledger_api_rig.h"

#include "ledger/wire/messages_groups.h"
#include "support/suite.h"

START_TEST(offsets_follow_each_other)
{
    struct client client = connect_client();

    ck_assert_int_eq(put_answer(&client, &plain).base_offset, 0);
    ck_assert_int_eq(put_answer(&client, &plain).base_offset, 10);
    disconnect(&client);
}
END_TEST

static const struct {
    int16_t version, acks;
    const char *topic, *transactional_id;
    int32_t partition;
    int16_t attributes;
    int error;
} refused[] = {
    {9, -1, "none", NULL, 0, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {9, -1, "t", NULL, PARTITIONS, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {9, -1, "t", NULL, -1, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {9, 2, "t", NULL, 0, 0, KAFKA_INVALID_REQUIRED_ACKS},
    {9, -2, "t", NULL, 0, 0, KAFKA_INVALID_REQUIRED_ACKS},
    {9, -1, "t", NULL, 0, BATCH_TRANSACTIONAL,
     KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED},
    {13, -1, "t", NULL, 0, 0, KAFKA_UNKNOWN_TOPIC_ID},
};

START_TEST(what_cannot_be_appended_is_named)
{
    struct client client = connect_client();
    struct put put = plain;
    struct produce_response_partition_produce_response answer;

    put.version = refused[_i].version;
    put.acks = refused[_i].acks;
    put.topic = refused[_i].topic;
    put.partition = refused[_i].partition;
    put.batch.attributes = refused[_i].attributes;
    answer = put_answer(&client, &put);
    ck_assert_int_eq(answer.error_code, refused[_i].error);
    ck_assert_int_eq(answer.base_offset, -1);
    ck_assert_int_eq(put_answer(&client, &plain).base_offset, 0);
    disconnect(&client);
}
END_TEST

START_TEST(topics_may_be_named_by_id)
{
    struct client client = connect_client();
    struct put put = plain;

    put.version = 13;
    put.id = rig.topic_id;
    ck_assert_int_eq(put_error(&client, &put), KAFKA_NONE);
    disconnect(&client);
}
END_TEST

START_TEST(without_acks_there_is_no_answer_and_an_error_closes)
{
    struct client client = connect_client();
    struct put put = plain;

    put.acks = 0;
    (void)send_put(&client, &put);
    ck_assert_int_eq(put_answer(&client, &plain).base_offset, 10);
    put.topic = "none";
    (void)send_put(&client, &put);
    ck_assert(is_closed(&client));
    disconnect(&client);
}
END_TEST

START_TEST(old_versions_are_advertised_and_refused)
{
    struct client client = connect_client();
    struct put put = plain;

    put.version = 2;
    (void)send_put(&client, &put);
    ck_assert(is_closed(&client));
    disconnect(&client);
}
END_TEST

START_TEST(policy_always_answers_after_the_flush)
{
    struct client client;
    struct put bad = plain;

    close_broker();
    open_broker(LEDGER_FSYNC_ALWAYS);
    client = connect_client();
    bad.topic = "none";
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(put_answer(&client, &plain).base_offset, 10 * i);
        ck_assert_int_eq(put_error(&client, &bad), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    }
    (void)send_put(&client, &plain);
    disconnect(&client); /* it goes while its answer waits */
    client = connect_client();
    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    disconnect(&client);
}
END_TEST

/* ---- ListOffsets ------------------------------------------------------------------
 */

static const struct {
    int16_t version;
    int64_t timestamp;
    int error;
    int64_t offset;
} looked_up[] = {
    {1, -1, KAFKA_NONE, 10},
    {1, -2, KAFKA_NONE, 0},
    {6, -3, KAFKA_UNSUPPORTED_VERSION, -1},
    {7, -3, KAFKA_NONE, 0},
    {7, -4, KAFKA_UNSUPPORTED_VERSION, -1},
    {8, -4, KAFKA_NONE, 0},
    {8, -5, KAFKA_UNSUPPORTED_VERSION, -1},
    {9, -5, KAFKA_NONE, -1},
    {11, -6, KAFKA_NONE, -1},
    {11, -7, KAFKA_UNSUPPORTED_VERSION, -1},
    {11, 0, KAFKA_NONE, 0},
    {11, INT64_MAX, KAFKA_NONE, -1},
};

START_TEST(offsets_are_looked_up_as_kafka_does)
{
    struct client client = connect_client();
    struct list_offsets_request request;
    struct list_offsets_request_list_offsets_topic topic;
    struct list_offsets_request_list_offsets_partition partition;
    struct list_offsets_response response;
    const struct list_offsets_response_list_offsets_partition_response *answer;

    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    wire_defaults(&list_offsets_request_message, &request);
    wire_defaults(&list_offsets_request_list_offsets_topic_message, &topic);
    wire_defaults(&list_offsets_request_list_offsets_partition_message, &partition);
    partition.timestamp = looked_up[_i].timestamp;
    topic.name = wire_string_of("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    request.topics = &topic;
    request.topics_count = 1;
    ask(&client, WIRE_LIST_OFFSETS, looked_up[_i].version, &request);
    ck_assert(
        receive(&client, WIRE_LIST_OFFSETS, looked_up[_i].version, LONG_MS, &response));
    answer = &response.topics[0].partitions[0];
    ck_assert_int_eq(answer->error_code, looked_up[_i].error);
    ck_assert_int_eq(answer->offset, looked_up[_i].offset);
    disconnect(&client);
}
END_TEST

/* ---- the broker as a whole --------------------------------------------------------
 */

START_TEST(everything_is_there_after_a_restart)
{
    struct client client = connect_client();
    struct fetch_response response;
    char before[32];

    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    (void)snprintf(before, sizeof before, "%s", ledger_cluster_id(rig.ledger));
    disconnect(&client);
    close_broker();
    open_broker(LEDGER_FSYNC_INTERVAL);
    ck_assert_str_eq(ledger_cluster_id(rig.ledger), before);
    ck_assert_uint_eq(strlen(before), 22);
    client = connect_client();
    response = get_answer(&client, &all);
    ck_assert_int_eq(part_of(&response)->high_watermark, 10);
    disconnect(&client);
}
END_TEST

/* More than a socket takes at once. */
static void ask_much(struct client *client, enum wire_key key, int16_t version,
                     const void *message)
{
    struct wire_out out = {0};

    wire_write_request(wire_api_find((int16_t)key), version, ++client->asked,
                       wire_string_of("test"), message, &out);
    for (size_t sent = 0; sent < out.bytes.len;) {
        ssize_t n = send(client->fd, out.bytes.data + sent, out.bytes.len - sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        sent += n > 0 ? (size_t)n : 0;
        turn();
    }
    wire_out_clear(&out);
}

/* The only member of a group gives itself nothing. */
static void sync_alone(struct client *client, const struct join_group_response *joined)
{
    struct sync_group_request request;
    struct sync_group_response response;

    wire_defaults(&sync_group_request_message, &request);
    request.group_id = wire_string_of("g");
    request.member_id = joined->member_id;
    request.generation_id = joined->generation_id;
    ask(client, WIRE_SYNC_GROUP, 3, &request);
    ck_assert(receive(client, WIRE_SYNC_GROUP, 3, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
}

/* A member's metadata is as large as its request may be, and an id is short. */
START_TEST(a_small_request_has_no_endless_answer)
{
    enum { METADATA = 1 << 20, TIMES = 200 };
    struct client client = connect_client();
    struct join_group_request join;
    struct join_group_request_join_group_request_protocol protocol;
    struct join_group_response joined;
    struct describe_groups_request describe;
    struct describe_groups_response described;
    struct wire_string names[TIMES];
    uint8_t *metadata = mem_alloc(METADATA);

    wire_defaults(&join_group_request_message, &join);
    wire_defaults(&join_group_request_join_group_request_protocol_message, &protocol);
    protocol.name = wire_string_of("p");
    protocol.metadata = (struct wire_bytes){metadata, METADATA};
    join.group_id = wire_string_of("g");
    join.protocol_type = wire_string_of("x");
    join.session_timeout_ms = join.rebalance_timeout_ms = 10000;
    join.protocols = &protocol;
    join.protocols_count = 1;
    ask_much(&client, WIRE_JOIN_GROUP, 3, &join);
    ck_assert(receive(&client, WIRE_JOIN_GROUP, 3, LONG_MS, &joined));
    sync_alone(&client, &joined);
    wire_defaults(&describe_groups_request_message, &describe);
    for (int i = 0; i < TIMES; i++)
        names[i] = wire_string_of("g");
    describe.groups = names;
    describe.groups_count = 3;
    ask(&client, WIRE_DESCRIBE_GROUPS, 4, &describe);
    ck_assert(receive(&client, WIRE_DESCRIBE_GROUPS, 4, LONG_MS, &described));
    ck_assert_int_eq(described.groups[2].members[0].member_metadata.len, METADATA);
    describe.groups_count = TIMES;
    ask(&client, WIRE_DESCRIBE_GROUPS, 4, &describe);
    ck_assert(is_closed(&client));
    disconnect(&client);
    free(metadata);
}
END_TEST

/* A member of group "g", alone and stable. */
static struct wire_string join_alone(struct client *client, int32_t session_ms)
{
    struct join_group_request join;
    struct join_group_request_join_group_request_protocol protocol;
    struct join_group_response joined;
    struct sync_group_request sync;
    struct sync_group_response synced;

    wire_defaults(&join_group_request_message, &join);
    wire_defaults(&join_group_request_join_group_request_protocol_message, &protocol);
    protocol.name = wire_string_of("range");
    join.group_id = wire_string_of("g");
    join.protocol_type = wire_string_of("consumer");
    join.session_timeout_ms = session_ms;
    join.rebalance_timeout_ms = session_ms;
    join.protocols = &protocol;
    join.protocols_count = 1;
    ask(client, WIRE_JOIN_GROUP, 3, &join);
    ck_assert(receive(client, WIRE_JOIN_GROUP, 3, LONG_MS, &joined));
    ck_assert_int_eq(joined.error_code, KAFKA_NONE);
    wire_defaults(&sync_group_request_message, &sync);
    sync.group_id = join.group_id;
    sync.generation_id = joined.generation_id;
    sync.member_id = joined.member_id;
    ask(client, WIRE_SYNC_GROUP, 3, &sync);
    ck_assert(receive(client, WIRE_SYNC_GROUP, 3, LONG_MS, &synced));
    ck_assert_int_eq(synced.error_code, KAFKA_NONE);
    return joined.member_id;
}

START_TEST(a_broker_that_was_stopped_reads_heartbeats_before_it_expires_sessions)
{
    enum { SESSION_MS = 6000 }; /* Kafka's shortest */
    struct client client = connect_client();
    struct heartbeat_request request;
    struct heartbeat_response response;

    wire_defaults(&heartbeat_request_message, &request);
    request.group_id = wire_string_of("g");
    request.member_id = join_alone(&client, SESSION_MS);
    request.generation_id = 1;
    turn();
    ask(&client, WIRE_HEARTBEAT, 3, &request);
    (void)usleep((SESSION_MS + 300) * 1000);
    (void)ledger_tick(rig.ledger); /* a wait that a signal has ended reads nothing */
    ck_assert(receive(&client, WIRE_HEARTBEAT, 3, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    disconnect(&client);
}
END_TEST

START_TEST(a_data_folder_has_one_broker)
{
    struct ledger_settings settings;
    struct error err = {0};

    ledger_settings_default(&settings);
    settings.data_dir = rig.dir;
    ck_assert_ptr_null(ledger_open(rig.loop, &settings, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.text, rig.dir));
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named)
{
    struct ledger_settings settings;
    struct error err = {0};

    ledger_settings_default(&settings);
    settings.data_dir = "/dev/null/broker";
    ck_assert_ptr_null(ledger_open(rig.loop, &settings, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/dev/null/broker"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("api");
    TCase *tcase = tcase_create("api");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, offsets_follow_each_other);
    tcase_add_loop_test(tcase, what_cannot_be_appended_is_named, 0,
                        (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(tcase, topics_may_be_named_by_id);
    tcase_add_test(tcase, without_acks_there_is_no_answer_and_an_error_closes);
    tcase_add_test(tcase, old_versions_are_advertised_and_refused);
    tcase_add_test(tcase, policy_always_answers_after_the_flush);
    tcase_add_loop_test(tcase, offsets_are_looked_up_as_kafka_does, 0,
                        (int)(sizeof looked_up / sizeof looked_up[0]));
    tcase_add_test(tcase, everything_is_there_after_a_restart);
    tcase_add_test(tcase, a_small_request_has_no_endless_answer);
    tcase_add_test(
        tcase, a_broker_that_was_stopped_reads_heartbeats_before_it_expires_sessions);
    tcase_add_test(tcase, a_data_folder_has_one_broker);
    tcase_add_test(tcase, a_folder_that_cannot_be_made_is_named);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
