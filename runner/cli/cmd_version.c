/* SPDX-License-Identifier: MIT */
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "host/broker.h"
#include "host/history.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int run(int argc, char **argv)
{
    bool json = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") != 0)
            return cmd_unknown_option("version", argv[i]);
        json = true;
    }
    if (json) {
        cli_print_json(json_pack("{s:s,s:s,s:s}", "dagrun", DAGRUN_VERSION, "librdkafka",
                                 broker_library_version(), "sqlite",
                                 history_library_version()));
        return 0;
    }
    (void)printf("dagrun %s (librdkafka %s, SQLite %s)\n", DAGRUN_VERSION,
                 broker_library_version(), history_library_version());
    return 0;
}

extern const struct cmd cmd_version;
const struct cmd cmd_version = {
    .name = "version",
    .usage = "version [--json]",
    .doc = "Print the versions of dagrun and its libraries.",
    .help = "  --json  as one object\n",
    .run = run,
};
