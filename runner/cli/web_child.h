/* SPDX-License-Identifier: MIT
 *
 * web_child.h - slow work in a process of its own: dagrun VERB, with limits on time,
 * output and number, its end told through the loop. Layer: cli.
 */
#ifndef CLI_WEB_CHILD_H
#define CLI_WEB_CHILD_H

#include "base/error.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct web_children;
struct web_child;

/* At most so many at once. */
struct web_children *web_children_new(struct loop *loop, int max);
void web_children_free(struct web_children *children); /* kills them, without a word */

/* out (its stdout) is taken, never NULL. err: it could not be run, ran too long, said too
 * much, or ended with a failure: kind by its exit code, text by its last words. */
typedef void web_child_fn(void *arg, char *out, const struct error *err);

struct web_child_spec {
    char *const *argv;   /* of this dagrun; argv[0] is "dagrun"; NULL-terminated */
    int64_t limit_ms;    /* then it is killed: ERROR_TIMEOUT */
    size_t output_bytes; /* of stdout, likewise of stderr; beyond it fails */
    bool acts;           /* never killed for saying too much: what it does goes on */
    web_child_fn *done;
    void *done_arg; /* taken, from mem_alloc: freed after done, and when it never comes */
};

/*
 * Run it. done is called exactly once, now or later; NULL: it was called already.
 * Nothing else of spec is kept. ERROR_UNREACHABLE when there are too many at once.
 */
struct web_child *web_child_run(struct web_children *children,
                                const struct web_child_spec *spec);
/* Kill it; done is called with ERROR_INTERRUPTED. */
void web_child_stop(struct web_child *child);

/* Call it after every loop_wait; returns the deadline of the next one. */
int64_t web_children_tick(struct web_children *children);

#endif
