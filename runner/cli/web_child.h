/* SPDX-License-Identifier: MIT
 *
 * web_child.h - slow work in a process of its own: dagrun VERB, with limits on time,
 * output and number, its end told through the loop. Layer: cli.
 */
#ifndef CLI_WEB_CHILD_H
#define CLI_WEB_CHILD_H

#include "base/error.h"
#include "base/loop.h"

enum {
    WEB_CHILDREN_MAX = 8, /* at once */
    WEB_CHILD_OUTPUT =
        256 * 1024, /* bytes of stdout and of stderr; the rest is dropped */
};

struct web_children;

struct web_children *web_children_new(struct loop *loop);
void web_children_free(struct web_children *children); /* kills them, without a word */

/* out (its stdout) is borrowed. err: it could not be run, ran too long, or
 * ended with a failure: kind by its exit code, text by its last words. */
typedef void web_child_fn(void *arg, const char *out, const struct error *err);

/*
 * Run this dagrun with argv (argv[0] is "dagrun"; NULL-terminated). done is called
 * exactly once, now or later.
 */
void web_child_run(struct web_children *children, char *const *argv, int64_t limit_ms,
                   web_child_fn *done, void *done_arg);

/* Call it after every loop_wait; returns the deadline of the next one. */
int64_t web_children_tick(struct web_children *children);

#endif
