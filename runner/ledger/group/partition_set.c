/* SPDX-License-Identifier: MIT */
#include "ledger/group/partition_set.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* What a walk through two sorted sets keeps. */
enum keep { KEEP_LEFT = 1, KEEP_RIGHT = 2, KEEP_BOTH = 4 };

int partition_id_compare(const struct partition_id *a, const struct partition_id *b)
{
    int order = memcmp(a->topic.bytes, b->topic.bytes, sizeof(a->topic.bytes));

    if (order != 0)
        return order;
    return (a->partition > b->partition) - (a->partition < b->partition);
}

static int compare_items(const void *a, const void *b)
{
    return partition_id_compare(a, b);
}

void partition_set_clear(struct partition_set *set)
{
    free(set->items);
    *set = (struct partition_set){0};
}

struct partition_set partition_set_copy(const struct partition_set *set)
{
    struct partition_set copy = {.count = set->count, .capacity = set->count};

    if (set->count == 0)
        return copy;
    copy.items = mem_alloc(set->count * sizeof(*copy.items));
    memcpy(copy.items, set->items, set->count * sizeof(*copy.items));
    return copy;
}

static void append(struct partition_set *set, const struct partition_id *item)
{
    set->items = mem_grow(set->items, set->count, &set->capacity, sizeof(*set->items));
    set->items[set->count++] = *item;
}

void partition_set_add(struct partition_set *set, const struct wire_uuid *topic,
                       int32_t partition)
{
    append(set, &(struct partition_id){*topic, partition});
}

void partition_set_sort(struct partition_set *set)
{
    size_t kept = 0;

    if (set->count == 0)
        return;
    qsort(set->items, set->count, sizeof(*set->items), compare_items);
    for (size_t i = 1; i < set->count; i++)
        if (partition_id_compare(&set->items[kept], &set->items[i]) != 0)
            set->items[++kept] = set->items[i];
    set->count = kept + 1;
}

bool partition_set_has(const struct partition_set *set, const struct wire_uuid *topic,
                       int32_t partition)
{
    struct partition_id key = {*topic, partition};

    return set->count > 0 &&
           bsearch(&key, set->items, set->count, sizeof(key), compare_items) != NULL;
}

bool partition_set_equal(const struct partition_set *a, const struct partition_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (partition_id_compare(&a->items[i], &b->items[i]) != 0)
            return false;
    return true;
}

/* Which of the two comes first: -1 a, 1 b, 0 they are equal. Not at the end of both. */
static int next_of(const struct partition_set *a, size_t i,
                   const struct partition_set *b, size_t j)
{
    if (i >= a->count)
        return 1;
    if (j >= b->count)
        return -1;
    return partition_id_compare(&a->items[i], &b->items[j]);
}

/* Walk through both and put what keep says into out, until it has limit elements. */
static void merge(const struct partition_set *a, const struct partition_set *b,
                  int keep, size_t limit, struct partition_set *out)
{
    size_t i = 0, j = 0;

    while ((i < a->count || j < b->count) && out->count < limit) {
        int order = next_of(a, i, b, j);

        if (order < 0 && keep & KEEP_LEFT)
            append(out, &a->items[i]);
        if (order > 0 && keep & KEEP_RIGHT)
            append(out, &b->items[j]);
        if (order == 0 && keep & KEEP_BOTH)
            append(out, &a->items[i]);
        i += order <= 0;
        j += order >= 0;
    }
}

static bool any(const struct partition_set *a, const struct partition_set *b, int keep)
{
    struct partition_set one = {0};
    bool found;

    merge(a, b, keep, 1, &one);
    found = one.count > 0;
    partition_set_clear(&one);
    return found;
}

bool partition_set_within(const struct partition_set *part,
                          const struct partition_set *whole)
{
    return !any(part, whole, KEEP_LEFT);
}

bool partition_set_meet(const struct partition_set *a, const struct partition_set *b)
{
    return any(a, b, KEEP_BOTH);
}

struct partition_set partition_set_and(const struct partition_set *a,
                                       const struct partition_set *b)
{
    struct partition_set out = {0};

    merge(a, b, KEEP_BOTH, SIZE_MAX, &out);
    return out;
}

struct partition_set partition_set_minus(const struct partition_set *a,
                                         const struct partition_set *b)
{
    struct partition_set out = {0};

    merge(a, b, KEEP_LEFT, SIZE_MAX, &out);
    return out;
}

struct partition_set partition_set_or(const struct partition_set *a,
                                      const struct partition_set *b)
{
    struct partition_set out = {0};

    merge(a, b, KEEP_LEFT | KEEP_RIGHT | KEEP_BOTH, SIZE_MAX, &out);
    return out;
}

size_t partition_set_run(const struct partition_set *set, size_t index)
{
    size_t end = index;

    while (end < set->count &&
           memcmp(set->items[end].topic.bytes, set->items[index].topic.bytes,
                  sizeof(set->items[end].topic.bytes)) == 0)
        end++;
    return end - index;
}

int32_t *partition_set_numbers(const struct partition_set *set, size_t index,
                               size_t run, struct mem_arena *arena)
{
    int32_t *numbers = mem_arena_alloc(arena, run * sizeof(*numbers));

    for (size_t i = 0; i < run; i++)
        numbers[i] = set->items[index + i].partition;
    return numbers;
}
