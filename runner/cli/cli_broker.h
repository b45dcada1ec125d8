/* SPDX-License-Identifier: MIT
 *
 * cli_broker.h - the broker that a dag ran on, for commands that look into its topics.
 * Layer: cli.
 */
#ifndef CLI_CLI_BROKER_H
#define CLI_CLI_BROKER_H

#include "cli/cli.h"
#include "host/broker.h"
#include "host/history.h"

/* Zero-initialise; cli_broker_clear. */
struct cli_broker {
    struct broker_config config; /* points into the members below */
    char *address;
    const char **properties;
    struct dag *dag; /* of the YAML file; NULL when it can't be read any more */
};

/*
 * The address: option (--brokers, may be NULL), else the one that the last run used, which
 * is where its topics are. Properties, with their secrets, are only in the YAML, which is
 * read again; when it is gone or has errors, one line on stderr says that they are missing.
 */
int cli_broker_find(const struct history_last *last, const char *dag, const char *option,
                    const struct cli_params *params, struct cli_broker *out,
                    struct error *err);
void cli_broker_clear(struct cli_broker *broker);

#endif
