/* SPDX-License-Identifier: MIT */
#include "ops/log_span.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTS_MAX = 100 };

struct part {
    int fd;
    ino_t inode;
    int64_t size;
};

struct log_span {
    struct part parts[PARTS_MAX]; /* the newest first, as they are found */
    size_t count;
    int64_t size;
};

/* False: there is no such part, or it is the one before, renamed at this moment. */
static bool add_part(struct log_span *span, const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        (span->count > 0 && span->parts[span->count - 1].inode == st.st_ino)) {
        (void)close(fd);
        return false;
    }
    span->parts[span->count++] = (struct part){fd, st.st_ino, st.st_size};
    span->size += st.st_size;
    return true;
}

struct log_span *log_span_open(const char *path, struct error *err)
{
    struct log_span *span = mem_alloc(sizeof *span);
    bool found = add_part(span, path);

    if (!found) {
        error_set(err, ERROR_NOT_FOUND, "log %s: %s", path,
                  errno ? strerror(errno) : "no file");
        free(span);
        return NULL;
    }
    for (int i = 1; span->count < PARTS_MAX && i <= PARTS_MAX; i++) {
        char *older = mem_printf("%s.%d", path, i);

        found = access(older, F_OK) == 0;
        if (found)
            (void)add_part(span, older);
        free(older);
        if (!found)
            break;
    }
    return span;
}

void log_span_close(struct log_span *span)
{
    for (size_t i = 0; span && i < span->count; i++)
        (void)close(span->parts[i].fd);
    free(span);
}

int64_t log_span_size(const struct log_span *span)
{
    return span->size;
}

int64_t log_span_id(const struct log_span *span)
{
    return (int64_t)span->parts[span->count - 1].inode;
}

size_t log_span_read(const struct log_span *span, int64_t from, char *out, size_t room)
{
    size_t done = 0;
    int64_t begin = 0; /* of the part in the span */

    for (size_t i = span->count; i-- > 0 && done < room;) {
        const struct part *part = &span->parts[i];
        int64_t at = from + (int64_t)done - begin;
        size_t left = at < part->size ? (size_t)(part->size - at) : 0;

        while (at >= 0 && left > 0 && done < room) {
            size_t wanted = left < room - done ? left : room - done;
            ssize_t got = pread(part->fd, out + done, wanted, at);

            if (got <= 0)
                return done;
            done += (size_t)got;
            at += got;
            left -= (size_t)got;
        }
        begin += part->size;
    }
    return done;
}
