/* SPDX-License-Identifier: MIT */
#include "common/object.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

/* Numbers stay text, so that they pass through with every digit. */
static const yyjson_read_flag READ_FLAGS = YYJSON_READ_NUMBER_AS_RAW;

struct object_reader {
    yyjson_alc *memory; /* keeps what it once got: no malloc per record */
    yyjson_doc *doc;    /* NULL before the first read */
};

struct object_reader *object_reader_new(void)
{
    struct object_reader *reader = mem_alloc(sizeof *reader);

    reader->memory = yyjson_alc_dyn_new();
    if (reader->memory == NULL)
        abort();
    return reader;
}

void object_reader_free(struct object_reader *reader)
{
    if (reader == NULL)
        return;
    yyjson_doc_free(reader->doc);
    yyjson_alc_dyn_free(reader->memory);
    free(reader);
}

/* yyjson takes a char * but writes to it only when it is told to parse in place. */
static yyjson_doc *parse(struct object_reader *reader, const char *text, size_t len,
                         yyjson_read_err *error)
{
    return yyjson_read_opts((char *)(uintptr_t)text, len, READ_FLAGS, reader->memory,
                            error);
}

static void forget(struct object_reader *reader)
{
    yyjson_doc_free(reader->doc);
    reader->doc = NULL;
}

/* Our own words, so that dead letters read the same with every version of yyjson. */
static const char *reason(const yyjson_read_err *error)
{
    if (error->code == YYJSON_READ_ERROR_UNEXPECTED_CONTENT)
        return "more follows after its end";
    if (error->code == YYJSON_READ_ERROR_UNEXPECTED_END)
        return "it ends too early";
    if (error->code == YYJSON_READ_ERROR_INVALID_NUMBER)
        return "wrong number";
    if (error->code == YYJSON_READ_ERROR_INVALID_STRING)
        return "wrong string";
    return "unexpected character";
}

int object_read(struct object_reader *reader, const struct dagnode_record *in,
                struct dagnode_error *err)
{
    yyjson_read_err error = {0};
    yyjson_val *root;

    forget(reader);
    if (in->value == NULL)
        return dagnode_fail(err, DAGNODE_DECODE, "no value: a JSON object is expected");
    if (in->value_len == 0)
        return dagnode_fail(err, DAGNODE_DECODE,
                            "empty value: a JSON object is expected");
    reader->doc = parse(reader, in->value, in->value_len, &error);
    if (reader->doc == NULL)
        return dagnode_fail(err, DAGNODE_DECODE, "not JSON: %s at byte %zu",
                            reason(&error), error.pos);
    root = yyjson_doc_get_root(reader->doc);
    if (!yyjson_is_obj(root)) {
        const char *type = yyjson_is_raw(root) ? "number" : yyjson_get_type_desc(root);

        forget(reader);
        return dagnode_fail(err, DAGNODE_DECODE, "%s: a JSON object is expected", type);
    }
    return 0;
}

bool object_try_read(struct object_reader *reader, const char *text, size_t len)
{
    forget(reader);
    if (len == 0)
        return false;
    reader->doc = parse(reader, text, len, NULL);
    if (reader->doc != NULL && !yyjson_is_obj(yyjson_doc_get_root(reader->doc)))
        forget(reader);
    return reader->doc != NULL;
}

static struct object_value value_of(yyjson_val *val)
{
    static const struct object_value names[] = {
        [OBJECT_TRUE] = {.text = "true", .len = 4},
        [OBJECT_FALSE] = {.text = "false", .len = 5},
        [OBJECT_NULL] = {.text = "null", .len = 4},
        [OBJECT_CONTAINER] = {.text = ""},
    };
    struct object_value value;
    enum object_type type;

    if (yyjson_is_str(val))
        return (struct object_value){OBJECT_STRING, yyjson_get_str(val),
                                     yyjson_get_len(val), val};
    if (yyjson_is_raw(val))
        return (struct object_value){OBJECT_NUMBER, yyjson_get_raw(val),
                                     yyjson_get_len(val), val};
    type = yyjson_is_true(val)    ? OBJECT_TRUE
           : yyjson_is_false(val) ? OBJECT_FALSE
           : yyjson_is_null(val)  ? OBJECT_NULL
                                  : OBJECT_CONTAINER;
    value = names[type];
    value.type = type;
    value.internal = val;
    return value;
}

static bool is_name(yyjson_val *key, const struct object_name *name)
{
    return yyjson_get_len(key) == name->len &&
           memcmp(yyjson_get_str(key), name->text, name->len) == 0;
}

void object_find(const struct object_reader *reader, const struct object_name *names,
                 size_t count, struct object_value *values)
{
    yyjson_val *root = yyjson_doc_get_root(reader->doc);
    yyjson_val *key;
    yyjson_val *val;
    size_t index;
    size_t members;

    memset(values, 0, count * sizeof *values);
    yyjson_obj_foreach(root, index, members, key, val)
    {
        for (size_t i = 0; i < count; i++) {
            if (is_name(key, &names[i])) {
                values[i] = value_of(val);
                break;
            }
        }
    }
}

/* Write any value; there is no way to fail but memory, for it was read as valid. */
static char *write_json(struct object_reader *reader, const yyjson_val *val,
                        size_t *len)
{
    char *text =
        yyjson_val_write_opts(val, YYJSON_WRITE_NOFLAG, reader->memory, len, NULL);

    if (text == NULL)
        abort();
    return text;
}

static void append_json(struct object_reader *reader, const yyjson_val *val,
                        struct text_buf *out)
{
    size_t len;
    char *text = write_json(reader, val, &len);

    text_append_bytes(out, text, len);
    reader->memory->free(reader->memory->ctx, text);
}

void object_append_string(struct object_reader *reader, const char *text, size_t len,
                          struct text_buf *out)
{
    yyjson_val val = {0};

    if (!yyjson_set_strn(&val, text, len))
        abort();
    append_json(reader, &val, out);
}

void object_append_value(struct object_reader *reader, const struct object_value *value,
                         struct text_buf *out)
{
    if (value->type == OBJECT_NUMBER)
        text_append_bytes(out, value->text, value->len);
    else
        append_json(reader, value->internal, out);
}

static const struct object_field *
field_for(yyjson_val *key, const struct object_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_name(key, &fields[i].name))
            return &fields[i];
    }
    return NULL;
}

static bool any_member_is_replaced(yyjson_val *root, const struct object_field *fields,
                                   size_t count)
{
    yyjson_val *key;
    yyjson_val *val;
    size_t index;
    size_t members;

    yyjson_obj_foreach(root, index, members, key, val)
    {
        if (field_for(key, fields, count) != NULL)
            return true;
    }
    return false;
}

static void append_text(const struct object_name *text, struct text_buf *out)
{
    text_append_bytes(out, text->text, text->len);
}

/* The members with their new values, without the closing brace. */
static void append_replaced(struct object_reader *reader, yyjson_val *root,
                            const struct object_field *fields, size_t count,
                            struct text_buf *out)
{
    yyjson_val *key;
    yyjson_val *val;
    size_t index;
    size_t members;

    text_append_bytes(out, "{", 1);
    yyjson_obj_foreach(root, index, members, key, val)
    {
        const struct object_field *field = field_for(key, fields, count);

        if (index > 0)
            text_append_bytes(out, ",", 1);
        append_json(reader, key, out);
        text_append_bytes(out, ":", 1);
        if (field != NULL)
            append_text(&field->json, out);
        else
            append_json(reader, val, out);
    }
}

void object_append_with(struct object_reader *reader, const struct object_field *fields,
                        size_t count, struct text_buf *out)
{
    yyjson_val *root = yyjson_doc_get_root(reader->doc);
    bool empty = yyjson_obj_size(root) == 0;

    if (any_member_is_replaced(root, fields, count)) {
        append_replaced(reader, root, fields, count, out);
    } else {
        append_json(reader, root, out);
        out->data[--out->len] = '\0'; /* the closing brace */
    }
    for (size_t i = 0; i < count; i++) {
        if (yyjson_obj_getn(root, fields[i].name.text, fields[i].name.len) != NULL)
            continue;
        if (!empty)
            text_append_bytes(out, ",", 1);
        empty = false;
        append_text(&fields[i].name_json, out);
        text_append_bytes(out, ":", 1);
        append_text(&fields[i].json, out);
    }
    text_append_bytes(out, "}", 1);
}

bool object_append_compact(struct object_reader *reader, const char *text, size_t len,
                           struct text_buf *out)
{
    yyjson_doc *doc = len == 0 ? NULL : parse(reader, text, len, NULL);

    if (doc == NULL)
        return false;
    append_json(reader, yyjson_doc_get_root(doc), out);
    yyjson_doc_free(doc);
    return true;
}
