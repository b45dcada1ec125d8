/* SPDX-License-Identifier: MIT
 *
 * fuzz.h - the one function of a fuzz target, as libFuzzer names it.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
