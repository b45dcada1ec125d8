/* SPDX-License-Identifier: MIT
 *
 * emission.h - what the program emitted for the record in hand, until it returned.
 * Layer: sdk (pure). Nothing of a record that fails may be sent, so it waits here. What
 * lies in the record itself is not copied, everything else is, into one arena that is
 * used again for every record.
 */
#ifndef SDK_EMISSION_H
#define SDK_EMISSION_H

#include "sdk/dagnode.h"

/* One output, complete: the input's key and timestamp are filled in. */
struct emission {
    const void *value;
    size_t value_len;
    const void *key;
    size_t key_len;
    int64_t timestamp_ms; /* -1: none */
    int64_t position;
};

struct emissions {
    struct emission *list;
    size_t count;
    size_t capacity;
    char *bytes;
    size_t used;
    size_t room;
};

/* Complete out with what it takes from in (NULL: a source's) and from now_ms. No copy. */
struct emission emission_complete(const struct dagnode_record *in,
                                  const struct dagnode_output *out, int64_t now_ms);

/* Keep it until emissions_reset. Pointers in the list move: read it after the last add. */
void emissions_add(struct emissions *emissions, const struct dagnode_record *in,
                   const struct dagnode_output *out);
void emissions_reset(struct emissions *emissions);
void emissions_clear(struct emissions *emissions);

#endif
