/* SPDX-License-Identifier: MIT
 *
 * read.c - reading messages: every length and count is checked against the bytes that
 * are left before anything is done with it.
 */
#include "ledger/wire/api.h"
#include "ledger/wire/bytes.h"
#include "ledger/wire/table.h"

#include <string.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    struct mem_arena *arena;
    size_t arena_left;
    int16_t version;
    bool flexible;
    const struct wire_message *message; /* where we are, for the error */
    const char *field;
    struct error *err;
};

static int read_struct(struct reader *r, const struct wire_message *m, void *out);

static int fail(struct reader *r, const char *why)
{
    error_set(r->err, ERROR_INPUT, "%s version %d, field %s: %s", r->message->name,
              r->version, r->field, why);
    return -1;
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static int read_varint(struct reader *r, uint32_t *value)
{
    size_t used = bytes_get_varint(r->at, left(r), value);

    if (used == 0)
        return fail(r, "its number is cut off or longer than 32 bits");
    r->at += used;
    return 0;
}

/*
 * The length of a text (2 bytes in the old encoding), of bytes or of an array (4). Null
 * is -1; any negative number of the old encoding means it, as in Apache Kafka.
 */
static int read_length(struct reader *r, size_t old_bytes, int32_t *length)
{
    uint32_t plus_one;

    if (r->flexible) {
        if (read_varint(r, &plus_one) < 0)
            return -1;
        if (plus_one > INT32_MAX)
            return fail(r, "its length is beyond all bounds");
        *length = (int32_t)plus_one - 1;
        return 0;
    }
    if (left(r) < old_bytes)
        return fail(r, "the message ends before its length");
    *length =
        old_bytes == 2 ? (int16_t)bytes_get16(r->at) : (int32_t)bytes_get32(r->at);
    r->at += old_bytes;
    if (*length < 0)
        *length = -1;
    return 0;
}

static bool may_be_null(const struct reader *r, const struct wire_field *f)
{
    return f->null >= 0 && r->version >= f->null;
}

/* A length, and the bytes that it promises are there; r->at is at the first of them. */
static int read_sized(struct reader *r, bool nullable, size_t old_bytes,
                      int32_t *length)
{
    if (read_length(r, old_bytes, length) < 0)
        return -1;
    if (*length < 0)
        return nullable ? 0 : fail(r, "it may not be null");
    if ((uint32_t)*length > left(r))
        return fail(r, "the message ends before it does");
    return 0;
}

static int read_string(struct reader *r, bool nullable, struct wire_string *out)
{
    if (read_sized(r, nullable, 2, &out->len) < 0)
        return -1;
    if (out->len > INT16_MAX)
        return fail(r, "a text longer than 32,767 bytes");
    out->data = out->len < 0 ? NULL : (const char *)r->at;
    r->at += out->len < 0 ? 0 : out->len;
    return 0;
}

static int read_bytes(struct reader *r, bool nullable, struct wire_bytes *out)
{
    if (read_sized(r, nullable, 4, &out->len) < 0)
        return -1;
    out->data = out->len < 0 ? NULL : r->at;
    r->at += out->len < 0 ? 0 : out->len;
    return 0;
}

static int read_records(struct reader *r, bool nullable, struct wire_records *out)
{
    struct wire_bytes bytes;

    if (read_bytes(r, nullable, &bytes) < 0)
        return -1;
    *out = (struct wire_records){.data = bytes.data, .len = bytes.len, .fd = -1};
    return 0;
}

/* A value of fixed size; inline, since most fields are numbers. */
static inline int read_fixed(struct reader *r, const struct wire_field *f, void *out)
{
    size_t size = wire_fixed_bytes[f->type];
    uint64_t eight;

    if (left(r) < size)
        return fail(r, "the message ends before it does");
    switch (size) {
    case 1:
        *(uint8_t *)out = f->type == WIRE_BOOLEAN ? *r->at != 0 : *r->at;
        break;
    case 2:
        *(uint16_t *)out = bytes_get16(r->at);
        break;
    case 4:
        *(uint32_t *)out = bytes_get32(r->at);
        break;
    case 8:
        eight = bytes_get64(r->at);
        memcpy(out, &eight, sizeof eight);
        break;
    default:
        memcpy(out, r->at, sizeof(struct wire_uuid));
    }
    r->at += size;
    return 0;
}

/*
 * One value of the field's type; out is the member, or an element of its array (which
 * is never null, even where the array may be).
 */
static int read_value(struct reader *r, const struct wire_field *f, bool nullable,
                      void *out)
{
    if (f->type == WIRE_STRING)
        return read_string(r, nullable, out);
    if (f->type == WIRE_BYTES)
        return read_bytes(r, nullable, out);
    if (f->type == WIRE_RECORDS)
        return read_records(r, nullable, out);
    if (f->type == WIRE_STRUCT_TYPE)
        return read_struct(r, f->child, out);
    return read_fixed(r, f, out);
}

static void *take_memory(struct reader *r, size_t size)
{
    if (size > r->arena_left) {
        (void)fail(r, "the message would need too much memory");
        return NULL;
    }
    r->arena_left -= size;
    return mem_arena_alloc(r->arena, size);
}

/* The fewest bytes that one value of the field's type takes on the wire. */
static size_t least_value(const struct reader *r, const struct wire_field *f);

static size_t least_struct(const struct reader *r, const struct wire_message *m)
{
    size_t sum = r->flexible ? 1 : 0;

    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];

        if (r->version < f->first || r->version > f->last || f->tag >= 0)
            continue;
        if (f->shape == WIRE_ONE)
            sum += least_value(r, f);
        else
            sum += f->shape == WIRE_MAYBE || r->flexible ? 1 : 4;
    }
    return sum;
}

static size_t least_value(const struct reader *r, const struct wire_field *f)
{
    if (f->type == WIRE_STRUCT_TYPE)
        return least_struct(r, f->child);
    if (wire_fixed_bytes[f->type] > 0)
        return wire_fixed_bytes[f->type];
    if (r->flexible)
        return 1;
    return f->type == WIRE_STRING ? 2 : 4;
}

static int read_array(struct reader *r, const struct wire_field *f, void **array,
                      int32_t *count)
{
    size_t size = f->child ? f->child->size : wire_member_bytes[f->type];
    size_t least = least_value(r, f);
    uint8_t *element;

    *array = NULL;
    if (read_length(r, 4, count) < 0)
        return -1;
    if (*count < 0)
        return may_be_null(r, f) ? 0 : fail(r, "it may not be null");
    if ((uint32_t)*count > left(r) / (least ? least : 1))
        return fail(r, "it has more elements than the message has bytes for");
    if (*count == 0)
        return 0;
    *array = element = take_memory(r, (size_t)*count * size);
    if (element == NULL)
        return -1;
    for (int32_t i = 0; i < *count; i++, element += size)
        if (read_value(r, f, false, element) < 0)
            return -1;
    return 0;
}

/* A struct that may be null: one byte, negative for null, and the struct. */
static int read_maybe(struct reader *r, const struct wire_field *f, void **out)
{
    if (left(r) < 1)
        return fail(r, "the message ends before it does");
    *out = NULL;
    if ((int8_t)*r->at++ < 0)
        return may_be_null(r, f) ? 0 : fail(r, "it may not be null");
    *out = take_memory(r, f->child->size);
    return *out ? read_struct(r, f->child, *out) : -1;
}

static int read_field(struct reader *r, const struct wire_field *f, uint8_t *out)
{
    void *pointer;
    int result;

    if (f->shape == WIRE_ONE)
        return read_value(r, f, may_be_null(r, f), out + f->offset);
    result =
        f->shape == WIRE_MAYBE
            ? read_maybe(r, f, &pointer)
            : read_array(r, f, &pointer, (int32_t *)(void *)(out + f->count_offset));
    memcpy(out + f->offset, &pointer, sizeof pointer);
    return result;
}

static const struct wire_field *find_tag(const struct reader *r,
                                         const struct wire_message *m, uint32_t tag)
{
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];

        if (f->tag >= 0 && (uint32_t)f->tag == tag && r->version >= f->first &&
            r->version <= f->last)
            return f;
    }
    return NULL;
}

static int read_tag(struct reader *r, const struct wire_message *m, uint8_t *out)
{
    const uint8_t *message_end = r->end;
    const struct wire_field *f;
    uint32_t tag;
    uint32_t size;

    if (read_varint(r, &tag) < 0 || read_varint(r, &size) < 0)
        return -1;
    if (size > left(r))
        return fail(r, "the message ends before it does");
    f = find_tag(r, m, tag);
    if (f == NULL) {
        r->at += size;
        return 0;
    }
    r->end = r->at + size;
    r->field = f->name;
    if (read_field(r, f, out) < 0)
        return -1;
    if (r->at != r->end)
        return fail(r, "it is shorter than its size says");
    r->end = message_end;
    return 0;
}

static int read_tags(struct reader *r, const struct wire_message *m, uint8_t *out)
{
    uint32_t count;

    r->message = m;
    r->field = "(tagged fields)";
    if (read_varint(r, &count) < 0)
        return -1;
    for (; count > 0; count--) {
        r->message = m;
        r->field = "(tagged field)";
        if (read_tag(r, m, out) < 0)
            return -1;
    }
    return 0;
}

static int read_struct(struct reader *r, const struct wire_message *m, void *out)
{
    memcpy(out, m->preset, m->size);
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];

        if (r->version < f->first || r->version > f->last || f->tag >= 0)
            continue;
        r->message = m;
        r->field = f->name;
        if (f->shape == WIRE_ONE && wire_fixed_bytes[f->type] > 0
                ? read_fixed(r, f, (uint8_t *)out + f->offset) < 0
                : read_field(r, f, out) < 0)
            return -1;
    }
    return r->flexible ? read_tags(r, m, out) : 0;
}

int wire_read_some(const struct wire_message *m, int16_t version, const uint8_t *data,
                   size_t len, struct mem_arena *arena, void *out, size_t *used,
                   struct error *err)
{
    struct reader r = {
        .at = data,
        .end = data + len,
        .arena = arena,
        .arena_left = WIRE_ARENA_MAX,
        .version = version,
        .flexible = version >= m->flexible,
        .message = m,
        .field = "",
        .err = err,
    };
    int result = read_struct(&r, m, out);

    *used = (size_t)(r.at - data);
    return result;
}

int wire_read(const struct wire_message *m, int16_t version, const uint8_t *data,
              size_t len, struct mem_arena *arena, void *out, struct error *err)
{
    size_t used;

    return wire_read_some(m, version, data, len, arena, out, &used, err);
}

/*
 * key, version, correlation, client id; from the first flexible version on tagged
 * fields as well. The client id stays in the old encoding in all of them.
 */
int wire_header_read(const uint8_t *data, size_t len, struct wire_header *out,
                     struct error *err)
{
    static const struct wire_message header = {.name = "request_header"};
    struct reader r = {.at = data, .end = data + len, .message = &header, .err = err};
    const struct wire_api *api;

    r.field = "(all)";
    if (len < 8)
        return fail(&r, "the message ends before it does");
    out->key = (int16_t)bytes_get16(data);
    out->version = (int16_t)bytes_get16(data + 2);
    out->correlation = (int32_t)bytes_get32(data + 4);
    r.at += 8;
    r.field = "client_id";
    if (read_string(&r, true, &out->client_id) < 0)
        return -1;
    api = wire_api_find(out->key);
    if (api != NULL && wire_api_flexible(api, out->version) &&
        read_tags(&r, &header, NULL) < 0)
        return -1;
    out->len = (size_t)(r.at - data);
    return 0;
}
