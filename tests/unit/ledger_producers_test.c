/* SPDX-License-Identifier: MIT */
#include "ledger_partition_fixture.h"

#include "ledger/log/aborted.h"
#include "ledger/log/producers.h"
#include "support/suite.h"

enum { PRODUCERS = 6, ROUNDS = 2500, KEPT = 20000 };

/* ---- a naive model of idempotent producers ------------------------------- */

struct model_batch {
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence;
    int32_t count;
    int64_t offset;
};

struct model {
    struct model_batch batches[KEPT]; /* of all producers, as they are in the log */
    int count;
    int64_t end;
};

static int32_t wrap(int64_t sequence)
{
    return (int32_t)(sequence & INT32_MAX);
}

/* The n-th last batch of the producer's newest epoch (0: the last); NULL: none. */
static const struct model_batch *nth_last(const struct model *model, int64_t id, int n)
{
    int16_t epoch = -1;

    for (int i = model->count - 1; i >= 0; i--) {
        const struct model_batch *batch = &model->batches[i];
        if (batch->producer_id != id)
            continue;
        if (epoch == -1)
            epoch = batch->epoch;
        if (batch->epoch != epoch)
            return NULL;
        if (n-- == 0)
            return batch;
    }
    return NULL;
}

static enum kafka_error model_append(struct model *model,
                                     const struct bench_batch *spec, int64_t *offset)
{
    const struct model_batch *last = nth_last(model, spec->producer_id, 0);

    *offset = -1;
    if (last != NULL && last->epoch == spec->epoch) {
        for (int n = 0; n < 5; n++) {
            const struct model_batch *old = nth_last(model, spec->producer_id, n);
            if (old != NULL && old->sequence == spec->sequence &&
                old->count == spec->count) {
                *offset = old->offset;
                return KAFKA_NONE;
            }
        }
        if (spec->sequence != wrap((int64_t)last->sequence + last->count))
            return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    } else if (last != NULL) {
        if (spec->epoch < last->epoch)
            return KAFKA_INVALID_PRODUCER_EPOCH;
        if (spec->sequence != 0)
            return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    *offset = model->end;
    model->batches[model->count++] =
        (struct model_batch){.producer_id = spec->producer_id,
                             .epoch = spec->epoch,
                             .sequence = spec->sequence,
                             .count = spec->count,
                             .offset = model->end};
    model->end += spec->count;
    return KAFKA_NONE;
}

/* Mostly the next batch; sometimes one again, one too early, another epoch. */
static struct bench_batch choose(const struct model *model, uint32_t *random)
{
    struct bench_batch spec = {
        .producer_id = 100 + (int64_t)(bench_random(random) % PRODUCERS),
        .count = 1 + (int32_t)(bench_random(random) % 5),
    };
    const struct model_batch *last = nth_last(model, spec.producer_id, 0);
    const struct model_batch *old =
        nth_last(model, spec.producer_id, (int)(bench_random(random) % 8));

    if (last == NULL) { /* some begin just before the sequence starts again at 0 */
        spec.sequence = bench_random(random) % 2 ? 0 : INT32_MAX - 7;
        return spec;
    }
    spec.epoch = last->epoch;
    spec.sequence = wrap((int64_t)last->sequence + last->count);
    switch (bench_random(random) % 12) {
    case 0:
    case 1:
    case 2: /* again */
        if (old != NULL) {
            spec.sequence = old->sequence;
            spec.count = old->count;
        }
        break;
    case 3: /* one is missing between */
        spec.sequence = wrap((int64_t)spec.sequence + 1 + bench_random(random) % 9);
        break;
    case 4:
        spec.epoch = (int16_t)(spec.epoch + (int)(bench_random(random) % 3) - 1);
        spec.sequence = bench_random(random) % 3 == 0 ? spec.sequence : 0;
        break;
    default:
        break;
    }
    return spec;
}

struct reading {
    const struct model *model;
    int next;
};

static bool is_next(void *arg, const struct batch *batch, const uint8_t *data,
                    const struct partition_slice *slice)
{
    struct reading *reading = arg;
    const struct model_batch *expected = &reading->model->batches[reading->next++];

    (void)slice;
    return batch_crc_ok(data, (size_t)batch->size) &&
           batch->base_offset == expected->offset &&
           batch->producer_id == expected->producer_id &&
           batch->base_sequence == expected->sequence &&
           batch->producer_epoch == expected->epoch &&
           batch->record_count == expected->count;
}

static bool log_is_the_model(struct bench *b, const struct model *model)
{
    struct reading reading = {.model = model};

    return partition_end(b->partition) == model->end &&
           bench_each(b->partition, false, is_next, &reading) &&
           reading.next == model->count;
}

START_TEST(idempotent_producers_do_as_the_model_through_restarts)
{
    static struct model model;
    struct bench b;
    uint32_t random = (uint32_t)_i * 7919 + 1;
    int wrong = 0;

    model.count = 0;
    model.end = 0;
    bench_begin(&b);
    b.config.log.segment_bytes = 9000; /* many segments */
    partition_configure(b.partition, &b.config);
    for (int round = 0; round < ROUNDS && wrong == 0; round++) {
        struct bench_batch spec = choose(&model, &random);
        struct partition_appended out;
        int64_t offset;
        enum kafka_error expected = model_append(&model, &spec, &offset);
        enum kafka_error got = bench_append(&b, &spec, &out);

        wrong += got != expected || out.base_offset != offset;
        b.wall_ms += 10;
        if (bench_random(&random) % 200 == 0)
            bench_restart(&b);
        if (bench_random(&random) % 200 == 0)
            bench_crash(&b);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert(log_is_the_model(&b, &model));
    bench_end(&b);
}
END_TEST

/* ---- rules one by one ---------------------------------------------------- */

START_TEST(a_producer_that_is_not_known_begins_anywhere_but_in_version_2_at_0)
{
    struct bench b;
    struct partition_appended out;
    struct partition_append_how how = {.version = 12, .verified = true};
    struct bench_batch spec = {.producer_id = 1,
                               .sequence = 77,
                               .count = 1,
                               .attributes = BATCH_TRANSACTIONAL};

    bench_begin(&b);
    how.wall_ms = b.wall_ms;
    ck_assert_int_eq(bench_append_how(&b, &spec, &how, &out),
                     KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    how.version = 11;
    ck_assert_int_eq(bench_append_how(&b, &spec, &how, &out), KAFKA_NONE);
    spec.producer_id = 2;
    spec.attributes = 0;
    how.version = 12; /* no transaction: idempotent only */
    ck_assert_int_eq(bench_append_how(&b, &spec, &how, &out), KAFKA_NONE);
    bench_end(&b);
}
END_TEST

START_TEST(a_producer_is_forgotten_after_a_day_unless_its_transaction_is_open)
{
    struct bench b;
    struct partition_appended out;
    struct producers_state state;
    struct bench_batch plain = {.producer_id = 1, .count = 3};
    struct bench_batch open = {
        .producer_id = 2, .count = 1, .attributes = BATCH_TRANSACTIONAL};

    bench_begin(&b);
    ck_assert_int_eq(bench_append(&b, &plain, &out), KAFKA_NONE);
    ck_assert_int_eq(bench_append(&b, &open, &out), KAFKA_NONE);
    partition_expire(b.partition, b.wall_ms + PRODUCERS_EXPIRE_MS - 1);
    ck_assert(partition_producer(b.partition, 1, &state));
    ck_assert_int_eq(state.last_sequence, 2);
    partition_expire(b.partition, b.wall_ms + PRODUCERS_EXPIRE_MS);
    ck_assert(!partition_producer(b.partition, 1, &state));
    ck_assert(partition_producer(b.partition, 2, &state));
    plain.sequence = 500; /* forgotten: it may go on where it is */
    ck_assert_int_eq(bench_append(&b, &plain, &out), KAFKA_NONE);
    bench_end(&b);
}
END_TEST

START_TEST(a_duplicate_is_answered_with_its_place_and_time)
{
    struct bench b;
    struct partition_appended first, again;
    struct bench_batch spec = {.producer_id = 1, .count = 4};

    bench_begin(&b);
    b.config.log_append_time = true;
    partition_configure(b.partition, &b.config);
    ck_assert_int_eq(bench_append(&b, &spec, &first), KAFKA_NONE);
    b.wall_ms += 5000;
    ck_assert_int_eq(bench_append(&b, &spec, &again), KAFKA_NONE);
    ck_assert(!first.duplicate && again.duplicate);
    ck_assert_int_eq(again.base_offset, first.base_offset);
    ck_assert_int_eq(again.last_offset, 3);
    ck_assert_int_eq(again.log_append_ms, first.log_append_ms);
    ck_assert_int_eq(partition_end(b.partition), 4);
    bench_end(&b);
}
END_TEST

START_TEST(idle_producers_are_bounded)
{
    char dir[] = "/tmp/ledger-producers-XXXXXX";
    struct error err = {0};
    int64_t replay_from;
    struct batch batch = {.record_count = 1, .producer_epoch = 0};
    struct producers *producers;
    int64_t most = 0;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    producers = producers_open(dir, 0, 0, 0, &replay_from, &err);
    ck_assert_ptr_nonnull(producers);
    for (int64_t id = 0; id < 3 * PRODUCERS_MAX; id++) {
        batch.producer_id = id;
        batch.base_offset = id;
        producers_append(producers, &batch, id / 10);
        if (producers_count(producers) > most)
            most = producers_count(producers);
    }
    ck_assert_int_le(most, PRODUCERS_MAX);
    ck_assert_int_ge(producers_count(producers), PRODUCERS_MAX / 2);
    struct producers_state state;
    ck_assert(producers_find(producers, 3 * PRODUCERS_MAX - 1, &state));
    producers_close(producers);
    fixture_remove(dir);
}
END_TEST

START_TEST(many_transactions_end_in_any_order)
{
    enum { OPEN = 50000, STEP = 7919 };
    char dir[] = "/tmp/ledger-producers-XXXXXX";
    static bool ended[OPEN];
    struct error err = {0};
    int64_t replay_from, first = 0, wrong = 0;
    struct batch batch = {.record_count = 1, .attributes = BATCH_TRANSACTIONAL};
    struct producers *producers;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    producers = producers_open(dir, 0, 0, 0, &replay_from, &err);
    for (int i = 0; i < OPEN; i++) {
        batch.producer_id = 7 * i;
        batch.base_offset = i;
        producers_append(producers, &batch, 0);
    }
    for (int i = 0; i < OPEN; i++) {
        int at =
            i < OPEN / 2 ? i : (int)((int64_t)i * STEP % (OPEN - OPEN / 2)) + OPEN / 2;

        if (i == OPEN / 2) { /* the order is kept by a snapshot */
            ck_assert_int_eq(producers_snapshot(producers, OPEN, &err), 0);
            producers_close(producers);
            producers = producers_open(dir, 0, OPEN, 0, &replay_from, &err);
            ck_assert_int_eq(replay_from, OPEN);
        }
        producers_marker(producers, 7 * (int64_t)at, 0, 0, true, OPEN + i, 0);
        wrong += ended[at];
        ended[at] = true;
        while (first < OPEN && ended[first])
            first++;
        wrong +=
            producers_first_unstable(producers) != (first < OPEN ? first : INT64_MAX);
        wrong += producers_open_count(producers) != OPEN - 1 - i;
    }
    ck_assert_int_eq(wrong, 0);
    producers_close(producers);
    fixture_remove(dir);
}
END_TEST

START_TEST(a_damaged_snapshot_is_made_again_from_the_log)
{
    struct bench b;
    struct partition_appended out;
    char path[FIXTURE_PATH + 16];
    struct bench_batch spec = {.producer_id = 9, .count = 2};

    bench_begin(&b);
    for (int i = 0; i < 7; i++, spec.sequence += 2)
        ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    partition_close(b.partition);
    (void)snprintf(path, sizeof(path), "%s/producers", b.dir);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    (void)fseek(file, 40, SEEK_SET);
    (void)fputc(0x5a, file);
    (void)fclose(file);
    bench_open(&b);
    spec.sequence -= 2;
    ck_assert_int_eq(bench_append(&b, &spec, &out), KAFKA_NONE);
    ck_assert(out.duplicate);
    ck_assert_int_eq(out.base_offset, 12);
    bench_end(&b);
}
END_TEST

/* ---- the aborted list ---------------------------------------------------- */

enum { ABORTS = 3 * ABORTED_IN_MEMORY };

static int32_t naive_aborted(const struct producers_aborted *all, int count,
                             int64_t from, int64_t to, struct producers_aborted *out)
{
    int32_t found = 0;

    for (int i = 0; i < count; i++)
        if (all[i].last_offset >= from && all[i].first_offset < to)
            out[found++] = all[i];
    return found;
}

static bool same_aborted(struct aborted *list, const struct producers_aborted *all,
                         int count, uint32_t *random, int64_t start, int64_t end)
{
    static struct producers_aborted expected[ABORTS];
    const struct producers_aborted *got;
    struct error err = {0};

    for (int i = 0; i < 300; i++) {
        int64_t from =
            start + (int64_t)(bench_random(random) % (uint32_t)(end - start));
        int64_t to = from + (int64_t)(bench_random(random) % 300);
        int32_t wanted = naive_aborted(all, count, from, to, expected);
        int32_t found = aborted_find(list, from, to, &got, &err);
        if (found != wanted ||
            (found > 0 && memcmp(got, expected, (size_t)found * sizeof(*got)) != 0))
            return false;
    }
    return true;
}

/* Transactions of several producers that overlap, as a partition would add them. */
static int make_aborted(struct producers_aborted *all, uint32_t *random, int64_t *end)
{
    int64_t open[5] = {-1, -1, -1, -1, -1}, offset = 0;
    int count = 0;

    while (count < ABORTS) {
        int who = (int)(bench_random(random) % 5);
        if (open[who] < 0) {
            open[who] = offset;
            offset += 1 + (int64_t)(bench_random(random) % 4);
            continue;
        }
        int64_t stable = offset + 1;
        for (int i = 0; i < 5; i++)
            if (i != who && open[i] >= 0 && open[i] < stable)
                stable = open[i];
        all[count++] = (struct producers_aborted){.producer_id = who,
                                                  .first_offset = open[who],
                                                  .last_offset = offset,
                                                  .last_stable_offset = stable};
        open[who] = -1;
        offset++;
    }
    *end = offset;
    return count;
}

START_TEST(aborted_transactions_are_found_in_memory_and_file_through_restarts)
{
    static struct producers_aborted all[ABORTS];
    char dir[] = "/tmp/ledger-aborted-XXXXXX";
    struct aborted list;
    struct error err = {0};
    uint32_t random = 12345;
    int64_t end;
    int count = make_aborted(all, &random, &end);

    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(aborted_open(&list, dir, INT64_MAX, &err), 0);
    for (int i = 0; i < count; i++)
        aborted_add(&list, &all[i]);
    ck_assert_uint_le(list.count, ABORTED_IN_MEMORY + 1);
    ck_assert(same_aborted(&list, all, count, &random, 0, end));
    ck_assert_int_eq(aborted_save(&list, &err), 0);
    aborted_clear(&list);

    /* The next process finds all of them, or those of a log that got shorter. */
    ck_assert_int_eq(aborted_open(&list, dir, INT64_MAX, &err), 0);
    ck_assert_int_eq(aborted_last(&list), all[count - 1].last_offset);
    ck_assert(same_aborted(&list, all, count, &random, 0, end));
    aborted_clear(&list);
    count -= 1000;
    ck_assert_int_eq(aborted_open(&list, dir, all[count].last_offset, &err), 0);
    ck_assert_int_eq(aborted_last(&list), all[count - 1].last_offset);
    end = all[count - 1].last_offset + 1;
    ck_assert(same_aborted(&list, all, count, &random, 0, end));

    /* The log's start moves on; the file follows. */
    int64_t start = all[count * 3 / 4].last_offset;
    aborted_trim(&list, start, &err);
    ck_assert(same_aborted(&list, all, count, &random, start, end));
    ck_assert_int_eq(aborted_save(&list, &err), 0);
    ck_assert_int_le(list.filed, count / 4 + 1);
    ck_assert(same_aborted(&list, all, count, &random, start, end));
    aborted_clear(&list);
    fixture_remove(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_producers");
    TCase *cases = tcase_create("all");

    tcase_add_loop_test(cases, idempotent_producers_do_as_the_model_through_restarts, 0,
                        5);
    tcase_add_test(cases,
                   a_producer_that_is_not_known_begins_anywhere_but_in_version_2_at_0);
    tcase_add_test(cases,
                   a_producer_is_forgotten_after_a_day_unless_its_transaction_is_open);
    tcase_add_test(cases, a_duplicate_is_answered_with_its_place_and_time);
    tcase_add_test(cases, idle_producers_are_bounded);
    tcase_add_test(cases, many_transactions_end_in_any_order);
    tcase_add_test(cases, a_damaged_snapshot_is_made_again_from_the_log);
    tcase_add_test(cases,
                   aborted_transactions_are_found_in_memory_and_file_through_restarts);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
