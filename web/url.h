/* SPDX-License-Identifier: MIT
 *
 * url.h - a request's target taken apart: segments of the path, members of the query.
 * Layer: web. Pure. Everything is decoded exactly once; what could be read in two ways
 * is refused: '/', '\', NUL and other control characters inside of a segment, "." and
 * "..", broken escapes and broken UTF-8.
 */
#ifndef WEB_URL_H
#define WEB_URL_H

#include "base/error.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

enum { URL_SEGMENTS = 12, URL_MEMBERS = 16 };

struct url_member {
    const char *name;
    const char *value;
};

/* Zero-initialise; url_clear. */
struct url {
    struct mem_arena arena;
    const char *segments[URL_SEGMENTS]; /* "/api/v1" → "api" "v1"; "/" → none */
    size_t segment_count;
    struct url_member members[URL_MEMBERS];
    size_t member_count;
};

/* ERROR_INPUT: it is refused. A member that comes twice is refused too. */
int url_parse(const char *target, struct url *out, struct error *err);
void url_clear(struct url *url);

/* The value of a member, or NULL. */
const char *url_member(const struct url *url, const char *name);

#endif
