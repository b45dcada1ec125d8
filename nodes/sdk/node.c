/* SPDX-License-Identifier: MIT */
#include "sdk/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dagnode_fail(struct dagnode_error *err, enum dagnode_error_kind kind,
                 const char *format, ...)
{
    va_list args;

    if (err->kind != DAGNODE_NO_ERROR)
        return -1;
    err->kind = kind;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

const char *node_error_name(enum dagnode_error_kind kind)
{
    static const char *const names[] = {[DAGNODE_NO_ERROR] = "TRANSFORM",
                                        [DAGNODE_DECODE] = "DECODE",
                                        [DAGNODE_TRANSFORM] = "TRANSFORM",
                                        [DAGNODE_SINK] = "SINK",
                                        [DAGNODE_FATAL] = "FATAL",
                                        [DAGNODE_USAGE] = "USAGE"};

    return names[kind];
}

/* A callback that failed and did not say why still needs a text. */
static int explain(int result, const char *callback, struct dagnode_error *err)
{
    if (result < 0)
        (void)dagnode_fail(err, DAGNODE_FATAL, "%s failed and gave no reason", callback);
    return result;
}

int node_start(struct dagnode *n, struct dagnode_error *err)
{
    if (n->ops->on_start && explain(n->ops->on_start(n, &n->state, err), "on_start", err))
        return -1;
    n->started = true;
    return 0;
}

void node_stop(struct dagnode *n)
{
    if (n->started && n->ops->on_stop)
        n->ops->on_stop(n, n->state);
    n->started = false;
}

enum dagnode_poll node_poll(struct dagnode *n, struct dagnode_error *err)
{
    enum dagnode_poll next;

    n->wait_fd = -1;
    n->wait_ms = NODE_WAIT_MS;
    next = n->ops->on_poll(n, n->state, err);
    (void)explain(next == DAGNODE_FAILED ? -1 : 0, "on_poll", err);
    return next;
}

int node_commit(struct dagnode *n, struct dagnode_error *err)
{
    if (n->ops->on_commit == NULL)
        return 0;
    return explain(n->ops->on_commit(n, n->state, err), "on_commit", err);
}

int dagnode_emit(struct dagnode *n, const struct dagnode_output *out,
                 struct dagnode_error *err)
{
    return n->emit(n, out, err);
}

int dagnode_forward(struct dagnode *n, const struct dagnode_record *in,
                    struct dagnode_error *err)
{
    struct dagnode_output out = {.value = in->value, .value_len = in->value_len};

    return n->emit(n, &out, err);
}

const char *const *dagnode_args(const struct dagnode *n, int *count)
{
    *count = n->arg_count;
    return n->args;
}

const char *dagnode_option_string(const struct dagnode *n, const char *name)
{
    const struct option_value *value = options_find(&n->options, name);

    return value ? value->text : NULL;
}

int64_t dagnode_option_int(const struct dagnode *n, const char *name)
{
    const struct option_value *value = options_find(&n->options, name);

    return value ? value->integer : 0;
}

double dagnode_option_number(const struct dagnode *n, const char *name)
{
    const struct option_value *value = options_find(&n->options, name);

    return value ? value->number : 0;
}

bool dagnode_option_bool(const struct dagnode *n, const char *name)
{
    const struct option_value *value = options_find(&n->options, name);

    return value && value->boolean;
}

bool dagnode_option_given(const struct dagnode *n, const char *name)
{
    return options_given(&n->options, name) != NULL;
}

const char *dagnode_option_name(const struct dagnode *n, size_t index)
{
    return index < n->options.given.count ? n->options.given.list[index].name : NULL;
}

const char *dagnode_option_json(const struct dagnode *n, const char *name)
{
    const struct value *value = options_given(&n->options, name);

    return value ? value->json : NULL;
}

int64_t dagnode_position(const struct dagnode *n)
{
    return n->position;
}

void dagnode_wait_for(struct dagnode *n, int fd, int64_t delay_ms)
{
    n->wait_fd = fd;
    n->wait_ms = delay_ms < 0 ? 0 : delay_ms;
}

const char *dagnode_node(const struct dagnode *n)
{
    return n->node;
}

const char *dagnode_client(const struct dagnode *n)
{
    return n->client;
}

const char *dagnode_client_id(const struct dagnode *n)
{
    return n->client_id;
}

const char *dagnode_dag(const struct dagnode *n)
{
    return n->dag;
}
