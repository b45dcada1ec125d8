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

/*
 * Print "dagrun: error: text" and return the exit code of its kind. Prints nothing when
 * the text is empty: it has been said already, as cli_load_dag does.
 */
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

/*
 * The value of an option at argv[*i], "--name VALUE" or "--name=VALUE"; moves *i over it.
 * NULL when something else stands there, or the value is missing.
 */
const char *cli_option(int argc, char **argv, int *i, const char *name);

/* --param NAME=value, collected; zero-initialise. */
struct cli_params {
    const char **items; /* "NAME=value" */
    size_t count;
    size_t capacity;
};
void cli_params_clear(struct cli_params *params);
int cli_params_add(struct cli_params *params, const char *text, struct error *err);
const char *cli_params_find(const struct cli_params *params, const char *name, size_t len);

/*
 * Read, parse and check a YAML file ("-": stdin). With programs: also run every node's
 * program with --describe and check args and options against it. params may be NULL.
 * NULL when anything is wrong: err (ERROR_INPUT) when there is no text to read or a
 * parameter is not used, else diags.
 */
struct dag *cli_read_dag(const char *path, const struct cli_params *params, bool programs,
                         struct diag_list *diags, struct error *err);

/* The same, printing the diagnostics on stderr; err's text is empty when it did. */
struct dag *cli_load_dag(const char *path, const struct cli_params *params, bool programs,
                         struct error *err);

/* The name of a file in messages: "-" is <stdin>. Diagnostics on stderr, a line each. */
const char *cli_shown_path(const char *path);
void cli_print_diags(const struct diag_list *diags, const char *path);

/*
 * The brokers to use: --brokers (option, may be NULL), else kafka.brokers, else
 * DAGRUN_BROKERS, else the embedded one (EMBEDDED_NAME, which all of them may say too);
 * *why says which.
 * Errors: NULL and ERROR_INPUT when that is no list of brokers.
 */
const char *cli_brokers(const struct dag *dag, const char *option, const char **why,
                        struct error *err);

/* Is name one, or EMBEDDED_NAME? Else -1 and ERROR_INPUT; where says who named it. */
int cli_check_brokers(const char *name, const char *where, struct error *err);

/*
 * The file of a program: a path as it is, a plain name in $DAGRUN_NODES, else in the
 * folder of the built-in ones (nodes beside the binary, or ../libexec/dagrun/nodes).
 * The caller frees; NULL and err when it is not there or not executable.
 */
char *cli_program_path(const char *program, struct error *err);

/* The folder of the built-in programs: the first of the two; the caller frees. */
char *cli_nodes_folder(void);

#endif
