/* SPDX-License-Identifier: MIT
 *
 * logs.h - the log files of a run: which there are, their last lines, what is added.
 * Layer: ops. Files are found in the run's folder, so that they are found too when the
 * history could not be written.
 */
#ifndef OPS_LOGS_H
#define OPS_LOGS_H

#include "ops/ops.h"

struct log_file {
    const char *node;
    const char *client;
    int64_t attempt;
    const char *path;
};

struct log_list {
    struct log_file *items; /* by node, client, attempt */
    size_t count;
};

enum { LOGS_EVERY_ATTEMPT = -1 };

/* What to look for; NULL is "all", attempt 0 the newest one of each client. */
struct log_query {
    const char *dag;
    int64_t run;
    const char *node;
    const char *client;
    int64_t attempt;
};

/* A run without logs gives an empty list. */
void logs_find(const struct ops *ops, const struct log_query *query,
               struct mem_arena *arena, struct log_list *out);

/* A line without its newline. */
typedef void log_line_fn(void *arg, const char *text, size_t len);

struct log_reader;

/*
 * Begin with the last lines of a log, also out of its older, rotated files; lines -1: all.
 * *skipped (may be NULL): whether there are earlier ones. NULL and err: no such file.
 */
struct log_reader *log_reader_open(const char *path, int64_t lines, bool *skipped,
                                   struct error *err);
void log_reader_close(struct log_reader *reader);

/*
 * Hand over what is there by now, following the file when it was rotated. An unfinished
 * last line waits for its end; last: it is handed over too. Returns how many lines.
 */
size_t log_reader_read(struct log_reader *reader, bool last, log_line_fn *fn, void *arg);
/* While fn is called: where its line begins, in bytes of all parts (ops/log_span.h). */
int64_t log_reader_at(const struct log_reader *reader);

#endif
