/* SPDX-License-Identifier: MIT
 *
 * cli_target.h - what the acting commands are told to act on, in one way for all of them.
 * Layer: cli.
 */
#ifndef CLI_CLI_TARGET_H
#define CLI_CLI_TARGET_H

#include "cli/cli_ops.h"

/* What a command can act on besides a dag. */
enum {
    TARGET_DAG = 0,
    TARGET_NODE = 1,
    TARGET_CLIENT = 2,
};

/*
 * As cli_ops_at, for a dag that runs; parts of the address beyond those are ERROR_INPUT.
 * Such a refusal goes to the audit.
 * ERROR_NOT_FOUND: no such dag, or it does not run. Whether there is such a node the runner
 * says.
 */
struct ops *cli_target(const char *verb, const char *text, int parts,
                       struct address *address, struct error *err);

#endif
