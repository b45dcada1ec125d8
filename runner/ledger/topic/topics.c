/* SPDX-License-Identifier: MIT */
#include "ledger/topic/topics.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/topic/topics_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- the tables -------------------------------------------------------------------
 */

char *topics_flat_name(struct wire_string name)
{
    char *flat = mem_strndup(name.data, (size_t)name.len);

    for (char *at = flat; *at != '\0'; at++)
        if (*at == '.')
            *at = '_';
    return flat;
}

static bool is_internal(struct wire_string name)
{
    return wire_string_is(name, "__consumer_offsets") ||
           wire_string_is(name, "__transaction_state");
}

static int compare_names(struct wire_string a, struct wire_string b)
{
    int32_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, (size_t)len);

    return order != 0 ? order : a.len - b.len;
}

static struct wire_string name_of(const struct topic *topic)
{
    return (struct wire_string){topic->name, topic->name_len};
}

int32_t topics_lower_bound(struct topics *topics, struct wire_string name)
{
    size_t low = 0, high = topics->sorted_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(name_of(topics->sorted[middle]), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (int32_t)low;
}

static void insert_sorted(struct topics *topics, struct topic *topic)
{
    size_t at = (size_t)topics_lower_bound(topics, name_of(topic));

    topics->sorted = mem_grow(topics->sorted, topics->sorted_count,
                              &topics->sorted_capacity, sizeof(struct topic *));
    memmove(topics->sorted + at + 1, topics->sorted + at,
            (topics->sorted_count - at) * sizeof(struct topic *));
    topics->sorted[at] = topic;
    topics->sorted_count++;
}

struct topic *topics_add(struct topics *topics, struct wire_string name,
                         const struct wire_uuid *id, int32_t partitions,
                         const struct config_set *configs)
{
    struct topic_private *own = mem_alloc(sizeof(*own));
    struct topic *topic = &own->topic;

    topic->name = mem_strndup(name.data, (size_t)name.len);
    topic->name_len = name.len;
    topic->id = *id;
    topic->partitions = partitions;
    topic->internal = is_internal(name);
    topic->own = own;
    if (configs != NULL)
        config_copy(&topic->configs, configs);
    own->flat = topics_flat_name(name);
    own->open = mem_alloc((size_t)partitions * sizeof(*own->open));
    own->state = mem_alloc((size_t)partitions);
    HASH_ADD_KEYPTR(by_name, topics->by_name, topic->name, (unsigned)name.len, own);
    HASH_ADD(by_id, topics->by_id, topic.id, sizeof(topic->id), own);
    HASH_ADD_KEYPTR(by_flat, topics->by_flat, own->flat, (unsigned)name.len, own);
    insert_sorted(topics, topic);
    topics->partitions += partitions;
    topics->version++;
    return topic;
}

void topics_remove(struct topics *topics, struct topic *topic)
{
    struct topic_private *own = topic->own;
    size_t at = (size_t)topics_lower_bound(topics, name_of(topic));

    HASH_DELETE(by_name, topics->by_name, own);
    HASH_DELETE(by_id, topics->by_id, own);
    HASH_DELETE(by_flat, topics->by_flat, own);
    topics->sorted_count--;
    memmove(topics->sorted + at, topics->sorted + at + 1,
            (topics->sorted_count - at) * sizeof(struct topic *));
    topics->partitions -= topic->partitions;
    topics->version++;
    config_clear(&topic->configs);
    free((char *)topic->name);
    free(own->flat);
    free(own->open);
    free(own->state);
    free(own);
}

struct topic *topics_find(struct topics *topics, struct wire_string name)
{
    struct topic_private *own;

    if (name.len <= 0)
        return NULL;
    HASH_FIND(by_name, topics->by_name, name.data, (unsigned)name.len, own);
    return own != NULL ? &own->topic : NULL;
}

struct topic *topics_find_id(struct topics *topics, const struct wire_uuid *id)
{
    struct topic_private *own;

    HASH_FIND(by_id, topics->by_id, id, sizeof(*id), own);
    return own != NULL ? &own->topic : NULL;
}

int32_t topics_count(const struct topics *topics)
{
    return (int32_t)topics->sorted_count;
}

int64_t topics_partitions(const struct topics *topics)
{
    return topics->partitions;
}

struct topic *topics_at(struct topics *topics, int32_t index)
{
    return topics->sorted[index];
}

uint64_t topics_version(const struct topics *topics)
{
    return topics->version;
}

/* ---- life -------------------------------------------------------------------------
 */

/* Is this what would be in force anyway? */
static bool is_default(const char *name, const char *value)
{
    const struct config_key *key = config_find(CONFIG_BROKER, name);
    size_t count;
    const struct config_key *keys = config_keys(CONFIG_TOPIC, &count);

    if (key != NULL && key->fallback != NULL)
        return strcmp(key->fallback, value) == 0;
    for (size_t i = 0; i < count; i++)
        if (keys[i].synonyms[0].name != NULL &&
            strcmp(keys[i].synonyms[0].name, name) == 0)
            return strcmp(keys[i].fallback, value) == 0;
    return false;
}

/* What is not said does not count as set: tools show all that is. */
static void copy_fixed(struct topics *topics, const struct config_set *fixed)
{
    for (size_t i = 0; fixed != NULL && i < fixed->count; i++)
        topics_fix(topics, fixed->entries[i].name, fixed->entries[i].value);
}

struct topics *topics_open(const struct topics_settings *settings, struct store *store,
                           struct error *err)
{
    struct topics *topics;

    if (strlen(settings->dir) > TOPICS_PATH - 2 * TOPICS_NAME_MAX) {
        error_set(err, ERROR_INPUT, "the path of the data folder is too long: %s",
                  settings->dir);
        return NULL;
    }
    topics = mem_alloc(sizeof(*topics));
    topics->dir = mem_strdup(settings->dir);
    topics->pool = settings->pool;
    topics->store = store;
    topics->wall_ms = settings->wall_ms;
    copy_fixed(topics, settings->fixed);
    /* A new Kafka has this one set for the cluster, and tools show it at every topic.
     */
    config_put(&topics->broker.dynamic_default, "min.insync.replicas", "1");
    topics_load(topics);
    if (topics_scan(topics, err) != 0) {
        topics_close(topics);
        return NULL;
    }
    return topics;
}

static void free_groups(struct topics *topics)
{
    struct group_configs_entry *entry, *next;

    HASH_ITER(hh, topics->groups, entry, next)
    {
        HASH_DEL(topics->groups, entry);
        config_clear(&entry->set);
        free(entry);
    }
}

void topics_close(struct topics *topics)
{
    if (topics == NULL)
        return;
    while (topics->sorted_count > 0) {
        struct topic *topic = topics->sorted[topics->sorted_count - 1];
        for (int32_t i = 0; i < topic->partitions; i++)
            partition_close(topic->own->open[i]);
        topics_remove(topics, topic);
    }
    free_groups(topics);
    topics_forget_trash(topics);
    config_clear(&topics->broker.fixed);
    config_clear(&topics->broker.dynamic_default);
    config_clear(&topics->broker.dynamic);
    free(topics->sorted);
    free(topics->dir);
    free(topics);
}

/* ---- partitions -------------------------------------------------------------------
 */

struct partition *topics_partition_open(const struct topic *topic, int32_t index)
{
    return index >= 0 && index < topic->partitions ? topic->own->open[index] : NULL;
}

static struct partition *open_partition(struct topics *topics, struct topic *topic,
                                        int32_t index)
{
    uint8_t *state = &topic->own->state[index];
    struct partition_config config;
    struct partition *partition;
    struct error err = {0};
    char path[TOPICS_PATH], name[TOPICS_NAME_MAX + 16];

    topics_partition_path(topics, topic->name, index, path);
    snprintf(name, sizeof(name), "%s-%d", topic->name, index);
    config_to_partition(&topic->configs, &topics->broker, &config);
    partition =
        partition_open(topics->pool, path, name, &config, topics->wall_ms, &err);
    if (partition == NULL) {
        /* It is tried again at every use, but said once. */
        if ((*state & PARTITION_BROKEN) == 0)
            log_write(LOG_ERROR, "topics", NULL, "partition %s: %s", name, err.text);
        *state |= PARTITION_BROKEN;
        return NULL;
    }
    *state = PARTITION_ON_DISK;
    topic->own->open[index] = partition;
    if (topics->opened != NULL)
        topics->opened(topics->opened_arg, topic, index, partition);
    return partition;
}

struct partition *topics_partition(struct topics *topics, struct topic *topic,
                                   int32_t index)
{
    struct partition *partition = topics_partition_open(topic, index);

    if (partition != NULL || index < 0 || index >= topic->partitions)
        return partition;
    return open_partition(topics, topic, index);
}

int64_t topics_partition_bytes(struct topics *topics, struct topic *topic,
                               int32_t index)
{
    struct partition *partition = topics_partition_open(topic, index);

    if (partition == NULL && (topic->own->state[index] & PARTITION_ON_DISK) != 0)
        partition = topics_partition(topics, topic, index);
    return partition != NULL ? log_bytes(partition_log(partition)) : 0;
}

void topics_on_delete(struct topics *topics, topics_going_fn *going,
                      topics_gone_fn *gone, void *arg)
{
    topics->going = going;
    topics->gone = gone;
    topics->gone_arg = arg;
}

void topics_on_open(struct topics *topics, topics_opened_fn *fn, void *arg)
{
    topics->opened = fn;
    topics->opened_arg = arg;
}

/* ---- configs of the broker and of groups ------------------------------------------
 */

const struct config_broker *topics_broker(const struct topics *topics)
{
    return &topics->broker;
}

void topics_fix(struct topics *topics, const char *name, const char *value)
{
    if (!is_default(name, value))
        config_put(&topics->broker.fixed, name, value);
}

struct config_set *topics_group_set(struct topics *topics, struct wire_string group)
{
    struct group_configs_entry *entry;

    HASH_FIND(hh, topics->groups, group.data, (unsigned)group.len, entry);
    if (entry == NULL) {
        entry = mem_alloc(sizeof(*entry) + (size_t)group.len + 1);
        memcpy(entry->name, group.data, (size_t)group.len);
        HASH_ADD(hh, topics->groups, name, (unsigned)group.len, entry);
    }
    return &entry->set;
}

const struct config_set *topics_group(const struct topics *topics,
                                      struct wire_string group)
{
    const struct group_configs_entry *entry = NULL;

    if (group.len > 0)
        HASH_FIND(hh, topics->groups, group.data, (unsigned)group.len, entry);
    return entry != NULL ? &entry->set : NULL;
}

void topics_each_group(const struct topics *topics, topics_group_fn *fn, void *arg)
{
    const struct group_configs_entry *entry;

    for (entry = topics->groups; entry != NULL; entry = entry->hh.next)
        if (entry->set.count > 0)
            fn(arg, entry->name, &entry->set);
}

int64_t topics_group_number(const struct topics *topics, struct wire_string group,
                            const char *name)
{
    return config_number(CONFIG_GROUP, name, topics_group(topics, group),
                         &topics->broker);
}
