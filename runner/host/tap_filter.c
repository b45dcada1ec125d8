/* SPDX-License-Identifier: MIT */
#include "host/tap_filter.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int tap_filter_add(struct tap_filter *filter, enum tap_term_kind kind, const char *text,
                   struct error *err)
{
    if (filter->count == TAP_TERMS_MAX)
        error_set(err, ERROR_INPUT, "more than %d filters", TAP_TERMS_MAX);
    else if (*text == '\0')
        error_set(err, ERROR_INPUT, "an empty filter");
    else if (kind == TAP_WHERE && (strchr(text, '=') == NULL || *text == '='))
        error_set(err, ERROR_INPUT, "'%s': FIELD=VALUE expected, as in user.name=ann",
                  text);
    if (error_is_set(err))
        return -1;
    filter->terms[filter->count++] = (struct tap_term){kind, text};
    return 0;
}

static bool contains(const char *data, size_t len, const char *text)
{
    return data && memmem(data, len, text, strlen(text)) != NULL;
}

static bool has_header(const struct tap_record *record, const char *term)
{
    size_t len = strcspn(term, "=");

    for (size_t i = 0; i < record->header_count; i++) {
        const struct tap_header *header = &record->headers[i];

        if (strlen(header->name) == len && strncmp(header->name, term, len) == 0 &&
            (term[len] == '\0' || contains(header->value, header->len, term + len + 1)))
            return true;
    }
    return false;
}

static bool is_anywhere(const struct tap_record *record, const char *text)
{
    if (contains(record->key, record->key_len, text) ||
        contains(record->value, record->value_len, text))
        return true;
    for (size_t i = 0; i < record->header_count; i++) {
        const struct tap_header *header = &record->headers[i];

        if (contains(header->name, strlen(header->name), text) ||
            contains(header->value, header->len, text))
            return true;
    }
    return false;
}

/* The member or item of a value that a step of the path names; NULL: none. */
static const json_t *step_into(const json_t *value, const char *step, size_t len)
{
    size_t index = 0;

    if (json_is_object(value)) {
        char *name = mem_strndup(step, len);
        const json_t *member = json_object_get(value, name);

        free(name);
        return member;
    }
    if (!json_is_array(value) || len == 0 || len > 9)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (step[i] < '0' || step[i] > '9')
            return NULL;
        index = index * 10 + (size_t)(step[i] - '0');
    }
    return json_array_get(value, index);
}

static bool is_number(const json_t *value, const char *text)
{
    int64_t whole;
    char *end;
    double number;

    if (json_is_integer(value) && text_parse_int(text, &whole))
        return whole == json_integer_value(value);
    number = strtod(text, &end);
    return end != text && *end == '\0' && number == json_number_value(value);
}

static bool is_value(const json_t *value, const char *text)
{
    switch (value ? json_typeof(value) : JSON_OBJECT) {
    case JSON_STRING:
        return json_string_length(value) == strlen(text) &&
               strcmp(json_string_value(value), text) == 0;
    case JSON_INTEGER:
    case JSON_REAL:
        return is_number(value, text);
    case JSON_TRUE:
        return strcmp(text, "true") == 0;
    case JSON_FALSE:
        return strcmp(text, "false") == 0;
    case JSON_NULL:
        return strcmp(text, "null") == 0;
    default:
        return false;
    }
}

/* "a.b=x", also ".a.b=x". */
static bool fits_where(const json_t *value, const char *term)
{
    const char *end = strchr(term, '=');

    if (*term == '.')
        term++;
    while (value && term < end) {
        size_t len = strcspn(term, ".=");

        value = step_into(value, term, len);
        term += len + (term[len] == '.');
    }
    return value && is_value(value, end + 1);
}

static bool fits(const struct tap_term *term, const struct tap_record *record,
                 const json_t *value)
{
    switch (term->kind) {
    case TAP_CONTAINS:
        return is_anywhere(record, term->text);
    case TAP_KEY:
        return contains(record->key, record->key_len, term->text);
    case TAP_VALUE:
        return contains(record->value, record->value_len, term->text);
    case TAP_HEADER:
        return has_header(record, term->text);
    case TAP_WHERE:
        return fits_where(value, term->text);
    }
    return false;
}

bool tap_filter_fits(void *arg, const struct tap_record *record)
{
    const struct tap_filter *filter = arg;
    json_t *value = NULL;
    bool is_fit = true;

    for (size_t i = 0; i < filter->count && is_fit; i++) {
        if (filter->terms[i].kind == TAP_WHERE && value == NULL && record->value)
            value = json_loadb(record->value, record->value_len,
                               JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        is_fit = fits(&filter->terms[i], record, value);
    }
    json_decref(value);
    return is_fit;
}
