/* SPDX-License-Identifier: MIT
 *
 * socket_witness.h - a well-behaved client with a topic of its own, who notices when
 * the broker gives wrong answers because of what others do to it.
 */
#ifndef TESTS_SOCKET_WITNESS_H
#define TESTS_SOCKET_WITNESS_H

#include <stddef.h>
#include <stdint.h>

#define SOCKET_WITNESS_TOPIC "witness"

struct socket_witness {
    int fd;
    int64_t written; /* records so far; record i is at offset i and says so */
};

/* All of them: 0, or -1 after a line on stderr. */
int socket_witness_begin(struct socket_witness *witness,
                         int port);                           /* makes the topic */
int socket_witness_check(struct socket_witness *witness);     /* one record more */
int socket_witness_check_all(struct socket_witness *witness); /* from the first on */
/*
 * Delete the topics of others when there are more than so many; make those that the
 * hostile clients speak of.
 */
int socket_witness_tidy(struct socket_witness *witness, size_t most);
/* A batch with one record of this text; whoever calls keeps arena. */
struct mem_arena;
struct wire_records;
struct batch;
void socket_witness_batch(const struct batch *model, const char *text,
                          struct mem_arena *arena, struct wire_records *out);

#endif
