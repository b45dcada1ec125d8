/* SPDX-License-Identifier: MIT
 *
 * describe.h - what --describe prints: the program's options, arguments and docs.
 * Layer: sdk (pure).
 */
#ifndef SDK_DESCRIBE_H
#define SDK_DESCRIBE_H

#include "base/error.h"
#include "base/text.h"
#include "sdk/dagnode.h"

/* Append one JSON object, no newline. docs/protocol.md shows its members. */
void describe_json(struct text_buf *buf, const struct dagnode_ops *ops);

/* "source", "transform" or "sink". */
const char *describe_kind(const struct dagnode_ops *ops);

/* Does the table make sense? -1 and err with what its author has to change. */
int describe_check(const struct dagnode_ops *ops, struct error *err);

#endif
