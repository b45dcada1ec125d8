/* SPDX-License-Identifier: MIT
 *
 * records_seeds.c - writes seeds for fuzz_records into a folder: a few records, with
 * every codec.
 */
#include "ledger/log/records.h"

#include <stdio.h>
#include <string.h>

static int write_seed(const char *folder, int codec)
{
    struct batch model = {.attributes = (int16_t)codec, .last_offset_delta = 9};
    struct records_builder builder = {0};
    const uint8_t *data;
    uint8_t head[2] = {(uint8_t)codec, 10};
    char path[4096];
    size_t size;
    FILE *out;
    bool written;

    records_build(&builder, &model);
    for (int i = 0; i < 10; i++) {
        struct record record = {.offset = i,
                                .timestamp = i,
                                .key = (const uint8_t *)"key",
                                .key_len = i % 3 == 0 ? -1 : 3,
                                .value = (const uint8_t *)"some value of some length",
                                .value_len = i % 4 == 0 ? -1 : i,
                                .headers = (const uint8_t *)"\2\2h\2v",
                                .headers_len = 5};

        if (record.key_len < 0)
            record.key = NULL;
        if (record.value_len < 0)
            record.value = NULL;
        records_add(&builder, &record);
    }
    data = records_finish(&builder, &size);
    (void)snprintf(path, sizeof(path), "%s/codec-%d", folder, codec);
    out = fopen(path, "wb");
    written = data != NULL && out != NULL && fwrite(head, 1, 2, out) == 2 &&
              fwrite(data + BATCH_HEADER_BYTES, 1, size - BATCH_HEADER_BYTES, out) ==
                  size - BATCH_HEADER_BYTES;
    if (out != NULL)
        (void)fclose(out);
    records_builder_clear(&builder);
    return written ? 0 : -1;
}

int main(int argc, char **argv)
{
    for (int codec = BATCH_NONE; codec <= BATCH_ZSTD; codec++)
        if (argc != 2 || write_seed(argv[1], codec) != 0) {
            (void)fputs("usage: records_seeds FOLDER\n", stderr);
            return 2;
        }
    return 0;
}
