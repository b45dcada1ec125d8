/* SPDX-License-Identifier: MIT
 *
 * log_span.h - a log with its older, rotated parts as one row of bytes, the oldest
 * first. Layer: ops. What is open stays readable while the runner rotates the files.
 */
#ifndef OPS_LOG_SPAN_H
#define OPS_LOG_SPAN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct log_span;

/* NULL and ERROR_NOT_FOUND: there is no such log. Links are not followed. */
struct log_span *log_span_open(const char *path, struct error *err);
void log_span_close(struct log_span *span);

/* Bytes of all parts when it was opened. */
int64_t log_span_size(const struct log_span *span);
/* Another number: its oldest part is gone, and every byte has another place. */
int64_t log_span_id(const struct log_span *span);

/* Bytes from a place on; returns how many, fewer than room only at the end. */
size_t log_span_read(const struct log_span *span, int64_t from, char *out, size_t room);

#endif
