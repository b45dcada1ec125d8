/* SPDX-License-Identifier: MIT
 *
 * ledger_partition_fixture.h - a partition in a folder of its own, batches of
 * producers, restarts clean and after a crash.
 */
#ifndef LEDGER_PARTITION_FIXTURE_H
#define LEDGER_PARTITION_FIXTURE_H

#include "ledger/log/partition.h"
#include "ledger_log_fixture.h"

struct bench {
    char dir[FIXTURE_PATH]; /* of the partition as it is now */
    char root[FIXTURE_PATH];
    int generation;
    struct log_pool *pool;
    struct partition *partition;
    struct partition_config config;
    struct records_builder builder;
    struct mem_arena arena;
    int64_t wall_ms;
};

/* Who writes what. */
struct bench_batch {
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence;
    int32_t count;
    int16_t attributes;
    bool no_keys;
    int64_t timestamp; /* 0: now */
};

static inline void bench_open(struct bench *b)
{
    struct error err = {0};

    b->partition =
        partition_open(b->pool, b->dir, "topic-0", &b->config, b->wall_ms, &err);
    ck_assert_msg(b->partition != NULL, "%s", err.text);
}

static inline void bench_begin(struct bench *b)
{
    const char *tmp = getenv("TMPDIR");

    *b = (struct bench){.wall_ms = 1700000000000};
    (void)snprintf(b->root, sizeof(b->root), "%s/ledger-part-XXXXXX",
                   tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(b->root));
    (void)snprintf(b->dir, sizeof(b->dir), "%.400s/0", b->root);
    log_set_level(LOG_ERROR);
    partition_config_default(&b->config);
    b->pool = log_pool_new(16, NULL);
    bench_open(b);
}

static inline void bench_end(struct bench *b)
{
    partition_close(b->partition);
    records_builder_clear(&b->builder);
    mem_arena_clear(&b->arena);
    log_pool_free(b->pool);
    fixture_remove(b->dir);
    (void)rmdir(b->root);
}

static inline void bench_restart(struct bench *b)
{
    partition_close(b->partition);
    bench_open(b);
}

/* What is in the files now is all that the next process finds. */
static inline void bench_crash(struct bench *b)
{
    char old[FIXTURE_PATH];

    memcpy(old, b->dir, sizeof(old));
    (void)snprintf(b->dir, sizeof(b->dir), "%.400s/%d", b->root, ++b->generation);
    fixture_copy(old, b->dir);
    partition_close(b->partition);
    fixture_remove(old);
    bench_open(b);
}

/* The batch's bytes; they may be changed, until the next one is made. */
static inline uint8_t *bench_make(struct records_builder *builder,
                                  const struct bench_batch *spec, int64_t wall_ms,
                                  size_t *size)
{
    static const uint8_t no_headers[1] = {0};
    int64_t timestamp = spec->timestamp != 0 ? spec->timestamp : wall_ms;
    struct batch model = {
        .base_timestamp = timestamp,
        .max_timestamp = timestamp,
        .producer_id = spec->producer_id,
        .producer_epoch = spec->epoch,
        .base_sequence = spec->sequence,
        .last_offset_delta = spec->count - 1,
        .attributes = spec->attributes,
    };
    char text[64];

    records_build(builder, &model);
    for (int i = 0; i < spec->count; i++) {
        struct record record = {.offset = i,
                                .timestamp = timestamp,
                                .key = (const uint8_t *)"key",
                                .key_len = spec->no_keys ? -1 : 3,
                                .headers = no_headers,
                                .headers_len = 1};
        int64_t sequence = ((int64_t)spec->sequence + i) & INT32_MAX;
        record.value_len = snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64,
                                    spec->producer_id, sequence);
        record.value = (const uint8_t *)text;
        records_add(builder, &record);
    }
    return (uint8_t *)(uintptr_t)records_finish(builder, size);
}

static inline enum kafka_error bench_append_how(struct bench *b,
                                                const struct bench_batch *spec,
                                                const struct partition_append_how *how,
                                                struct partition_appended *out)
{
    size_t size;
    uint8_t *data = bench_make(&b->builder, spec, b->wall_ms, &size);

    return partition_append(b->partition, data, (int64_t)size, how, out);
}

static inline enum kafka_error bench_append(struct bench *b,
                                            const struct bench_batch *spec,
                                            struct partition_appended *out)
{
    const struct partition_append_how how = {
        .wall_ms = b->wall_ms, .version = 11, .verified = true, .arena = &b->arena};

    return bench_append_how(b, spec, &how, out);
}

/* Every batch that a reader gets, in order. Return false to end. */
typedef bool bench_batch_fn(void *arg, const struct batch *batch, const uint8_t *data,
                            const struct partition_slice *slice);

static inline bool bench_each(struct partition *partition, bool read_committed,
                              bench_batch_fn *fn, void *arg)
{
    int64_t offset = partition_start(partition), max_bytes = 700;
    struct partition_slice out;
    bool right = true;

    for (;;) {
        if (partition_read(partition, offset, max_bytes, true, read_committed, &out) !=
            KAFKA_NONE)
            return false;
        if (out.slice.len == 0)
            return right;
        uint8_t *data = mem_alloc((size_t)out.slice.len);
        right = pread(out.slice.fd, data, (size_t)out.slice.len, out.slice.position) ==
                (ssize_t)out.slice.len;
        for (int64_t at = 0; right && at < out.slice.len;) {
            struct batch batch;
            right = batch_read(data + at, (size_t)(out.slice.len - at), &batch) ==
                        KAFKA_NONE &&
                    fn(arg, &batch, data + at, &out);
            at += batch.size;
        }
        free(data);
        log_slice_release(out.slice.file);
        if (!right || out.slice.next <= offset)
            return false;
        offset = out.slice.next;
    }
}

static inline uint32_t bench_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
