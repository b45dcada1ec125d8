/* SPDX-License-Identifier: MIT
 *
 * password.h - a password into what is kept of it, and back only to yes or no.
 * Layer: web. The only owner of libcrypt. Pure computation, tens of milliseconds and
 * 16 MiB each by intent: never on the loop (verify.h).
 * Source: docs/decisions/0011-passwords.md
 */
#ifndef WEB_PASSWORD_H
#define WEB_PASSWORD_H

#include "base/error.h"

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 256, PASSWORD_HASH_MAX = 384 };

/* Long enough, not too long, no control characters: ERROR_INPUT says which. */
int password_check(const char *password, struct error *err);

/* With a salt of its own; method and cost stand in it. The caller frees; NULL and err.
 */
char *password_hash(const char *password, struct error *err);

/* hash NULL: no, after the same time. */
bool password_matches(const char *password, const char *hash);

/* Can it be a hash that password_matches understands? */
bool password_is_hash(const char *text);

#endif
