/* SPDX-License-Identifier: MIT
 *
 * Producers with transactions do random things, the broker crashes, disks refuse, time
 * passes; a naive model says what a read_committed reader and a group must find.
 */
#include "ledger_txns_fixture.h"
#include "support/suite.h"

enum { WRITERS = 4, ROUNDS = 1200, RECORDS = 20000, ZOMBIES = 8, TIMEOUT_MS = 30000 };

enum fate { OPEN, COMMITTED, ABORTED };

struct model_record {
    int partition;
    int64_t offset;
    int32_t count;
    int writer;
    int transaction; /* of the writer */
};

struct writer {
    char name[16];
    bool version_2; /* of transactions */
    bool live;      /* it has an epoch that nobody took away */
    struct txns_producer me;
    int32_t sequence[WORLD_PARTITIONS];
    bool added[WORLD_PARTITIONS], group_added;
    bool open;       /* something is in the transaction */
    int transaction; /* number of the current one */
    enum fate fates[ROUNDS + 2];
    int64_t offset, pending; /* of its group; -1: none */
    struct txns_producer zombies[ZOMBIES];
    int zombies_count;
};

struct model {
    struct world world;
    struct writer writers[WRITERS];
    struct model_record records[RECORDS];
    int count;
    int64_t next_offset; /* that some group commits */
    uint32_t random;
    const char *wrong; /* what did not hold; NULL: nothing yet */
};

static uint32_t pick(struct model *m, uint32_t below)
{
    return bench_random(&m->random) % below;
}

static void expect(struct model *m, bool holds, const char *what)
{
    if (!holds && m->wrong == NULL)
        m->wrong = what;
}

static struct txns_writer who(const struct writer *writer,
                              struct txns_producer producer)
{
    return (struct txns_writer){.transactional_id = wire_string_of(writer->name),
                                .producer = producer};
}

static struct txns_partition place(int partition)
{
    return (struct txns_partition){.topic = wire_string_of("topic"),
                                   .index = partition};
}

/* ---- what writers do ----------------------------------------------------- */

static void bury(struct writer *writer)
{
    if (writer->live)
        writer->zombies[writer->zombies_count++ % ZOMBIES] = writer->me;
    writer->live = false;
}

static void end_in_model(struct writer *writer, enum fate fate)
{
    writer->fates[writer->transaction++] = fate;
    writer->fates[writer->transaction] = OPEN;
    if (fate == COMMITTED && writer->pending >= 0)
        writer->offset = writer->pending;
    writer->pending = -1;
    writer->open = writer->group_added = false;
    memset(writer->added, 0, sizeof(writer->added));
}

static void do_init(struct model *m, struct writer *writer)
{
    struct txns_init init = {.transactional_id = wire_string_of(writer->name),
                             .timeout_ms = TIMEOUT_MS,
                             .expected = {.id = -1, .epoch = -1}};
    struct txns_producer got;
    enum kafka_error error = KAFKA_CONCURRENT_TRANSACTIONS;

    if (writer->open)
        end_in_model(writer, ABORTED);
    bury(writer);
    for (int i = 0; i < 3 && error == KAFKA_CONCURRENT_TRANSACTIONS; i++) {
        error = txns_init(m->world.txns, &init, &m->world.time, &got);
        if (i > 0) /* the disk works again */
            m->world.whole = -1;
        if (error == KAFKA_CONCURRENT_TRANSACTIONS)
            world_pass(&m->world, TXNS_RETRY_MS);
    }
    expect(m, error == KAFKA_NONE, "init");
    writer->me = got;
    writer->live = true;
    writer->version_2 = pick(m, 2) == 0;
    memset(writer->sequence, 0, sizeof(writer->sequence));
}

static enum kafka_error append(struct model *m, struct txns_producer producer,
                               int partition, int32_t sequence, int32_t count,
                               int16_t version, bool verified,
                               struct partition_appended *out)
{
    const struct bench_batch spec = {.producer_id = producer.id,
                                     .epoch = producer.epoch,
                                     .sequence = sequence,
                                     .count = count,
                                     .attributes = BATCH_TRANSACTIONAL};
    const struct partition_append_how how = {
        .wall_ms = m->world.time.wall_ms, .version = version, .verified = verified};
    size_t size;
    uint8_t *data = bench_make(&m->world.builder, &spec, how.wall_ms, &size);

    return partition_append(m->world.partitions[partition], data, (int64_t)size, &how,
                            out);
}

static void do_produce(struct model *m, struct writer *writer)
{
    struct world *w = &m->world;
    int partition = (int)pick(m, WORLD_PARTITIONS);
    int32_t count = 1 + (int32_t)pick(m, 3);
    int16_t version = writer->version_2 ? 12 : 11;
    struct txns_writer me = who(writer, writer->me);
    struct txns_partition where = place(partition);
    struct partition_appended out;
    bool verified = false;

    if (!writer->version_2 && !writer->added[partition])
        expect(m, txns_add(w->txns, &me, &where, 1, &w->time) == KAFKA_NONE, "add");
    if (!partition_in_transaction(w->partitions[partition], writer->me.id,
                                  writer->me.epoch)) {
        expect(m, txns_produce(w->txns, &me, &where, version, &w->time) == KAFKA_NONE,
               "produce is part of the transaction");
        verified = true;
    }
    expect(m,
           append(m, writer->me, partition, writer->sequence[partition], count, version,
                  verified, &out) == KAFKA_NONE,
           "append");
    m->records[m->count++] = (struct model_record){.partition = partition,
                                                   .offset = out.base_offset,
                                                   .count = count,
                                                   .writer = (int)(writer - m->writers),
                                                   .transaction = writer->transaction};
    writer->sequence[partition] += count;
    writer->added[partition] = writer->open = true;
}

static void do_offsets(struct model *m, struct writer *writer)
{
    struct world *w = &m->world;
    struct txns_writer me = who(writer, writer->me);
    struct wire_string group = wire_string_of(writer->name);
    struct offset offset = {.offset = ++m->next_offset,
                            .leader_epoch = -1,
                            .expire_ms = -1,
                            .metadata = wire_string_of("")};
    struct error err = {0};

    if (!writer->version_2 && !writer->group_added)
        expect(m, txns_add_group(w->txns, &me, group, &w->time) == KAFKA_NONE,
               "add group");
    expect(m,
           txns_offset_commit(w->txns, &me, group, writer->version_2 ? 5 : 3,
                              &w->time) == KAFKA_NONE,
           "offsets are part of the transaction");
    offsets_begin(w->offsets, group, writer->me.id);
    offsets_set(w->offsets, wire_string_of("in"), 0, &offset);
    expect(m, offsets_end(w->offsets, &err) == 0, "offsets");
    writer->pending = offset.offset;
    writer->group_added = writer->open = true;
}

/* The answer may get lost: then the client asks again. */
static void do_end(struct model *m, struct writer *writer)
{
    struct world *w = &m->world;
    bool commit = pick(m, 3) > 0, lost = pick(m, 6) == 0;
    int16_t version = writer->version_2 ? 5 : 4;
    struct txns_writer me = who(writer, writer->me);
    struct txns_producer next, again;
    enum kafka_error error = txns_end(w->txns, &me, commit, version, &w->time, &next);

    expect(m, error == KAFKA_NONE, "end");
    if (lost) {
        error = txns_end(w->txns, &me, commit, version, &w->time, &again);
        if (error == KAFKA_CONCURRENT_TRANSACTIONS) { /* a disk refused */
            world_pass(w, TXNS_RETRY_MS);
            error = txns_end(w->txns, &me, commit, version, &w->time, &again);
        }
        expect(m, error == KAFKA_NONE || w->broken > 0, "end, asked again");
        expect(m,
               error != KAFKA_NONE ||
                   (again.id == next.id && again.epoch == next.epoch),
               "the same answer again");
    }
    end_in_model(writer, commit ? COMMITTED : ABORTED);
    if (writer->version_2) {
        expect(m, next.id != writer->me.id || next.epoch == writer->me.epoch + 1,
               "version 2 bumps the epoch");
        bury(writer);
        writer->me = next;
        writer->live = true;
        memset(writer->sequence, 0, sizeof(writer->sequence));
    }
}

/* A producer of an older epoch must not get anything into the log. */
static void do_zombie(struct model *m, struct writer *writer)
{
    struct world *w = &m->world;
    int count = writer->zombies_count < ZOMBIES ? writer->zombies_count : ZOMBIES;

    if (count == 0)
        return;
    struct txns_producer zombie = writer->zombies[pick(m, (uint32_t)count)];
    struct txns_writer me = who(writer, zombie);
    struct txns_partition where = place((int)pick(m, WORLD_PARTITIONS));
    struct txns_producer next;
    struct partition_appended out;
    int16_t version = pick(m, 2) == 0 ? 12 : 11;

    expect(m, txns_add(w->txns, &me, &where, 1, &w->time) != KAFKA_NONE,
           "a zombie adds");
    expect(m, txns_produce(w->txns, &me, &where, version, &w->time) != KAFKA_NONE,
           "a zombie is let in");
    expect(m,
           append(m, zombie, where.index, 0, 1, version, false, &out) != KAFKA_NONE ||
               out.duplicate,
           "a zombie writes");
    expect(m, txns_end(w->txns, &me, true, 4, &w->time, &next) != KAFKA_NONE,
           "a zombie commits");
}

static void do_timeout(struct model *m)
{
    world_pass(&m->world, TIMEOUT_MS + 1);
    for (int i = 0; i < WRITERS; i++) {
        if (!m->writers[i].open)
            continue;
        end_in_model(&m->writers[i], ABORTED);
        bury(&m->writers[i]);
    }
}

/* ---- what readers must find ---------------------------------------------- */

struct reader {
    struct model *m;
    int partition;
    int next; /* record of the model */
};

static bool is_aborted(const struct batch *batch, const struct partition_slice *slice)
{
    for (int32_t i = 0; i < slice->aborted_count; i++)
        if (slice->aborted[i].producer_id == batch->producer_id &&
            slice->aborted[i].first_offset <= batch->base_offset &&
            slice->aborted[i].last_offset >= batch->base_offset)
            return true;
    return false;
}

static const struct model_record *next_committed(struct reader *reader)
{
    while (reader->next < reader->m->count) {
        const struct model_record *record = &reader->m->records[reader->next++];
        if (record->partition == reader->partition &&
            reader->m->writers[record->writer].fates[record->transaction] == COMMITTED)
            return record;
    }
    return NULL;
}

static bool is_visible(void *arg, const struct batch *batch, const uint8_t *data,
                       const struct partition_slice *slice)
{
    struct reader *reader = arg;

    (void)data;
    if (batch_is_control(batch) || is_aborted(batch, slice))
        return true;
    const struct model_record *record = next_committed(reader);
    return record != NULL && record->offset == batch->base_offset &&
           record->count == batch->record_count;
}

static void check_partition(struct model *m, int partition)
{
    struct reader reader = {.m = m, .partition = partition};
    int64_t stable = partition_last_stable(m->world.partitions[partition]);

    expect(m, bench_each(m->world.partitions[partition], true, is_visible, &reader),
           "a reader sees exactly what was committed");
    const struct model_record *more = next_committed(&reader);
    expect(m, more == NULL || more->offset >= stable, "a reader sees all of it");
    for (int i = 0; i < m->count; i++)
        if (m->records[i].partition == partition && m->records[i].offset < stable &&
            m->writers[m->records[i].writer].fates[m->records[i].transaction] == OPEN)
            expect(m, false, "what is open is not stable");
}

static void check_all(struct model *m)
{
    for (int i = 0; i < WORLD_PARTITIONS; i++)
        check_partition(m, i);
    for (int i = 0; i < WRITERS; i++) {
        const struct offset *offset =
            offsets_find(m->world.offsets, wire_string_of(m->writers[i].name),
                         wire_string_of("in"), 0);
        expect(m, (offset == NULL ? -1 : offset->offset) == m->writers[i].offset,
               "offsets are committed with their transaction");
    }
}

/* ---- rounds -------------------------------------------------------------- */

/* Ends that a disk refused go on by themselves. */
static void settle_down(struct model *m)
{
    m->world.whole = -1;
    world_pass(&m->world, TXNS_RETRY_MS);
    m->world.broken = 0;
}

static void do_something(struct model *m)
{
    struct writer *writer = &m->writers[pick(m, WRITERS)];
    uint32_t dice = pick(m, 100);

    if (!writer->live || dice < 3)
        do_init(m, writer);
    else if (dice < 45)
        do_produce(m, writer);
    else if (dice < 60)
        do_offsets(m, writer);
    else if (dice < 85 && writer->open)
        do_end(m, writer);
    else if (dice < 95)
        do_zombie(m, writer);
    else if (dice == 95)
        do_timeout(m);
}

static void do_round(struct model *m)
{
    struct world *w = &m->world;
    bool breaks = pick(m, 8) == 0;

    if (breaks) /* in the middle of an end, if there is one */
        w->whole = (int)pick(m, 4);
    do_something(m);
    world_pass(w, 10);
    if (pick(m, 40) == 0) {
        world_crash(w);
        w->broken = 0;
        check_all(m);
    } else if (pick(m, 60) == 0 && !breaks) {
        world_restart(w);
    }
    if (breaks) {
        settle_down(m);
        check_all(m);
    }
}

START_TEST(readers_and_groups_find_exactly_what_was_committed)
{
    static struct model m;
    int round = 0;

    memset(&m, 0, sizeof(m));
    m.random = (uint32_t)_i * 2654435761U + 17;
    world_begin(&m.world);
    m.world.config.log.segment_bytes = 6000;
    world_restart(&m.world);
    for (int i = 0; i < WRITERS; i++) {
        (void)snprintf(m.writers[i].name, sizeof(m.writers[i].name), "writer-%d", i);
        m.writers[i].offset = m.writers[i].pending = -1;
    }
    while (round < ROUNDS && m.wrong == NULL) {
        do_round(&m);
        round++;
    }
    if (m.wrong == NULL) {
        settle_down(&m);
        do_timeout(&m);
        world_crash(&m.world);
        check_all(&m);
        for (int i = 0; i < WORLD_PARTITIONS; i++)
            expect(&m,
                   partition_open_transactions(m.world.partitions[i]) == 0 &&
                       partition_last_stable(m.world.partitions[i]) ==
                           partition_end(m.world.partitions[i]),
                   "nothing hangs");
    }
    ck_assert_msg(m.wrong == NULL, "seed %d, round %d: %s", _i, round, m.wrong);
    ck_assert_int_gt(m.count, ROUNDS / 5);
    world_end(&m.world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_txns_model");
    TCase *cases = tcase_create("all");

    tcase_add_loop_test(cases, readers_and_groups_find_exactly_what_was_committed, 0,
                        5);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
