/* SPDX-License-Identifier: MIT
 *
 * pack.h - numbers and texts as bytes, for keys and values in the store. Layer:
 * ledger/group (pure). Big-endian; a text is its length (int32, -1: null) and its
 * bytes. Reading never passes the end: what is missing is 0 or null, and bad says so.
 */
#ifndef LEDGER_GROUP_PACK_H
#define LEDGER_GROUP_PACK_H

#include "base/text.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void pack_i32(struct text_buf *out, int32_t value);
void pack_i64(struct text_buf *out, int64_t value);
void pack_string(struct text_buf *out, struct wire_string value);
void pack_bytes(struct text_buf *out, struct wire_bytes value);

struct unpack {
    const uint8_t *data;
    size_t left;
    bool bad;
};

int32_t unpack_i32(struct unpack *in);
int64_t unpack_i64(struct unpack *in);
struct wire_string unpack_string(struct unpack *in); /* borrows from data */
struct wire_bytes unpack_bytes(struct unpack *in);
/* Has everything been read, and was it all there? */
bool unpack_done(const struct unpack *in);

#endif
