/* SPDX-License-Identifier: MIT */
#include "ledger/log/file.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OPEN_MIN = 16,
    OPEN_MAX = 8192,
    KEPT_BUFFER = 1 << 20,
};

struct log_file {
    struct log_pool *pool;
    struct log_file *prev, *next; /* open and not pinned: most recently used first */
    const char *dir;              /* NULL: dropped */
    const char *kind;
    int64_t base;
    int fd; /* -1: closed */
    int pins;
};

struct log_pool {
    struct sync *sync;
    const struct log *compacting;
    struct log_file *first, *last;
    size_t open, max_open;
    struct pool_buffer spare;
};

/* Half of the descriptors, the other half is for connections. */
static size_t descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;

        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    return limit.rlim_cur / 2 > OPEN_MAX ? OPEN_MAX : (size_t)limit.rlim_cur / 2;
}

struct log_pool *log_pool_new(size_t max_open, struct sync *sync)
{
    struct log_pool *pool = mem_alloc(sizeof(*pool));

    pool->sync = sync;
    pool->max_open = max_open > 0 ? max_open : descriptors();
    if (pool->max_open < OPEN_MIN)
        pool->max_open = OPEN_MIN;
    return pool;
}

void log_pool_free(struct log_pool *pool)
{
    if (pool == NULL)
        return;
    assert(pool->open == 0);
    free(pool->spare.data);
    free(pool);
}

struct sync *pool_sync(const struct log_pool *pool)
{
    return pool->sync;
}

bool pool_claim(struct log_pool *pool, const struct log *log)
{
    if (pool->compacting == NULL)
        pool->compacting = log;
    return pool->compacting == log;
}

bool pool_is_claimed(const struct log_pool *pool, const struct log *log)
{
    return pool->compacting != NULL && pool->compacting != log;
}

void pool_release(struct log_pool *pool, const struct log *log)
{
    if (pool->compacting == log)
        pool->compacting = NULL;
}

size_t pool_open_count(const struct log_pool *pool)
{
    return pool->open;
}

struct pool_buffer pool_take_buffer(struct log_pool *pool, size_t capacity)
{
    struct pool_buffer buffer = pool->spare;

    pool->spare = (struct pool_buffer){0};
    if (buffer.capacity < capacity) {
        free(buffer.data);
        buffer.data = mem_resize(NULL, capacity);
        buffer.capacity = capacity;
    }
    return buffer;
}

void pool_give_buffer(struct log_pool *pool, struct pool_buffer buffer)
{
    if (pool->spare.data != NULL || buffer.capacity > KEPT_BUFFER) {
        free(buffer.data);
        return;
    }
    pool->spare = buffer;
}

void file_path(char path[FILE_PATH_BYTES], const char *dir, int64_t base,
               const char *kind)
{
    (void)snprintf(path, FILE_PATH_BYTES, "%s/%020" PRId64 "%s", dir, base, kind);
}

struct log_file *file_new(struct log_pool *pool, const char *dir, int64_t base,
                          const char *kind)
{
    struct log_file *file = mem_alloc(sizeof(*file));

    *file = (struct log_file){
        .pool = pool, .dir = dir, .base = base, .kind = kind, .fd = -1};
    return file;
}

static void set_error(const struct log_file *file, const char *what, int number,
                      struct error *err)
{
    char path[FILE_PATH_BYTES];

    file_path(path, file->dir != NULL ? file->dir : "?", file->base, file->kind);
    error_set(err, ERROR_INTERNAL, "cannot %s %s: %s", what, path, strerror(number));
}

static void list_remove(struct log_file *file)
{
    struct log_pool *pool = file->pool;

    if (file->prev != NULL)
        file->prev->next = file->next;
    else
        pool->first = file->next;
    if (file->next != NULL)
        file->next->prev = file->prev;
    else
        pool->last = file->prev;
    file->prev = file->next = NULL;
}

static void list_add(struct log_file *file)
{
    struct log_pool *pool = file->pool;

    file->prev = NULL;
    file->next = pool->first;
    if (pool->first != NULL)
        pool->first->prev = file;
    else
        pool->last = file;
    pool->first = file;
}

static void close_fd(struct log_file *file)
{
    (void)close(file->fd);
    file->fd = -1;
    file->pool->open--;
}

static void close_listed(struct log_file *file)
{
    list_remove(file);
    close_fd(file);
}

void file_rest(struct log_file *file)
{
    if (file->fd >= 0 && file->pins == 0)
        close_listed(file);
}

void file_drop(struct log_file *file)
{
    if (file == NULL)
        return;
    file->dir = NULL;
    if (file->pins > 0)
        return;
    file_rest(file);
    free(file);
}

/* Open a path, closing others of the pool as long as the process has too many open. */
static int open_path(struct log_pool *pool, const char *path, int flags)
{
    int fd;

    while (pool->open >= pool->max_open && pool->last != NULL)
        close_listed(pool->last);
    while ((fd = open(path, flags | O_RDWR | O_CLOEXEC, 0644)) < 0) {
        if ((errno != EMFILE && errno != ENFILE) || pool->last == NULL)
            return -1;
        close_listed(pool->last);
    }
    pool->open++;
    return fd;
}

static int open_file(struct log_file *file, int flags, struct error *err)
{
    char path[FILE_PATH_BYTES];

    assert(file->dir != NULL);
    file_path(path, file->dir, file->base, file->kind);
    file->fd = open_path(file->pool, path, flags);
    if (file->fd < 0) {
        int number = errno;

        set_error(file, "open", number, err);
        errno = number;
        return -1;
    }
    list_add(file);
    return file->fd;
}

int file_fd(struct log_file *file, struct error *err)
{
    if (file->fd < 0)
        return open_file(file, 0, err);
    if (file->pins == 0 && file->pool->first != file) {
        list_remove(file);
        list_add(file);
    }
    return file->fd;
}

int file_create(struct log_file *file, struct error *err)
{
    file_rest(file);
    return open_file(file, O_CREAT | O_TRUNC, err) < 0 ? -1 : 0;
}

int file_pin(struct log_file *file, struct error *err)
{
    int fd = file_fd(file, err);

    if (fd >= 0 && file->pins++ == 0)
        list_remove(file);
    return fd;
}

void file_unpin(void *pinned)
{
    struct log_file *file = pinned;

    assert(file->pins > 0);
    if (--file->pins > 0)
        return;
    if (file->dir != NULL) {
        list_add(file);
        return;
    }
    close_fd(file);
    free(file);
}

int file_rename(const char *dir, int64_t base, const char *from, const char *to,
                struct error *err)
{
    char old[FILE_PATH_BYTES], new[FILE_PATH_BYTES];

    file_path(old, dir, base, from);
    file_path(new, dir, base, to);
    if (rename(old, new) == 0)
        return 0;
    error_set(err, ERROR_INTERNAL, "cannot rename %s: %s", old, strerror(errno));
    return -1;
}

void file_remove(const char *dir, int64_t base, const char *kind)
{
    char path[FILE_PATH_BYTES];

    file_path(path, dir, base, kind);
    (void)unlink(path);
}

int file_read(struct log_file *file, void *data, size_t len, int64_t position,
              struct error *err)
{
    int fd = file_fd(file, err);
    uint8_t *next = data;

    if (fd < 0)
        return -1;
    while (len > 0) {
        ssize_t got = pread(fd, next, len, position);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            set_error(file, "read", errno, err);
            return -1;
        }
        if (got == 0)
            return 1;
        next += got;
        len -= (size_t)got;
        position += got;
    }
    return 0;
}

int file_write(struct log_file *file, const void *data, size_t len, int64_t position,
               struct error *err)
{
    int fd = file_fd(file, err);
    const uint8_t *next = data;

    if (fd < 0)
        return -1;
    while (len > 0) {
        ssize_t put = pwrite(fd, next, len, position);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            set_error(file, "write", put < 0 ? errno : ENOSPC, err);
            return -1;
        }
        next += put;
        len -= (size_t)put;
        position += put;
    }
    return 0;
}

int file_cut(struct log_file *file, int64_t size, struct error *err)
{
    int fd = file_fd(file, err);

    if (fd < 0)
        return -1;
    if (ftruncate(fd, size) == 0)
        return 0;
    set_error(file, "cut", errno, err);
    return -1;
}

int64_t file_size(struct log_file *file, struct error *err)
{
    int fd = file_fd(file, err);
    struct stat status;

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0)
        return status.st_size;
    set_error(file, "look at", errno, err);
    return -1;
}
