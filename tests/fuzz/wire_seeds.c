/* SPDX-License-Identifier: MIT
 *
 * wire_seeds.c - write inputs for fuzz_wire: each message in each version, as a file.
 * usage: wire_seeds FOLDER
 */
#include "../support/wire_values.h"

#include "ledger/wire/api.h"

#include <stdio.h>
#include <stdlib.h>

static int write_file(const char *folder, const char *name, int version,
                      const char *head, size_t head_len, const struct text_buf *bytes,
                      size_t skip)
{
    char *path = mem_printf("%s/%s-%d", folder, name, version);
    FILE *file = fopen(path, "wb");
    int failed = 1;

    if (file != NULL) {
        (void)fwrite(head, 1, head_len, file);
        (void)fwrite(text_str(bytes) + skip, 1, bytes->len - skip, file);
        failed = fclose(file) != 0;
    }
    if (failed)
        perror(path);
    free(path);
    return failed;
}

static int write_seeds(const char *folder, size_t i,
                       const struct wire_values_message *known, uint64_t *state)
{
    int failed = 0;

    for (int16_t v = known->min_version; v <= known->max_version; v++) {
        const char head[] = {(char)i, (char)(v - known->min_version)};
        struct mem_arena arena = {0};
        struct wire_out out = {0};
        void *value = mem_arena_alloc(&arena, known->message->size);

        wire_values_random(known->message, v, state, &arena, value);
        wire_write(known->message, v, value, &out);
        failed += write_file(folder, known->message->name, v, head, sizeof head,
                             &out.bytes, 0);
        wire_out_clear(&out);
        mem_arena_clear(&arena);
    }
    return failed;
}

/* Requests of each kind with their heads; the length of the frame is left out. */
static int write_request(const char *folder, const struct wire_api *api)
{
    struct mem_arena arena = {0};
    struct wire_out out = {0};
    void *value = mem_arena_alloc(&arena, api->request->size);
    int failed;

    wire_defaults(api->request, value);
    wire_write_request(api, api->max_version, 1, wire_string_of("me"), value, &out);
    failed = write_file(folder, api->name, api->max_version, "\xff", 1, &out.bytes, 4);
    wire_out_clear(&out);
    mem_arena_clear(&arena);
    return failed;
}

int main(int argc, char **argv)
{
    struct wire_values_message known;
    uint64_t state = 4711;
    int failed = 0;

    if (argc != 2) {
        (void)fputs("usage: wire_seeds FOLDER\n", stderr);
        return 2;
    }
    for (size_t i = 0; wire_values_message(i, &known); i++)
        failed += write_seeds(argv[1], i, &known, &state);
    for (int16_t key = 0; key < WIRE_KEYS; key++)
        if (wire_api_find(key) != NULL)
            failed += write_request(argv[1], wire_api_find(key));
    return failed ? 1 : 0;
}
