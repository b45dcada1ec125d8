/* SPDX-License-Identifier: MIT
 *
 * fuzz_main.c - runs a fuzz target without libFuzzer: every file of the given folders
 * as it is, then RUNS mutations of them, the same ones each time. usage: fuzz_TARGET
 * RUNS FOLDER…
 */
#include "corpus.h"
#include "fuzz.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In a block of its own size, so that ASan sees a step beyond its end. */
static void run_exact(const struct corpus_input *in)
{
    uint8_t *copy = mem_alloc(in->len);

    memcpy(copy, in->data, in->len);
    (void)LLVMFuzzerTestOneInput(copy, in->len);
    free(copy);
}

int main(int argc, char **argv)
{
    struct corpus corpus = {0};
    struct corpus_input in = {.data = mem_alloc(CORPUS_INPUT_MAX)};
    uint64_t state = 42;
    long runs = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

    for (int i = 2; i < argc; i++)
        corpus_add_folder(&corpus, argv[i]);
    if (runs <= 0 || corpus.count == 0) {
        (void)fputs("usage: fuzz_TARGET RUNS FOLDER… (with files in them)\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < corpus.count; i++)
        (void)LLVMFuzzerTestOneInput(corpus.inputs[i].data, corpus.inputs[i].len);
    for (long run = 0; run < runs; run++) {
        corpus_mutate(&corpus, fuzz_words, &state, &in);
        run_exact(&in);
    }
    (void)printf("%ld mutations of %zu files without a finding\n"
                 "100%%: Checks: %ld, Failures: 0, Errors: 0\n",
                 runs, corpus.count, runs + (long)corpus.count);
    corpus_clear(&corpus);
    free(in.data);
    return 0;
}
