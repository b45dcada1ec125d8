/* SPDX-License-Identifier: MIT */
#include "wire_values.h"

#include "ledger/wire/api.h"
#include "ledger/wire/messages_consumer.h"

#include <string.h>

uint64_t wire_values_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

size_t wire_values_below(uint64_t *state, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(wire_values_next(state) % limit);
}

static bool has(const struct wire_field *f, int16_t version)
{
    return version >= f->first && version <= f->last;
}

static bool draw_null(const struct wire_field *f, int16_t version, uint64_t *state)
{
    return f->null >= 0 && version >= f->null && wire_values_below(state, 4) == 0;
}

/* Mostly short; now and then longer than one byte of a varint can say. */
static void *random_bytes(uint64_t *state, struct mem_arena *arena, size_t *len)
{
    uint8_t *data;

    *len = wire_values_below(state, wire_values_below(state, 20) == 0 ? 300 : 12);
    data = mem_arena_alloc(arena, *len + 1);
    for (size_t i = 0; i < *len; i++)
        data[i] = (uint8_t)wire_values_next(state);
    return data;
}

static uint64_t random_number(uint64_t *state)
{
    static const uint64_t edges[] = {
        0,         1,         UINT64_MAX,          INT8_MAX,   INT16_MAX,
        INT32_MAX, INT64_MAX, (uint64_t)INT64_MIN, UINT32_MAX, 0x80};

    if (wire_values_below(state, 3) == 0)
        return edges[wire_values_below(state, sizeof edges / sizeof *edges)];
    return wire_values_next(state);
}

static void random_value(const struct wire_field *f, int16_t version, uint64_t *state,
                         struct mem_arena *arena, void *out)
{
    bool null = f->shape == WIRE_ONE && draw_null(f, version, state);
    uint64_t number = random_number(state);
    size_t len = 0;
    void *data;

    switch ((enum wire_type)f->type) {
    case WIRE_BOOLEAN:
        *(bool *)out = number % 2;
        break;
    case WIRE_UUID:
        for (size_t i = 0; i < sizeof(struct wire_uuid); i++)
            ((struct wire_uuid *)out)->bytes[i] = (uint8_t)wire_values_next(state);
        break;
    case WIRE_STRING:
        data = null ? NULL : random_bytes(state, arena, &len);
        *(struct wire_string *)out =
            (struct wire_string){data, null ? -1 : (int32_t)len};
        break;
    case WIRE_BYTES:
        data = null ? NULL : random_bytes(state, arena, &len);
        *(struct wire_bytes *)out = (struct wire_bytes){data, null ? -1 : (int32_t)len};
        break;
    case WIRE_RECORDS:
        data = null ? NULL : random_bytes(state, arena, &len);
        *(struct wire_records *)out =
            (struct wire_records){.data = data, .len = null ? -1 : (int64_t)len};
        break;
    case WIRE_STRUCT_TYPE:
        wire_values_random(f->child, version, state, arena, out);
        break;
    default: /* numbers: their low bytes */
        memcpy(out, &number, wire_member_bytes[f->type]);
    }
}

static void random_pointer(const struct wire_field *f, int16_t version, uint64_t *state,
                           struct mem_arena *arena, uint8_t *value)
{
    size_t size = f->child ? f->child->size : wire_member_bytes[f->type];
    bool null = draw_null(f, version, state);
    int32_t count = f->shape == WIRE_MAYBE ? 1 : (int32_t)wire_values_below(state, 4);
    uint8_t *array = NULL;

    if (!null)
        array = mem_arena_alloc(arena, (size_t)count * size);
    for (int32_t i = 0; !null && i < count; i++)
        random_value(f, version, state, arena, array + (size_t)i * size);
    if (null)
        count = -1;
    memcpy(value + f->offset, &array, sizeof array);
    if (f->shape == WIRE_MANY)
        memcpy(value + f->count_offset, &count, sizeof count);
}

void wire_values_random(const struct wire_message *m, int16_t version, uint64_t *state,
                        struct mem_arena *arena, void *value)
{
    wire_defaults(m, value);
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];

        if (!has(f, version) || (f->tag >= 0 && wire_values_below(state, 2) == 0))
            continue;
        if (f->shape == WIRE_ONE)
            random_value(f, version, state, arena, (uint8_t *)value + f->offset);
        else
            random_pointer(f, version, state, arena, value);
    }
}

static bool same_value(const struct wire_field *f, int16_t version, const void *a,
                       const void *b)
{
    const struct wire_string *s = a, *t = b;
    const struct wire_bytes *c = a, *d = b;
    const struct wire_records *r = a, *q = b;

    switch ((enum wire_type)f->type) {
    case WIRE_STRING:
        return wire_string_equal(*s, *t);
    case WIRE_BYTES:
        return c->len == d->len &&
               (c->len <= 0 || memcmp(c->data, d->data, (size_t)c->len) == 0);
    case WIRE_RECORDS:
        return r->len == q->len &&
               (r->len <= 0 || memcmp(r->data, q->data, (size_t)r->len) == 0);
    case WIRE_STRUCT_TYPE:
        return wire_values_same(f->child, version, a, b);
    default:
        return memcmp(a, b, wire_member_bytes[f->type]) == 0;
    }
}

static bool same_field(const struct wire_field *f, int16_t version, const uint8_t *a,
                       const uint8_t *b)
{
    size_t size = f->child ? f->child->size : wire_member_bytes[f->type];
    const uint8_t *x, *y;
    int32_t count_x = 1, count_y = 1;

    if (f->shape == WIRE_ONE)
        return same_value(f, version, a + f->offset, b + f->offset);
    memcpy(&x, a + f->offset, sizeof x);
    memcpy(&y, b + f->offset, sizeof y);
    if (f->shape == WIRE_MAYBE) {
        count_x = x ? 1 : -1;
        count_y = y ? 1 : -1;
    } else {
        memcpy(&count_x, a + f->count_offset, sizeof count_x);
        memcpy(&count_y, b + f->count_offset, sizeof count_y);
    }
    for (int32_t i = 0; count_x == count_y && i < count_x; i++)
        if (!same_value(f, version, x + (size_t)i * size, y + (size_t)i * size))
            return false;
    return count_x == count_y;
}

bool wire_values_same(const struct wire_message *m, int16_t version, const void *a,
                      const void *b)
{
    for (size_t i = 0; i < m->fields_count; i++)
        if (has(&m->fields[i], version) && !same_field(&m->fields[i], version, a, b))
            return false;
    return true;
}

bool wire_values_message(size_t i, struct wire_values_message *out)
{
    size_t seen = 0;

    for (int16_t key = 0; key < WIRE_KEYS; key++) {
        const struct wire_api *api = wire_api_find(key);

        if (api == NULL)
            continue;
        if (i / 2 == seen++) {
            *out = (struct wire_values_message){i % 2 ? api->response : api->request,
                                                api->min_version, api->max_version};
            return true;
        }
    }
    if (i >= 2 * seen + 2)
        return false;
    *out = (struct wire_values_message){i % 2 ? &consumer_protocol_assignment_message
                                              : &consumer_protocol_subscription_message,
                                        0, 3};
    return true;
}
