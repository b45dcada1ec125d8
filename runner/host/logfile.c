/* SPDX-License-Identifier: MIT
 *
 * logfile.c - takes whole lines from the pipes, so that the two streams never mix
 * within a line, and hands them to the file (logfile_file.c), the last lines and
 * on_line.
 */
#include "host/logfile.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/logfile_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    READS_PER_TURN = 4,
    READS_AT_END = 64, /* 4 MiB: more than a pipe holds, so a dead writer's all */
    LINE_MAX_BYTES = 16 * 1024,
    LAST_BYTES = 1000,
    DEFAULT_LINES_PER_SECOND = 1000,
};

struct stream {
    struct logfile *log;
    enum logfile_stream number;
    int fd; /* -1: at its end */
    int child_fd;
    struct text_buf partial; /* a line that has not ended */
    int64_t window_ms;       /* when the second began that shown counts in */
    int shown;
    int64_t skipped;
};

struct logfile {
    struct loop *loop;
    struct logfile_file *file;
    int lines_per_second;
    logfile_line_fn *on_line;
    void *arg;
    int64_t bytes;
    struct stream streams[LOGFILE_STREAMS];
    char last[LOGFILE_LAST][LAST_BYTES + 1]; /* a ring */
    size_t last_next;
    size_t last_count;
    char unfinished[LOGFILE_STREAMS][LAST_BYTES + 1]; /* made by logfile_last */
};

static void copy_line(char to[LAST_BYTES + 1], const char *text, size_t len)
{
    if (len > LAST_BYTES)
        len = LAST_BYTES;
    for (size_t i = 0; i < len; i++)
        to[i] = text[i] ? text[i] : ' ';
    to[len] = '\0';
}

static void remember(struct logfile *log, const char *text, size_t len)
{
    copy_line(log->last[log->last_next], text, len);
    log->last_next = (log->last_next + 1) % LOGFILE_LAST;
    if (log->last_count < LOGFILE_LAST)
        log->last_count++;
}

/* Keep the last lines of a block that ends with a newline. */
static void remember_last(struct logfile *log, const char *text, size_t len)
{
    size_t start = len - 1;
    int lines = 0;

    while (start > 0 && (text[start - 1] != '\n' || ++lines < LOGFILE_LAST))
        start--;
    while (start < len) {
        const char *newline = memchr(text + start, '\n', len - start);
        size_t size = (size_t)(newline - (text + start));

        remember(log, text + start, size);
        start += size + 1;
    }
}

static void show_line(struct stream *stream, const char *text, size_t len)
{
    struct logfile *log = stream->log;
    int64_t skipped = stream->skipped;

    if (stream->shown >= log->lines_per_second) {
        stream->skipped++;
        return;
    }
    stream->shown++;
    stream->skipped = 0;
    log->on_line(log->arg, stream->number, text, len, skipped);
}

static void show_lines(struct stream *stream, const char *text, size_t len)
{
    int64_t now_ms;

    if (stream->log->on_line == NULL)
        return;
    now_ms = clock_mono_ms();
    if (now_ms - stream->window_ms >= 1000) {
        stream->window_ms = now_ms;
        stream->shown = 0;
    }
    for (size_t start = 0; start < len;) {
        const char *newline = memchr(text + start, '\n', len - start);
        size_t size = (size_t)(newline - (text + start));

        show_line(stream, text + start, size);
        start += size + 1;
    }
}

/* text: whole lines, each with its newline. */
static void take_lines(struct stream *stream, const char *text, size_t len)
{
    logfile_file_write(stream->log->file, text, len);
    remember_last(stream->log, text, len);
    show_lines(stream, text, len);
}

static void end_partial(struct stream *stream)
{
    if (stream->partial.len == 0)
        return;
    text_append_bytes(&stream->partial, "\n", 1);
    take_lines(stream, stream->partial.data, stream->partial.len);
    text_buf_clear(&stream->partial);
}

static void take(struct stream *stream, const char *data, size_t len)
{
    const char *last = memrchr(data, '\n', len);
    size_t whole = last ? (size_t)(last - data) + 1 : 0;

    stream->log->bytes += (int64_t)len;
    if (whole > 0 && stream->partial.len > 0) {
        size_t first = (size_t)((const char *)memchr(data, '\n', whole) - data);

        text_append_bytes(&stream->partial, data, first);
        end_partial(stream);
        data += first + 1;
        len -= first + 1;
        whole -= first + 1;
    }
    if (whole > 0)
        take_lines(stream, data, whole);
    while (len - whole > 0) {
        size_t room = LINE_MAX_BYTES - stream->partial.len;
        size_t part = len - whole < room ? len - whole : room;

        text_append_bytes(&stream->partial, data + whole, part);
        whole += part;
        if (stream->partial.len >= LINE_MAX_BYTES)
            end_partial(stream);
    }
}

static void close_stream(struct stream *stream)
{
    if (stream->fd < 0)
        return;
    loop_remove(stream->log->loop, stream->fd);
    (void)close(stream->fd);
    stream->fd = -1;
    end_partial(stream);
}

static void read_stream(struct stream *stream, int reads)
{
    char data[READ_BYTES];

    while (reads-- > 0 && stream->fd >= 0) {
        ssize_t len = read(stream->fd, data, sizeof data);

        if (len > 0)
            take(stream, data, (size_t)len);
        else if (len < 0 && errno == EINTR)
            continue;
        else if (len < 0 && errno == EAGAIN)
            return;
        else
            close_stream(stream);
    }
}

static void on_readable(void *arg, uint32_t events)
{
    (void)events;
    read_stream(arg, READS_PER_TURN);
}

static int open_stream(struct stream *stream, struct error *err)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0) {
        error_set(err, ERROR_INTERNAL, "no pipe for a process's output: %s",
                  strerror(errno));
        return -1;
    }
    stream->fd = fds[0];
    stream->child_fd = fds[1];
    /* Only our end: programs do not expect a stdout that refuses. */
    (void)fcntl(stream->fd, F_SETFL, O_NONBLOCK);
    return loop_add(stream->log->loop, stream->fd, EPOLLIN, on_readable, stream, err);
}

struct logfile *logfile_open(struct loop *loop, const struct logfile_spec *spec,
                             struct error *err)
{
    struct logfile *log = mem_alloc(sizeof *log);

    log->loop = loop;
    log->lines_per_second =
        spec->lines_per_second ? spec->lines_per_second : DEFAULT_LINES_PER_SECOND;
    log->on_line = spec->on_line;
    log->arg = spec->arg;
    for (int i = 0; i < LOGFILE_STREAMS; i++)
        log->streams[i] = (struct stream){
            .log = log, .number = (enum logfile_stream)i, .fd = -1, .child_fd = -1};
    log->file = logfile_file_open(spec);
    for (int i = 0; i < LOGFILE_STREAMS; i++) {
        if (open_stream(&log->streams[i], err) < 0) {
            logfile_close(log);
            return NULL;
        }
    }
    return log;
}

void logfile_close(struct logfile *log)
{
    if (log == NULL)
        return;
    logfile_started(log);
    for (int i = 0; i < LOGFILE_STREAMS; i++) {
        read_stream(&log->streams[i], READS_AT_END);
        close_stream(&log->streams[i]);
        text_buf_clear(&log->streams[i].partial);
    }
    logfile_file_close(log->file);
    free(log);
}

int logfile_child_fd(const struct logfile *log, enum logfile_stream stream)
{
    return log->streams[stream].child_fd;
}

void logfile_started(struct logfile *log)
{
    for (int i = 0; i < LOGFILE_STREAMS; i++) {
        if (log->streams[i].child_fd >= 0)
            (void)close(log->streams[i].child_fd);
        log->streams[i].child_fd = -1;
    }
}

bool logfile_at_end(const struct logfile *log)
{
    return log->streams[LOGFILE_STDOUT].fd < 0 && log->streams[LOGFILE_STDERR].fd < 0;
}

int64_t logfile_bytes(const struct logfile *log)
{
    return log->bytes;
}

int64_t logfile_dropped(const struct logfile *log)
{
    return logfile_file_dropped(log->file);
}

int64_t logfile_skipped(const struct logfile *log, enum logfile_stream stream)
{
    return log->streams[stream].skipped;
}

size_t logfile_last(struct logfile *log, const char *lines[LOGFILE_LAST])
{
    size_t unfinished = 0;
    size_t count;
    size_t kept;

    for (int i = 0; i < LOGFILE_STREAMS; i++) {
        const struct text_buf *partial = &log->streams[i].partial;

        if (partial->len > 0)
            copy_line(log->unfinished[unfinished++], partial->data, partial->len);
    }
    kept = LOGFILE_LAST - unfinished;
    if (kept > log->last_count)
        kept = log->last_count;
    for (count = 0; count < kept; count++)
        lines[count] =
            log->last[(log->last_next + LOGFILE_LAST - kept + count) % LOGFILE_LAST];
    for (size_t i = 0; i < unfinished; i++)
        lines[count++] = log->unfinished[i];
    return count;
}

void logfile_drain(struct logfile *log)
{
    for (int i = 0; i < LOGFILE_STREAMS; i++)
        read_stream(&log->streams[i], READS_AT_END);
}

void logfile_note(struct logfile *log, const char *text)
{
    char *line = mem_printf("[dagrun] %s\n", text);

    logfile_file_write(log->file, line, strlen(line));
    free(line);
}
