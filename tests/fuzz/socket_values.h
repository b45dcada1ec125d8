/* SPDX-License-Identifier: MIT
 *
 * socket_values.h - what the hostile clients of fuzz_socket say: random requests, but
 * with names that exist and with ids and epochs that the broker gave out, so that they
 * get deep.
 */
#ifndef TESTS_SOCKET_VALUES_H
#define TESTS_SOCKET_VALUES_H

#include "wire_values.h"

enum {
    SOCKET_VALUES_BUCKETS = 256, /* by the name of a field */
    SOCKET_VALUES_DEPTH = 8,
    SOCKET_VALUES_TEXT = 64,
};

/* A value seen in an answer; type is an enum wire_type. */
struct socket_seen {
    const char *name;
    uint8_t type;
    uint8_t len;
    char bytes[SOCKET_VALUES_TEXT]; /* a text, a number or a uuid */
};

struct socket_values {
    uint64_t state; /* of the random numbers; not 0 */
    bool wild;      /* the request at hand is to be less sensible */
    struct socket_seen seen[SOCKET_VALUES_BUCKETS][SOCKET_VALUES_DEPTH];
};

/* A random request; its parts lie in arena. */
void socket_values_draw(struct socket_values *values, const struct wire_message *m,
                        int16_t version, struct mem_arena *arena, void *value);

/* Keep what an answer says, for later requests. */
void socket_values_remember(struct socket_values *values, const struct wire_message *m,
                            int16_t version, const void *value);

#endif
