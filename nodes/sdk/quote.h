/* SPDX-License-Identifier: MIT
 *
 * quote.h - JSON text for the lines that the SDK writes itself.
 * Layer: sdk (pure). Reading JSON is config.c's.
 */
#ifndef SDK_QUOTE_H
#define SDK_QUOTE_H

#include "base/text.h"

/* Append bytes as a JSON string with its quotes; broken UTF-8 becomes U+FFFD. */
void quote_bytes(struct text_buf *buf, const void *data, size_t len);

/* The same for a NUL-terminated text; NULL becomes null. */
void quote_text(struct text_buf *buf, const char *text);

#endif
