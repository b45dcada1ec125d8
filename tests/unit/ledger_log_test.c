/* SPDX-License-Identifier: MIT */
#include "ledger/log/file.h"
#include "ledger_log_fixture.h"
#include "support/suite.h"

static struct fixture f;

static void begin(void)
{
    fixture_begin(&f);
}

static void end(void)
{
    fixture_end(&f);
}

static void reopen(void)
{
    log_close(f.log);
    fixture_open(&f);
}

START_TEST(what_was_appended_is_read_back_with_every_size_of_fetch)
{
    static const int64_t sizes[] = {1, 100, 1000, 5000, 100000, 10000000};
    int64_t gaps, count;

    f.config.segment_bytes = 20000;
    fixture_open(&f);
    for (int i = 0; i < 500; i++)
        ck_assert_int_eq(fixture_append(&f, 1 + i % 7, (int16_t)(i % 5)), KAFKA_NONE);
    for (int reopened = 0; reopened < 2; reopened++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            count = fixture_read_all(&f, 0, sizes[i], &gaps);
            ck_assert_int_eq(count, log_end(f.log));
            ck_assert_int_eq(gaps, 0);
        }
        reopen();
        ck_assert(!f.report.unclean);
    }
}
END_TEST

START_TEST(slice_ends_before_the_limit_and_before_max_bytes)
{
    struct log_slice slice;
    struct error err = {0};

    fixture_open(&f);
    for (int i = 0; i < 300; i++)
        (void)fixture_append(&f, 3, BATCH_NONE);
    for (int64_t limit = 3; limit < 900; limit += 3) {
        ck_assert_int_eq(log_read(f.log, 0, 1 << 20, limit, true, &slice, &err),
                         KAFKA_NONE);
        ck_assert_int_eq(slice.next, limit);
        log_slice_release(slice.file);
    }
    for (int64_t bytes = 10000; bytes > 0; bytes -= 37) {
        ck_assert_int_eq(log_read(f.log, 301, bytes, 900, false, &slice, &err),
                         KAFKA_NONE);
        ck_assert_int_le(slice.len, bytes);
        if (slice.len > 0) {
            ck_assert_int_eq(slice.offset, 300);
            log_slice_release(slice.file);
        }
    }
    ck_assert_int_eq(log_read(f.log, 301, 1, 900, true, &slice, &err), KAFKA_NONE);
    ck_assert_int_eq(slice.next, 303);
    log_slice_release(slice.file);
    ck_assert_int_eq(log_read(f.log, 900, 1, 900, true, &slice, &err), KAFKA_NONE);
    ck_assert_int_eq(slice.len, 0);
    ck_assert_int_eq(log_read(f.log, 901, 1, 900, true, &slice, &err),
                     KAFKA_OFFSET_OUT_OF_RANGE);
}
END_TEST

START_TEST(log_that_was_not_closed_is_checked_and_whole)
{
    int64_t gaps, before;

    fixture_open(&f);
    for (int i = 0; i < 200; i++)
        (void)fixture_append(&f, 5, BATCH_LZ4);
    before = log_end(f.log);
    log_abandon(f.log);
    fixture_open(&f);
    ck_assert(f.report.unclean);
    ck_assert_int_eq(f.report.cut_bytes, 0);
    ck_assert_int_gt(f.report.checked_bytes, 0);
    ck_assert_int_eq(log_end(f.log), before);
    ck_assert_int_eq(fixture_read_all(&f, 0, 4096, &gaps), before);
}
END_TEST

START_TEST(torn_end_is_cut_and_the_log_goes_on)
{
    char path[2 * FIXTURE_PATH];
    int64_t gaps;

    fixture_open(&f);
    for (int i = 0; i < 100; i++)
        (void)fixture_append(&f, 5, BATCH_NONE);
    log_abandon(f.log);
    (void)snprintf(path, sizeof(path), "%s/%020d.log", f.dir, 0);
    {
        struct stat status;

        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_int_eq(truncate(path, status.st_size - 10), 0);
    }
    fixture_open(&f);
    ck_assert_int_gt(f.report.cut_bytes, 0);
    ck_assert_int_eq(log_end(f.log), 495);
    ck_assert_int_eq(fixture_append(&f, 5, BATCH_NONE), KAFKA_NONE);
    ck_assert_int_eq(fixture_read_all(&f, 0, 4096, &gaps), 500);
}
END_TEST

START_TEST(times_find_the_very_record_and_the_largest)
{
    int64_t offset, time, base;
    struct error err = {0};

    f.config.segment_bytes = 5000;
    fixture_open(&f);
    base = f.wall_ms; /* a millisecond a record */
    for (int i = 0; i < 200; i++)
        (void)fixture_append(&f, 7, (int16_t)(i % 5));
    for (int64_t at = 0; at < 1400; at += 13) {
        ck_assert_int_eq(log_find_time(f.log, base + at, &offset, &time, &err),
                         KAFKA_NONE);
        ck_assert_int_eq(offset, at);
        ck_assert_int_eq(time, base + at);
    }
    ck_assert_int_eq(log_find_time(f.log, base + 1400, &offset, &time, &err),
                     KAFKA_NONE);
    ck_assert_int_eq(offset, -1);
    ck_assert_int_eq(log_find_max_time(f.log, &offset, &time, &err), KAFKA_NONE);
    ck_assert_int_eq(offset, 1399);
    ck_assert_int_eq(log_delete_before(f.log, 700, f.wall_ms, &err), KAFKA_NONE);
    ck_assert_int_eq(log_find_time(f.log, 0, &offset, &time, &err), KAFKA_NONE);
    ck_assert_int_eq(offset, 700);
}
END_TEST

START_TEST(records_deleted_before_an_offset_stay_deleted)
{
    struct error err = {0};
    int64_t gaps;

    f.config.segment_bytes = 5000;
    fixture_open(&f);
    for (int i = 0; i < 200; i++)
        (void)fixture_append(&f, 5, BATCH_NONE);
    ck_assert_int_eq(log_delete_before(f.log, 1001, f.wall_ms, &err),
                     KAFKA_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(log_delete_before(f.log, 503, f.wall_ms, &err), KAFKA_NONE);
    log_abandon(f.log);
    fixture_open(&f);
    ck_assert_int_eq(log_start(f.log), 503);
    ck_assert_int_eq(fixture_read_all(&f, 503, 4096, &gaps), 500);
    ck_assert_int_eq(log_delete_before(f.log, 1000, f.wall_ms, &err), KAFKA_NONE);
    reopen();
    ck_assert_int_eq(log_start(f.log), 1000);
    ck_assert_int_eq(log_end(f.log), 1000);
}
END_TEST

/* One batch at these times. */
static void append_times(const int64_t *times, int count)
{
    struct batch model = {.base_offset = log_end(f.log),
                          .base_timestamp = times[0],
                          .producer_id = -1,
                          .producer_epoch = -1,
                          .base_sequence = -1,
                          .last_offset_delta = count - 1,
                          .attributes = BATCH_LZ4};
    static const uint8_t no_headers[1] = {0};
    struct error err = {0};
    const uint8_t *data;
    size_t size;

    records_build(&f.builder, &model);
    for (int i = 0; i < count; i++) {
        struct record record = {.offset = model.base_offset + i,
                                .timestamp = times[i],
                                .key_len = -1,
                                .value_len = -1,
                                .headers = no_headers,
                                .headers_len = 1};

        records_add(&f.builder, &record);
    }
    data = records_finish(&f.builder, &size);
    ck_assert_int_eq(log_append(f.log, data, size, f.wall_ms, &err), KAFKA_NONE);
}

/* When the log begins at an offset, the largest time is at another. */
static const struct {
    int64_t start, offset, time;
} largest[] = {{0, 1, 90}, {2, 2, 90}, {3, 6, 80}, {5, 6, 80}, {7, 7, 70}, {8, -1, -1}};

START_TEST(the_largest_time_is_one_of_what_is_left)
{
    static const int64_t first[] = {50, 90, 90, 10}, second[] = {20, 30, 80, 70};
    struct error err = {0};
    int64_t offset, time;

    fixture_open(&f);
    append_times(first, 4);
    append_times(second, 4);
    for (size_t i = 0; i < sizeof(largest) / sizeof(largest[0]); i++) {
        ck_assert_int_eq(log_delete_before(f.log, largest[i].start, f.wall_ms, &err),
                         KAFKA_NONE);
        ck_assert_int_eq(log_find_max_time(f.log, &offset, &time, &err), KAFKA_NONE);
        ck_assert_int_eq(offset, largest[i].offset);
        ck_assert_int_eq(time, largest[i].time);
    }
    append_times(first, 1);
    ck_assert_int_eq(log_find_max_time(f.log, &offset, &time, &err), KAFKA_NONE);
    ck_assert_int_eq(offset, 8);
}
END_TEST

static void damage(const char *name)
{
    char path[2 * FIXTURE_PATH];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", f.dir, name);
    file = fopen(path, "r+");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 13, SEEK_SET), 0);
    ck_assert_int_ne(fputc(0x5a, file), EOF);
    ck_assert_int_eq(fclose(file), 0);
}

/* The name: what is damaged, or removed if it ends with "!". */
static const char *const lost_files[] = {"checkpoint", "checkpoint!", "start",
                                         "start!"};

START_TEST(deleted_records_stay_deleted_when_a_file_is_lost)
{
    char name[32], path[2 * FIXTURE_PATH];
    struct error err = {0};
    int64_t gaps;

    fixture_open(&f);
    for (int i = 0; i < 200; i++)
        (void)fixture_append(&f, 5, BATCH_NONE);
    ck_assert_int_eq(log_delete_before(f.log, 203, f.wall_ms, &err), KAFKA_NONE);
    ck_assert_int_eq(log_delete_before(f.log, 503, f.wall_ms, &err), KAFKA_NONE);
    log_close(f.log);
    (void)snprintf(name, sizeof(name), "%s", lost_files[_i]);
    if (strchr(name, '!') != NULL) {
        *strchr(name, '!') = '\0';
        (void)snprintf(path, sizeof(path), "%s/%s", f.dir, name);
        ck_assert_int_eq(unlink(path), 0);
    } else {
        damage(name);
    }
    fixture_open(&f);
    ck_assert_int_eq(log_start(f.log), 503);
    ck_assert_int_eq(log_end(f.log), 1000);
    ck_assert_int_eq(fixture_read_all(&f, 503, 4096, &gaps), 500);
}
END_TEST

START_TEST(retention_deletes_by_time_and_by_size)
{
    f.config.segment_bytes = 5000;
    f.config.retention_bytes = 20000;
    fixture_open(&f);
    for (int i = 0; i < 200; i++)
        (void)fixture_append(&f, 5, BATCH_NONE);
    ck_assert(log_retain(f.log, f.wall_ms));
    ck_assert_int_ge(log_bytes(f.log), 20000);
    ck_assert_int_lt(log_bytes(f.log), 25000);
    ck_assert_int_gt(log_start(f.log), 0);
    ck_assert(!log_retain(f.log, f.wall_ms));
    ck_assert(log_retain(f.log, f.wall_ms + f.config.retention_ms + 1));
    ck_assert_int_eq(log_bytes(f.log), 0);
    ck_assert_int_eq(log_start(f.log), 1000);
    ck_assert(!log_retain(f.log, f.wall_ms + 2 * f.config.retention_ms));
    f.config.retention_ms = -1;
    log_configure(f.log, &f.config);
    (void)fixture_append(&f, 5, BATCH_NONE);
    ck_assert(!log_retain(f.log, INT64_MAX));
}
END_TEST

static int lines_with(const char *path, const char *text)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    int count = 0;

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL)
        count += strstr(line, text) != NULL;
    (void)fclose(file);
    return count;
}

START_TEST(retention_that_finds_no_room_says_so_once)
{
    char next[2 * FIXTURE_PATH], said[2 * FIXTURE_PATH];

    (void)snprintf(said, sizeof(said), "%s/said", f.dir);
    fixture_open(&f);
    (void)fixture_append(&f, 5, BATCH_NONE);
    (void)snprintf(next, sizeof(next), "%s/%020d.log", f.dir, 5);
    ck_assert_int_eq(mkdir(next, 0755), 0); /* no segment can be made there */
    ck_assert_ptr_nonnull(freopen(said, "w", stderr));
    log_set_level(LOG_INFO);
    for (int i = 0; i < 3; i++)
        ck_assert(!log_retain(f.log, f.wall_ms + f.config.retention_ms + 1));
    (void)fflush(stderr);
    ck_assert_int_eq(lines_with(said, "cannot begin a new segment"), 1);
    ck_assert_int_eq(lines_with(said, "deleted by retention"), 0);
    ck_assert_int_eq(rmdir(next), 0);
    ck_assert(log_retain(f.log, f.wall_ms + f.config.retention_ms + 1));
    (void)fflush(stderr);
    ck_assert_int_eq(lines_with(said, "1 segments deleted by retention"), 1);
    log_set_level(LOG_ERROR);
}
END_TEST

START_TEST(log_rolls_when_its_segment_is_old)
{
    f.config.segment_ms = 1000;
    fixture_open(&f);
    (void)fixture_append(&f, 1, BATCH_NONE);
    f.wall_ms += 900;
    (void)fixture_append(&f, 1, BATCH_NONE);
    ck_assert_int_eq(log_active(f.log), 0);
    reopen();
    f.wall_ms += 200;
    (void)fixture_append(&f, 1, BATCH_NONE);
    ck_assert_int_eq(log_active(f.log), 2);
}
END_TEST

/* Bytes of the disk that the file of this base takes beyond its size. */
static int64_t spare_bytes(int64_t base)
{
    char path[2 * FIXTURE_PATH];
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s/%020" PRId64 ".log", f.dir, base);
    ck_assert_int_eq(stat(path, &status), 0);
    return (int64_t)status.st_blocks * 512 - status.st_size;
}

static void append_bytes(int64_t bytes)
{
    int64_t until = log_bytes(f.log) + bytes;
    enum kafka_error error = KAFKA_NONE;

    while (log_bytes(f.log) < until && error == KAFKA_NONE)
        error = fixture_append(&f, 500, BATCH_NONE);
    ck_assert_int_eq(error, KAFKA_NONE);
}

START_TEST(blocks_taken_ahead_go_back_when_the_segment_no_longer_grows)
{
    enum { MB = 1 << 20 };
    struct error err = {0};
    int64_t gaps, active;

    fixture_open(&f);
    append_bytes(MB / 2);
    ck_assert_int_lt(spare_bytes(0), MB / 4);
    append_bytes(MB);
    if (spare_bytes(0) < MB / 4)
        return; /* this file system has none to give, or is nearly full */
    log_abandon(f.log);
    fixture_open(&f);
    ck_assert_int_lt(spare_bytes(0), MB / 4);
    append_bytes(MB);
    ck_assert_int_gt(spare_bytes(0), MB / 4);
    reopen();
    ck_assert_int_lt(spare_bytes(0), MB / 4);
    append_bytes(MB);
    ck_assert_int_eq(log_roll(f.log, f.wall_ms, &err), 0);
    ck_assert_int_lt(spare_bytes(0), MB / 4);
    active = log_active(f.log);
    append_bytes(MB + MB / 2);
    ck_assert_int_gt(spare_bytes(active), MB / 4);
    (void)log_retain(f.log, f.wall_ms); /* it was used */
    ck_assert_int_gt(spare_bytes(active), MB / 4);
    (void)log_retain(f.log, f.wall_ms);
    ck_assert_int_lt(spare_bytes(active), MB / 4);
    ck_assert_int_eq(fixture_read_all(&f, 0, 1 << 20, &gaps), log_end(f.log));
}
END_TEST

START_TEST(slice_stays_readable_when_its_segment_is_deleted)
{
    struct log_slice slice;
    struct error err = {0};
    uint8_t *data;

    f.config.file_delete_delay_ms = 0;
    fixture_open(&f);
    for (int i = 0; i < 20; i++)
        (void)fixture_append(&f, 5, BATCH_NONE);
    ck_assert_int_eq(log_roll(f.log, f.wall_ms, &err), 0);
    ck_assert_int_eq(log_read(f.log, 0, 1 << 20, 100, true, &slice, &err), KAFKA_NONE);
    ck_assert_int_eq(log_delete_before(f.log, 100, f.wall_ms, &err), KAFKA_NONE);
    data = mem_alloc((size_t)slice.len);
    ck_assert_int_eq(pread(slice.fd, data, (size_t)slice.len, slice.position),
                     slice.len);
    log_slice_release(slice.file);
    free(data);
}
END_TEST

START_TEST(many_logs_share_few_descriptors)
{
    enum { LOGS = 50 };
    struct fixture many[LOGS];
    struct log_pool *pool = log_pool_new(16, NULL);
    size_t most = 0, left = 0;
    int64_t gaps, read = 0;

    for (int i = 0; i < LOGS; i++) {
        fixture_begin(&many[i]);
        log_pool_free(many[i].pool);
        many[i].pool = pool;
        fixture_open(&many[i]);
    }
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < LOGS; i++) {
            (void)fixture_append(&many[i], 3, BATCH_NONE);
            read += fixture_read_all(&many[i], 0, 1000, &gaps);
            most = pool_open_count(pool) > most ? pool_open_count(pool) : most;
        }
    ck_assert_int_eq(read, LOGS * (3 + 6 + 9 + 12 + 15));
    ck_assert_uint_le(most, 16);
    for (int round = 0; round < 2; round++) /* nobody uses them: they rest */
        for (int i = 0; i < LOGS; i++)
            (void)log_retain(many[i].log, many[i].wall_ms);
    left = pool_open_count(pool);
    ck_assert_uint_eq(left, 0);
    for (int i = 0; i < LOGS; i++) {
        log_close(many[i].log);
        records_builder_clear(&many[i].builder);
        fixture_remove(many[i].dir);
    }
    log_pool_free(pool);
    fixture_open(&f);
}
END_TEST

/* One random life: appends, rolls, reads, deletions, closes and kills. */
START_TEST(random_lives_keep_every_record)
{
    int64_t gaps, consumer = 0;

    srandom((unsigned)_i + 1);
    f.config.segment_bytes = 3000 + random() % 20000;
    f.config.index_interval_bytes = 100 + random() % 5000;
    fixture_open(&f);
    for (int step = 0; step < 600; step++) {
        struct error err = {0};
        int64_t before = log_end(f.log), start = log_start(f.log), from;

        switch (random() % 30) {
        case 0:
            reopen();
            ck_assert(!f.report.unclean);
            break;
        case 1:
            log_abandon(f.log);
            fixture_open(&f);
            break;
        case 2:
            ck_assert_int_eq(log_roll(f.log, f.wall_ms, &err), 0);
            break;
        case 3:
            start += random() % (before - start + 1) / 4;
            ck_assert_int_eq(log_delete_before(f.log, start, f.wall_ms, &err),
                             KAFKA_NONE);
            break;
        case 4:
            (void)log_retain(f.log, f.wall_ms);
            break;
        case 5:
            from = start + random() % (before - start + 1);
            ck_assert_int_ge(fixture_read_all(&f, from, 1 + random() % 50000, &gaps),
                             before - from);
            ck_assert_int_eq(gaps, 0);
            break;
        case 6: /* a consumer that follows the end */
        case 7:
            from = consumer > start ? consumer : start;
            consumer = before;
            ck_assert_int_ge(fixture_read_all(&f, from, 1 + random() % 50000, &gaps),
                             before - from);
            ck_assert_int_eq(gaps, 0);
            break;
        default:
            ck_assert_int_eq(
                fixture_append(&f, 1 + (int)(random() % 20), (int16_t)(random() % 5)),
                KAFKA_NONE);
            continue;
        }
        ck_assert_int_eq(log_end(f.log), before);
        ck_assert_int_eq(log_start(f.log), start);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("log");
    Suite *suite = suite_create("ledger_log");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_was_appended_is_read_back_with_every_size_of_fetch);
    tcase_add_test(tcase, slice_ends_before_the_limit_and_before_max_bytes);
    tcase_add_test(tcase, log_that_was_not_closed_is_checked_and_whole);
    tcase_add_test(tcase, torn_end_is_cut_and_the_log_goes_on);
    tcase_add_test(tcase, times_find_the_very_record_and_the_largest);
    tcase_add_test(tcase, records_deleted_before_an_offset_stay_deleted);
    tcase_add_loop_test(tcase, deleted_records_stay_deleted_when_a_file_is_lost, 0,
                        (int)(sizeof(lost_files) / sizeof(lost_files[0])));
    tcase_add_test(tcase, the_largest_time_is_one_of_what_is_left);
    tcase_add_test(tcase, retention_deletes_by_time_and_by_size);
    tcase_add_test(tcase, retention_that_finds_no_room_says_so_once);
    tcase_add_test(tcase, log_rolls_when_its_segment_is_old);
    tcase_add_test(tcase, blocks_taken_ahead_go_back_when_the_segment_no_longer_grows);
    tcase_add_test(tcase, slice_stays_readable_when_its_segment_is_deleted);
    tcase_add_test(tcase, many_logs_share_few_descriptors);
    tcase_add_loop_test(tcase, random_lives_keep_every_record, 0, 20);
    return suite_run(suite);
}
