/* SPDX-License-Identifier: MIT
 *
 * json.h - JSON for control socket, history, --json and --describe; not for records.
 * Layer: base. The only file that includes jansson; everyone uses json_t through it.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parse one JSON value; duplicates refused. NULL and err (ERROR_INPUT) when it is not JSON. */
json_t *json_parse(const char *text, size_t len, struct error *err);

/* The value as one line without spaces, harmless on a terminal; the caller frees it. */
char *json_line(const json_t *value);

/* Members of an object with a fallback for missing or differently typed ones. */
const char *json_get_string(const json_t *object, const char *key, const char *fallback);
int64_t json_get_int(const json_t *object, const char *key, int64_t fallback);
bool json_get_bool(const json_t *object, const char *key, bool fallback);

/* Text that may hold broken UTF-8: its bad bytes become U+FFFD. NULL gives JSON null. */
json_t *json_text(const char *text);

#endif
