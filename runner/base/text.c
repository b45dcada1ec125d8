/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void text_reserve(struct text_buf *buf, size_t extra)
{
    size_t need = buf->len + extra + 1;
    size_t capacity = buf->capacity ? buf->capacity : 64;

    if (extra > SIZE_MAX / 4) /* nobody has that much memory */
        abort();
    if (need <= buf->capacity)
        return;
    while (capacity < need)
        capacity *= 2;
    buf->data = mem_resize(buf->data, capacity);
    buf->capacity = capacity;
}

void text_append_bytes(struct text_buf *buf, const void *data, size_t len)
{
    text_reserve(buf, len);
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void text_append(struct text_buf *buf, const char *text)
{
    text_append_bytes(buf, text, strlen(text));
}

__attribute__((format(printf, 2, 0))) static void
append_format(struct text_buf *buf, const char *format, va_list ap)
{
    va_list again;
    int len;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return;
    text_reserve(buf, (size_t)len);
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, ap);
    buf->len += (size_t)len;
}

void text_appendf(struct text_buf *buf, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    append_format(buf, format, ap);
    va_end(ap);
}

void text_drop_front(struct text_buf *buf, size_t len)
{
    if (len == 0)
        return;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
    buf->data[buf->len] = '\0';
}

const char *text_str(const struct text_buf *buf)
{
    return buf->data ? buf->data : "";
}

char *text_take(struct text_buf *buf)
{
    char *data = buf->data ? buf->data : mem_strdup("");

    *buf = (struct text_buf){0};
    return data;
}

void text_buf_clear(struct text_buf *buf)
{
    free(buf->data);
    *buf = (struct text_buf){0};
}

struct unit {
    const char *name;
    int64_t factor;
};

/* digits[.digits]unit, exactly; the product must fit. */
static bool parse_with_unit(const char *text, const struct unit *units, size_t count,
                            int64_t *out)
{
    const char *end = text + strspn(text, "0123456789");
    const char *whole_end = end;
    double fraction = 0;
    int64_t whole;

    if (end == text || end - text > 18)
        return false;
    whole = strtoll(text, NULL, 10);
    if (*end == '.') {
        double scale = 0.1;

        for (end++; *end >= '0' && *end <= '9'; end++, scale /= 10)
            fraction += (*end - '0') * scale;
        if (end == whole_end + 1)
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t value;

        if (strcmp(end, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow(whole, units[i].factor, &value))
            return false;
        return !__builtin_add_overflow(
            value, (int64_t)(fraction * (double)units[i].factor + 0.5), out);
    }
    return false;
}

bool text_parse_duration_ms(const char *text, int64_t *ms)
{
    static const struct unit units[] = {{"ms", 1},         {"s", 1000},
                                        {"m", 60 * 1000},  {"min", 60 * 1000},
                                        {"h", 3600 * 1000}, {"d", 24 * 3600 * 1000}};

    return parse_with_unit(text, units, sizeof units / sizeof *units, ms);
}

bool text_parse_bytes(const char *text, int64_t *bytes)
{
    static const struct unit units[] = {
        {"", 1},           {"B", 1},          {"kB", 1000},
        {"KB", 1000},      {"KiB", 1 << 10},  {"MB", 1000 * 1000},
        {"MiB", 1 << 20},  {"GB", 1000000000}, {"GiB", 1 << 30}};

    return parse_with_unit(text, units, sizeof units / sizeof *units, bytes);
}

bool text_parse_int(const char *text, int64_t *value)
{
    char *end;

    if (*text != '-' && (*text < '0' || *text > '9'))
        return false;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

void text_format_duration(int64_t ms, char text[TEXT_NUMBER])
{
    if (ms < 1000)
        (void)snprintf(text, TEXT_NUMBER, "%" PRId64 "ms", ms);
    else if (ms < 60 * 1000)
        (void)snprintf(text, TEXT_NUMBER, "%" PRId64 ".%" PRId64 "s", ms / 1000,
                       ms % 1000 / 100);
    else if (ms < 3600 * 1000)
        (void)snprintf(text, TEXT_NUMBER, "%" PRId64 "m%02" PRId64 "s", ms / 60000,
                       ms / 1000 % 60);
    else
        (void)snprintf(text, TEXT_NUMBER, "%" PRId64 "h%02" PRId64 "m", ms / 3600000,
                       ms / 60000 % 60);
}

void text_format_bytes(int64_t bytes, char text[TEXT_NUMBER])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t i = 0;

    while (value >= 1024 && i + 1 < sizeof names / sizeof *names) {
        value /= 1024;
        i++;
    }
    if (value == (double)(int64_t)value)
        (void)snprintf(text, TEXT_NUMBER, "%" PRId64 " %s", (int64_t)value, names[i]);
    else
        (void)snprintf(text, TEXT_NUMBER, "%.1f %s", value, names[i]);
}

void text_format_count(int64_t count, char text[TEXT_NUMBER])
{
    char digits[TEXT_NUMBER];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRId64, count);
    size_t out = 0;

    for (size_t i = 0; i < len && out + 1 < TEXT_NUMBER; i++) {
        size_t left = len - i;

        if (i > 0 && left % 3 == 0 && digits[i - 1] != '-')
            text[out++] = ',';
        text[out++] = digits[i];
    }
    text[out] = '\0';
}

enum { WORD_MAX = 64 };

/* Distances above limit are all the same: looking stops as soon as it is passed. */
static size_t edit_distance(const char *a, const char *b, size_t limit)
{
    size_t la = strlen(a);
    size_t lb = strlen(b);
    size_t row[WORD_MAX + 1];
    size_t before[WORD_MAX + 1]; /* the row before the last */

    if (la > WORD_MAX || lb > WORD_MAX || la > lb + limit || lb > la + limit)
        return WORD_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        size_t swapped = i > 1 ? before[0] : 0; /* two up, two left */
        size_t least = i;

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                swapped + 1 < best)
                best = swapped + 1;
            if (j > 1)
                swapped = before[j - 1];
            before[j - 1] = diagonal;
            diagonal = row[j];
            row[j] = best;
            if (best < least)
                least = best;
        }
        if (least > limit)
            return WORD_MAX;
    }
    return row[lb];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t limit = strlen(word) / 3;
    const char *best = NULL;
    size_t best_distance;

    if (limit > 2)
        limit = 2;
    if (limit < 1)
        limit = 1;
    best_distance = limit + 1;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, candidates[i], limit);

        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}

size_t text_utf8_length(const char *text, size_t left)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

    if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] > 0xf4))
        return 0;
    if (len > left)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    if (s[0] == 0xe0 && s[1] < 0xa0)
        return 0;
    if (s[0] == 0xed && s[1] > 0x9f)
        return 0;
    if (s[0] == 0xf0 && s[1] < 0x90)
        return 0;
    if (s[0] == 0xf4 && s[1] > 0x8f)
        return 0;
    return len;
}

/* How many bytes from s on are printable ASCII or tabs: most text is only that. */
static size_t plain_length(const unsigned char *s, size_t left)
{
    size_t len = 0;

    while (len < left && ((s[len] >= 0x20 && s[len] < 0x7f) || s[len] == '\t'))
        len++;
    return len;
}

/* U+061C, 200E, 200F, 2028 to 202E, 2066 to 2069. */
static bool turns_direction(const unsigned char *s, size_t len)
{
    if (len == 2)
        return s[0] == 0xd8 && s[1] == 0x9c;
    if (len != 3 || s[0] != 0xe2)
        return false;
    if (s[1] == 0x80)
        return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae);
    return s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

size_t text_unsafe_length(const char *text, size_t left)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len = text_utf8_length(text, left);

    if (len == 0)
        return 1;
    if (len == 1)
        return (s[0] < 0x20 && s[0] != '\t') || s[0] == 0x7f;
    /* C1 controls are two bytes in UTF-8: c2 80 … c2 9f. */
    if (len == 2 && s[0] == 0xc2 && s[1] < 0xa0)
        return len;
    return turns_direction(s, len) ? len : 0;
}

void text_print_safe(FILE *out, const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;

    for (size_t i = 0; i < len;) {
        size_t plain = plain_length(s + i, len - i);
        size_t unsafe = plain ? 0 : text_unsafe_length(text + i, len - i);

        if (plain == 0 && unsafe == 0)
            plain = text_utf8_length(text + i, len - i);
        if (plain > 0)
            (void)fwrite(s + i, 1, plain, out);
        for (size_t k = 0; k < unsafe; k++)
            (void)fprintf(out, "\\x%02x", s[i + k]);
        i += plain + unsafe;
    }
}

void text_printf_safe(FILE *out, const char *format, ...)
{
    struct text_buf text = {0};
    const char *line;
    va_list ap;

    va_start(ap, format);
    append_format(&text, format, ap);
    va_end(ap);
    for (line = text_str(&text); *line;) {
        size_t len = strcspn(line, "\n");

        text_print_safe(out, line, len);
        if (line[len] == '\n')
            (void)fputc('\n', out);
        line += len + (line[len] == '\n');
    }
    text_buf_clear(&text);
}
