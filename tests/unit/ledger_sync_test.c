/* SPDX-License-Identifier: MIT */
#include "ledger_log_fixture.h"
#include "ledger/log/sync.h"
#include "support/suite.h"

#include <errno.h>
#include <poll.h>

/* Something to flush: one descriptor, and what was said about it. */
struct thing {
    struct sync_entry entry;
    int fd;
    int collected, done, released;
    int later; /* so often there is no descriptor */
    int error;
};

static void release(void *owner)
{
    ((struct thing *)owner)->released++;
}

static void collect(struct sync *sync, struct sync_entry *entry)
{
    struct thing *thing = (struct thing *)entry;

    thing->collected++;
    if (thing->later > 0) {
        thing->later--;
        sync_later(sync);
        return;
    }
    sync_add(sync, thing->fd, release, thing);
}

static void done(struct sync_entry *entry, int error)
{
    struct thing *thing = (struct thing *)entry;

    thing->done++;
    thing->error = error;
}

static struct sync *start(void)
{
    struct error err = {0};
    struct sync *sync = sync_start(1000, &err);

    ck_assert_msg(sync != NULL, "%s", err.text);
    return sync;
}

static void make(struct thing *thing)
{
    FILE *file = tmpfile();

    *thing = (struct thing){.entry = {.collect = collect, .done = done}};
    thing->fd = dup(fileno(file));
    (void)fclose(file);
}

static void wait_for(struct sync *sync, uint64_t ticket)
{
    for (int i = 0; i < 1000 && !sync_reached(sync, ticket); i++) {
        struct pollfd wanted = {.fd = sync_fd(sync), .events = POLLIN};

        (void)poll(&wanted, 1, 10);
        sync_poll(sync);
    }
    ck_assert(sync_reached(sync, ticket));
}

START_TEST(interval_flushes_what_is_dirty_when_it_is_over)
{
    struct sync *sync = start();
    struct thing thing;

    make(&thing);
    ck_assert_int_eq(sync_tick(sync, 0), INT64_MAX);
    sync_dirty(sync, &thing.entry);
    sync_dirty(sync, &thing.entry);
    ck_assert_int_eq(sync_tick(sync, 5000), 6000);
    ck_assert_int_eq(sync_tick(sync, 5999), 6000);
    ck_assert_int_eq(thing.collected, 0);
    ck_assert_int_eq(sync_tick(sync, 6000), INT64_MAX);
    wait_for(sync, 1);
    ck_assert_int_eq(thing.collected, 1);
    ck_assert_int_eq(thing.done, 1);
    ck_assert_int_eq(thing.released, 1);
    ck_assert_int_eq(thing.error, 0);
    sync_stop(sync);
    (void)close(thing.fd);
}
END_TEST

START_TEST(tickets_wait_for_all_that_was_dirty_before_them)
{
    enum { THINGS = 600 }; /* more than a round takes */
    static struct thing things[THINGS];
    struct sync *sync = start();
    uint64_t ticket;
    int finished = 0;

    for (int i = 0; i < THINGS; i++) {
        make(&things[i]);
        sync_dirty(sync, &things[i].entry);
        if (i % 100 == 0)
            (void)sync_ticket(sync);
    }
    ticket = sync_ticket(sync);
    sync_dirty(sync, &things[0].entry);
    wait_for(sync, ticket);
    for (int i = 0; i < THINGS; i++)
        finished += things[i].done >= 1;
    ck_assert_int_eq(finished, THINGS);
    sync_flush(sync);
    ck_assert_int_eq(things[0].released, things[0].collected);
    sync_stop(sync);
    for (int i = 0; i < THINGS; i++)
        (void)close(things[i].fd);
}
END_TEST

START_TEST(failure_is_told_to_the_one_it_happened_to)
{
    struct sync *sync = start();
    struct thing good, bad;
    uint64_t ticket;

    make(&good);
    make(&bad);
    (void)close(bad.fd);
    bad.fd = -1;
    sync_dirty(sync, &good.entry);
    sync_dirty(sync, &bad.entry);
    ticket = sync_ticket(sync);
    wait_for(sync, ticket);
    ck_assert_int_eq(good.error, 0);
    ck_assert_int_eq(bad.error, EBADF);
    ck_assert_int_eq(sync_failed(sync), EBADF);
    sync_stop(sync);
    (void)close(good.fd);
}
END_TEST

static void wait_for_round(struct sync *sync)
{
    struct pollfd wanted = {.fd = sync_fd(sync), .events = POLLIN};

    ck_assert_int_eq(poll(&wanted, 1, 10000), 1);
    sync_poll(sync);
}

START_TEST(what_cannot_be_handed_over_waits_and_so_do_its_tickets)
{
    struct sync *sync = start();
    struct thing first, second;
    uint64_t ticket;

    make(&first);
    make(&second);
    first.later = second.later = 2;
    sync_dirty(sync, &first.entry);
    sync_dirty(sync, &second.entry);
    ticket = sync_ticket(sync);
    sync_dirty(sync, &first.entry); /* while its round runs */
    wait_for_round(sync);
    ck_assert_int_eq(first.done + second.done, 0);
    ck_assert(!sync_reached(sync, 1));
    ck_assert(!sync_reached(sync, ticket));
    ck_assert_int_eq(sync_tick(sync, 5000), 6000); /* no hurry, but again */
    sync_flush(sync);                              /* gives up, and does not hang */
    ck_assert(!sync_reached(sync, 1));
    ck_assert_int_eq(sync_tick(sync, 7000), 8000);
    ck_assert_int_eq(sync_tick(sync, 8000), INT64_MAX);
    wait_for(sync, ticket);
    ck_assert_int_eq(first.done, 1);
    ck_assert_int_eq(second.done, 1);
    ck_assert_int_eq(first.collected, 3);
    ck_assert_int_eq(sync_failed(sync), 0);
    sync_stop(sync);
    (void)close(first.fd);
    (void)close(second.fd);
}
END_TEST

START_TEST(forgotten_entry_is_never_called_again)
{
    struct sync *sync = start();
    struct thing busy, dirty;

    make(&busy);
    make(&dirty);
    sync_dirty(sync, &busy.entry);
    (void)sync_ticket(sync);
    sync_dirty(sync, &dirty.entry);
    sync_forget(sync, &busy.entry);
    sync_forget(sync, &dirty.entry);
    sync_flush(sync);
    ck_assert_int_eq(busy.done, 0);
    ck_assert_int_eq(busy.released, 1);
    ck_assert_int_eq(dirty.collected, 0);
    sync_stop(sync);
    (void)close(busy.fd);
    (void)close(dirty.fd);
}
END_TEST

START_TEST(recovery_point_of_a_log_follows_the_flushes)
{
    struct sync *sync = start();
    struct fixture f;
    struct error err = {0};
    struct log_slice slice;

    fixture_begin(&f);
    log_pool_free(f.pool);
    f.pool = log_pool_new(16, sync);
    f.config.segment_bytes = 3000;
    fixture_open(&f);
    for (int round = 0; round < 20; round++) {
        uint64_t ticket;

        for (int i = 0; i < 10; i++)
            ck_assert_int_eq(fixture_append(&f, 5, BATCH_NONE), KAFKA_NONE);
        ck_assert_int_lt(log_flushed(f.log), log_end(f.log));
        ticket = sync_ticket(sync);
        /* The loop goes on meanwhile. */
        ck_assert_int_eq(log_read(f.log, 0, 1000, INT64_MAX, true, &slice, &err),
                         KAFKA_NONE);
        log_slice_release(slice.file);
        wait_for(sync, ticket);
        ck_assert_int_eq(log_flushed(f.log), log_end(f.log));
    }
    log_abandon(f.log);
    fixture_open(&f);
    /* Nearly everything was flushed, so nearly nothing is checked. */
    ck_assert_int_lt(f.report.checked_bytes, 10000);
    (void)fixture_append(&f, 5, BATCH_NONE);
    (void)sync_ticket(sync);
    log_close(f.log); /* while the round runs */
    f.log = NULL;
    sync_stop(sync);
    fixture_end(&f);
}
END_TEST

START_TEST(log_whose_flush_failed_takes_no_more)
{
    struct sync *sync = start();
    struct fixture f;
    char path[2 * FIXTURE_PATH];

    fixture_begin(&f);
    log_pool_free(f.pool);
    f.pool = log_pool_new(16, sync);
    fixture_open(&f);
    (void)fixture_append(&f, 5, BATCH_NONE);
    /* Its checkpoint is to be flushed too, and that is gone. */
    log_set_level(LOG_ERROR);
    (void)snprintf(path, sizeof(path), "%s/checkpoint", f.dir);
    ck_assert_int_eq(unlink(path), 0);
    sync_flush(sync);
    ck_assert(log_failed(f.log));
    ck_assert_int_eq(fixture_append(&f, 5, BATCH_NONE), KAFKA_STORAGE_ERROR);
    fixture_end(&f);
    sync_stop(sync);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("sync");
    Suite *suite = suite_create("ledger_sync");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, interval_flushes_what_is_dirty_when_it_is_over);
    tcase_add_test(tcase, tickets_wait_for_all_that_was_dirty_before_them);
    tcase_add_test(tcase, failure_is_told_to_the_one_it_happened_to);
    tcase_add_test(tcase, what_cannot_be_handed_over_waits_and_so_do_its_tickets);
    tcase_add_test(tcase, forgotten_entry_is_never_called_again);
    tcase_add_test(tcase, recovery_point_of_a_log_follows_the_flushes);
    tcase_add_test(tcase, log_whose_flush_failed_takes_no_more);
    return suite_run(suite);
}
