/* SPDX-License-Identifier: MIT
 *
 * broker_log.h - the log of a broker in the background has an upper size.
 * Layer: cli. The log is the process's stderr, so only the process itself can begin a new
 * file; the one before stays as "log.1".
 */
#ifndef CLI_BROKER_LOG_H
#define CLI_BROKER_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum { BROKER_LOG_BYTES = 8 << 20 }; /* of each of the two files */

/* Is stderr the file at path? */
bool broker_log_is(const char *path);

/* Begin a new file when stderr is the file at path and has more than max bytes. */
void broker_log_bound(const char *path, int64_t max);

#endif
