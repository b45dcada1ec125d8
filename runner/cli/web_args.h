/* SPDX-License-Identifier: MIT
 *
 * web_args.h - the words of a child's command line (web_child.h). Layer: cli.
 * An option and its value are one word: what somebody wrote is never an option itself.
 */
#ifndef CLI_WEB_ARGS_H
#define CLI_WEB_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEB_ARGS_MAX = 24 }; /* more are a mistake of the program: it aborts */

/* Zero-initialise; items is NULL-terminated. */
struct web_args {
    char *items[WEB_ARGS_MAX + 1];
    size_t count;
};

void web_args_take(struct web_args *args, char *word); /* owns it from now on */
void web_args_add(struct web_args *args, const char *word);
/* "--NAME=VALUE"; nothing when value is NULL. */
void web_args_option(struct web_args *args, const char *name, const char *value);
void web_args_number(struct web_args *args, const char *name, int64_t value);
/* "--NAME" when it is set. */
void web_args_flag(struct web_args *args, const char *name, bool set);
void web_args_clear(struct web_args *args);

#endif
