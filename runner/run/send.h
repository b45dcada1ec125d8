/* SPDX-License-Identifier: MIT
 *
 * send.h - put records into a dag from outside: a source's program run once with other
 * arguments, or lines of stdin as records of a node's input.
 * Layer: run. Blocking: for the command that does nothing else.
 */
#ifndef RUN_SEND_H
#define RUN_SEND_H

#include "base/error.h"
#include "core/dag.h"

#include <stdint.h>

struct send_request {
    const struct dag *dag;
    const char *brokers;
    size_t node;
    const char *program;   /* file of the source's program, or of "lines" for an input */
    char *const *args;     /* of a source; NULL-terminated */
    int stdin_fd;          /* the lines for an input; -1 with a source */
    const char *from;      /* which of several inputs; NULL: the only one */
};

/*
 * Run the program to its end. *sent: acknowledged records; *dead: refused ones, each with
 * a line on stderr. The topics must be there.
 * Errors: ERROR_INPUT no such input, or several and none named; ERROR_FAILED the program
 *         failed; ERROR_INTERNAL it could not be started.
 */
int send_run(const struct send_request *request, int64_t *sent, int64_t *dead,
             struct error *err);

#endif
