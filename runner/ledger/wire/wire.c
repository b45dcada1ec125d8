/* SPDX-License-Identifier: MIT */
#include "ledger/wire/wire.h"

#include "ledger/wire/table.h"

#include <stdlib.h>
#include <string.h>

const uint8_t wire_fixed_bytes[WIRE_TYPES] = {
    [WIRE_BOOLEAN] = 1, [WIRE_INT8] = 1,    [WIRE_INT16] = 2,
    [WIRE_INT32] = 4,   [WIRE_INT64] = 8,   [WIRE_UINT16] = 2,
    [WIRE_UINT32] = 4,  [WIRE_FLOAT64] = 8, [WIRE_UUID] = 16,
};

const uint8_t wire_member_bytes[WIRE_TYPES] = {
    [WIRE_BOOLEAN] = sizeof(bool),
    [WIRE_INT8] = sizeof(int8_t),
    [WIRE_INT16] = sizeof(int16_t),
    [WIRE_INT32] = sizeof(int32_t),
    [WIRE_INT64] = sizeof(int64_t),
    [WIRE_UINT16] = sizeof(uint16_t),
    [WIRE_UINT32] = sizeof(uint32_t),
    [WIRE_FLOAT64] = sizeof(double),
    [WIRE_UUID] = sizeof(struct wire_uuid),
    [WIRE_STRING] = sizeof(struct wire_string),
    [WIRE_BYTES] = sizeof(struct wire_bytes),
    [WIRE_RECORDS] = sizeof(struct wire_records),
};

void wire_defaults(const struct wire_message *m, void *value)
{
    memcpy(value, m->preset, m->size);
}

void *wire_array(struct mem_arena *arena, const struct wire_message *m, size_t count)
{
    uint8_t *array = mem_arena_alloc(arena, count * m->size);

    for (size_t i = 0; i < count; i++)
        memcpy(array + i * m->size, m->preset, m->size);
    return array;
}

void wire_out_clear(struct wire_out *out)
{
    for (size_t i = 0; i < out->slices_count; i++)
        if (out->slices[i].release != NULL)
            out->slices[i].release(out->slices[i].owner);
    free(out->slices);
    text_buf_clear(&out->bytes);
    *out = (struct wire_out){0};
}

struct wire_string wire_string_of(const char *text)
{
    return (struct wire_string){text, text ? (int32_t)strlen(text) : -1};
}

bool wire_string_is(struct wire_string string, const char *text)
{
    return wire_string_equal(string, wire_string_of(text));
}

bool wire_string_equal(struct wire_string a, struct wire_string b)
{
    return a.len == b.len && (a.len <= 0 || memcmp(a.data, b.data, (size_t)a.len) == 0);
}

bool wire_uuid_is_zero(const struct wire_uuid *uuid)
{
    static const struct wire_uuid zero;

    return memcmp(uuid, &zero, sizeof zero) == 0;
}
