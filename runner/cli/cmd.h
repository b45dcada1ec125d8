/* SPDX-License-Identifier: MIT
 *
 * cmd.h - the commands: one file cmd_<verb>.c each, one table here.
 * Layer: cli. stdout is data, stderr is talk. A command returns the process exit code.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

struct cmd {
    const char *name;
    const char *usage; /* "start [OPTIONS] FILE|DAG" */
    const char *doc;   /* one line */
    const char *help;  /* shown by --help; "  -x, --name VALUE   text" is an option */
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

/* Ends with NULL, in the order of the help page. */
extern const struct cmd *const cmd_table[];

/*
 * Say why a word is no option of the command: its value is missing, it takes none, or the
 * command's help does not have it. Returns the exit code of that, 2.
 */
int cmd_unknown_option(const char *verb, const char *word);

/* The whole command line: finds the verb, answers --help and --version. */
int cmd_main(int argc, char **argv);

#endif
