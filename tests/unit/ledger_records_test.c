/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ledger/log/records.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIG = 1 << 20 };

static struct batch model(int16_t attributes)
{
    return (struct batch){.base_offset = 100,
                          .base_timestamp = 5000,
                          .producer_id = 7,
                          .producer_epoch = 3,
                          .base_sequence = 40,
                          .last_offset_delta = 9,
                          .attributes = attributes};
}

static void add(struct records_builder *builder, int64_t offset, const char *key,
                const char *value)
{
    static const uint8_t headers[] = {2, 2, 'h', 2, 'v'}; /* one header h=v */
    struct record record = {
        .offset = offset,
        .timestamp = 5000 + offset,
        .key = (const uint8_t *)key,
        .key_len = key != NULL ? (int32_t)strlen(key) : -1,
        .value = (const uint8_t *)value,
        .value_len = value != NULL ? (int32_t)strlen(value) : -1,
        .headers = headers,
        .headers_len = sizeof(headers),
    };

    records_add(builder, &record);
}

/* Ten records of which #3 has no key and #4 is a tombstone. */
static const uint8_t *build(struct records_builder *builder, int16_t attributes,
                            size_t *size)
{
    struct batch batch = model(attributes);
    char text[32];

    records_build(builder, &batch);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(text, sizeof(text), "text %d", i);
        add(builder, 100 + i, i == 3 ? NULL : text, i == 4 ? NULL : text);
    }
    return records_finish(builder, size);
}

START_TEST(batch_reads_back_what_was_built_with_every_codec)
{
    struct records_builder builder = {0};
    struct records walk = {0};
    struct record record;
    size_t size;
    const uint8_t *data = build(&builder, (int16_t)_i, &size);
    struct batch batch;

    ck_assert_ptr_nonnull(data);
    ck_assert(batch_crc_ok(data, size));
    ck_assert_int_eq(batch_read(data, size, &batch), KAFKA_NONE);
    ck_assert_int_eq(batch.record_count, 10);
    ck_assert_int_eq(batch.max_timestamp, 5109);
    ck_assert_int_eq(batch.producer_epoch, 3);
    ck_assert_int_eq(batch.base_sequence, 40);
    ck_assert_int_eq(records_begin(&walk, data, size, BIG), KAFKA_NONE);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(records_next(&walk, &record), 1);
        ck_assert_int_eq(record.offset, 100 + i);
        ck_assert_int_eq(record.timestamp, 5100 + i);
        ck_assert_int_eq(record.key_len, i == 3 ? -1 : 6);
        ck_assert_int_eq(record.value_len, i == 4 ? -1 : 6);
        ck_assert_int_eq(record.headers_len, 5);
    }
    ck_assert_int_eq(records_next(&walk, &record), 0);
    records_clear(&walk);
    records_builder_clear(&builder);
}
END_TEST

START_TEST(stamp_and_place_keep_the_checksum_right)
{
    struct records_builder builder = {0};
    struct records walk = {0};
    struct record record;
    size_t size;
    uint8_t *data = (uint8_t *)(uintptr_t)build(&builder, BATCH_NONE, &size);

    batch_place(data, 777, BATCH_LEADER_EPOCH);
    ck_assert(batch_crc_ok(data, size));
    batch_stamp(data, size, 9999);
    ck_assert(batch_crc_ok(data, size));
    ck_assert_int_eq(records_begin(&walk, data, size, BIG), KAFKA_NONE);
    ck_assert_int_eq(records_next(&walk, &record), 1);
    ck_assert_int_eq(record.offset, 777);
    ck_assert_int_eq(record.timestamp, 9999);
    data[size - 1] ^= 1;
    ck_assert(!batch_crc_ok(data, size));
    records_clear(&walk);
    records_builder_clear(&builder);
}
END_TEST

START_TEST(marker_says_what_it_was_made_of)
{
    uint8_t data[BATCH_MARKER_BYTES];
    struct batch batch;
    struct batch_control said;
    struct records walk = {0};
    struct record record;

    batch_control(data, 12345, 6, (struct batch_control){BATCH_COMMIT, 42}, 1000);
    ck_assert(batch_crc_ok(data, sizeof(data)));
    ck_assert_int_eq(batch_read(data, sizeof(data), &batch), KAFKA_NONE);
    ck_assert(batch_is_control(&batch) && batch_is_transactional(&batch));
    ck_assert_int_eq(batch.size, BATCH_MARKER_BYTES);
    said = batch_control_read(data, sizeof(data));
    ck_assert_int_eq(said.marker, BATCH_COMMIT);
    ck_assert_int_eq(said.coordinator_epoch, 42);
    ck_assert_int_eq(records_begin(&walk, data, sizeof(data), BIG), KAFKA_NONE);
    ck_assert_int_eq(records_next(&walk, &record), 1);
    ck_assert_int_eq(record.key_len, 4);
    ck_assert_int_eq(record.value_len, 6);
    ck_assert_int_eq(records_next(&walk, &record), 0);
    batch_control(data, 12345, 6, (struct batch_control){BATCH_ABORT, 42}, 1000);
    ck_assert_int_eq(batch_control_read(data, sizeof(data)).marker, BATCH_ABORT);
    records_clear(&walk);
}
END_TEST

START_TEST(unpacking_stops_at_its_bound)
{
    struct codec_buffer packed = {0}, out = {0};
    uint8_t *zeros = mem_alloc(BIG);

    ck_assert_int_eq(codec_pack((enum batch_codec)_i, 0, zeros, BIG, &packed), 0);
    ck_assert_int_eq(
        codec_unpack((enum batch_codec)_i, packed.data, packed.len, BIG + 1, &out),
        KAFKA_NONE);
    ck_assert_uint_eq(out.len, BIG);
    ck_assert_int_eq(memcmp(out.data, zeros, BIG), 0);
    codec_buffer_clear(&out);
    ck_assert_int_eq(
        codec_unpack((enum batch_codec)_i, packed.data, packed.len, BIG / 2, &out),
        KAFKA_CORRUPT_MESSAGE);
    ck_assert_uint_le(out.capacity, BIG);
    codec_buffer_clear(&out);
    codec_buffer_clear(&packed);
    free(zeros);
}
END_TEST

/* The level that packs least and the one that packs most. */
static const struct {
    enum batch_codec codec;
    int least, usual, most;
} levels[] = {{BATCH_GZIP, 1, -1, 9}, {BATCH_LZ4, 9, 9, 17}, {BATCH_ZSTD, -50, 3, 22}};

static size_t packed_len(enum batch_codec codec, int level, const uint8_t *data,
                         size_t len)
{
    struct codec_buffer packed = {0}, out = {0};
    size_t result;

    ck_assert_int_eq(codec_pack(codec, level, data, len, &packed), 0);
    ck_assert_int_eq(codec_unpack(codec, packed.data, packed.len, len + 1, &out),
                     KAFKA_NONE);
    ck_assert_uint_eq(out.len, len);
    ck_assert_int_eq(memcmp(out.data, data, len), 0);
    result = packed.len;
    codec_buffer_clear(&out);
    codec_buffer_clear(&packed);
    return result;
}

START_TEST(levels_of_compression_are_obeyed)
{
    enum { LEN = 64 * 1024 };
    uint8_t *data = mem_alloc(LEN);
    size_t usual;
    uint32_t state = 1;

    for (size_t i = 0; i < LEN; i++) {
        state = state * 1103515245 + 12345;
        data[i] = "the quick brown fox"[(state >> 16) % (i % 64 < 40 ? 3 : 19)];
    }
    usual = packed_len(levels[_i].codec, 0, data, LEN);
    ck_assert_uint_eq(packed_len(levels[_i].codec, levels[_i].usual, data, LEN), usual);
    ck_assert_uint_gt(packed_len(levels[_i].codec, levels[_i].least, data, LEN),
                      packed_len(levels[_i].codec, levels[_i].most, data, LEN));
    for (int level = 1; level <= 17 && levels[_i].codec == BATCH_LZ4; level++)
        ck_assert_uint_le(packed_len(BATCH_LZ4, level, data, LEN), usual);
    free(data);
}
END_TEST

START_TEST(snappy_without_java_framing_is_read)
{
    /* The block format by hand: length 5, a literal of five bytes. */
    static const uint8_t raw[] = {5, 4 << 2, 'h', 'e', 'l', 'l', 'o'};
    struct codec_buffer out = {0};

    ck_assert_int_eq(codec_unpack(BATCH_SNAPPY, raw, sizeof(raw), BIG, &out),
                     KAFKA_NONE);
    ck_assert_uint_eq(out.len, 5);
    ck_assert_int_eq(memcmp(out.data, "hello", 5), 0);
    codec_buffer_clear(&out);
}
END_TEST

START_TEST(broken_batches_are_refused_or_read_but_never_harm)
{
    struct records_builder builder = {0};
    struct records walk = {0};
    struct record record;
    size_t size;
    int finished = 0;
    const uint8_t *data = build(&builder, (int16_t)_i, &size);
    uint8_t *copy = mem_alloc(size);

    srandom(1);
    for (int round = 0; round < 20000; round++) {
        memcpy(copy, data, size);
        for (int flips = 1 + (int)(random() % 3); flips > 0; flips--)
            copy[(size_t)random() % size] ^= (uint8_t)(1 << (random() % 8));
        if (records_begin(&walk, copy, size, BIG) != KAFKA_NONE)
            continue;
        while (records_next(&walk, &record) > 0)
            ;
        finished++;
    }
    ck_assert_int_gt(finished, 100);
    free(copy);
    records_clear(&walk);
    records_builder_clear(&builder);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("records");
    Suite *suite = suite_create("ledger_records");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, batch_reads_back_what_was_built_with_every_codec, 0, 5);
    tcase_add_test(tcase, stamp_and_place_keep_the_checksum_right);
    tcase_add_test(tcase, marker_says_what_it_was_made_of);
    tcase_add_loop_test(tcase, unpacking_stops_at_its_bound, 1, 5);
    tcase_add_loop_test(tcase, levels_of_compression_are_obeyed, 0,
                        (int)(sizeof(levels) / sizeof(levels[0])));
    tcase_add_test(tcase, snappy_without_java_framing_is_read);
    tcase_add_loop_test(tcase, broken_batches_are_refused_or_read_but_never_harm, 0, 5);
    return suite_run(suite);
}
