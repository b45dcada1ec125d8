/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"
#include "host/broker.h"
#include "host/history.h"

#include <stdio.h>

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf("dagrun %s (librdkafka %s, SQLite %s)\n", DAGRUN_VERSION,
                 broker_library_version(), history_library_version());
    return 0;
}

extern const struct cmd cmd_version;
const struct cmd cmd_version = {
    .name = "version",
    .usage = "version",
    .doc = "Print the versions of dagrun and its libraries.",
    .run = run,
};
