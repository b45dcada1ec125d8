/* SPDX-License-Identifier: MIT
 *
 * name_table.h - find things by their name in constant time.
 * Layer: core (pure). Names and values are borrowed; memory comes from the arena.
 */
#ifndef CORE_NAME_TABLE_H
#define CORE_NAME_TABLE_H

#include "base/mem.h"

#include <stddef.h>

/* Initialise with {.arena = …}. */
struct name_table {
    struct mem_arena *arena;
    struct name_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

/* NULL when the name is not there. */
void *name_table_find(const struct name_table *table, const char *name);

/* Set name to value (not NULL), instead of what it had. */
void name_table_put(struct name_table *table, const char *name, void *value);

#endif
