/* SPDX-License-Identifier: MIT
 *
 * topics.h - the catalogue: which topics exist, their ids, partitions and configs; the
 * configs of the broker and of groups; and the upkeep of all partitions.
 * Layer: ledger/topic.
 *
 * The store is the truth: a topic exists from the write of its entry on. Folders
 * follow: a partition's folder is made and opened when it is first used, so that 10,000
 * partitions cost nothing at start. Deleting removes the entry, renames the folders to
 * "….delete" and removes them piece by piece in topics_tick. A folder that no entry
 * knows is renamed to "….stray" at open and left alone.
 */
#ifndef LEDGER_TOPICS_H
#define LEDGER_TOPICS_H

#include "base/error.h"
#include "base/text.h"
#include "ledger/log/partition.h"
#include "ledger/store/store.h"
#include "ledger/topic/config.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TOPICS_NAME_MAX = 249,
    TOPICS_PARTITIONS_MAX = 100000, /* of all topics; POLICY_VIOLATION beyond */
};

struct topics;

struct topic {
    const char *name;
    int32_t name_len;
    struct wire_uuid id;
    int32_t partitions;
    bool internal;             /* __consumer_offsets and __transaction_state */
    struct config_set configs; /* what was set for this topic */
    struct topic_private *own;
};

struct topics_settings {
    const char *dir;       /* data folder; the partitions' folders are in it; copied */
    struct log_pool *pool; /* outlives the catalogue */
    int64_t wall_ms;       /* until the first topics_tick */
    /* Static configs of the broker (num.partitions, log.dirs, listeners …); copied. */
    const struct config_set *fixed;
};

/*
 * Load the catalogue from the store. Owns nothing of the store, which must outlive it.
 * Errors: NULL when the folder or the store cannot be read.
 */
struct topics *topics_open(const struct topics_settings *settings, struct store *store,
                           struct error *err);
/* Close all partitions cleanly (partition_close). NULL is fine. */
void topics_close(struct topics *topics);

/* NULL when there is none. */
struct topic *topics_find(struct topics *topics, struct wire_string name);
struct topic *topics_find_id(struct topics *topics, const struct wire_uuid *id);
int32_t topics_count(const struct topics *topics);
int64_t topics_partitions(const struct topics *topics); /* of all topics */
/* Changes whenever a topic is created, grown or deleted. */
uint64_t topics_version(const struct topics *topics);
/* The topic at this place in the order of names, 0 … topics_count - 1. */
struct topic *topics_at(struct topics *topics, int32_t index);
/* Place of the first topic whose name is not below name. */
int32_t topics_lower_bound(struct topics *topics, struct wire_string name);

/*
 * A partition, opened if it is not: NULL when index is not one of the topic's, or when
 * it cannot be opened (logged; answer KAFKA_STORAGE_ERROR). Valid until the topic is
 * deleted.
 */
struct partition *topics_partition(struct topics *topics, struct topic *topic,
                                   int32_t index);
/* The same, but NULL when nobody has opened it yet: then nothing waits in it either. */
struct partition *topics_partition_open(const struct topic *topic, int32_t index);
/* Bytes of a partition's log; what was never written to has none and stays closed. */
int64_t topics_partition_bytes(struct topics *topics, struct topic *topic,
                               int32_t index);

/* Is this a legal name? Else INVALID_TOPIC_EXCEPTION and Kafka's text. */
enum kafka_error topics_check_name(struct wire_string name, struct text_buf *message);

/* Which brokers a client wants for a partition: only {1} is possible. */
struct topics_replicas {
    int32_t index; /* of the partition; not looked at when growing */
    const int32_t *brokers;
    int32_t count;
};

struct topics_new {
    struct wire_string name;
    int32_t partitions;         /* -1: the default, num.partitions */
    int16_t replication_factor; /* -1: the default, which is 1 */
    const struct topics_replicas *replicas;
    int32_t replicas_count;     /* 0: the broker chooses */
    struct config_set *configs; /* brought into Kafka's form; NULL: none */
    bool validate_only;
};

/*
 * Every change is in the store when the call returns; who promises more to a client
 * syncs the store before the answer. Make a topic. Returns KAFKA_NONE and *out (NULL
 * when only validated), or the code, with Kafka's text in message. *partitions (may be
 * NULL) is how many it has or would have.
 */
enum kafka_error topics_create(struct topics *topics, const struct topics_new *spec,
                               struct topic **out, int32_t *partitions,
                               struct text_buf *message);

struct topics_growth {
    int32_t count; /* the new total */
    const struct topics_replicas *replicas;
    int32_t replicas_count; /* -1: the broker chooses */
    bool validate_only;
};
enum kafka_error topics_grow(struct topics *topics, struct topic *topic,
                             const struct topics_growth *growth,
                             struct text_buf *message);
/* The topic is gone when it returns KAFKA_NONE; pointers to it and its partitions
 * dangle. */
enum kafka_error topics_delete(struct topics *topics, struct topic *topic,
                               struct text_buf *message);
/* Replace a topic's configs by this set, which was checked. The partitions obey at
 * once. */
enum kafka_error topics_configure(struct topics *topics, struct topic *topic,
                                  const struct config_set *set,
                                  struct text_buf *message);
/*
 * A topic is to be deleted. going: a batch of the store is open, what else is to go
 * with it is deleted in there; -1 and err: nothing goes. gone: that is written, the
 * topic is still there for the last time. Neither is called when it is NULL.
 */
typedef int topics_going_fn(void *arg, const struct topic *topic, struct error *err);
typedef void topics_gone_fn(void *arg, const struct topic *topic);
void topics_on_delete(struct topics *topics, topics_going_fn *going,
                      topics_gone_fn *gone, void *arg);

/* Told when a partition was opened: whoever waits for data listens to it
 * (partition_listen). */
typedef void topics_opened_fn(void *arg, struct topic *topic, int32_t index,
                              struct partition *partition);
void topics_on_open(struct topics *topics, topics_opened_fn *fn, void *arg);

/* Configs of the broker ("" or "1") and of groups. */
const struct config_broker *topics_broker(const struct topics *topics);
/* One more static config of the broker, known only after the open: where it listens. */
void topics_fix(struct topics *topics, const char *name, const char *value);
const struct config_set *topics_group(const struct topics *topics,
                                      struct wire_string group);
typedef void topics_group_fn(void *arg, const char *group,
                             const struct config_set *set);
void topics_each_group(const struct topics *topics, topics_group_fn *fn, void *arg);
/* The value in force of a group config, e.g. "consumer.session.timeout.ms". */
int64_t topics_group_number(const struct topics *topics, struct wire_string group,
                            const char *name);
/* Replace the set of a broker or group resource, which was checked. */
enum kafka_error topics_configure_other(struct topics *topics,
                                        enum config_resource resource,
                                        struct wire_string name,
                                        const struct config_set *set,
                                        struct text_buf *message);

/*
 * Do a slice of the upkeep: retention, roll by time, compaction, expiry of producers,
 * removal of deleted folders. Takes some ms at most. Returns when to call again
 * (now_ms's clock).
 */
int64_t topics_tick(struct topics *topics, int64_t now_ms, int64_t wall_ms);

#endif
