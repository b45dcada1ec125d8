/* SPDX-License-Identifier: MIT
 *
 * log.h - one logfmt line on stderr: time level module key=value… msg="…".
 * Layer: base. error = someone must act; warn = we acted; info = state changed;
 * debug = why. Never per record. The level is the program's only global.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* default LOG_WARN */

/* fields: already formatted "node=add client=0", or NULL. The message is quoted. */
void log_write(enum log_level level, const char *module, const char *fields,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
