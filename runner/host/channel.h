/* SPDX-License-Identifier: MIT
 *
 * channel.h - JSON objects, one a line, over a stream socket on the loop.
 * Layer: host. The runner's end of a client's socket (base/contract.h), and one
 * connection of the control socket. Never blocks; both directions are bounded.
 */
#ifndef HOST_CHANNEL_H
#define HOST_CHANNEL_H

#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct channel;

enum channel_event {
    CHANNEL_LINE,      /* line: the object */
    CHANNEL_MALFORMED, /* text: why; line NULL. The next line is read as usual */
    CHANNEL_DRAINED,   /* all is sent, after a send that had to wait for the peer */
    CHANNEL_CLOSED,    /* the peer is gone or took too little; text: why. Once, last */
};

/* Borrowed until it returns. May send, and may close the channel. */
typedef void channel_fn(void *arg, enum channel_event event, const json_t *line,
                        const char *text);

enum {
    CHANNEL_LINE_MAX = 4 << 20,   /* a longer line is malformed */
    CHANNEL_OUTPUT_MAX = 8 << 20, /* more unsent than this closes the channel */
};

/* Takes fd, also when it fails, and watches it. */
struct channel *channel_open(struct loop *loop, int fd, channel_fn *fn, void *arg,
                             struct error *err);
/* Read what has arrived by now (bounded), as the loop would do: before a dead peer's
 * channel is closed, so that its last lines are not lost. */
void channel_drain(struct channel *channel);
/* Sends what the socket takes at once, drops the rest, closes fd. No event follows. */
void channel_close(struct channel *channel);

bool channel_is_open(const struct channel *channel); /* false after CHANNEL_CLOSED */
size_t channel_unsent(const struct channel *channel); /* bytes waiting for the peer */

/*
 * Queue an object and send what the socket takes. A peer that is gone or lags too far
 * is reported by CHANNEL_CLOSED, out of the loop, not from here; further sends do
 * nothing.
 */
void channel_send(struct channel *channel, const json_t *object);
/* The same for text that is a line already (without its newline). */
void channel_send_text(struct channel *channel, const char *line, size_t len);

/* A connected pair of stream sockets, close-on-exec: ours for channel_open, theirs for
 * the child (process_spec.extra_fd), to be closed after the spawn. */
int channel_pair(int *ours, int *theirs, struct error *err);

#endif
