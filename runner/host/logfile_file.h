/* SPDX-License-Identifier: MIT
 *
 * logfile_file.h - a capped, rotating file that never fails its writer.
 * Layer: host; private to logfile*.c.
 */
#ifndef HOST_LOGFILE_FILE_H
#define HOST_LOGFILE_FILE_H

#include "host/logfile.h"

#include <stddef.h>
#include <stdint.h>

struct logfile_file;

struct logfile_file *logfile_file_open(const struct logfile_spec *spec);
void logfile_file_close(struct logfile_file *file);
int64_t logfile_file_dropped(const struct logfile_file *file); /* bytes */

/* text: whole lines. What exceeds the rate, or the disk, is dropped and counted; the
 * file says so in a line of its own as soon as it can. */
void logfile_file_write(struct logfile_file *file, const char *text, size_t len);

#endif
