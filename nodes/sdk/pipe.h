/* SPDX-License-Identifier: MIT
 *
 * pipe.h - a program as a filter: a value a line from stdin, outputs to stdout, dead
 * letters to stderr, no Kafka. Layer: sdk.
 */
#ifndef SDK_PIPE_H
#define SDK_PIPE_H

#include "sdk/dagnode.h"

/* argv: what stands after --pipe. Returns the exit code: 1 when there was a dead letter. */
int pipe_main(int argc, char **argv, const struct dagnode_ops *ops);

#endif
