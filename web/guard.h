/* SPDX-License-Identifier: MIT
 *
 * guard.h - who may ask: the Host and Origin of a request, the token, the session
 * cookie. Layer: web. It decides from a few texts of the request and knows no route.
 *
 * A page that any site could open must not reach us through the browser: a name that
 * was rebound to this address fails at Host (only IP literals, localhost and names that
 * were allowed), other sites' pages at Origin and Sec-Fetch-Site. Beyond that
 * everything but what is public needs the token of the file, or the cookie that was
 * given for it.
 */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum guard_role { GUARD_PUBLIC, GUARD_VIEWER, GUARD_OPERATOR, GUARD_ADMIN };

const char *guard_role_name(enum guard_role role);

enum { GUARD_TOKEN_LEN = 64, GUARD_SESSION_DAYS = 7 };

struct guard;

/*
 * hosts: names that Host may also have, a NULL-terminated array, borrowed; NULL: none.
 * port: of the server, in the name of the cookie. The token is read from token_path; a
 * file with a new one (0600) is made when there is none.
 * Errors: ERROR_INPUT the file can be read by others, or holds no token.
 */
struct guard *guard_open(const char *token_path, int port, const char *const *hosts,
                         struct error *err);
void guard_free(struct guard *guard);

const char *guard_token(const struct guard *guard);

/* Headers of a request; NULL: it has none. */
struct guard_request {
    const char *host;
    int host_count;
    const char *origin;
    const char *fetch_site;
    const char *authorization;
    const char *cookie;
    bool safe; /* GET or HEAD */
};

/*
 * Whether a request for something that needs this role is served; *status is the HTTP
 * status of the refusal (400, 401 or 403) and err its text.
 */
bool guard_allows(const struct guard *guard, const struct guard_request *request,
                  enum guard_role needs, int *status, struct error *err);

/* Is it the token? In constant time. */
bool guard_is_token(const struct guard *guard, const char *text);

/* The value of Set-Cookie for a session that begins at now_ms (wall clock), or that
 * ends it; the caller frees. */
char *guard_session(const struct guard *guard, int64_t now_ms);
char *guard_no_session(const struct guard *guard);

#endif
