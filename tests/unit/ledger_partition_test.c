/* SPDX-License-Identifier: MIT */
#include "ledger_partition_fixture.h"

#include "ledger/log/crc.h"
#include "ledger/wire/bytes.h"
#include "support/suite.h"

enum { PLAIN = -1 }; /* no producer id */

static const struct bench_batch TWO = {
    .producer_id = PLAIN, .epoch = -1, .sequence = -1, .count = 2};

static enum kafka_error append_bytes(struct bench *b, uint8_t *data, size_t size,
                                     int16_t version)
{
    const struct partition_append_how how = {
        .wall_ms = b->wall_ms, .version = version, .arena = &b->arena};
    struct partition_appended out;
    enum kafka_error error =
        partition_append(b->partition, data, (int64_t)size, &how, &out);

    ck_assert_int_eq(out.base_offset, error == KAFKA_NONE ? out.last_offset - 1 : -1);
    return error;
}

/* ---- what is refused ----------------------------------------------------- */

/* One change to a right batch and what it is answered with. */
struct fault {
    size_t at;
    uint8_t xor ;
    bool crc; /* compute the checksum again */
    enum kafka_error error;
};

enum { CRC_AT = 17, CRC_FROM = 21 };

static void make_crc(uint8_t *data, size_t size)
{
    bytes_put32(data + CRC_AT, crc32c(0, data + CRC_FROM, size - CRC_FROM));
}

START_TEST(each_broken_batch_has_its_error_and_leaves_nothing)
{
    static const struct fault faults[] = {
        {0, 0x01, false, KAFKA_INVALID_RECORD},   /* base offset */
        {8, 0x80, false, KAFKA_CORRUPT_MESSAGE},  /* negative length */
        {8, 0x40, false, KAFKA_INVALID_RECORD},   /* longer than what came */
        {16, 0x03, false, KAFKA_INVALID_RECORD},  /* message format 1 */
        {16, 0x01, false, KAFKA_CORRUPT_MESSAGE}, /* 3 */
        {17, 0x01, false, KAFKA_CORRUPT_MESSAGE}, /* checksum */
        {70, 0x01, false, KAFKA_CORRUPT_MESSAGE}, /* a record */
        {22, BATCH_CONTROL, true, KAFKA_INVALID_RECORD},
        {26, 0x01, true, KAFKA_INVALID_RECORD}, /* last offset delta */
        {23, 0x80, true, KAFKA_INVALID_RECORD}, /* the same, negative */
        {60, 0x01, true, KAFKA_INVALID_RECORD}, /* count */
        {43, 0x80, true, KAFKA_INVALID_RECORD}, /* an id without a sequence */
    };
    struct bench b;
    size_t size;

    bench_begin(&b);
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        uint8_t *data = bench_make(&b.builder, &TWO, b.wall_ms, &size);
        data[faults[i].at] ^= faults[i].xor ;
        if (faults[i].crc)
            make_crc(data, size);
        enum kafka_error error = append_bytes(&b, data, size, 11);
        ck_assert_msg(error == faults[i].error, "fault %zu: %d", i, (int)error);
    }
    ck_assert_int_eq(partition_end(b.partition), 0);
    ck_assert_int_eq(
        append_bytes(&b, bench_make(&b.builder, &TWO, b.wall_ms, &size), size, 11),
        KAFKA_NONE);
    bench_end(&b);
}
END_TEST

START_TEST(what_is_not_one_whole_batch_is_refused)
{
    struct bench b;
    size_t size;
    uint8_t two[1000];

    bench_begin(&b);
    const uint8_t *data = bench_make(&b.builder, &TWO, b.wall_ms, &size);
    memcpy(two, data, size);
    memcpy(two + size, data, size);
    for (size_t cut = 0; cut < size; cut++)
        if (append_bytes(&b, two, cut, 11) != KAFKA_INVALID_RECORD)
            ck_abort_msg("%zu bytes of a batch", cut);
    ck_assert_int_eq(append_bytes(&b, two, 2 * size, 11), KAFKA_INVALID_RECORD);
    /* Half a batch behind a whole one is left out. */
    ck_assert_int_eq(append_bytes(&b, two, size + 30, 11), KAFKA_NONE);
    ck_assert_int_eq(partition_end(b.partition), 2);
    bench_end(&b);
}
END_TEST

START_TEST(sizes_and_codecs_are_limited)
{
    struct bench b;
    struct partition_appended out;
    struct bench_batch spec = TWO;
    size_t size;

    bench_begin(&b);
    b.config.log.max_message_bytes = 100;
    spec.count = 20;
    partition_configure(b.partition, &b.config);
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_MESSAGE_TOO_LARGE);
    b.config.log.max_message_bytes = 1 << 20;
    b.config.log.segment_bytes = 100;
    partition_configure(b.partition, &b.config);
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_RECORD_LIST_TOO_LARGE);
    spec.count = 1;
    spec.attributes = BATCH_ZSTD;
    uint8_t *data = bench_make(&b.builder, &spec, b.wall_ms, &size);
    ck_assert_int_eq(append_bytes(&b, data, size, 6),
                     KAFKA_UNSUPPORTED_COMPRESSION_TYPE);
    bench_end(&b);
}
END_TEST

START_TEST(times_are_kept_within_the_topics_bounds)
{
    struct bench b;
    struct partition_appended out;
    struct bench_batch spec = TWO;
    int64_t hour = 3600 * 1000;

    bench_begin(&b);
    spec.timestamp = b.wall_ms + hour;
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    ck_assert_int_eq(out.log_append_ms, -1);
    spec.timestamp++;
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_INVALID_TIMESTAMP);
    ck_assert_int_eq(out.records_count, 2);
    ck_assert_int_eq(out.records[1].index, 1);
    ck_assert_ptr_nonnull(strstr(out.records[1].message, "is out of range"));
    ck_assert_str_eq(out.message,
                     "One or more records have been rejected due to invalid timestamp");
    spec.timestamp = 1; /* 1970 is fine until somebody minds */
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    b.config.timestamp_before_max_ms = hour;
    partition_configure(b.partition, &b.config);
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_INVALID_TIMESTAMP);
    b.config.log_append_time = true;
    partition_configure(b.partition, &b.config);
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    ck_assert_int_eq(out.log_append_ms, b.wall_ms);
    spec.attributes = BATCH_LOG_APPEND_TIME; /* not for clients to say */
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_INVALID_TIMESTAMP);
    ck_assert_ptr_nonnull(strstr(out.records[0].message, "Invalid timestamp type"));
    bench_end(&b);
}
END_TEST

static bool has_create_time(void *arg, const struct batch *batch, const uint8_t *data,
                            const struct partition_slice *slice)
{
    (void)slice;
    return batch_crc_ok(data, (size_t)batch->size) &&
           (batch->attributes & BATCH_LOG_APPEND_TIME) == 0 &&
           batch->max_timestamp == *(const int64_t *)arg;
}

START_TEST(a_batch_of_the_wrong_type_of_time_is_put_right)
{
    struct bench b;
    struct partition_appended out;
    struct bench_batch spec = TWO;

    bench_begin(&b);
    spec.attributes = BATCH_LOG_APPEND_TIME;
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    ck_assert(bench_each(b.partition, false, has_create_time, &b.wall_ms));
    bench_end(&b);
}
END_TEST

START_TEST(a_compacted_topic_wants_keys)
{
    struct bench b;
    struct partition_appended out;
    struct bench_batch spec = TWO;

    bench_begin(&b);
    b.config.log.compact_policy = true;
    partition_configure(b.partition, &b.config);
    for (int codec = BATCH_NONE; codec <= BATCH_ZSTD; codec++) {
        spec.attributes = (int16_t)codec;
        spec.no_keys = true;
        ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_INVALID_RECORD);
        ck_assert_int_eq(out.records_count, 2);
        ck_assert_str_eq(out.records[0].message,
                         "Compacted topic cannot accept message without key in topic "
                         "partition topic-0");
        spec.no_keys = false;
        ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    }
    bench_end(&b);
}
END_TEST

struct codecs {
    int expected;
    int records;
};

static bool has_codec(void *arg, const struct batch *batch, const uint8_t *data,
                      const struct partition_slice *slice)
{
    struct codecs *codecs = arg;
    struct records walk = {0};
    struct record record;

    (void)slice;
    if ((int)batch_codec(batch) != codecs->expected ||
        !batch_crc_ok(data, (size_t)batch->size) ||
        records_begin(&walk, data, (size_t)batch->size, FIXTURE_UNPACK) != KAFKA_NONE)
        return false;
    while (records_next(&walk, &record) == 1)
        codecs->records += record.offset == codecs->records;
    records_clear(&walk);
    return true;
}

START_TEST(batches_get_the_codec_of_the_topic)
{
    for (int codec = BATCH_NONE; codec <= BATCH_ZSTD; codec++) {
        struct bench b;
        struct partition_appended out;
        struct bench_batch spec = {.producer_id = 5, .count = 10};
        struct codecs codecs = {.expected = codec};

        bench_begin(&b);
        b.config.compression = codec;
        partition_configure(b.partition, &b.config);
        for (int from = BATCH_NONE; from <= BATCH_ZSTD; from++, spec.sequence += 10) {
            spec.attributes = (int16_t)from;
            ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
        }
        ck_assert(bench_each(b.partition, false, has_codec, &codecs));
        ck_assert_int_eq(codecs.records, 50);
        bench_end(&b);
    }
}
END_TEST

START_TEST(batches_get_the_level_of_the_topic)
{
    int64_t bytes[10];

    for (int level = 1; level <= 9; level += 8) {
        struct bench b;
        struct partition_appended out;
        struct bench_batch spec = {
            .producer_id = -1, .sequence = -1, .epoch = -1, .count = 2000};

        bench_begin(&b);
        b.config.compression = BATCH_GZIP;
        b.config.level = level;
        partition_configure(b.partition, &b.config);
        ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
        bytes[level] = log_bytes(partition_log(b.partition));
        bench_end(&b);
    }
    ck_assert_int_gt(bytes[1], bytes[9]);
}
END_TEST

/* ---- transactions in one partition --------------------------------------- */

static enum kafka_error mark(struct bench *b, int64_t id, int16_t epoch, bool commit,
                             bool bumps)
{
    const struct partition_mark marker = {.producer_id = id,
                                          .epoch = epoch,
                                          .commit = commit,
                                          .bumps_epoch = bumps,
                                          .wall_ms = b->wall_ms};
    return partition_marker(b->partition, &marker);
}

START_TEST(transactional_batches_need_an_open_and_verified_transaction)
{
    struct bench b;
    struct partition_appended out;
    struct partition_append_how how = {.version = 12};
    struct bench_batch spec = {
        .producer_id = 1, .count = 1, .attributes = BATCH_TRANSACTIONAL};
    int64_t id;
    int16_t epoch;
    size_t size;

    bench_begin(&b);
    how.wall_ms = b.wall_ms;
    ck_assert_int_eq(bench_append_how(&b, &spec, &how, &out), KAFKA_INVALID_TXN_STATE);
    uint8_t *data = bench_make(&b.builder, &spec, b.wall_ms, &size);
    ck_assert(
        partition_asks_coordinator(b.partition, data, (int64_t)size, &id, &epoch));
    ck_assert_int_eq(id, 1);
    how.verified = true;
    ck_assert_int_eq(bench_append_how(&b, &spec, &how, &out), KAFKA_NONE);
    how.verified = false; /* it is open now */
    spec.sequence = 1;
    data = bench_make(&b.builder, &spec, b.wall_ms, &size);
    ck_assert(
        !partition_asks_coordinator(b.partition, data, (int64_t)size, &id, &epoch));
    ck_assert_int_eq(bench_append_how(&b, &spec, &how, &out), KAFKA_NONE);
    spec.sequence = 2;
    spec.attributes = 0;
    ck_assert_int_eq(bench_append_how(&b, &spec, &how, &out), KAFKA_INVALID_TXN_STATE);
    ck_assert_int_eq(mark(&b, 1, 1, true, true), KAFKA_NONE);
    spec.attributes = BATCH_TRANSACTIONAL; /* a late one of the old epoch */
    how.verified = true;
    ck_assert_int_eq(bench_append_how(&b, &spec, &how, &out),
                     KAFKA_INVALID_PRODUCER_EPOCH);
    bench_end(&b);
}
END_TEST

START_TEST(no_batch_overtakes_one_that_the_coordinator_was_asked_for)
{
    struct bench b;
    struct partition_appended out;
    struct bench_batch spec = {
        .producer_id = 1, .count = 2, .attributes = BATCH_TRANSACTIONAL};
    int64_t id;
    int16_t epoch;
    size_t size;

    bench_begin(&b);
    uint8_t *data = bench_make(&b.builder, &spec, b.wall_ms, &size);
    ck_assert(
        partition_asks_coordinator(b.partition, data, (int64_t)size, &id, &epoch));
    spec.sequence = 2; /* the coordinator said no to the first, and yes to this one */
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    spec.sequence = 0;
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    spec.sequence = 2;
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    bench_end(&b);
}
END_TEST

START_TEST(aborted_transactions_are_found_again_when_their_file_is_lost)
{
    struct bench b;
    struct partition_appended out;
    struct partition_slice slice;
    struct bench_batch spec = {
        .producer_id = 1, .count = 1, .attributes = BATCH_TRANSACTIONAL};
    char path[FIXTURE_PATH + 16];

    bench_begin(&b);
    for (int i = 0; i < 20; i++, spec.sequence++) {
        ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
        ck_assert_int_eq(mark(&b, 1, 0, i % 2 == 0, false), KAFKA_NONE);
    }
    for (int lost = 0; lost < 3; lost++) { /* nothing, the end, all of it */
        partition_close(b.partition);
        (void)snprintf(path, sizeof(path), "%s/aborted", b.dir);
        ck_assert_int_eq(lost == 2   ? unlink(path)
                         : lost == 1 ? truncate(path, 300)
                                     : 0,
                         0);
        bench_open(&b);
        ck_assert_int_eq(partition_read(b.partition, 0, 1 << 20, true, true, &slice),
                         KAFKA_NONE);
        ck_assert_int_eq(slice.aborted_count, 10);
        ck_assert_int_eq(slice.aborted[9].first_offset, 38);
        log_slice_release(slice.slice.file);
    }
    bench_end(&b);
}
END_TEST

START_TEST(markers_are_fenced_by_epoch_and_coordinator)
{
    struct bench b;
    struct partition_appended out;
    struct bench_batch spec = {
        .producer_id = 1, .epoch = 3, .count = 1, .attributes = BATCH_TRANSACTIONAL};
    struct partition_mark old = {.producer_id = 1, .epoch = 4, .coordinator_epoch = 6};

    bench_begin(&b);
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    ck_assert_int_eq(mark(&b, 1, 2, true, false), KAFKA_INVALID_PRODUCER_EPOCH);
    ck_assert_int_eq(mark(&b, 1, 3, true, true), KAFKA_INVALID_PRODUCER_EPOCH);
    old.wall_ms = b.wall_ms;
    ck_assert_int_eq(partition_marker(b.partition, &old), KAFKA_NONE);
    ck_assert_int_eq(mark(&b, 1, 5, true, false), KAFKA_TRANSACTION_COORDINATOR_FENCED);
    old.bumps_epoch = true; /* a second time: nothing is open, so it does no harm */
    ck_assert_int_eq(partition_marker(b.partition, &old), KAFKA_NONE);
    bench_end(&b);
}
END_TEST

START_TEST(the_last_stable_offset_waits_for_the_oldest_open_transaction)
{
    struct bench b;
    struct partition_appended out;
    struct partition_slice slice;
    struct bench_batch spec = {.count = 2, .attributes = BATCH_TRANSACTIONAL};

    bench_begin(&b);
    ck_assert_int_eq(bench_append(&b, &TWO, &out), KAFKA_NONE);
    for (spec.producer_id = 1; spec.producer_id <= 3; spec.producer_id++)
        ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    ck_assert_int_eq(partition_last_stable(b.partition), 2);
    ck_assert_int_eq(mark(&b, 2, 1, false, true), KAFKA_NONE); /* offset 8 */
    bench_crash(&b);
    ck_assert_int_eq(partition_last_stable(b.partition), 2);
    ck_assert_int_eq(mark(&b, 1, 0, true, false), KAFKA_NONE);
    ck_assert_int_eq(partition_last_stable(b.partition), 6);
    bench_restart(&b);
    ck_assert_int_eq(partition_last_stable(b.partition), 6);

    ck_assert_int_eq(partition_read(b.partition, 3, 1 << 20, true, true, &slice),
                     KAFKA_NONE);
    ck_assert_int_eq(slice.last_stable_offset, 6);
    ck_assert_int_eq(slice.high_watermark, 10);
    ck_assert_int_eq(slice.slice.next, 6);
    ck_assert_int_eq(slice.aborted_count, 1);
    ck_assert_int_eq(slice.aborted[0].producer_id, 2);
    ck_assert_int_eq(slice.aborted[0].first_offset, 4);
    log_slice_release(slice.slice.file);
    ck_assert_int_eq(partition_read(b.partition, 8, 1 << 20, true, true, &slice),
                     KAFKA_NONE);
    ck_assert_int_eq(slice.slice.len, 0);
    ck_assert_int_eq(slice.aborted_count, 0);
    bench_end(&b);
}
END_TEST

START_TEST(records_are_deleted_up_to_an_offset)
{
    struct bench b;
    struct partition_appended out;
    struct partition_slice slice;
    int64_t low, offset, timestamp;

    bench_begin(&b);
    for (int i = 0; i < 5; i++, b.wall_ms += 1000)
        ck_assert_int_eq(bench_append(&b, &TWO, &out), KAFKA_NONE);
    ck_assert_int_eq(partition_delete_before(b.partition, 11, b.wall_ms, &low),
                     KAFKA_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(partition_delete_before(b.partition, 4, b.wall_ms, &low),
                     KAFKA_NONE);
    ck_assert_int_eq(low, 4);
    ck_assert_int_eq(partition_delete_before(b.partition, 2, b.wall_ms, &low),
                     KAFKA_NONE);
    ck_assert_int_eq(low, 4);
    ck_assert_int_eq(partition_read(b.partition, 3, 1000, true, false, &slice),
                     KAFKA_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(slice.log_start_offset, 4);
    ck_assert_int_eq(
        partition_list(b.partition, PARTITION_EARLIEST, false, &offset, &timestamp),
        KAFKA_NONE);
    ck_assert_int_eq(offset, 4);
    ck_assert_int_eq(partition_delete_before(b.partition, -1, b.wall_ms, &low),
                     KAFKA_NONE);
    ck_assert_int_eq(low, 10);
    b.config.log.delete_policy = false;
    b.config.log.compact_policy = true;
    partition_configure(b.partition, &b.config);
    ck_assert_int_eq(partition_delete_before(b.partition, -1, b.wall_ms, &low),
                     KAFKA_POLICY_VIOLATION);
    bench_end(&b);
}
END_TEST

START_TEST(offsets_are_listed_within_what_the_reader_may_see)
{
    struct bench b;
    struct partition_appended out;
    struct bench_batch open = {
        .producer_id = 1, .count = 2, .attributes = BATCH_TRANSACTIONAL};
    int64_t offset, timestamp, begin;

    bench_begin(&b);
    begin = b.wall_ms;
    ck_assert_int_eq(bench_append(&b, &TWO, &out), KAFKA_NONE);
    b.wall_ms += 1000;
    ck_assert_int_eq(bench_append(&b, &open, &out), KAFKA_NONE);
    static const struct {
        int64_t timestamp; /* from begin when not negative */
        bool committed;
        int64_t offset, found;
    } cases[] = {
        {PARTITION_LATEST, false, 4, -1},
        {PARTITION_LATEST, true, 2, -1},
        {PARTITION_EARLIEST, true, 0, -1},
        {PARTITION_MAX_TIMESTAMP, false, 2, 1000},
        {PARTITION_MAX_TIMESTAMP, true, -1, -1},
        {0, true, 0, 0},
        {1, false, 2, 1000},
        {1, true, -1, -1},
        {1001, false, -1, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t asked = cases[i].timestamp;
        ck_assert_int_eq(partition_list(b.partition, asked < 0 ? asked : begin + asked,
                                        cases[i].committed, &offset, &timestamp),
                         KAFKA_NONE);
        int64_t found = cases[i].found < 0 ? -1 : begin + cases[i].found;
        ck_assert_msg(offset == cases[i].offset && timestamp == found,
                      "case %zu: %" PRId64 " at %" PRId64, i, offset, timestamp);
    }
    bench_end(&b);
}
END_TEST

struct whole {
    int64_t next;
};

static bool is_whole(void *arg, const struct batch *batch, const uint8_t *data,
                     const struct partition_slice *slice)
{
    struct whole *whole = arg;
    bool right =
        batch->base_offset == whole->next && batch_crc_ok(data, (size_t)batch->size);

    (void)slice;
    whole->next = batch_next_offset(batch);
    return right;
}

START_TEST(random_bytes_do_no_harm)
{
    struct bench b;
    struct whole whole = {0};
    uint32_t random = 99;
    int taken = 0;

    bench_begin(&b);
    for (int i = 0; i < 12000; i++) {
        struct bench_batch spec = {.producer_id =
                                       (int64_t)(bench_random(&random) % 4) - 1,
                                   .epoch = (int16_t)(bench_random(&random) % 3),
                                   .sequence = (int32_t)(bench_random(&random) % 4),
                                   .count = 1 + (int32_t)(bench_random(&random) % 3)};
        size_t size;
        uint8_t *data = bench_make(&b.builder, &spec, b.wall_ms, &size);
        for (int faults = (int)(bench_random(&random) % 4); faults > 0; faults--)
            data[bench_random(&random) % (size > 62 ? 62 : size)] ^=
                (uint8_t)(1U << (bench_random(&random) % 8));
        if (bench_random(&random) % 4 > 0)
            make_crc(data, size);
        if (bench_random(&random) % 10 == 0)
            size = bench_random(&random) % (size + 1);
        uint8_t *copy = mem_alloc(size + 1); /* its end is watched by the sanitizer */
        memcpy(copy, data, size);
        const struct partition_append_how how = {
            .wall_ms = b.wall_ms, .version = 12, .verified = i % 2 == 0};
        struct partition_appended out;
        int64_t id;
        int16_t epoch;
        (void)partition_asks_coordinator(b.partition, copy, (int64_t)size, &id, &epoch);
        taken += partition_append(b.partition, copy, (int64_t)size, &how, &out) ==
                     KAFKA_NONE &&
                 !out.duplicate;
        free(copy);
        if (i % 3000 == 2999)
            bench_crash(&b);
    }
    ck_assert_int_gt(taken, 300);
    ck_assert(bench_each(b.partition, false, is_whole, &whole));
    ck_assert_int_eq(whole.next, partition_end(b.partition));
    bench_end(&b);
}
END_TEST

static void count_moves(void *arg, struct partition *partition)
{
    int *count = arg;

    (void)partition;
    ++*count;
}

START_TEST(the_listener_hears_of_appends_and_markers)
{
    struct bench b;
    struct partition_appended out;
    int moves = 0;

    bench_begin(&b);
    partition_listen(b.partition, count_moves, &moves);
    ck_assert_int_eq(bench_append(&b, &TWO, &out), KAFKA_NONE);
    ck_assert_int_eq(moves, 1);
    ck_assert_int_eq(mark(&b, 1, 0, true, false), KAFKA_NONE);
    ck_assert_int_eq(moves, 2);
    partition_listen(b.partition, NULL, NULL);
    ck_assert_int_eq(bench_append(&b, &TWO, &out), KAFKA_NONE);
    ck_assert_int_eq(moves, 2);
    bench_end(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_partition");
    TCase *cases = tcase_create("all");

    tcase_add_test(cases, each_broken_batch_has_its_error_and_leaves_nothing);
    tcase_add_test(cases, what_is_not_one_whole_batch_is_refused);
    tcase_add_test(cases, sizes_and_codecs_are_limited);
    tcase_add_test(cases, times_are_kept_within_the_topics_bounds);
    tcase_add_test(cases, a_batch_of_the_wrong_type_of_time_is_put_right);
    tcase_add_test(cases, a_compacted_topic_wants_keys);
    tcase_add_test(cases, batches_get_the_codec_of_the_topic);
    tcase_add_test(cases, batches_get_the_level_of_the_topic);
    tcase_add_test(cases, transactional_batches_need_an_open_and_verified_transaction);
    tcase_add_test(cases, no_batch_overtakes_one_that_the_coordinator_was_asked_for);
    tcase_add_test(cases, aborted_transactions_are_found_again_when_their_file_is_lost);
    tcase_add_test(cases, markers_are_fenced_by_epoch_and_coordinator);
    tcase_add_test(cases, the_last_stable_offset_waits_for_the_oldest_open_transaction);
    tcase_add_test(cases, records_are_deleted_up_to_an_offset);
    tcase_add_test(cases, offsets_are_listed_within_what_the_reader_may_see);
    tcase_add_test(cases, random_bytes_do_no_harm);
    tcase_add_test(cases, the_listener_hears_of_appends_and_markers);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
