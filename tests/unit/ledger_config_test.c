/* SPDX-License-Identifier: MIT */
#include "ledger/topic/config.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const enum config_resource RESOURCES[] = {CONFIG_TOPIC, CONFIG_GROUP,
                                                 CONFIG_BROKER};

/* Check one value of a topic; returns the message, "" when it is right. */
static const char *check_value(enum config_resource resource, const char *name,
                               const char *value)
{
    static char text[1024];
    struct config_broker broker = {0};
    struct config_set set = {0};
    struct text_buf message = {0};
    enum kafka_error code;

    config_put(&set, name, value);
    code = config_check(resource, &set, &broker, &message);
    snprintf(text, sizeof(text), "%s", text_str(&message));
    ck_assert_int_eq(code == KAFKA_NONE, text[0] == '\0');
    config_clear(&set);
    text_buf_clear(&message);
    return text;
}

START_TEST(tables_are_sorted_and_their_defaults_are_right_values)
{
    for (size_t r = 0; r < 3; r++) {
        size_t count;
        const struct config_key *keys = config_keys(RESOURCES[r], &count);
        for (size_t i = 0; i < count; i++) {
            ck_assert(i == 0 || strcmp(keys[i - 1].name, keys[i].name) < 0);
            ck_assert_ptr_eq(config_find(RESOURCES[r], keys[i].name), &keys[i]);
            if (keys[i].fallback != NULL &&
                (RESOURCES[r] != CONFIG_BROKER || keys[i].dynamic))
                ck_assert_str_eq(
                    check_value(RESOURCES[r], keys[i].name, keys[i].fallback), "");
            for (int s = 0; s < CONFIG_SYNONYMS && keys[i].synonyms[s].name != NULL;
                 s++)
                ck_assert_ptr_nonnull(
                    config_find(CONFIG_BROKER, keys[i].synonyms[s].name));
        }
    }
    ck_assert_ptr_null(config_find(CONFIG_TOPIC, "nope"));
    ck_assert_ptr_null(config_find(CONFIG_CLIENT_METRICS, "interval.ms"));
}
END_TEST

/* The words are those of Apache Kafka 4.2, asked on 2026-11-21. */
static const struct {
    const char *name, *value, *message;
} ANSWERS[] = {
    {"retention.ms", "abc",
     "Invalid value abc for configuration retention.ms: Not a number of type LONG"},
    {"retention.ms", "-2",
     "Invalid value -2 for configuration retention.ms: Value must be at least -1"},
    {"retention.ms", "",
     "Invalid value  for configuration retention.ms: Not a number of type LONG"},
    {"retention.ms", "99999999999999999999",
     "Invalid value 99999999999999999999 for configuration retention.ms: Not a number "
     "of type "
     "LONG"},
    {"retention.ms", " 5 ", ""},
    {"retention.bytes", "-2", ""},
    {"cleanup.policy", "foo",
     "Invalid value foo for configuration cleanup.policy: String must be one of: "
     "compact, "
     "delete"},
    {"cleanup.policy", "", ""},
    {"cleanup.policy", "compact , delete", ""},
    {"segment.bytes", "1048575",
     "Invalid value 1048575 for configuration segment.bytes: Value must be at least "
     "1048576"},
    {"segment.bytes", "3000000000",
     "Invalid value 3000000000 for configuration segment.bytes: Not a number of type "
     "INT"},
    {"max.message.bytes", "1.5",
     "Invalid value 1.5 for configuration max.message.bytes: Not a number of type INT"},
    {"message.timestamp.type", "x",
     "Invalid value x for configuration message.timestamp.type: String must be one of: "
     "CreateTime, LogAppendTime"},
    {"min.cleanable.dirty.ratio", "1.5",
     "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no "
     "more "
     "than 1"},
    {"min.cleanable.dirty.ratio", "x",
     "Invalid value x for configuration min.cleanable.dirty.ratio: Not a number of "
     "type "
     "DOUBLE"},
    {"compression.type", "foo",
     "Invalid value foo for configuration compression.type: String must be one of: "
     "uncompressed, zstd, lz4, snappy, gzip, producer"},
    {"compression.gzip.level", "0",
     "Invalid value 0 for configuration compression.gzip.level: Value must be between "
     "1 and 9 "
     "or equal to -1"},
    {"compression.lz4.level", "18",
     "Invalid value 18 for configuration compression.lz4.level: Value must be no more "
     "than "
     "17"},
    {"unclean.leader.election.enable", "maybe",
     "Invalid value maybe for configuration unclean.leader.election.enable: Expected "
     "value to "
     "be either true or false"},
    {"preallocate", "TRUE", ""},
    {"leader.replication.throttled.replicas", "foo",
     "Invalid value [foo] for configuration leader.replication.throttled.replicas: "
     "leader.replication.throttled.replicas must be the literal '*' or a list of "
     "replicas in "
     "the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."},
    {"leader.replication.throttled.replicas", "*", ""},
    {"follower.replication.throttled.replicas", "0:1,1:1", ""},
    {"remote.storage.enable", "true",
     "Tiered Storage functionality is disabled in the broker. Topic cannot be "
     "configured with "
     "remote log storage."},
    {"nonsense", "1", "Unknown topic config name: nonsense"},
    {"message.format.version", "2.0",
     "Unknown topic config name: message.format.version"},
};

START_TEST(topic_values_are_judged_in_the_words_of_kafka)
{
    for (size_t i = 0; i < sizeof(ANSWERS) / sizeof(*ANSWERS); i++)
        ck_assert_str_eq(check_value(CONFIG_TOPIC, ANSWERS[i].name, ANSWERS[i].value),
                         ANSWERS[i].message);
}
END_TEST

START_TEST(group_and_broker_values_have_rules_of_their_own)
{
    ck_assert_str_eq(check_value(CONFIG_GROUP, "consumer.session.timeout.ms", "5"),
                     "consumer.session.timeout.ms must be greater than or equal to "
                     "group.consumer.min.session.timeout.ms");
    ck_assert_str_eq(
        check_value(CONFIG_GROUP, "consumer.heartbeat.interval.ms", "15001"),
        "consumer.heartbeat.interval.ms must be less than or equal to "
        "group.consumer.max.heartbeat.interval.ms");
    ck_assert_str_eq(check_value(CONFIG_GROUP, "nope", "1"),
                     "Unknown group config name: nope");
    ck_assert_str_eq(
        check_value(CONFIG_GROUP, "share.auto.offset.reset", "by_duration:PT1H"), "");
    ck_assert_str_eq(check_value(CONFIG_BROKER, "num.partitions", "3"),
                     "Cannot update these configs dynamically: Set(num.partitions)");
    ck_assert_str_eq(
        check_value(CONFIG_BROKER, "log.retention.ms", "0"),
        "requirement failed: log.retention.ms must be unlimited (-1) or, greater "
        "than or equal to 1");
    ck_assert_str_eq(check_value(CONFIG_BROKER, "log.retention.ms", "-1"), "");
}
END_TEST

START_TEST(compaction_lags_must_not_contradict_each_other)
{
    struct config_broker broker = {0};
    struct config_set set = {0};
    struct text_buf message = {0};

    config_put(&set, "min.compaction.lag.ms", "10");
    config_put(&set, "max.compaction.lag.ms", "5");
    ck_assert_int_eq(config_check(CONFIG_TOPIC, &set, &broker, &message),
                     KAFKA_INVALID_CONFIG);
    ck_assert_str_eq(text_str(&message),
                     "conflict topic config setting min.compaction.lag.ms "
                     "(10) > max.compaction.lag.ms (5)");
    config_clear(&set);
    text_buf_clear(&message);
}
END_TEST

START_TEST(a_set_is_sorted_and_survives_writing_and_reading)
{
    struct config_set set = {0}, copy = {0};
    struct text_buf text = {0};

    config_put(&set, "b", "2");
    config_put(&set, "a", "x=y\n");
    config_put(&set, "c", "");
    config_put(&set, "b", "3");
    config_write(&set, &text);
    ck_assert(config_read(&copy, text.data, text.len));
    ck_assert_uint_eq(copy.count, 3);
    ck_assert_str_eq(copy.entries[0].name, "a");
    ck_assert_str_eq(config_get(&copy, "a"), "x=y\n");
    ck_assert_str_eq(config_get(&copy, "b"), "3");
    ck_assert_str_eq(config_get(&copy, "c"), "");
    for (size_t cut = 0; cut < text.len; cut++) {
        struct config_set part = {0};
        config_read(&part, text.data, cut);
        ck_assert_uint_lt(part.count, 3);
        config_clear(&part);
    }
    config_remove(&copy, "b");
    config_remove(&copy, "nope");
    ck_assert_ptr_null(config_get(&copy, "b"));
    config_clear(&set);
    config_clear(&copy);
    text_buf_clear(&text);
}
END_TEST

/* "name=value source" of each entry. */
static const char *values_text(const char *name, const struct config_set *set,
                               const struct config_broker *broker)
{
    static char text[512];
    struct config_value values[CONFIG_VALUES_MAX];
    int count = config_values(CONFIG_TOPIC, config_find(CONFIG_TOPIC, name), set,
                              broker, values);

    text[0] = '\0';
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s=%s %d\n",
                 values[i].name, values[i].value, values[i].source);
    return text;
}

START_TEST(what_is_in_force_comes_from_the_nearest_source)
{
    struct config_broker broker = {0};
    struct config_set set = {0};

    ck_assert_int_eq(config_number(CONFIG_TOPIC, "retention.ms", &set, &broker),
                     604800000);
    ck_assert_str_eq(values_text("retention.ms", &set, &broker), "");
    config_put(&broker.fixed, "log.retention.hours", "24");
    ck_assert_int_eq(config_number(CONFIG_TOPIC, "retention.ms", &set, &broker),
                     86400000);
    config_put(&broker.fixed, "log.retention.minutes", "-1");
    ck_assert_int_eq(config_number(CONFIG_TOPIC, "retention.ms", &set, &broker), -1);
    config_put(&broker.dynamic_default, "log.retention.ms", "2000000");
    config_put(&broker.dynamic, "log.retention.ms", "1000000");
    ck_assert_int_eq(config_number(CONFIG_TOPIC, "retention.ms", &set, &broker),
                     1000000);
    config_put(&set, "retention.ms", "5");
    ck_assert_int_eq(config_number(CONFIG_TOPIC, "retention.ms", &set, &broker), 5);
    ck_assert_str_eq(values_text("retention.ms", &set, &broker),
                     "retention.ms=5 1\nlog.retention.ms=1000000 2\n"
                     "log.retention.ms=2000000 3\nlog.retention.minutes=-1 4\n"
                     "log.retention.hours=24 4\nlog.retention.hours=168 5\n");
    ck_assert_str_eq(values_text("cleanup.policy", &set, &broker),
                     "log.cleanup.policy=delete 5\n");
    config_clear(&set);
    config_clear(&broker.fixed);
    config_clear(&broker.dynamic);
    config_clear(&broker.dynamic_default);
}
END_TEST

static const char *alter(struct config_set *set, const char *name,
                         enum config_operation operation, const char *value)
{
    static char text[256];
    struct config_broker broker = {0};
    struct text_buf message = {0};
    enum kafka_error code =
        config_alter(CONFIG_TOPIC, set, &broker, name, operation, value, &message);

    snprintf(text, sizeof(text), "%d %s", code, text_str(&message));
    text_buf_clear(&message);
    return text;
}

START_TEST(lists_are_appended_to_and_subtracted_from)
{
    struct config_set set = {0};

    ck_assert_str_eq(alter(&set, "cleanup.policy", CONFIG_APPEND, "compact"), "0 ");
    ck_assert_str_eq(config_get(&set, "cleanup.policy"), "delete,compact");
    ck_assert_str_eq(alter(&set, "cleanup.policy", CONFIG_APPEND, "compact"), "0 ");
    ck_assert_str_eq(alter(&set, "cleanup.policy", CONFIG_SUBTRACT, "delete"), "0 ");
    ck_assert_str_eq(config_get(&set, "cleanup.policy"), "compact");
    ck_assert_str_eq(
        alter(&set, "retention.ms", CONFIG_APPEND, "1"),
        "40 Can't APPEND to key retention.ms because its type is not LIST.");
    ck_assert_str_eq(alter(&set, "retention.ms", CONFIG_SET, NULL),
                     "42 Null value not supported for : retention.ms");
    ck_assert_str_eq(alter(&set, "retention.ms", (enum config_operation)4, "1"), "-1 ");
    ck_assert_str_eq(alter(&set, "cleanup.policy", CONFIG_DELETE, NULL), "0 ");
    ck_assert_uint_eq(set.count, 0);
    config_clear(&set);
}
END_TEST

START_TEST(a_partition_obeys_what_is_in_force)
{
    struct config_broker broker = {0};
    struct config_set set = {0};
    struct partition_config config, usual;

    partition_config_default(&usual);
    config_to_partition(&set, &broker, &config);
    ck_assert_int_eq(config.log.segment_bytes, usual.log.segment_bytes);
    ck_assert_int_eq(config.log.retention_ms, 604800000);
    ck_assert_int_eq(config.log.file_delete_delay_ms, 60000);
    ck_assert_int_eq(config.timestamp_after_max_ms, 3600000);
    ck_assert(config.log.delete_policy && !config.log.compact_policy);
    ck_assert_int_eq(config.compression, -1);
    config_put(&set, "cleanup.policy", "compact");
    config_put(&set, "compression.type", "lz4");
    config_put(&set, "message.timestamp.type", "LogAppendTime");
    config_put(&set, "min.cleanable.dirty.ratio", "0.25");
    config_put(&broker.dynamic, "log.segment.bytes", "2097152");
    config_to_partition(&set, &broker, &config);
    ck_assert(!config.log.delete_policy && config.log.compact_policy);
    ck_assert_int_eq(config.compression, 3);
    ck_assert_int_eq(config.level, 9);
    config_put(&set, "compression.gzip.level", "4");
    config_put(&set, "compression.lz4.level", "11");
    config_to_partition(&set, &broker, &config);
    ck_assert_int_eq(config.level, 11);
    ck_assert(config.log_append_time);
    ck_assert(config.log.min_cleanable_dirty_ratio > 0.24 &&
              config.log.min_cleanable_dirty_ratio < 0.26);
    ck_assert_int_eq(config.log.segment_bytes, 2097152);
    config_clear(&set);
    config_clear(&broker.dynamic);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_config");
    TCase *tests = tcase_create("config");

    tcase_add_test(tests, tables_are_sorted_and_their_defaults_are_right_values);
    tcase_add_test(tests, topic_values_are_judged_in_the_words_of_kafka);
    tcase_add_test(tests, group_and_broker_values_have_rules_of_their_own);
    tcase_add_test(tests, compaction_lags_must_not_contradict_each_other);
    tcase_add_test(tests, a_set_is_sorted_and_survives_writing_and_reading);
    tcase_add_test(tests, what_is_in_force_comes_from_the_nearest_source);
    tcase_add_test(tests, lists_are_appended_to_and_subtracted_from);
    tcase_add_test(tests, a_partition_obeys_what_is_in_force);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
