/* SPDX-License-Identifier: MIT
 *
 * checkpoint.c - the few numbers of a log that its segments do not tell. They are
 * written by one small pwrite, which a crash of the process cannot tear; a checksum
 * notices the rest. The start offset is in a second file as well: the other numbers
 * cost only reading when they are lost, without this one deleted records would come
 * back.
 */
#include "ledger/log/crc.h"
#include "ledger/log/log_private.h"
#include "ledger/wire/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHECKPOINT_BYTES = 52, START_BYTES = 20, CRC_BYTES = 4 };

static const uint8_t magic[8] = "dagrlog1";
static const uint8_t start_magic[8] = "dagrbeg1";

/* 0: read and whole; 1: there is none or it is damaged; -1 and err. */
static int read_small(const char *dir, const char *name, uint8_t *data, size_t len,
                      struct error *err)
{
    uint8_t read[CHECKPOINT_BYTES];
    char path[FILE_PATH_BYTES];
    ssize_t got;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 1;
    got = fd < 0 ? -1 : pread(fd, read, len, 0);
    if (got < 0)
        error_set(err, ERROR_INTERNAL, "cannot read %s: %s", path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    if (got < 0)
        return -1;
    if ((size_t)got != len || memcmp(read, data, sizeof(magic)) != 0 ||
        bytes_get32(read + len - CRC_BYTES) != crc32c(0, read, len - CRC_BYTES))
        return 1;
    memcpy(data, read, len);
    return 0;
}

static int write_small(const char *dir, const char *name, uint8_t *data, size_t len,
                       struct error *err)
{
    char path[FILE_PATH_BYTES];
    ssize_t put;
    int fd;

    bytes_put32(data + len - CRC_BYTES, crc32c(0, data, len - CRC_BYTES));
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    put = fd < 0 ? -1 : pwrite(fd, data, len, 0);
    if (put != (ssize_t)len)
        error_set(err, ERROR_INTERNAL, "cannot write %s: %s", path,
                  strerror(put < 0 ? errno : ENOSPC));
    if (fd >= 0)
        (void)close(fd);
    return put == (ssize_t)len ? 0 : -1;
}

int checkpoint_read(const char *dir, struct checkpoint *out, struct error *err)
{
    uint8_t data[CHECKPOINT_BYTES];
    int status;

    memcpy(data, magic, sizeof(magic));
    status = read_small(dir, CHECKPOINT_NAME, data, sizeof(data), err);
    if (status != 0)
        return status;
    *out = (struct checkpoint){
        .start = (int64_t)bytes_get64(data + 8),
        .flushed = (int64_t)bytes_get64(data + 16),
        .clean = (int64_t)bytes_get64(data + 24),
        .sparse = (int64_t)bytes_get64(data + 32),
        .closed_end = (int64_t)bytes_get64(data + 40),
    };
    return 0;
}

int checkpoint_write(const char *dir, const struct checkpoint *checkpoint,
                     struct error *err)
{
    uint8_t data[CHECKPOINT_BYTES];

    memcpy(data, magic, sizeof(magic));
    bytes_put64(data + 8, (uint64_t)checkpoint->start);
    bytes_put64(data + 16, (uint64_t)checkpoint->flushed);
    bytes_put64(data + 24, (uint64_t)checkpoint->clean);
    bytes_put64(data + 32, (uint64_t)checkpoint->sparse);
    bytes_put64(data + 40, (uint64_t)checkpoint->closed_end);
    return write_small(dir, CHECKPOINT_NAME, data, sizeof(data), err);
}

int checkpoint_read_start(const char *dir, int64_t *start, struct error *err)
{
    uint8_t data[START_BYTES];
    int status;

    memcpy(data, start_magic, sizeof(start_magic));
    status = read_small(dir, CHECKPOINT_START, data, sizeof(data), err);
    if (status == 0)
        *start = (int64_t)bytes_get64(data + 8);
    return status;
}

int checkpoint_write_start(const char *dir, int64_t start, struct error *err)
{
    uint8_t data[START_BYTES];

    memcpy(data, start_magic, sizeof(start_magic));
    bytes_put64(data + 8, (uint64_t)start);
    return write_small(dir, CHECKPOINT_START, data, sizeof(data), err);
}

int log_save(struct log *log, bool closed, struct error *err)
{
    struct checkpoint checkpoint = {
        .start = log->start,
        .flushed = log->flushed,
        .clean = log->clean,
        .sparse = log->sparse,
        .closed_end = closed ? log->end : -1,
    };

    if (checkpoint_write(log->dir, &checkpoint, err) != 0)
        return -1;
    log->marked_clean = closed;
    log->saved_size = log_last(log)->size;
    log->saved_active = log_last(log)->base;
    log->checkpoint_dirty = true;
    return 0;
}
