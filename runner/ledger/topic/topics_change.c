/* SPDX-License-Identifier: MIT
 *
 * topics_change.c - topics are made, grown, deleted and configured; configs of the
 * broker and of groups are kept.
 */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/store/store.h"
#include "ledger/topic/topics_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { CREATE_MAX = 10000 }; /* partitions of one topic at once, as Kafka */

static enum kafka_error storage_error(const struct error *err, struct text_buf *message)
{
    log_write(LOG_ERROR, "topics", NULL, "%s", err->text);
    text_append(message, err->text);
    return KAFKA_STORAGE_ERROR;
}

/* Random, and not beginning with "-" in base64: tools take ids as arguments. */
static int make_id(struct wire_uuid *id, struct error *err)
{
    do {
        if (getrandom(id->bytes, sizeof(id->bytes), 0) != (ssize_t)sizeof(id->bytes)) {
            error_set(err, ERROR_INTERNAL, "no random bytes for a topic's id");
            return -1;
        }
        id->bytes[6] = (id->bytes[6] & 0x0f) | 0x40;
        id->bytes[8] = (id->bytes[8] & 0x3f) | 0x80;
    } while (id->bytes[0] >> 2 == 62);
    return 0;
}

static enum kafka_error check_new_name(struct topics *topics, struct wire_string name,
                                       struct text_buf *message)
{
    enum kafka_error code = topics_check_name(name, message);
    struct topic_private *other;
    char *flat;

    if (code != KAFKA_NONE)
        return code;
    if (wire_string_is(name, "__cluster_metadata")) {
        text_append(message,
                    "Creation of internal topic __cluster_metadata is prohibited.");
        return KAFKA_INVALID_REQUEST;
    }
    if (topics_find(topics, name) != NULL) {
        text_appendf(message, "Topic '%.*s' already exists.", name.len, name.data);
        return KAFKA_TOPIC_ALREADY_EXISTS;
    }
    flat = topics_flat_name(name);
    HASH_FIND(by_flat, topics->by_flat, flat, (unsigned)name.len, other);
    free(flat);
    if (other == NULL)
        return topics_check_folders(topics, name, message);
    text_appendf(message, "Topic '%.*s' collides with existing topic: %s", name.len,
                 name.data, other->topic.name);
    return KAFKA_INVALID_TOPIC_EXCEPTION;
}

/* How many partitions: as asked for, as assigned, or the default. */
static enum kafka_error check_manual(const struct topics_new *spec, int32_t *partitions,
                                     struct text_buf *message)
{
    enum kafka_error code;

    if (spec->replication_factor != -1 || spec->partitions != -1) {
        text_appendf(message,
                     "A manual partition assignment was specified, but %s was not set "
                     "to -1.",
                     spec->replication_factor != -1 ? "replication factor"
                                                    : "numPartitions");
        return KAFKA_INVALID_REQUEST;
    }
    code = topics_check_indexes(spec->replicas, spec->replicas_count, message);
    if (code == KAFKA_NONE)
        code = topics_check_replicas(spec->replicas, spec->replicas_count, message);
    *partitions = spec->replicas_count;
    return code;
}

static enum kafka_error check_counts(const struct topics *topics,
                                     const struct topics_new *spec, int32_t *partitions,
                                     struct text_buf *message)
{
    if (spec->replication_factor == 0 || spec->replication_factor < -1) {
        text_append(message,
                    "Replication factor must be larger than 0, or -1 to use the "
                    "default value.");
        return KAFKA_INVALID_REPLICATION_FACTOR;
    }
    if (spec->partitions == 0 || spec->partitions < -1) {
        text_append(message,
                    "Number of partitions was set to an invalid non-positive value.");
        return KAFKA_INVALID_PARTITIONS;
    }
    if (spec->replication_factor > 1) {
        text_appendf(
            message,
            "Unable to replicate the partition %d time(s): The target replication "
            "factor of %d cannot be reached because only 1 broker(s) are registered.",
            spec->replication_factor, spec->replication_factor);
        return KAFKA_INVALID_REPLICATION_FACTOR;
    }
    *partitions = spec->partitions > 0
                      ? spec->partitions
                      : (int32_t)config_number(CONFIG_BROKER, "num.partitions", NULL,
                                               &topics->broker);
    return KAFKA_NONE;
}

static enum kafka_error check_total(const struct topics *topics, int64_t more,
                                    struct text_buf *message)
{
    if (topics->partitions + more <= TOPICS_PARTITIONS_MAX)
        return KAFKA_NONE;
    text_appendf(
        message,
        "This broker holds at most %d partitions: it has %lld, %lld more are too many.",
        TOPICS_PARTITIONS_MAX, (long long)topics->partitions, (long long)more);
    return KAFKA_POLICY_VIOLATION;
}

static enum kafka_error check_new(struct topics *topics, const struct topics_new *spec,
                                  int32_t *partitions, struct text_buf *message)
{
    enum kafka_error code = check_new_name(topics, spec->name, message);

    if (code == KAFKA_NONE && spec->configs != NULL)
        code = config_check(CONFIG_TOPIC, spec->configs, &topics->broker, message);
    if (code == KAFKA_NONE)
        code = spec->replicas_count > 0
                   ? check_manual(spec, partitions, message)
                   : check_counts(topics, spec, partitions, message);
    if (code == KAFKA_NONE && *partitions > CREATE_MAX) {
        text_append(message, "Excessively large number of partitions per request.");
        code = KAFKA_POLICY_VIOLATION;
    }
    return code == KAFKA_NONE ? check_total(topics, *partitions, message) : code;
}

enum kafka_error topics_create(struct topics *topics, const struct topics_new *spec,
                               struct topic **out, int32_t *partitions,
                               struct text_buf *message)
{
    struct error err = {0};
    struct wire_uuid id;
    int32_t count = 0;
    enum kafka_error code = check_new(topics, spec, &count, message);
    struct topic *topic;

    *out = NULL;
    if (partitions != NULL)
        *partitions = count;
    if (code != KAFKA_NONE || spec->validate_only)
        return code;
    if (make_id(&id, &err) != 0)
        return storage_error(&err, message);
    topic = topics_add(topics, spec->name, &id, count, spec->configs);
    if (topics_save(topics, topic, &err) != 0) {
        topics_remove(topics, topic);
        return storage_error(&err, message);
    }
    *out = topic;
    return KAFKA_NONE;
}

static enum kafka_error check_growth(const struct topics *topics,
                                     const struct topic *topic,
                                     const struct topics_growth *growth,
                                     struct text_buf *message)
{
    int32_t more;

    if (growth->count == topic->partitions) {
        text_appendf(message, "Topic already has %d partition(s).", topic->partitions);
        return KAFKA_INVALID_PARTITIONS;
    }
    if (growth->count < topic->partitions) {
        text_appendf(
            message,
            "The topic %s currently has %d partition(s); %d would not be an increase.",
            topic->name, topic->partitions, growth->count);
        return KAFKA_INVALID_PARTITIONS;
    }
    more = growth->count - topic->partitions;
    if (growth->replicas_count >= 0 && growth->replicas_count != more) {
        text_appendf(
            message,
            "Attempted to add %d additional partition(s), but only %d assignment(s) "
            "were specified.",
            more, growth->replicas_count);
        return KAFKA_INVALID_REPLICA_ASSIGNMENT;
    }
    if (growth->replicas_count > 0) {
        enum kafka_error code =
            topics_check_replicas(growth->replicas, growth->replicas_count, message);
        if (code != KAFKA_NONE)
            return code;
    }
    return check_total(topics, more, message);
}

enum kafka_error topics_grow(struct topics *topics, struct topic *topic,
                             const struct topics_growth *growth,
                             struct text_buf *message)
{
    struct wire_string name = {topic->name, topic->name_len};
    enum kafka_error code = check_growth(topics, topic, growth, message);
    struct topic_private *own = topic->own;
    int32_t before = topic->partitions;
    struct error err = {0};
    size_t count = (size_t)growth->count;

    if (code == KAFKA_NONE)
        code = topics_check_folders(topics, name, message);
    if (code != KAFKA_NONE || growth->validate_only)
        return code;
    topic->partitions = growth->count;
    if (topics_save(topics, topic, &err) != 0) {
        topic->partitions = before;
        return storage_error(&err, message);
    }
    own->open = mem_resize(own->open, count * sizeof(*own->open));
    own->state = mem_resize(own->state, count);
    memset(own->open + before, 0, (count - (size_t)before) * sizeof(*own->open));
    memset(own->state + before, 0, count - (size_t)before);
    topics->partitions += growth->count - before;
    topics->version++;
    return KAFKA_NONE;
}

/* What others keep of the topic goes in the same write: a new one of its name must not
 * inherit it. */
static int save_deletion(struct topics *topics, const struct topic *topic,
                         struct error *err)
{
    store_batch_begin(topics->store);
    if ((topics->going != NULL && topics->going(topics->gone_arg, topic, err) != 0) ||
        topics_save_deletion(topics, topic, err) != 0) {
        store_batch_drop(topics->store);
        return -1;
    }
    return store_batch_end(topics->store, err);
}

enum kafka_error topics_delete(struct topics *topics, struct topic *topic,
                               struct text_buf *message)
{
    struct error err = {0};

    if (save_deletion(topics, topic, &err) != 0)
        return storage_error(&err, message);
    if (topics->gone != NULL)
        topics->gone(topics->gone_arg, topic);
    for (int32_t i = 0; i < topic->partitions; i++) {
        if (topics->upkeep.compacting == topic->own->open[i])
            topics->upkeep.compacting = NULL;
        partition_abandon(topic->own->open[i]);
    }
    if (topics_discard(topics, topic->name, &topic->id, topic->partitions))
        topics_forget_deletion(topics, &topic->id);
    topics_remove(topics, topic);
    return KAFKA_NONE;
}

static void reconfigure(struct topics *topics, struct topic *topic)
{
    struct partition_config config;

    config_to_partition(&topic->configs, &topics->broker, &config);
    for (int32_t i = 0; i < topic->partitions; i++)
        if (topic->own->open[i] != NULL)
            partition_configure(topic->own->open[i], &config);
}

enum kafka_error topics_configure(struct topics *topics, struct topic *topic,
                                  const struct config_set *set,
                                  struct text_buf *message)
{
    struct config_set before = topic->configs;
    struct error err = {0};

    topic->configs = (struct config_set){0};
    config_copy(&topic->configs, set);
    if (topics_save(topics, topic, &err) != 0) {
        config_clear(&topic->configs);
        topic->configs = before;
        return storage_error(&err, message);
    }
    config_clear(&before);
    reconfigure(topics, topic);
    return KAFKA_NONE;
}

enum kafka_error topics_configure_other(struct topics *topics,
                                        enum config_resource resource,
                                        struct wire_string name,
                                        const struct config_set *set,
                                        struct text_buf *message)
{
    struct error err = {0};
    struct config_set *place;

    if (topics_save_configs(topics, resource, name, set, &err) != 0)
        return storage_error(&err, message);
    if (resource == CONFIG_GROUP)
        place = topics_group_set(topics, name);
    else
        place =
            name.len == 0 ? &topics->broker.dynamic_default : &topics->broker.dynamic;
    config_copy(place, set);
    for (size_t i = 0; resource == CONFIG_BROKER && i < topics->sorted_count; i++)
        reconfigure(topics, topics->sorted[i]);
    return KAFKA_NONE;
}
