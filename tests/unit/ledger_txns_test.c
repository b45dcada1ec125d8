/* SPDX-License-Identifier: MIT */
#include "ledger_txns_fixture.h"
#include "support/suite.h"

#include <signal.h>
#include <sys/resource.h>

enum { V1 = 4, V2 = 5 }; /* of EndTxn */

static const struct txns_producer NOBODY = {.id = -1, .epoch = -1};

static struct txns_partition place(int32_t index)
{
    return (struct txns_partition){.topic = wire_string_of("topic"), .index = index};
}

static enum kafka_error init(struct world *w, const char *id,
                             struct txns_producer expected, struct txns_producer *out)
{
    const struct txns_init init = {.transactional_id = wire_string_of(id),
                                   .timeout_ms = 60000,
                                   .expected = expected};

    return txns_init(w->txns, &init, &w->time, out);
}

static struct txns_writer writer_of(const char *id, struct txns_producer producer)
{
    return (struct txns_writer){.transactional_id = wire_string_of(id),
                                .producer = producer};
}

static struct txns_writer begin(struct world *w, const char *id)
{
    struct txns_producer producer;

    ck_assert_int_eq(init(w, id, NOBODY, &producer), KAFKA_NONE);
    return writer_of(id, producer);
}

static enum kafka_error add(struct world *w, const struct txns_writer *who,
                            int32_t index)
{
    struct txns_partition partition = place(index);

    return txns_add(w->txns, who, &partition, 1, &w->time);
}

static enum kafka_error end(struct world *w, struct txns_writer *who, bool commit,
                            int16_t version)
{
    struct txns_producer next;
    enum kafka_error error = txns_end(w->txns, who, commit, version, &w->time, &next);

    if (error == KAFKA_NONE && version >= V2)
        who->producer = next;
    else
        ck_assert_int_eq(next.id, -1);
    return error;
}

static enum txn_state state(struct world *w, const char *id)
{
    struct txns_view view;

    ck_assert(txns_find(w->txns, wire_string_of(id), &view));
    return view.state;
}

/* ---- InitProducerId ------------------------------------------------------ */

START_TEST(producer_ids_are_never_given_twice)
{
    struct world w;
    struct txns_producer producer;
    int64_t last = -1;
    int wrong = 0;

    world_begin(&w);
    for (int i = 0; i < 2500; i++) {
        wrong += init(&w, NULL, NOBODY, &producer) != KAFKA_NONE ||
                 producer.id <= last || producer.epoch != 0;
        last = producer.id;
        if (i % 700 == 0)
            world_crash(&w);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(txns_count(w.txns), 0);
    world_end(&w);
}
END_TEST

START_TEST(each_wrong_init_has_its_error)
{
    struct world w;
    struct txns_producer out;
    struct txns_init spec = {.transactional_id = wire_string_of(""),
                             .timeout_ms = 60000,
                             .expected = NOBODY};

    world_begin(&w);
    ck_assert_int_eq(txns_init(w.txns, &spec, &w.time, &out), KAFKA_INVALID_REQUEST);
    spec.transactional_id = wire_string_of("t");
    spec.timeout_ms = 0;
    ck_assert_int_eq(txns_init(w.txns, &spec, &w.time, &out),
                     KAFKA_INVALID_TRANSACTION_TIMEOUT);
    spec.timeout_ms = TXNS_TIMEOUT_MAX_MS + 1;
    ck_assert_int_eq(txns_init(w.txns, &spec, &w.time, &out),
                     KAFKA_INVALID_TRANSACTION_TIMEOUT);
    struct txns_writer first = begin(&w, "t"), second = begin(&w, "t");
    ck_assert_int_eq(second.producer.id, first.producer.id);
    ck_assert_int_eq(second.producer.epoch, 1);
    /* Who was fenced does not get in again. */
    ck_assert_int_eq(init(&w, "t", first.producer, &out), KAFKA_PRODUCER_FENCED);
    struct txns_producer other = {.id = 4711, .epoch = 1};
    ck_assert_int_eq(init(&w, "t", other, &out), KAFKA_PRODUCER_FENCED);
    /* Who has the epoch gets the next one, the same one when he asks again. */
    ck_assert_int_eq(init(&w, "t", second.producer, &out), KAFKA_NONE);
    ck_assert_int_eq(out.epoch, 2);
    ck_assert_int_eq(init(&w, "t", second.producer, &out), KAFKA_NONE);
    ck_assert_int_eq(out.epoch, 2);
    world_end(&w);
}
END_TEST

START_TEST(an_open_transaction_is_aborted_before_its_id_is_given_on)
{
    struct world w;
    struct txns_producer out;

    world_begin(&w);
    struct txns_writer old = begin(&w, "t");
    ck_assert_int_eq(add(&w, &old, 0), KAFKA_NONE);
    ck_assert_int_eq(init(&w, "t", NOBODY, &out), KAFKA_NONE);
    ck_assert_int_eq(partition_end(w.partitions[0]), 1); /* the marker */
    ck_assert_int_eq(out.id, old.producer.id);
    ck_assert_int_eq(out.epoch, old.producer.epoch + 2);
    ck_assert_int_eq(state(&w, "t"), TXN_EMPTY);
    ck_assert_int_eq(add(&w, &old, 0), KAFKA_PRODUCER_FENCED);
    ck_assert_int_eq(end(&w, &old, true, V1), KAFKA_PRODUCER_FENCED);

    struct txns_writer now = writer_of("t", out);
    ck_assert_int_eq(add(&w, &now, 0), KAFKA_NONE);
    w.whole = 0;
    ck_assert_int_eq(init(&w, "t", NOBODY, &out), KAFKA_CONCURRENT_TRANSACTIONS);
    ck_assert_int_eq(out.id, -1);
    ck_assert_int_eq(state(&w, "t"), TXN_PREPARE_ABORT);
    w.whole = -1;
    world_pass(&w, TXNS_RETRY_MS);
    ck_assert_int_eq(init(&w, "t", NOBODY, &out), KAFKA_NONE);
    ck_assert_int_eq(out.epoch, now.producer.epoch + 2);
    world_end(&w);
}
END_TEST

START_TEST(a_used_up_epoch_goes_on_with_another_id)
{
    struct world w;
    struct txns_producer out;
    struct txns_writer who;
    int wrong = 0;

    world_begin(&w);
    who = begin(&w, "init");
    for (int i = 1; i < INT16_MAX; i++) {
        wrong += init(&w, "init", NOBODY, &out) != KAFKA_NONE || out.epoch != i;
        if (i % 9000 == 0)
            world_crash(&w);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(init(&w, "init", NOBODY, &out), KAFKA_NONE);
    ck_assert_int_ne(out.id, who.producer.id);
    ck_assert_int_eq(out.epoch, 0);

    who = begin(&w, "end");
    struct txns_writer before = who;
    for (int i = 1; i < INT16_MAX; i++)
        wrong += end(&w, &who, false, V2) != KAFKA_NONE || who.producer.epoch != i ||
                 who.producer.id != before.producer.id;
    ck_assert_int_eq(wrong, 0);
    before = who;
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    ck_assert_int_eq(end(&w, &who, true, V2), KAFKA_NONE);
    ck_assert_int_ne(who.producer.id, before.producer.id);
    ck_assert_int_eq(who.producer.epoch, 0);
    struct txns_producer went_on = who.producer;
    ck_assert_int_eq(end(&w, &before, true, V2), KAFKA_NONE); /* asked again */
    ck_assert_int_eq(before.producer.id, went_on.id);
    world_end(&w);
}
END_TEST

/* ---- adding and verifying ------------------------------------------------ */

START_TEST(each_wrong_writer_has_its_error)
{
    struct world w;
    struct txns_partition where = place(0);

    world_begin(&w);
    struct txns_writer who = begin(&w, "t"), nobody = writer_of("", who.producer);
    struct txns_writer unknown = writer_of("u", who.producer), other = who, late = who;
    other.producer.id += 1;
    late.producer.epoch += 1;
    ck_assert_int_eq(add(&w, &nobody, 0), KAFKA_INVALID_REQUEST);
    ck_assert_int_eq(add(&w, &unknown, 0), KAFKA_INVALID_PRODUCER_ID_MAPPING);
    ck_assert_int_eq(add(&w, &other, 0), KAFKA_INVALID_PRODUCER_ID_MAPPING);
    ck_assert_int_eq(add(&w, &late, 0), KAFKA_PRODUCER_FENCED);
    ck_assert_int_eq(txns_verify(w.txns, &who, &where), KAFKA_TRANSACTION_ABORTABLE);
    ck_assert_int_eq(txns_produce(w.txns, &who, &where, 10, &w.time),
                     KAFKA_INVALID_TXN_STATE);
    ck_assert_int_eq(txns_produce(w.txns, &who, &where, 11, &w.time),
                     KAFKA_TRANSACTION_ABORTABLE);
    ck_assert_int_eq(txns_produce(w.txns, &late, &where, 11, &w.time),
                     KAFKA_INVALID_PRODUCER_EPOCH);
    ck_assert_int_eq(txns_produce(w.txns, &who, &where, 12, &w.time), KAFKA_NONE);
    ck_assert_int_eq(txns_verify(w.txns, &who, &where), KAFKA_NONE);
    where.index = 1;
    ck_assert_int_eq(txns_verify(w.txns, &who, &where), KAFKA_TRANSACTION_ABORTABLE);
    struct wire_string group = wire_string_of("g");
    ck_assert_int_eq(txns_offset_commit(w.txns, &who, group, 3, &w.time),
                     KAFKA_INVALID_TXN_STATE);
    ck_assert_int_eq(txns_offset_commit(w.txns, &who, group, 4, &w.time),
                     KAFKA_TRANSACTION_ABORTABLE);
    ck_assert_int_eq(txns_offset_commit(w.txns, &who, group, 5, &w.time), KAFKA_NONE);
    ck_assert_int_eq(txns_offset_commit(w.txns, &who, group, 3, &w.time), KAFKA_NONE);
    world_end(&w);
}
END_TEST

/* ---- EndTxn -------------------------------------------------------------- */

START_TEST(ends_of_version_1_say_yes_again_and_refuse_the_opposite)
{
    struct world w;

    world_begin(&w);
    struct txns_writer who = begin(&w, "t"), unknown = writer_of("u", who.producer);
    struct txns_writer nobody = writer_of("", who.producer), other = who;
    other.producer.id++;
    ck_assert_int_eq(end(&w, &nobody, true, V1), KAFKA_INVALID_REQUEST);
    ck_assert_int_eq(end(&w, &unknown, true, V1), KAFKA_INVALID_PRODUCER_ID_MAPPING);
    ck_assert_int_eq(end(&w, &other, true, V1), KAFKA_INVALID_PRODUCER_ID_MAPPING);
    ck_assert_int_eq(end(&w, &who, true, V1), KAFKA_INVALID_TXN_STATE); /* empty */
    ck_assert_int_eq(end(&w, &who, false, V1), KAFKA_INVALID_TXN_STATE);
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    ck_assert_int_eq(end(&w, &who, true, V1), KAFKA_NONE);
    ck_assert_int_eq(end(&w, &who, true, V1), KAFKA_NONE);
    ck_assert_int_eq(end(&w, &who, false, V1), KAFKA_INVALID_TXN_STATE);
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    ck_assert_int_eq(end(&w, &who, false, V1), KAFKA_NONE);
    ck_assert_int_eq(end(&w, &who, false, V1), KAFKA_NONE);
    ck_assert_int_eq(end(&w, &who, true, V1), KAFKA_INVALID_TXN_STATE);
    ck_assert_int_eq(partition_end(w.partitions[0]), 2);
    world_end(&w);
}
END_TEST

START_TEST(ends_of_version_2_bump_the_epoch_and_know_a_repeated_request_by_it)
{
    struct world w;

    world_begin(&w);
    struct txns_writer who = begin(&w, "t"), old;
    ck_assert_int_eq(end(&w, &who, true, V2), KAFKA_INVALID_TXN_STATE); /* empty */
    ck_assert_int_eq(end(&w, &who, false, V2), KAFKA_NONE);
    ck_assert_int_eq(who.producer.epoch, 1);
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    old = who;
    ck_assert_int_eq(end(&w, &who, true, V2), KAFKA_NONE);
    ck_assert_int_eq(who.producer.epoch, 2);
    ck_assert_int_eq(end(&w, &old, false, V2), KAFKA_INVALID_TXN_STATE);
    ck_assert_int_eq(end(&w, &old, true, V2), KAFKA_NONE);
    ck_assert_int_eq(old.producer.epoch, 2);
    ck_assert_int_eq(end(&w, &who, true, V2), KAFKA_INVALID_TXN_STATE); /* a new one */
    ck_assert_int_eq(end(&w, &who, false, V2), KAFKA_NONE);
    ck_assert_int_eq(who.producer.epoch, 3);
    old.producer.epoch = 1;
    ck_assert_int_eq(end(&w, &old, false, V2), KAFKA_PRODUCER_FENCED);
    ck_assert_int_eq(partition_end(w.partitions[0]), 1);
    world_end(&w);
}
END_TEST

START_TEST(while_a_disk_refuses_the_end_everyone_waits)
{
    struct world w;
    struct txns_producer out;
    struct txns_partition where = place(0);

    world_begin(&w);
    struct txns_writer who = begin(&w, "t"), next;
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    ck_assert_int_eq(add(&w, &who, 1), KAFKA_NONE);
    w.whole = 1; /* the first partition is marked, the second is not */
    next = who;
    ck_assert_int_eq(end(&w, &next, true, V2), KAFKA_NONE);
    ck_assert_int_eq(state(&w, "t"), TXN_PREPARE_COMMIT);
    ck_assert_int_eq(add(&w, &next, 0), KAFKA_CONCURRENT_TRANSACTIONS);
    ck_assert_int_eq(txns_produce(w.txns, &next, &where, 12, &w.time),
                     KAFKA_CONCURRENT_TRANSACTIONS);
    ck_assert_int_eq(txns_produce(w.txns, &next, &where, 11, &w.time),
                     KAFKA_NOT_ENOUGH_REPLICAS);
    ck_assert_int_eq(init(&w, "t", NOBODY, &out), KAFKA_CONCURRENT_TRANSACTIONS);
    struct txns_writer again = who;
    ck_assert_int_eq(end(&w, &again, true, V2), KAFKA_CONCURRENT_TRANSACTIONS);
    again = who;
    ck_assert_int_eq(end(&w, &again, false, V2), KAFKA_INVALID_TXN_STATE);
    ck_assert_int_eq(end(&w, &next, false, V2), KAFKA_PRODUCER_FENCED);
    w.whole = -1;
    world_pass(&w, TXNS_RETRY_MS - 1);
    ck_assert_int_eq(state(&w, "t"), TXN_PREPARE_COMMIT);
    world_pass(&w, 1);
    ck_assert_int_eq(state(&w, "t"), TXN_COMPLETE_COMMIT);
    ck_assert_int_eq(partition_end(w.partitions[0]), 1);
    ck_assert_int_eq(partition_end(w.partitions[1]), 1);
    ck_assert_int_eq(add(&w, &next, 0), KAFKA_NONE);
    world_end(&w);
}
END_TEST

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    (void)signal(SIGXFSZ, SIG_IGN);
    (void)getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

static enum kafka_error write_first(struct world *w, const struct txns_writer *who)
{
    const struct partition_append_how how = {
        .wall_ms = w->time.wall_ms, .version = 12, .verified = true};
    const struct bench_batch spec = {
        .producer_id = who->producer.id, .count = 1, .attributes = BATCH_TRANSACTIONAL};
    struct partition_appended out;
    size_t size;
    uint8_t *data = bench_make(&w->builder, &spec, w->time.wall_ms, &size);

    return partition_append(w->partitions[0], data, (int64_t)size, &how, &out);
}

START_TEST(a_full_disk_changes_nothing_and_is_survived)
{
    struct world w;
    struct txns_producer out;
    struct txns_view view;
    struct txns_partition second = place(1);
    enum kafka_error got[5];

    world_begin(&w);
    struct txns_writer who = begin(&w, "t");
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* a line each */
    limit_files(1); /* libcheck writes to files, too: nothing is asserted meanwhile */
    got[0] = write_first(&w, &who);
    got[1] = txns_add(w.txns, &who, &second, 1, &w.time);
    got[2] = txns_end(w.txns, &who, true, V2, &w.time, &out);
    got[3] = init(&w, "t", NOBODY, &out);
    got[4] = init(&w, "u", NOBODY, &out);
    world_pass(&w, 60000); /* it should be aborted now */
    limit_files(RLIM_INFINITY);
    ck_assert_int_eq(got[0], KAFKA_STORAGE_ERROR);
    for (int i = 1; i < 5; i++)
        ck_assert_int_eq(got[i], KAFKA_COORDINATOR_NOT_AVAILABLE);
    ck_assert(txns_find(w.txns, wire_string_of("t"), &view));
    ck_assert_int_eq(view.state, TXN_ONGOING);
    ck_assert_int_eq(view.partitions_count, 1);
    ck_assert_int_eq(view.producer.epoch, who.producer.epoch);
    ck_assert_int_eq(txns_count(w.txns), 1);
    ck_assert_int_eq(partition_end(w.partitions[0]), 0);

    ck_assert_int_eq(write_first(&w, &who), KAFKA_NONE);
    ck_assert_int_eq(end(&w, &who, true, V2), KAFKA_NONE);
    world_crash(&w);
    ck_assert_int_eq(state(&w, "t"), TXN_COMPLETE_COMMIT);
    ck_assert_int_eq(partition_last_stable(w.partitions[0]), 2);
    world_end(&w);
}
END_TEST

/* ---- time ---------------------------------------------------------------- */

START_TEST(a_transaction_that_takes_too_long_is_aborted_also_over_a_restart)
{
    struct world w;

    world_begin(&w);
    struct txns_writer who = begin(&w, "t");
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    world_pass(&w, 40000);
    world_crash(&w);
    ck_assert_int_eq(add(&w, &who, 1), KAFKA_NONE);
    int64_t due = txns_tick(w.txns, w.time.now_ms, w.time.wall_ms);
    ck_assert_int_eq(due, w.time.now_ms + 20000);
    world_pass(&w, 19999);
    ck_assert_int_eq(state(&w, "t"), TXN_ONGOING);
    world_pass(&w, 1);
    ck_assert_int_eq(state(&w, "t"), TXN_COMPLETE_ABORT);
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_PRODUCER_FENCED);
    ck_assert_int_eq(end(&w, &who, true, V1), KAFKA_PRODUCER_FENCED);
    /* Version 2 takes the abort that it would ask for as done. */
    ck_assert_int_eq(end(&w, &who, false, V2), KAFKA_NONE);
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    world_end(&w);
}
END_TEST

START_TEST(ids_that_nobody_uses_for_a_week_are_forgotten)
{
    struct world w;
    struct txns_view view;

    world_begin(&w);
    struct txns_writer open = begin(&w, "open");
    begin(&w, "idle");
    world_pass(&w, TXNS_EXPIRE_MS - 1000);
    ck_assert_int_eq(add(&w, &open, 0), KAFKA_NONE);
    world_pass(&w, 2000);
    ck_assert_int_eq(txns_count(w.txns), 2); /* looked at once an hour */
    world_pass(&w, 3600 * 1000);
    ck_assert(!txns_find(w.txns, wire_string_of("idle"), &view));
    world_crash(&w);
    ck_assert_int_eq(txns_count(w.txns), 1);
    world_end(&w);
}
END_TEST

/* ---- what a power cut leaves --------------------------------------------- */

static void write_one(struct world *w, const struct txns_writer *who, int index)
{
    const struct bench_batch spec = {.producer_id = who->producer.id,
                                     .epoch = who->producer.epoch,
                                     .count = 1,
                                     .attributes = BATCH_TRANSACTIONAL};
    const struct partition_append_how how = {
        .wall_ms = w->time.wall_ms, .version = 12, .verified = true};
    struct partition_appended out;
    size_t size;
    uint8_t *data = bench_make(&w->builder, &spec, how.wall_ms, &size);

    ck_assert_int_eq(
        partition_append(w->partitions[index], data, (int64_t)size, &how, &out),
        KAFKA_NONE);
}

static void reconcile(struct world *w)
{
    for (int i = 0; i < WORLD_PARTITIONS; i++)
        txns_reconcile(w->txns, wire_string_of("topic"), i, w->partitions[i],
                       w->time.wall_ms);
}

START_TEST(an_end_goes_on_after_a_crash_where_it_was)
{
    for (int marked = 0; marked <= WORLD_PARTITIONS; marked++) {
        struct world w;

        world_begin(&w);
        struct txns_writer who = begin(&w, "t");
        for (int i = 0; i < WORLD_PARTITIONS; i++) {
            ck_assert_int_eq(add(&w, &who, i), KAFKA_NONE);
            write_one(&w, &who, i);
        }
        ck_assert_int_eq(txns_add_group(w.txns, &who, wire_string_of("g"), &w.time),
                         KAFKA_NONE);
        w.whole = marked;
        ck_assert_int_eq(end(&w, &who, true, V1), KAFKA_NONE);
        ck_assert_int_eq(state(&w, "t"), TXN_PREPARE_COMMIT);
        world_crash(&w);
        ck_assert_int_eq(state(&w, "t"), TXN_COMPLETE_COMMIT);
        for (int i = 0; i < WORLD_PARTITIONS; i++) /* one record, one marker */
            ck_assert_int_eq(partition_last_stable(w.partitions[i]), 2);
        world_end(&w);
    }
}
END_TEST

START_TEST(transactions_that_only_a_partition_knows_are_ended_there)
{
    static const int16_t versions[] = {V1, V2};
    struct world w;

    world_begin(&w);
    for (int i = 0; i < 2; i++) {
        struct txns_writer done = begin(&w, i == 0 ? "done-1" : "done-2");
        struct txns_writer open = begin(&w, i == 0 ? "open-1" : "open-2");
        ck_assert_int_eq(add(&w, &done, 0), KAFKA_NONE);
        write_one(&w, &done, 0);
        w.lost = true;
        ck_assert_int_eq(end(&w, &done, true, versions[i]), KAFKA_NONE);
        w.lost = false;
        ck_assert_int_eq(add(&w, &open, 1), KAFKA_NONE);
        write_one(&w, &open, 1);
        write_one(&w, &open, 2); /* adding it got lost */
    }
    world_crash(&w);
    reconcile(&w);
    ck_assert_int_eq(partition_open_transactions(w.partitions[0]), 0);
    ck_assert_int_eq(partition_open_transactions(w.partitions[1]), 2);
    ck_assert_int_eq(partition_open_transactions(w.partitions[2]), 0);
    struct partition_slice slice;
    ck_assert_int_eq(partition_read(w.partitions[0], 0, 1 << 20, true, true, &slice),
                     KAFKA_NONE);
    ck_assert_int_eq(slice.aborted_count, 0); /* both were committed */
    log_slice_release(slice.slice.file);
    ck_assert_int_eq(partition_read(w.partitions[2], 0, 1 << 20, true, true, &slice),
                     KAFKA_NONE);
    ck_assert_int_eq(slice.aborted_count, 2);
    log_slice_release(slice.slice.file);
    world_end(&w);
}
END_TEST

/* ---- administration ------------------------------------------------------ */

START_TEST(a_transaction_shows_its_partitions_while_it_is_open)
{
    struct world w;
    struct txns_view view;

    world_begin(&w);
    struct txns_writer who = begin(&w, "t");
    ck_assert(txns_find(w.txns, wire_string_of("t"), &view));
    ck_assert_int_eq(view.state, TXN_EMPTY);
    ck_assert_int_eq(view.start_ms, -1);
    ck_assert_int_eq(add(&w, &who, 2), KAFKA_NONE);
    w.time.wall_ms += 5;
    ck_assert_int_eq(add(&w, &who, 0), KAFKA_NONE);
    ck_assert_int_eq(txns_add_group(w.txns, &who, wire_string_of("my-group"), &w.time),
                     KAFKA_NONE);
    ck_assert(txns_find(w.txns, wire_string_of("t"), &view));
    ck_assert_int_eq(view.state, TXN_ONGOING);
    ck_assert_int_eq(view.start_ms, w.time.wall_ms - 5);
    ck_assert_int_eq(view.timeout_ms, 60000);
    ck_assert_int_eq(view.partitions_count, 3);
    ck_assert(wire_string_is(view.partitions[0].topic, "__consumer_offsets"));
    ck_assert_int_eq(view.partitions[1].index, 0);
    ck_assert_int_eq(view.partitions[2].index, 2);
    ck_assert_int_eq(end(&w, &who, true, V1), KAFKA_NONE);
    world_crash(&w);
    ck_assert(txns_find(w.txns, wire_string_of("t"), &view));
    ck_assert_int_eq(view.state, TXN_COMPLETE_COMMIT);
    ck_assert_int_eq(view.partitions_count, 0);
    world_end(&w);
}
END_TEST

START_TEST(groups_are_in_the_partition_where_kafka_has_them)
{
    static const struct {
        const char *group;
        int32_t partition;
    } cases[] = {
        {"my-group", 12},          {"grüße", 23}, {"消费者", 6}, {"😀x", 39},
        {"polygenelubricants", 0}, /* its hash is the smallest number there is */
    };
    struct world w;
    struct txns_view view;

    world_begin(&w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct txns_writer who = begin(&w, cases[i].group);
        ck_assert_int_eq(
            txns_add_group(w.txns, &who, wire_string_of(cases[i].group), &w.time),
            KAFKA_NONE);
        ck_assert(txns_find(w.txns, wire_string_of(cases[i].group), &view));
        ck_assert_int_eq(view.partitions[0].index, cases[i].partition);
    }
    world_end(&w);
}
END_TEST

START_TEST(states_have_kafkas_names)
{
    bool known;

    ck_assert_str_eq(txn_state_text(TXN_PREPARE_COMMIT), "PrepareCommit");
    ck_assert_int_eq(txn_state_find(wire_string_of("CompleteAbort"), &known),
                     TXN_COMPLETE_ABORT);
    ck_assert_int_eq(txn_state_find(wire_string_of("Dead"), &known), TXN_STATES);
    ck_assert(known);
    ck_assert_int_eq(txn_state_find(wire_string_of("ongoing"), &known), TXN_STATES);
    ck_assert(!known);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        producer_ids_are_never_given_twice,
        each_wrong_init_has_its_error,
        an_open_transaction_is_aborted_before_its_id_is_given_on,
        a_used_up_epoch_goes_on_with_another_id,
        each_wrong_writer_has_its_error,
        ends_of_version_1_say_yes_again_and_refuse_the_opposite,
        ends_of_version_2_bump_the_epoch_and_know_a_repeated_request_by_it,
        while_a_disk_refuses_the_end_everyone_waits,
        a_full_disk_changes_nothing_and_is_survived,
        a_transaction_that_takes_too_long_is_aborted_also_over_a_restart,
        ids_that_nobody_uses_for_a_week_are_forgotten,
        an_end_goes_on_after_a_crash_where_it_was,
        transactions_that_only_a_partition_knows_are_ended_there,
        a_transaction_shows_its_partitions_while_it_is_open,
        groups_are_in_the_partition_where_kafka_has_them,
        states_have_kafkas_names,
    };
    Suite *suite = suite_create("ledger_txns");
    TCase *cases = tcase_create("all");

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
