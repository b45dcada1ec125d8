/* SPDX-License-Identifier: MIT
 *
 * start_options.h - the command line of start and restart.
 * Layer: cli.
 */
#ifndef CLI_START_OPTIONS_H
#define CLI_START_OPTIONS_H

#include "cli/cli.h"
#include "core/plan.h"

struct start_options {
    const char *file; /* or a dag's name */
    const char *brokers;
    const char *trigger;
    struct cli_params params;
    struct plan_permits permits;
    const char **abandon; /* what permits.abandon points to */
    size_t abandon_capacity;
    bool detach;
    bool keep;
    bool plain;
    bool audited; /* whoever runs this command records it */
};

/* 0, or the exit code after a message. */
int start_options_parse(int argc, char **argv, struct start_options *options);
void start_options_clear(struct start_options *options);

/* The YAML file that text names: a path, or the path that a dag of this name ran from.
 * The caller frees. NULL and ERROR_NOT_FOUND. */
char *start_find_file(const char *text, struct error *err);

#endif
