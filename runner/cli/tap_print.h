/* SPDX-License-Identifier: MIT
 *
 * tap_print.h - records of a tap as lines, JSON or bytes. Layer: cli.
 */
#ifndef CLI_TAP_PRINT_H
#define CLI_TAP_PRINT_H

#include "base/json.h"
#include "cli/tap_options.h"

/* A record as an object; keys and values cut to cut_bytes (-1: whole). */
json_t *tap_record_json(const char *topic, const struct tap_record *record,
                        int64_t cut_bytes);

/* One record on stdout, as the options want it; not for a page. */
void tap_print(const struct tap_options *options, const char *topic,
               const struct tap_record *record);

/* The records of a page, one by one, into an array: when they become many bytes, they
 * are cut shorter. */
void tap_page_add(json_t *messages, size_t *bytes, const struct tap_options *options,
                  const char *topic, const struct tap_record *record);

/* The page itself; messages is taken. has_more: the count was reached before the end.
 */
json_t *tap_page_json(const struct tap *tap, const char *edge, json_t *messages,
                      bool has_more);

/* On stderr: what was scanned, and the places to go on from. */
void tap_print_summary(const struct tap *tap, int64_t count, bool has_more);

#endif
