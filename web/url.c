/* SPDX-License-Identifier: MIT */
#include "web/url.h"

#include "base/text.h"

#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_utf8(const char *text, size_t len)
{
    while (len > 0) {
        size_t step = text_utf8_length(text, len);

        if (step == 0)
            return false;
        text += step;
        len -= step;
    }
    return true;
}

/* NULL: broken escapes, control characters or broken UTF-8. */
static char *decode(struct mem_arena *arena, const char *text, size_t len, bool plus)
{
    char *out = mem_arena_alloc(arena, len + 1);
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '%') {
            if (i + 2 >= len || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
                return NULL;
            c = (unsigned char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f)
            return NULL;
        out[used++] = (char)c;
    }
    return is_utf8(out, used) ? out : NULL;
}

static int refuse(struct error *err, const char *what)
{
    error_set(err, ERROR_INPUT, "the address is refused: %s", what);
    return -1;
}

static int add_segment(struct url *url, const char *text, size_t len, struct error *err)
{
    const char *segment = decode(&url->arena, text, len, false);

    if (url->segment_count == URL_SEGMENTS)
        return refuse(err, "its path has too many parts");
    if (segment == NULL)
        return refuse(err, "its path has a broken escape or a control character");
    if (strpbrk(segment, "/\\") || strcmp(segment, ".") == 0 ||
        strcmp(segment, "..") == 0)
        return refuse(err, "a part of its path is '.', '..' or holds a slash");
    url->segments[url->segment_count++] = segment;
    return 0;
}

static int parse_path(struct url *url, const char *path, size_t len, struct error *err)
{
    const char *end = path + len;

    if (len == 0 || path[0] != '/')
        return refuse(err, "it does not begin with '/'");
    if (len == 1)
        return 0;
    while (path < end) {
        const char *begin = path + 1;
        const char *slash = memchr(begin, '/', (size_t)(end - begin));

        path = slash ? slash : end;
        if (add_segment(url, begin, (size_t)(path - begin), err) != 0)
            return -1;
    }
    return 0;
}

static int add_member(struct url *url, const char *text, size_t len, struct error *err)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : len;
    const char *name = decode(&url->arena, text, name_len, true);
    const char *value =
        equals ? decode(&url->arena, equals + 1, len - name_len - 1, true) : "";

    if (name == NULL || value == NULL)
        return refuse(err, "its query has a broken escape or a control character");
    if (url->member_count == URL_MEMBERS)
        return refuse(err, "its query has too many parameters");
    if (url_member(url, name))
        return refuse(err, "its query has the same parameter twice");
    url->members[url->member_count++] = (struct url_member){name, value};
    return 0;
}

static int parse_query(struct url *url, const char *query, struct error *err)
{
    while (*query) {
        size_t len = strcspn(query, "&");

        if (len > 0 && add_member(url, query, len, err) != 0)
            return -1;
        query += len + (query[len] == '&');
    }
    return 0;
}

int url_parse(const char *target, struct url *out, struct error *err)
{
    size_t len = strcspn(target, "?");

    if (parse_path(out, target, len, err) != 0)
        return -1;
    return target[len] == '?' ? parse_query(out, target + len + 1, err) : 0;
}

void url_clear(struct url *url)
{
    mem_arena_clear(&url->arena);
    *url = (struct url){0};
}

const char *url_member(const struct url *url, const char *name)
{
    for (size_t i = 0; i < url->member_count; i++) {
        if (strcmp(url->members[i].name, name) == 0)
            return url->members[i].value;
    }
    return NULL;
}
