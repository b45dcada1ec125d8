/* SPDX-License-Identifier: MIT
 *
 * consumer_patterns.c - the regular expressions of a group and the topics they find.
 * They are not stored: the members' texts are, and the catalogue is there at a start.
 */
#include "base/mem.h"
#include "ledger/group/consumer_group.h"

#include <stdlib.h>
#include <string.h>

/* The catalogue is not looked through more often, however often topics are made. */
enum { REFRESH_MIN_MS = 1000 };

static void clear_topics(struct consumer_pattern *pattern)
{
    for (int32_t i = 0; i < pattern->topics_count; i++)
        free(pattern->topics[i]);
    free(pattern->topics);
    pattern->topics = NULL;
    pattern->topics_count = 0;
}

struct consumer_pattern *consumer_pattern_find(const struct consumer_group *group,
                                               const char *text)
{
    struct consumer_pattern *pattern;

    HASH_FIND(hh, group->patterns, text, strlen(text), pattern);
    return pattern;
}

struct finding {
    struct consumer_pattern *pattern;
    size_t room;
};

static void try_topic(void *arg, const struct group_topic *topic)
{
    struct finding *finding = arg;
    struct consumer_pattern *pattern = finding->pattern;

    if (!pattern_matches(pattern->pattern, topic->name))
        return;
    pattern->topics = mem_grow(pattern->topics, (size_t)pattern->topics_count,
                               &finding->room, sizeof(*pattern->topics));
    pattern->topics[pattern->topics_count++] = mem_strdup(topic->name);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void look_through(const struct consumer_group *group,
                         struct consumer_pattern *pattern)
{
    const struct group_topics *topics = &group->env->topics;
    struct finding finding = {.pattern = pattern};

    clear_topics(pattern);
    pattern->version = topics->version(topics->arg);
    if (pattern->pattern == NULL)
        return;
    topics->each(topics->arg, try_topic, &finding);
    if (pattern->topics_count > 0)
        qsort(pattern->topics, (size_t)pattern->topics_count, sizeof(*pattern->topics),
              compare_texts);
}

bool consumer_pattern_add(struct consumer_group *group, const char *text,
                          char why[PATTERN_WHY])
{
    struct pattern *compiled = pattern_new(text, strlen(text), why);
    struct consumer_pattern *pattern = mem_alloc(sizeof(*pattern));

    pattern->text = mem_strdup(text);
    pattern->pattern = compiled;
    look_through(group, pattern);
    HASH_ADD_KEYPTR(hh, group->patterns, pattern->text, strlen(pattern->text), pattern);
    return compiled != NULL;
}

bool consumer_patterns_refresh(struct consumer_group *group, int64_t now_ms)
{
    const struct group_topics *topics = &group->env->topics;
    uint64_t version = topics->version(topics->arg);
    struct consumer_pattern *pattern, *next;
    bool looked = false;

    if (group->patterns == NULL || now_ms < group->patterns_ms + REFRESH_MIN_MS)
        return false;
    HASH_ITER(hh, group->patterns, pattern, next)
    {
        if (pattern->version == version)
            continue;
        look_through(group, pattern);
        looked = true;
    }
    if (looked)
        group->patterns_ms = now_ms;
    return looked;
}

static void remove_pattern(struct consumer_group *group,
                           struct consumer_pattern *pattern)
{
    HASH_DEL(group->patterns, pattern);
    pattern_free(pattern->pattern);
    clear_topics(pattern);
    free(pattern->text);
    free(pattern);
}

static bool in_use(const struct consumer_group *group, const char *text)
{
    struct consumer_member *member, *next;

    HASH_ITER(hh, group->members, member, next)
    {
        if (strcmp(member->regex, text) == 0)
            return true;
    }
    return false;
}

void consumer_patterns_tidy(struct consumer_group *group)
{
    struct consumer_pattern *pattern, *next;

    HASH_ITER(hh, group->patterns, pattern, next)
    {
        if (!in_use(group, pattern->text))
            remove_pattern(group, pattern);
    }
}

void consumer_patterns_free(struct consumer_group *group)
{
    struct consumer_pattern *pattern, *next;

    HASH_ITER(hh, group->patterns, pattern, next)
    {
        remove_pattern(group, pattern);
    }
}
