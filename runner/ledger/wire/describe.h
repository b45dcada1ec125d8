/* SPDX-License-Identifier: MIT
 *
 * describe.h - what the message tables expand to in messages.c: descriptors, defaults.
 * Layer: ledger/wire. Included by table.h only.
 */
#ifndef LEDGER_WIRE_DESCRIBE_H
#define LEDGER_WIRE_DESCRIBE_H

#define WIRE_EMPTY {.data = (const void *)"", .len = 0}
#define WIRE_NULL {.data = NULL, .len = -1}
#define WIRE_ZERO {{0}}

/*
 * A struct with every field at its default, as an initialiser. A macro does not expand
 * within itself, so the rows of an inline struct have a second one of the same effect.
 */
#define WIRE_PRESET(S, type, ...) WIRE_PRESET_##type(__VA_ARGS__)
#define WIRE_PRESET_INNER(S, type, ...) WIRE_PRESET_##type(__VA_ARGS__)
#define WIRE_PRESET_VALUE(name, a, b, c, d, ...) .name = __VA_ARGS__,
#define WIRE_PRESET_COUNT(name, a, b, c, d, count) .name##_count = (count),
#define WIRE_PRESET_boolean(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_int8(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_int16(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_int32(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_int64(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_uint16(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_uint32(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_float64(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_uuid(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_string(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_bytes(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_records(...) WIRE_PRESET_VALUE(__VA_ARGS__)
#define WIRE_PRESET_int8s(...) WIRE_PRESET_COUNT(__VA_ARGS__)
#define WIRE_PRESET_int32s(...) WIRE_PRESET_COUNT(__VA_ARGS__)
#define WIRE_PRESET_int64s(...) WIRE_PRESET_COUNT(__VA_ARGS__)
#define WIRE_PRESET_strings(...) WIRE_PRESET_COUNT(__VA_ARGS__)
#define WIRE_PRESET_many(name, a, b, c, d, count, child) .name##_count = (count),
#define WIRE_PRESET_maybe(name, ...) .name = NULL,
#define WIRE_PRESET_one(name, a, b, c, d, e, child)                                    \
    .name = {child##_FIELDS(WIRE_PRESET_INNER, child)},

/* The rows of a descriptor. */
#define WIRE_ROW(S, type, ...) WIRE_ROW_##type(S, __VA_ARGS__)
#define WIRE_ROW_OF(S, TYPE, SHAPE, member, count, child_, first_, last_, null_, tag_) \
    {.name = #member,                                                                  \
     .child = child_,                                                                  \
     .offset = offsetof(struct S, member),                                             \
     .count_offset = offsetof(struct S, count),                                        \
     .first = first_,                                                                  \
     .last = last_,                                                                    \
     .null = null_,                                                                    \
     .tag = tag_,                                                                      \
     .type = TYPE,                                                                     \
     .shape = SHAPE},
#define WIRE_ROW_VALUE(S, TYPE, name, a, b, c, d, ...)                                 \
    WIRE_ROW_OF(S, TYPE, WIRE_ONE, name, name, NULL, a, b, c, d)
#define WIRE_ROW_VALUES(S, TYPE, name, a, b, c, d, ...)                                \
    WIRE_ROW_OF(S, TYPE, WIRE_MANY, name, name##_count, NULL, a, b, c, d)
#define WIRE_ROW_boolean(S, ...) WIRE_ROW_VALUE(S, WIRE_BOOLEAN, __VA_ARGS__)
#define WIRE_ROW_int8(S, ...) WIRE_ROW_VALUE(S, WIRE_INT8, __VA_ARGS__)
#define WIRE_ROW_int16(S, ...) WIRE_ROW_VALUE(S, WIRE_INT16, __VA_ARGS__)
#define WIRE_ROW_int32(S, ...) WIRE_ROW_VALUE(S, WIRE_INT32, __VA_ARGS__)
#define WIRE_ROW_int64(S, ...) WIRE_ROW_VALUE(S, WIRE_INT64, __VA_ARGS__)
#define WIRE_ROW_uint16(S, ...) WIRE_ROW_VALUE(S, WIRE_UINT16, __VA_ARGS__)
#define WIRE_ROW_uint32(S, ...) WIRE_ROW_VALUE(S, WIRE_UINT32, __VA_ARGS__)
#define WIRE_ROW_float64(S, ...) WIRE_ROW_VALUE(S, WIRE_FLOAT64, __VA_ARGS__)
#define WIRE_ROW_uuid(S, ...) WIRE_ROW_VALUE(S, WIRE_UUID, __VA_ARGS__)
#define WIRE_ROW_string(S, ...) WIRE_ROW_VALUE(S, WIRE_STRING, __VA_ARGS__)
#define WIRE_ROW_bytes(S, ...) WIRE_ROW_VALUE(S, WIRE_BYTES, __VA_ARGS__)
#define WIRE_ROW_records(S, ...) WIRE_ROW_VALUE(S, WIRE_RECORDS, __VA_ARGS__)
#define WIRE_ROW_int8s(S, ...) WIRE_ROW_VALUES(S, WIRE_INT8, __VA_ARGS__)
#define WIRE_ROW_int32s(S, ...) WIRE_ROW_VALUES(S, WIRE_INT32, __VA_ARGS__)
#define WIRE_ROW_int64s(S, ...) WIRE_ROW_VALUES(S, WIRE_INT64, __VA_ARGS__)
#define WIRE_ROW_strings(S, ...) WIRE_ROW_VALUES(S, WIRE_STRING, __VA_ARGS__)
#define WIRE_ROW_one(S, name, a, b, c, d, e, child)                                    \
    WIRE_ROW_OF(S, WIRE_STRUCT_TYPE, WIRE_ONE, name, name, &child##_message, a, b, c, d)
#define WIRE_ROW_maybe(S, name, a, b, c, d, e, child)                                  \
    WIRE_ROW_OF(S, WIRE_STRUCT_TYPE, WIRE_MAYBE, name, name, &child##_message, a, b,   \
                c, d)
#define WIRE_ROW_many(S, name, a, b, c, d, e, child)                                   \
    WIRE_ROW_OF(S, WIRE_STRUCT_TYPE, WIRE_MANY, name, name##_count, &child##_message,  \
                a, b, c, d)

#define WIRE_ADD_TAGGED(S, type, name, a, b, c, tag, ...) +((tag) >= 0)

#define WIRE_STRUCT(NAME) WIRE_MESSAGE(NAME, 0)
#define WIRE_MESSAGE(NAME, flexible_)                                                  \
    WIRE_MEMBERS(NAME)                                                                 \
    static const struct NAME NAME##_preset = {NAME##_FIELDS(WIRE_PRESET, NAME)};       \
    static const struct wire_field NAME##_rows[] = {NAME##_FIELDS(WIRE_ROW, NAME)};    \
    const struct wire_message NAME##_message = {                                       \
        .name = #NAME,                                                                 \
        .fields = NAME##_rows,                                                         \
        .preset = &NAME##_preset,                                                      \
        .fields_count = sizeof NAME##_rows / sizeof NAME##_rows[0],                    \
        .size = sizeof(struct NAME),                                                   \
        .tagged = 0 NAME##_FIELDS(WIRE_ADD_TAGGED, NAME),                              \
        .flexible = flexible_,                                                         \
    };

#endif
