/* SPDX-License-Identifier: MIT
 *
 * The broker module against a real Kafka, whose address is in DAGRUN_BROKERS.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "host/broker.h"
#include "support/broker_fixture.h"
#include "support/suite.h"

#include <check.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void set_up(void)
{
    const char *brokers = getenv("DAGRUN_BROKERS");

    ck_assert_msg(brokers != NULL, "DAGRUN_BROKERS names no Kafka");
    fixture.broker = fixture_open_at(brokers);
}

/* A name that no earlier run of these tests has used. */
static const char *fresh(const char *name)
{
    return mem_arena_printf(&fixture.arena, "host-test-%s-%lld-%d", name,
                            (long long)clock_wall_ms(), (int)getpid());
}

static const char *make_topic(const char *name, int partitions)
{
    struct broker_topic topic = {
        .name = fresh(name), .partitions = partitions, .replication = -1};

    broker_create_topics(fixture.broker, &topic, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    fixture_all_fine();
    do {
        broker_describe_topics(fixture.broker, &topic.name, 1, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
        fixture_answered();
        ck_assert_uint_eq(fixture.reply.count, 1);
    } while (fixture.reply.items[0].error_code || fixture.reply.items[0].leaderless);
    return topic.name;
}

static void produce(const char *topic, int partition, int count, int64_t timestamp_ms)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_t *rk;

    (void)rd_kafka_conf_set(conf, "bootstrap.servers", getenv("DAGRUN_BROKERS"), text,
                            sizeof text);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(
            rd_kafka_producev(
                rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                RD_KAFKA_V_VALUE("value", 5), RD_KAFKA_V_TIMESTAMP(timestamp_ms + i),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
            0);
    ck_assert_int_eq(rd_kafka_flush(rk, FIXTURE_TIMEOUT_MS), 0);
    rd_kafka_destroy(rk);
}

START_TEST(a_ping_tells_that_it_is_up)
{
    ck_assert(!broker_is_up(fixture.broker));
    broker_ping(fixture.broker, FIXTURE_TIMEOUT_MS, fixture_on_done, &fixture.calls);
    ck_assert_uint_eq(broker_outstanding(fixture.broker), 1);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.error_code, BROKER_OK);
    ck_assert_uint_eq(broker_outstanding(fixture.broker), 0);
    ck_assert(broker_is_up(fixture.broker));
}
END_TEST

START_TEST(a_topic_has_what_it_was_created_with)
{
    static const char *const config[] = {"retention.ms", "-1", "max.message.bytes",
                                         "2097152", NULL};
    struct broker_topic topic = {
        .name = fresh("create"), .partitions = 3, .replication = -1, .config = config};
    const char *names[] = {fresh("absent"), topic.name};
    int seen = 0;

    broker_create_topics(fixture.broker, &topic, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    fixture_all_fine();
    broker_create_topics(fixture.broker, &topic, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.error_code, 0);
    ck_assert_int_eq(fixture.reply.items[0].error_code, BROKER_TOPIC_EXISTS);
    do { /* a new topic is known a moment after it was made */
        broker_describe_topics(fixture.broker, names, 2, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
        fixture_answered();
        ck_assert_uint_eq(fixture.reply.count, 2);
    } while (fixture.reply.items[1].error_code == BROKER_UNKNOWN_TOPIC);
    ck_assert_str_eq(fixture.reply.items[0].name, names[0]);
    ck_assert_int_eq(fixture.reply.items[0].error_code, BROKER_UNKNOWN_TOPIC);
    ck_assert_int_eq(fixture.reply.items[1].error_code, 0);
    ck_assert_int_eq(fixture.reply.items[1].partitions, 3);
    ck_assert_int_eq(fixture.reply.items[1].replication, 1);
    ck_assert_uint_eq(strlen(fixture.reply.items[1].topic_id), 22);
    broker_describe_topic_configs(fixture.broker, &topic.name, 1, FIXTURE_TIMEOUT_MS,
                                  fixture_on_done, &fixture.calls);
    fixture_all_fine();
    for (size_t i = 0; i < fixture.reply.count; i++) {
        const struct broker_item *item = &fixture.reply.items[i];

        if (strcmp(item->key, "retention.ms") == 0) {
            ck_assert_str_eq(item->value, "-1");
            ck_assert(!item->is_default);
            seen++;
        } else if (strcmp(item->key, "max.message.bytes") == 0) {
            ck_assert_str_eq(item->value, "2097152");
            seen++;
        } else if (strcmp(item->key, "cleanup.policy") == 0) {
            ck_assert(item->is_default);
            seen++;
        }
    }
    ck_assert_int_eq(seen, 3);
}
END_TEST

START_TEST(a_topic_grows_changes_and_goes)
{
    const char *name = make_topic("alter", 1);
    static const char *const config[] = {"retention.ms", "3600000", NULL};
    struct broker_topic more = {.name = name, .partitions = 4, .config = config};
    const char *id = mem_arena_strdup(&fixture.arena, fixture.reply.items[0].topic_id);
    bool changed = false;

    broker_create_partitions(fixture.broker, &more, 1, FIXTURE_TIMEOUT_MS,
                             fixture_on_done, &fixture.calls);
    fixture_all_fine();
    broker_create_partitions(fixture.broker, &more, 1, FIXTURE_TIMEOUT_MS,
                             fixture_on_done, &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.items[0].error_code, BROKER_INVALID_PARTITIONS);
    broker_alter_topic_configs(fixture.broker, &more, 1, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
    fixture_all_fine();
    do {
        broker_describe_topic_configs(fixture.broker, &name, 1, FIXTURE_TIMEOUT_MS,
                                      fixture_on_done, &fixture.calls);
        fixture_all_fine();
        for (size_t i = 0; i < fixture.reply.count; i++)
            changed |= strcmp(fixture.reply.items[i].key, "retention.ms") == 0 &&
                       strcmp(fixture.reply.items[i].value, "3600000") == 0;
    } while (!changed);
    do {
        broker_describe_topics(fixture.broker, &name, 1, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
        fixture_all_fine();
    } while (fixture.reply.items[0].partitions != 4);
    ck_assert_str_eq(fixture.reply.items[0].topic_id, id);
    broker_delete_topics(fixture.broker, &name, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    fixture_all_fine();
    do {
        broker_describe_topics(fixture.broker, &name, 1, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
        fixture_answered();
    } while (fixture.reply.items[0].error_code == 0);
    ck_assert_int_eq(fixture.reply.items[0].error_code, BROKER_UNKNOWN_TOPIC);
    broker_delete_topics(fixture.broker, &name, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.items[0].error_code, BROKER_UNKNOWN_TOPIC);
    /* Made anew it has another id: that is how a run sees that its topic is not its
     * own. */
    broker_create_topics(fixture.broker, &(struct broker_topic){name, 1, -1, NULL}, 1,
                         FIXTURE_TIMEOUT_MS, fixture_on_done, &fixture.calls);
    fixture_all_fine();
    do {
        broker_describe_topics(fixture.broker, &name, 1, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
        fixture_answered();
    } while (fixture.reply.items[0].error_code);
    ck_assert_str_ne(fixture.reply.items[0].topic_id, id);
}
END_TEST

START_TEST(ends_are_counted_and_records_freed)
{
    const char *name = make_topic("ends", 2);
    int64_t start_ms = clock_wall_ms() - 100000;
    struct broker_position ask[] = {{name, 0, BROKER_EARLIEST, NULL},
                                    {name, 1, BROKER_EARLIEST, NULL}};

    produce(name, 0, 10, start_ms);
    ask[0].offset = ask[1].offset = BROKER_LATEST;
    broker_list_offsets(fixture.broker, ask, 2, true, FIXTURE_TIMEOUT_MS,
                        fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_uint_eq(fixture.reply.count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(fixture.reply.items[i].offset,
                         fixture.reply.items[i].partition == 0 ? 10 : 0);
    ask[0].offset = start_ms + 4;
    broker_list_offsets(fixture.broker, ask, 1, false, FIXTURE_TIMEOUT_MS,
                        fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_int_eq(fixture.reply.items[0].offset, 4);
    ck_assert_int_eq(fixture.reply.items[0].timestamp_ms, start_ms + 4);
    ask[0].offset = start_ms + 1000;
    broker_list_offsets(fixture.broker, ask, 1, false, FIXTURE_TIMEOUT_MS,
                        fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_int_eq(fixture.reply.items[0].offset, -1);

    ask[0].offset = 7;
    broker_delete_records(fixture.broker, ask, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                          &fixture.calls);
    fixture_all_fine();
    ck_assert_int_eq(fixture.reply.items[0].offset, 7);
    ask[0].offset = BROKER_EARLIEST;
    broker_list_offsets(fixture.broker, ask, 1, true, FIXTURE_TIMEOUT_MS,
                        fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_int_eq(fixture.reply.items[0].offset, 7);
    ask[0].offset = 11;
    broker_delete_records(fixture.broker, ask, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                          &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.items[0].error_code, BROKER_OFFSET_OUT_OF_RANGE);
    ask[0].offset = -1;
    broker_delete_records(fixture.broker, ask, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                          &fixture.calls);
    fixture_all_fine();
    ck_assert_int_eq(fixture.reply.items[0].offset, 10);
}
END_TEST

/* Edges that share a topic ask for its ends each. */
START_TEST(a_partition_asked_for_twice_is_told_once)
{
    const char *name = make_topic("shared", 2);
    struct broker_position ask[] = {{name, 1, BROKER_LATEST, NULL},
                                    {name, 0, BROKER_LATEST, NULL},
                                    {name, 1, BROKER_LATEST, NULL}};

    produce(name, 0, 1, 1); /* waits for the leaders */
    produce(name, 1, 1, 1);
    broker_list_offsets(fixture.broker, ask, 3, true, FIXTURE_TIMEOUT_MS,
                        fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_uint_eq(fixture.reply.count, 2);
}
END_TEST

START_TEST(ends_of_a_topic_that_is_not_there_are_an_error)
{
    struct broker_position ask = {fresh("nowhere"), 0, BROKER_LATEST, NULL};

    broker_list_offsets(fixture.broker, &ask, 1, true, 2000, fixture_on_done,
                        &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.error_code, BROKER_NO_LEADER);
    ck_assert_uint_eq(fixture.reply.count, 0);
    ck_assert(broker_is_up(fixture.broker)); /* it did answer */
}
END_TEST

START_TEST(a_group_that_does_not_exist_yet_gets_offsets_with_metadata)
{
    const char *topic = make_topic("commit", 2);
    const char *group = fresh("group");
    struct broker_position at[] = {{topic, 0, 5, "{\"run\":3,\"finished\":false}"},
                                   {topic, 1, 0, NULL}};
    char *long_text = mem_alloc(2049);

    broker_group_offsets(fixture.broker, group, NULL, 0, FIXTURE_TIMEOUT_MS,
                         fixture_on_done, &fixture.calls);
    fixture_answered();
    ck_assert_msg(fixture.reply.error_code == 0, "%s", fixture.reply.error);
    ck_assert_uint_eq(fixture.reply.count, 0);
    broker_group_offsets(fixture.broker, group, at, 2, FIXTURE_TIMEOUT_MS,
                         fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_uint_eq(fixture.reply.count, 2);
    ck_assert_int_eq(fixture.reply.items[0].offset, -1);
    broker_alter_group_offsets(fixture.broker, group, at, 2, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_uint_eq(fixture.reply.count, 2);
    broker_group_offsets(fixture.broker, group, NULL, 0, FIXTURE_TIMEOUT_MS,
                         fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_uint_eq(fixture.reply.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct broker_item *item = &fixture.reply.items[i];

        ck_assert_int_eq(item->offset, item->partition == 0 ? 5 : 0);
        if (item->partition == 0)
            ck_assert_str_eq(item->metadata, "{\"run\":3,\"finished\":false}");
        else
            ck_assert(item->metadata == NULL || *item->metadata == '\0');
    }
    memset(long_text, 'x', 2048);
    at[0].metadata = long_text;
    broker_alter_group_offsets(fixture.broker, group, at, 1, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
    fixture_all_fine();
    broker_group_offsets(fixture.broker, group, at, 1, FIXTURE_TIMEOUT_MS,
                         fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_uint_eq(strlen(fixture.reply.items[0].metadata), 2048);
    free(long_text);

    broker_list_groups(fixture.broker, group, FIXTURE_TIMEOUT_MS, fixture_on_done,
                       &fixture.calls);
    fixture_all_fine();
    ck_assert_uint_eq(fixture.reply.count, 1);
    ck_assert_str_eq(fixture.reply.items[0].name, group);
    broker_describe_groups(fixture.broker, &group, 1, FIXTURE_TIMEOUT_MS,
                           fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_str_eq(fixture.reply.items[0].state, "Empty");
    ck_assert_uint_eq(fixture.reply.items[0].member_count, 0);
    broker_delete_groups(fixture.broker, &group, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    fixture_all_fine();
    broker_delete_groups(fixture.broker, &group, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.items[0].error_code, BROKER_GROUP_NOT_FOUND);
    broker_group_offsets(fixture.broker, group, NULL, 0, FIXTURE_TIMEOUT_MS,
                         fixture_on_done, &fixture.calls);
    fixture_answered();
    ck_assert_uint_eq(fixture.reply.count, 0);
}
END_TEST

static rd_kafka_t *join(const char *group, const char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_t *assigned;
    char text[256];
    rd_kafka_t *rk;
    int count = 0;

    (void)rd_kafka_conf_set(conf, "bootstrap.servers", getenv("DAGRUN_BROKERS"), text,
                            sizeof text);
    (void)rd_kafka_conf_set(conf, "group.id", group, text, sizeof text);
    (void)rd_kafka_conf_set(conf, "group.instance.id", "host.member.0", text,
                            sizeof text);
    (void)rd_kafka_conf_set(conf, "client.id", "host.member", text, sizeof text);
    (void)rd_kafka_conf_set(conf, "session.timeout.ms", "6000", text, sizeof text);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    (void)rd_kafka_poll_set_consumer(rk);
    (void)rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_subscribe(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    for (int tries = 0; tries < 200 && count == 0; tries++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);

        if (message)
            rd_kafka_message_destroy(message);
        (void)rd_kafka_assignment(rk, &assigned);
        count = assigned->cnt;
        rd_kafka_topic_partition_list_destroy(assigned);
    }
    ck_assert_int_gt(count, 0);
    return rk;
}

START_TEST(a_live_group_shows_its_members_and_refuses_offsets)
{
    const char *topic = make_topic("live", 1);
    const char *group = fresh("live-group");
    struct broker_position at = {topic, 0, 0, NULL};
    rd_kafka_t *member = join(group, topic);

    broker_describe_groups(fixture.broker, &group, 1, FIXTURE_TIMEOUT_MS,
                           fixture_on_done, &fixture.calls);
    fixture_all_fine();
    ck_assert_str_eq(fixture.reply.items[0].state, "Stable");
    ck_assert_uint_eq(fixture.reply.items[0].member_count, 1);
    ck_assert_str_eq(fixture.reply.items[0].members[0].client_id, "host.member");
    ck_assert_str_eq(fixture.reply.items[0].members[0].instance, "host.member.0");
    ck_assert_ptr_nonnull(strstr(fixture.reply.items[0].members[0].host, "127.0.0.1"));
    broker_alter_group_offsets(fixture.broker, group, &at, 1, FIXTURE_TIMEOUT_MS,
                               fixture_on_done, &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.count ? fixture.reply.items[0].error_code
                                         : fixture.reply.error_code,
                     BROKER_UNKNOWN_MEMBER);
    broker_delete_groups(fixture.broker, &group, 1, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    fixture_answered();
    ck_assert_int_eq(fixture.reply.items[0].error_code, BROKER_GROUP_NOT_EMPTY);
    (void)rd_kafka_consumer_close(member);
    rd_kafka_destroy(member);
}
END_TEST

START_TEST(nothing_asked_is_answered_with_nothing_and_later)
{
    broker_create_topics(fixture.broker, NULL, 0, FIXTURE_TIMEOUT_MS, fixture_on_done,
                         &fixture.calls);
    ck_assert_int_eq(fixture.calls, 0);
    fixture_all_fine();
    ck_assert_uint_eq(fixture.reply.count, 0);
    broker_describe_topics(fixture.broker, NULL, 0, FIXTURE_TIMEOUT_MS, fixture_on_done,
                           &fixture.calls);
    fixture_all_fine();
}
END_TEST

START_TEST(many_requests_at_once_are_each_answered_once)
{
    enum { MANY = 200 };
    const char *topic = make_topic("many", 1);
    struct broker_position ask = {topic, 0, BROKER_LATEST, NULL};
    struct pollfd watched = {.fd = broker_fd(fixture.broker), .events = POLLIN};
    int calls[MANY] = {0};

    for (int i = 0; i < MANY; i++)
        broker_list_offsets(fixture.broker, &ask, 1, true, FIXTURE_TIMEOUT_MS,
                            fixture_on_done, &calls[i]);
    while (broker_outstanding(fixture.broker) > 0) {
        ck_assert_int_gt(poll(&watched, 1, FIXTURE_TIMEOUT_MS), 0);
        broker_dispatch(fixture.broker);
        ck_assert_int_eq(fixture.reply.error_code, 0);
    }
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(calls[i], 1);
}
END_TEST

START_TEST(closing_answers_what_is_outstanding)
{
    broker_ping(fixture.broker, FIXTURE_TIMEOUT_MS, fixture_on_done, &fixture.calls);
    broker_close(fixture.broker);
    fixture.broker = NULL;
    ck_assert_int_eq(fixture.calls, 1);
    ck_assert_int_eq(fixture.reply.error_code, BROKER_CLOSED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kafka_broker");
    TCase *tcase = tcase_create("kafka_broker");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, fixture_end);
    tcase_add_test(tcase, a_ping_tells_that_it_is_up);
    tcase_add_test(tcase, a_topic_has_what_it_was_created_with);
    tcase_add_test(tcase, a_topic_grows_changes_and_goes);
    tcase_add_test(tcase, ends_are_counted_and_records_freed);
    tcase_add_test(tcase, a_partition_asked_for_twice_is_told_once);
    tcase_add_test(tcase, ends_of_a_topic_that_is_not_there_are_an_error);
    tcase_add_test(tcase, a_group_that_does_not_exist_yet_gets_offsets_with_metadata);
    tcase_add_test(tcase, a_live_group_shows_its_members_and_refuses_offsets);
    tcase_add_test(tcase, nothing_asked_is_answered_with_nothing_and_later);
    tcase_add_test(tcase, many_requests_at_once_are_each_answered_once);
    tcase_add_test(tcase, closing_answers_what_is_outstanding);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
