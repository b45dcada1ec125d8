/* SPDX-License-Identifier: MIT
 *
 * guard.h - who may ask: the Host and Origin of a request, the token, users with their
 * passwords, the session cookie. Layer: web. It decides from a few texts of the request
 * and knows no route.
 *
 * A page that any site could open must not reach us through the browser: a name that
 * was rebound to this address fails at Host (only IP literals, localhost and names that
 * were allowed), other sites' pages at Origin and Sec-Fetch-Site. Beyond that
 * everything but what is public needs the token of the file, a user with the password,
 * or the cookie that was given for either; and the role that the route asks for.
 */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include "base/error.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum guard_role { GUARD_PUBLIC, GUARD_VIEWER, GUARD_OPERATOR, GUARD_ADMIN };

const char *guard_role_name(enum guard_role role);

enum {
    GUARD_TOKEN_LEN = 64,
    GUARD_SESSION_DAYS = 7,
    GUARD_NAME_MAX = 63,
    GUARD_TRIES = 10, /* wrong passwords at once, of an address and of a user; then */
    GUARD_TRY_MS = 6000,    /* one in this time */
    GUARD_KNOWN_MS = 300000 /* how long a password is known that was right */
};

struct guard;

struct guard_config {
    struct loop *loop; /* for verifying passwords */
    const char
        *token_path; /* a file with a new one (0600) is made when there is none */
    const char *users_path;   /* need not be there */
    int port;                 /* of the server, in the name of the cookie */
    const char *const *hosts; /* names that Host may also have, NULL-terminated,
                                 borrowed; NULL: none */
};

/*
 * Errors: ERROR_INPUT one of the files can be read by others, or can't be understood.
 */
struct guard *guard_open(const struct guard_config *config, struct error *err);
/* Passwords that are still verified are answered with "no". */
void guard_free(struct guard *guard);

const char *guard_token(const struct guard *guard);
/* Have the users changed since this was asked last? */
bool guard_users_changed(struct guard *guard);
size_t guard_user_count(const struct guard *guard);

/* Headers of a request; NULL: it has none. */
struct guard_request {
    const char *host;
    int host_count;
    const char *origin;
    const char *fetch_site;
    const char *authorization;
    const char *cookie;
    const char *peer; /* the address that asks */
    bool safe;        /* GET or HEAD */
};

/* Who asks. */
struct guard_who {
    enum guard_role role;          /* GUARD_PUBLIC: nobody that is known */
    char name[GUARD_NAME_MAX + 1]; /* of the user; "token": who has the token */
};

/* A refusal, as HTTP says it. */
struct guard_refusal {
    int status;                    /* 400, 401, 403, 429 or 503 */
    int after_s;                   /* when to try again; 0: not said */
    bool password;                 /* a name and a password were wrong, not missing */
    char name[GUARD_NAME_MAX + 1]; /* whose password was wrong; "" else */
    char text[256];
};

/* Host, Origin and site: may the request be answered at all? */
bool guard_admits(const struct guard *guard, const struct guard_request *request,
                  bool is_public, struct guard_refusal *no);

/* Told at once or later, exactly once: who it is, or no. */
typedef void guard_fn(void *arg, const struct guard_who *who,
                      const struct guard_refusal *no);

/*
 * Who asks, as far as it can be said at once: true, with *who. False, either with *no
 * (a status), or without (status 0) when a password has to be verified:
 * guard_verify_request does.
 */
bool guard_identify(struct guard *guard, const struct guard_request *request,
                    struct guard_who *who, struct guard_refusal *no);
void guard_verify_request(struct guard *guard, const struct guard_request *request,
                          guard_fn *fn, void *arg);

/* The same for a name and password of a login; the token is the password of "token".
 * Nothing is kept of either. */
void guard_verify(struct guard *guard, const char *peer, const char *name,
                  const char *password, guard_fn *fn, void *arg);

/* Does the role of who asks suffice? */
bool guard_permits(const struct guard_who *who, enum guard_role needs,
                   struct guard_refusal *no);

/* Is it the token? In constant time. */
bool guard_is_token(const struct guard *guard, const char *text);

/*
 * The value of Set-Cookie for a session of who that begins at now_ms (wall clock;
 * secure: only for TLS, when the page came over it), or that ends it; the caller frees.
 * A session ends with its time, with the token, and with its user: when that is
 * removed, or its role or password changed.
 */
char *guard_session(const struct guard *guard, const struct guard_who *who, bool secure,
                    int64_t now_ms);
char *guard_no_session(const struct guard *guard);

#endif
