/* SPDX-License-Identifier: MIT
 *
 * ledger_txns_fixture.h - a coordinator with a store, offsets and some partitions in a
 * folder; crashes copy the folder as it is. Disks that refuse are played by `broken`.
 */
#ifndef LEDGER_TXNS_FIXTURE_H
#define LEDGER_TXNS_FIXTURE_H

#include "ledger/group/offsets.h"
#include "ledger/txn/txns.h"
#include "ledger_partition_fixture.h"

enum { WORLD_PARTITIONS = 3, WORLD_PATH = FIXTURE_PATH + 64 };

struct world {
    char root[FIXTURE_PATH];
    char dir[FIXTURE_PATH];
    int generation;
    struct log_pool *pool;
    struct store *store;
    struct offsets *offsets;
    struct partition *partitions[WORLD_PARTITIONS];
    struct txns *txns;
    struct partition_config config;
    struct records_builder builder;
    struct txns_time time;
    int whole;  /* so many calls of the host work before it breaks; -1: all do */
    int broken; /* calls that were refused */
    bool lost;  /* markers get lost, as in a power cut */
};

static inline bool world_works(struct world *w)
{
    if (w->whole == 0) {
        w->broken++;
        return false;
    }
    if (w->whole > 0)
        w->whole--;
    return true;
}

static inline struct partition *world_partition(void *arg, struct wire_string topic,
                                                int32_t index, bool *broken)
{
    struct world *w = arg;

    if (!wire_string_is(topic, "topic") || index < 0 || index >= WORLD_PARTITIONS ||
        w->lost)
        return NULL;
    *broken = !world_works(w);
    return *broken ? NULL : w->partitions[index];
}

static inline int world_settle(void *arg, int64_t id, bool commit, struct error *err)
{
    struct world *w = arg;

    return world_works(w) ? offsets_settle(w->offsets, id, commit, err) : -1;
}

static inline void world_open(struct world *w)
{
    struct error err = {0};
    struct store_report report;
    struct txns_host host = {
        .partition = world_partition, .settle = world_settle, .arg = w};
    char path[WORLD_PATH], name[16];

    (void)mkdir(w->dir, 0755);
    (void)snprintf(path, sizeof(path), "%s/store", w->dir);
    w->store = store_open(path, &report, &err);
    ck_assert_msg(w->store != NULL, "%s", err.text);
    w->offsets = offsets_open(w->store, &err);
    for (int i = 0; i < WORLD_PARTITIONS; i++) {
        (void)snprintf(name, sizeof(name), "topic-%d", i);
        (void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
        w->partitions[i] =
            partition_open(w->pool, path, name, &w->config, w->time.wall_ms, &err);
        ck_assert_msg(w->partitions[i] != NULL, "%s", err.text);
    }
    w->txns = txns_open(w->store, &host, w->time.now_ms, w->time.wall_ms, &err);
    ck_assert_msg(w->txns != NULL, "%s", err.text);
    txns_tick(w->txns, w->time.now_ms, w->time.wall_ms);
}

static inline void world_begin(struct world *w)
{
    const char *tmp = getenv("TMPDIR");

    *w =
        (struct world){.time = {.now_ms = 1000, .wall_ms = 1700000000000}, .whole = -1};
    (void)snprintf(w->root, sizeof(w->root), "%s/ledger-txns-XXXXXX",
                   tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(w->root));
    (void)snprintf(w->dir, sizeof(w->dir), "%.400s/0", w->root);
    log_set_level(LOG_ERROR);
    partition_config_default(&w->config);
    w->pool = log_pool_new(64, NULL);
    world_open(w);
}

static inline void world_close(struct world *w)
{
    txns_close(w->txns);
    for (int i = 0; i < WORLD_PARTITIONS; i++)
        partition_close(w->partitions[i]);
    offsets_close(w->offsets);
    store_close(w->store);
}

static inline void world_each_folder(const struct world *w, const char *dir,
                                     void (*fn)(const char *from, const char *to),
                                     const char *to)
{
    char path[WORLD_PATH], other[WORLD_PATH];

    (void)w;
    for (int i = 0; i < WORLD_PARTITIONS; i++) {
        (void)snprintf(path, sizeof(path), "%s/topic-%d", dir, i);
        (void)snprintf(other, sizeof(other), "%s/topic-%d", to, i);
        fn(path, other);
    }
}

static inline void world_remove_one(const char *from, const char *to)
{
    (void)to;
    fixture_remove(from);
}

static inline void world_remove(const struct world *w, const char *dir)
{
    world_each_folder(w, dir, world_remove_one, dir);
    fixture_remove(dir);
}

static inline void world_copy(const struct world *w, const char *from, const char *to)
{
    char path[WORLD_PATH], other[WORLD_PATH];
    static char data[1 << 20];

    (void)mkdir(to, 0755);
    (void)snprintf(path, sizeof(path), "%s/store", from);
    (void)snprintf(other, sizeof(other), "%s/store", to);
    FILE *in = fopen(path, "rb"), *out = fopen(other, "wb");
    ck_assert(in != NULL && out != NULL);
    for (size_t len; (len = fread(data, 1, sizeof(data), in)) > 0;)
        ck_assert_uint_eq(fwrite(data, 1, len, out), len);
    (void)fclose(in);
    (void)fclose(out);
    world_each_folder(w, from, fixture_copy, to);
}

static inline void world_restart(struct world *w)
{
    world_close(w);
    world_open(w);
}

/* What is in the files now is all that the next process finds. */
static inline void world_crash(struct world *w)
{
    char old[FIXTURE_PATH];

    memcpy(old, w->dir, sizeof(old));
    (void)snprintf(w->dir, sizeof(w->dir), "%.400s/%d", w->root, ++w->generation);
    world_copy(w, old, w->dir);
    world_close(w);
    world_remove(w, old);
    w->whole = -1;
    world_open(w);
}

static inline void world_end(struct world *w)
{
    world_close(w);
    world_remove(w, w->dir);
    (void)rmdir(w->root);
    records_builder_clear(&w->builder);
    log_pool_free(w->pool);
}

static inline void world_pass(struct world *w, int64_t ms)
{
    w->time.now_ms += ms;
    w->time.wall_ms += ms;
    txns_tick(w->txns, w->time.now_ms, w->time.wall_ms);
}

#endif
