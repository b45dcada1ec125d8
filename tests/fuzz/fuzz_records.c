/* SPDX-License-Identifier: MIT
 *
 * fuzz_records.c - batches as clients may send them: header, codecs, records. The input
 * is what lies behind a batch's header; its first byte chooses the codec. The header
 * itself is made right, or no input would come far; a second go takes the input as a
 * whole batch.
 */
#include "fuzz.h"
#include "ledger/log/records.h"

#include <stdlib.h>
#include <string.h>

enum { UNPACK_MAX = 1 << 20 };

const char *const fuzz_words[] = {
    "\x82SNAPPY", "\x1f\x8b\x08", "\x04\x22\x4d\x18", "\x28\xb5\x2f\xfd", "\x10", NULL};

/* Whatever is in a batch, building it again gives a batch that reads back the same. */
static void build_again(struct records_builder *builder, const struct record *record)
{
    struct records walk = {0};
    struct record copy;
    size_t size;
    const uint8_t *data;

    if (record->offset < builder->batch.base_offset)
        abort();
    records_add(builder, record);
    data = records_finish(builder, &size);
    if (data == NULL)
        return;
    if (!batch_crc_ok(data, size) ||
        records_begin(&walk, data, size, 2 * UNPACK_MAX) != KAFKA_NONE ||
        records_next(&walk, &copy) != 1 || copy.offset != record->offset ||
        copy.key_len != record->key_len || copy.value_len != record->value_len ||
        copy.headers_len != record->headers_len)
        abort();
    records_clear(&walk);
}

static void walk_over(const uint8_t *data, size_t size)
{
    struct records walk = {0};
    struct records_builder builder = {0};
    struct record record;
    int count = 0;

    (void)batch_crc_ok(data, size);
    if (records_begin(&walk, data, size, UNPACK_MAX) == KAFKA_NONE)
        while (records_next(&walk, &record) > 0 && ++count < 4) {
            records_build(&builder, &walk.batch);
            build_again(&builder, &record);
        }
    if (walk.unpacked.capacity > 2 * UNPACK_MAX)
        abort();
    if (size >= BATCH_HEADER_BYTES)
        (void)batch_control_read(data, size);
    records_builder_clear(&builder);
    records_clear(&walk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch batch = {
        .base_offset = 1000, .last_offset_delta = 100, .producer_id = 5};
    uint8_t *copy;

    if (size < 2)
        return 0;
    batch.attributes = data[0] & 0x3f;
    batch.record_count = data[1];
    batch.size = (int32_t)(size - 2 + BATCH_HEADER_BYTES);
    copy =
        malloc((size_t)batch.size); /* exactly so large: ASan sees one byte too many */
    memcpy(copy + BATCH_HEADER_BYTES, data + 2, size - 2);
    batch_write_header(copy, &batch);
    walk_over(copy, (size_t)batch.size);
    free(copy);
    copy = malloc(size);
    memcpy(copy, data, size);
    walk_over(copy, size);
    free(copy);
    return 0;
}
