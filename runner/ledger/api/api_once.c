/* SPDX-License-Identifier: MIT */
#include "ledger/api/api_once.h"

#include "ledger/api/api_names.h"

#include <stdlib.h>

static int compare_numbers(int32_t a, int32_t b)
{
    return (a > b) - (a < b);
}

/* In the order of the request, topic by topic. */
static int by_place(const void *left, const void *right)
{
    const struct api_once *a = left, *b = right;
    int order = compare_numbers(a->topic, b->topic);

    if (order == 0)
        order = compare_numbers(a->t, b->t);
    return order != 0 ? order : compare_numbers(a->p, b->p);
}

static int by_partition(const void *left, const void *right)
{
    const struct api_once *a = left, *b = right;
    int order = compare_numbers(a->topic, b->topic);

    if (order == 0)
        order = compare_numbers(a->partition, b->partition);
    return order != 0 ? order : by_place(left, right);
}

int32_t api_once_topic(const struct api_once *places, int32_t count)
{
    int32_t same = 1;

    while (same < count && places[same].topic == places[0].topic)
        same++;
    return same;
}

int32_t api_once(struct mem_arena *arena, const struct wire_string *names,
                 int32_t names_count, struct api_once *places, int32_t count)
{
    const int32_t *first = api_first_names(arena, names, names_count);
    int32_t kept = 0;

    for (int32_t i = 0; i < count; i++)
        places[i].topic = first[places[i].t];
    qsort(places, (size_t)count, sizeof(*places), by_partition);
    for (int32_t i = 0; i < count; i++) {
        bool again = kept > 0 && places[kept - 1].topic == places[i].topic &&
                     places[kept - 1].partition == places[i].partition;

        if (again)
            kept--;
        places[i].twice = again;
        places[kept++] = places[i];
    }
    qsort(places, (size_t)kept, sizeof(*places), by_place);
    return kept;
}
