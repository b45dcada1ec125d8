/* SPDX-License-Identifier: MIT */
#include "core/name_table.h"

#include <stdint.h>
#include <string.h>

struct name_slot {
    const char *name; /* NULL: free */
    void *value;
    uint64_t hash;
};

/* FNV-1a: short names, no need for more. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return hash;
}

/* The slot that has the name, or the free one where it belongs. */
static struct name_slot *slot_for(const struct name_table *table, const char *name,
                                  uint64_t hash)
{
    size_t mask = table->capacity - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct name_slot *slot = &table->slots[i];

        if (slot->name == NULL ||
            (slot->hash == hash && strcmp(slot->name, name) == 0))
            return slot;
    }
}

void *name_table_find(const struct name_table *table, const char *name)
{
    if (table->count == 0)
        return NULL;
    return slot_for(table, name, hash_of(name))->value;
}

static void grow(struct name_table *table)
{
    struct name_table bigger = {
        .arena = table->arena,
        .capacity = table->capacity ? table->capacity * 2 : 16,
        .count = table->count,
    };

    bigger.slots = mem_arena_alloc(table->arena, bigger.capacity * sizeof *bigger.slots);
    for (size_t i = 0; i < table->capacity; i++) {
        const struct name_slot *old = &table->slots[i];

        if (old->name)
            *slot_for(&bigger, old->name, old->hash) = *old;
    }
    *table = bigger;
}

void name_table_put(struct name_table *table, const char *name, void *value)
{
    uint64_t hash = hash_of(name);
    struct name_slot *slot;

    if (table->count * 2 >= table->capacity)
        grow(table);
    slot = slot_for(table, name, hash);
    if (slot->name == NULL)
        table->count++;
    *slot = (struct name_slot){.name = name, .value = value, .hash = hash};
}
