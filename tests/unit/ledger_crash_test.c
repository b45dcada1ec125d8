/* SPDX-License-Identifier: MIT
 *
 * A log whose process is killed at any moment, and one whose disk is full.
 */
#include "ledger_log_fixture.h"
#include "ledger/log/sync.h"
#include "support/suite.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Shared between the child that writes and the parent that kills it. */
struct progress {
    volatile int64_t end; /* acknowledged */
    volatile int64_t start;
};

/* Append, roll, flush, delete and compact until killed. */
static void live(struct fixture *f, struct progress *progress, unsigned seed)
{
    struct error err = {0};
    struct sync *sync = sync_start(5, &err);

    /* No check from here on: libcheck's messages would be torn by the kill. */
    f->pool = log_pool_new(16, sync);
    f->log =
        log_open(f->pool, f->dir, "topic-0", &f->config, f->wall_ms, &f->report, &err);
    if (f->log == NULL)
        _exit(3);
    srandom(seed);
    for (int64_t now_ms = 0;; now_ms++) {
        struct log_view view = {.first_unstable = log_end(f->log)};

        if (fixture_append(f, 1 + (int)(random() % 9), (int16_t)(random() % 5)) !=
            KAFKA_NONE)
            _exit(1);
        progress->end = log_end(f->log);
        (void)sync_tick(sync, now_ms);
        sync_poll(sync);
        (void)log_compact_step(f->log, &view, f->wall_ms, 3000);
        if (random() % 50 == 0) {
            int64_t start = log_start(f->log);

            start += random() % (log_end(f->log) - start + 1) / 10;
            if (log_delete_before(f->log, start, f->wall_ms, &err) != KAFKA_NONE)
                _exit(2);
            progress->start = start;
        }
        if (random() % 60 == 0)
            (void)log_roll(f->log, f->wall_ms, &err);
        if (random() % 40 == 0)
            (void)log_retain(f->log, f->wall_ms);
    }
}

/* bit 0: with compaction. */
START_TEST(nothing_acknowledged_is_lost_when_the_process_is_killed)
{
    struct progress *progress =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct fixture f;
    int64_t lives = 0;

    fixture_begin(&f);
    f.config.segment_bytes = 20000;
    f.config.file_delete_delay_ms = 0;
    f.config.compact_policy = _i & 1;
    f.keys = 100;
    for (unsigned life = 0; life < 40; life++) {
        struct log_pool *pool = f.pool;
        int64_t gaps, count;
        pid_t child = fork();
        int status;

        if (child == 0)
            live(&f, progress, life * 2 + (unsigned)_i);
        (void)usleep(1000 + (unsigned)(random() % 20000));
        (void)kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status));
        f.pool = pool;
        fixture_open(&f);
        ck_assert_int_ge(log_end(f.log), progress->end);
        ck_assert_int_ge(log_start(f.log), progress->start);
        ck_assert_int_eq(f.report.lost_from, f.report.lost_to);
        count = fixture_read_all(&f, log_start(f.log), 5000, &gaps);
        if (!f.config.compact_policy)
            ck_assert_int_ge(count, log_end(f.log) - log_start(f.log));
        lives += log_end(f.log) > 0;
        f.wall_ms += log_end(f.log);
        if (life % 3 == 0)
            log_close(f.log);
        else
            log_abandon(f.log);
    }
    ck_assert_int_gt(lives, 10);
    fixture_open(&f);
    fixture_end(&f);
    (void)munmap(progress, 4096);
}
END_TEST

/* The limit holds for libcheck's own file too: no check while there is one. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    (void)getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(full_disk_fails_the_append_and_nothing_else)
{
    struct fixture f;
    int64_t end, gaps;

    (void)signal(SIGXFSZ, SIG_IGN);
    fixture_begin(&f);
    fixture_open(&f);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(fixture_append(&f, 5, BATCH_NONE), KAFKA_NONE);
    for (int i = 0; i < 50; i++) {
        enum kafka_error error;

        end = log_end(f.log);
        /* Room for a part of the next batch only: a short write. */
        limit_file_size((rlim_t)(log_bytes(f.log) + i));
        error = fixture_append(&f, 5, BATCH_NONE);
        limit_file_size(RLIM_INFINITY);
        ck_assert_int_eq(error, KAFKA_STORAGE_ERROR);
        ck_assert_int_eq(log_end(f.log), end);
        ck_assert_int_eq(fixture_read_all(&f, 0, 1000, &gaps), end);
        if (i % 10 == 0) {
            log_abandon(f.log);
            fixture_open(&f);
            ck_assert_int_eq(f.report.cut_bytes, 0);
        }
        ck_assert_int_eq(fixture_append(&f, 5, BATCH_NONE), KAFKA_NONE);
    }
    ck_assert_int_eq(fixture_read_all(&f, 0, 1000, &gaps), log_end(f.log));
    fixture_end(&f);
}
END_TEST

START_TEST(full_disk_ends_compaction_and_the_log_stays_as_it_was)
{
    struct fixture f;
    struct log_view view;
    int64_t end, gaps;

    (void)signal(SIGXFSZ, SIG_IGN);
    fixture_begin(&f);
    f.config.compact_policy = true;
    f.config.segment_bytes = 5000;
    f.keys = 1000;
    fixture_open(&f);
    for (int i = 0; i < 100; i++)
        (void)fixture_append(&f, 5, BATCH_NONE);
    end = log_end(f.log);
    view = (struct log_view){.first_unstable = end};
    limit_file_size(1000);
    while (log_compact_step(f.log, &view, f.wall_ms, 100000))
        ;
    limit_file_size(RLIM_INFINITY);
    ck_assert_int_eq(fixture_read_all(&f, 0, 1000, &gaps), end);
    ck_assert(!log_compactable(f.log, end, f.wall_ms));
    ck_assert(log_compactable(f.log, end, f.wall_ms + 60000));
    while (log_compact_step(f.log, &view, f.wall_ms + 60000, 100000))
        ;
    ck_assert_int_lt(fixture_read_all(&f, 0, 1000, &gaps), end);
    fixture_end(&f);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("crash");
    Suite *suite = suite_create("ledger_crash");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, nothing_acknowledged_is_lost_when_the_process_is_killed,
                        0, 2);
    tcase_add_test(tcase, full_disk_fails_the_append_and_nothing_else);
    tcase_add_test(tcase, full_disk_ends_compaction_and_the_log_stays_as_it_was);
    return suite_run(suite);
}
