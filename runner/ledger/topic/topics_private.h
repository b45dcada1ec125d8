/* SPDX-License-Identifier: MIT
 *
 * topics_private.h - the catalogue's inside, for topics*.c. Layer: ledger/topic.
 */
#ifndef LEDGER_TOPICS_PRIVATE_H
#define LEDGER_TOPICS_PRIVATE_H

#include "ledger/topic/topics.h"

#include <uthash.h>

enum { TOPICS_PATH = 4096 };

enum {
    PARTITION_ON_DISK = 1, /* has a folder */
    PARTITION_BROKEN = 2,  /* could not be opened, which was logged */
};

struct topic_private {
    struct topic topic; /* what others see; its own points here */
    char *flat;         /* the name with '.' as '_': two such names collide */
    struct partition **open;
    uint8_t *state; /* PARTITION_… of each partition */
    UT_hash_handle by_name, by_id, by_flat;
};

struct group_configs_entry {
    struct config_set set;
    UT_hash_handle hh;
    char name[];
};

/* Folders "….delete" that are still there. */
struct trash {
    char **paths;
    size_t count;
    size_t capacity;
};

/* Folders that could not be renamed, and what they are to be called. */
struct blocked_folder {
    char *from, *to;
};

struct blocked_folders {
    struct blocked_folder *list;
    size_t count, capacity;
};

/* Where the upkeep stands. A pass visits all partitions once. */
struct upkeep {
    bool running;     /* a pass is under way */
    bool with_closed; /* it opens what is on disk and closed */
    bool with_expiry; /* producers expire in it */
    int32_t topic;    /* next to visit */
    int32_t partition;
    int64_t next_pass; /* now_ms of these */
    int64_t next_closed;
    int64_t next_expiry;
    struct partition *compacting;
};

struct topics {
    char *dir;
    struct log_pool *pool;
    struct store *store;
    int64_t wall_ms;
    struct config_broker broker;
    struct group_configs_entry *groups;
    struct topic_private *by_name, *by_id, *by_flat;
    struct topic **sorted;
    size_t sorted_count, sorted_capacity;
    int64_t partitions;
    uint64_t version;
    struct trash trash;
    struct blocked_folders blocked;
    struct upkeep upkeep;
    topics_going_fn *going;
    topics_gone_fn *gone;
    void *gone_arg;
    topics_opened_fn *opened;
    void *opened_arg;
};

/* topics.c */
/* The name with '.' as '_'; the caller frees it. */
char *topics_flat_name(struct wire_string name);
/* Take a topic out of the tables and free it; its partitions are closed. */
void topics_remove(struct topics *topics, struct topic *topic);

/* topics_store.c: entries in the store */
int topics_save(struct topics *topics, const struct topic *topic, struct error *err);
/* The topic is gone, its folders are still there. One write. */
int topics_save_deletion(struct topics *topics, const struct topic *topic,
                         struct error *err);
/* Its folders are gone as well. */
void topics_forget_deletion(struct topics *topics, const struct wire_uuid *id);
int topics_save_configs(struct topics *topics, enum config_resource resource,
                        struct wire_string name, const struct config_set *set,
                        struct error *err);
/* Read everything; topics_add is called for each topic. */
void topics_load(struct topics *topics);
struct topic *topics_add(struct topics *topics, struct wire_string name,
                         const struct wire_uuid *id, int32_t partitions,
                         const struct config_set *configs);
struct config_set *topics_group_set(struct topics *topics, struct wire_string group);

/* topics_disk.c: folders */
void topics_partition_path(const struct topics *topics, const char *name, int32_t index,
                           char path[TOPICS_PATH]);
/* Rename a topic's folders to "….delete" and remember them for removal. False: some
 * could not be renamed; their name is blocked, and the note in the store must stay. */
bool topics_discard(struct topics *topics, const char *name, const struct wire_uuid *id,
                    int32_t partitions);
/* Try once more to move away what could not be moved. */
void topics_retry_blocked(struct topics *topics);
/* May a topic of this name have new folders? Else one of a deleted topic would become
 * its own. */
enum kafka_error topics_check_folders(struct topics *topics, struct wire_string name,
                                      struct text_buf *message);
/* See what is in the data folder: which partitions have one, what is to be removed. */
int topics_scan(struct topics *topics, struct error *err);
/* Remove one folder; false when there is none left. */
bool topics_remove_one(struct topics *topics);
void topics_forget_trash(struct topics *topics); /* frees, removes nothing */

/* topic_rules.c */
enum kafka_error topics_check_replicas(const struct topics_replicas *replicas,
                                       int32_t count, struct text_buf *message);
enum kafka_error topics_check_indexes(const struct topics_replicas *replicas,
                                      int32_t count, struct text_buf *message);

#endif
