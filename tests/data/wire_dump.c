/* SPDX-License-Identifier: MIT
 *
 * wire_dump.c - print the broker's message tables for wire_definitions.py: one line per
 * request, per message and per field, words separated by blanks.
 *
 *   api KEY NAME MIN MAX
 *   message NAME MIN MAX FLEXIBLE
 *   field DEPTH NAME TYPE CHILD FIRST LAST NULL TAG DEFAULT      (CHILD "-": no struct)
 */
#include "../support/wire_values.h"

#include "ledger/wire/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[WIRE_TYPES] = {
    [WIRE_BOOLEAN] = "bool",      [WIRE_INT8] = "int8",
    [WIRE_INT16] = "int16",       [WIRE_INT32] = "int32",
    [WIRE_INT64] = "int64",       [WIRE_UINT16] = "uint16",
    [WIRE_UINT32] = "uint32",     [WIRE_FLOAT64] = "float64",
    [WIRE_UUID] = "uuid",         [WIRE_STRING] = "string",
    [WIRE_BYTES] = "bytes",       [WIRE_RECORDS] = "records",
    [WIRE_STRUCT_TYPE] = "struct"};

static int64_t number(const struct wire_field *f, const uint8_t *member)
{
    int64_t value = 0;
    unsigned unused = 8 * (8 - (unsigned)wire_member_bytes[f->type]);

    memcpy(&value, member, wire_member_bytes[f->type]);
    value =
        (int64_t)((uint64_t)value << unused); /* little-endian, as all we build for */
    return f->type == WIRE_UINT16 || f->type == WIRE_UINT32
               ? (int64_t)((uint64_t)value >> unused)
               : value >> unused;
}

static const char *length_word(int64_t len)
{
    return len < 0 ? "null" : len == 0 ? "empty" : "text";
}

static void print_default(const struct wire_field *f, const uint8_t *preset)
{
    const uint8_t *member = preset + f->offset;
    int32_t count;

    if (f->shape == WIRE_MANY) {
        memcpy(&count, preset + f->count_offset, sizeof count);
        (void)printf("%s\n", length_word(count));
    } else if (f->shape == WIRE_MAYBE) {
        (void)printf("null\n");
    } else if (f->type == WIRE_STRING) {
        (void)printf(
            "%s\n",
            length_word(((const struct wire_string *)(const void *)member)->len));
    } else if (f->type == WIRE_BYTES) {
        (void)printf(
            "%s\n",
            length_word(((const struct wire_bytes *)(const void *)member)->len));
    } else if (f->type == WIRE_RECORDS) {
        (void)printf(
            "%s\n",
            length_word(((const struct wire_records *)(const void *)member)->len));
    } else if (f->type == WIRE_STRUCT_TYPE || f->type == WIRE_UUID ||
               f->type == WIRE_FLOAT64) {
        (void)printf("-\n");
    } else {
        (void)printf("%" PRId64 "\n", number(f, member));
    }
}

static void print_fields(const struct wire_message *m, int depth)
{
    static const char *const shapes[] = {
        [WIRE_ONE] = "", [WIRE_MAYBE] = "?", [WIRE_MANY] = "[]"};

    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];

        (void)printf("field %d %s %s%s %s %d %d %d %d ", depth, f->name,
                     shapes[f->shape], type_names[f->type],
                     f->child ? f->child->name : "-", f->first, f->last, f->null,
                     f->tag);
        print_default(f, m->preset);
        if (f->child != NULL)
            print_fields(f->child, depth + 1);
    }
}

int main(void)
{
    struct wire_values_message known;

    for (int16_t key = 0; key < WIRE_KEYS; key++) {
        const struct wire_api *api = wire_api_find(key);

        if (api != NULL)
            (void)printf("api %d %s %d %d\n", key, api->name, api->min_version,
                         api->max_version);
    }
    for (size_t i = 0; wire_values_message(i, &known); i++) {
        (void)printf("message %s %d %d %d\n", known.message->name, known.min_version,
                     known.max_version, known.message->flexible);
        print_fields(known.message, 1);
    }
    return 0;
}
