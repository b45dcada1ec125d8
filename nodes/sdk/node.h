/* SPDX-License-Identifier: MIT
 *
 * node.h - what is behind struct dagnode: one client and the host that feeds it.
 * Layer: sdk. Hosts are pipe.c (stdin and stdout) and client.c (Kafka).
 */
#ifndef SDK_NODE_H
#define SDK_NODE_H

#include "base/error.h"
#include "sdk/dagnode.h"
#include "sdk/options.h"

/* The host's side of dagnode_emit(). */
typedef int node_emit_fn(struct dagnode *n, const struct dagnode_output *out,
                         struct dagnode_error *err);

struct dagnode {
    const struct dagnode_ops *ops;
    void *state;
    bool started; /* on_start succeeded: on_stop is due */

    node_emit_fn *emit;
    void *host;
    const struct dagnode_record *in_hand; /* NULL outside on_record() */

    struct options options;
    const char *const *args;
    int arg_count;
    const char *dag;
    const char *node;
    const char *client;
    const char *client_id;
    int64_t position;

    int wait_fd;
    int64_t wait_ms;
};

enum { NODE_WAIT_MS = 10 }; /* until the next on_poll() unless the program says more */

/* on_start, and on_stop when it is due. -1: err is set, it always has a kind. */
int node_start(struct dagnode *n, struct dagnode_error *err);
void node_stop(struct dagnode *n);

/* on_poll() with wait_fd and wait_ms at their defaults before. */
enum dagnode_poll node_poll(struct dagnode *n, struct dagnode_error *err);
int node_commit(struct dagnode *n, struct dagnode_error *err);

/* "DECODE", "TRANSFORM", "SINK", "FATAL". */
const char *node_error_name(enum dagnode_error_kind kind);

#endif
