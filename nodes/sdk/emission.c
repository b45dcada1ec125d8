/* SPDX-License-Identifier: MIT */
#include "sdk/emission.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_BYTES = 1 << 20 }; /* an arena that grew beyond it is given back */

struct emission emission_complete(const struct dagnode_record *in,
                                  const struct dagnode_output *out, int64_t now_ms)
{
    struct emission e = {.value = out->value,
                         .value_len = out->value_len,
                         .key = out->key,
                         .key_len = out->key_len,
                         .timestamp_ms = out->timestamp_ms,
                         .position = out->position};

    if (in && !out->replace_key) {
        e.key = in->key;
        e.key_len = in->key_len;
    }
    if (e.timestamp_ms == 0)
        e.timestamp_ms = in ? in->timestamp_ms : now_ms;
    return e;
}

static bool lies_in(const void *p, const char *start, size_t len)
{
    uintptr_t at = (uintptr_t)p, from = (uintptr_t)start;

    return start && at >= from && at < from + len;
}

static bool is_borrowed(const struct dagnode_record *in, const void *p)
{
    return p == NULL || p == in->value || p == in->key ||
           lies_in(p, in->value, in->value_len) || lies_in(p, in->key, in->key_len);
}

/* Move the arena: what points into it has to follow. */
static void grow(struct emissions *emissions, size_t len)
{
    size_t room = emissions->room ? emissions->room : 4096;
    char *bytes;

    while (room < emissions->used + len)
        room *= 2;
    bytes = mem_alloc(room);
    if (emissions->used)
        memcpy(bytes, emissions->bytes, emissions->used);
    for (size_t i = 0; i < emissions->count; i++) {
        struct emission *e = &emissions->list[i];

        if (lies_in(e->value, emissions->bytes, emissions->room))
            e->value = bytes + ((const char *)e->value - emissions->bytes);
        if (lies_in(e->key, emissions->bytes, emissions->room))
            e->key = bytes + ((const char *)e->key - emissions->bytes);
    }
    free(emissions->bytes);
    emissions->bytes = bytes;
    emissions->room = room;
}

static const void *keep(struct emissions *emissions, const void *data, size_t len)
{
    char *copy;

    if (emissions->used + len >= emissions->room)
        grow(emissions, len + 1);
    copy = emissions->bytes + emissions->used;
    if (len)
        memcpy(copy, data, len);
    emissions->used += len;
    return copy;
}

void emissions_add(struct emissions *emissions, const struct dagnode_record *in,
                   const struct dagnode_output *out)
{
    struct emission e = emission_complete(in, out, 0);
    bool copy_value = !is_borrowed(in, e.value), copy_key = !is_borrowed(in, e.key);

    /* Grow once and before anything points into the arena for this output. */
    size_t need = (copy_value ? e.value_len : 0) + (copy_key ? e.key_len : 0) + 1;

    if ((copy_value || copy_key) && emissions->used + need >= emissions->room)
        grow(emissions, need);
    if (copy_value)
        e.value = keep(emissions, e.value, e.value_len);
    if (copy_key)
        e.key = keep(emissions, e.key, e.key_len);
    emissions->list = mem_grow(emissions->list, emissions->count, &emissions->capacity,
                               sizeof *emissions->list);
    emissions->list[emissions->count++] = e;
}

void emissions_reset(struct emissions *emissions)
{
    emissions->count = 0;
    emissions->used = 0;
    if (emissions->room > KEEP_BYTES) {
        free(emissions->bytes);
        emissions->bytes = NULL;
        emissions->room = 0;
    }
}

void emissions_clear(struct emissions *emissions)
{
    free(emissions->list);
    free(emissions->bytes);
    *emissions = (struct emissions){0};
}
