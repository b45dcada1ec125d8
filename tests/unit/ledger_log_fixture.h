/* SPDX-License-Identifier: MIT
 *
 * ledger_log_fixture.h - a log in a folder of its own, and batches whose records say
 * from their offset alone what they must hold: whatever is read can be checked without
 * a model.
 */
#ifndef LEDGER_LOG_FIXTURE_H
#define LEDGER_LOG_FIXTURE_H

#include "base/log.h"
#include "base/mem.h"
#include "ledger/log/log.h"
#include "ledger/log/records.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIXTURE_PATH = 512, FIXTURE_UNPACK = 1 << 24 };

struct fixture {
    char dir[FIXTURE_PATH];
    struct log_pool *pool;
    struct log *log;
    struct log_config config;
    struct log_report report;
    struct records_builder builder;
    int64_t wall_ms;
    int keys; /* how many different keys there are */
};

static inline uint64_t fixture_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
}

/* Text of the record at offset; its length and bytes follow from the offset. */
static inline int32_t fixture_value(int64_t offset, char text[256])
{
    uint64_t seed = fixture_mix((uint64_t)offset);
    int len = snprintf(text, 256, "%" PRId64 ":", offset);

    for (int more = (int)(seed % 60); more > 0; more--)
        text[len++] = (char)('a' + (fixture_mix(seed + (uint64_t)more) % 26));
    return len;
}

static inline int32_t fixture_key(const struct fixture *f, int64_t offset,
                                  char text[32])
{
    return snprintf(text, 32, "key-%d",
                    (int)(fixture_mix((uint64_t)offset + 7) % (uint64_t)f->keys));
}

static inline void fixture_open(struct fixture *f)
{
    struct error err = {0};

    f->log =
        log_open(f->pool, f->dir, "topic-0", &f->config, f->wall_ms, &f->report, &err);
    ck_assert_msg(f->log != NULL, "%s", err.text);
}

static inline void fixture_begin(struct fixture *f)
{
    const char *tmp = getenv("TMPDIR");

    *f = (struct fixture){.wall_ms = 1700000000000, .keys = 10};
    (void)snprintf(f->dir, sizeof(f->dir), "%s/ledger-log-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(f->dir));
    log_set_level(LOG_ERROR);
    log_config_default(&f->config);
    f->pool = log_pool_new(16, NULL);
}

static inline void fixture_remove(const char *dir)
{
    DIR *list = opendir(dir);
    const struct dirent *entry;
    char path[2 * FIXTURE_PATH];

    while (list != NULL && (entry = readdir(list)) != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        (void)unlink(path);
    }
    if (list != NULL)
        (void)closedir(list);
    (void)rmdir(dir);
}

static inline void fixture_end(struct fixture *f)
{
    log_close(f->log);
    records_builder_clear(&f->builder);
    log_pool_free(f->pool);
    fixture_remove(f->dir);
}

/* Build one batch of count records at offset, a millisecond a record. */
static inline const uint8_t *fixture_batch(struct fixture *f, int64_t offset, int count,
                                           int16_t attributes, size_t *size)
{
    struct batch model = {.base_offset = offset,
                          .base_timestamp = f->wall_ms,
                          .producer_id = -1,
                          .producer_epoch = -1,
                          .base_sequence = -1,
                          .last_offset_delta = count - 1,
                          .attributes = attributes};
    static const uint8_t no_headers[1] = {0};
    char key[32], value[256];

    records_build(&f->builder, &model);
    for (int i = 0; i < count; i++) {
        struct record record = {.offset = offset + i,
                                .timestamp = f->wall_ms + i,
                                .headers = no_headers,
                                .headers_len = 1};

        record.key_len = fixture_key(f, offset + i, key);
        record.key = (const uint8_t *)key;
        record.value_len = fixture_value(offset + i, value);
        record.value = (const uint8_t *)value;
        records_add(&f->builder, &record);
    }
    f->wall_ms += count;
    return records_finish(&f->builder, size);
}

static inline enum kafka_error fixture_append(struct fixture *f, int count,
                                              int16_t attributes)
{
    struct error err = {0};
    size_t size;
    const uint8_t *data = fixture_batch(f, log_end(f->log), count, attributes, &size);

    return log_append(f->log, data, size, f->wall_ms, &err);
}

/* Whether each record of the batch is what was written at its offset; counts them. */
static inline bool fixture_is_right(const struct fixture *f, struct records *walk,
                                    const uint8_t *data, size_t size, int64_t *count)
{
    struct record record;
    char key[32], value[256];
    int more;

    if (!batch_crc_ok(data, size) ||
        records_begin(walk, data, size, FIXTURE_UNPACK) != KAFKA_NONE)
        return false;
    while ((more = records_next(walk, &record)) > 0) {
        int32_t key_len = fixture_key(f, record.offset, key);
        int32_t value_len = fixture_value(record.offset, value);

        if (record.key_len != key_len ||
            memcmp(record.key, key, (size_t)key_len) != 0 ||
            record.value_len != value_len ||
            memcmp(record.value, value, (size_t)value_len) != 0)
            return false;
        ++*count;
    }
    return more == 0;
}

/*
 * Read from offset to the end, max_bytes a time. Returns how many records came; fails
 * the test when one is wrong or offsets go back. *gaps: how many offsets were missing.
 */
static inline int64_t fixture_read_all(struct fixture *f, int64_t offset,
                                       int64_t max_bytes, int64_t *gaps)
{
    struct records walk = {0};
    struct error err = {0};
    struct log_slice slice;
    int64_t count = 0, expected = offset;
    enum kafka_error error = KAFKA_NONE;
    bool right = true;

    *gaps = 0;
    while (right && offset < log_end(f->log)) {
        error = log_read(f->log, offset, max_bytes, INT64_MAX, true, &slice, &err);
        uint8_t *data;

        if (error != KAFKA_NONE)
            break;
        /* A check a round would be too many for libcheck. */
        right = slice.next > offset;
        if (slice.len == 0) {
            offset = slice.next;
            continue;
        }
        data = mem_alloc((size_t)slice.len);
        right = right && pread(slice.fd, data, (size_t)slice.len, slice.position) ==
                             (ssize_t)slice.len;
        for (int64_t at = 0; at < slice.len && right;) {
            struct batch batch;

            right =
                batch_read(data + at, (size_t)(slice.len - at), &batch) == KAFKA_NONE &&
                batch.size <= slice.len - at && batch.leader_epoch == 0 &&
                (batch.base_offset >= expected || at == 0) &&
                fixture_is_right(f, &walk, data + at, (size_t)batch.size, &count);
            if (!right)
                break;
            if (batch.base_offset > expected)
                *gaps += batch.base_offset - expected;
            expected = batch_next_offset(&batch);
            at += batch.size;
        }
        free(data);
        log_slice_release(slice.file);
        offset = slice.next;
    }
    *gaps += log_end(f->log) - expected;
    records_clear(&walk);
    ck_assert_msg(error == KAFKA_NONE, "%d at %" PRId64 ": %s", (int)error, offset,
                  err.text);
    ck_assert_msg(right, "a wrong record or batch before offset %" PRId64, offset);
    return count;
}

/* Copy every file of one folder into another, which is made. */
static inline void fixture_copy(const char *from, const char *to)
{
    DIR *list = opendir(from);
    const struct dirent *entry;
    char path[2 * FIXTURE_PATH];
    static char data[1 << 20];

    (void)mkdir(to, 0755);
    while (list != NULL && (entry = readdir(list)) != NULL) {
        FILE *in, *out;
        size_t len;

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", from, entry->d_name);
        in = fopen(path, "rb");
        (void)snprintf(path, sizeof(path), "%s/%s", to, entry->d_name);
        out = fopen(path, "wb");
        ck_assert(in != NULL && out != NULL);
        while ((len = fread(data, 1, sizeof(data), in)) > 0)
            ck_assert_uint_eq(fwrite(data, 1, len, out), len);
        (void)fclose(in);
        (void)fclose(out);
    }
    (void)closedir(list);
}

#endif
