/* SPDX-License-Identifier: MIT */
#include "ledger/api/api_names.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 4096 };

struct place {
    struct wire_string name;
    int32_t index;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int32_t len = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = len > 0 ? memcmp(a->name.data, b->name.data, (size_t)len) : 0;

    if (order == 0)
        order = (a->name.len > b->name.len) - (a->name.len < b->name.len);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

const int32_t *api_first_names(struct mem_arena *arena, const struct wire_string *names,
                               int32_t count)
{
    size_t room = count > 0 ? (size_t)count : 1;
    int32_t *result = mem_arena_alloc(arena, room * sizeof(*result));
    struct place *places = mem_arena_alloc(arena, room * sizeof(*places));

    for (int32_t i = 0; i < count; i++)
        places[i] = (struct place){names[i], i};
    if (count > 1)
        qsort(places, (size_t)count, sizeof(*places), compare_places);
    for (int32_t i = 0; i < count; i++) {
        bool again = i > 0 && wire_string_equal(places[i - 1].name, places[i].name);

        result[places[i].index] = again ? result[places[i - 1].index] : places[i].index;
    }
    return result;
}

const enum api_repeated *api_repeated_names(struct mem_arena *arena,
                                            const struct wire_string *names,
                                            int32_t count)
{
    const int32_t *first = api_first_names(arena, names, count);
    enum api_repeated *result =
        mem_arena_alloc(arena, ((size_t)count + 1) * sizeof(*result));

    for (int32_t i = 0; i < count; i++) {
        if (first[i] == i)
            continue;
        result[i] = API_AGAIN;
        result[first[i]] = API_FIRST;
    }
    return result;
}

/* A name of the client's may be in it; older versions have 32 KiB for it all. */
static size_t message_bytes(const struct text_buf *message)
{
    size_t len = message->len;

    if (len <= MESSAGE_MAX)
        return len;
    for (len = MESSAGE_MAX;
         len > 0 && ((unsigned char)message->data[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

struct wire_string api_take_message(struct mem_arena *arena, struct text_buf *message)
{
    struct wire_string text = {NULL, -1};

    if (message->len > 0) {
        text.len = (int32_t)message_bytes(message);
        text.data = mem_arena_strndup(arena, message->data, (size_t)text.len);
    }
    text_buf_clear(message);
    return text;
}
