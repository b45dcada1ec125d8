/* SPDX-License-Identifier: MIT */
#include "core/dag_json.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void dag_json_append_string(struct text_buf *out, const char *text)
{
    text_append(out, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            text_appendf(out, "\\%c", c);
        else if (c == '\n')
            text_append(out, "\\n");
        else if (c == '\t')
            text_append(out, "\\t");
        else if (c < 0x20)
            text_appendf(out, "\\u%04x", c);
        else
            text_append_bytes(out, text, 1);
    }
    text_append(out, "\"");
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* A decimal number: sign, whole part, fraction and exponent as YAML has them. */
struct decimal {
    bool negative;
    const char *whole;
    size_t whole_len;
    const char *fraction;
    size_t fraction_len;
    bool has_point;
    const char *exponent; /* "e+5", to the end; "" */
};

static bool parse_decimal(const char *text, struct decimal *d)
{
    *d = (struct decimal){.negative = *text == '-'};
    if (*text == '-' || *text == '+')
        text++;
    d->whole = text;
    d->whole_len = digits(text);
    text += d->whole_len;
    if (*text == '.') {
        d->has_point = true;
        d->fraction = text + 1;
        d->fraction_len = digits(text + 1);
        text += 1 + d->fraction_len;
    }
    if (d->whole_len + d->fraction_len == 0)
        return false;
    d->exponent = text;
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '-' || *text == '+')
            text++;
        if (digits(text) == 0)
            return false;
        text += digits(text);
    }
    return *text == '\0';
}

/* JSON wants a digit on both sides of the point, no plus and no zeros in front. */
static void append_decimal(struct text_buf *out, const struct decimal *d)
{
    const char *whole = d->whole;
    size_t len = d->whole_len;

    while (len > 1 && *whole == '0') {
        whole++;
        len--;
    }
    text_append(out, d->negative ? "-" : "");
    text_append_bytes(out, len > 0 ? whole : "0", len > 0 ? len : 1);
    if (d->has_point) {
        text_append(out, ".");
        text_append_bytes(out, d->fraction_len > 0 ? d->fraction : "0",
                          d->fraction_len > 0 ? d->fraction_len : 1);
    }
    text_append(out, d->exponent);
}

/* 0x1f and 0o17. False when it is neither. */
static bool append_based(struct text_buf *out, const struct dag_value *value,
                         struct diag_list *diags)
{
    const char *text = value->text;
    bool hex = strncmp(text, "0x", 2) == 0;
    bool octal = strncmp(text, "0o", 2) == 0;
    const char *allowed = hex ? "0123456789abcdefABCDEF" : "01234567";
    uint64_t number;

    if ((!hex && !octal) || text[2] == '\0' ||
        text[2 + strspn(text + 2, allowed)] != '\0')
        return false;
    errno = 0;
    number = strtoull(text + 2, NULL, hex ? 16 : 8);
    if (errno != 0)
        diag_add(diags, value->pos.line, value->pos.column,
                 "number above 64 bits: write it in decimal, or in quotes as text");
    text_appendf(out, "%" PRIu64, number);
    return true;
}

static void append_plain(struct text_buf *out, const struct dag_value *value,
                         struct diag_list *diags)
{
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    static const char *const not_json[] = {
        ".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf", "+.INF", "-.inf",
        "-.Inf", "-.INF", ".nan",  ".NaN",  ".NAN",  NULL};
    struct decimal d;

    if (dag_value_is_null(value)) {
        text_append(out, "null");
    } else if (is_one_of(value->text, yes) || is_one_of(value->text, no)) {
        text_append(out, is_one_of(value->text, yes) ? "true" : "false");
    } else if (is_one_of(value->text, not_json)) {
        diag_add(diags, value->pos.line, value->pos.column,
                 "%s is no JSON number: expected a finite one, or text in quotes",
                 value->text);
        text_append(out, "null");
    } else if (parse_decimal(value->text, &d)) {
        append_decimal(out, &d);
    } else if (!append_based(out, value, diags)) {
        dag_json_append_string(out, value->text);
    }
}

static void append_value(struct text_buf *out, const struct dag_value *value,
                         struct diag_list *diags)
{
    if (value->kind == DAG_SCALAR) {
        if (value->plain)
            append_plain(out, value, diags);
        else
            dag_json_append_string(out, value->text);
        return;
    }
    text_append(out, value->kind == DAG_LIST ? "[" : "{");
    for (const struct dag_item *item = value->items; item; item = item->next) {
        if (item->key) {
            dag_json_append_string(out, item->key->text);
            text_append(out, ":");
        }
        append_value(out, item->value, diags);
        if (item->next)
            text_append(out, ",");
    }
    text_append(out, value->kind == DAG_LIST ? "]" : "}");
}

const char *dag_json(const struct dag_value *value, struct mem_arena *arena,
                     struct diag_list *diags)
{
    struct text_buf out = {0};
    const char *text;

    append_value(&out, value, diags);
    text = mem_arena_strndup(arena, text_str(&out), out.len);
    text_buf_clear(&out);
    return text;
}
