/* SPDX-License-Identifier: MIT
 *
 * A log is path, with older parts path.1, path.2 …: the runner renames path to path.1 and
 * begins path anew. The reader holds the file that it reads open, so a renamed one is read
 * to its end; then it goes on with the new file of that name.
 */
#include "ops/logs.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTS_MAX = 100, CHUNK = 64 << 10, LINE_MAX_BYTES = 1 << 20 };

struct log_reader {
    char *path;
    int older; /* part to read after this one; -1: path is read, which may be rotated */
    int fd;
    struct text_buf partial;
    int64_t at; /* of partial's first byte, in all parts */
};

static char *part_path(const char *path, int part)
{
    return part == 0 ? mem_strdup(path) : mem_printf("%s.%d", path, part);
}

static int open_part(const char *path, int part)
{
    char *name = part_path(path, part);
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    free(name);
    return fd;
}

/*
 * Where the last *lines lines of a file begin; *lines is reduced by what it has. A last
 * line without its newline counts.
 */
static off_t find_tail(int fd, int64_t *lines)
{
    char chunk[4096];
    off_t end = lseek(fd, 0, SEEK_END);
    off_t at = end;
    int64_t found = 0;

    while (at > 0) {
        size_t size = at < (off_t)sizeof chunk ? (size_t)at : sizeof chunk;
        ssize_t got = pread(fd, chunk, size, at - (off_t)size);

        if (got != (ssize_t)size)
            break;
        for (size_t i = size; i > 0; i--) {
            off_t after = at - (off_t)size + (off_t)i;

            if (chunk[i - 1] != '\n' || after == end)
                continue;
            if (++found == *lines) {
                *lines = 0;
                return after;
            }
        }
        at -= (off_t)size;
    }
    *lines -= found + (end > 0);
    return 0;
}

/* Bytes in front of the part that is read. */
static int64_t older_bytes(const struct log_reader *reader)
{
    struct stat st;
    int64_t sum = 0;

    for (int part = reader->older < 0 ? 1 : reader->older + 2; part < PARTS_MAX; part++) {
        char *name = part_path(reader->path, part);
        bool found = stat(name, &st) == 0;

        free(name);
        if (!found)
            break;
        sum += st.st_size;
    }
    return sum;
}

/* Go back through the parts until enough lines are found. */
static bool seek_tail(struct log_reader *reader, int64_t lines)
{
    int part = 0;
    off_t at = 0;

    if (lines == 0) {
        (void)lseek(reader->fd, 0, SEEK_END);
        return true;
    }
    for (;;) {
        int fd = part == 0 ? reader->fd : open_part(reader->path, part);
        int next;

        if (fd < 0) { /* renamed at this moment: the newest part is good enough */
            (void)lseek(reader->fd, 0, SEEK_SET);
            return true;
        }
        at = lines < 0 ? 0 : find_tail(fd, &lines);
        next = open_part(reader->path, part + 1);
        if (next >= 0)
            (void)close(next);
        if (lines == 0 || next < 0 || part + 1 >= PARTS_MAX) {
            (void)lseek(fd, at, SEEK_SET);
            if (part > 0)
                (void)close(reader->fd);
            reader->fd = fd;
            reader->older = part > 0 ? part - 1 : -1;
            return at > 0 || next >= 0;
        }
        if (part > 0)
            (void)close(fd);
        part++;
    }
}

struct log_reader *log_reader_open(const char *path, int64_t lines, bool *skipped,
                                   struct error *err)
{
    int fd = open_part(path, 0);
    struct log_reader *reader;
    bool more;

    if (fd < 0) {
        error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_INTERNAL, "log %s: %s",
                  path, strerror(errno));
        return NULL;
    }
    reader = mem_alloc(sizeof *reader);
    reader->path = mem_strdup(path);
    reader->older = -1;
    reader->fd = fd;
    more = seek_tail(reader, lines);
    reader->at = older_bytes(reader) + lseek(reader->fd, 0, SEEK_CUR);
    if (skipped)
        *skipped = more;
    return reader;
}

void log_reader_close(struct log_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        (void)close(reader->fd);
    text_buf_clear(&reader->partial);
    free(reader->path);
    free(reader);
}

/* Has a new file taken the place of the one that is read? */
static bool was_rotated(const struct log_reader *reader)
{
    struct stat mine;
    struct stat named;

    return fstat(reader->fd, &mine) == 0 && stat(reader->path, &named) == 0 &&
           (mine.st_ino != named.st_ino || mine.st_dev != named.st_dev);
}

/* At the end of a part: the next one, if there is any. */
static bool go_on(struct log_reader *reader)
{
    int fd;

    if (reader->older < 0 && !was_rotated(reader))
        return false;
    fd = open_part(reader->path, reader->older > 0 ? reader->older : 0);
    reader->older = reader->older > 0 ? reader->older - 1 : -1;
    if (fd < 0)
        return false;
    (void)close(reader->fd);
    reader->fd = fd;
    return true;
}

static size_t hand_over(struct log_reader *reader, log_line_fn *fn, void *arg)
{
    const char *data = text_str(&reader->partial);
    size_t len = reader->partial.len;
    size_t from = 0;
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\n')
            continue;
        fn(arg, data + from, i - from);
        reader->at += (int64_t)(i + 1 - from);
        from = i + 1;
        count++;
    }
    text_drop_front(&reader->partial, from);
    return count;
}

/* What waits for its end. */
static void hand_over_rest(struct log_reader *reader, log_line_fn *fn, void *arg)
{
    fn(arg, reader->partial.data, reader->partial.len);
    reader->at += (int64_t)reader->partial.len;
    text_buf_clear(&reader->partial);
}

int64_t log_reader_at(const struct log_reader *reader)
{
    return reader->at;
}

size_t log_reader_read(struct log_reader *reader, bool last, log_line_fn *fn, void *arg)
{
    char *chunk = mem_alloc(CHUNK);
    size_t count = 0;

    for (;;) {
        ssize_t got = read(reader->fd, chunk, CHUNK);

        if (got <= 0 && !go_on(reader))
            break;
        if (got > 0)
            text_append_bytes(&reader->partial, chunk, (size_t)got);
        count += hand_over(reader, fn, arg);
        if (reader->partial.len > LINE_MAX_BYTES) /* nobody's line: in pieces */
            hand_over_rest(reader, fn, arg);
    }
    if (last && reader->partial.len > 0) {
        hand_over_rest(reader, fn, arg);
        count++;
    }
    free(chunk);
    return count;
}
