/* SPDX-License-Identifier: MIT
 *
 * file.c - appends a line a record to a file.
 * Lines go out in large writes under a lock, so that several clients can share a file;
 * an offset is committed only when its line is on the disk. A line that a crash cut off
 * is taken out of the file first: its record comes again.
 */
#include "base/mem.h"
#include "base/text.h"
#include "common/object.h"
#include "sdk/dagnode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_BYTES = 256 * 1024 };

struct sink {
    const char *path;
    int fd;
    bool regular; /* not a pipe or a device: can be locked, cut and synced */
    struct text_buf lines;
    struct object_reader *reader;
};

static int fail_with_errno(const struct sink *sink, const char *what,
                           struct dagnode_error *err)
{
    return dagnode_fail(err, DAGNODE_FATAL, "can't %s %s: %s", what, sink->path,
                        strerror(errno));
}

/* Make the folders that the path names. */
static void make_folders(const char *path)
{
    char *folder = mem_strdup(path);

    for (char *slash = strchr(folder + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(folder, 0777); /* open() says what is wrong, if anything is */
        *slash = '/';
    }
    free(folder);
}

/* A new file is safe only when its folder is. */
static void sync_folder(const char *path)
{
    char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');
    int fd;

    if (slash != NULL)
        slash[slash == folder] = '\0';
    fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(folder);
}

static int open_path(struct sink *sink, struct dagnode_error *err)
{
    struct stat status;

    make_folders(sink->path);
    sink->fd =
        open(sink->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (sink->fd < 0) /* a pipe that is only for writing, such as /dev/stdout */
        sink->fd = open(sink->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    if (sink->fd < 0 || fstat(sink->fd, &status) != 0)
        return fail_with_errno(sink, "open", err);
    sink->regular = S_ISREG(status.st_mode);
    if (sink->regular)
        sync_folder(sink->path);
    return 0;
}

/* Where the last line begins that has no newline; the file's size when it has. */
static off_t find_torn_line(const struct sink *sink, off_t size)
{
    char chunk[4096];

    while (size > 0) {
        size_t want = size < (off_t)sizeof chunk ? (size_t)size : sizeof chunk;
        ssize_t got = pread(sink->fd, chunk, want, size - (off_t)want);
        const char *newline = got == (ssize_t)want ? memrchr(chunk, '\n', want) : NULL;

        if (got != (ssize_t)want)
            return -1;
        if (newline != NULL)
            return size - (off_t)want + (newline - chunk) + 1;
        size -= (off_t)want;
    }
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, data, len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        data += written;
        len -= (size_t)written;
    }
    return 0;
}

/* Nothing is thrown away: what is cut off a file is kept beside it. */
static int keep_torn_line(const struct sink *sink, const char *line, size_t len)
{
    char *path = mem_printf("%s.torn", sink->path);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    int result = fd < 0 || write_all(fd, line, len) != 0 ||
                 write_all(fd, "\n", 1) != 0 || fsync(fd) != 0;

    if (fd >= 0)
        (void)close(fd);
    if (result == 0)
        (void)fprintf(
            stderr,
            "file: %s ended with a line that was cut off; its %zu bytes are in "
            "%s now\n",
            sink->path, len, path);
    free(path);
    return result ? -1 : 0;
}

/* Under the lock: end a whole JSON object with its newline, take anything else out. */
static int repair_line(struct sink *sink, off_t begin, size_t len)
{
    char *line = mem_alloc(len + 1);
    int result = -1;

    if (pread(sink->fd, line, len, begin) != (ssize_t)len)
        goto done;
    if (object_try_read(sink->reader, line, len))
        result = write_all(sink->fd, "\n", 1);
    else if (keep_torn_line(sink, line, len) == 0)
        result = ftruncate(sink->fd, begin);
done:
    free(line);
    return result;
}

static int repair(struct sink *sink, off_t *size, struct dagnode_error *err)
{
    off_t begin = find_torn_line(sink, *size);

    if (begin < 0)
        return fail_with_errno(sink, "read the end of", err);
    if (begin == *size)
        return 0;
    if (repair_line(sink, begin, (size_t)(*size - begin)) != 0)
        return fail_with_errno(sink, "repair the last line of", err);
    *size = lseek(sink->fd, 0, SEEK_END);
    return 0;
}

/* The file under the path is not ours any more: it was moved away or deleted. */
static bool was_replaced(const struct sink *sink)
{
    struct stat ours;
    struct stat named;

    if (fstat(sink->fd, &ours) != 0 || stat(sink->path, &named) != 0)
        return true;
    return ours.st_ino != named.st_ino || ours.st_dev != named.st_dev;
}

static int lock_file(struct sink *sink, struct dagnode_error *err)
{
    for (;;) {
        if (flock(sink->fd, LOCK_EX) != 0 && errno != EINTR)
            return fail_with_errno(sink, "lock", err);
        if (!was_replaced(sink))
            return 0;
        if (fsync(sink->fd) != 0) /* what went to the old one counts, too */
            return fail_with_errno(sink, "sync", err);
        (void)close(sink->fd);
        sink->fd = -1;
        if (open_path(sink, err) != 0)
            return -1;
    }
}

/* All lines or none: a full disk must not leave half a line to be glued to. */
static int append_lines(struct sink *sink, struct dagnode_error *err)
{
    off_t size = lseek(sink->fd, 0, SEEK_END);

    if (size < 0)
        return fail_with_errno(sink, "seek in", err);
    if (repair(sink, &size, err) != 0)
        return -1;
    if (write_all(sink->fd, sink->lines.data, sink->lines.len) == 0)
        return 0;
    (void)fail_with_errno(sink, "write to", err);
    if (ftruncate(sink->fd, size) != 0)
        (void)fprintf(stderr, "file: can't take half a line out of %s: %s\n",
                      sink->path, strerror(errno));
    return -1;
}

static int write_lines(struct sink *sink, struct dagnode_error *err)
{
    int result;

    if (sink->lines.len == 0)
        return 0;
    if (!sink->regular) {
        if (write_all(sink->fd, sink->lines.data, sink->lines.len) != 0)
            return fail_with_errno(sink, "write to", err);
    } else {
        if (lock_file(sink, err) != 0)
            return -1;
        result = append_lines(sink, err);
        (void)flock(sink->fd, LOCK_UN);
        if (result != 0)
            return -1;
    }
    sink->lines.len = 0;
    return 0;
}

static void free_sink(struct sink *sink)
{
    if (sink->fd >= 0)
        (void)close(sink->fd);
    text_buf_clear(&sink->lines);
    object_reader_free(sink->reader);
    free(sink);
}

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    struct sink *sink = mem_alloc(sizeof *sink);

    sink->path = dagnode_option_string(n, "path");
    sink->reader = object_reader_new();
    if (open_path(sink, err) != 0) {
        free_sink(sink);
        return -1;
    }
    *state = sink;
    return 0;
}

static int add_line(struct sink *sink, const struct dagnode_record *in,
                    struct dagnode_error *err)
{
    if (in->value == NULL)
        return dagnode_fail(err, DAGNODE_SINK,
                            "no value: a record without one can't be a line of a file");
    if (in->value_len == 0 || memchr(in->value, '\n', in->value_len) == NULL)
        text_append_bytes(&sink->lines, in->value, in->value_len);
    else if (!object_append_compact(sink->reader, in->value, in->value_len,
                                    &sink->lines))
        return dagnode_fail(
            err, DAGNODE_SINK,
            "the value has a line break and is not JSON: it can't be one "
            "line of a file");
    text_append_bytes(&sink->lines, "\n", 1);
    return 0;
}

static int on_record(struct dagnode *n, const struct dagnode_record *in, void *state,
                     struct dagnode_error *err)
{
    struct sink *sink = state;

    (void)n;
    if (add_line(sink, in, err) != 0)
        return -1;
    return sink->lines.len < WRITE_BYTES ? 0 : write_lines(sink, err);
}

static int on_commit(struct dagnode *n, void *state, struct dagnode_error *err)
{
    struct sink *sink = state;

    (void)n;
    if (write_lines(sink, err) != 0)
        return -1;
    if (sink->regular && fdatasync(sink->fd) != 0)
        return fail_with_errno(sink, "sync", err);
    return 0;
}

static void on_stop(struct dagnode *n, void *state)
{
    (void)n;
    free_sink(state); /* what on_commit() did not write comes again */
}

int main(int argc, char **argv)
{
    static const struct dagnode_option options[] = {
        {"path", DAGNODE_PATH, NULL,
         "File to append to; it and its folders are made when they are not there",
         true},
        {0}};
    static const struct dagnode_ops ops = {
        .abi = DAGNODE_ABI,
        .name = "file",
        .doc =
            "Appends every value as a line to a file and syncs it before offsets are "
            "committed.",
        .options = options,
        .sink = true,
        .on_start = on_start,
        .on_record = on_record,
        .on_commit = on_commit,
        .on_stop = on_stop};

    return dagnode_main(argc, argv, &ops);
}
