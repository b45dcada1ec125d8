/* SPDX-License-Identifier: MIT
 *
 * corpus.h - inputs read from folders, and mutations of them, the same ones each time:
 * for fuzzers that run without libFuzzer.
 */
#ifndef TESTS_CORPUS_H
#define TESTS_CORPUS_H

#include <stddef.h>
#include <stdint.h>

enum { CORPUS_INPUT_MAX = 16 * 1024 };

struct corpus_input {
    uint8_t *data;
    size_t len;
};

/* Zero-initialise; corpus_clear. */
struct corpus {
    struct corpus_input *inputs;
    size_t count;
    size_t capacity;
};

/* Every file of a folder, in the order of their names. */
void corpus_add_folder(struct corpus *corpus, const char *folder);
void corpus_clear(struct corpus *corpus);

/* A number below limit; 0 when that is 0. state: not 0. */
size_t corpus_below(uint64_t *state, size_t limit);

/* An input with a few changes, out of words (ends with NULL) too. out->data: room for
 * CORPUS_INPUT_MAX bytes. */
void corpus_mutate(const struct corpus *corpus, const char *const *words,
                   uint64_t *state, struct corpus_input *out);

#endif
