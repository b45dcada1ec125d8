/* SPDX-License-Identifier: MIT */
#include "sdk/window.h"

#include "base/contract.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void window_init(struct window *window, int64_t start, const struct window_totals *totals)
{
    *window = (struct window){
        .low = start, .next_offset = start, .totals = *totals, .capacity = FIRST_CAPACITY};
    window->slots = mem_alloc(FIRST_CAPACITY * sizeof *window->slots);
}

void window_clear(struct window *window)
{
    free(window->slots);
    *window = (struct window){0};
}

struct window_slot *window_slot(const struct window *window, uint64_t sequence)
{
    return &window->slots[sequence & (window->capacity - 1)];
}

static void grow(struct window *window)
{
    struct window grown = *window;

    grown.capacity = window->capacity * 2;
    grown.slots = mem_alloc(grown.capacity * sizeof *grown.slots);
    for (uint64_t i = window->first; i < window->next; i++)
        *window_slot(&grown, i) = *window_slot(window, i);
    free(window->slots);
    *window = grown;
}

uint64_t window_take(struct window *window, int64_t offset)
{
    if (window_span(window) == window->capacity)
        grow(window);
    *window_slot(window, window->next) =
        (struct window_slot){.offset = offset, .pending = 1};
    window->unfinished++;
    window->next_offset = offset + 1;
    return window->next++;
}

static void count(struct window_totals *totals, const struct window_slot *slot)
{
    totals->in++;
    totals->answered += slot->outcome == WINDOW_ANSWERED;
    totals->dropped += slot->outcome == WINDOW_DROPPED;
    totals->dead += slot->outcome == WINDOW_DEAD;
    totals->out += slot->out;
}

void window_release(struct window *window, uint64_t sequence)
{
    struct window_slot *slot = window_slot(window, sequence);

    assert(sequence >= window->first && sequence < window->next && slot->pending > 0);
    if (--slot->pending > 0)
        return;
    window->unfinished--;
    while (window->first < window->next) {
        slot = window_slot(window, window->first);
        if (slot->pending > 0)
            return;
        count(&window->totals, slot);
        window->low = slot->offset + 1;
        window->first++;
    }
}

void window_skip_to(struct window *window, int64_t offset)
{
    if (window->unfinished == 0 && offset > window->low)
        window->low = window->next_offset = offset;
}

size_t window_format_totals(const struct window_totals *totals, char text[WINDOW_METADATA])
{
    int len = snprintf(text, WINDOW_METADATA, CONTRACT_COUNTS, (long long)totals->in,
                       (long long)totals->answered, (long long)totals->dropped,
                       (long long)totals->dead, (long long)totals->out);

    return (size_t)len;
}
