/* SPDX-License-Identifier: MIT
 *
 * dumps.h - text as a JSON string in ASCII only, byte for byte as Python's json.dumps()
 * writes it. The programs that this pipeline replaces made their records with it.
 */
#ifndef COMMON_DUMPS_H
#define COMMON_DUMPS_H

#include "base/text.h"

#include <stdbool.h>

/* Append text with its quotes. False, with out as it was, when text is not UTF-8. */
bool dumps_append(struct text_buf *out, const char *text);

#endif
