/* SPDX-License-Identifier: MIT */
#include "ledger_log_fixture.h"
#include "ledger/log/keymap.h"
#include "support/suite.h"

static struct fixture f;

enum { MAX_OFFSETS = 20000 };

static void begin(void)
{
    fixture_begin(&f);
    f.config.compact_policy = true;
    f.config.delete_policy = false;
    f.config.segment_bytes = 8000;
    f.config.index_interval_bytes = 500;
}

static void end(void)
{
    fixture_end(&f);
}

static struct log_view view_of_all(void)
{
    return (struct log_view){.first_unstable = log_end(f.log)};
}

/* Compact until there is nothing to do; the number of steps. */
static int compact(const struct log_view *view, int64_t budget)
{
    int steps = 0;

    while (log_compactable(f.log, view->first_unstable, f.wall_ms) && steps < 100000) {
        (void)log_compact_step(f.log, view, f.wall_ms, budget);
        steps++;
    }
    return steps;
}

/* Which offsets can be read; right says whether their records are what was written. */
struct found {
    bool there[MAX_OFFSETS];
    bool right;
    int64_t count;
};

static void find_all(struct fixture *fixture, struct found *found)
{
    struct records walk = {0};
    struct log_slice slice;
    struct error err = {0};
    int64_t offset = log_start(fixture->log);

    *found = (struct found){.right = true};
    while (offset < log_end(fixture->log) && found->right) {
        uint8_t *data;
        struct record record;
        struct batch batch;

        ck_assert_int_eq(
            log_read(fixture->log, offset, 3000, INT64_MAX, true, &slice, &err),
            KAFKA_NONE);
        found->right = slice.next > offset;
        offset = slice.next;
        if (slice.len == 0)
            continue;
        data = mem_alloc((size_t)slice.len);
        ck_assert_int_eq(pread(slice.fd, data, (size_t)slice.len, slice.position),
                         slice.len);
        for (int64_t at = 0; at < slice.len && found->right; at += batch.size) {
            found->right =
                batch_read(data + at, (size_t)(slice.len - at), &batch) == KAFKA_NONE &&
                (batch_is_control(&batch) ||
                 fixture_is_right(fixture, &walk, data + at, (size_t)batch.size,
                                  &found->count)) &&
                records_begin(&walk, data + at, (size_t)batch.size, FIXTURE_UNPACK) ==
                    KAFKA_NONE;
            while (found->right && records_next(&walk, &record) > 0)
                found->there[record.offset] = true;
        }
        free(data);
        log_slice_release(slice.file);
    }
    records_clear(&walk);
}

/* The last offset of every key below end must be there; nothing else below `until` may.
 */
static void check_found(struct fixture *fixture, const struct found *found,
                        int64_t until)
{
    int64_t last[1000], end = log_end(fixture->log);
    char key[32];
    int64_t missing = 0, extra = 0;

    for (int i = 0; i < fixture->keys; i++)
        last[i] = -1;
    for (int64_t offset = 0; offset < end; offset++) {
        (void)fixture_key(fixture, offset, key);
        last[atoi(key + 4)] = offset;
    }
    for (int64_t offset = 0; offset < end; offset++) {
        (void)fixture_key(fixture, offset, key);
        if (last[atoi(key + 4)] == offset && !found->there[offset])
            missing++;
    }
    /* Outdated: the key comes again before the part that was not compacted. */
    for (int i = 0; i < fixture->keys; i++)
        last[i] = -1;
    for (int64_t offset = 0; offset < until; offset++) {
        (void)fixture_key(fixture, offset, key);
        last[atoi(key + 4)] = offset;
    }
    for (int64_t offset = 0; offset < until; offset++) {
        (void)fixture_key(fixture, offset, key);
        if (last[atoi(key + 4)] != offset && found->there[offset])
            extra++;
    }
    ck_assert_int_eq(missing, 0);
    ck_assert_int_eq(extra, 0);
    ck_assert(found->right);
}

START_TEST(last_value_of_every_key_stays_and_nothing_else)
{
    static struct found found;
    struct log_view view;
    int64_t bytes;

    f.keys = 50;
    fixture_open(&f);
    for (int i = 0; i < 600; i++)
        (void)fixture_append(&f, 1 + i % 9, (int16_t)(i % 5));
    bytes = log_bytes(f.log);
    view = view_of_all();
    ck_assert_int_gt(compact(&view, _i == 0 ? 1 : 100000), 0);
    ck_assert_int_lt(log_bytes(f.log), bytes / 5);
    find_all(&f, &found);
    check_found(&f, &found, log_active(f.log));
    log_close(f.log);
    fixture_open(&f);
    ck_assert(!f.report.unclean);
    find_all(&f, &found);
    check_found(&f, &found, log_active(f.log));
    ck_assert(!log_compactable(f.log, log_end(f.log), f.wall_ms));
    /* Look-ups by time and by offset work on what remains. */
    {
        int64_t offset, time;
        struct error err = {0};

        ck_assert_int_eq(log_find_time(f.log, 0, &offset, &time, &err), KAFKA_NONE);
        ck_assert(found.there[offset]);
    }
}
END_TEST

START_TEST(compaction_goes_on_as_the_log_grows)
{
    static struct found found;
    struct log_view view;

    f.keys = 100;
    fixture_open(&f);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 200; i++)
            (void)fixture_append(&f, 1 + i % 9, (int16_t)(i % 5));
        view = view_of_all();
        (void)compact(&view, 5000);
        find_all(&f, &found);
        check_found(&f, &found, 0);
        if (round == 5) {
            log_abandon(f.log);
            fixture_open(&f);
            ck_assert_int_eq(f.report.lost_to, f.report.lost_from);
        }
    }
}
END_TEST

START_TEST(unstable_and_young_records_are_not_touched)
{
    static struct found found;
    struct log_view view;

    f.keys = 5;
    fixture_open(&f);
    for (int i = 0; i < 600; i++)
        (void)fixture_append(&f, 3, BATCH_NONE);
    view = view_of_all();
    view.first_unstable = 900;
    ck_assert_int_gt(compact(&view, 100000), 0);
    find_all(&f, &found);
    for (int64_t offset = 900; offset < 1800; offset++)
        ck_assert(found.there[offset]);
    ck_assert_int_lt(found.count, 1100);
    f.config.min_compaction_lag_ms = 1000000;
    log_configure(f.log, &f.config);
    view = view_of_all();
    ck_assert(!log_compactable(f.log, view.first_unstable, f.wall_ms));
    f.config.min_compaction_lag_ms = 0;
    log_configure(f.log, &f.config);
    ck_assert(log_compactable(f.log, view.first_unstable, f.wall_ms));
}
END_TEST

/* Append one record with this key, or a tombstone. */
static void put(const char *key, const char *value)
{
    struct batch model = {.base_offset = log_end(f.log),
                          .base_timestamp = f.wall_ms,
                          .producer_id = -1,
                          .producer_epoch = -1,
                          .base_sequence = -1};
    static const uint8_t no_headers[1] = {0};
    struct record record = {.offset = log_end(f.log),
                            .timestamp = f.wall_ms,
                            .key = (const uint8_t *)key,
                            .key_len = (int32_t)strlen(key),
                            .value = (const uint8_t *)value,
                            .value_len = value ? (int32_t)strlen(value) : -1,
                            .headers = no_headers,
                            .headers_len = 1};
    struct error err = {0};
    const uint8_t *data;
    size_t size;

    records_build(&f.builder, &model);
    records_add(&f.builder, &record);
    data = records_finish(&f.builder, &size);
    ck_assert_int_eq(log_append(f.log, data, size, f.wall_ms, &err), KAFKA_NONE);
}

struct seen {
    int batches, records, tombstones, markers;
    int64_t timestamp; /* of the last tombstone */
};

static int see(void *arg, const struct batch *batch, const uint8_t *data)
{
    struct seen *seen = arg;

    seen->batches++;
    seen->records += batch->record_count;
    seen->markers += data != NULL;
    return 0;
}

static struct seen see_all(void)
{
    struct seen seen = {0};
    struct error err = {0};

    ck_assert_int_eq(log_each_batch(f.log, 0, see, &seen, &err), 0);
    return seen;
}

static void roll(void)
{
    struct error err = {0};

    ck_assert_int_eq(log_roll(f.log, f.wall_ms, &err), 0);
}

START_TEST(tombstone_stays_for_its_time_and_then_goes)
{
    struct log_view view;

    f.config.min_cleanable_dirty_ratio = 0;
    f.config.delete_retention_ms = 5000;
    fixture_open(&f);
    put("a", "1");
    put("b", "1");
    put("a", NULL);
    roll();
    put("c", "1");
    view = view_of_all();
    (void)compact(&view, 100000);
    ck_assert_int_eq(see_all().records, 3); /* b, a's tombstone, c */
    f.wall_ms += 4000;
    roll();
    put("d", "1");
    view = view_of_all();
    (void)compact(&view, 100000);
    ck_assert_int_eq(see_all().records, 4);
    f.wall_ms += 2000;
    roll();
    put("e", "1");
    view = view_of_all();
    (void)compact(&view, 100000);
    ck_assert_int_eq(see_all().records, 4); /* b c d e */
}
END_TEST

static void put_batch(int64_t producer_id, int16_t attributes)
{
    struct error err = {0};
    uint8_t copy[4096];
    size_t size;
    const uint8_t *data = fixture_batch(&f, log_end(f.log), 3, attributes, &size);
    struct batch batch;

    memcpy(copy, data, size);
    (void)batch_read(copy, size, &batch);
    batch.producer_id = producer_id;
    batch_write_header(copy, &batch);
    ck_assert_int_eq(log_append(f.log, copy, size, f.wall_ms, &err), KAFKA_NONE);
}

static void put_marker(int64_t producer_id, enum batch_marker marker)
{
    uint8_t data[BATCH_MARKER_BYTES];
    struct error err = {0};

    batch_control(data, producer_id, 0, (struct batch_control){marker, 0}, f.wall_ms);
    batch_place(data, log_end(f.log), 0);
    ck_assert_int_eq(log_append(f.log, data, sizeof(data), f.wall_ms, &err),
                     KAFKA_NONE);
}

static bool is_producer_7(void *arg, int64_t producer_id, int64_t offset)
{
    (void)arg;
    (void)offset;
    return producer_id == 7;
}

START_TEST(aborted_records_go_and_markers_follow_after_their_time)
{
    struct log_view view;

    f.keys = 1000000;
    f.config.min_cleanable_dirty_ratio = 0;
    f.config.delete_retention_ms = 5000;
    fixture_open(&f);
    put_batch(7, BATCH_TRANSACTIONAL);
    put_batch(8, BATCH_TRANSACTIONAL);
    put_marker(7, BATCH_ABORT);
    put_marker(8, BATCH_COMMIT);
    for (int round = 0; round < 4; round++) {
        struct seen seen;

        roll();
        put("x", "1");
        view = view_of_all();
        view.aborted = is_producer_7;
        (void)compact(&view, 100000);
        seen = see_all();
        /* The data of 7 go at once. Its marker stays in the first pass, gets its
         * horizon in the second and goes when that is over; 8's stays with its records.
         */
        ck_assert_int_eq(seen.markers, round < 3 ? 2 : 1);
        ck_assert_int_eq(seen.records - seen.markers, round == 0 ? 4 : 5);
        f.wall_ms += round < 2 ? 1000 : 6000;
    }
}
END_TEST

/* What a crash leaves after any step must open whole and with the last value of each
 * key. */
START_TEST(crash_at_any_step_loses_nothing)
{
    static struct found found;
    struct log_view view;
    struct fixture copy;
    char dir[FIXTURE_PATH + 8];
    int steps = 0;

    f.keys = 60;
    fixture_open(&f);
    for (int i = 0; i < 150; i++)
        (void)fixture_append(&f, 1 + i % 9, (int16_t)(i % 5));
    view = view_of_all();
    (void)snprintf(dir, sizeof(dir), "%s-copy", f.dir);
    while (log_compactable(f.log, view.first_unstable, f.wall_ms)) {
        (void)log_compact_step(f.log, &view, f.wall_ms, 1);
        if (++steps % 3 != 0)
            continue;
        fixture_copy(f.dir, dir);
        copy = f;
        copy.builder = (struct records_builder){0};
        (void)snprintf(copy.dir, sizeof(copy.dir), "%.*s", FIXTURE_PATH - 1, dir);
        fixture_open(&copy);
        ck_assert_int_eq(copy.report.lost_from, copy.report.lost_to);
        ck_assert_int_eq(log_end(copy.log), log_end(f.log));
        find_all(&copy, &found);
        check_found(&copy, &found, 0);
        log_abandon(copy.log);
        fixture_remove(dir);
    }
    ck_assert_int_gt(steps, 50);
}
END_TEST

/* And between the renames of a swap, which no step ends at. */
START_TEST(interrupted_swap_is_finished_when_opened)
{
    static struct found found;
    struct log_view view;
    char name[2][FIXTURE_PATH + 64], old[FIXTURE_PATH + 8];
    int64_t end;

    f.keys = 60;
    f.config.segment_bytes = 100000; /* all of them become one */
    fixture_open(&f);
    for (int i = 0; i < 150; i++) {
        (void)fixture_append(&f, 5, BATCH_NONE);
        if (i % 20 == 19)
            roll();
    }
    (void)fixture_append(&f, 5, BATCH_NONE);
    end = log_end(f.log);
    log_abandon(f.log);
    (void)snprintf(old, sizeof(old), "%s-old", f.dir);
    fixture_copy(f.dir, old);
    fixture_open(&f);
    view = view_of_all();
    (void)compact(&view, 100000);
    log_abandon(f.log);
    /* The compacted segment under the swap's name beside the old ones. */
    (void)snprintf(name[0], sizeof(name[0]), "%s/%020d.index", f.dir, 0);
    (void)snprintf(name[1], sizeof(name[1]), "%s/%020d.index.swap", old, 0);
    ck_assert_int_eq(rename(name[0], name[1]), 0);
    (void)snprintf(name[0], sizeof(name[0]), "%s/%020d.log", f.dir, 0);
    (void)snprintf(name[1], sizeof(name[1]), "%s/%020d.log.swap", old, 0);
    ck_assert_int_eq(rename(name[0], name[1]), 0);
    (void)snprintf(name[0], sizeof(name[0]), "%s/checkpoint", f.dir);
    (void)snprintf(name[1], sizeof(name[1]), "%s/checkpoint", old);
    ck_assert_int_eq(rename(name[0], name[1]), 0);
    fixture_remove(f.dir);
    ck_assert_int_eq(rename(old, f.dir), 0);
    fixture_open(&f);
    ck_assert_int_eq(log_end(f.log), end);
    find_all(&f, &found);
    check_found(&f, &found, log_active(f.log));
}
END_TEST

START_TEST(keymap_knows_the_last_offset_of_each_key)
{
    struct keymap map;
    int wrong = 0;
    char key[32];

    keymap_init(&map, 100000);
    for (int i = 0; i < 100000; i++)
        keymap_put(&map, (const uint8_t *)key,
                   (size_t)snprintf(key, sizeof(key), "k%d", i % 5000), i);
    for (int i = 0; i < 5000; i++)
        wrong += keymap_get(&map, (const uint8_t *)key,
                            (size_t)snprintf(key, sizeof(key), "k%d", i)) != 95000 + i;
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(keymap_get(&map, (const uint8_t *)"other", 5), -1);
    ck_assert(keymap_has_room(&map, 95000));
    ck_assert(!keymap_has_room(&map, 95001));
    keymap_clear(&map);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("compact");
    TCase *pure = tcase_create("keymap");
    Suite *suite = suite_create("ledger_compact");

    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, pure);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, last_value_of_every_key_stays_and_nothing_else, 0, 2);
    tcase_add_test(tcase, compaction_goes_on_as_the_log_grows);
    tcase_add_test(tcase, unstable_and_young_records_are_not_touched);
    tcase_add_test(tcase, tombstone_stays_for_its_time_and_then_goes);
    tcase_add_test(tcase, aborted_records_go_and_markers_follow_after_their_time);
    tcase_add_test(tcase, crash_at_any_step_loses_nothing);
    tcase_add_test(tcase, interrupted_swap_is_finished_when_opened);
    tcase_add_test(pure, keymap_knows_the_last_offset_of_each_key);
    return suite_run(suite);
}
