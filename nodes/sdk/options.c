/* SPDX-License-Identifier: MIT */
#include "sdk/options.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *expected;
} types[] = {
    [DAGNODE_STRING] = {"string", "text"},
    [DAGNODE_INT] = {"int", "a whole number"},
    [DAGNODE_NUMBER] = {"number", "a number"},
    [DAGNODE_BOOL] = {"bool", "true or false"},
    [DAGNODE_PATH] = {"path", "a file name"},
    [DAGNODE_SIZE] = {"size", "a size such as 64KiB"},
    [DAGNODE_DURATION] = {"duration", "a duration such as 500ms"},
};

const char *options_type_name(enum dagnode_type type)
{
    return types[type].name;
}

void values_take(struct values *values, struct value value)
{
    values->list =
        mem_grow(values->list, values->count, &values->capacity, sizeof *values->list);
    values->list[values->count++] = value;
}

void values_clear(struct values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        free(values->list[i].name);
        free(values->list[i].json);
        free(values->list[i].text);
    }
    free(values->list);
    *values = (struct values){0};
}

static bool parse_number(const char *text, double *number)
{
    char *end;

    errno = 0;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number) &&
           strspn(text, "0123456789+-.eE") == strlen(text);
}

static bool parse_bool(const char *text, bool *boolean)
{
    *boolean = strcmp(text, "true") == 0;
    return *boolean || strcmp(text, "false") == 0;
}

static char *resolve_path(const char *text, const char *dir)
{
    if (text[0] == '/' || dir == NULL || dir[0] == '\0')
        return mem_strdup(text);
    return mem_printf("%s/%s", dir, text);
}

/* Fill in the value from its text; false when the text is not of the declared type. */
static bool convert(struct option_value *value, const char *text, const char *dir)
{
    switch (value->declared->type) {
    case DAGNODE_STRING:
        value->text = mem_strdup(text);
        return true;
    case DAGNODE_PATH:
        value->text = text[0] ? resolve_path(text, dir) : NULL;
        return value->text != NULL;
    case DAGNODE_INT:
        return text_parse_int(text, &value->integer);
    case DAGNODE_NUMBER:
        return parse_number(text, &value->number);
    case DAGNODE_BOOL:
        return parse_bool(text, &value->boolean);
    case DAGNODE_SIZE:
        return text_parse_bytes(text, &value->integer);
    case DAGNODE_DURATION:
        return text_parse_duration_ms(text, &value->integer);
    }
    return false;
}

static int resolve(struct option_value *value, const struct value *given, const char *dir,
                   struct error *err)
{
    const struct dagnode_option *declared = value->declared;
    const char *text = given ? given->text : declared->fallback;

    value->given = given != NULL;
    if (given == NULL && declared->required) {
        error_set(err, ERROR_INPUT, "option '%s' is missing: it is required (%s)",
                  declared->name, types[declared->type].expected);
        return -1;
    }
    if (text == NULL && given == NULL)
        return 0;
    if (text && convert(value, text, dir))
        return 0;
    error_set(err, ERROR_INPUT, "option '%s' is %.200s, expected %s", declared->name,
              given ? given->json : text, types[declared->type].expected);
    return -1;
}

static int refuse_unknown(const struct options *options, const char *name,
                          struct error *err)
{
    const char **names = mem_alloc((options->count + 1) * sizeof *names);
    const char *nearest;

    for (size_t i = 0; i < options->count; i++)
        names[i] = options->list[i].declared->name;
    nearest = text_nearest(name, names, options->count);
    if (nearest)
        error_set(err, ERROR_INPUT, "unknown option '%s' (did you mean '%s'?)", name,
                  nearest);
    else if (options->count == 0)
        error_set(err, ERROR_INPUT, "unknown option '%s': this program has none", name);
    else
        error_set(err, ERROR_INPUT, "unknown option '%s': see --describe", name);
    free(names);
    return -1;
}

static size_t count_declared(const struct dagnode_option *option)
{
    size_t count = 0;

    while (option && option[count].name)
        count++;
    return count;
}

int options_init(struct options *options, const struct dagnode_ops *ops,
                 struct values *given, const char *dir, struct error *err)
{
    *options = (struct options){.given = *given, .count = count_declared(ops->options)};
    *given = (struct values){0};
    options->list = mem_alloc((options->count + 1) * sizeof *options->list);
    for (size_t i = 0; i < options->count; i++)
        options->list[i].declared = &ops->options[i];
    for (size_t i = 0; i < options->given.count && !ops->any_option; i++) {
        if (options_find(options, options->given.list[i].name) == NULL)
            return refuse_unknown(options, options->given.list[i].name, err);
    }
    for (size_t i = 0; i < options->count; i++) {
        struct option_value *value = &options->list[i];

        if (resolve(value, options_given(options, value->declared->name), dir, err) < 0)
            return -1;
    }
    return 0;
}

void options_clear(struct options *options)
{
    for (size_t i = 0; i < options->count; i++)
        free(options->list[i].text);
    free(options->list);
    values_clear(&options->given);
    *options = (struct options){0};
}

const struct option_value *options_find(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++) {
        if (strcmp(options->list[i].declared->name, name) == 0)
            return &options->list[i];
    }
    return NULL;
}

const struct value *options_given(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->given.count; i++) {
        if (strcmp(options->given.list[i].name, name) == 0)
            return &options->given.list[i];
    }
    return NULL;
}

int options_check_args(const struct dagnode_ops *ops, int count, struct error *err)
{
    if (count >= ops->args_min && (ops->args_max < 0 || count <= ops->args_max))
        return 0;
    if (ops->args_max == 0)
        error_set(err, ERROR_INPUT, "takes no arguments, got %d", count);
    else
        error_set(err, ERROR_INPUT, "expects the arguments %s, got %d",
                  ops->args_usage ? ops->args_usage : "that --describe names", count);
    return -1;
}
