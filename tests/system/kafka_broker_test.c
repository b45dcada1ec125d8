/* SPDX-License-Identifier: MIT
 *
 * The broker module against a real Kafka, whose address is in DAGRUN_BROKERS.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "host/broker.h"
#include "support/suite.h"

#include <check.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 15000 };

/* A reply that outlives its callback. */
struct answer {
    struct mem_arena arena;
    struct broker_reply reply;
    int calls;
};

static struct broker *broker;
static struct answer last;

static struct broker_member *copy_members(const struct broker_item *from)
{
    struct broker_member *members =
        mem_arena_alloc(&last.arena, (from->member_count + 1) * sizeof *members);

    for (size_t i = 0; i < from->member_count; i++)
        members[i] = (struct broker_member){
            .client_id = mem_arena_strdup(&last.arena, from->members[i].client_id),
            .host = mem_arena_strdup(&last.arena, from->members[i].host),
            .instance = from->members[i].instance
                            ? mem_arena_strdup(&last.arena, from->members[i].instance)
                            : NULL};
    return members;
}

static const char *copy(const char *text)
{
    return text ? mem_arena_strdup(&last.arena, text) : NULL;
}

static void on_done(void *arg, const struct broker_reply *reply)
{
    struct broker_item *items =
        mem_arena_alloc(&last.arena, (reply->count + 1) * sizeof *items);

    *(int *)arg += 1;
    last.reply = *reply;
    last.reply.error = copy(reply->error);
    last.reply.items = items;
    for (size_t i = 0; i < reply->count; i++) {
        items[i] = reply->items[i];
        items[i].name = copy(items[i].name);
        items[i].error = copy(items[i].error);
        items[i].metadata = copy(items[i].metadata);
        items[i].topic_id = copy(items[i].topic_id);
        items[i].key = copy(items[i].key);
        items[i].value = copy(items[i].value);
        items[i].state = copy(items[i].state);
        items[i].members = copy_members(&items[i]);
    }
}

static void answered(void)
{
    struct pollfd watched = {.fd = broker_fd(broker), .events = POLLIN};
    int64_t deadline_ms = clock_mono_ms() + TIMEOUT_MS + 5000;

    while (last.calls == 0) {
        ck_assert_int_lt(clock_mono_ms(), deadline_ms);
        if (poll(&watched, 1, 1000) > 0)
            broker_dispatch(broker);
    }
    ck_assert_int_eq(last.calls, 1);
    last.calls = 0;
}

static void all_fine(void)
{
    answered();
    ck_assert_msg(last.reply.error_code == 0, "%s", last.reply.error);
    for (size_t i = 0; i < last.reply.count; i++)
        ck_assert_msg(last.reply.items[i].error_code == 0, "%s: %s",
                      last.reply.items[i].name, last.reply.items[i].error);
}

static struct broker *open_at(const char *brokers)
{
    struct broker_config config = {.brokers = brokers, .client_id = "host-test"};
    struct error err = {0};
    struct broker *opened = broker_open(&config, &err);

    ck_assert_msg(opened != NULL, "%s", err.text);
    return opened;
}

static void set_up(void)
{
    const char *brokers = getenv("DAGRUN_BROKERS");

    ck_assert_msg(brokers != NULL, "DAGRUN_BROKERS names no Kafka");
    broker = open_at(brokers);
}

static void tear_down(void)
{
    broker_close(broker);
    mem_arena_clear(&last.arena);
    last = (struct answer){0};
}

/* A name that no earlier run of these tests has used. */
static const char *fresh(const char *name)
{
    return mem_arena_printf(&last.arena, "host-test-%s-%lld-%d", name,
                            (long long)clock_wall_ms(), (int)getpid());
}

static const char *make_topic(const char *name, int partitions)
{
    struct broker_topic topic = {
        .name = fresh(name), .partitions = partitions, .replication = -1};

    broker_create_topics(broker, &topic, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    do {
        broker_describe_topics(broker, &topic.name, 1, TIMEOUT_MS, on_done,
                               &last.calls);
        answered();
        ck_assert_uint_eq(last.reply.count, 1);
    } while (last.reply.items[0].error_code || last.reply.items[0].leaderless);
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
    ck_assert_int_eq(rd_kafka_flush(rk, TIMEOUT_MS), 0);
    rd_kafka_destroy(rk);
}

START_TEST(a_ping_tells_that_it_is_up)
{
    ck_assert(!broker_is_up(broker));
    broker_ping(broker, TIMEOUT_MS, on_done, &last.calls);
    ck_assert_uint_eq(broker_outstanding(broker), 1);
    answered();
    ck_assert_int_eq(last.reply.error_code, BROKER_OK);
    ck_assert_uint_eq(broker_outstanding(broker), 0);
    ck_assert(broker_is_up(broker));
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

    broker_create_topics(broker, &topic, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    broker_create_topics(broker, &topic, 1, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_int_eq(last.reply.error_code, 0);
    ck_assert_int_eq(last.reply.items[0].error_code, BROKER_TOPIC_EXISTS);
    do { /* a new topic is known a moment after it was made */
        broker_describe_topics(broker, names, 2, TIMEOUT_MS, on_done, &last.calls);
        answered();
        ck_assert_uint_eq(last.reply.count, 2);
    } while (last.reply.items[1].error_code == BROKER_UNKNOWN_TOPIC);
    ck_assert_str_eq(last.reply.items[0].name, names[0]);
    ck_assert_int_eq(last.reply.items[0].error_code, BROKER_UNKNOWN_TOPIC);
    ck_assert_int_eq(last.reply.items[1].error_code, 0);
    ck_assert_int_eq(last.reply.items[1].partitions, 3);
    ck_assert_int_eq(last.reply.items[1].replication, 1);
    ck_assert_uint_eq(strlen(last.reply.items[1].topic_id), 22);
    broker_describe_topic_configs(broker, &topic.name, 1, TIMEOUT_MS, on_done,
                                  &last.calls);
    all_fine();
    for (size_t i = 0; i < last.reply.count; i++) {
        const struct broker_item *item = &last.reply.items[i];

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
    const char *id = copy(last.reply.items[0].topic_id);
    bool changed = false;

    broker_create_partitions(broker, &more, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    broker_create_partitions(broker, &more, 1, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_int_eq(last.reply.items[0].error_code, BROKER_INVALID_PARTITIONS);
    broker_alter_topic_configs(broker, &more, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    do {
        broker_describe_topic_configs(broker, &name, 1, TIMEOUT_MS, on_done,
                                      &last.calls);
        all_fine();
        for (size_t i = 0; i < last.reply.count; i++)
            changed |= strcmp(last.reply.items[i].key, "retention.ms") == 0 &&
                       strcmp(last.reply.items[i].value, "3600000") == 0;
    } while (!changed);
    do {
        broker_describe_topics(broker, &name, 1, TIMEOUT_MS, on_done, &last.calls);
        all_fine();
    } while (last.reply.items[0].partitions != 4);
    ck_assert_str_eq(last.reply.items[0].topic_id, id);
    broker_delete_topics(broker, &name, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    do {
        broker_describe_topics(broker, &name, 1, TIMEOUT_MS, on_done, &last.calls);
        answered();
    } while (last.reply.items[0].error_code == 0);
    ck_assert_int_eq(last.reply.items[0].error_code, BROKER_UNKNOWN_TOPIC);
    broker_delete_topics(broker, &name, 1, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_int_eq(last.reply.items[0].error_code, BROKER_UNKNOWN_TOPIC);
    /* Made anew it has another id: that is how a run sees that its topic is not its
     * own. */
    broker_create_topics(broker, &(struct broker_topic){name, 1, -1, NULL}, 1,
                         TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    do {
        broker_describe_topics(broker, &name, 1, TIMEOUT_MS, on_done, &last.calls);
        answered();
    } while (last.reply.items[0].error_code);
    ck_assert_str_ne(last.reply.items[0].topic_id, id);
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
    broker_list_offsets(broker, ask, 2, true, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_uint_eq(last.reply.count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(last.reply.items[i].offset,
                         last.reply.items[i].partition == 0 ? 10 : 0);
    ask[0].offset = start_ms + 4;
    broker_list_offsets(broker, ask, 1, false, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_int_eq(last.reply.items[0].offset, 4);
    ck_assert_int_eq(last.reply.items[0].timestamp_ms, start_ms + 4);
    ask[0].offset = start_ms + 1000;
    broker_list_offsets(broker, ask, 1, false, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_int_eq(last.reply.items[0].offset, -1);

    ask[0].offset = 7;
    broker_delete_records(broker, ask, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_int_eq(last.reply.items[0].offset, 7);
    ask[0].offset = BROKER_EARLIEST;
    broker_list_offsets(broker, ask, 1, true, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_int_eq(last.reply.items[0].offset, 7);
    ask[0].offset = 11;
    broker_delete_records(broker, ask, 1, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_int_eq(last.reply.items[0].error_code, BROKER_OFFSET_OUT_OF_RANGE);
    ask[0].offset = -1;
    broker_delete_records(broker, ask, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_int_eq(last.reply.items[0].offset, 10);
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
    broker_list_offsets(broker, ask, 3, true, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_uint_eq(last.reply.count, 2);
}
END_TEST

START_TEST(ends_of_a_topic_that_is_not_there_are_an_error)
{
    struct broker_position ask = {fresh("nowhere"), 0, BROKER_LATEST, NULL};

    broker_list_offsets(broker, &ask, 1, true, 2000, on_done, &last.calls);
    answered();
    ck_assert_int_eq(last.reply.error_code, BROKER_NO_LEADER);
    ck_assert_uint_eq(last.reply.count, 0);
    ck_assert(broker_is_up(broker)); /* it did answer */
}
END_TEST

START_TEST(a_group_that_does_not_exist_yet_gets_offsets_with_metadata)
{
    const char *topic = make_topic("commit", 2);
    const char *group = fresh("group");
    struct broker_position at[] = {{topic, 0, 5, "{\"run\":3,\"finished\":false}"},
                                   {topic, 1, 0, NULL}};
    char *long_text = mem_alloc(2049);

    broker_group_offsets(broker, group, NULL, 0, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_msg(last.reply.error_code == 0, "%s", last.reply.error);
    ck_assert_uint_eq(last.reply.count, 0);
    broker_group_offsets(broker, group, at, 2, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_uint_eq(last.reply.count, 2);
    ck_assert_int_eq(last.reply.items[0].offset, -1);
    broker_alter_group_offsets(broker, group, at, 2, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_uint_eq(last.reply.count, 2);
    broker_group_offsets(broker, group, NULL, 0, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_uint_eq(last.reply.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct broker_item *item = &last.reply.items[i];

        ck_assert_int_eq(item->offset, item->partition == 0 ? 5 : 0);
        if (item->partition == 0)
            ck_assert_str_eq(item->metadata, "{\"run\":3,\"finished\":false}");
        else
            ck_assert(item->metadata == NULL || *item->metadata == '\0');
    }
    memset(long_text, 'x', 2048);
    at[0].metadata = long_text;
    broker_alter_group_offsets(broker, group, at, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    broker_group_offsets(broker, group, at, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_uint_eq(strlen(last.reply.items[0].metadata), 2048);
    free(long_text);

    broker_list_groups(broker, group, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_uint_eq(last.reply.count, 1);
    ck_assert_str_eq(last.reply.items[0].name, group);
    broker_describe_groups(broker, &group, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_str_eq(last.reply.items[0].state, "Empty");
    ck_assert_uint_eq(last.reply.items[0].member_count, 0);
    broker_delete_groups(broker, &group, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    broker_delete_groups(broker, &group, 1, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_int_eq(last.reply.items[0].error_code, BROKER_GROUP_NOT_FOUND);
    broker_group_offsets(broker, group, NULL, 0, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_uint_eq(last.reply.count, 0);
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

    broker_describe_groups(broker, &group, 1, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
    ck_assert_str_eq(last.reply.items[0].state, "Stable");
    ck_assert_uint_eq(last.reply.items[0].member_count, 1);
    ck_assert_str_eq(last.reply.items[0].members[0].client_id, "host.member");
    ck_assert_str_eq(last.reply.items[0].members[0].instance, "host.member.0");
    ck_assert_ptr_nonnull(strstr(last.reply.items[0].members[0].host, "127.0.0.1"));
    broker_alter_group_offsets(broker, group, &at, 1, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_int_eq(last.reply.count ? last.reply.items[0].error_code
                                      : last.reply.error_code,
                     BROKER_UNKNOWN_MEMBER);
    broker_delete_groups(broker, &group, 1, TIMEOUT_MS, on_done, &last.calls);
    answered();
    ck_assert_int_eq(last.reply.items[0].error_code, BROKER_GROUP_NOT_EMPTY);
    (void)rd_kafka_consumer_close(member);
    rd_kafka_destroy(member);
}
END_TEST

START_TEST(nothing_asked_is_answered_with_nothing_and_later)
{
    broker_create_topics(broker, NULL, 0, TIMEOUT_MS, on_done, &last.calls);
    ck_assert_int_eq(last.calls, 0);
    all_fine();
    ck_assert_uint_eq(last.reply.count, 0);
    broker_describe_topics(broker, NULL, 0, TIMEOUT_MS, on_done, &last.calls);
    all_fine();
}
END_TEST

START_TEST(many_requests_at_once_are_each_answered_once)
{
    enum { MANY = 200 };
    const char *topic = make_topic("many", 1);
    struct broker_position ask = {topic, 0, BROKER_LATEST, NULL};
    struct pollfd watched = {.fd = broker_fd(broker), .events = POLLIN};
    int calls[MANY] = {0};

    for (int i = 0; i < MANY; i++)
        broker_list_offsets(broker, &ask, 1, true, TIMEOUT_MS, on_done, &calls[i]);
    while (broker_outstanding(broker) > 0) {
        ck_assert_int_gt(poll(&watched, 1, TIMEOUT_MS), 0);
        broker_dispatch(broker);
        ck_assert_int_eq(last.reply.error_code, 0);
    }
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(calls[i], 1);
}
END_TEST

START_TEST(closing_answers_what_is_outstanding)
{
    broker_ping(broker, TIMEOUT_MS, on_done, &last.calls);
    broker_close(broker);
    broker = NULL;
    ck_assert_int_eq(last.calls, 1);
    ck_assert_int_eq(last.reply.error_code, BROKER_CLOSED);
}
END_TEST

START_TEST(a_broker_that_is_not_there_is_told_in_time_and_closed_at_once)
{
    int64_t start_ms = clock_mono_ms();

    broker = open_at("127.0.0.1:1");
    broker_ping(broker, 1000, on_done, &last.calls);
    answered();
    ck_assert_int_lt(clock_mono_ms() - start_ms, 3000);
    ck_assert_int_lt(last.reply.error_code, 0);
    ck_assert(!broker_is_up(broker));
    ck_assert_msg(strstr(broker_last_error(broker), "127.0.0.1:1") != NULL, "%s",
                  broker_last_error(broker));
    ck_assert_ptr_nonnull(strstr(broker_last_error(broker), "refused"));
    start_ms = clock_mono_ms();
    broker_ping(broker, 60000, on_done, &last.calls);
    broker_close(broker);
    broker = NULL;
    ck_assert_int_eq(last.reply.error_code, BROKER_CLOSED);
    ck_assert_int_lt(clock_mono_ms() - start_ms, 2000);
}
END_TEST

/* A cluster of one that can be told to fail; with one topic. */
static rd_kafka_t *mock_host;
static rd_kafka_mock_cluster_t *mock;

static void open_mock(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    rd_kafka_conf_set_log_cb(conf, NULL);
    mock_host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    mock = rd_kafka_mock_cluster_new(mock_host, 1);
    ck_assert_int_eq(rd_kafka_mock_topic_create(mock, "topic", 1, 1), 0);
    broker = open_at(rd_kafka_mock_cluster_bootstraps(mock));
}

static void close_mock(void)
{
    broker_close(broker);
    broker = NULL;
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(mock_host);
}

static void dispatch_for(int ms)
{
    struct pollfd watched = {.fd = broker_fd(broker), .events = POLLIN};
    int64_t deadline_ms = clock_mono_ms() + ms;

    while (clock_mono_ms() < deadline_ms) {
        if (poll(&watched, 1, 20) > 0)
            broker_dispatch(broker);
    }
}

START_TEST(a_broker_that_goes_and_comes_back_is_seen_doing_so)
{
    struct broker_position ask = {"topic", 0, BROKER_LATEST, NULL};
    int64_t deadline_ms;

    open_mock();
    broker_list_offsets(broker, &ask, 1, true, 5000, on_done, &last.calls);
    answered();
    ck_assert_msg(broker_is_up(broker), "%s", last.reply.error);
    ck_assert_int_eq(rd_kafka_mock_broker_set_down(mock, 1), 0);
    deadline_ms = clock_mono_ms() + 10000;
    while (broker_is_up(broker)) { /* without a question: by the lost connection */
        ck_assert_int_lt(clock_mono_ms(), deadline_ms);
        dispatch_for(20);
    }
    broker_list_offsets(broker, &ask, 1, true, 300, on_done, &last.calls);
    answered();
    ck_assert(!broker_is_up(broker));
    ck_assert_int_eq(rd_kafka_mock_broker_set_up(mock, 1), 0);
    broker_list_offsets(broker, &ask, 1, true, 10000, on_done, &last.calls);
    answered();
    ck_assert_msg(broker_is_up(broker), "%s", last.reply.error);
    ck_assert_int_eq(last.reply.items[0].offset, 0);
    close_mock();
}
END_TEST

/* librdkafka 2.15.1 aborts here when a request to a coordinator timed out in it. */
START_TEST(a_coordinator_that_comes_back_after_a_timeout_kills_nobody)
{
    struct broker_position ask = {"topic", 0, BROKER_LATEST, NULL};

    open_mock();
    for (int round = 0; round < 3; round++) {
        broker_list_offsets(broker, &ask, 1, true, 10000, on_done, &last.calls);
        answered();
        ck_assert(broker_is_up(broker));
        ck_assert_int_eq(rd_kafka_mock_broker_set_down(mock, 1), 0);
        (void)usleep(round * 50 * 1000); /* as if nobody had noticed yet */
        broker_group_offsets(broker, "group", &ask, 1, 500, on_done, &last.calls);
        answered();
        ck_assert_int_eq(last.reply.error_code, BROKER_TIMED_OUT);
        ck_assert(!broker_is_up(broker));
        ck_assert_int_eq(rd_kafka_mock_broker_set_up(mock, 1), 0);
        dispatch_for(1500);
        broker_list_offsets(broker, &ask, 1, true, 10000, on_done, &last.calls);
        answered();
        broker_group_offsets(broker, "group", &ask, 1, 10000, on_done, &last.calls);
        all_fine();
        ck_assert_int_eq(last.reply.items[0].offset, -1);
    }
    close_mock();
}
END_TEST

/* librdkafka 2.15.1 crashes here when its handle has no group. */
START_TEST(a_coordinator_that_has_moved_is_asked_again)
{
    struct broker_position ask = {"topic", 0, BROKER_LATEST, NULL};
    enum { OFFSET_FETCH = 9, LIST_OFFSETS = 2 };

    open_mock();
    broker_list_offsets(broker, &ask, 1, true, 10000, on_done, &last.calls);
    answered();
    rd_kafka_mock_push_request_errors(mock, OFFSET_FETCH, 2,
                                      RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    broker_group_offsets(broker, "group", &ask, 1, 10000, on_done, &last.calls);
    all_fine();
    ck_assert_uint_eq(last.reply.count, 1);
    rd_kafka_mock_push_request_errors(mock, LIST_OFFSETS, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    broker_list_offsets(broker, &ask, 1, true, 10000, on_done, &last.calls);
    all_fine();
    ck_assert_int_eq(last.reply.items[0].offset, 0);
    close_mock();
}
END_TEST

START_TEST(closing_with_a_coordinator_away_is_quick)
{
    struct broker_position ask = {"topic", 0, BROKER_LATEST, NULL};
    int64_t start_ms;

    open_mock();
    broker_list_offsets(broker, &ask, 1, true, 10000, on_done, &last.calls);
    answered();
    ck_assert_int_eq(rd_kafka_mock_broker_set_down(mock, 1), 0);
    broker_group_offsets(broker, "group", &ask, 1, 60000, on_done, &last.calls);
    dispatch_for(300);
    start_ms = clock_mono_ms();
    close_mock();
    ck_assert_int_lt(clock_mono_ms() - start_ms, 3000);
    ck_assert_int_eq(last.calls, 1);
    ck_assert_int_eq(last.reply.error_code, BROKER_CLOSED);
}
END_TEST

static void refuses(const char *name, const char *value, const char *expected)
{
    const char *properties[] = {"security.protocol", "ssl", name, value, NULL};
    struct broker_config config = {.brokers = "127.0.0.1:1", .properties = properties};
    struct error err = {0};

    ck_assert_ptr_null(broker_open(&config, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_msg(strstr(err.text, expected) != NULL, "%s", err.text);
    ck_assert_msg(strstr(err.text, "hunter2") == NULL, "%s", err.text);
}

START_TEST(a_bad_property_is_named_and_a_secret_is_not)
{
    refuses("no.such.property", "1", "kafka property no.such.property");
    refuses("socket.timeout.ms", "soon", "kafka property socket.timeout.ms");
    refuses("security.protocol", "hunter", "security.protocol");
    refuses("ssl.ca.location", "/no/such/file", "ssl.ca.location");
    refuses("ssl.key.pem", "hunter2", "ssl.key.pem");
}
END_TEST

static void no_broker(void)
{
    broker = NULL;
}

int main(void)
{
    Suite *suite = suite_create("kafka_broker");
    TCase *real = tcase_create("real");
    TCase *none = tcase_create("none");

    tcase_set_timeout(real, 60);
    tcase_add_checked_fixture(real, set_up, tear_down);
    tcase_add_test(real, a_ping_tells_that_it_is_up);
    tcase_add_test(real, a_topic_has_what_it_was_created_with);
    tcase_add_test(real, a_topic_grows_changes_and_goes);
    tcase_add_test(real, ends_are_counted_and_records_freed);
    tcase_add_test(real, a_partition_asked_for_twice_is_told_once);
    tcase_add_test(real, ends_of_a_topic_that_is_not_there_are_an_error);
    tcase_add_test(real, a_group_that_does_not_exist_yet_gets_offsets_with_metadata);
    tcase_add_test(real, a_live_group_shows_its_members_and_refuses_offsets);
    tcase_add_test(real, nothing_asked_is_answered_with_nothing_and_later);
    tcase_add_test(real, many_requests_at_once_are_each_answered_once);
    tcase_add_test(real, closing_answers_what_is_outstanding);
    suite_add_tcase(suite, real);
    tcase_set_timeout(none, 60);
    tcase_add_checked_fixture(none, no_broker, tear_down);
    tcase_add_test(none, a_broker_that_is_not_there_is_told_in_time_and_closed_at_once);
    tcase_add_test(none, a_broker_that_goes_and_comes_back_is_seen_doing_so);
    tcase_add_test(none, a_coordinator_that_comes_back_after_a_timeout_kills_nobody);
    tcase_add_test(none, a_coordinator_that_has_moved_is_asked_again);
    tcase_add_test(none, closing_with_a_coordinator_away_is_quick);
    tcase_add_test(none, a_bad_property_is_named_and_a_secret_is_not);
    suite_add_tcase(suite, none);
    return suite_run(suite);
}
