/* SPDX-License-Identifier: MIT */
#include "ledger/api/api_once.h"

#include <stdlib.h>
#include <string.h>

static int compare_numbers(int32_t a, int32_t b)
{
    return (a > b) - (a < b);
}

static int compare_topics(const struct api_once *a, const struct api_once *b)
{
    int32_t len = a->topic.len < b->topic.len ? a->topic.len : b->topic.len;
    int order = len > 0 ? memcmp(a->topic.data, b->topic.data, (size_t)len) : 0;

    return order != 0 ? order : compare_numbers(a->topic.len, b->topic.len);
}

static int by_partition(const void *left, const void *right)
{
    const struct api_once *a = left, *b = right;
    int order = compare_topics(a, b);

    if (order == 0)
        order = compare_numbers(a->partition, b->partition);
    return order != 0 ? order : compare_numbers(a->at, b->at);
}

/* By now at is the same for a topic's places, and t and p are the request's order. */
static int by_place(const void *left, const void *right)
{
    const struct api_once *a = left, *b = right;
    int order = compare_numbers(a->at, b->at);

    if (order == 0)
        order = compare_numbers(a->t, b->t);
    return order != 0 ? order : compare_numbers(a->p, b->p);
}

/* All of a topic's places get the first one's. */
static void find_first(struct api_once *places, int32_t count)
{
    int32_t first = places[0].at;

    for (int32_t i = 1; i < count; i++)
        if (places[i].at < first)
            first = places[i].at;
    for (int32_t i = 0; i < count; i++)
        places[i].at = first;
}

int32_t api_once_topic(const struct api_once *places, int32_t count)
{
    int32_t same = 1;

    while (same < count && compare_topics(&places[0], &places[same]) == 0)
        same++;
    return same;
}

int32_t api_once(struct api_once *places, int32_t count)
{
    int32_t kept = 0;

    if (count == 0)
        return 0;
    for (int32_t i = 0; i < count; i++)
        places[i].at = i;
    qsort(places, (size_t)count, sizeof(*places), by_partition);
    for (int32_t i = 0, same; i < count; i += same) {
        same = api_once_topic(&places[i], count - i);
        find_first(&places[i], same);
    }
    for (int32_t i = 0; i < count; i++) {
        bool again = kept > 0 && compare_topics(&places[kept - 1], &places[i]) == 0 &&
                     places[kept - 1].partition == places[i].partition;

        if (again)
            kept--;
        places[i].twice = again;
        places[kept++] = places[i];
    }
    qsort(places, (size_t)kept, sizeof(*places), by_place);
    return kept;
}
