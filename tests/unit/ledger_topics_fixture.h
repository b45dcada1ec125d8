/* SPDX-License-Identifier: MIT
 *
 * ledger_topics_fixture.h - the catalogue of topics over a data folder, with its time.
 */
#ifndef LEDGER_TOPICS_FIXTURE_H
#define LEDGER_TOPICS_FIXTURE_H

#include "ledger/topic/topics.h"

#include "ledger_partition_fixture.h"

#include <dirent.h>

/* A broker's data folder and what is open of it. */
struct desk {
    char root[FIXTURE_PATH];
    struct store *store;
    struct log_pool *pool;
    struct topics *topics;
    int64_t now_ms, wall_ms;
};

static struct desk desk;

static inline void desk_open(void)
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

static inline void desk_close(void)
{
    topics_close(desk.topics);
    store_close(desk.store);
}

static inline void desk_reopen(void)
{
    desk_close();
    desk_open();
}

static inline void desk_begin(void)
{
    const char *tmp = getenv("TMPDIR");

    desk = (struct desk){.now_ms = 1000, .wall_ms = 1700000000000};
    snprintf(desk.root, sizeof(desk.root), "%s/ledger-topics-XXXXXX",
             tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(desk.root));
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* strays are logged */
    desk.pool = log_pool_new(64, NULL);
    desk_open();
}

static inline void desk_end(void)
{
    char command[FIXTURE_PATH + 16];

    desk_close();
    log_pool_free(desk.pool);
    snprintf(command, sizeof(command), "rm -rf '%s'", desk.root);
    ck_assert_int_eq(system(command), 0);
}

static inline int desk_folders(const char *end)
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
static inline void desk_tick_out(void)
{
    for (int i = 0; i < 100000; i++)
        if (topics_tick(desk.topics, desk.now_ms, desk.wall_ms) > desk.now_ms)
            return;
    ck_abort_msg("topics_tick does not come to an end");
}

static inline void desk_pass_time(int64_t ms)
{
    desk.now_ms += ms;
    desk.wall_ms += ms;
    desk_tick_out();
}

/* "code text" of what creating this topic gives. */
static inline const char *desk_create(const char *name, int32_t partitions,
                                      int16_t factor)
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

static inline struct topic *desk_find(const char *name)
{
    return topics_find(desk.topics, wire_string_of(name));
}

static inline void desk_configure(struct topic *topic, const char *name,
                                  const char *value)
{
    struct config_set set = {0};
    struct text_buf message = {0};

    config_copy(&set, &topic->configs);
    config_put(&set, name, value);
    ck_assert_int_eq(topics_configure(desk.topics, topic, &set, &message), KAFKA_NONE);
    config_clear(&set);
}

static inline enum kafka_error desk_delete(struct topic *topic)
{
    struct text_buf message = {0};
    enum kafka_error code = topics_delete(desk.topics, topic, &message);

    text_buf_clear(&message);
    return code;
}

/* Append one batch of this many records. */
static inline void desk_append(struct topic *topic, int32_t index, int count)
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

#endif
