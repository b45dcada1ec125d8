/* SPDX-License-Identifier: MIT */
#include "ledger/log/aborted.h"

#include "base/mem.h"
#include "ledger/log/crc.h"
#include "ledger/wire/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRY = 40, CHUNK = 512 };

static void path_of(const struct aborted *list, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", list->dir, name);
}

static int fail(struct error *err, const char *doing, const char *path)
{
    error_set(err, ERROR_INTERNAL, "%s: cannot %s: %s", path, doing, strerror(errno));
    return -1;
}

static void encode(const struct producers_aborted *entry, uint8_t *out)
{
    bytes_put64(out, (uint64_t)entry->producer_id);
    bytes_put64(out + 8, (uint64_t)entry->first_offset);
    bytes_put64(out + 16, (uint64_t)entry->last_offset);
    bytes_put64(out + 24, (uint64_t)entry->last_stable_offset);
    bytes_put32(out + 32, 0);
    bytes_put32(out + 36, crc32c(0, out, 36));
}

static bool decode(const uint8_t *data, struct producers_aborted *entry)
{
    entry->producer_id = (int64_t)bytes_get64(data);
    entry->first_offset = (int64_t)bytes_get64(data + 8);
    entry->last_offset = (int64_t)bytes_get64(data + 16);
    entry->last_stable_offset = (int64_t)bytes_get64(data + 24);
    return bytes_get32(data + 36) == crc32c(0, data, 36);
}

/* Read count entries from number on into out; returns how many are whole and right. */
static int64_t read_entries(int fd, int64_t number, int64_t count,
                            struct producers_aborted *out)
{
    uint8_t buffer[CHUNK * ENTRY];
    int64_t done = 0;

    while (done < count) {
        int64_t want = count - done < CHUNK ? count - done : CHUNK;
        ssize_t got = pread(fd, buffer, (size_t)want * ENTRY, (number + done) * ENTRY);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < ENTRY)
            return got < 0 ? -1 : done;
        for (ssize_t i = 0; i < got / ENTRY; i++) {
            if (!decode(buffer + i * ENTRY, &out[done]))
                return done;
            done++;
        }
    }
    return done;
}

static void append(struct aborted *list, const struct producers_aborted *entry)
{
    list->entries =
        mem_grow(list->entries, list->count, &list->capacity, sizeof(*list->entries));
    list->entries[list->count++] = *entry;
}

/* Drop so many of the oldest entries from memory. */
static void forget_oldest(struct aborted *list, size_t count)
{
    list->count -= count;
    list->first += (int64_t)count;
    memmove(list->entries, list->entries + count, list->count * sizeof(*list->entries));
}

/* Memory holds only the newest; all that leave it are in the file. */
static void shrink(struct aborted *list)
{
    if (list->count > ABORTED_IN_MEMORY &&
        list->first + (int64_t)list->count <= list->filed)
        forget_oldest(list, list->count - ABORTED_IN_MEMORY / 2);
}

/* Check the whole file, chunk by chunk; the newest entries stay in memory. */
static int load(struct aborted *list, int fd, int64_t limit, int64_t in_file)
{
    struct producers_aborted chunk[CHUNK];
    int64_t last = -1;

    while (list->filed < in_file) {
        int64_t want = in_file - list->filed < CHUNK ? in_file - list->filed : CHUNK;
        int64_t got = read_entries(fd, list->filed, want, chunk);
        if (got < 0)
            return -1;
        int64_t used = 0;
        while (used < got && chunk[used].last_offset < limit &&
               chunk[used].last_offset > last) {
            last = chunk[used].last_offset;
            append(list, &chunk[used++]);
        }
        list->filed += used;
        shrink(list);
        if (used < want)
            break;
    }
    return 0;
}

int aborted_open(struct aborted *list, const char *dir, int64_t limit,
                 struct error *err)
{
    char path[PATH_MAX];
    struct stat status;

    *list = (struct aborted){.dir = dir};
    path_of(list, "aborted", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(err, "open it", path);
    int result = fstat(fd, &status);
    if (result == 0)
        result = load(list, fd, limit, status.st_size / ENTRY);
    if (result == 0 && status.st_size != list->filed * ENTRY)
        result = ftruncate(fd, list->filed * ENTRY);
    if (result != 0)
        fail(err, "read it", path);
    close(fd);
    return result;
}

void aborted_clear(struct aborted *list)
{
    free(list->entries);
    free(list->found);
    *list = (struct aborted){.dir = list->dir};
}

int aborted_reset(struct aborted *list, struct error *err)
{
    char path[PATH_MAX];

    path_of(list, "aborted", path);
    aborted_clear(list);
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(err, "remove it", path);
    return 0;
}

int64_t aborted_last(const struct aborted *list)
{
    return list->count > 0 ? list->entries[list->count - 1].last_offset : -1;
}

/* ---- look-up ------------------------------------------------------------- */

/* The entry with this number, from memory or from the file. */
static int entry_at(const struct aborted *list, int fd, int64_t number,
                    struct producers_aborted *out)
{
    if (number >= list->first) {
        *out = list->entries[number - list->first];
        return 0;
    }
    return read_entries(fd, number, 1, out) == 1 ? 0 : -1;
}

/* Number of the first entry whose marker is at or after from; -1: unreadable. */
static int64_t lower_bound(const struct aborted *list, int fd, int64_t low,
                           int64_t from)
{
    int64_t high = list->first + (int64_t)list->count;
    struct producers_aborted entry;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (entry_at(list, fd, middle, &entry) != 0)
            return -1;
        if (entry.last_offset < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int open_file(const struct aborted *list, struct error *err)
{
    char path[PATH_MAX];

    path_of(list, "aborted", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : fail(err, "open it", path);
}

/* Collect from number on. A later transaction than one after which everything before to
 * was stable cannot have begun before to. */
static int32_t collect(struct aborted *list, int fd, int64_t number, int64_t from,
                       int64_t to)
{
    int64_t end = list->first + (int64_t)list->count;
    size_t count = 0;
    struct producers_aborted entry;

    for (; number < end; number++) {
        if (entry_at(list, fd, number, &entry) != 0)
            return -1;
        if (entry.last_offset >= from && entry.first_offset < to) {
            list->found =
                mem_grow(list->found, count, &list->found_capacity, sizeof(entry));
            list->found[count++] = entry;
        }
        if (entry.last_stable_offset >= to)
            break;
    }
    return (int32_t)count;
}

int32_t aborted_find(struct aborted *list, int64_t from, int64_t to,
                     const struct producers_aborted **out, struct error *err)
{
    int64_t low = list->first;
    int fd = -1;

    *out = list->found;
    if (list->count == 0 || list->entries[list->count - 1].last_offset < from)
        return 0;
    /* The file is only needed for what is older than all that is in memory. */
    if (list->entries[0].last_offset >= from && list->first > list->dead) {
        low = list->dead;
        if ((fd = open_file(list, err)) < 0)
            return -1;
    }
    int64_t number = lower_bound(list, fd, low, from);
    int32_t count = number < 0 ? -1 : collect(list, fd, number, from, to);
    if (count < 0)
        error_set(err, ERROR_INTERNAL, "%s/aborted: an entry is unreadable", list->dir);
    if (fd >= 0)
        close(fd);
    *out = list->found;
    return count;
}

/* ---- changes ------------------------------------------------------------- */

void aborted_add(struct aborted *list, const struct producers_aborted *entry)
{
    struct error ignored = {0};

    append(list, entry);
    /* A full disk leaves it in memory; the next one tries again. */
    if (list->count > ABORTED_IN_MEMORY && aborted_save(list, &ignored) == 0)
        shrink(list);
}

void aborted_trim(struct aborted *list, int64_t start, struct error *err)
{
    int fd = -1;

    if (list->first > list->dead && (fd = open_file(list, err)) < 0)
        return;
    int64_t number = lower_bound(list, fd, list->dead, start);
    if (number >= 0)
        list->dead = number;
    if (fd >= 0)
        close(fd);
}

static int write_entries(int fd, const struct producers_aborted *entries, int64_t count,
                         int64_t number)
{
    uint8_t buffer[CHUNK * ENTRY];

    for (int64_t done = 0; done < count;) {
        int64_t part = count - done < CHUNK ? count - done : CHUNK;
        for (int64_t i = 0; i < part; i++)
            encode(&entries[done + i], buffer + i * ENTRY);
        ssize_t wrote =
            pwrite(fd, buffer, (size_t)part * ENTRY, (number + done) * ENTRY);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < ENTRY) {
            errno = wrote < 0 ? errno : ENOSPC;
            return -1;
        }
        done += wrote / ENTRY;
    }
    return 0;
}

/* Copy what is not dead to a new file and let that take the place of the old one. */
static int copy_live(struct aborted *list, int from, int to)
{
    struct producers_aborted chunk[CHUNK];
    int64_t live = list->filed - list->dead;

    for (int64_t done = 0; done < live;) {
        int64_t part = live - done < CHUNK ? live - done : CHUNK;
        if (read_entries(from, list->dead + done, part, chunk) != part ||
            write_entries(to, chunk, part, done) != 0)
            return -1;
        done += part;
    }
    return 0;
}

static int rewrite(struct aborted *list, struct error *err)
{
    char path[PATH_MAX], beside[PATH_MAX];

    path_of(list, "aborted", path);
    path_of(list, "aborted.new", beside);
    int from = open_file(list, err);
    if (from < 0)
        return -1;
    int to = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int result = to < 0 ? -1 : copy_live(list, from, to);
    if (result == 0 && (result = rename(beside, path)) == 0) {
        size_t gone = list->dead > list->first ? (size_t)(list->dead - list->first) : 0;
        forget_oldest(list, gone);
        list->filed -= list->dead;
        list->first -= list->dead;
        list->dead = 0;
    }
    if (result != 0)
        fail(err, "rewrite it", path);
    if (to >= 0)
        close(to);
    close(from);
    return result;
}

int aborted_save(struct aborted *list, struct error *err)
{
    char path[PATH_MAX];
    int64_t end = list->first + (int64_t)list->count;

    if (end > list->filed) {
        path_of(list, "aborted", path);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return fail(err, "open it", path);
        int result = write_entries(fd, list->entries + (list->filed - list->first),
                                   end - list->filed, list->filed);
        if (result != 0)
            fail(err, "write it", path);
        close(fd);
        if (result != 0)
            return -1;
        list->filed = end;
    }
    if (list->dead > 0 && list->dead >= list->filed - list->dead)
        return rewrite(list, err);
    return 0;
}
