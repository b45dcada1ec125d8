/* SPDX-License-Identifier: MIT
 *
 * integer.h - whole numbers of any size, as decimal text.
 * Used by the built-in programs. Pure. Records carry numbers as text and answers leave
 * as text, so sums are made on the text: nothing wraps, nothing is rounded, and no
 * conversion to binary and back is paid for (docs/programs.md, arithmetic).
 */
#ifndef COMMON_INTEGER_H
#define COMMON_INTEGER_H

#include <stdbool.h>
#include <stddef.h>

/* A whole number. Zero is "0" and not negative; digits has no leading zeros. */
struct integer {
    bool negative;
    const char *digits; /* borrowed from the text that was parsed; not NUL-terminated */
    size_t len;
};

/*
 * Read an optional sign and one or more digits, nothing else around them; leading zeros
 * are taken ("007" is 7). False when text is anything else.
 */
bool integer_parse(const char *text, size_t len, struct integer *out);

/*
 * Write a + b, a - b, |a - b| as text to out, which has room for
 * integer_room(a, b) bytes. Returns the length; no NUL is written.
 */
size_t integer_room(const struct integer *a, const struct integer *b);
size_t integer_add(const struct integer *a, const struct integer *b, char *out);
size_t integer_subtract(const struct integer *a, const struct integer *b, char *out);
size_t integer_distance(const struct integer *a, const struct integer *b, char *out);

#endif
