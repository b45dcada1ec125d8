/* SPDX-License-Identifier: MIT
 *
 * cli.h - what the commands share: errors, places, options that many take.
 * Layer: cli.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/error.h"
#include "core/dag.h"

#include <stdbool.h>

/* Print "dagrun: error: text" and return the exit code of its kind. */
int cli_fail(const struct error *err);

/* Print "dagrun VERB: text (see 'dagrun VERB --help')" and return 2. */
int cli_usage(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The state directory: $DAGRUN_HOME, else $XDG_STATE_HOME/dagrun, else
 * ~/.local/state/dagrun. Made with mode 0700 when create. NULL and err when it can't be
 * made or isn't writable. The caller frees.
 */
char *cli_home(bool create, struct error *err);

/* --param NAME=value, collected; zero-initialise. */
struct cli_params {
    const char **items; /* "NAME=value" */
    size_t count;
    size_t capacity;
};
void cli_params_clear(struct cli_params *params);
int cli_params_add(struct cli_params *params, const char *text, struct error *err);

/*
 * Read, parse and check a YAML file, printing its diagnostics on stderr. With programs:
 * also run every node's program with --describe and check args and options against it.
 * NULL with err (kind ERROR_INPUT, text a one-line summary) when anything is wrong.
 */
struct dag *cli_load_dag(const char *path, const struct cli_params *params, bool programs,
                         struct error *err);

/*
 * The file of a program: a path as it is, a plain name in the folder of the built-in ones
 * (beside the dagrun binary, or $DAGRUN_NODES). The caller frees; NULL and err when it is
 * not there or not executable.
 */
char *cli_program_path(const char *program, struct error *err);

#endif
