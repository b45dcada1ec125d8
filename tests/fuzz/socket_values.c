/* SPDX-License-Identifier: MIT */
#include "socket_values.h"

#include "socket_witness.h"

#include "ledger/log/batch.h"

#include <string.h>

/* Fields of different names that mean the same. */
static const char *common_name(const char *name)
{
    static const char *const parts[] = {
        "member_id",  "producer_id", "producer_epoch", "topic_id",
        "session_id", "instance_id", "group_id",       "transactional_id"};

    if (strstr(name, "generation") != NULL || strcmp(name, "member_epoch") == 0)
        return "generation_id";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(name, parts[i]) != NULL)
            return parts[i];
    return name;
}

static struct socket_seen *bucket_of(struct socket_values *values, const char *name)
{
    uint32_t hash = 5381;

    for (; *name != '\0'; name++)
        hash = hash * 33 + (uint8_t)*name;
    return values->seen[hash % SOCKET_VALUES_BUCKETS];
}

static const struct socket_seen *recall(struct socket_values *values,
                                        const struct wire_field *f)
{
    const char *name = common_name(f->name);
    const struct socket_seen *seen =
        bucket_of(values, name) +
        wire_values_below(&values->state, SOCKET_VALUES_DEPTH);

    return seen->name != NULL && strcmp(seen->name, name) == 0 && seen->type == f->type
               ? seen
               : NULL;
}

static void keep(struct socket_values *values, const struct wire_field *f,
                 const void *bytes, size_t len)
{
    const char *name = common_name(f->name);
    struct socket_seen *seen = bucket_of(values, name) +
                               wire_values_below(&values->state, SOCKET_VALUES_DEPTH);

    if (len > sizeof seen->bytes)
        return;
    seen->name = name;
    seen->type = f->type;
    seen->len = (uint8_t)len;
    memcpy(seen->bytes, bytes, len);
}

static void keep_string(struct socket_values *values, const struct wire_field *f,
                        const struct wire_string *text)
{
    if (text->len > 0 && !wire_string_is(*text, SOCKET_WITNESS_TOPIC))
        keep(values, f, text->data, (size_t)text->len);
}

/* The elements of an array, or the child of a pointer; count 0 when there are none. */
static uint8_t *elements(const struct wire_field *f, const void *value, int32_t *count)
{
    uint8_t *array;

    memcpy(&array, (const uint8_t *)value + f->offset, sizeof array);
    *count = array != NULL;
    if (f->shape == WIRE_MANY)
        memcpy(count, (const uint8_t *)value + f->count_offset, sizeof *count);
    return array;
}

static size_t size_of(const struct wire_field *f)
{
    return f->child ? f->child->size : wire_member_bytes[f->type];
}

static bool has(const struct wire_field *f, int16_t version)
{
    return version >= f->first && version <= f->last;
}

static void remember_one(struct socket_values *values, const struct wire_field *f,
                         int16_t version, const void *value)
{
    if (f->type == WIRE_STRING)
        keep_string(values, f, value);
    else if (f->type == WIRE_STRUCT_TYPE)
        socket_values_remember(values, f->child, version, value);
    else if (f->type != WIRE_BYTES && f->type != WIRE_RECORDS)
        keep(values, f, value, wire_member_bytes[f->type]);
}

/* Does this struct speak of the witness's topic? Its id must not get about either. */
static bool is_private(const struct wire_message *m, const void *value)
{
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];
        struct wire_string text;

        if (f->type != WIRE_STRING || f->shape != WIRE_ONE)
            continue;
        memcpy(&text, (const uint8_t *)value + f->offset, sizeof text);
        if (wire_string_is(text, SOCKET_WITNESS_TOPIC))
            return true;
    }
    return false;
}

void socket_values_remember(struct socket_values *values, const struct wire_message *m,
                            int16_t version, const void *value)
{
    if (is_private(m, value))
        return;
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];
        const uint8_t *array;
        int32_t count;

        if (!has(f, version))
            continue;
        if (f->shape == WIRE_ONE) {
            remember_one(values, f, version, (const uint8_t *)value + f->offset);
            continue;
        }
        array = elements(f, value, &count);
        for (int32_t k = 0; k < count && k < 16; k++)
            remember_one(values, f, version, array + (size_t)k * size_of(f));
    }
}

static void draw_string(struct socket_values *values, const struct wire_field *f,
                        struct wire_string *out)
{
    static const char *const words[] = {"fuzz-a",
                                        "fuzz-b",
                                        "fuzz-c",
                                        "group-a",
                                        "group-b",
                                        "txn-a",
                                        "txn-b",
                                        "consumer",
                                        "range",
                                        "uniform",
                                        "cooperative",
                                        "",
                                        "1",
                                        "1",
                                        "-1",
                                        "retention.ms",
                                        "cleanup.policy",
                                        "compact",
                                        "segment.bytes",
                                        "delete",
                                        "max.message.bytes",
                                        "[a-f].*",
                                        "__consumer_offsets",
                                        ".",
                                        "0",
                                        "9223372036854775807",
                                        "(a+)+$",
                                        "message.timestamp.type",
                                        "LogAppendTime",
                                        "read_committed"};
    const struct socket_seen *seen = recall(values, f);

    if (seen != NULL && wire_values_below(&values->state, 2) == 0) {
        *out = (struct wire_string){seen->bytes, seen->len};
        return;
    }
    *out = wire_string_of(
        words[wire_values_below(&values->state, sizeof words / sizeof *words)]);
}

static void draw_number(struct socket_values *values, const struct wire_field *f,
                        void *out)
{
    static const int64_t usual[] = {0,  0, 0, 0, 1,   1,    1,    -1,   -1,
                                    -2, 2, 3, 5, 100, 1000, 6000, 30000};
    const struct socket_seen *seen = recall(values, f);
    int64_t number =
        usual[wire_values_below(&values->state, sizeof usual / sizeof *usual)];

    if (seen != NULL && wire_values_below(&values->state, 3) > 0)
        memcpy(out, seen->bytes, seen->len);
    else if (f->type == WIRE_BOOLEAN)
        *(bool *)out = number > 0;
    else if (f->type != WIRE_UUID)
        memcpy(out, &number, wire_member_bytes[f->type]);
}

/* Batches that would be written, with the producer ids that were given out; one in
 * eight is damaged afterwards. */
static void draw_records(struct socket_values *values, struct mem_arena *arena,
                         struct wire_records *out)
{
    static const struct wire_field id = {.name = "producer_id", .type = WIRE_INT64};
    static const struct wire_field epoch = {.name = "producer_epoch",
                                            .type = WIRE_INT16};
    struct batch model = {.base_timestamp =
                              (int64_t)wire_values_below(&values->state, 5000),
                          .producer_id = -1,
                          .producer_epoch = -1,
                          .base_sequence = -1};
    size_t kind = wire_values_below(&values->state, 8);

    if (kind >= 4) {
        draw_number(values, &id, &model.producer_id);
        draw_number(values, &epoch, &model.producer_epoch);
        model.base_sequence = (int32_t)wire_values_below(&values->state, 3);
    }
    if (kind >= 6)
        model.attributes |= BATCH_TRANSACTIONAL;
    if (kind == 3)
        model.attributes |= (int16_t)wire_values_below(&values->state, 5);
    socket_witness_batch(&model, "fuzz", arena, out);
    if (kind == 0 && out->len > 0)
        ((uint8_t *)(uintptr_t)
             out->data)[wire_values_below(&values->state, (size_t)out->len)] ^=
            (uint8_t)(1u << (values->state % 8));
}

static void season(struct socket_values *values, const struct wire_message *m,
                   int16_t version, struct mem_arena *arena, void *value);

static void season_one(struct socket_values *values, const struct wire_field *f,
                       int16_t version, struct mem_arena *arena, void *value)
{
    if (f->type == WIRE_STRUCT_TYPE)
        season(values, f->child, version, arena, value);
    else if (wire_values_below(&values->state, 8) == 0)
        return; /* it stays as random as it is */
    else if (f->type == WIRE_STRING)
        draw_string(values, f, value);
    else if (f->type == WIRE_RECORDS)
        draw_records(values, arena, value);
    else if (f->type != WIRE_BYTES)
        draw_number(values, f, value);
}

static void season(struct socket_values *values, const struct wire_message *m,
                   int16_t version, struct mem_arena *arena, void *value)
{
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];
        uint8_t *array;
        int32_t count;

        if (!has(f, version))
            continue;
        if (f->shape == WIRE_ONE) {
            season_one(values, f, version, arena, (uint8_t *)value + f->offset);
            continue;
        }
        array = elements(f, value, &count);
        for (int32_t k = 0; k < count; k++)
            season_one(values, f, version, arena, array + (size_t)k * size_of(f));
    }
}

void socket_values_draw(struct socket_values *values, const struct wire_message *m,
                        int16_t version, struct mem_arena *arena, void *value)
{
    wire_values_random(m, version, &values->state, arena, value);
    if (wire_values_below(&values->state, 5) > 0)
        season(values, m, version, arena, value);
}
