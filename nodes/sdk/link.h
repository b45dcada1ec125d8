/* SPDX-License-Identifier: MIT
 *
 * link.h - the socket to the runner: lines in, lines out, and the guard.
 * Layer: sdk. The guard is a thread of its own, the only one that the SDK starts: it ends
 * the process when the runner is gone, whatever the program is doing meanwhile.
 */
#ifndef SDK_LINK_H
#define SDK_LINK_H

#include "base/error.h"
#include "base/text.h"

#include <pthread.h>
#include <stdbool.h>

enum {
    LINK_GUARD_MS = 450,      /* from the closed socket to _exit: contract.h allows 500 */
    LINK_BACKLOG = 256 << 10, /* bytes a runner that does not read may owe us */
};

struct link {
    int fd;
    bool closed;
    struct text_buf in;
    size_t in_used; /* bytes of in that were handed out already */
    struct text_buf out;
    pthread_t guard;
    int guard_stop[2];
};

/* Take over the descriptor and start the guard. */
int link_open(struct link *link, int fd, struct error *err);

/* Stop the guard, close the socket. */
void link_close(struct link *link);

/* Block until a whole line is there; its bytes are valid until the next call. NULL: closed. */
const char *link_read_line(struct link *link, size_t *len);

/* The same without blocking: NULL when there is none. */
const char *link_next_line(struct link *link, size_t *len);

/* Queue a line (a newline is added) and write what the socket takes. */
void link_send(struct link *link, const char *line);

/* Write what is queued; link_wants_write says whether something is. */
void link_flush(struct link *link);
bool link_wants_write(const struct link *link);

#endif
