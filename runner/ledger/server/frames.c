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

static int class_of(uint32_t size)
{
    int class = 16; /* 64 KiB */

    while (((uint64_t)1 << class) < size)
        class++;
    return class;
}

static size_t class_bytes(int class)
{
    return (size_t)1 << class;
}

static void unmap_list(struct frames *frames, int class, struct frames_kept *kept)
{
    while (kept) {
        struct frames_kept *next = kept->next;

        (void)munmap(kept, class_bytes(class));
        frames->kept_bytes -= (int64_t)class_bytes(class);
        kept = next;
    }
}

void frames_clear(struct frames *frames)
{
    for (int class = 0; class < FRAMES_CLASSES; class++) {
        unmap_list(frames, class, frames->kept[class]);
        frames->kept[class] = NULL;
    }
}

static uint8_t *map(int class)
{
    void *pages = mmap(NULL, class_bytes(class), PROT_READ | PROT_WRITE,
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
    int class;

    if (size < FRAMES_LARGE)
        return mem_resize(NULL, size);
    class = class_of(size);
    kept = frames->kept[class];
    if (kept == NULL)
        return map(class);
    frames->kept[class] = kept->next;
    frames->kept_bytes -= (int64_t)class_bytes(class);
    return (uint8_t *)kept;
}

void frames_give(struct frames *frames, uint8_t *frame, uint32_t size, uint32_t got,
                 int64_t now_ms)
{
    struct frames_kept *kept = (struct frames_kept *)(void *)frame;
    int class;

    if (frame == NULL)
        return;
    frames->held_bytes -= got;
    if (size < FRAMES_LARGE) {
        free(frame);
        return;
    }
    class = class_of(size);
    if (frames->kept_bytes + (int64_t)class_bytes(class) > FRAMES_KEPT_BYTES) {
        (void)munmap(frame, class_bytes(class));
        return;
    }
    *kept = (struct frames_kept){.next = frames->kept[class], .used_ms = now_ms};
    frames->kept[class] = kept;
    frames->kept_bytes += (int64_t)class_bytes(class);
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
    for (int class = 0; class < FRAMES_CLASSES; class++) {
        struct frames_kept **at = &frames->kept[class];
        struct frames_kept *old;

        while (*at && now_ms - (*at)->used_ms < FRAMES_KEPT_MS)
            at = &(*at)->next;
        old = *at;
        *at = NULL;
        unmap_list(frames, class, old);
    }
}
