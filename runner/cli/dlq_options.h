/* SPDX-License-Identifier: MIT
 *
 * dlq_options.h - the words behind "dagrun dlq". Layer: cli.
 */
#ifndef CLI_DLQ_OPTIONS_H
#define CLI_DLQ_OPTIONS_H

#include "cli/cli.h"
#include "ops/dlq.h"

enum dlq_verb { DLQ_LIST, DLQ_SHOW, DLQ_REPLAY, DLQ_DROP, DLQ_VERBS };

struct dlq_options {
    enum dlq_verb verb;
    const char *address; /* NULL: the one dag that runs */
    const char *brokers;
    struct cli_params params;
    struct dlq_action action; /* its selection serves all verbs */
    int64_t *offsets;         /* of the selection */
    bool all;
    bool yes;
    bool json;
    int64_t limit;
    int32_t from_partition; /* show: begin at this letter */
    int64_t from_offset;
    int state;         /* show: enum dlq_state; -1: any */
    int64_t cut_bytes; /* of keys and values; -1: whole */
};

/* argv[1] is the verb. 0, or the exit code of what is wrong, which has been said. */
int dlq_options_parse(struct dlq_options *options, int argc, char **argv);
void dlq_options_clear(struct dlq_options *options);

#endif
