/* SPDX-License-Identifier: MIT
 *
 * wire_values.h - values of any message of the protocol: random ones, and whether two
 * are the same. For tests; driven by the tables as the codec is, but shares no code
 * with it.
 */
#ifndef TESTS_WIRE_VALUES_H
#define TESTS_WIRE_VALUES_H

#include "ledger/wire/table.h"

/* xorshift64*: the same sequence on every machine; the state must not be 0. */
uint64_t wire_values_next(uint64_t *state);
size_t wire_values_below(uint64_t *state, size_t limit); /* 0 when limit is 0 */

/* A random value of message m, as this version can carry it; its parts are in arena. */
void wire_values_random(const struct wire_message *m, int16_t version, uint64_t *state,
                        struct mem_arena *arena, void *value);

/* Are all fields that this version has the same? */
bool wire_values_same(const struct wire_message *m, int16_t version, const void *a,
                      const void *b);

/* Every message that the broker knows: one after the other; false behind the last. */
struct wire_values_message {
    const struct wire_message *message;
    int16_t min_version;
    int16_t max_version;
};
bool wire_values_message(size_t i, struct wire_values_message *out);

#endif
