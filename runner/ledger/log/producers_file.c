/* SPDX-License-Identifier: MIT
 *
 * producers_file.c - the snapshot of a partition's producers, the file "producers".
 * Head: magic, version, log end, newest aborted marker, number of producers, number of
 * open transactions. Then the producers, the ids of the open transactions in order, and
 * a CRC32C of everything before it.
 */
#include "ledger/log/producers_private.h"

#include "base/mem.h"
#include "base/text.h"
#include "ledger/log/crc.h"
#include "ledger/wire/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAGIC = 0x64677073, /* "dgps" */
    VERSION = 1,
    HEAD = 32,
    ENTRY = 36, /* of a producer, without its batches */
    BATCH = 20,
    CRC = 4,
};

static void path_of(const struct producers *producers, const char *name,
                    char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", producers->dir, name);
}

static void encode_head(struct text_buf *out, const struct producers *producers,
                        int64_t end)
{
    uint8_t head[HEAD];

    bytes_put32(head, MAGIC);
    bytes_put32(head + 4, VERSION);
    bytes_put64(head + 8, (uint64_t)end);
    bytes_put64(head + 16, (uint64_t)aborted_last(&producers->aborted));
    bytes_put32(head + 24, HASH_COUNT(producers->table));
    bytes_put32(head + 28, (uint32_t)producers->open_count);
    text_append_bytes(out, head, HEAD);
}

static void encode(struct text_buf *out, const struct producer *producer)
{
    uint8_t data[ENTRY + PRODUCERS_BATCHES * BATCH];

    bytes_put64(data, (uint64_t)producer->id);
    bytes_put64(data + 8, (uint64_t)producer->transaction);
    bytes_put64(data + 16, (uint64_t)producer->last_ms);
    bytes_put32(data + 24, (uint32_t)producer->last_sequence);
    bytes_put32(data + 28, (uint32_t)producer->coordinator_epoch);
    bytes_put16(data + 32, (uint16_t)producer->epoch);
    bytes_put16(data + 34, producer->batches);
    for (int i = 0; i < producer->batches; i++) {
        uint8_t *batch = data + ENTRY + i * BATCH;
        bytes_put64(batch, (uint64_t)producer->last_offset[i]);
        bytes_put64(batch + 8, (uint64_t)producer->timestamp[i]);
        bytes_put32(batch + 16, (uint32_t)producer->delta[i]);
    }
    text_append_bytes(out, data, (size_t)(ENTRY + producer->batches * BATCH));
}

/* Bytes of the entry at data, 0 when it does not fit. */
static size_t decode(const uint8_t *data, size_t len, struct producer *out)
{
    if (len < ENTRY)
        return 0;
    out->id = (int64_t)bytes_get64(data);
    out->transaction = (int64_t)bytes_get64(data + 8);
    out->last_ms = (int64_t)bytes_get64(data + 16);
    out->last_sequence = (int32_t)bytes_get32(data + 24);
    out->coordinator_epoch = (int32_t)bytes_get32(data + 28);
    out->epoch = (int16_t)bytes_get16(data + 32);
    uint16_t batches = bytes_get16(data + 34);
    if (batches > PRODUCERS_BATCHES || len < ENTRY + (size_t)batches * BATCH)
        return 0;
    out->batches = (uint8_t)batches;
    for (int i = 0; i < batches; i++) {
        const uint8_t *batch = data + ENTRY + i * BATCH;
        out->last_offset[i] = (int64_t)bytes_get64(batch);
        out->timestamp[i] = (int64_t)bytes_get64(batch + 8);
        out->delta[i] = (int32_t)bytes_get32(batch + 16);
    }
    return ENTRY + (size_t)batches * BATCH;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, data, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return -1;
        data += wrote;
        len -= (size_t)wrote;
    }
    return 0;
}

static void encode_all(struct producers *producers, int64_t end, struct text_buf *out)
{
    uint8_t number[8];

    encode_head(out, producers, end);
    for (struct producer *p = producers->table; p != NULL; p = p->hh.next)
        encode(out, p);
    for (struct producer *p = producers->open; p != NULL; p = p->next_open) {
        bytes_put64(number, (uint64_t)p->id);
        text_append_bytes(out, number, 8);
    }
    bytes_put32(number, crc32c(0, out->data, out->len));
    text_append_bytes(out, number, CRC);
}

int producers_write(struct producers *producers, int64_t end, struct error *err)
{
    char path[PATH_MAX], beside[PATH_MAX];
    struct text_buf data = {0};

    path_of(producers, "producers", path);
    path_of(producers, "producers.new", beside);
    encode_all(producers, end, &data);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int result = fd < 0 ? -1 : write_all(fd, data.data, data.len);
    if (fd >= 0 && close(fd) != 0)
        result = -1;
    if (result == 0)
        result = rename(beside, path);
    if (result != 0)
        error_set(err, ERROR_INTERNAL, "%s: cannot write it: %s", path,
                  strerror(errno));
    text_buf_clear(&data);
    return result;
}

void producers_unlink(struct producers *producers)
{
    char path[PATH_MAX];

    path_of(producers, "producers", path);
    unlink(path);
    producers->saved_end = -1;
}

static uint8_t *read_file(const char *path, size_t *len)
{
    struct stat status;
    uint8_t *data = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *len = 0;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0) {
        data = mem_alloc((size_t)status.st_size + 1);
        while (*len < (size_t)status.st_size) {
            ssize_t got = read(fd, data + *len, (size_t)status.st_size - *len);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                break;
            *len += (size_t)got;
        }
    }
    close(fd);
    return data;
}

/* The producers and the order of their transactions; false: it is not what it says. */
static bool decode_all(struct producers *producers, const uint8_t *data, size_t len)
{
    uint32_t count = bytes_get32(data + 24), open_count = bytes_get32(data + 28);
    size_t at = HEAD;

    for (uint32_t i = 0; i < count; i++) {
        struct producer *producer = mem_alloc(sizeof(*producer));
        size_t used = decode(data + at, len - at, producer);
        at += used;
        if (used == 0) {
            free(producer);
            return false;
        }
        HASH_ADD(hh, producers->table, id, sizeof(producer->id), producer);
    }
    if (len - at != (size_t)open_count * 8)
        return false;
    for (uint32_t i = 0; i < open_count; i++, at += 8) {
        int64_t id = (int64_t)bytes_get64(data + at);
        struct producer *producer;
        HASH_FIND(hh, producers->table, &id, sizeof(id), producer);
        if (producer == NULL || producer->prev_open != NULL)
            return false;
        producers_begin(producers, producer, producer->transaction);
    }
    return true;
}

enum producers_load producers_read(struct producers *producers, int64_t *end,
                                   int64_t *last_aborted)
{
    char path[PATH_MAX];
    size_t len;

    path_of(producers, "producers", path);
    uint8_t *data = read_file(path, &len);
    if (data == NULL)
        return PRODUCERS_NONE;
    bool good = len >= HEAD + CRC && bytes_get32(data) == MAGIC &&
                bytes_get32(data + 4) == VERSION &&
                bytes_get32(data + len - CRC) == crc32c(0, data, len - CRC);
    if (good) {
        *end = (int64_t)bytes_get64(data + 8);
        *last_aborted = (int64_t)bytes_get64(data + 16);
        good = decode_all(producers, data, len - CRC);
    }
    free(data);
    return good ? PRODUCERS_LOADED : PRODUCERS_DAMAGED;
}
