/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

json_t *json_parse(const char *text, size_t len, struct error *err)
{
    json_error_t detail;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &detail);

    if (value == NULL)
        error_set(err, ERROR_INPUT, "not JSON at line %d column %d: %s", detail.line,
                  detail.column, detail.text);
    return value;
}

char *json_line(const json_t *value)
{
    char *line = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    return line ? line : mem_strdup("null");
}

const char *json_get_string(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : fallback;
}

int64_t json_get_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

bool json_get_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *json_text(const char *text)
{
    struct text_buf clean = {0};
    json_t *value;

    if (text == NULL)
        return json_null();
    value = json_string(text);
    if (value)
        return value;
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x80)
            text_append_bytes(&clean, c, 1);
        else
            text_append(&clean, "\xef\xbf\xbd");
    }
    value = json_string(text_str(&clean));
    text_buf_clear(&clean);
    return value;
}
