/* SPDX-License-Identifier: MIT
 *
 * fuzz.h - what a fuzz target consists of: the one function, as libFuzzer names it, and
 * the words that fuzz_main.c puts into inputs (libFuzzer has a dictionary for that).
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

extern const char *const fuzz_words[]; /* NULL behind the last */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
