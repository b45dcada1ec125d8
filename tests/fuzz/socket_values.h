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
    SOCKET_VALUES_PARTIES = 32,
    SOCKET_VALUES_TRAITS = 10,
};

/* A value seen in an answer; type is an enum wire_type. */
struct socket_seen {
    const char *name;
    uint8_t type;
    uint8_t len;
    char bytes[SOCKET_VALUES_TEXT]; /* a text, a number or a uuid */
};

/*
 * What one exchange said about who speaks: group, member, generation; transactional id,
 * producer, epoch; session. Requests that take all of it from one go deeper.
 */
struct socket_party {
    struct socket_seen traits[SOCKET_VALUES_TRAITS];
    size_t count;
};

struct socket_values {
    uint64_t state;                   /* of the random numbers; not 0 */
    bool wild;                        /* the request at hand is to be less sensible */
    const struct socket_party *party; /* who makes the request at hand, or NULL */
    struct socket_party parties[SOCKET_VALUES_PARTIES];
    struct socket_seen seen[SOCKET_VALUES_BUCKETS][SOCKET_VALUES_DEPTH];
};

/* A random request, now and then one of megabytes; its parts lie in arena. */
void socket_values_draw(struct socket_values *values, const struct wire_message *m,
                        int16_t version, struct mem_arena *arena, void *value);

/* Keep what an answer says, for later requests. */
void socket_values_remember(struct socket_values *values, const struct wire_message *m,
                            int16_t version, const void *value);

/* Add to party what this request, or its answer, says about who speaks: how much. */
size_t socket_values_meet(struct socket_party *party, const struct wire_message *m,
                          int16_t version, const void *value);

/* This party got something from the broker. */
void socket_values_befriend(struct socket_values *values,
                            const struct socket_party *party);

#endif
