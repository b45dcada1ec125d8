/* SPDX-License-Identifier: MIT
 *
 * tap_options.h - what dagrun tap was asked for. Layer: cli.
 */
#ifndef CLI_TAP_OPTIONS_H
#define CLI_TAP_OPTIONS_H

#include "cli/cli.h"
#include "host/tap.h"
#include "host/tap_filter.h"

struct tap_options {
    const char *address;
    const char *brokers;
    struct tap_spec spec; /* all but the topic */
    bool has_from;        /* said; else the last ones */
    bool has_until;
    struct tap_filter filter;
    int64_t count;     /* -1: no limit */
    int64_t cut_bytes; /* of a key or value that JSON shows; -1: all */
    bool json;
    bool page; /* one JSON object of them all */
    bool raw;
    struct cli_params params;
};

/* 0, or the exit code after it has said what is wrong. options must stay where it is.
 */
int tap_options_read(struct tap_options *options, int argc, char **argv);
void tap_options_clear(struct tap_options *options);

extern const char tap_options_help[];

#endif
