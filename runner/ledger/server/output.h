/* SPDX-License-Identifier: MIT
 *
 * output.h - an answer on its way into a socket: bytes in memory and slices of files.
 * Layer: ledger/server.
 */
#ifndef LEDGER_SERVER_OUTPUT_H
#define LEDGER_SERVER_OUTPUT_H

#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTPUT_SMALL = 16 * 1024,  /* slices up to here are copied: cheaper than sendfile */
    OUTPUT_COPIES = 64 * 1024, /* of them at once */
    OUTPUT_ROUND = 2 * 1024 * 1024, /* of large ones, before others have their turn */
};

/* How far an answer has got. Zero-initialise it beside its wire_out. */
struct output {
    struct wire_out out;
    size_t bytes_sent;
    size_t slice;       /* the first slice that has not left whole */
    int64_t slice_sent; /* of it */
};

enum output_result { OUTPUT_DONE, OUTPUT_BLOCKED, OUTPUT_BROKEN };

/*
 * Write what the socket takes, and no more than is fair to others. copies:
 * OUTPUT_COPIES bytes of room, free again after. Slices are released as soon as they
 * have left. BROKEN: the peer is gone, or a file is shorter than its slice; close the
 * connection.
 */
enum output_result output_send(struct output *output, int fd, uint8_t *copies);

/* Release what has not left and free everything. */
void output_clear(struct output *output);

#endif
