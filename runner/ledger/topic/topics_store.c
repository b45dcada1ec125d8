/* SPDX-License-Identifier: MIT
 *
 * topics_store.c - the catalogue's entries in the store. Keys:
 *
 *   tt<name>   a topic: version 1, id, number of partitions, configs
 *
 *   td<id>     a deleted one that may have folders: number of partitions, name
 *
 *   tb, tb1    configs of the broker: the default's, this node's
 *
 *   tg<group>  configs of a group
 */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/topic/topics_private.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, TOPIC_HEAD = 1 + 16 + 4 };

static void put32(struct text_buf *out, int32_t value)
{
    uint8_t bytes[4];

    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)((uint32_t)value >> (8 * i));
    text_append_bytes(out, bytes, sizeof(bytes));
}

static int32_t get32(const uint8_t *at)
{
    return (int32_t)((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                     (uint32_t)at[3] << 24);
}

static void make_key(struct text_buf *key, const char *prefix, const void *rest,
                     size_t len)
{
    text_append(key, prefix);
    text_append_bytes(key, rest, len);
}

int topics_save(struct topics *topics, const struct topic *topic, struct error *err)
{
    struct text_buf key = {0}, value = {0};
    int result;

    make_key(&key, "tt", topic->name, (size_t)topic->name_len);
    text_append_bytes(&value, &(uint8_t){VERSION}, 1);
    text_append_bytes(&value, topic->id.bytes, sizeof(topic->id.bytes));
    put32(&value, topic->partitions);
    config_write(&topic->configs, &value);
    result = store_put(topics->store, key.data, key.len, value.data, value.len, err);
    text_buf_clear(&value);
    text_buf_clear(&key);
    return result;
}

int topics_save_deletion(struct topics *topics, const struct topic *topic,
                         struct error *err)
{
    struct text_buf name = {0}, id = {0}, value = {0};
    int result;

    make_key(&name, "tt", topic->name, (size_t)topic->name_len);
    make_key(&id, "td", topic->id.bytes, sizeof(topic->id.bytes));
    put32(&value, topic->partitions);
    text_append(&value, topic->name);
    store_batch_begin(topics->store);
    store_delete(topics->store, name.data, name.len, err);
    store_put(topics->store, id.data, id.len, value.data, value.len, err);
    result = store_batch_end(topics->store, err);
    text_buf_clear(&value);
    text_buf_clear(&id);
    text_buf_clear(&name);
    return result;
}

/* If this fails the folders are looked for once more at the next open. */
void topics_forget_deletion(struct topics *topics, const struct wire_uuid *id)
{
    struct text_buf key = {0};
    struct error err = {0};

    make_key(&key, "td", id->bytes, sizeof(id->bytes));
    if (store_delete(topics->store, key.data, key.len, &err) != 0)
        log_write(LOG_WARN, "topics", NULL, "%s", err.text);
    text_buf_clear(&key);
}

int topics_save_configs(struct topics *topics, enum config_resource resource,
                        struct wire_string name, const struct config_set *set,
                        struct error *err)
{
    struct text_buf key = {0}, value = {0};
    int result;

    make_key(&key, resource == CONFIG_GROUP ? "tg" : "tb", name.data, (size_t)name.len);
    config_write(set, &value);
    if (resource == CONFIG_GROUP && set->count == 0)
        result = store_delete(topics->store, key.data, key.len, err);
    else
        result = store_put(topics->store, key.data, key.len, text_str(&value),
                           value.len, err);
    text_buf_clear(&value);
    text_buf_clear(&key);
    return result;
}

static bool load_topic(void *arg, const void *key, size_t key_len, const void *value,
                       size_t value_len)
{
    struct wire_string name = {(const char *)key + 2, (int32_t)key_len - 2};
    const uint8_t *bytes = value;
    struct config_set configs = {0};
    struct wire_uuid id;

    if (value_len < TOPIC_HEAD || bytes[0] != VERSION || get32(bytes + 17) <= 0 ||
        !config_read(&configs, (const char *)bytes + TOPIC_HEAD,
                     value_len - TOPIC_HEAD)) {
        log_write(
            LOG_ERROR, "topics", NULL,
            "the entry of topic %.*s is of no version that is known here: left out",
            name.len, name.data);
    } else {
        memcpy(id.bytes, bytes + 1, sizeof(id.bytes));
        topics_add(arg, name, &id, get32(bytes + 17), &configs);
    }
    config_clear(&configs);
    return true;
}

static bool load_broker(void *arg, const void *key, size_t key_len, const void *value,
                        size_t value_len)
{
    struct topics *topics = arg;
    struct config_set *set =
        key_len == 2 ? &topics->broker.dynamic_default : &topics->broker.dynamic;

    (void)key;
    config_clear(set);
    config_read(set, value, value_len);
    return true;
}

static bool load_group(void *arg, const void *key, size_t key_len, const void *value,
                       size_t value_len)
{
    struct wire_string name = {(const char *)key + 2, (int32_t)key_len - 2};

    config_read(topics_group_set(arg, name), value, value_len);
    return true;
}

/* Deletions that a crash has interrupted. */
struct deletions {
    struct {
        struct wire_uuid id;
        int32_t partitions;
        char *name;
    } * list;
    size_t count, capacity;
};

static bool collect_deletion(void *arg, const void *key, size_t key_len,
                             const void *value, size_t value_len)
{
    struct deletions *to = arg;

    if (key_len != 2 + 16 || value_len < 4)
        return true;
    to->list = mem_grow(to->list, to->count, &to->capacity, sizeof(*to->list));
    memcpy(to->list[to->count].id.bytes, (const char *)key + 2, 16);
    to->list[to->count].partitions = get32(value);
    to->list[to->count].name = mem_strndup((const char *)value + 4, value_len - 4);
    to->count++;
    return true;
}

/*
 * A topic of the same name can only be there when the folders were renamed already and
 * just the entry could not be removed (topics_check_folders): then the folders are the
 * new topic's.
 */
static void finish_deletions(struct topics *topics)
{
    struct deletions found = {0};

    store_each(topics->store, "td", 2, collect_deletion, &found);
    for (size_t i = 0; i < found.count; i++) {
        if (topics_find(topics, wire_string_of(found.list[i].name)) != NULL ||
            topics_discard(topics, found.list[i].name, &found.list[i].id,
                           found.list[i].partitions))
            topics_forget_deletion(topics, &found.list[i].id);
        free(found.list[i].name);
    }
    free(found.list);
}

void topics_load(struct topics *topics)
{
    store_each(topics->store, "tt", 2, load_topic, topics);
    finish_deletions(topics);
    store_each(topics->store, "tb", 2, load_broker, topics);
    store_each(topics->store, "tg", 2, load_group, topics);
}
