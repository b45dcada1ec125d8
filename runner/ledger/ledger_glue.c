/* SPDX-License-Identifier: MIT */
#include "ledger/ledger_private.h"

#include "base/text.h"
#include "ledger/group/offsets.h"

#include <stdlib.h>
#include <string.h>

static void describe_topic(const struct topic *topic, struct group_topic *out)
{
    *out = (struct group_topic){
        .name = topic->name, .id = topic->id, .partitions = topic->partitions};
}

static bool find_topic(void *arg, const char *name, struct group_topic *out)
{
    const struct ledger *ledger = arg;
    const struct topic *topic = topics_find(ledger->topics, wire_string_of(name));

    if (topic)
        describe_topic(topic, out);
    return topic != NULL;
}

static bool find_topic_id(void *arg, const struct wire_uuid *id, struct group_topic *out)
{
    const struct ledger *ledger = arg;
    const struct topic *topic = topics_find_id(ledger->topics, id);

    if (topic)
        describe_topic(topic, out);
    return topic != NULL;
}

static void each_topic(void *arg, group_topic_fn *fn, void *fn_arg)
{
    const struct ledger *ledger = arg;
    int32_t count = topics_count(ledger->topics);

    for (int32_t i = 0; i < count; i++) {
        struct group_topic topic;

        describe_topic(topics_at(ledger->topics, i), &topic);
        fn(fn_arg, &topic);
    }
}

static uint64_t topics_changes(void *arg)
{
    const struct ledger *ledger = arg;

    return topics_version(ledger->topics);
}

static bool find_config(void *arg, const char *group_id, const char *name, int64_t *value)
{
    const struct ledger *ledger = arg;
    const struct config_set *set = topics_group(ledger->topics, wire_string_of(group_id));
    const char *text = set ? config_get(set, name) : NULL;

    return text && text_parse_int(text, value);
}

void ledger_group_env(struct ledger *ledger, struct consumer_env *env)
{
    consumer_env_default(env);
    env->store = ledger->store;
    env->topics = (struct group_topics){.arg = ledger,
                                        .find = find_topic,
                                        .find_id = find_topic_id,
                                        .each = each_topic,
                                        .version = topics_changes};
    env->configs = (struct group_configs){.arg = ledger, .find = find_config};
}

void ledger_group_answer(void *ticket, const void *response)
{
    request_answer(ticket, response);
}

bool ledger_topic_exists(void *arg, struct wire_string topic)
{
    const struct ledger *ledger = arg;

    return topics_find(ledger->topics, topic) != NULL;
}

static struct partition *find_partition(void *arg, struct wire_string name, int32_t index,
                                        bool *broken)
{
    const struct ledger *ledger = arg;
    struct topic *topic = topics_find(ledger->topics, name);
    struct partition *partition;

    *broken = false;
    if (topic == NULL || index < 0 || index >= topic->partitions)
        return NULL;
    partition = topics_partition(ledger->topics, topic, index);
    *broken = partition == NULL;
    return partition;
}

static int settle(void *arg, int64_t producer_id, bool commit, struct error *err)
{
    const struct ledger *ledger = arg;

    return offsets_settle(ledger->offsets, producer_id, commit, err);
}

struct txns_host ledger_txns_host(struct ledger *ledger)
{
    return (struct txns_host){.partition = find_partition, .settle = settle, .arg = ledger};
}
