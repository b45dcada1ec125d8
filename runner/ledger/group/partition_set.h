/* SPDX-License-Identifier: MIT
 *
 * partition_set.h - a set of partitions by topic id: what a member has, gives up, or
 * shall get. Layer: ledger/group (pure). A sorted array: sets are read far more than
 * changed, and every operation is one walk through both.
 */
#ifndef LEDGER_GROUP_PARTITION_SET_H
#define LEDGER_GROUP_PARTITION_SET_H

#include "base/mem.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct partition_id {
    struct wire_uuid topic;
    int32_t partition;
};

/* Zero-initialise; partition_set_clear frees. */
struct partition_set {
    struct partition_id *items;
    size_t count;
    size_t capacity;
};

int partition_id_compare(const struct partition_id *a, const struct partition_id *b);

void partition_set_clear(struct partition_set *set);
struct partition_set partition_set_copy(const struct partition_set *set);

/* Append one; in order when it comes after all others, else call partition_set_sort. */
void partition_set_add(struct partition_set *set, const struct wire_uuid *topic,
                       int32_t partition);
void partition_set_sort(struct partition_set *set); /* and drop duplicates */

bool partition_set_has(const struct partition_set *set, const struct wire_uuid *topic,
                       int32_t partition);
bool partition_set_equal(const struct partition_set *a, const struct partition_set *b);
/* Is every element of part in whole? */
bool partition_set_within(const struct partition_set *part,
                          const struct partition_set *whole);
bool partition_set_meet(const struct partition_set *a, const struct partition_set *b);

/* New sets: a ∩ b, a − b, a ∪ b. */
struct partition_set partition_set_and(const struct partition_set *a,
                                       const struct partition_set *b);
struct partition_set partition_set_minus(const struct partition_set *a,
                                         const struct partition_set *b);
struct partition_set partition_set_or(const struct partition_set *a,
                                      const struct partition_set *b);

/* The topic's partitions begin at index; how many there are in a row. */
size_t partition_set_run(const struct partition_set *set, size_t index);
/* The numbers of these partitions, in the arena. */
int32_t *partition_set_numbers(const struct partition_set *set, size_t index,
                               size_t run, struct mem_arena *arena);

#endif
