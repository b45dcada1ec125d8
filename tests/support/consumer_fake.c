/* SPDX-License-Identifier: MIT */
#include "consumer_fake.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- the catalogue --------------------------------------------------------------- */

static void show(const struct fake_topic *topic, struct group_topic *out)
{
    *out = (struct group_topic){topic->name, topic->id, topic->partitions};
}

const struct fake_topic *fake_find(const struct fake *fake, const char *name)
{
    for (int i = 0; i < FAKE_TOPICS; i++)
        if (fake->topics[i].partitions > 0 && strcmp(fake->topics[i].name, name) == 0)
            return &fake->topics[i];
    return NULL;
}

static bool find_topic(void *arg, const char *name, struct group_topic *out)
{
    const struct fake_topic *topic = fake_find(arg, name);

    if (topic != NULL)
        show(topic, out);
    return topic != NULL;
}

static bool find_topic_id(void *arg, const struct wire_uuid *id,
                          struct group_topic *out)
{
    const struct fake *fake = arg;

    for (int i = 0; i < FAKE_TOPICS; i++)
        if (fake->topics[i].partitions > 0 &&
            memcmp(&fake->topics[i].id, id, sizeof(*id)) == 0) {
            show(&fake->topics[i], out);
            return true;
        }
    return false;
}

static void each_topic(void *arg, group_topic_fn *fn, void *fn_arg)
{
    const struct fake *fake = arg;
    struct group_topic topic;

    for (int i = 0; i < FAKE_TOPICS; i++)
        if (fake->topics[i].partitions > 0) {
            show(&fake->topics[i], &topic);
            fn(fn_arg, &topic);
        }
}

static uint64_t version(void *arg)
{
    return ((struct fake *)arg)->version;
}

static bool find_config(void *arg, const char *group_id, const char *name,
                        int64_t *value)
{
    const struct fake *fake = arg;

    (void)group_id;
    *value = fake->session_own_ms;
    return fake->session_own_ms > 0 && strcmp(name, "consumer.session.timeout.ms") == 0;
}

/* A deleted topic's place is taken by the next new one, which has an id of its own. */
static struct fake_topic *place(struct fake *fake, const char *name)
{
    for (int i = 0; i < FAKE_TOPICS; i++)
        if (fake->topics[i].partitions > 0 && strcmp(fake->topics[i].name, name) == 0)
            return &fake->topics[i];
    for (int i = 0; i < FAKE_TOPICS; i++)
        if (fake->topics[i].partitions == 0) {
            snprintf(fake->topics[i].name, FAKE_NAME, "%s", name);
            memset(&fake->topics[i].id, 0, sizeof(fake->topics[i].id));
            fake->ids++;
            fake->topics[i].id.bytes[15] = (uint8_t)(fake->ids * 37);
            fake->topics[i].id.bytes[14] = (uint8_t)(fake->ids >> 3);
            fake->topics[i].id.bytes[0] = (uint8_t)fake->ids;
            return &fake->topics[i];
        }
    ck_abort_msg("no room for another topic");
}

void fake_topic(struct fake *fake, const char *name, int32_t partitions)
{
    place(fake, name)->partitions = partitions;
    fake->version++;
}

/* ---- life ------------------------------------------------------------------------ */

static void take(void *arg, struct consumer_group *group)
{
    struct fake *fake = arg;

    ck_assert_ptr_null(fake->group);
    fake->group = group;
}

static void open_store(struct fake *fake)
{
    struct store_report report;
    struct error err = {0};

    fake->store = store_open(fake->path, &report, &err);
    ck_assert_msg(fake->store != NULL, "%s", err.text);
    fake->env.store = fake->store;
    ck_assert_int_eq(consumer_load(&fake->env, fake->now_ms, take, fake, &err), 0);
    if (fake->group == NULL)
        fake->group = consumer_new(&fake->env, "the group");
}

void fake_open(struct fake *fake, const char *name)
{
    const char *tmp = getenv("TMPDIR");

    *fake = (struct fake){.version = 1, .now_ms = 1000000};
    snprintf(fake->path, sizeof(fake->path), "%s/%s-%d", tmp ? tmp : "/tmp", name,
             (int)getpid());
    unlink(fake->path);
    consumer_env_default(&fake->env);
    fake->env.topics =
        (struct group_topics){fake, find_topic, find_topic_id, each_topic, version};
    fake->env.configs = (struct group_configs){fake, find_config};
    open_store(fake);
}

static void close_store(struct fake *fake)
{
    consumer_free(fake->group);
    store_close(fake->store);
    fake->group = NULL;
}

void fake_close(struct fake *fake)
{
    close_store(fake);
    mem_arena_clear(&fake->arena);
    unlink(fake->path);
}

void fake_reopen(struct fake *fake)
{
    close_store(fake);
    open_store(fake);
}

void fake_disk(struct fake *fake, bool full)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = full ? (rlim_t)store_bytes(fake->store) : limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* ---- requests -------------------------------------------------------------------- */

struct consumer_group_heartbeat_request fake_request(const char *member, int32_t epoch)
{
    struct consumer_group_heartbeat_request request;

    wire_defaults(&consumer_group_heartbeat_request_message, &request);
    request.group_id = wire_string_of("the group");
    request.member_id = wire_string_of(member);
    request.member_epoch = epoch;
    return request;
}

void fake_subscribe(struct fake *fake, struct consumer_group_heartbeat_request *request,
                    const char *names)
{
    char *text = mem_arena_strdup(&fake->arena, names), *rest;

    request->subscribed_topic_names_count = names == NULL ? -1 : 0;
    request->subscribed_topic_names =
        mem_arena_alloc(&fake->arena, FAKE_TOPICS * sizeof(struct wire_string));
    for (char *name = names == NULL ? NULL : strtok_r(text, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest))
        request->subscribed_topic_names[request->subscribed_topic_names_count++] =
            wire_string_of(name);
}

void fake_own(struct fake *fake, struct consumer_group_heartbeat_request *request,
              const struct partition_set *owned)
{
    size_t run;

    if (owned == NULL)
        return;
    request->topic_partitions_count = 0;
    request->topic_partitions = mem_arena_alloc(
        &fake->arena, (owned->count + 1) * sizeof(*request->topic_partitions));
    for (size_t i = 0; i < owned->count; i += run) {
        int32_t *numbers;

        run = partition_set_run(owned, i);
        numbers = mem_arena_alloc(&fake->arena, run * sizeof(*numbers));
        for (size_t j = 0; j < run; j++)
            numbers[j] = owned->items[i + j].partition;
        request->topic_partitions[request->topic_partitions_count++] =
            (struct consumer_group_heartbeat_request_topic_partitions){
                owned->items[i].topic, numbers, (int32_t)run};
    }
}

enum kafka_error fake_send(struct fake *fake,
                           const struct consumer_group_heartbeat_request *request)
{
    struct groups_caller caller = {wire_string_of("a client"), "/127.0.0.1",
                                   fake->now_ms, fake->now_ms, 1};
    struct mem_arena arena = {0};

    if (consumer_check(request, 1, &arena, &fake->answer) == KAFKA_NONE)
        consumer_heartbeat(fake->group, request, &caller, &arena, &fake->answer);
    mem_arena_clear(&fake->arena); /* the request's, and the answer before */
    fake->arena = arena;
    return fake->answer.error_code;
}

enum kafka_error fake_join(struct fake *fake, const char *member, const char *names)
{
    struct consumer_group_heartbeat_request request = fake_request(member, 0);

    request.rebalance_timeout_ms = 60000;
    request.topic_partitions_count = 0;
    fake_subscribe(fake, &request, names);
    return fake_send(fake, &request);
}

enum kafka_error fake_beat(struct fake *fake, const char *member, int32_t epoch)
{
    return fake_beat_owning(fake, member, epoch, NULL);
}

enum kafka_error fake_beat_owning(struct fake *fake, const char *member, int32_t epoch,
                                  const struct partition_set *owned)
{
    struct consumer_group_heartbeat_request request = fake_request(member, epoch);

    fake_own(fake, &request, owned);
    return fake_send(fake, &request);
}

enum kafka_error fake_leave(struct fake *fake, const char *member)
{
    struct consumer_group_heartbeat_request request = fake_request(member, -1);

    return fake_send(fake, &request);
}

/* ---- answers --------------------------------------------------------------------- */

bool fake_assigned(const struct fake *fake, struct partition_set *out)
{
    const struct consumer_group_heartbeat_response_assignment *answer =
        fake->answer.assignment;

    if (answer == NULL)
        return false;
    partition_set_clear(out);
    for (int32_t t = 0; t < answer->topic_partitions_count; t++)
        for (int32_t p = 0; p < answer->topic_partitions[t].partitions_count; p++)
            partition_set_add(out, &answer->topic_partitions[t].topic_id,
                              answer->topic_partitions[t].partitions[p]);
    partition_set_sort(out);
    return true;
}

const char *fake_assignment(struct fake *fake)
{
    struct partition_set set = {0};
    struct text_buf text = {0};
    const char *kept;
    size_t run;

    if (!fake_assigned(fake, &set))
        return "-";
    for (size_t i = 0; i < set.count; i += run) {
        struct group_topic topic = {.name = "?"};

        run = partition_set_run(&set, i);
        find_topic_id(fake, &set.items[i].topic, &topic);
        text_appendf(&text, "%s%s:", i > 0 ? " " : "", topic.name);
        for (size_t j = i; j < i + run; j++)
            text_appendf(&text, "%s%d", j > i ? "," : "", set.items[j].partition);
    }
    kept = mem_arena_strdup(&fake->arena, text_str(&text));
    text_buf_clear(&text);
    partition_set_clear(&set);
    return kept;
}

const char *fake_text(struct fake *fake)
{
    struct wire_string text = fake->answer.error_message;

    return text.len < 0 ? ""
                        : mem_arena_strndup(&fake->arena, text.data, (size_t)text.len);
}
