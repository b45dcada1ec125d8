/* SPDX-License-Identifier: MIT
 *
 * error.h - what went wrong, where, and which exit code that is.
 * Layer: base. A struct error is owned by the caller and zero-initialised; the first
 * error that is set stays. Actions return 0 or -1 and fill it, err is never NULL.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

enum error_kind {
    ERROR_NONE = 0,
    ERROR_FAILED,      /* exit 1: the run failed or is degraded */
    ERROR_INPUT,       /* exit 2: bad YAML or usage */
    ERROR_UNREACHABLE, /* exit 3: broker or server unreachable */
    ERROR_NOT_FOUND,   /* exit 4 */
    ERROR_CONFLICT,    /* exit 5 */
    ERROR_INTERNAL,    /* exit 1: the system refused (disk, memory, descriptors) */
    ERROR_TIMEOUT,     /* exit 124 */
    ERROR_INTERRUPTED, /* exit 130 */
    ERROR_KINDS
};

struct error {
    enum error_kind kind;
    char text[1024];
};

/* Set err to a printf-formatted text; does nothing when err is set already. */
void error_set(struct error *err, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put context in front of the text: "node add: " + text. */
void error_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Put " (did you mean 'near'?)" behind the text that was just set; NULL: nothing. */
void error_near(struct error *err, const char *near);

bool error_is_set(const struct error *err);

/* The process exit code and the HTTP status that a kind stands for. */
int error_exit_code(enum error_kind kind);
int error_http_status(enum error_kind kind);

#endif
