/* SPDX-License-Identifier: MIT
 *
 * cli_describe.h - ask programs for their descriptions, all at once.
 * Layer: cli. Each PROGRAM --describe gets 5 s and 1 MiB.
 */
#ifndef CLI_CLI_DESCRIBE_H
#define CLI_CLI_DESCRIBE_H

#include "base/error.h"
#include "base/text.h"
#include "core/dag.h"

/* One program: the caller sets path; output or err is filled. */
struct cli_description {
    const char *path;
    struct text_buf output; /* the JSON text as printed; text_buf_clear frees */
    struct error err;       /* ERROR_INPUT: can't be run, failed, hung, printed too much */
};
void cli_describe(struct cli_description *items, size_t count);

/* Describe every distinct program of a dag and check each node against its own. */
void cli_check_programs(const struct dag *dag, struct diag_list *diags);

#endif
