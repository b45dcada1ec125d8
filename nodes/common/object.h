/* SPDX-License-Identifier: MIT
 *
 * object.h - records whose value is a JSON object: reading them, finding members and
 * writing them again with every digit of their numbers.
 * Used by the built-in programs; the only owner of yyjson among them. A reader keeps
 * its memory from record to record, so that none is asked for per record.
 */
#ifndef COMMON_OBJECT_H
#define COMMON_OBJECT_H

#include "base/text.h"
#include "sdk/dagnode.h"

#include <stdbool.h>
#include <stddef.h>

struct object_reader;

struct object_reader *object_reader_new(void);
void object_reader_free(struct object_reader *reader);

/*
 * Read the value of a record. Returns 0; -1 with err (DAGNODE_DECODE) when there is no
 * value, or it is not JSON (RFC 8259, UTF-8), or not an object.
 * Owns: what object_find() returns lives until the next read.
 */
int object_read(struct object_reader *reader, const struct dagnode_record *in,
                struct dagnode_error *err);

/* As object_read(), without saying why not. */
bool object_try_read(struct object_reader *reader, const char *text, size_t len);

/* A member's value. */
enum object_type {
    OBJECT_MISSING = 0,
    OBJECT_STRING, /* text: decoded UTF-8, without quotes */
    OBJECT_NUMBER, /* text: as it stands in the record */
    OBJECT_TRUE,   /* text of this and the next two: true, false, null */
    OBJECT_FALSE,
    OBJECT_NULL,
    OBJECT_CONTAINER, /* no text: "" */
};
struct object_value {
    enum object_type type;
    const char *text; /* not NUL-terminated */
    size_t len;
    const void *internal;
};

/* A piece of text, above all a name to look for. OBJECT_NAME("id") fills it. */
struct object_name {
    const char *text;
    size_t len;
};
#define OBJECT_NAME(literal)                                                           \
    {                                                                                  \
        literal, sizeof(literal) - 1                                                   \
    }

/*
 * Find several members in one pass over the object that was read last. When a name
 * stands more than once the last one counts, as for most readers of JSON.
 */
void object_find(const struct object_reader *reader, const struct object_name *names,
                 size_t count, struct object_value *values);

/* Append text as a JSON string with its quotes; UTF-8 stays as it is. */
void object_append_string(struct object_reader *reader, const char *text, size_t len,
                          struct text_buf *out);

/* Append a value as JSON text. */
void object_append_value(struct object_reader *reader, const struct object_value *value,
                         struct text_buf *out);

/*
 * Append the whole object as compact JSON, with some members set: a member that is
 * there is replaced where it stands, the others follow at the end in the order given.
 */
struct object_field {
    struct object_name name;
    struct object_name name_json; /* the name as JSON text, with its quotes */
    struct object_name json;      /* the value as JSON text */
};
void object_append_with(struct object_reader *reader, const struct object_field *fields,
                        size_t count, struct text_buf *out);

/*
 * Append any JSON text without white space around its parts, so that it has no line
 * break. False, with nothing appended, when it is not JSON.
 */
bool object_append_compact(struct object_reader *reader, const char *text, size_t len,
                           struct text_buf *out);

#endif
