/* SPDX-License-Identifier: MIT
 *
 * lines.c - makes a record of every line of a file or of stdin.
 * The position of a record is the byte after its line, so that a file that was left
 * half read is read on from there.
 */
#include "base/mem.h"
#include "base/text.h"
#include "common/object.h"
#include "sdk/dagnode.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 256 * 1024,
    BATCH = 1000,              /* records a call of on_poll() */
    LINE_MAX_BYTES = 64 << 20, /* a longer line is no record for any broker */
    LOOK_AGAIN_MS = 100,       /* at a file that may grow */
    PIPE_WAIT_MS = 60000,      /* the descriptor wakes us first */
};

struct lines {
    const char *path; /* NULL: stdin */
    struct object_name key;
    bool follow;
    bool skip_empty;
    bool seekable;    /* a regular file: positions mean something */
    bool leaving;     /* the file was replaced: one more read, then the new one */
    int fd;           /* -1: a followed file that is not there */
    int64_t position; /* of data + begin in the file */
    char *data;       /* the bytes read and not emitted: begin … end */
    size_t capacity;
    size_t begin;
    size_t searched; /* there is no newline before it */
    size_t end;
    struct object_reader *reader;
};

static const char *shown_path(const struct lines *lines)
{
    return lines->path ? lines->path : "stdin";
}

static int fail_with_errno(const struct lines *lines, const char *what,
                           struct dagnode_error *err)
{
    return dagnode_fail(err, DAGNODE_FATAL, "can't %s %s: %s", what, shown_path(lines),
                        strerror(errno));
}

static int not_the_same(const struct lines *lines, struct dagnode_error *err)
{
    return dagnode_fail(err, DAGNODE_FATAL,
                        "%s is not the file that was read up to byte %" PRId64
                        ": it is shorter, or no line ends there; start with --fresh to "
                        "read it from its beginning",
                        shown_path(lines), lines->position);
}

/* Is there a line that ends where an earlier attempt had got to? */
static bool fits_position(const struct lines *lines, int64_t size)
{
    char before = '\n';

    if (lines->position == 0 || lines->position == size)
        return true;
    return pread(lines->fd, &before, 1, lines->position - 1) == 1 && before == '\n';
}

static void drop_data(struct lines *lines)
{
    lines->begin = lines->searched = lines->end = 0;
}

/* Open the file at lines->position. A followed file may come later. */
static int open_file(struct lines *lines, struct dagnode_error *err)
{
    struct stat status;

    lines->fd = lines->path ? open(lines->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                            : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (lines->fd < 0 && errno == ENOENT && lines->follow)
        return 0;
    if (lines->fd < 0 || fstat(lines->fd, &status) != 0)
        return fail_with_errno(lines, "open", err);
    if (S_ISDIR(status.st_mode))
        return dagnode_fail(err, DAGNODE_FATAL, "%s is a folder, expected a file",
                            lines->path);
    drop_data(lines);
    lines->seekable = S_ISREG(status.st_mode);
    if (!lines->seekable) {
        lines->position = 0;
        return 0;
    }
    if (!fits_position(lines, status.st_size)) {
        if (!lines->follow)
            return not_the_same(lines, err);
        (void)fprintf(stderr,
                      "lines: %s was replaced since it was read: reading it from its "
                      "beginning\n",
                      shown_path(lines));
        lines->position = 0;
    }
    if (lseek(lines->fd, lines->position, SEEK_SET) < 0)
        return fail_with_errno(lines, "seek in", err);
    return 0;
}

static void free_lines(struct lines *lines)
{
    if (lines->fd >= 0)
        (void)close(lines->fd);
    object_reader_free(lines->reader);
    free(lines->data);
    free(lines);
}

/* "-" as it stands in with: the SDK has put the folder of the YAML before it. */
static bool is_stdin(struct dagnode *n)
{
    const char *json = dagnode_option_json(n, "path");

    return json == NULL || strcmp(json, "\"-\"") == 0;
}

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    struct lines *lines = mem_alloc(sizeof *lines);
    const char *key = dagnode_option_string(n, "key");

    lines->fd = -1;
    lines->path = is_stdin(n) ? NULL : dagnode_option_string(n, "path");
    lines->follow = dagnode_option_bool(n, "follow");
    lines->skip_empty = dagnode_option_bool(n, "skip_empty");
    lines->position = dagnode_position(n);
    lines->key = (struct object_name){key, key ? strlen(key) : 0};
    lines->reader = object_reader_new();
    lines->capacity = READ_BYTES;
    lines->data = mem_resize(NULL, lines->capacity);
    if (lines->follow && lines->path == NULL)
        (void)dagnode_fail(err, DAGNODE_USAGE,
                           "follow needs a path: stdin ends by itself");
    else
        (void)open_file(lines, err);
    if (err->kind != DAGNODE_NO_ERROR) {
        free_lines(lines);
        return -1;
    }
    *state = lines;
    return 0;
}

/* Make room for a read behind the data, in the buffer's front or in a larger one. */
static int make_room(struct lines *lines, struct dagnode_error *err)
{
    if (lines->begin > 0) {
        memmove(lines->data, lines->data + lines->begin, lines->end - lines->begin);
        lines->end -= lines->begin;
        lines->searched -= lines->begin;
        lines->begin = 0;
    }
    if (lines->capacity - lines->end >= READ_BYTES / 2)
        return 0;
    if (lines->capacity >= LINE_MAX_BYTES)
        return dagnode_fail(err, DAGNODE_FATAL,
                            "%s: the line that begins at byte %" PRId64
                            " is longer than "
                            "%d bytes: no broker takes such a record; cut it first",
                            shown_path(lines), lines->position, LINE_MAX_BYTES);
    lines->capacity *= 2;
    lines->data = mem_resize(lines->data, lines->capacity);
    return 0;
}

/* The member of the line that is its key. A line without it has no key. */
static void find_key(struct lines *lines, const char *line, size_t len,
                     struct dagnode_output *out)
{
    struct object_value value;

    if (lines->key.text == NULL || !object_try_read(lines->reader, line, len))
        return;
    object_find(lines->reader, &lines->key, 1, &value);
    if (value.type != OBJECT_STRING && value.type != OBJECT_NUMBER)
        return;
    out->replace_key = true;
    out->key = value.text;
    out->key_len = value.len;
}

/* Emit the next len bytes as a record and step over them and skip bytes more. */
static int emit_line(struct dagnode *n, struct lines *lines, size_t len, size_t skip,
                     struct dagnode_error *err)
{
    const char *line = lines->data + lines->begin;
    struct dagnode_output out = {.value = line, .value_len = len};

    lines->begin += len + skip;
    lines->position += (int64_t)(len + skip);
    lines->searched = lines->begin;
    if (len == 0 && lines->skip_empty)
        return 0;
    out.position = lines->position;
    find_key(lines, line, len, &out);
    return dagnode_emit(n, &out, err);
}

/* Emit the complete lines in the buffer, at most a batch; the number, -1 on failure. */
static int emit_lines(struct dagnode *n, struct lines *lines, struct dagnode_error *err)
{
    int count = 0;

    while (count < BATCH) {
        const char *from = lines->data + lines->searched;
        const char *newline = memchr(from, '\n', lines->end - lines->searched);

        if (newline == NULL) {
            lines->searched = lines->end;
            break;
        }
        if (emit_line(n, lines, (size_t)(newline - lines->data) - lines->begin, 1,
                      err) != 0)
            return -1;
        count++;
    }
    return count;
}

/* A pipe must not block the client, and its end is only known once it had a writer. */
static bool pipe_is_quiet(struct lines *lines)
{
    struct pollfd fd = {.fd = lines->fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 0 || fd.revents == 0;
}

/* The bytes that were read, 0 at the end, -1 on failure, -2 when there are none yet. */
static ssize_t read_more(struct lines *lines, struct dagnode_error *err)
{
    ssize_t got;

    if (make_room(lines, err) != 0)
        return -1;
    if (!lines->seekable && pipe_is_quiet(lines))
        return -2;
    got = read(lines->fd, lines->data + lines->end, lines->capacity - lines->end);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return -2;
    if (got < 0)
        return fail_with_errno(lines, "read", err);
    lines->end += (size_t)got;
    return got;
}

/* The file under the path is another one now, or ours was cut. */
static bool was_replaced(const struct lines *lines)
{
    struct stat ours;
    struct stat named;

    if (!lines->seekable || fstat(lines->fd, &ours) != 0)
        return false;
    if (ours.st_size < lines->position + (int64_t)(lines->end - lines->begin))
        return true;
    return stat(lines->path, &named) == 0 &&
           (named.st_ino != ours.st_ino || named.st_dev != ours.st_dev);
}

/* Done with the old file; what it holds without a newline at its end is a line as well.
 */
static int leave_file(struct dagnode *n, struct lines *lines, struct dagnode_error *err)
{
    int result = 0;

    if (lines->end > lines->begin)
        result = emit_line(n, lines, lines->end - lines->begin, 0, err);
    (void)close(lines->fd);
    lines->fd = -1;
    lines->position = 0;
    lines->leaving = false;
    return result;
}

/* At the end of a followed file: go on with the one that took its place, or wait. */
static enum dagnode_poll follow_on(struct dagnode *n, struct lines *lines,
                                   struct dagnode_error *err)
{
    if (lines->fd >= 0 && !lines->leaving && was_replaced(lines)) {
        lines->leaving = true; /* lines may have come since the last read */
        return DAGNODE_MORE;
    }
    if (lines->leaving && leave_file(n, lines, err) != 0)
        return DAGNODE_FAILED;
    if (lines->fd < 0) {
        if (open_file(lines, err) != 0)
            return DAGNODE_FAILED;
        if (lines->fd >= 0)
            return DAGNODE_MORE;
    }
    dagnode_wait_for(n, -1, LOOK_AGAIN_MS);
    return DAGNODE_WAIT;
}

static enum dagnode_poll at_end(struct dagnode *n, struct lines *lines,
                                struct dagnode_error *err)
{
    if (lines->follow)
        return follow_on(n, lines, err);
    if (lines->end > lines->begin &&
        emit_line(n, lines, lines->end - lines->begin, 0, err) != 0)
        return DAGNODE_FAILED;
    return DAGNODE_END;
}

static enum dagnode_poll on_poll(struct dagnode *n, void *state,
                                 struct dagnode_error *err)
{
    struct lines *lines = state;
    int count = emit_lines(n, lines, err);
    ssize_t got;

    if (count < 0)
        return DAGNODE_FAILED;
    if (count > 0)
        return DAGNODE_MORE;
    if (lines->fd < 0)
        return follow_on(n, lines, err);
    got = read_more(lines, err);
    if (got == -1)
        return DAGNODE_FAILED;
    if (got == 0)
        return at_end(n, lines, err);
    if (got > 0)
        return DAGNODE_MORE;
    dagnode_wait_for(n, lines->fd, PIPE_WAIT_MS);
    return DAGNODE_WAIT;
}

static void on_stop(struct dagnode *n, void *state)
{
    (void)n;
    free_lines(state);
}

int main(int argc, char **argv)
{
    static const struct dagnode_option options[] = {
        {"path", DAGNODE_PATH, NULL, "File to read, - for stdin. Default: stdin",
         false},
        {"key", DAGNODE_STRING, NULL,
         "Member of a JSON line whose string or number is the record's key; a line "
         "without "
         "it has no key",
         false},
        {"follow", DAGNODE_BOOL, "false",
         "At the end wait for more, also when the file is replaced or cut (as tail -F)",
         false},
        {"skip_empty", DAGNODE_BOOL, "false", "Leave out lines without a character",
         false},
        {0}};
    static const struct dagnode_ops ops = {
        .abi = DAGNODE_ABI,
        .name = "lines",
        .doc = "Makes a record of every line of a file or of stdin.",
        .options = options,
        .on_start = on_start,
        .on_poll = on_poll,
        .on_stop = on_stop};

    return dagnode_main(argc, argv, &ops);
}
