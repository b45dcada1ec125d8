/* SPDX-License-Identifier: MIT
 *
 * fuzz_main.c - runs a fuzz target without libFuzzer: every file of the given folders as
 * it is, then RUNS mutations of them, the same ones each time.
 * usage: fuzz_TARGET RUNS FOLDER…
 */
#include "fuzz.h"

#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 16 * 1024 };

struct input {
    uint8_t *data;
    size_t len;
};

struct corpus {
    struct input *inputs;
    size_t count;
    size_t capacity;
};

/* xorshift64*: the same sequence on every machine. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *state, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next_random(state) % limit);
}

static void add_file(struct corpus *corpus, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct text_buf text = {0};
    char chunk[4096];
    size_t got;

    if (file == NULL)
        return;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        text_append_bytes(&text, chunk, got);
    (void)fclose(file);
    corpus->inputs = mem_grow(corpus->inputs, corpus->count, &corpus->capacity,
                              sizeof *corpus->inputs);
    corpus->inputs[corpus->count].len = text.len;
    corpus->inputs[corpus->count++].data = (uint8_t *)text_take(&text);
}

static void add_folder(struct corpus *corpus, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", folder, entries[i]->d_name);

        if (entries[i]->d_name[0] != '.')
            add_file(corpus, path);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

/* Move the bytes behind at by insert and put new ones there; what is too long falls off. */
static void splice(struct input *in, size_t at, size_t removed, const void *bytes,
                   size_t len)
{
    size_t tail = in->len - at - removed;

    if (at + len + tail > INPUT_MAX)
        return;
    memmove(in->data + at + len, in->data + at + removed, tail);
    memcpy(in->data + at, bytes, len);
    in->len = at + len + tail;
}

static size_t count_words(void)
{
    size_t count = 0;

    while (fuzz_words[count] != NULL)
        count++;
    return count;
}

static void mutate_once(struct input *in, const struct corpus *corpus, uint64_t *state)
{
    const struct input *other = &corpus->inputs[below(state, corpus->count)];
    const char *word = fuzz_words[below(state, count_words())];
    size_t at = below(state, in->len + 1);
    size_t left = in->len - at;
    size_t from = below(state, other->len + 1);
    uint8_t byte = (uint8_t)next_random(state);

    switch (below(state, 6)) {
    case 0:
        splice(in, at, left > 0, &byte, 1);
        break;
    case 1:
        splice(in, at, below(state, left < 16 ? left + 1 : 16), "", 0);
        break;
    case 2:
    case 3:
        splice(in, at, below(state, left < 4 ? left + 1 : 4), word, strlen(word));
        break;
    case 4: /* repeat what follows */
        if (left > 0) {
            uint8_t copy[64];
            size_t len = 1 + below(state, left < sizeof copy ? left : sizeof copy);

            memcpy(copy, in->data + at, len);
            splice(in, at, 0, copy, len);
        }
        break;
    default:
        splice(in, at, 0, other->data + from, below(state, other->len - from + 1));
    }
}

/* In a block of its own size, so that ASan sees a step beyond its end. */
static void run_exact(const struct input *in)
{
    uint8_t *copy = mem_alloc(in->len);

    memcpy(copy, in->data, in->len);
    (void)LLVMFuzzerTestOneInput(copy, in->len);
    free(copy);
}

int main(int argc, char **argv)
{
    struct corpus corpus = {0};
    struct input in = {.data = mem_alloc(INPUT_MAX)};
    uint64_t state = 42;
    long runs = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

    for (int i = 2; i < argc; i++)
        add_folder(&corpus, argv[i]);
    if (runs <= 0 || corpus.count == 0) {
        (void)fputs("usage: fuzz_TARGET RUNS FOLDER… (with files in them)\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < corpus.count; i++)
        (void)LLVMFuzzerTestOneInput(corpus.inputs[i].data, corpus.inputs[i].len);
    for (long run = 0; run < runs; run++) {
        const struct input *seed = &corpus.inputs[below(&state, corpus.count)];

        in.len = seed->len < INPUT_MAX ? seed->len : INPUT_MAX;
        memcpy(in.data, seed->data, in.len);
        for (size_t k = 1 + below(&state, 6); k > 0; k--)
            mutate_once(&in, &corpus, &state);
        run_exact(&in);
    }
    (void)printf("%ld mutations of %zu files without a finding\n"
                 "100%%: Checks: %ld, Failures: 0, Errors: 0\n",
                 runs, corpus.count, runs + (long)corpus.count);
    for (size_t i = 0; i < corpus.count; i++)
        free(corpus.inputs[i].data);
    free(corpus.inputs);
    free(in.data);
    return 0;
}
