/* SPDX-License-Identifier: MIT */
#include "ledger/topic/config.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where name stands in the set, or would. */
static size_t place(const struct config_set *set, const char *name, bool *found)
{
    size_t low = 0, high = set->count;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(set->entries[middle].name, name);
        if (order == 0)
            *found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *config_get(const struct config_set *set, const char *name)
{
    bool found;
    size_t at = place(set, name, &found);

    return found ? set->entries[at].value : NULL;
}

void config_put(struct config_set *set, const char *name, const char *value)
{
    bool found;
    size_t at = place(set, name, &found);
    char *copy = mem_strdup(value);

    if (found) {
        free(set->entries[at].value);
        set->entries[at].value = copy;
        return;
    }
    set->entries =
        mem_grow(set->entries, set->count, &set->capacity, sizeof(*set->entries));
    memmove(set->entries + at + 1, set->entries + at,
            (set->count - at) * sizeof(*set->entries));
    set->entries[at] = (struct config_entry){mem_strdup(name), copy};
    set->count++;
}

void config_remove(struct config_set *set, const char *name)
{
    bool found;
    size_t at = place(set, name, &found);

    if (!found)
        return;
    free(set->entries[at].name);
    free(set->entries[at].value);
    set->count--;
    memmove(set->entries + at, set->entries + at + 1,
            (set->count - at) * sizeof(*set->entries));
}

void config_copy(struct config_set *to, const struct config_set *from)
{
    config_clear(to);
    for (size_t i = 0; i < from->count; i++)
        config_put(to, from->entries[i].name, from->entries[i].value);
}

void config_clear(struct config_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->entries[i].name);
        free(set->entries[i].value);
    }
    free(set->entries);
    *set = (struct config_set){0};
}

void config_write(const struct config_set *set, struct text_buf *out)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct config_entry *entry = &set->entries[i];
        text_append_bytes(out, entry->name, strlen(entry->name) + 1);
        text_append_bytes(out, entry->value, strlen(entry->value) + 1);
    }
}

bool config_read(struct config_set *set, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *name = text;
        const char *value = memchr(name, '\0', (size_t)(end - name));
        const char *last;
        if (value == NULL)
            return false;
        value++;
        last = memchr(value, '\0', (size_t)(end - value));
        if (last == NULL)
            return false;
        config_put(set, name, value);
        text = last + 1;
    }
    return true;
}

/* What is in force for a key of the broker. */
static const char *broker_text(const struct config_broker *broker, const char *name)
{
    const struct config_set *const sets[] = {&broker->dynamic, &broker->dynamic_default,
                                             &broker->fixed};
    const struct config_key *key = config_find(CONFIG_BROKER, name);

    for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
        const char *value = config_get(sets[i], name);
        if (value != NULL)
            return value;
    }
    return key != NULL ? key->fallback : NULL;
}

static int64_t to_number(const char *text)
{
    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

/* A value in a coarser unit, in the key's own; what is negative has no limit. */
static const char *times_text(const char *text, int64_t times,
                              char buffer[CONFIG_NUMBER])
{
    int64_t value;

    if (__builtin_mul_overflow(to_number(text), times, &value))
        value = INT64_MAX;
    snprintf(buffer, CONFIG_NUMBER, "%lld", value < 0 ? -1LL : (long long)value);
    return buffer;
}

const char *config_text(enum config_resource resource, const char *name,
                        const struct config_set *set,
                        const struct config_broker *broker, char buffer[CONFIG_NUMBER])
{
    const struct config_key *key = config_find(resource, name);
    const char *value = set != NULL ? config_get(set, name) : NULL;

    if (value != NULL || key == NULL)
        return value;
    if (resource == CONFIG_BROKER)
        return broker_text(broker, name);
    for (int i = 0; i < CONFIG_SYNONYMS && key->synonyms[i].name != NULL; i++) {
        const struct config_synonym *synonym = &key->synonyms[i];
        value = broker_text(broker, synonym->name);
        if (value != NULL)
            return synonym->times == 0 ? value
                                       : times_text(value, synonym->times, buffer);
    }
    return key->fallback;
}

int64_t config_number(enum config_resource resource, const char *name,
                      const struct config_set *set, const struct config_broker *broker)
{
    char buffer[CONFIG_NUMBER];

    return to_number(config_text(resource, name, set, broker, buffer));
}

struct value_list {
    struct config_value *values;
    int count;
};

static void add_value(struct value_list *list, const char *name, const char *value,
                      enum config_source source)
{
    if (value != NULL && list->count < CONFIG_VALUES_MAX)
        list->values[list->count++] = (struct config_value){name, value, source};
}

static const char *fallback_of(const char *broker_name)
{
    const struct config_key *key = config_find(CONFIG_BROKER, broker_name);

    return key != NULL ? key->fallback : NULL;
}

/* What the broker says about a key through these synonyms, finer sources first. */
static void add_broker_values(struct value_list *list,
                              const struct config_synonym *synonyms,
                              const struct config_broker *broker)
{
    const struct {
        const struct config_set *set;
        enum config_source source;
    } sources[] = {{&broker->dynamic, CONFIG_SOURCE_DYNAMIC_BROKER},
                   {&broker->dynamic_default, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER},
                   {&broker->fixed, CONFIG_SOURCE_STATIC_BROKER},
                   {NULL, CONFIG_SOURCE_DEFAULT}};

    for (size_t s = 0; s < sizeof(sources) / sizeof(*sources); s++)
        for (int i = 0; i < CONFIG_SYNONYMS && synonyms[i].name != NULL; i++)
            add_value(list, synonyms[i].name,
                      sources[s].set != NULL
                          ? config_get(sources[s].set, synonyms[i].name)
                          : fallback_of(synonyms[i].name),
                      sources[s].source);
}

/* Kafka begins the list at the first entry that has the finest synonym's name. */
static void drop_coarser(struct value_list *list, int from, const char *name)
{
    int first = from;

    while (first < list->count && strcmp(list->values[first].name, name) != 0)
        first++;
    memmove(list->values + from, list->values + first,
            (size_t)(list->count - first) * sizeof(*list->values));
    list->count -= first - from;
}

int config_values(enum config_resource resource, const struct config_key *key,
                  const struct config_set *set, const struct config_broker *broker,
                  struct config_value values[CONFIG_VALUES_MAX])
{
    struct value_list list = {values, 0};
    struct config_synonym itself[CONFIG_SYNONYMS] = {{key->name, 0}};
    const struct config_synonym *synonyms = key->synonyms;
    int own;

    if (resource == CONFIG_BROKER && synonyms[0].name == NULL)
        synonyms = itself;
    if (resource != CONFIG_BROKER && set != NULL)
        add_value(&list, key->name, config_get(set, key->name),
                  resource == CONFIG_GROUP ? CONFIG_SOURCE_GROUP : CONFIG_SOURCE_TOPIC);
    if (resource == CONFIG_GROUP && list.count == 0) {
        const char *value = synonyms[0].name != NULL
                                ? broker_text(broker, synonyms[0].name)
                                : key->fallback;
        add_value(&list, key->name, value, CONFIG_SOURCE_DEFAULT);
    }
    if (resource == CONFIG_GROUP)
        return list.count;
    own = list.count;
    add_broker_values(&list, synonyms, broker);
    if (synonyms[0].name != NULL)
        drop_coarser(&list, own, synonyms[0].name);
    return list.count;
}

struct source {
    const struct config_set *set;
    const struct config_broker *broker;
};

static int64_t number(const struct source *from, const char *name)
{
    return config_number(CONFIG_TOPIC, name, from->set, from->broker);
}

static const char *text(const struct source *from, const char *name)
{
    char buffer[CONFIG_NUMBER]; /* only coarser units of numbers need it */

    return config_text(CONFIG_TOPIC, name, from->set, from->broker, buffer);
}

static bool is_true(const struct source *from, const char *name)
{
    return strcmp(text(from, name), "true") == 0;
}

static void to_log(const struct source *from, struct log_config *out)
{
    const char *policy = text(from, "cleanup.policy");

    out->segment_bytes = number(from, "segment.bytes");
    out->segment_ms = number(from, "segment.ms");
    out->segment_jitter_ms = number(from, "segment.jitter.ms");
    out->index_interval_bytes = number(from, "index.interval.bytes");
    out->index_bytes = number(from, "segment.index.bytes");
    out->max_message_bytes = number(from, "max.message.bytes");
    out->flush_messages = number(from, "flush.messages");
    out->flush_ms = number(from, "flush.ms");
    out->file_delete_delay_ms = number(from, "file.delete.delay.ms");
    out->delete_policy = strstr(policy, "delete") != NULL;
    out->compact_policy = strstr(policy, "compact") != NULL;
    out->retention_ms = number(from, "retention.ms");
    out->retention_bytes = number(from, "retention.bytes");
    out->min_cleanable_dirty_ratio =
        strtod(text(from, "min.cleanable.dirty.ratio"), NULL);
    out->delete_retention_ms = number(from, "delete.retention.ms");
    out->min_compaction_lag_ms = number(from, "min.compaction.lag.ms");
    out->max_compaction_lag_ms = number(from, "max.compaction.lag.ms");
    out->preallocate = is_true(from, "preallocate");
}

/* By their numbers in a batch. */
static const char *const CODECS[] = {"uncompressed", "gzip", "snappy", "lz4", "zstd"};

static const struct {
    enum batch_codec codec;
    const char *key;
} LEVELS[] = {
    {BATCH_GZIP, "compression.gzip.level"},
    {BATCH_LZ4, "compression.lz4.level"},
    {BATCH_ZSTD, "compression.zstd.level"},
};

void config_to_partition(const struct config_set *topic,
                         const struct config_broker *broker,
                         struct partition_config *out)
{
    const struct source from = {topic, broker};
    const char *codec = text(&from, "compression.type");

    *out = (struct partition_config){.compression = -1};
    to_log(&from, &out->log);
    out->log_append_time =
        strcmp(text(&from, "message.timestamp.type"), "LogAppendTime") == 0;
    out->timestamp_before_max_ms = number(&from, "message.timestamp.before.max.ms");
    out->timestamp_after_max_ms = number(&from, "message.timestamp.after.max.ms");
    for (int i = 0; i < (int)(sizeof(CODECS) / sizeof(*CODECS)); i++)
        if (strcmp(codec, CODECS[i]) == 0)
            out->compression = i;
    for (size_t i = 0; i < sizeof(LEVELS) / sizeof(*LEVELS); i++)
        if (out->compression == (int)LEVELS[i].codec)
            out->level = (int)number(&from, LEVELS[i].key);
}
