/* SPDX-License-Identifier: MIT
 *
 * consumer_subscriptions.c - what all members of a group want, in numbers: the topics
 * that exist get places in the order of their ids, and every member a list of places.
 */
#include "base/mem.h"
#include "ledger/group/consumer_group.h"

#include <stdlib.h>
#include <string.h>

/* A name that somebody subscribes to. */
struct wanted {
    const char *name;
    bool exists;
    int32_t place;
    struct group_topic topic;
    UT_hash_handle hh;
};

struct builder {
    const struct consumer_group *group;
    struct consumer_subscriptions *out;
    struct mem_arena *arena;
    struct wanted *names;
};

typedef void name_fn(struct builder *builder, struct wanted *wanted, void *arg);

/* ---- members --------------------------------------------------------------------- */

static int compare_members(const void *a, const void *b)
{
    return strcmp((*(const struct consumer_member *const *)a)->id,
                  (*(const struct consumer_member *const *)b)->id);
}

static void list_members(struct builder *builder, const struct consumer_member *old,
                         const struct consumer_member *next)
{
    struct consumer_subscriptions *out = builder->out;
    const struct consumer_member *member;
    size_t room = HASH_COUNT(builder->group->members) + 1;

    out->members =
        mem_arena_alloc(builder->arena, room * sizeof(struct consumer_member *));
    for (member = builder->group->members; member != NULL; member = member->hh.next)
        if (member != old)
            out->members[out->members_count++] = member;
    if (next != NULL)
        out->members[out->members_count++] = next;
    qsort(out->members, (size_t)out->members_count, sizeof(struct consumer_member *),
          compare_members);
}

/* ---- names ----------------------------------------------------------------------- */

static struct wanted *find_name(struct builder *builder, const char *name)
{
    const struct group_topics *topics = &builder->group->env->topics;
    struct wanted *wanted;

    HASH_FIND(hh, builder->names, name, strlen(name), wanted);
    if (wanted != NULL)
        return wanted;
    wanted = mem_arena_alloc(builder->arena, sizeof(*wanted));
    wanted->name = name;
    wanted->exists = topics->find(topics->arg, name, &wanted->topic);
    HASH_ADD_KEYPTR(hh, builder->names, wanted->name, strlen(wanted->name), wanted);
    return wanted;
}

/* Call fn for every name the member subscribes to, some perhaps twice. */
static void each_name(struct builder *builder, const struct consumer_member *member,
                      name_fn *fn, void *arg)
{
    const struct consumer_pattern *pattern = NULL;

    if (*member->regex != '\0')
        pattern = consumer_pattern_find(builder->group, member->regex);
    for (int32_t i = 0; i < member->topics_count; i++)
        fn(builder, find_name(builder, member->topics[i]), arg);
    for (int32_t i = 0; pattern != NULL && i < pattern->topics_count; i++)
        fn(builder, find_name(builder, pattern->topics[i]), arg);
}

static void know_name(struct builder *builder, struct wanted *wanted, void *arg)
{
    (void)builder;
    (void)wanted;
    (void)arg;
}

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *left = *(struct wanted *const *)a;
    const struct wanted *right = *(struct wanted *const *)b;

    return memcmp(left->topic.id.bytes, right->topic.id.bytes,
                  sizeof(left->topic.id.bytes));
}

/* Give the names that exist their places. */
static void place_topics(struct builder *builder)
{
    struct consumer_subscriptions *out = builder->out;
    size_t room = HASH_COUNT(builder->names) + 1;
    struct wanted **order = mem_arena_alloc(builder->arena, room * sizeof(*order));

    for (struct wanted *wanted = builder->names; wanted != NULL;
         wanted = wanted->hh.next)
        if (wanted->exists)
            order[out->topics_count++] = wanted;
    qsort(order, (size_t)out->topics_count, sizeof(*order), compare_wanted);
    out->topics = mem_arena_alloc(builder->arena, room * sizeof(*out->topics));
    for (int32_t i = 0; i < out->topics_count; i++) {
        order[i]->place = i;
        out->topics[i] = order[i]->topic;
    }
}

/* ---- what each wants ------------------------------------------------------------- */

static void count_name(struct builder *builder, struct wanted *wanted, void *arg)
{
    (void)builder;
    *(int32_t *)arg += wanted->exists;
}

struct list {
    int32_t *places, count;
};

static void list_name(struct builder *builder, struct wanted *wanted, void *arg)
{
    struct list *list = arg;

    (void)builder;
    if (wanted->exists)
        list->places[list->count++] = wanted->place;
}

static int compare_places(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

    return (left > right) - (left < right);
}

static void list_wanted(struct builder *builder, int32_t m)
{
    const struct consumer_member *member = builder->out->members[m];
    int32_t room = 1, kept = 0;
    struct list list = {0};

    each_name(builder, member, count_name, &room);
    list.places = mem_arena_alloc(builder->arena, (size_t)room * sizeof(*list.places));
    each_name(builder, member, list_name, &list);
    qsort(list.places, (size_t)list.count, sizeof(*list.places), compare_places);
    for (int32_t i = 0; i < list.count; i++)
        if (kept == 0 || list.places[kept - 1] != list.places[i])
            list.places[kept++] = list.places[i];
    builder->out->wanted[m] = list.places;
    builder->out->wanted_count[m] = kept;
}

static void list_all_wanted(struct builder *builder)
{
    struct consumer_subscriptions *out = builder->out;
    size_t room = (size_t)out->members_count + 1;

    out->wanted = mem_arena_alloc(builder->arena, room * sizeof(*out->wanted));
    out->wanted_count =
        mem_arena_alloc(builder->arena, room * sizeof(*out->wanted_count));
    out->homogeneous = true;
    for (int32_t m = 0; m < out->members_count; m++) {
        list_wanted(builder, m);
        out->homogeneous = out->homogeneous &&
                           out->wanted_count[m] == out->wanted_count[0] &&
                           memcmp(out->wanted[m], out->wanted[0],
                                  (size_t)out->wanted_count[m] * sizeof(int32_t)) == 0;
    }
}

/* ---- hash ------------------------------------------------------------------------ */

/* FNV-1a, 64 bits. */
#define FNV_START 14695981039346656037U

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 1099511628211U;
    return hash;
}

static bool subscribed_by(const struct consumer_subscriptions *out, const char *regex)
{
    for (int32_t m = 0; m < out->members_count; m++)
        if (strcmp(out->members[m]->regex, regex) == 0)
            return true;
    return false;
}

static uint64_t hash_pattern(const struct consumer_pattern *pattern)
{
    uint64_t hash = mix(FNV_START, pattern->text, strlen(pattern->text) + 1);

    for (int32_t i = 0; i < pattern->topics_count; i++)
        hash = mix(hash, pattern->topics[i], strlen(pattern->topics[i]) + 1);
    return hash;
}

/* Patterns are added up: their order in the table says nothing. */
static uint64_t hash_of(const struct builder *builder)
{
    const struct consumer_subscriptions *out = builder->out;
    const struct consumer_pattern *pattern;
    uint64_t hash = FNV_START;

    for (int32_t i = 0; i < out->topics_count; i++) {
        hash = mix(hash, out->topics[i].id.bytes, sizeof(out->topics[i].id.bytes));
        hash = mix(hash, &out->topics[i].partitions, sizeof(out->topics[i].partitions));
    }
    for (pattern = builder->group->patterns; pattern != NULL;
         pattern = pattern->hh.next)
        if (subscribed_by(out, pattern->text))
            hash += hash_pattern(pattern);
    return hash;
}

/* ---- together -------------------------------------------------------------------- */

void consumer_subscriptions(const struct consumer_group *group,
                            const struct consumer_member *old,
                            const struct consumer_member *next, struct mem_arena *arena,
                            struct consumer_subscriptions *out)
{
    struct builder builder = {.group = group, .out = out, .arena = arena};

    *out = (struct consumer_subscriptions){0};
    list_members(&builder, old, next);
    for (int32_t m = 0; m < out->members_count; m++)
        each_name(&builder, out->members[m], know_name, NULL);
    place_topics(&builder);
    list_all_wanted(&builder);
    out->hash = hash_of(&builder);
    HASH_CLEAR(hh, builder.names);
}

struct partition_set consumer_subscribed_to(const struct consumer_group *group,
                                            const struct consumer_member *member)
{
    const struct group_topics *topics = &group->env->topics;
    const struct consumer_pattern *pattern = NULL;
    struct partition_set set = {0};
    struct group_topic topic;

    if (*member->regex != '\0')
        pattern = consumer_pattern_find(group, member->regex);
    for (int32_t i = 0; i < member->topics_count; i++)
        if (topics->find(topics->arg, member->topics[i], &topic))
            partition_set_add(&set, &topic.id, 0);
    for (int32_t i = 0; pattern != NULL && i < pattern->topics_count; i++)
        if (topics->find(topics->arg, pattern->topics[i], &topic))
            partition_set_add(&set, &topic.id, 0);
    partition_set_sort(&set);
    return set;
}
