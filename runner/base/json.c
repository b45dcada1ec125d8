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

/* The code point of a UTF-8 sequence of one to three bytes. */
static unsigned code_point(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;

    if (len == 1)
        return s[0];
    return len == 2 ? (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu)
                    : (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
}

/* What jansson leaves as it is though a terminal would act on it; it is in strings. */
static char *escaped(char *line)
{
    struct text_buf out = {0};
    size_t left = strlen(line);
    const char *kept = line;

    for (const char *at = line; left > 0;) {
        size_t unsafe = (unsigned char)*at < 0x7f ? 0 : text_unsafe_length(at, left);
        size_t len = unsafe ? unsafe : 1;

        if (unsafe) {
            text_append_bytes(&out, kept, (size_t)(at - kept));
            text_appendf(&out, "\\u%04X", code_point(at, unsafe));
            kept = at + unsafe;
        } else if ((unsigned char)*at >= 0x80) {
            len = text_utf8_length(at, left);
        }
        at += len;
        left -= len;
    }
    if (out.len == 0)
        return line;
    text_append(&out, kept);
    free(line);
    return text_take(&out);
}

char *json_line(const json_t *value)
{
    char *line = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    return line ? escaped(line) : mem_strdup("null");
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
