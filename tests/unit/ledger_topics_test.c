/* SPDX-License-Identifier: MIT */
#include "ledger_topics_fixture.h"
#include "support/suite.h"

#include <signal.h>
#include <sys/resource.h>

START_TEST(a_topic_is_found_by_name_and_id_also_after_reopening)
{
    struct wire_uuid id;

    ck_assert_str_eq(desk_create("orders", 3, 1), "0 ");
    ck_assert_str_eq(desk_create("alpha", -1, -1), "0 ");
    ck_assert_str_eq(desk_create("zeta", 1, 1), "0 ");
    desk_configure(desk_find("orders"), "retention.ms", "5000");
    id = desk_find("orders")->id;
    desk_reopen();
    ck_assert_int_eq(topics_count(desk.topics), 3);
    ck_assert_int_eq((int)topics_partitions(desk.topics), 5);
    ck_assert_ptr_eq(topics_find_id(desk.topics, &id), desk_find("orders"));
    ck_assert_str_eq(topics_at(desk.topics, 0)->name, "alpha");
    ck_assert_str_eq(topics_at(desk.topics, 1)->name, "orders");
    ck_assert_int_eq(topics_lower_bound(desk.topics, wire_string_of("b")), 1);
    ck_assert_int_eq(topics_lower_bound(desk.topics, wire_string_of("zz")), 3);
    ck_assert_str_eq(config_get(&desk_find("orders")->configs, "retention.ms"), "5000");
    ck_assert_ptr_null(desk_find("order"));
    ck_assert_ptr_null(topics_partition(desk.topics, desk_find("orders"), 3));
    ck_assert_ptr_null(topics_partition(desk.topics, desk_find("orders"), -1));
    ck_assert_int_eq(desk_folders(""), 0); /* nothing was used yet */
}
END_TEST

START_TEST(what_cannot_be_made_is_refused_in_the_words_of_kafka)
{
    ck_assert_str_eq(desk_create("a.b", 1, 1), "0 ");
    ck_assert_str_eq(desk_create("a.b", 1, 1), "36 Topic 'a.b' already exists.");
    ck_assert_str_eq(desk_create("a_b", 1, 1),
                     "17 Topic 'a_b' collides with existing topic: a.b");
    ck_assert_str_eq(desk_create("", 1, 1),
                     "17 Topic name is invalid: the empty string is not allowed");
    ck_assert_str_eq(desk_create("..", 1, 1),
                     "17 Topic name is invalid: '..' is not allowed");
    ck_assert_str_eq(
        desk_create("a/b", 1, 1),
        "17 Topic name is invalid: 'a/b' contains one or more characters other "
        "than ASCII alphanumerics, '.', '_' and '-'");
    ck_assert_str_eq(
        desk_create("c", 0, 1),
        "37 Number of partitions was set to an invalid non-positive value.");
    ck_assert_str_eq(desk_create("c", 1, 2),
                     "38 Unable to replicate the partition 2 time(s): The target "
                     "replication factor of 2 "
                     "cannot be reached because only 1 broker(s) are registered.");
    ck_assert_str_eq(desk_create("c", 1, 0),
                     "38 Replication factor must be larger than 0, or -1 to "
                     "use the default value.");
    ck_assert_str_eq(desk_create("c", 10001, 1),
                     "44 Excessively large number of partitions per request.");
    ck_assert_str_eq(desk_create("__cluster_metadata", 1, 1),
                     "42 Creation of internal topic __cluster_metadata is prohibited.");
    ck_assert_int_eq(topics_count(desk.topics), 1);
}
END_TEST

START_TEST(a_name_may_have_249_characters_and_its_partitions_work)
{
    char name[252];

    memset(name, 'x', sizeof(name));
    name[250] = '\0';
    ck_assert_int_eq(strncmp(desk_create(name, 1, 1), "17 ", 3), 0);
    name[249] = '\0';
    ck_assert_str_eq(desk_create(name, 100, 1), "0 ");
    desk_append(desk_find(name), 99, 1);
    desk_reopen();
    ck_assert_int_eq(
        (int)partition_end(topics_partition(desk.topics, desk_find(name), 99)), 1);
    ck_assert_int_eq(desk_delete(desk_find(name)), KAFKA_NONE);
    desk_tick_out();
    ck_assert_int_eq(desk_folders(""), 0);
}
END_TEST

START_TEST(manual_assignments_may_only_name_this_broker)
{
    static const int32_t us = 1, other = 2;
    struct topics_replicas replicas[2] = {{0, &us, 1}, {1, &other, 1}};
    struct topics_new spec = {.name = wire_string_of("m"),
                              .partitions = -1,
                              .replication_factor = -1,
                              .replicas = replicas,
                              .replicas_count = 2};
    struct text_buf message = {0};
    struct topic *topic;

    ck_assert_int_eq(topics_create(desk.topics, &spec, &topic, NULL, &message),
                     KAFKA_INVALID_REPLICA_ASSIGNMENT);
    ck_assert_str_eq(text_str(&message),
                     "The manual partition assignment includes broker 2, "
                     "but no such broker is registered.");
    text_buf_clear(&message);
    replicas[1] = (struct topics_replicas){2, &us, 1};
    ck_assert_int_eq(topics_create(desk.topics, &spec, &topic, NULL, &message),
                     KAFKA_INVALID_REPLICA_ASSIGNMENT);
    text_buf_clear(&message);
    replicas[1].index = 1;
    ck_assert_int_eq(topics_create(desk.topics, &spec, &topic, NULL, &message),
                     KAFKA_NONE);
    ck_assert_int_eq(topic->partitions, 2);
}
END_TEST

START_TEST(a_deleted_topic_leaves_nothing_behind_and_its_name_is_free)
{
    struct wire_uuid id;

    desk_create("t", 3, 1);
    id = desk_find("t")->id;
    desk_append(desk_find("t"), 0, 10);
    desk_append(desk_find("t"), 2, 10);
    ck_assert_int_eq(desk_folders(""), 2);
    ck_assert_int_eq(desk_delete(desk_find("t")), KAFKA_NONE);
    ck_assert_int_eq(desk_folders(".delete"), 2);
    ck_assert_str_eq(desk_create("t", 1, 1), "0 ");
    ck_assert_int_ne(memcmp(&desk_find("t")->id, &id, sizeof(id)), 0);
    ck_assert_int_eq(
        (int)partition_end(topics_partition(desk.topics, desk_find("t"), 0)), 0);
    desk_tick_out();
    ck_assert_int_eq(desk_folders(".delete"), 0);
    ck_assert_int_eq(desk_folders("t-0"), 1);
    ck_assert_int_eq((int)store_count(desk.store), 1);
}
END_TEST

START_TEST(a_new_topic_never_gets_a_folder_that_could_not_be_moved_away)
{
    char obstacle[FIXTURE_PATH + 64], inside[FIXTURE_PATH + 72], hex[33];

    desk_create("t", 2, 1);
    desk_append(desk_find("t"), 1, 10);
    for (int i = 0; i < 16; i++)
        snprintf(hex + (ptrdiff_t)2 * i, 3, "%02x", desk_find("t")->id.bytes[i]);
    /* A folder with something in it is not replaced by a rename. */
    snprintf(obstacle, sizeof(obstacle), "%s/%s-1.delete", desk.root, hex);
    snprintf(inside, sizeof(inside), "%s/deeper", obstacle);
    ck_assert_int_eq(mkdir(obstacle, 0755), 0);
    ck_assert_int_eq(mkdir(inside, 0755), 0);
    ck_assert_int_eq(desk_delete(desk_find("t")), KAFKA_NONE);
    ck_assert_int_eq(desk_folders("t-1"), 1);
    ck_assert_ptr_nonnull(strstr(desk_create("t", 1, 1), "t-1 is in the way"));
    ck_assert_int_eq(atoi(desk_create("t", 2, 1)), KAFKA_STORAGE_ERROR);
    desk_reopen();
    ck_assert_int_eq(atoi(desk_create("t", 2, 1)), KAFKA_STORAGE_ERROR);
    ck_assert_str_eq(desk_create("t2", 2, 1), "0 ");
    ck_assert_int_eq(desk_folders(".stray"), 0);

    ck_assert_int_eq(rmdir(inside), 0);
    ck_assert_str_eq(desk_create("t", 2, 1), "0 ");
    ck_assert_int_eq(
        (int)partition_end(topics_partition(desk.topics, desk_find("t"), 1)), 0);
    desk_tick_out();
    ck_assert_int_eq(desk_folders(".delete"), 0);
    desk_reopen();
    ck_assert_int_eq(desk_folders("t-1"), 1);
}
END_TEST

START_TEST(a_deletion_cut_off_by_a_crash_is_finished_at_open)
{
    static const char value[] = {2, 0, 0, 0, 't'};
    struct error err = {0};
    char key[18] = "td";

    desk_create("t", 2, 1);
    desk_append(desk_find("t"), 0, 10);
    memcpy(key + 2, desk_find("t")->id.bytes, 16);
    store_batch_begin(desk.store);
    store_delete(desk.store, "ttt", 3, &err);
    store_put(desk.store, key, sizeof(key), value, sizeof(value), &err);
    ck_assert_int_eq(store_batch_end(desk.store, &err), 0);
    desk_reopen();
    ck_assert_ptr_null(desk_find("t"));
    ck_assert_int_eq(desk_folders(".delete"), 1);
    ck_assert_int_eq(desk_folders(".stray"), 0);
    desk_reopen(); /* the folder is found again */
    desk_tick_out();
    ck_assert_int_eq(desk_folders(""), 0);
    ck_assert_int_eq((int)store_count(desk.store), 0);
}
END_TEST

START_TEST(a_folder_of_no_topic_is_set_aside_and_kept)
{
    char path[FIXTURE_PATH + 16];

    desk_create("known", 1, 1);
    desk_append(desk_find("known"), 0, 1);
    snprintf(path, sizeof(path), "%s/lost-0", desk.root);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/known-1", desk.root); /* a partition it has not */
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/something", desk.root); /* none of ours */
    ck_assert_int_eq(mkdir(path, 0700), 0);
    desk_reopen();
    ck_assert_int_eq(desk_folders(".stray"), 2);
    ck_assert_int_eq(desk_folders("something"), 1);
    ck_assert_int_eq(desk_folders("known-0"), 1);
    desk_reopen();
    desk_tick_out();
    ck_assert_int_eq(desk_folders(".stray"), 2);
}
END_TEST

START_TEST(a_topic_grows_and_never_shrinks)
{
    struct text_buf message = {0};
    struct topics_growth growth = {.count = 5, .replicas_count = -1};

    desk_create("g", 2, 1);
    desk_append(desk_find("g"), 1, 7);
    growth.validate_only = true;
    ck_assert_int_eq(topics_grow(desk.topics, desk_find("g"), &growth, &message),
                     KAFKA_NONE);
    ck_assert_int_eq(desk_find("g")->partitions, 2);
    growth.validate_only = false;
    ck_assert_int_eq(topics_grow(desk.topics, desk_find("g"), &growth, &message),
                     KAFKA_NONE);
    desk_append(desk_find("g"), 4, 3);
    growth.count = 4;
    ck_assert_int_eq(topics_grow(desk.topics, desk_find("g"), &growth, &message),
                     KAFKA_INVALID_PARTITIONS);
    ck_assert_str_eq(text_str(&message),
                     "The topic g currently has 5 partition(s); 4 would "
                     "not be an increase.");
    text_buf_clear(&message);
    desk_reopen();
    ck_assert_int_eq(desk_find("g")->partitions, 5);
    ck_assert_int_eq((int)topics_partitions(desk.topics), 5);
    ck_assert_int_eq(
        (int)partition_end(topics_partition(desk.topics, desk_find("g"), 1)), 7);
    ck_assert_int_eq(
        (int)partition_end(topics_partition(desk.topics, desk_find("g"), 4)), 3);
    growth.count = TOPICS_PARTITIONS_MAX + 1;
    ck_assert_int_eq(topics_grow(desk.topics, desk_find("g"), &growth, &message),
                     KAFKA_POLICY_VIOLATION);
    text_buf_clear(&message);
}
END_TEST

START_TEST(retention_works_on_partitions_that_nobody_has_opened)
{
    struct topic *topic;

    desk_create("r", 1, 1);
    desk_configure(desk_find("r"), "retention.ms", "60000");
    desk_append(desk_find("r"), 0, 100);
    desk_reopen();
    topic = desk_find("r");
    desk_tick_out();
    ck_assert_ptr_null(topics_partition_open(topic, 0));
    desk_pass_time(10 * 60 * 1000);
    desk_pass_time(10 * 60 * 1000);
    ck_assert_ptr_nonnull(topics_partition_open(topic, 0));
    ck_assert_int_eq((int)partition_start(topics_partition_open(topic, 0)), 100);
    ck_assert_int_eq((int)partition_end(topics_partition_open(topic, 0)), 100);
}
END_TEST

START_TEST(a_changed_config_is_obeyed_by_open_partitions)
{
    struct config_set set = {0};
    struct text_buf message = {0};
    struct topic *topic;

    desk_create("c", 1, 1);
    topic = desk_find("c");
    desk_append(topic, 0, 100);
    desk_tick_out();
    desk_pass_time(60 * 1000);
    ck_assert_int_eq((int)partition_start(topics_partition(desk.topics, topic, 0)), 0);
    config_put(&set, "min.insync.replicas", "1");
    config_put(&set, "log.retention.ms", "1000");
    ck_assert_int_eq(topics_configure_other(desk.topics, CONFIG_BROKER,
                                            wire_string_of(""), &set, &message),
                     KAFKA_NONE);
    desk_pass_time(60 * 1000);
    ck_assert_int_eq((int)partition_start(topics_partition(desk.topics, topic, 0)),
                     100);
    config_clear(&set);
    desk_reopen();
    ck_assert_str_eq(
        config_get(&topics_broker(desk.topics)->dynamic_default, "log.retention.ms"),
        "1000");
}
END_TEST

static bool count_records(void *arg, const struct batch *batch, const uint8_t *data,
                          const struct partition_slice *slice)
{
    (void)data;
    (void)slice;
    *(int *)arg += batch->record_count;
    return true;
}

START_TEST(compacted_topics_are_compacted)
{
    struct topic *topic;
    int count = 0;

    desk_create("k", 1, 1);
    topic = desk_find("k");
    desk_configure(topic, "cleanup.policy", "compact");
    desk_configure(topic, "min.cleanable.dirty.ratio", "0.01");
    desk_configure(topic, "segment.ms", "100");
    for (int i = 0; i < 4; i++) {
        desk_append(topic, 0, 50); /* all with the same key */
        desk_pass_time(1000);
    }
    ck_assert(bench_each(topics_partition(desk.topics, topic, 0), false, count_records,
                         &count));
    ck_assert_int_eq(count, 200);
    desk_pass_time(60 * 1000);
    count = 0;
    ck_assert(bench_each(topics_partition(desk.topics, topic, 0), false, count_records,
                         &count));
    ck_assert_int_le(count,
                     51); /* the last of the closed segments and the active one */
    ck_assert_int_ge(count, 50);
    desk_reopen();
    ck_assert_int_eq(
        (int)partition_end(topics_partition(desk.topics, desk_find("k"), 0)), 200);
}
END_TEST

START_TEST(configs_of_a_group_are_kept_and_have_defaults)
{
    struct config_set set = {0};
    struct text_buf message = {0};
    struct wire_string group = wire_string_of("g1");

    ck_assert_int_eq(
        (int)topics_group_number(desk.topics, group, "consumer.session.timeout.ms"),
        45000);
    config_put(&set, "consumer.session.timeout.ms", "50000");
    ck_assert_int_eq(
        topics_configure_other(desk.topics, CONFIG_GROUP, group, &set, &message),
        KAFKA_NONE);
    desk_reopen();
    ck_assert_int_eq(
        (int)topics_group_number(desk.topics, group, "consumer.session.timeout.ms"),
        50000);
    config_clear(&set);
    ck_assert_int_eq(
        topics_configure_other(desk.topics, CONFIG_GROUP, group, &set, &message),
        KAFKA_NONE);
    ck_assert_int_eq(
        (int)topics_group_number(desk.topics, group, "consumer.session.timeout.ms"),
        45000);
    ck_assert_int_eq((int)store_count(desk.store), 0);
}
END_TEST

START_TEST(a_full_disk_makes_no_half_topic)
{
    struct rlimit limit = {(rlim_t)store_bytes(desk.store) + 10, RLIM_INFINITY};

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(strncmp(desk_create("full", 1, 1), "56 ", 3), 0);
    ck_assert_ptr_null(desk_find("full"));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    ck_assert_str_eq(desk_create("full", 1, 1), "0 ");
    limit.rlim_cur = (rlim_t)store_bytes(desk.store);
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(desk_delete(desk_find("full")), KAFKA_STORAGE_ERROR);
    ck_assert_ptr_nonnull(desk_find("full"));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    desk_reopen();
    ck_assert_int_eq(topics_count(desk.topics), 1);
}
END_TEST

START_TEST(ten_thousand_partitions_cost_nothing_until_they_are_used)
{
    int opened = 0;

    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof(name), "many%d", i);
        ck_assert_str_eq(desk_create(name, 100, 1), "0 ");
    }
    desk_reopen();
    desk_tick_out();
    desk_pass_time(3600 * 1000);
    ck_assert_int_eq((int)topics_partitions(desk.topics), 10000);
    for (int32_t i = 0; i < 100; i++)
        for (int32_t k = 0; k < 100; k++)
            opened += topics_partition_open(topics_at(desk.topics, i), k) != NULL;
    ck_assert_int_eq(opened, 0);
    ck_assert_int_eq(desk_folders(""), 0);
    while (topics_count(desk.topics) > 0)
        ck_assert_int_eq(desk_delete(topics_at(desk.topics, 0)), KAFKA_NONE);
    ck_assert_int_eq((int)store_count(desk.store), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_topics");
    TCase *tests = tcase_create("topics");

    tcase_add_checked_fixture(tests, desk_begin, desk_end);
    tcase_add_test(tests, a_topic_is_found_by_name_and_id_also_after_reopening);
    tcase_add_test(tests, what_cannot_be_made_is_refused_in_the_words_of_kafka);
    tcase_add_test(tests, a_name_may_have_249_characters_and_its_partitions_work);
    tcase_add_test(tests, manual_assignments_may_only_name_this_broker);
    tcase_add_test(tests, a_deleted_topic_leaves_nothing_behind_and_its_name_is_free);
    tcase_add_test(tests, a_new_topic_never_gets_a_folder_that_could_not_be_moved_away);
    tcase_add_test(tests, a_deletion_cut_off_by_a_crash_is_finished_at_open);
    tcase_add_test(tests, a_folder_of_no_topic_is_set_aside_and_kept);
    tcase_add_test(tests, a_topic_grows_and_never_shrinks);
    tcase_add_test(tests, retention_works_on_partitions_that_nobody_has_opened);
    tcase_add_test(tests, a_changed_config_is_obeyed_by_open_partitions);
    tcase_add_test(tests, compacted_topics_are_compacted);
    tcase_add_test(tests, configs_of_a_group_are_kept_and_have_defaults);
    tcase_add_test(tests, a_full_disk_makes_no_half_topic);
    tcase_add_test(tests, ten_thousand_partitions_cost_nothing_until_they_are_used);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
