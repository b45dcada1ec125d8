/* SPDX-License-Identifier: MIT
 *
 * offsets.h - committed offsets by group, topic and partition, and those that a
 * transaction has written and not settled. Layer: ledger/group.
 * Who may commit is not decided here: groups.h does that first.
 *
 * Everything is in the store before a call returns success: one write a commit,
 * whatever number of partitions it has. On failure nothing has changed, in the store or
 * here. All offsets are in memory; a commit that replaces one of its size allocates
 * nothing.
 */
#ifndef LEDGER_GROUP_OFFSETS_H
#define LEDGER_GROUP_OFFSETS_H

#include "base/error.h"
#include "ledger/store/store.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

enum { OFFSETS_METADATA_MAX = 4096 }; /* offset.metadata.max.bytes */

struct offsets;

struct offset {
    int64_t offset;
    int32_t leader_epoch; /* -1: unknown */
    int64_t commit_ms;    /* wall clock */
    int64_t expire_ms; /* wall clock, from OffsetCommit v2-4; -1: the retention rules */
    struct wire_string metadata; /* never null when it comes from here */
};

/*
 * Load all offsets from the store, which must outlive them.
 * Errors: NULL when the store cannot be read. Damaged entries are logged and left out.
 */
struct offsets *offsets_open(struct store *store, struct error *err);
void offsets_close(
    struct offsets *offsets); /* the store keeps everything; NULL is fine */

/* ---- queries ----------------------------------------------------------------- */

/* Borrowed until the next change of this group; NULL when nothing is committed. */
const struct offset *offsets_find(const struct offsets *offsets,
                                  struct wire_string group, struct wire_string topic,
                                  int32_t partition);
/* Does a transaction that is not settled hold an offset of the partition? */
bool offsets_unstable(const struct offsets *offsets, struct wire_string group,
                      struct wire_string topic, int32_t partition);
/* Has the group any offset, committed or pending? */
bool offsets_has_group(const struct offsets *offsets, struct wire_string group);

/* A committed offset. False ends the walk. Nothing may be changed meanwhile. */
typedef bool offsets_each_fn(void *arg, struct wire_string topic, int32_t partition,
                             const struct offset *offset);
void offsets_each(const struct offsets *offsets, struct wire_string group,
                  offsets_each_fn *fn, void *arg);

/* A group that has committed offsets or pending ones; the same rules. */
typedef bool offsets_group_fn(void *arg, struct wire_string group);
void offsets_each_group(const struct offsets *offsets, offsets_group_fn *fn, void *arg);

/* ---- commits ----------------------------------------------------------------- */

/*
 * One commit of one group: begin, set per partition, end. Everything given is borrowed
 * until end. With a producer id the offsets are pending until offsets_settle; -1:
 * plain.
 */
void offsets_begin(struct offsets *offsets, struct wire_string group,
                   int64_t producer_id);
/* KAFKA_NONE, or KAFKA_OFFSET_METADATA_TOO_LARGE: then this one is not part of it. */
enum kafka_error offsets_set(struct offsets *offsets, struct wire_string topic,
                             int32_t partition, const struct offset *offset);
/* Store what was set. -1: none of it; answer KAFKA_COORDINATOR_NOT_AVAILABLE. */
int offsets_end(struct offsets *offsets, struct error *err);

/*
 * End of a producer's transaction: its pending offsets become the committed ones,
 * except where a plain commit came later, or vanish. Twice changes nothing.
 */
int offsets_settle(struct offsets *offsets, int64_t producer_id, bool commit,
                   struct error *err);

/* ---- removal ----------------------------------------------------------------- */

/* One partition's offset, pending ones as well. */
int offsets_delete(struct offsets *offsets, struct wire_string group,
                   struct wire_string topic, int32_t partition, struct error *err);
int offsets_delete_group(struct offsets *offsets, struct wire_string group,
                         struct error *err);
/* The topic was deleted: all groups forget it. */
/*
 * The same in two steps, for who deletes more than offsets at once: drop within a batch
 * of the store, forget when that was written.
 */
int offsets_drop_topic(struct offsets *offsets, struct wire_string topic,
                       struct error *err);
void offsets_forget_topic(struct offsets *offsets, struct wire_string topic);
int offsets_delete_topic(struct offsets *offsets, struct wire_string topic,
                         struct error *err);

/*
 * At open, after a crash between the deletion of a topic and that of its offsets:
 * forget all topics for which exists() is false.
 */
typedef bool offsets_exists_fn(void *arg, struct wire_string topic);
int offsets_keep_topics(struct offsets *offsets, offsets_exists_fn *exists, void *arg,
                        struct error *err);

#endif
