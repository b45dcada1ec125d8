/* SPDX-License-Identifier: MIT
 *
 * config.h - every config of topics, groups and the broker: names, types, defaults,
 * rules. Layer: ledger/topic (pure). Names, ranges, synonyms and error texts are Apache
 * Kafka 4.2's.
 *
 * A config_set holds what somebody has set: values as text, as given. What is in force
 * for a topic is its own set, else the broker's dynamic configs (set by clients, kept
 * in the store), else its static ones (settings file), else the default.
 */
#ifndef LEDGER_TOPIC_CONFIG_H
#define LEDGER_TOPIC_CONFIG_H

#include "base/text.h"
#include "ledger/log/partition.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

/* The numbers are those of the protocol. */
enum config_resource {
    CONFIG_TOPIC = 2,
    CONFIG_BROKER = 4,
    CONFIG_BROKER_LOGGER = 8,
    CONFIG_CLIENT_METRICS = 16,
    CONFIG_GROUP = 32,
};

enum config_source {
    CONFIG_SOURCE_TOPIC = 1,
    CONFIG_SOURCE_DYNAMIC_BROKER = 2,
    CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER = 3,
    CONFIG_SOURCE_STATIC_BROKER = 4,
    CONFIG_SOURCE_DEFAULT = 5,
    CONFIG_SOURCE_GROUP = 8,
};

enum config_type {
    CONFIG_BOOLEAN = 1,
    CONFIG_STRING = 2,
    CONFIG_INT = 3,
    CONFIG_SHORT = 4,
    CONFIG_LONG = 5,
    CONFIG_DOUBLE = 6,
    CONFIG_LIST = 7,
    CONFIG_CLASS = 8,
    CONFIG_PASSWORD = 9,
};

enum config_operation {
    CONFIG_SET = 0,
    CONFIG_DELETE = 1,
    CONFIG_APPEND = 2,
    CONFIG_SUBTRACT = 3,
};

enum { CONFIG_SYNONYMS = 3 };

/* A broker key that stands in for a key that is not set. */
struct config_synonym {
    const char *name;
    int64_t times; /* its unit in that of the key; 0: the same */
};

struct config_key {
    const char *name;
    enum config_type type;
    const char *fallback; /* Kafka's default as text, NULL: none */
    bool has_min, has_max;
    double min, max;
    const char
        *valid;   /* "a, b, c": the only values (of a list: its elements), NULL: any */
    bool dynamic; /* broker keys: a client may set it while the broker runs */
    bool custom;  /* has a rule of its own (config_check.c) besides the above */
    struct config_synonym
        synonyms[CONFIG_SYNONYMS]; /* first the one of the same unit */
    const char *about; /* one sentence, shown as documentation; NULL: none */
};

/* Sorted by name; NULL-terminated texts, owned. */
struct config_entry {
    char *name;
    char *value;
};

struct config_set {
    struct config_entry *entries;
    size_t count;
    size_t capacity;
};

/* What is set for the broker as a whole. */
struct config_broker {
    struct config_set fixed; /* settings file and flags: STATIC_BROKER_CONFIG */
    struct config_set dynamic_default; /* resource name "" */
    struct config_set dynamic;         /* resource name "1" */
};

/* One synonym of a value, or the value in force itself. value may be NULL. */
struct config_value {
    const char *name;
    const char *value;
    enum config_source source;
};

enum { CONFIG_VALUES_MAX = 12 };

/* The table, sorted by name. */
const struct config_key *config_keys(enum config_resource resource, size_t *count);
const struct config_key *config_find(enum config_resource resource, const char *name);

const char *config_get(const struct config_set *set,
                       const char *name); /* NULL: not set */
void config_put(struct config_set *set, const char *name, const char *value);
void config_remove(struct config_set *set, const char *name);
void config_copy(struct config_set *to,
                 const struct config_set *from); /* to is replaced */
void config_clear(struct config_set *set);

/* Names and values, each with a NUL, as they are kept in the store; read adds to the
 * set. */
void config_write(const struct config_set *set, struct text_buf *out);
bool config_read(struct config_set *set, const char *text, size_t len);

/*
 * Is every value of the set allowed for this resource? If so they are brought into
 * Kafka's form ("TRUE " → "true"). If not: INVALID_CONFIG (INVALID_REQUEST for the
 * broker's, as Kafka) and Kafka's text in message.
 */
enum kafka_error config_check(enum config_resource resource, struct config_set *set,
                              const struct config_broker *broker,
                              struct text_buf *message);

/*
 * Do one operation of IncrementalAlterConfigs on the set (value NULL is allowed for
 * DELETE only). APPEND and SUBTRACT work on what is in force.
 */
enum kafka_error config_alter(enum config_resource resource, struct config_set *set,
                              const struct config_broker *broker, const char *name,
                              enum config_operation operation, const char *value,
                              struct text_buf *message);

/*
 * What DescribeConfigs lists as synonyms: all that was set for a key, directly or
 * through its synonyms, what is in force first. Kafka leaves out what only a coarser
 * synonym says unless a finer one is set too, so the list may be empty; the source is
 * DEFAULT then. Returns how many; values are borrowed from the sets and the table.
 */
int config_values(enum config_resource resource, const struct config_key *key,
                  const struct config_set *set, const struct config_broker *broker,
                  struct config_value values[CONFIG_VALUES_MAX]);

/*
 * The value in force, for keys of the tables: as a number, as text (NULL when there is
 * none). A coarser synonym counts in the key's own unit; its text is in buffer then.
 */
enum { CONFIG_NUMBER = 32 };
int64_t config_number(enum config_resource resource, const char *name,
                      const struct config_set *set, const struct config_broker *broker);
const char *config_text(enum config_resource resource, const char *name,
                        const struct config_set *set,
                        const struct config_broker *broker, char buffer[CONFIG_NUMBER]);

/* What the partitions of a topic obey. */
void config_to_partition(const struct config_set *topic,
                         const struct config_broker *broker,
                         struct partition_config *out);

#endif
