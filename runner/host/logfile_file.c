/* SPDX-License-Identifier: MIT */
#include "host/logfile_file.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEFAULT_BYTES = 10 << 20,
    DEFAULT_KEEP = 5,
    DEFAULT_RATE = 8 << 20,
    REOPEN_MS = 1000,
};

struct logfile_file {
    char *path;
    int64_t max_bytes;
    int keep;
    int64_t rate;
    int fd; /* -1: can't be written now */
    int open_errno;
    int64_t size;
    int64_t opened_ms; /* when opening was last tried */
    int64_t window_ms; /* when the second began that left counts in */
    int64_t left;
    int64_t dropped;
    int64_t unsaid;   /* dropped bytes that the file does not mention yet */
    char reason[128]; /* of the unsaid */
    bool torn;        /* the disk filled up within a line */
    bool reported;
};

static void open_file(struct logfile_file *file)
{
    struct stat info;

    file->opened_ms = clock_mono_ms();
    file->fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    file->open_errno = file->fd < 0 ? errno : 0;
    file->size = file->fd >= 0 && fstat(file->fd, &info) == 0 ? info.st_size : 0;
}

struct logfile_file *logfile_file_open(const struct logfile_spec *spec)
{
    struct logfile_file *file = mem_alloc(sizeof *file);

    file->path = mem_strdup(spec->path);
    file->max_bytes = spec->max_bytes ? spec->max_bytes : DEFAULT_BYTES;
    file->keep = spec->keep ? spec->keep : DEFAULT_KEEP;
    file->rate = spec->bytes_per_second ? spec->bytes_per_second : DEFAULT_RATE;
    open_file(file);
    return file;
}

int64_t logfile_file_dropped(const struct logfile_file *file)
{
    return file->dropped;
}

static void drop(struct logfile_file *file, size_t len, const char *reason)
{
    file->dropped += (int64_t)len;
    file->unsaid += (int64_t)len;
    (void)snprintf(file->reason, sizeof file->reason, "%s", reason);
}

static void report(struct logfile_file *file, const char *reason)
{
    if (!file->reported)
        log_write(LOG_WARN, "logfile", NULL,
                  "%s can't be written (%s): output is dropped", file->path, reason);
    file->reported = true;
}

static void rotate(struct logfile_file *file)
{
    (void)close(file->fd);
    for (int i = file->keep - 1; i > 0; i--) {
        char *newer =
            i == 1 ? mem_strdup(file->path) : mem_printf("%s.%d", file->path, i - 1);
        char *older = mem_printf("%s.%d", file->path, i);

        (void)rename(newer, older);
        free(newer);
        free(older);
    }
    if (file->keep == 1)
        (void)unlink(file->path);
    open_file(file);
}

/* Make the file ready for len bytes. */
static bool ready(struct logfile_file *file, size_t len)
{
    if (file->fd < 0 && clock_mono_ms() - file->opened_ms >= REOPEN_MS)
        open_file(file);
    if (file->fd >= 0 && file->size > 0 && file->size + (int64_t)len > file->max_bytes)
        rotate(file);
    return file->fd >= 0;
}

static void put(struct logfile_file *file, const char *text, size_t len)
{
    ssize_t done;

    if (!ready(file, len)) {
        report(file, strerror(file->open_errno));
        drop(file, len, "the file can't be opened");
        return;
    }
    if (file->torn && write(file->fd, "\n", 1) == 1)
        file->torn = false;
    done = write(file->fd, text, len);
    if (done > 0)
        file->size += done;
    if (done == (ssize_t)len)
        return;
    file->torn = file->torn || (done > 0 && text[done - 1] != '\n');
    report(file, done < 0 ? strerror(errno) : strerror(ENOSPC));
    drop(file, len - (size_t)(done > 0 ? done : 0), "the disk refused them");
}

static void say_what_is_missing(struct logfile_file *file)
{
    int64_t bytes = file->unsaid;
    char count[TEXT_NUMBER];
    char *line;

    if (bytes == 0)
        return;
    text_format_count(bytes, count);
    line = mem_printf("[dagrun] %s bytes are missing here: %s\n", count, file->reason);
    file->unsaid = 0;
    put(file, line, strlen(line));
    if (file->unsaid > 0) { /* not now: say it later, without counting our own line */
        file->dropped -= file->unsaid;
        file->unsaid = bytes;
    }
    free(line);
}

void logfile_file_write(struct logfile_file *file, const char *text, size_t len)
{
    int64_t now_ms = clock_mono_ms();
    size_t fits = len;

    if (now_ms - file->window_ms >= 1000 || file->window_ms == 0) {
        file->window_ms = now_ms;
        file->left = file->rate;
        say_what_is_missing(file);
    }
    if ((int64_t)fits > file->left) {
        const char *newline =
            file->left > 0 ? memrchr(text, '\n', (size_t)file->left) : NULL;

        fits = newline ? (size_t)(newline - text) + 1 : 0;
    }
    if (fits > 0)
        put(file, text, fits);
    file->left -= (int64_t)fits;
    if (fits < len) {
        file->left = 0; /* what follows in this second is skipped as a whole */
        drop(file, len - fits, "more came in a second than a log takes");
    }
}

void logfile_file_close(struct logfile_file *file)
{
    if (file == NULL)
        return;
    say_what_is_missing(file);
    if (file->fd >= 0)
        (void)close(file->fd);
    free(file->path);
    free(file);
}
