/* SPDX-License-Identifier: MIT
 *
 * logfile.h - a client's stdout and stderr: two pipes into one capped file.
 * Layer: host. The pipes are always drained, so that a client never waits for us; a
 * loop turn takes a bounded amount, so that a flood starves nobody; what is too much
 * for the file, or meets a full disk, is dropped and counted, never an error of the
 * client.
 */
#ifndef HOST_LOGFILE_H
#define HOST_LOGFILE_H

#include "base/error.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct logfile;

enum logfile_stream { LOGFILE_STDOUT, LOGFILE_STDERR, LOGFILE_STREAMS };
enum { LOGFILE_LAST = 10 };

/*
 * A whole line (without its newline; long ones are cut at 16 KiB); skipped: lines of
 * this stream that were not shown before it, because there were too many. Not to close
 * the logfile from here.
 */
typedef void logfile_line_fn(void *arg, enum logfile_stream stream, const char *text,
                             size_t len, int64_t skipped);

struct logfile_spec {
    const char *path;          /* path, then path.1 (older) … path.<keep - 1> */
    int64_t max_bytes;         /* of one file; 0: 10 MiB */
    int keep;                  /* files; 0: 5 */
    int64_t bytes_per_second;  /* into the file; 0: 8 MiB */
    int lines_per_second;      /* to on_line; 0: 1,000 */
    logfile_line_fn *on_line;  /* NULL: nobody */
    void *arg;
};

/*
 * Make the pipes and watch them. A file that can't be written is no error (it is logged
 * once, logfile_dropped counts). NULL and ERROR_INTERNAL: no descriptors left.
 */
struct logfile *logfile_open(struct loop *loop, const struct logfile_spec *spec,
                             struct error *err);
/* Take what is still in the pipes (bounded), finish a last line, close. Never waits for
 * a process that holds a pipe open. */
void logfile_close(struct logfile *log);

/* The child's end of a pipe; for process_spec. */
int logfile_child_fd(const struct logfile *log, enum logfile_stream stream);
/* Call after the spawn: closes our copies of the child's ends, so that an end shows. */
void logfile_started(struct logfile *log);

/* Nobody holds a pipe open any more and everything is read. */
bool logfile_at_end(const struct logfile *log);
int64_t logfile_bytes(const struct logfile *log);   /* read from the pipes */
int64_t logfile_dropped(const struct logfile *log); /* bytes that are not in the file */
/* Lines not shown to on_line since its last call. */
int64_t logfile_skipped(const struct logfile *log, enum logfile_stream stream);
/* The last lines, oldest first, both streams together, each cut at 1,000 bytes, newest
 * possibly without its end. Returns how many; they live until the next loop turn. */
size_t logfile_last(struct logfile *log, const char *lines[LOGFILE_LAST]);

/* Read what is in the pipes now (bounded): after the child was reaped, before its last
 * lines are looked at. */
void logfile_drain(struct logfile *log);
/* Add a line of our own to the file. */
void logfile_note(struct logfile *log, const char *text);

#endif
