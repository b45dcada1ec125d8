/* SPDX-License-Identifier: MIT */
#include "ledger/server/frames.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Lies at the start of an unused frame; the most recently used is first. */
struct frames_kept {
    struct frames_kept *next;
    int64_t used_ms;
};

void frames_init(struct frames *frames, int64_t budget_bytes)
{
    *frames = (struct frames){.budget_bytes = budget_bytes};
}

static int order_of(uint32_t size)
{
    int order = 16; /* 64 KiB */

    while (((uint64_t)1 << order) < size)
        order++;
    return order;
}

static size_t order_bytes(int order)
{
    return (size_t)1 << order;
}

static void unmap_list(struct frames *frames, int order, struct frames_kept *kept)
{
    while (kept) {
        struct frames_kept *next = kept->next;

        (void)munmap(kept, order_bytes(order));
        frames->kept_bytes -= (int64_t)order_bytes(order);
        kept = next;
    }
}

void frames_clear(struct frames *frames)
{
    for (int order = 0; order < FRAMES_ORDERS; order++) {
        unmap_list(frames, order, frames->kept[order]);
        frames->kept[order] = NULL;
    }
}

static uint8_t *map(int order)
{
    void *pages = mmap(NULL, order_bytes(order), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED) {
        (void)fputs("dagrun: out of memory\n", stderr);
        abort();
    }
    return pages;
}

uint8_t *frames_take(struct frames *frames, uint32_t size)
{
    struct frames_kept *kept;
    int order;

    if (size < FRAMES_LARGE)
        return mem_resize(NULL, size);
    order = order_of(size);
    kept = frames->kept[order];
    if (kept == NULL)
        return map(order);
    frames->kept[order] = kept->next;
    frames->kept_bytes -= (int64_t)order_bytes(order);
    return (uint8_t *)kept;
}

void frames_give(struct frames *frames, uint8_t *frame, uint32_t size, uint32_t got,
                 int64_t now_ms)
{
    struct frames_kept *kept = (struct frames_kept *)(void *)frame;
    int order;

    if (frame == NULL)
        return;
    frames->held_bytes -= got;
    if (size < FRAMES_LARGE) {
        free(frame);
        return;
    }
    order = order_of(size);
    if (frames->kept_bytes + (int64_t)order_bytes(order) > FRAMES_KEPT_BYTES) {
        (void)munmap(frame, order_bytes(order));
        return;
    }
    *kept = (struct frames_kept){.next = frames->kept[order], .used_ms = now_ms};
    frames->kept[order] = kept;
    frames->kept_bytes += (int64_t)order_bytes(order);
}

void frames_count(struct frames *frames, uint32_t bytes)
{
    frames->held_bytes += bytes;
}

bool frames_full(const struct frames *frames)
{
    return frames->held_bytes >= frames->budget_bytes;
}

void frames_trim(struct frames *frames, int64_t now_ms)
{
    for (int order = 0; order < FRAMES_ORDERS; order++) {
        struct frames_kept **at = &frames->kept[order];
        struct frames_kept *old;

        while (*at && now_ms - (*at)->used_ms < FRAMES_KEPT_MS)
            at = &(*at)->next;
        old = *at;
        *at = NULL;
        unmap_list(frames, order, old);
    }
}
