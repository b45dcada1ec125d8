/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/cmd.h"
#include "core/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv)
{
    const char *format = "json";
    char *text;

    for (int i = 1; i < argc; i++) {
        const char *value = cli_option(argc, argv, &i, "--format");

        if (value == NULL)
            return cmd_unknown_option("schema", argv[i]);
        format = value;
    }
    if (strcmp(format, "json") == 0)
        text = schema_json();
    else if (strcmp(format, "markdown") == 0)
        text = schema_reference();
    else
        return cli_usage("schema", "--format %s: expected json or markdown", format);
    (void)puts(text);
    free(text);
    return 0;
}

extern const struct cmd cmd_schema;
const struct cmd cmd_schema = {
    .name = "schema",
    .usage = "schema [--format json|markdown]",
    .doc = "Print the YAML language as a JSON Schema, for editors.",
    .help = "  --format json      JSON Schema 2020-12 (default)\n"
            "  --format markdown  the tables of docs/dag-reference.md\n"
            "\nFor editors with the YAML language server:\n"
            "  dagrun schema > dagrun.schema.json\n"
            "  and as the first line of a dag:\n"
            "  # yaml-language-server: $schema=dagrun.schema.json\n",
    .run = run,
};
