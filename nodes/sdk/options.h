/* SPDX-License-Identifier: MIT
 *
 * options.h - the values of "with:", checked against what the program declares.
 * Layer: sdk (pure).
 */
#ifndef SDK_OPTIONS_H
#define SDK_OPTIONS_H

#include "base/error.h"
#include "sdk/dagnode.h"

/* A named JSON value. text: a string's content, a number's digits, "true" or "false". */
enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_STRING, VALUE_OTHER };
struct value {
    char *name;
    char *json;
    enum value_kind kind;
    char *text; /* NULL for null, arrays and objects */
};

struct values {
    struct value *list;
    size_t count;
    size_t capacity;
};

/* Append an element whose members are moved in. */
void values_take(struct values *values, struct value value);
void values_clear(struct values *values);

/* What a declared option is worth; zero when nobody gave a value. */
struct option_value {
    const struct dagnode_option *declared;
    char *text;
    int64_t integer;
    double number;
    bool boolean;
    bool given;
};

struct options {
    struct values given;
    struct option_value *list;
    size_t count;
};

/*
 * Take given over (it is empty afterwards, also on failure) and resolve every declared
 * option. dir: where relative paths start, NULL: leave them. -1 and err (ERROR_INPUT)
 * with one line: what is wrong and what was expected.
 */
int options_init(struct options *options, const struct dagnode_ops *ops,
                 struct values *given, const char *dir, struct error *err);
void options_clear(struct options *options);

/* NULL when the program did not declare it. */
const struct option_value *options_find(const struct options *options, const char *name);
const struct value *options_given(const struct options *options, const char *name);

/* Is this number of arguments what the program takes? */
int options_check_args(const struct dagnode_ops *ops, int count, struct error *err);

/* "string", "int", … as --describe says it. */
const char *options_type_name(enum dagnode_type type);

#endif
