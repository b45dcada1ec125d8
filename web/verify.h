/* SPDX-License-Identifier: MIT
 *
 * verify.h - is this the password? Computed in a process of its own, because it takes
 * tens of milliseconds and many megabytes by intent: few at once, the others wait.
 * Layer: web. One thread.
 */
#ifndef WEB_VERIFY_H
#define WEB_VERIFY_H

#include "base/error.h"
#include "base/loop.h"

#include <stdbool.h>

enum { VERIFY_AT_ONCE = 2, VERIFY_WAITING_MAX = 64 };

struct verifier;

struct verifier *verifier_new(struct loop *loop);
/* What has not been answered is answered with "no". */
void verifier_free(struct verifier *verifier);

/* err: it could not be computed; matches is false then. */
typedef void verify_fn(void *arg, bool matches, const struct error *err);

/* hash NULL: there is no such user; "no" after the same time. Both are copied. fn is
 * called exactly once, now or later. ERROR_UNREACHABLE: too many wait. */
void verify_start(struct verifier *verifier, const char *password, const char *hash,
                  verify_fn *fn, void *arg);

#endif
