/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ledger/group/offsets.h"
#include "support/suite.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { GROUPS = 3, TOPICS = 3, PARTITIONS = 3, PRODUCERS = 3, TEXT = 48 };

static char path[256];
static struct store *store;
static struct offsets *offsets;

static struct wire_string text(const char *value)
{
    return wire_string_of(value);
}

static void open_all(void)
{
    struct store_report report;
    struct error err = {0};

    store = store_open(path, &report, &err);
    ck_assert_msg(store != NULL, "%s", err.text);
    offsets = offsets_open(store, &err);
    ck_assert_ptr_nonnull(offsets);
}

static void close_all(void)
{
    offsets_close(offsets);
    store_close(store);
}

static void reopen(void)
{
    close_all();
    open_all();
}

static void begin(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/ledger-offsets-%d", tmp ? tmp : "/tmp",
             (int)getpid());
    unlink(path);
    open_all();
}

static void end(void)
{
    close_all();
    unlink(path);
}

static int commit(const char *group, int64_t pid, const char *topic, int32_t partition,
                  int64_t offset, const char *metadata)
{
    struct offset value = {.offset = offset,
                           .leader_epoch = 0,
                           .commit_ms = 7,
                           .expire_ms = -1,
                           .metadata = text(metadata)};
    struct error err = {0};

    offsets_begin(offsets, text(group), pid);
    ck_assert_int_eq(offsets_set(offsets, text(topic), partition, &value), KAFKA_NONE);
    return offsets_end(offsets, &err);
}

static int64_t found(const char *group, const char *topic, int32_t partition)
{
    const struct offset *offset =
        offsets_find(offsets, text(group), text(topic), partition);

    return offset ? offset->offset : -1;
}

START_TEST(a_commit_comes_back_byte_for_byte_after_a_restart)
{
    static const char odd[] = "{\"in\":1}\0\xff\x80\n";
    struct offset value = {12345678901LL, 3, 99, 77, {odd, sizeof odd}};
    const struct offset *back;
    struct error err = {0};

    offsets_begin(offsets, text("g"), -1);
    ck_assert_int_eq(offsets_set(offsets, text("t"), 5, &value), KAFKA_NONE);
    ck_assert_int_eq(offsets_end(offsets, &err), 0);
    for (int round = 0; round < 2; round++) {
        back = offsets_find(offsets, text("g"), text("t"), 5);
        ck_assert_ptr_nonnull(back);
        ck_assert_int_eq(back->offset, 12345678901LL);
        ck_assert_int_eq(back->leader_epoch, 3);
        ck_assert_int_eq(back->commit_ms, 99);
        ck_assert_int_eq(back->expire_ms, 77);
        ck_assert_int_eq(back->metadata.len, (int)sizeof odd);
        ck_assert_mem_eq(back->metadata.data, odd, sizeof odd);
        reopen();
    }
    ck_assert_ptr_null(offsets_find(offsets, text("g"), text("t"), 4));
    ck_assert_ptr_null(offsets_find(offsets, text("g"), text("t"), 6));
    ck_assert_ptr_null(offsets_find(offsets, text("g"), text("u"), 5));
    ck_assert_ptr_null(offsets_find(offsets, text("h"), text("t"), 5));
}
END_TEST

START_TEST(null_metadata_is_the_empty_text)
{
    ck_assert_int_eq(commit("g", -1, "t", 0, 1, NULL), 0);
    reopen();
    ck_assert_int_eq(offsets_find(offsets, text("g"), text("t"), 0)->metadata.len, 0);
}
END_TEST

START_TEST(metadata_above_the_limit_is_refused_alone)
{
    char *big = mem_alloc(OFFSETS_METADATA_MAX + 1);
    struct offset value = {1, -1, 0, -1, {big, OFFSETS_METADATA_MAX + 1}};
    struct error err = {0};

    offsets_begin(offsets, text("g"), -1);
    ck_assert_int_eq(offsets_set(offsets, text("t"), 0, &value),
                     KAFKA_OFFSET_METADATA_TOO_LARGE);
    value.metadata.len = OFFSETS_METADATA_MAX;
    ck_assert_int_eq(offsets_set(offsets, text("t"), 1, &value), KAFKA_NONE);
    ck_assert_int_eq(offsets_end(offsets, &err), 0);
    ck_assert_int_eq(found("g", "t", 0), -1);
    ck_assert_int_eq(found("g", "t", 1), 1);
    free(big);
}
END_TEST

START_TEST(pending_offsets_count_when_their_transaction_commits)
{
    struct error err = {0};

    ck_assert_int_eq(commit("g", -1, "t", 0, 10, "old"), 0);
    ck_assert_int_eq(commit("g", 4, "t", 0, 20, "new"), 0);
    ck_assert_int_eq(commit("g", 5, "t", 1, 30, ""), 0);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(found("g", "t", 0), 10);
        ck_assert(offsets_unstable(offsets, text("g"), text("t"), 0));
        ck_assert(offsets_unstable(offsets, text("g"), text("t"), 1));
        ck_assert(!offsets_unstable(offsets, text("g"), text("t"), 2));
        reopen();
    }
    ck_assert_int_eq(offsets_settle(offsets, 4, true, &err), 0);
    ck_assert_int_eq(offsets_settle(offsets, 5, false, &err), 0);
    ck_assert_int_eq(offsets_settle(offsets, 4, false, &err), 0);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(found("g", "t", 0), 20);
        ck_assert_int_eq(found("g", "t", 1), -1);
        ck_assert(!offsets_unstable(offsets, text("g"), text("t"), 0));
        ck_assert(!offsets_unstable(offsets, text("g"), text("t"), 1));
        reopen();
    }
}
END_TEST

START_TEST(a_plain_commit_after_a_pending_one_wins)
{
    struct error err = {0};

    ck_assert_int_eq(commit("g", 4, "t", 0, 20, ""), 0);
    ck_assert_int_eq(commit("g", -1, "t", 0, 10, ""), 0);
    reopen();
    ck_assert_int_eq(offsets_settle(offsets, 4, true, &err), 0);
    ck_assert_int_eq(found("g", "t", 0), 10);
    reopen();
    ck_assert_int_eq(found("g", "t", 0), 10);
}
END_TEST

static bool is_not_t(void *arg, struct wire_string topic)
{
    (void)arg;
    return !wire_string_is(topic, "t");
}

START_TEST(topics_and_groups_are_forgotten_with_what_is_pending)
{
    struct error err = {0};

    ck_assert_int_eq(commit("g", -1, "t", 0, 1, ""), 0);
    ck_assert_int_eq(commit("g", 8, "t", 1, 2, ""), 0);
    ck_assert_int_eq(commit("g", -1, "u", 0, 3, ""), 0);
    ck_assert_int_eq(commit("h", -1, "t", 0, 4, ""), 0);
    ck_assert_int_eq(offsets_keep_topics(offsets, is_not_t, NULL, &err), 0);
    ck_assert_int_eq(found("g", "t", 0), -1);
    ck_assert(!offsets_has_group(offsets, text("h")));
    ck_assert_int_eq(offsets_settle(offsets, 8, true, &err), 0);
    ck_assert_int_eq(found("g", "t", 1), -1);
    reopen();
    ck_assert_int_eq(found("g", "u", 0), 3);
    ck_assert_int_eq(store_count(store), 1);
    ck_assert_int_eq(offsets_delete_group(offsets, text("g"), &err), 0);
    ck_assert(!offsets_has_group(offsets, text("g")));
    ck_assert_int_eq(store_count(store), 0);
}
END_TEST

START_TEST(a_full_disk_changes_nothing)
{
    struct rlimit old, small;
    struct error err = {0};

    ck_assert_int_eq(commit("g", -1, "t", 0, 1, "a"), 0);
    ck_assert_int_eq(commit("g", 9, "t", 1, 2, "b"), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = (rlim_t)store_bytes(store);
    setrlimit(RLIMIT_FSIZE, &small);
    ck_assert_int_eq(commit("g", -1, "t", 0, 5, "a"), -1);
    ck_assert_int_eq(commit("new", -1, "t", 0, 5, "a"), -1);
    ck_assert_int_eq(offsets_settle(offsets, 9, true, &err), -1);
    ck_assert_int_eq(offsets_delete(offsets, text("g"), text("t"), 0, &err), -1);
    setrlimit(RLIMIT_FSIZE, &old);
    ck_assert_int_eq(found("g", "t", 0), 1);
    ck_assert_int_eq(found("g", "t", 1), -1);
    ck_assert(!offsets_has_group(offsets, text("new")));
    ck_assert(offsets_unstable(offsets, text("g"), text("t"), 1));
    reopen();
    ck_assert_int_eq(found("g", "t", 0), 1);
    memset(&err, 0, sizeof err);
    ck_assert_int_eq(offsets_settle(offsets, 9, true, &err), 0);
    ck_assert_int_eq(found("g", "t", 1), 2);
}
END_TEST

/* ---- against a naive model --------------------------------------------------- */

struct cell {
    int64_t offset, order; /* offset -1: none */
    char metadata[TEXT];
};

struct model {
    struct cell committed[GROUPS][TOPICS][PARTITIONS];
    struct cell pending[PRODUCERS][GROUPS][TOPICS][PARTITIONS];
    int64_t order;
};

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static const char *const names[] = {"a", "bb", "ccc"};

static void model_clear(struct model *model)
{
    struct cell *cells = &model->committed[0][0][0];

    memset(model, 0, sizeof *model);
    for (int i = 0; i < GROUPS * TOPICS * PARTITIONS; i++)
        cells[i].offset = -1;
    cells = &model->pending[0][0][0][0];
    for (int i = 0; i < PRODUCERS * GROUPS * TOPICS * PARTITIONS; i++)
        cells[i].offset = -1;
}

static bool is_same(const struct model *model)
{
    bool same = true;

    for (int i = 0; i < GROUPS * TOPICS * PARTITIONS; i++) {
        int g = i / (TOPICS * PARTITIONS), t = i / PARTITIONS % TOPICS,
            p = i % PARTITIONS;
        const struct cell *cell = &model->committed[g][t][p];
        const struct offset *real =
            offsets_find(offsets, text(names[g]), text(names[t]), p);
        bool unstable = false;

        for (int n = 0; n < PRODUCERS; n++)
            unstable = unstable || model->pending[n][g][t][p].offset >= 0;
        same = same && (cell->offset < 0) == (real == NULL);
        same = same && (!real || (real->offset == cell->offset &&
                                  wire_string_is(real->metadata, cell->metadata)));
        same = same &&
               unstable == offsets_unstable(offsets, text(names[g]), text(names[t]), p);
    }
    return same;
}

static void model_commit(struct model *model, uint32_t *random)
{
    uint32_t r = next_random(random);
    int g = (int)(r % GROUPS), t = (int)(r / 8 % TOPICS),
        p = (int)(r / 64 % PARTITIONS);
    int pid = (int)(r / 512 % (PRODUCERS + 1)) - 1;
    struct cell *cell =
        pid < 0 ? &model->committed[g][t][p] : &model->pending[pid][g][t][p];

    cell->offset = r % 1000;
    cell->order = ++model->order;
    memset(cell->metadata, 0, sizeof cell->metadata);
    memset(cell->metadata, 'm', r % (TEXT - 1));
    ck_assert_int_eq(commit(names[g], pid, names[t], p, cell->offset, cell->metadata),
                     0);
}

static void model_settle(struct model *model, uint32_t r)
{
    int pid = (int)(r % PRODUCERS);
    bool keep = r / 8 % 2 == 0;
    struct error err = {0};

    for (int i = 0; i < GROUPS * TOPICS * PARTITIONS; i++) {
        struct cell *to = &model->committed[0][0][0] + i;
        struct cell *from = &model->pending[pid][0][0][0] + i;

        if (keep && from->offset >= 0 && (to->offset < 0 || from->order > to->order))
            *to = *from;
        from->offset = -1;
    }
    ck_assert_int_eq(offsets_settle(offsets, pid, keep, &err), 0);
}

static void model_delete(struct model *model, uint32_t r)
{
    int g = (int)(r % GROUPS), t = (int)(r / 8 % TOPICS), kind = (int)(r / 64 % 4);
    struct error err = {0};

    for (int i = 0; i < TOPICS * PARTITIONS; i++) {
        bool hit =
            kind == 0 || (i / PARTITIONS == t && (kind > 1 || i % PARTITIONS == 0));

        for (int any = 0; hit && any < GROUPS; any++) {
            if (any != g && kind != 2)
                continue;
            (&model->committed[any][0][0] + i)->offset = -1;
            for (int n = 0; n < PRODUCERS; n++)
                (&model->pending[n][any][0][0] + i)->offset = -1;
        }
    }
    if (kind == 0)
        ck_assert_int_eq(offsets_delete_group(offsets, text(names[g]), &err), 0);
    else if (kind == 1)
        ck_assert_int_eq(
            offsets_delete(offsets, text(names[g]), text(names[t]), 0, &err), 0);
    else if (kind == 2)
        ck_assert_int_eq(offsets_delete_topic(offsets, text(names[t]), &err), 0);
    else
        for (int p = 0; p < PARTITIONS; p++)
            ck_assert_int_eq(
                offsets_delete(offsets, text(names[g]), text(names[t]), p, &err), 0);
}

START_TEST(thousands_of_random_changes_agree_with_a_naive_model)
{
    struct model model;
    uint32_t random = 20261121;
    int wrong = 0;

    model_clear(&model);
    for (int step = 0; step < 4000; step++) {
        uint32_t what = next_random(&random) % 20;

        if (what < 14)
            model_commit(&model, &random);
        else if (what < 17)
            model_settle(&model, next_random(&random));
        else if (what < 18)
            model_delete(&model, next_random(&random));
        else if (what == 18)
            reopen();
        wrong += !is_same(&model);
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_offsets");
    TCase *tcase = tcase_create("offsets");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_commit_comes_back_byte_for_byte_after_a_restart);
    tcase_add_test(tcase, null_metadata_is_the_empty_text);
    tcase_add_test(tcase, metadata_above_the_limit_is_refused_alone);
    tcase_add_test(tcase, pending_offsets_count_when_their_transaction_commits);
    tcase_add_test(tcase, a_plain_commit_after_a_pending_one_wins);
    tcase_add_test(tcase, topics_and_groups_are_forgotten_with_what_is_pending);
    tcase_add_test(tcase, a_full_disk_changes_nothing);
    tcase_add_test(tcase, thousands_of_random_changes_agree_with_a_naive_model);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
