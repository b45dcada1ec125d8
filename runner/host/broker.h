/* SPDX-License-Identifier: MIT
 *
 * broker.h - ask a Kafka broker to create, describe, count and delete things.
 * Layer: host. Asynchronous only: a request returns at once, its answer is a callback
 * out of broker_dispatch(). Knows topics, groups and offsets, no dag. One thread.
 *
 *     loop_add(loop, broker_fd(b), EPOLLIN, on_broker, b, err); … broker_dispatch(b)
 *     broker_create_topics(b, topics, count, 10000, on_created, run);
 *
 * Every request is answered by exactly one call of its done function, never from
 * within the request itself: with a result, with BROKER_TIMED_OUT after timeout_ms at
 * the latest (a broker that is away), or with BROKER_CLOSED out of broker_close(). A
 * reply and all that it points to live until done returns. Inputs are copied before a
 * request returns. done may make requests; it may not close the broker.
 *
 * Requests about offsets and groups are asked again, within their time, while the
 * cluster elects a leader or moves a coordinator: that is no error here. Those about a
 * group wait until some broker answers.
 */
#ifndef HOST_BROKER_H
#define HOST_BROKER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker;

struct broker_config {
    const char *brokers;           /* host:port,… */
    const char *const *properties; /* librdkafka: name, value, …, NULL; or NULL */
    const char *client_id;         /* NULL: "dagrun" */
};

/* Codes of the Kafka protocol (positive) and of librdkafka (negative) that callers ask
 * for; others turn up too, with their text. */
enum broker_code {
    BROKER_OK = 0,
    BROKER_OFFSET_OUT_OF_RANGE = 1,
    BROKER_UNKNOWN_TOPIC = 3,   /* topic or partition */
    BROKER_UNKNOWN_MEMBER = 25, /* group_offsets of a live group were to be altered */
    BROKER_NOT_AUTHORIZED_TOPIC = 29,
    BROKER_TOPIC_EXISTS = 36,
    BROKER_INVALID_PARTITIONS = 37, /* create_partitions: not more than there are */
    BROKER_INVALID_REPLICATION = 38,
    BROKER_INVALID_CONFIG = 40,
    BROKER_GROUP_NOT_EMPTY = 68,
    BROKER_GROUP_NOT_FOUND = 69,
    BROKER_NO_LEADER = -156, /* list_offsets, of the reply: no topic, or not yet */
    BROKER_TIMED_OUT = -185,
    BROKER_ALL_DOWN = -187,
    BROKER_TRANSPORT = -195,
    BROKER_CLOSED = -197,
};

/* One process in a consumer group. */
struct broker_member {
    const char *client_id;
    const char *host;     /* as the broker sees it: "/127.0.0.1" */
    const char *instance; /* group.instance.id; NULL: none */
    const char *id;       /* the broker's name for it */
    const char *topic;    /* of one of its partitions; NULL: it has none, or not yet */
};

/* One thing that a request was about; which members are set stands at each verb. */
struct broker_item {
    const char *name;  /* topic or group */
    int error_code;    /* enum broker_code; 0: fine */
    const char *error; /* its text for people; NULL: fine */
    int32_t partition;
    int64_t offset;       /* -1: none */
    int64_t timestamp_ms; /* -1: none */
    const char *metadata; /* of a committed offset; NULL: none */
    const char *topic_id; /* text; NULL: a broker that has none */
    int partitions;
    int replication; /* of partition 0 */
    int leaderless;  /* partitions that have no leader (yet) */
    const char *key; /* a config entry */
    const char *value;
    bool is_default;
    const char *state; /* group: "Empty", "Stable", "Dead", … */
    const struct broker_member *members;
    size_t member_count;
};

struct broker_reply {
    int error_code;         /* enum broker_code: the request as a whole */
    const char *error;      /* NULL: fine */
    const struct broker_item *items;
    size_t count;
};

typedef void broker_done_fn(void *arg, const struct broker_reply *reply);

/*
 * Connects in the background: a broker that is away is no error here. A property that
 * librdkafka does not know or a value that it refuses: NULL, ERROR_INPUT, named in err.
 */
struct broker *broker_open(const struct broker_config *config, struct error *err);
/* Answers what is outstanding with BROKER_CLOSED; takes milliseconds, with no broker
 * too. */
void broker_close(struct broker *broker);

/* Readable when broker_dispatch has something to do. */
int broker_fd(const struct broker *broker);
/* False until the first answer, after "all brokers down", and after a request that
 * nobody answered; true with each answer. With nothing else to ask, ping. */
bool broker_is_up(const struct broker *broker);
/* Why the broker is not reachable, in librdkafka's words; NULL: never failed. */
const char *broker_last_error(const struct broker *broker);
size_t broker_outstanding(const struct broker *broker);
const char *broker_library_version(void);
/* Text of a code ("Broker: Topic already exists"). */
const char *broker_code_text(int code);

/* Call the done functions of what was answered; log what librdkafka has to say. */
void broker_dispatch(struct broker *broker);

/* Is a broker there? The reply's items say nothing. */
void broker_ping(struct broker *broker, int timeout_ms, broker_done_fn *done,
                 void *arg);

/* Items: name, topic_id, partitions, replication, leaderless; error
 * BROKER_UNKNOWN_TOPIC when it is not there. In the order asked. */
void broker_describe_topics(struct broker *broker, const char *const *names,
                            size_t count, int timeout_ms, broker_done_fn *done,
                            void *arg);

struct broker_topic {
    const char *name;
    int partitions;            /* -1: the broker's default */
    int replication;           /* -1: the broker's default */
    const char *const *config; /* name, value, …, NULL; or NULL */
};
/* Items: name; error BROKER_TOPIC_EXISTS when it is there already. That the leaders are
 * known everywhere is not promised: describe until leaderless is 0. */
void broker_create_topics(struct broker *broker, const struct broker_topic *topics,
                          size_t count, int timeout_ms, broker_done_fn *done,
                          void *arg);
/* Grow to topics[i].partitions. Items: name. */
void broker_create_partitions(struct broker *broker, const struct broker_topic *topics,
                              size_t count, int timeout_ms, broker_done_fn *done,
                              void *arg);
/* Items: name. */
void broker_delete_topics(struct broker *broker, const char *const *names, size_t count,
                          int timeout_ms, broker_done_fn *done, void *arg);

/* Items: one per entry: name, key, value, is_default; a topic in error has one item. */
void broker_describe_topic_configs(struct broker *broker, const char *const *names,
                                   size_t count, int timeout_ms, broker_done_fn *done,
                                   void *arg);
/* Set topics[i].config, leaving other entries as they are. Items: name. */
void broker_alter_topic_configs(struct broker *broker,
                                const struct broker_topic *topics, size_t count,
                                int timeout_ms, broker_done_fn *done, void *arg);

/* A position in a partition. */
struct broker_position {
    const char *topic;
    int32_t partition;
    int64_t offset;       /* what it means stands at each verb */
    const char *metadata; /* alter_group_offsets; NULL: none */
};
enum broker_offset { BROKER_EARLIEST = -2, BROKER_LATEST = -1 };
/* Each position's offset says what to look up: BROKER_EARLIEST, BROKER_LATEST, or a
 * time (wall clock ms): the first record not older, -1 when there is none.
 * read_committed: LATEST is the last stable offset (open transactions hide what follows
 * it). A partition that several positions name, as edges that share a topic do, is
 * asked and told once: they must look up the same. Items: name, partition, offset,
 * timestamp_ms. */
void broker_list_offsets(struct broker *broker, const struct broker_position *positions,
                         size_t count, bool read_committed, int timeout_ms,
                         broker_done_fn *done, void *arg);

/* What a group has committed. count 0: everything that it has; else the partitions
 * asked for, offset -1 where it has none. A group that does not exist has nothing
 * committed. Items: name, partition, offset, metadata. */
void broker_group_offsets(struct broker *broker, const char *group,
                          const struct broker_position *positions, size_t count,
                          int timeout_ms, broker_done_fn *done, void *arg);
/* Commit for a group that has no members (it need not exist), with metadata. Into a
 * live group: error BROKER_UNKNOWN_MEMBER. Items: name, partition. */
void broker_alter_group_offsets(struct broker *broker, const char *group,
                                const struct broker_position *positions, size_t count,
                                int timeout_ms, broker_done_fn *done, void *arg);

/* Items: name, state, members; a group that does not exist is "Dead" or an error
 * BROKER_GROUP_NOT_FOUND, as the broker's version has it. */
void broker_describe_groups(struct broker *broker, const char *const *names,
                            size_t count, int timeout_ms, broker_done_fn *done,
                            void *arg);
/* Items: name, state of every group whose name begins with prefix. */
void broker_list_groups(struct broker *broker, const char *prefix, int timeout_ms,
                        broker_done_fn *done, void *arg);
/* Items: name; error BROKER_GROUP_NOT_EMPTY while it has members. */
void broker_delete_groups(struct broker *broker, const char *const *names, size_t count,
                          int timeout_ms, broker_done_fn *done, void *arg);

/* Free what lies below each position's offset (-1: everything). Items: name, partition,
 * offset: the new beginning. */
void broker_delete_records(struct broker *broker,
                           const struct broker_position *positions, size_t count,
                           int timeout_ms, broker_done_fn *done, void *arg);

#endif
