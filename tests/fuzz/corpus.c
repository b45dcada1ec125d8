/* SPDX-License-Identifier: MIT */
#include "corpus.h"

#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64*: the same sequence on every machine. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

size_t corpus_below(uint64_t *state, size_t limit)
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

void corpus_add_folder(struct corpus *corpus, const char *folder)
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

/* Move the bytes behind at by insert and put new ones there; what is too long falls
 * off. */
static void splice(struct corpus_input *in, size_t at, size_t removed,
                   const void *bytes, size_t len)
{
    size_t tail = in->len - at - removed;

    if (at + len + tail > CORPUS_INPUT_MAX)
        return;
    memmove(in->data + at + len, in->data + at + removed, tail);
    memcpy(in->data + at, bytes, len);
    in->len = at + len + tail;
}

static size_t count_words(const char *const *words)
{
    size_t count = 0;

    while (words[count] != NULL)
        count++;
    return count;
}

static void mutate_once(struct corpus_input *in, const struct corpus *corpus,
                        const char *const *words, uint64_t *state)
{
    const struct corpus_input *other =
        &corpus->inputs[corpus_below(state, corpus->count)];
    const char *word = words[corpus_below(state, count_words(words))];
    size_t at = corpus_below(state, in->len + 1);
    size_t left = in->len - at;
    size_t from = corpus_below(state, other->len + 1);
    uint8_t byte = (uint8_t)next_random(state);

    switch (corpus_below(state, 6)) {
    case 0:
        splice(in, at, left > 0, &byte, 1);
        break;
    case 1:
        splice(in, at, corpus_below(state, left < 16 ? left + 1 : 16), "", 0);
        break;
    case 2:
    case 3:
        splice(in, at, corpus_below(state, left < 4 ? left + 1 : 4), word,
               strlen(word));
        break;
    case 4: /* repeat what follows */
        if (left > 0) {
            uint8_t copy[64];
            size_t len =
                1 + corpus_below(state, left < sizeof copy ? left : sizeof copy);

            memcpy(copy, in->data + at, len);
            splice(in, at, 0, copy, len);
        }
        break;
    default:
        splice(in, at, 0, other->data + from,
               corpus_below(state, other->len - from + 1));
    }
}

void corpus_mutate(const struct corpus *corpus, const char *const *words,
                   uint64_t *state, struct corpus_input *out)
{
    const struct corpus_input *seed =
        &corpus->inputs[corpus_below(state, corpus->count)];

    out->len = seed->len < CORPUS_INPUT_MAX ? seed->len : CORPUS_INPUT_MAX;
    memcpy(out->data, seed->data, out->len);
    for (size_t k = 1 + corpus_below(state, 6); k > 0; k--)
        mutate_once(out, corpus, words, state);
}

void corpus_clear(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        free(corpus->inputs[i].data);
    free(corpus->inputs);
    *corpus = (struct corpus){0};
}
