/* SPDX-License-Identifier: MIT
 *
 * record.h - one record: the program's answer to it, its outputs, its dead letter.
 * Layer: sdk.
 */
#ifndef SDK_RECORD_H
#define SDK_RECORD_H

#include "sdk/dagnode.h"

struct client;
struct part;

/* Take the record into the part's window, call the program, send what it emitted. */
void record_handle(struct client *client, struct part *part,
                   const struct dagnode_record *record);

#endif
