/* SPDX-License-Identifier: MIT
 *
 * guard_private.h - what the parts of the guard know of each other. Layer: web, private
 * to guard*.c.
 */
#ifndef WEB_GUARD_PRIVATE_H
#define WEB_GUARD_PRIVATE_H

#include "web/guard.h"
#include "web/throttle.h"
#include "web/users.h"
#include "web/verify.h"

enum { GUARD_MAC_BYTES = 32, GUARD_KNOWN_MAX = 64 };

/* A password that was right a moment ago: a keyed hash of it with name and hash. */
struct guard_known {
    unsigned char mac[GUARD_MAC_BYTES];
    int64_t until_ms; /* monotonic */
};

struct guard {
    char *token;
    char *cookie; /* its name */
    const char *const *hosts;
    struct users *users;
    uint64_t users_seen; /* their version when it was asked for */
    bool users_refused; /* their file can't be used, and the log says so */
    struct verifier *verifier;
    struct trial *trials; /* passwords that are being verified */
    struct throttle *addresses;
    struct throttle *names;
    unsigned char key[GUARD_MAC_BYTES]; /* of known; of this process only */
    struct guard_known known[GUARD_KNOWN_MAX];
    size_t known_next; /* the place that is taken next */
};

struct trial;

bool guard_refuse(struct guard_refusal *no, int status, const char *text);
/* How long it takes says nothing about where they differ. */
bool guard_is_same(const char *a, const char *b);
void guard_hex(const unsigned char *bytes, size_t count, char *text);
void guard_token_is(struct guard_who *who);
void guard_user_is(struct guard_who *who, const struct user *user);

/* Read the users again if they have changed; false: they can't be used. */
bool guard_users_refresh(struct guard *guard);

/* guard_token.c: the token of the file, made when there is none. The caller frees. */
char *guard_token_load(const char *path, struct error *err);

/* guard_session.c: does one of the cookies hold a session? Whose? */
bool guard_session_find(const struct guard *guard, const char *cookies,
                        struct guard_who *who);

/*
 * guard_password.c: name and password of "Basic …", both in text, which the caller
 * frees (guard_wipe); NULL when it is none.
 */
char *guard_basic(const char *authorization, const char **name, const char **password);
void guard_wipe(char *text);
/* Is it known without verifying? */
bool guard_password_known(struct guard *guard, const char *name, const char *password,
                          struct guard_who *who);

#endif
