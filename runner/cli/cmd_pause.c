/* SPDX-License-Identifier: MIT
 *
 * pause and resume: a whole run, or one node of it.
 */
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cli_target.h"
#include "cli/cmd.h"
#include "ops/actions.h"

#include <stdio.h>
#include <string.h>

static int carry_out(const char *verb, const struct ops *ops, const struct address *address,
                     struct error *err)
{
    bool pause = strcmp(verb, "pause") == 0;

    if ((pause ? ops_pause : ops_resume)(ops, address->dag, address->node, err) < 0)
        return -1;
    (void)printf("%s%s%s: %s\n", address->dag, address->node ? "/" : "",
                 address->node ? address->node : "",
                 pause ? "paused; what is not taken yet waits in its topics" : "resumed");
    return 0;
}

static int run(int argc, char **argv)
{
    struct error err = {0};
    struct address address = {0};
    struct ops *ops;

    if (argc > 1 && argv[1][0] == '-')
        return cmd_unknown_option(argv[0], argv[1]);
    if (argc > 2)
        return cli_usage(argv[0], "one DAG or DAG/NODE: '%s' is too much", argv[2]);
    ops = cli_target(argv[0], argv[1], TARGET_NODE, &address, &err);
    if (ops) {
        (void)carry_out(argv[0], ops, &address, &err);
        cli_audit_at(argv[0], &address, NULL, &err);
    }
    address_clear(&address);
    ops_close(ops);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

extern const struct cmd cmd_pause;
const struct cmd cmd_pause = {
    .name = "pause",
    .usage = "pause [DAG[/NODE]]",
    .doc = "Let a run, or one node, take no more input.",
    .help = "What is in hand is finished, the rest waits in its topics. 'dagrun resume' goes\n"
            "on. A paused node keeps a run from finishing, not from being stopped; the next\n"
            "start begins without pauses.\n",
    .run = run,
};

extern const struct cmd cmd_resume;
const struct cmd cmd_resume = {
    .name = "resume",
    .usage = "resume [DAG[/NODE]]",
    .doc = "Go on after a pause.",
    .help = "Without NODE everything that is paused goes on.\n",
    .run = run,
};
