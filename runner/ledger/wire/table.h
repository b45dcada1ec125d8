/* SPDX-License-Identifier: MIT
 *
 * table.h - the grammar of the message tables, and what they expand to.
 * Layer: ledger/wire. Included by messages_*.h only.
 *
 * A table is a macro NAME_FIELDS(F, S): a row per field, in the order on the wire:
 *
 *     F(S, type, name, first, last, null, tag, default[, child])
 *
 * type     boolean int8 int16 int32 int64 uint16 uint32 float64 uuid string bytes
 *          records; in the plural (int32s, strings …) an array of them; one, maybe,
 *          many: the struct child inline, as a pointer that may be NULL, as an array.
 * name     the member of the struct; an array has a second one, name_count.
 * first    the first and the last version that have the field; 99: every later one.
 * last
 * null     the first version in which it may be null; -1: never.
 * tag      its number when it is a tagged field; -1: it is none.
 * default  what a reader finds when the field is absent. WIRE_EMPTY, WIRE_NULL (text,
 *          bytes), WIRE_ZERO (uuid). Arrays and structs: 0 is empty, -1 is null.
 *
 * WIRE_STRUCT(NAME) makes struct NAME from NAME_FIELDS, WIRE_MESSAGE(NAME, flexible) is
 * a whole message, written in the compact way from version flexible on (99: never).
 * Where WIRE_DESCRIBE is defined (messages.c alone) they also define the descriptors.
 */
#ifndef LEDGER_WIRE_TABLE_H
#define LEDGER_WIRE_TABLE_H

#include "ledger/wire/wire.h"

enum wire_type {
    WIRE_BOOLEAN,
    WIRE_INT8,
    WIRE_INT16,
    WIRE_INT32,
    WIRE_INT64,
    WIRE_UINT16,
    WIRE_UINT32,
    WIRE_FLOAT64,
    WIRE_UUID,
    WIRE_STRING,
    WIRE_BYTES,
    WIRE_RECORDS,
    WIRE_STRUCT_TYPE,
    WIRE_TYPES
};

enum wire_shape {
    WIRE_ONE,   /* the value itself */
    WIRE_MAYBE, /* a pointer to it, or NULL */
    WIRE_MANY   /* an array */
};

struct wire_field {
    const char *name;
    const struct wire_message *child; /* of WIRE_STRUCT_TYPE */
    uint16_t offset;                  /* of the member in the struct */
    uint16_t count_offset;            /* of name_count, when it is an array */
    int8_t first, last, null, tag;
    uint8_t type;  /* enum wire_type */
    uint8_t shape; /* enum wire_shape */
};

struct wire_message {
    const char *name;
    const struct wire_field *fields;
    const void *preset; /* a struct with every field at its default */
    uint16_t fields_count;
    uint16_t size;   /* of the struct */
    uint8_t tagged;  /* how many of the fields are tagged ones */
    int8_t flexible; /* the first version written in the compact way */
};

/* Bytes of a type on the wire (0: it says its own length), and of its member. */
extern const uint8_t wire_fixed_bytes[WIRE_TYPES];
extern const uint8_t wire_member_bytes[WIRE_TYPES];

/* The members of a struct. */
#define WIRE_MEMBER(S, type, ...) WIRE_MEMBER_##type(__VA_ARGS__)
#define WIRE_MEMBER_boolean(name, ...) bool name;
#define WIRE_MEMBER_int8(name, ...) int8_t name;
#define WIRE_MEMBER_int16(name, ...) int16_t name;
#define WIRE_MEMBER_int32(name, ...) int32_t name;
#define WIRE_MEMBER_int64(name, ...) int64_t name;
#define WIRE_MEMBER_uint16(name, ...) uint16_t name;
#define WIRE_MEMBER_uint32(name, ...) uint32_t name;
#define WIRE_MEMBER_float64(name, ...) double name;
#define WIRE_MEMBER_uuid(name, ...) struct wire_uuid name;
#define WIRE_MEMBER_string(name, ...) struct wire_string name;
#define WIRE_MEMBER_bytes(name, ...) struct wire_bytes name;
#define WIRE_MEMBER_records(name, ...) struct wire_records name;
#define WIRE_MEMBER_int8s(name, ...) int8_t *name; int32_t name##_count;
#define WIRE_MEMBER_int32s(name, ...) int32_t *name; int32_t name##_count;
#define WIRE_MEMBER_int64s(name, ...) int64_t *name; int32_t name##_count;
#define WIRE_MEMBER_strings(name, ...) struct wire_string *name; int32_t name##_count;
#define WIRE_MEMBER_one(name, a, b, c, d, e, child) struct child name;
#define WIRE_MEMBER_maybe(name, a, b, c, d, e, child) struct child *name;
#define WIRE_MEMBER_many(name, a, b, c, d, e, child)                                   \
    struct child *name;                                                                \
    int32_t name##_count;

#define WIRE_MEMBERS(NAME)                                                             \
    struct NAME {                                                                      \
        NAME##_FIELDS(WIRE_MEMBER, NAME)                                               \
    };                                                                                 \
    extern const struct wire_message NAME##_message;

#ifndef WIRE_DESCRIBE
#define WIRE_STRUCT(NAME) WIRE_MEMBERS(NAME)
#define WIRE_MESSAGE(NAME, flexible) WIRE_MEMBERS(NAME)
#else
#include "ledger/wire/describe.h"
#endif

#endif
