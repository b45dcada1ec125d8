/* SPDX-License-Identifier: MIT
 *
 * history_queue.h - rows on their way to SQLite: bounded, each state row at most once.
 * Layer: host, private to history*.c. Pure memory; it executes nothing.
 */
#ifndef HOST_HISTORY_QUEUE_H
#define HOST_HISTORY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may be dropped, and what never is, in the order of writing. */
enum history_class { HISTORY_KEEP, HISTORY_LETTERS, HISTORY_SAMPLES, HISTORY_CLASSES };

enum { HISTORY_VALUES_MAX = 20 };

enum history_type { HISTORY_NULL, HISTORY_INT, HISTORY_REAL, HISTORY_TEXT };

struct history_value {
    enum history_type type;
    union {
        int64_t number;
        double real;
        const char *text;
    } as;
};

struct history_row {
    int statement; /* the caller's number */
    size_t count;
    const struct history_value *values;
    const char *key; /* NULL: every row counts; else it replaces an earlier one */
    enum history_class class;
    bool final; /* nothing comes after it for its key, which is forgotten once written */
};

struct history_queue;

struct history_queue *history_queue_new(size_t bytes_max);
void history_queue_free(struct history_queue *queue);

/* Rows waiting, and rows dropped for want of room since the beginning. */
size_t history_queue_count(const struct history_queue *queue);
int64_t history_queue_dropped(const struct history_queue *queue);

/*
 * Copy a row into the queue. With a key: it takes the place of the waiting row of that
 * key; when none waits and the last written one was equal, nothing is queued.
 */
void history_queue_add(struct history_queue *queue, const struct history_row *row);

/*
 * Walk the rows in the order of writing: *cursor NULL begins, NULL is the end. The row is
 * borrowed until the next add or written.
 */
struct history_entry;
const struct history_row *history_queue_next(const struct history_queue *queue,
                                             const struct history_entry **cursor);
/* The first count rows are in the file now. */
void history_queue_written(struct history_queue *queue, size_t count);

/*
 * The file was replaced by an empty one: queue the last row of every key again, in the
 * order in which the keys first came, in front of everything.
 */
void history_queue_again(struct history_queue *queue);

#endif
