/* SPDX-License-Identifier: MIT */
#include "ledger/topic/topics.h"

#include "ledger_partition_fixture.h"
#include "support/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A broker's data folder and what is open of it. */
struct desk {
    char root[FIXTURE_PATH];
    struct store *store;
    struct log_pool *pool;
    struct topics *topics;
    int64_t now_ms, wall_ms;
};

static struct desk desk;

static void open_desk(void)
{
    struct topics_settings settings = {
        .dir = desk.root, .pool = desk.pool, .wall_ms = desk.wall_ms};
    struct store_report report;
    struct error err = {0};
    char path[FIXTURE_PATH + 8];

    snprintf(path, sizeof(path), "%s/store", desk.root);
    desk.store = store_open(path, &report, &err);
    ck_assert_msg(desk.store != NULL, "%s", err.text);
    desk.topics = topics_open(&settings, desk.store, &err);
    ck_assert_msg(desk.topics != NULL, "%s", err.text);
}

static void close_desk(void)
{
    topics_close(desk.topics);
    store_close(desk.store);
}

static void reopen_desk(void)
{
    close_desk();
    open_desk();
}

static void set_up(void)
{
    const char *tmp = getenv("TMPDIR");

    desk = (struct desk){.now_ms = 1000, .wall_ms = 1700000000000};
    snprintf(desk.root, sizeof(desk.root), "%s/ledger-topics-XXXXXX",
             tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(desk.root));
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* strays are logged */
    desk.pool = log_pool_new(64, NULL);
    open_desk();
}

static void tear_down(void)
{
    char command[FIXTURE_PATH + 16];

    close_desk();
    log_pool_free(desk.pool);
    snprintf(command, sizeof(command), "rm -rf '%s'", desk.root);
    ck_assert_int_eq(system(command), 0);
}

static int folders(const char *end)
{
    DIR *dir = opendir(desk.root);
    const struct dirent *entry;
    int count = 0;

    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name), end_len = strlen(end);
        count += entry->d_type == DT_DIR && entry->d_name[0] != '.' && len >= end_len &&
                 strcmp(entry->d_name + len - end_len, end) == 0;
    }
    closedir(dir);
    return count;
}

/* Ticks until nothing is due at this time. */
static void tick_out(void)
{
    for (int i = 0; i < 100000; i++)
        if (topics_tick(desk.topics, desk.now_ms, desk.wall_ms) > desk.now_ms)
            return;
    ck_abort_msg("topics_tick does not come to an end");
}

static void pass_time(int64_t ms)
{
    desk.now_ms += ms;
    desk.wall_ms += ms;
    tick_out();
}

/* "code text" of what creating this topic gives. */
static const char *create(const char *name, int32_t partitions, int16_t factor)
{
    static char text[600];
    struct text_buf message = {0};
    struct topics_new spec = {.name = wire_string_of(name),
                              .partitions = partitions,
                              .replication_factor = factor};
    struct topic *topic;
    enum kafka_error code = topics_create(desk.topics, &spec, &topic, NULL, &message);

    snprintf(text, sizeof(text), "%d %s", code, text_str(&message));
    text_buf_clear(&message);
    return text;
}

static struct topic *find(const char *name)
{
    return topics_find(desk.topics, wire_string_of(name));
}

static void configure(struct topic *topic, const char *name, const char *value)
{
    struct config_set set = {0};
    struct text_buf message = {0};

    config_copy(&set, &topic->configs);
    config_put(&set, name, value);
    ck_assert_int_eq(topics_configure(desk.topics, topic, &set, &message), KAFKA_NONE);
    config_clear(&set);
}

static enum kafka_error delete_topic(struct topic *topic)
{
    struct text_buf message = {0};
    enum kafka_error code = topics_delete(desk.topics, topic, &message);

    text_buf_clear(&message);
    return code;
}

/* Append one batch of this many records. */
static void append(struct topic *topic, int32_t index, int count)
{
    struct partition *partition = topics_partition(desk.topics, topic, index);
    struct bench_batch spec = {
        .producer_id = -1, .epoch = -1, .sequence = -1, .count = count};
    struct partition_append_how how = {.wall_ms = desk.wall_ms, .version = 11};
    struct records_builder builder = {0};
    struct partition_appended out;
    size_t size;
    uint8_t *data = bench_make(&builder, &spec, desk.wall_ms, &size);

    ck_assert_ptr_nonnull(partition);
    ck_assert_int_eq(partition_append(partition, data, (int64_t)size, &how, &out),
                     KAFKA_NONE);
    records_builder_clear(&builder);
}

START_TEST(a_topic_is_found_by_name_and_id_also_after_reopening)
{
    struct wire_uuid id;

    ck_assert_str_eq(create("orders", 3, 1), "0 ");
    ck_assert_str_eq(create("alpha", -1, -1), "0 ");
    ck_assert_str_eq(create("zeta", 1, 1), "0 ");
    configure(find("orders"), "retention.ms", "5000");
    id = find("orders")->id;
    reopen_desk();
    ck_assert_int_eq(topics_count(desk.topics), 3);
    ck_assert_int_eq((int)topics_partitions(desk.topics), 5);
    ck_assert_ptr_eq(topics_find_id(desk.topics, &id), find("orders"));
    ck_assert_str_eq(topics_at(desk.topics, 0)->name, "alpha");
    ck_assert_str_eq(topics_at(desk.topics, 1)->name, "orders");
    ck_assert_int_eq(topics_lower_bound(desk.topics, wire_string_of("b")), 1);
    ck_assert_int_eq(topics_lower_bound(desk.topics, wire_string_of("zz")), 3);
    ck_assert_str_eq(config_get(&find("orders")->configs, "retention.ms"), "5000");
    ck_assert_ptr_null(find("order"));
    ck_assert_ptr_null(topics_partition(desk.topics, find("orders"), 3));
    ck_assert_ptr_null(topics_partition(desk.topics, find("orders"), -1));
    ck_assert_int_eq(folders(""), 0); /* nothing was used yet */
}
END_TEST

START_TEST(what_cannot_be_made_is_refused_in_the_words_of_kafka)
{
    ck_assert_str_eq(create("a.b", 1, 1), "0 ");
    ck_assert_str_eq(create("a.b", 1, 1), "36 Topic 'a.b' already exists.");
    ck_assert_str_eq(create("a_b", 1, 1),
                     "17 Topic 'a_b' collides with existing topic: a.b");
    ck_assert_str_eq(create("", 1, 1),
                     "17 Topic name is invalid: the empty string is not allowed");
    ck_assert_str_eq(create("..", 1, 1),
                     "17 Topic name is invalid: '..' is not allowed");
    ck_assert_str_eq(
        create("a/b", 1, 1),
        "17 Topic name is invalid: 'a/b' contains one or more characters other "
        "than ASCII alphanumerics, '.', '_' and '-'");
    ck_assert_str_eq(
        create("c", 0, 1),
        "37 Number of partitions was set to an invalid non-positive value.");
    ck_assert_str_eq(create("c", 1, 2),
                     "38 Unable to replicate the partition 2 time(s): The target "
                     "replication factor of 2 "
                     "cannot be reached because only 1 broker(s) are registered.");
    ck_assert_str_eq(create("c", 1, 0),
                     "38 Replication factor must be larger than 0, or -1 to "
                     "use the default value.");
    ck_assert_str_eq(create("c", 10001, 1),
                     "44 Excessively large number of partitions per request.");
    ck_assert_str_eq(create("__cluster_metadata", 1, 1),
                     "42 Creation of internal topic __cluster_metadata is prohibited.");
    ck_assert_int_eq(topics_count(desk.topics), 1);
}
END_TEST

START_TEST(a_name_may_have_249_characters_and_its_partitions_work)
{
    char name[252];

    memset(name, 'x', sizeof(name));
    name[250] = '\0';
    ck_assert_int_eq(strncmp(create(name, 1, 1), "17 ", 3), 0);
    name[249] = '\0';
    ck_assert_str_eq(create(name, 100, 1), "0 ");
    append(find(name), 99, 1);
    reopen_desk();
    ck_assert_int_eq((int)partition_end(topics_partition(desk.topics, find(name), 99)),
                     1);
    ck_assert_int_eq(delete_topic(find(name)), KAFKA_NONE);
    tick_out();
    ck_assert_int_eq(folders(""), 0);
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

    create("t", 3, 1);
    id = find("t")->id;
    append(find("t"), 0, 10);
    append(find("t"), 2, 10);
    ck_assert_int_eq(folders(""), 2);
    ck_assert_int_eq(delete_topic(find("t")), KAFKA_NONE);
    ck_assert_int_eq(folders(".delete"), 2);
    ck_assert_str_eq(create("t", 1, 1), "0 ");
    ck_assert_int_ne(memcmp(&find("t")->id, &id, sizeof(id)), 0);
    ck_assert_int_eq((int)partition_end(topics_partition(desk.topics, find("t"), 0)),
                     0);
    tick_out();
    ck_assert_int_eq(folders(".delete"), 0);
    ck_assert_int_eq(folders("t-0"), 1);
    ck_assert_int_eq((int)store_count(desk.store), 1);
}
END_TEST

START_TEST(a_new_topic_never_gets_a_folder_that_could_not_be_moved_away)
{
    char obstacle[FIXTURE_PATH + 64], inside[FIXTURE_PATH + 72], hex[33];

    create("t", 2, 1);
    append(find("t"), 1, 10);
    for (int i = 0; i < 16; i++)
        snprintf(hex + (ptrdiff_t)2 * i, 3, "%02x", find("t")->id.bytes[i]);
    /* A folder with something in it is not replaced by a rename. */
    snprintf(obstacle, sizeof(obstacle), "%s/%s-1.delete", desk.root, hex);
    snprintf(inside, sizeof(inside), "%s/deeper", obstacle);
    ck_assert_int_eq(mkdir(obstacle, 0755), 0);
    ck_assert_int_eq(mkdir(inside, 0755), 0);
    ck_assert_int_eq(delete_topic(find("t")), KAFKA_NONE);
    ck_assert_int_eq(folders("t-1"), 1);
    ck_assert_ptr_nonnull(strstr(create("t", 1, 1), "t-1 is in the way"));
    ck_assert_int_eq(atoi(create("t", 2, 1)), KAFKA_STORAGE_ERROR);
    reopen_desk();
    ck_assert_int_eq(atoi(create("t", 2, 1)), KAFKA_STORAGE_ERROR);
    ck_assert_str_eq(create("t2", 2, 1), "0 ");
    ck_assert_int_eq(folders(".stray"), 0);

    ck_assert_int_eq(rmdir(inside), 0);
    ck_assert_str_eq(create("t", 2, 1), "0 ");
    ck_assert_int_eq((int)partition_end(topics_partition(desk.topics, find("t"), 1)),
                     0);
    tick_out();
    ck_assert_int_eq(folders(".delete"), 0);
    reopen_desk();
    ck_assert_int_eq(folders("t-1"), 1);
}
END_TEST

START_TEST(a_deletion_cut_off_by_a_crash_is_finished_at_open)
{
    static const char value[] = {2, 0, 0, 0, 't'};
    struct error err = {0};
    char key[18] = "td";

    create("t", 2, 1);
    append(find("t"), 0, 10);
    memcpy(key + 2, find("t")->id.bytes, 16);
    store_batch_begin(desk.store);
    store_delete(desk.store, "ttt", 3, &err);
    store_put(desk.store, key, sizeof(key), value, sizeof(value), &err);
    ck_assert_int_eq(store_batch_end(desk.store, &err), 0);
    reopen_desk();
    ck_assert_ptr_null(find("t"));
    ck_assert_int_eq(folders(".delete"), 1);
    ck_assert_int_eq(folders(".stray"), 0);
    reopen_desk(); /* the folder is found again */
    tick_out();
    ck_assert_int_eq(folders(""), 0);
    ck_assert_int_eq((int)store_count(desk.store), 0);
}
END_TEST

START_TEST(a_folder_of_no_topic_is_set_aside_and_kept)
{
    char path[FIXTURE_PATH + 16];

    create("known", 1, 1);
    append(find("known"), 0, 1);
    snprintf(path, sizeof(path), "%s/lost-0", desk.root);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/known-1", desk.root); /* a partition it has not */
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/something", desk.root); /* none of ours */
    ck_assert_int_eq(mkdir(path, 0700), 0);
    reopen_desk();
    ck_assert_int_eq(folders(".stray"), 2);
    ck_assert_int_eq(folders("something"), 1);
    ck_assert_int_eq(folders("known-0"), 1);
    reopen_desk();
    tick_out();
    ck_assert_int_eq(folders(".stray"), 2);
}
END_TEST

START_TEST(a_topic_grows_and_never_shrinks)
{
    struct text_buf message = {0};
    struct topics_growth growth = {.count = 5, .replicas_count = -1};

    create("g", 2, 1);
    append(find("g"), 1, 7);
    growth.validate_only = true;
    ck_assert_int_eq(topics_grow(desk.topics, find("g"), &growth, &message),
                     KAFKA_NONE);
    ck_assert_int_eq(find("g")->partitions, 2);
    growth.validate_only = false;
    ck_assert_int_eq(topics_grow(desk.topics, find("g"), &growth, &message),
                     KAFKA_NONE);
    append(find("g"), 4, 3);
    growth.count = 4;
    ck_assert_int_eq(topics_grow(desk.topics, find("g"), &growth, &message),
                     KAFKA_INVALID_PARTITIONS);
    ck_assert_str_eq(text_str(&message),
                     "The topic g currently has 5 partition(s); 4 would "
                     "not be an increase.");
    text_buf_clear(&message);
    reopen_desk();
    ck_assert_int_eq(find("g")->partitions, 5);
    ck_assert_int_eq((int)topics_partitions(desk.topics), 5);
    ck_assert_int_eq((int)partition_end(topics_partition(desk.topics, find("g"), 1)),
                     7);
    ck_assert_int_eq((int)partition_end(topics_partition(desk.topics, find("g"), 4)),
                     3);
    growth.count = TOPICS_PARTITIONS_MAX + 1;
    ck_assert_int_eq(topics_grow(desk.topics, find("g"), &growth, &message),
                     KAFKA_POLICY_VIOLATION);
    text_buf_clear(&message);
}
END_TEST

START_TEST(retention_works_on_partitions_that_nobody_has_opened)
{
    struct topic *topic;

    create("r", 1, 1);
    configure(find("r"), "retention.ms", "60000");
    append(find("r"), 0, 100);
    reopen_desk();
    topic = find("r");
    tick_out();
    ck_assert_ptr_null(topics_partition_open(topic, 0));
    pass_time(10 * 60 * 1000);
    pass_time(10 * 60 * 1000);
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

    create("c", 1, 1);
    topic = find("c");
    append(topic, 0, 100);
    tick_out();
    pass_time(60 * 1000);
    ck_assert_int_eq((int)partition_start(topics_partition(desk.topics, topic, 0)), 0);
    config_put(&set, "min.insync.replicas", "1");
    config_put(&set, "log.retention.ms", "1000");
    ck_assert_int_eq(topics_configure_other(desk.topics, CONFIG_BROKER,
                                            wire_string_of(""), &set, &message),
                     KAFKA_NONE);
    pass_time(60 * 1000);
    ck_assert_int_eq((int)partition_start(topics_partition(desk.topics, topic, 0)),
                     100);
    config_clear(&set);
    reopen_desk();
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

    create("k", 1, 1);
    topic = find("k");
    configure(topic, "cleanup.policy", "compact");
    configure(topic, "min.cleanable.dirty.ratio", "0.01");
    configure(topic, "segment.ms", "100");
    for (int i = 0; i < 4; i++) {
        append(topic, 0, 50); /* all with the same key */
        pass_time(1000);
    }
    ck_assert(bench_each(topics_partition(desk.topics, topic, 0), false, count_records,
                         &count));
    ck_assert_int_eq(count, 200);
    pass_time(60 * 1000);
    count = 0;
    ck_assert(bench_each(topics_partition(desk.topics, topic, 0), false, count_records,
                         &count));
    ck_assert_int_le(count,
                     51); /* the last of the closed segments and the active one */
    ck_assert_int_ge(count, 50);
    reopen_desk();
    ck_assert_int_eq((int)partition_end(topics_partition(desk.topics, find("k"), 0)),
                     200);
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
    reopen_desk();
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
    ck_assert_int_eq(strncmp(create("full", 1, 1), "56 ", 3), 0);
    ck_assert_ptr_null(find("full"));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    ck_assert_str_eq(create("full", 1, 1), "0 ");
    limit.rlim_cur = (rlim_t)store_bytes(desk.store);
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(delete_topic(find("full")), KAFKA_STORAGE_ERROR);
    ck_assert_ptr_nonnull(find("full"));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    reopen_desk();
    ck_assert_int_eq(topics_count(desk.topics), 1);
}
END_TEST

/* The naive catalogue. */
enum { NAMES = 20 };

static bool same_as(const int32_t partitions[NAMES])
{
    int count = 0;

    for (int i = 0; i < NAMES; i++) {
        char name[16];
        const struct topic *topic;
        snprintf(name, sizeof(name), "topic%d", i);
        topic = find(name);
        count += partitions[i] > 0;
        if (topic == NULL ? partitions[i] > 0 : topic->partitions != partitions[i])
            return false;
    }
    for (int32_t i = 1; i < topics_count(desk.topics); i++)
        if (strcmp(topics_at(desk.topics, i - 1)->name,
                   topics_at(desk.topics, i)->name) >= 0)
            return false;
    return count == topics_count(desk.topics);
}

static bool random_step(int32_t partitions[NAMES], uint32_t *seed)
{
    int i = (int)(bench_random(seed) % NAMES);
    int32_t count = 1 + (int32_t)(bench_random(seed) % 4);
    struct topics_growth growth = {.replicas_count = -1};
    struct text_buf message = {0};
    char name[16];
    bool right;

    snprintf(name, sizeof(name), "topic%d", i);
    if (partitions[i] == 0) {
        partitions[i] = count;
        return strcmp(create(name, count, 1), "0 ") == 0;
    }
    switch (bench_random(seed) % 3) {
    case 0:
        partitions[i] = 0;
        return delete_topic(find(name)) == KAFKA_NONE;
    case 1:
        append(find(name), 0, 1);
        return true;
    default:
        growth.count = partitions[i] += count;
        right = topics_grow(desk.topics, find(name), &growth, &message) == KAFKA_NONE;
        text_buf_clear(&message);
        return right;
    }
}

START_TEST(random_changes_are_those_of_a_naive_catalogue)
{
    int32_t partitions[NAMES] = {0};
    uint32_t seed = 5;
    int wrong = 0;

    for (int i = 0; i < 1500; i++) {
        wrong += !random_step(partitions, &seed);
        if (i % 50 == 0)
            tick_out();
        if (i % 100 == 99)
            reopen_desk();
        wrong += !same_as(partitions);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(folders(".stray"), 0);
}
END_TEST

/* Make and delete topics for ever; tell every step that is done: +n made, -n deleted.
 */
static _Noreturn void change_until_killed(int out)
{
    open_desk();
    for (int32_t n = 1;; n++) {
        char name[16];
        int32_t told = n;
        snprintf(name, sizeof(name), "k%d", n);
        if (strcmp(create(name, 2, 1), "0 ") != 0)
            _exit(1);
        append(find(name), 1, 1);
        if (write(out, &told, sizeof(told)) != sizeof(told))
            _exit(1);
        if (n % 3 == 0 && delete_topic(find(name)) == KAFKA_NONE) {
            told = -n;
            if (write(out, &told, sizeof(told)) != sizeof(told))
                _exit(1);
        }
        topics_tick(desk.topics, desk.now_ms, desk.wall_ms);
    }
}

/* What was told is so, of what was not told either is right; nothing is half. */
static int check_after_kill(int in, int32_t *count)
{
    int wrong = 0;
    int32_t told = 0;

    open_desk();
    while (read(in, &told, sizeof(told)) == (ssize_t)sizeof(told)) {
        char name[16];
        const struct topic *topic;
        snprintf(name, sizeof(name), "k%d", abs(told));
        topic = find(name);
        if (told < 0)
            wrong += topic != NULL;
        else if (told % 3 != 0)
            wrong += topic == NULL ||
                     partition_end(topics_partition(desk.topics, find(name), 1)) != 1;
        ++*count;
    }
    tick_out();
    wrong += folders(".stray") + folders(".delete");
    while (topics_count(desk.topics) > 0)
        wrong += delete_topic(topics_at(desk.topics, 0)) != KAFKA_NONE;
    tick_out();
    wrong += folders("");
    return wrong;
}

START_TEST(kill_9_at_any_moment_leaves_no_half_topic)
{
    uint32_t seed = 31;
    int32_t count = 0;
    int wrong = 0;

    for (int round = 0; round < 20; round++) {
        int pipes[2];
        pid_t child;
        close_desk();
        ck_assert_int_eq(pipe(pipes), 0);
        fcntl(pipes[1], F_SETPIPE_SZ, 1024 * 1024);
        child = fork();
        if (child == 0)
            change_until_killed(pipes[1]);
        close(pipes[1]);
        usleep(5000 + bench_random(&seed) % 40000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        wrong += check_after_kill(pipes[0], &count);
        close(pipes[0]);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_gt(count, 20);
}
END_TEST

START_TEST(ten_thousand_partitions_cost_nothing_until_they_are_used)
{
    int opened = 0;

    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof(name), "many%d", i);
        ck_assert_str_eq(create(name, 100, 1), "0 ");
    }
    reopen_desk();
    tick_out();
    pass_time(3600 * 1000);
    ck_assert_int_eq((int)topics_partitions(desk.topics), 10000);
    for (int32_t i = 0; i < 100; i++)
        for (int32_t k = 0; k < 100; k++)
            opened += topics_partition_open(topics_at(desk.topics, i), k) != NULL;
    ck_assert_int_eq(opened, 0);
    ck_assert_int_eq(folders(""), 0);
    while (topics_count(desk.topics) > 0)
        ck_assert_int_eq(delete_topic(topics_at(desk.topics, 0)), KAFKA_NONE);
    ck_assert_int_eq((int)store_count(desk.store), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_topics");
    TCase *tests = tcase_create("topics");

    tcase_add_checked_fixture(tests, set_up, tear_down);
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
    tcase_add_test(tests, random_changes_are_those_of_a_naive_catalogue);
    tcase_add_test(tests, kill_9_at_any_moment_leaves_no_half_topic);
    tcase_add_test(tests, ten_thousand_partitions_cost_nothing_until_they_are_used);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
