/* SPDX-License-Identifier: MIT */
#include "sdk/part.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 1 << 16 };

static size_t free_id(struct parts *parts)
{
    size_t id = 0;

    while (id < parts->count && parts->list[id])
        id++;
    if (id == parts->count) {
        assert(id < MAX_PARTS);
        parts->list =
            mem_grow(parts->list, parts->count, &parts->capacity, sizeof *parts->list);
        parts->list[parts->count++] = NULL;
    }
    return id;
}

struct part *parts_add(struct parts *parts, const char *topic, int32_t partition,
                       int64_t start, const struct window_totals *before)
{
    struct part *part = mem_alloc(sizeof *part);

    *part = (struct part){.id = free_id(parts),
                          .topic = mem_strdup(topic),
                          .partition = partition,
                          .start = start,
                          .committed = -1,
                          .before = *before};
    window_init(&part->window, start, before);
    parts->list[part->id] = part;
    return part;
}

struct part *parts_find(const struct parts *parts, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < parts->count; i++) {
        struct part *part = parts->list[i];

        if (part && !part->gone && part->partition == partition && part->topic &&
            strcmp(part->topic, topic) == 0)
            return part;
    }
    return NULL;
}

static void part_free(struct parts *parts, struct part *part)
{
    parts->list[part->id] = NULL;
    window_clear(&part->window);
    free(part->topic);
    free(part);
}

static void add_counted(struct window_totals *sum, const struct part *part)
{
    const struct window_totals *now = &part->window.totals, *before = &part->before;

    sum->in += now->in - before->in;
    sum->answered += now->answered - before->answered;
    sum->dropped += now->dropped - before->dropped;
    sum->dead += now->dead - before->dead;
    sum->out += now->out - before->out;
}

void parts_drop(struct parts *parts, struct part *part)
{
    add_counted(&parts->left, part);
    part->gone = true;
    if (part->unreported == 0)
        part_free(parts, part);
}

void parts_clear(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->list[i])
            part_free(parts, parts->list[i]);
    }
    free(parts->list);
    *parts = (struct parts){0};
}

void parts_reported(struct parts *parts, uint64_t tag)
{
    struct part *part = part_of(parts, tag);

    part->unreported--;
    window_release(&part->window, part_sequence(tag));
    if (part->gone && part->unreported == 0)
        part_free(parts, part);
}

int64_t parts_unfinished(const struct parts *parts)
{
    int64_t sum = 0;

    for (size_t i = 0; i < parts->count; i++) {
        if (parts->list[i] && !parts->list[i]->gone)
            sum += parts->list[i]->window.unfinished;
    }
    return sum;
}

uint64_t parts_span(const struct parts *parts)
{
    uint64_t longest = 0;

    for (size_t i = 0; i < parts->count; i++) {
        if (parts->list[i] && window_span(&parts->list[i]->window) > longest)
            longest = window_span(&parts->list[i]->window);
    }
    return longest;
}

struct window_totals parts_totals(const struct parts *parts)
{
    struct window_totals sum = parts->left;

    for (size_t i = 0; i < parts->count; i++) {
        if (parts->list[i] && !parts->list[i]->gone)
            add_counted(&sum, parts->list[i]);
    }
    return sum;
}
