/* SPDX-License-Identifier: MIT
 *
 * write.c - writing messages, the same tables read the other way round.
 */
#include "ledger/wire/api.h"
#include "ledger/wire/bytes.h"
#include "ledger/wire/table.h"

#include <assert.h>
#include <string.h>

struct writer {
    struct wire_out *out;
    int16_t version;
    bool flexible;
};

static void write_struct(struct writer *w, const struct wire_message *m,
                         const void *value);
static bool is_preset(const struct wire_message *m, const void *value);

/* Room for size more bytes, where they go. Most often it is there already. */
static inline uint8_t *reserve(struct wire_out *out, size_t size)
{
    if (out->bytes.capacity - out->bytes.len <= size)
        text_reserve(&out->bytes, size);
    return (uint8_t *)out->bytes.data + out->bytes.len;
}

/* The same; they count as written. */
static inline uint8_t *grow(struct wire_out *out, size_t size)
{
    uint8_t *at = reserve(out, size);

    out->bytes.len += size;
    return at;
}

static void put(struct wire_out *out, const void *data, size_t size)
{
    if (size > 0)
        memcpy(grow(out, size), data, size);
}

static void put_varint(struct wire_out *out, uint32_t value)
{
    out->bytes.len += bytes_put_varint(reserve(out, BYTES_VARINT_MAX), value);
}

static bool may_be_null(const struct writer *w, const struct wire_field *f)
{
    return f->null >= 0 && w->version >= f->null;
}

/* A length or count; -1 is null, which is written as 0 where none may be. */
static void put_length(struct writer *w, bool nullable, size_t old_bytes,
                       int64_t length)
{
    if (length < 0)
        length = nullable ? -1 : 0;
    if (w->flexible)
        put_varint(w->out, (uint32_t)(length + 1));
    else if (old_bytes == 2)
        bytes_put16(grow(w->out, 2), (uint16_t)length);
    else
        bytes_put32(grow(w->out, 4), (uint32_t)length);
}

static void write_string(struct writer *w, bool nullable,
                         const struct wire_string *string)
{
    /* More is not possible on the wire; a message about a long name may get there. */
    int32_t length = string->len < INT16_MAX ? string->len : INT16_MAX;

    put_length(w, nullable, 2, length);
    if (length > 0)
        put(w->out, string->data, (size_t)length);
}

static void write_bytes(struct writer *w, bool nullable, const struct wire_bytes *bytes)
{
    put_length(w, nullable, 4, bytes->len);
    if (bytes->len > 0)
        put(w->out, bytes->data, (size_t)bytes->len);
}

static void add_slice(struct wire_out *out, const struct wire_records *records)
{
    out->slices = mem_grow(out->slices, out->slices_count, &out->slices_capacity,
                           sizeof *out->slices);
    out->slices[out->slices_count++] = (struct wire_slice){
        .at = out->bytes.len,
        .fd = records->fd,
        .position = records->position,
        .len = records->len,
        .owner = records->owner,
        .release = records->release,
    };
    out->slices_bytes += records->len;
}

static void write_records(struct writer *w, bool nullable,
                          const struct wire_records *records)
{
    assert(records->len <= INT32_MAX - 1);
    put_length(w, nullable, 4, records->len);
    if (records->len <= 0)
        return;
    if (records->data != NULL)
        put(w->out, records->data, (size_t)records->len);
    else
        add_slice(w->out, records);
}

/* A value of fixed size; inline, since most fields are numbers. */
static inline void write_fixed(struct writer *w, const struct wire_field *f,
                               const void *value)
{
    size_t size = wire_fixed_bytes[f->type];
    uint8_t *at = grow(w->out, size);
    uint64_t eight;

    switch (size) {
    case 1: /* a bool is 0 or 1 */
        *at = *(const uint8_t *)value;
        break;
    case 2:
        bytes_put16(at, *(const uint16_t *)value);
        break;
    case 4:
        bytes_put32(at, *(const uint32_t *)value);
        break;
    case 8:
        memcpy(&eight, value, sizeof eight);
        bytes_put64(at, eight);
        break;
    default:
        memcpy(at, value, sizeof(struct wire_uuid));
    }
}

/* The member, or an element of its array (which is never null). */
static void write_value(struct writer *w, const struct wire_field *f, bool nullable,
                        const void *value)
{
    if (f->type == WIRE_STRING)
        write_string(w, nullable, value);
    else if (f->type == WIRE_BYTES)
        write_bytes(w, nullable, value);
    else if (f->type == WIRE_RECORDS)
        write_records(w, nullable, value);
    else if (f->type == WIRE_STRUCT_TYPE)
        write_struct(w, f->child, value);
    else
        write_fixed(w, f, value);
}

static const void *pointer_at(const void *member)
{
    const void *pointer;

    memcpy(&pointer, member, sizeof pointer);
    return pointer;
}

static int32_t count_of(const struct wire_field *f, const void *value)
{
    return *(const int32_t *)(const void *)((const uint8_t *)value + f->count_offset);
}

static void write_array(struct writer *w, const struct wire_field *f,
                        const uint8_t *element, int32_t count)
{
    size_t size = f->child ? f->child->size : wire_member_bytes[f->type];

    put_length(w, may_be_null(w, f), 4, count);
    for (int32_t i = 0; i < count; i++, element += size) {
        if (w->out->limit > 0 && w->out->bytes.len > w->out->limit) {
            w->out->overflowed = true;
            return;
        }
        write_value(w, f, false, element);
    }
}

static void write_field(struct writer *w, const struct wire_field *f, const void *value)
{
    const uint8_t *member = (const uint8_t *)value + f->offset;

    if (f->shape == WIRE_ONE) {
        write_value(w, f, may_be_null(w, f), member);
    } else if (f->shape == WIRE_MANY) {
        write_array(w, f, pointer_at(member), count_of(f, value));
    } else {
        const void *child = pointer_at(member);

        *grow(w->out, 1) = child ? 1 : 0xff;
        if (child != NULL)
            write_struct(w, f->child, child);
    }
}

static bool same_text(const void *a, int32_t a_len, const void *b, int32_t b_len)
{
    return a_len == b_len && (a_len <= 0 || memcmp(a, b, (size_t)a_len) == 0);
}

/* Has this member the value that a reader would assume anyway? */
static bool is_default(const struct wire_message *m, const struct wire_field *f,
                       const void *value)
{
    const void *member = (const uint8_t *)value + f->offset;
    const void *preset = (const uint8_t *)m->preset + f->offset;
    const struct wire_string *a = member, *b = preset;
    const struct wire_bytes *c = member, *d = preset;

    if (f->shape == WIRE_MANY)
        return count_of(f, value) == count_of(f, m->preset);
    if (f->shape == WIRE_MAYBE)
        return pointer_at(member) == NULL;
    switch ((enum wire_type)f->type) {
    case WIRE_STRING:
        return same_text(a->data, a->len, b->data, b->len);
    case WIRE_BYTES:
        return same_text(c->data, c->len, d->data, d->len);
    case WIRE_STRUCT_TYPE:
        return is_preset(f->child, member);
    default:
        return memcmp(member, preset, wire_member_bytes[f->type]) == 0;
    }
}

static bool is_preset(const struct wire_message *m, const void *value)
{
    for (size_t i = 0; i < m->fields_count; i++)
        if (!is_default(m, &m->fields[i], value))
            return false;
    return true;
}

/* A tagged field: its number, its size, itself. The size is known after writing it. */
static void write_tag(struct writer *w, const struct wire_field *f, const void *value)
{
    struct text_buf *bytes = &w->out->bytes;
    uint8_t size[BYTES_VARINT_MAX];
    size_t start;
    size_t length;
    size_t digits;

    put_varint(w->out, (uint32_t)f->tag);
    start = bytes->len;
    write_field(w, f, value);
    length = bytes->len - start;
    digits = bytes_put_varint(size, (uint32_t)length);
    (void)grow(w->out, digits);
    memmove(bytes->data + start + digits, bytes->data + start, length);
    memcpy(bytes->data + start, size, digits);
}

static bool is_tagged(const struct writer *w, const struct wire_message *m,
                      const struct wire_field *f, const void *value)
{
    return f->tag >= 0 && w->version >= f->first && w->version <= f->last &&
           !is_default(m, f, value);
}

/* Their number comes first; it is below 128, so one byte that is set afterwards. */
static void write_tags(struct writer *w, const struct wire_message *m,
                       const void *value)
{
    size_t count_at = w->out->bytes.len;

    *grow(w->out, 1) = 0;
    for (size_t i = 0; m->tagged > 0 && i < m->fields_count; i++) {
        if (!is_tagged(w, m, &m->fields[i], value))
            continue;
        write_tag(w, &m->fields[i], value);
        w->out->bytes.data[count_at]++;
    }
}

static void write_struct(struct writer *w, const struct wire_message *m,
                         const void *value)
{
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];

        if (w->version < f->first || w->version > f->last || f->tag >= 0)
            continue;
        if (f->shape == WIRE_ONE && wire_fixed_bytes[f->type] > 0)
            write_fixed(w, f, (const uint8_t *)value + f->offset);
        else
            write_field(w, f, value);
    }
    if (w->flexible)
        write_tags(w, m, value);
}

void wire_write(const struct wire_message *m, int16_t version, const void *value,
                struct wire_out *out)
{
    struct writer w = {
        .out = out, .version = version, .flexible = version >= m->flexible};

    write_struct(&w, m, value);
}

/* The length of a frame is written when it is known; *start says where. */
static void frame_begin(struct wire_out *out, size_t *start, int64_t *slices_before)
{
    *start = out->bytes.len;
    *slices_before = out->slices_bytes;
    (void)grow(out, 4);
}

static void frame_end(struct wire_out *out, size_t start, int64_t slices_before)
{
    int64_t length = (int64_t)(out->bytes.len - start - 4);

    length += out->slices_bytes - slices_before;
    assert(length <= INT32_MAX);
    bytes_put32((uint8_t *)out->bytes.data + start, (uint32_t)length);
}

void wire_write_response(const struct wire_api *api, int16_t version,
                         int32_t correlation, const void *value, struct wire_out *out)
{
    size_t start;
    int64_t slices;

    frame_begin(out, &start, &slices);
    bytes_put32(grow(out, 4), (uint32_t)correlation);
    /* A client that asks for the versions does not know yet which header it will get.
     */
    if (wire_api_flexible(api, version) && api->key != WIRE_API_VERSIONS)
        put_varint(out, 0);
    wire_write(api->response, version, value, out);
    frame_end(out, start, slices);
}

void wire_write_request(const struct wire_api *api, int16_t version,
                        int32_t correlation, struct wire_string client_id,
                        const void *value, struct wire_out *out)
{
    size_t start;
    int64_t slices;

    frame_begin(out, &start, &slices);
    bytes_put16(grow(out, 2), (uint16_t)api->key);
    bytes_put16(grow(out, 2), (uint16_t)version);
    bytes_put32(grow(out, 4), (uint32_t)correlation);
    bytes_put16(grow(out, 2), (uint16_t)client_id.len);
    if (client_id.len > 0)
        put(out, client_id.data, (size_t)client_id.len);
    if (wire_api_flexible(api, version))
        put_varint(out, 0);
    wire_write(api->request, version, value, out);
    frame_end(out, start, slices);
}
