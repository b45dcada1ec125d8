/* SPDX-License-Identifier: MIT */
#include "fake.h"

#include "base/mem.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dagnode_ops *described; /* by the main() that runs in fake_new() */

int dagnode_main(int argc, char **argv, const struct dagnode_ops *ops)
{
    (void)argc;
    (void)argv;
    described = ops;
    return 0;
}

struct dagnode *fake_new(int (*program)(int argc, char **argv))
{
    struct dagnode *n = mem_alloc(sizeof *n);

    (void)program(0, NULL);
    n->ops = described;
    return n;
}

void fake_option(struct dagnode *n, const char *name, const char *value)
{
    size_t i = 0;

    while (n->options[i][0] != NULL)
        i++;
    n->options[i][0] = name;
    n->options[i][1] = value;
}

int fake_start(struct dagnode *n, int64_t position)
{
    n->position = position;
    n->err = (struct dagnode_error){0};
    n->count = 0;
    return n->ops->on_start(n, &n->state, &n->err);
}

enum dagnode_poll fake_poll(struct dagnode *n)
{
    enum dagnode_poll next;

    n->count = 0;
    do {
        next = n->ops->on_poll(n, n->state, &n->err);
    } while (next == DAGNODE_MORE);
    return next;
}

int fake_record(struct dagnode *n, const char *value, size_t len)
{
    struct dagnode_record in = {.value = value, .value_len = len, .topic = "topic"};

    n->err = (struct dagnode_error){0};
    return n->ops->on_record(n, &in, n->state, &n->err);
}

int fake_commit(struct dagnode *n)
{
    return n->ops->on_commit(n, n->state, &n->err);
}

void fake_stop(struct dagnode *n)
{
    n->ops->on_stop(n, n->state);
}

void fake_free(struct dagnode *n)
{
    free(n);
}

int dagnode_fail(struct dagnode_error *err, enum dagnode_error_kind kind,
                 const char *format, ...)
{
    va_list args;

    err->kind = kind;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

int dagnode_emit(struct dagnode *n, const struct dagnode_output *out,
                 struct dagnode_error *err)
{
    struct fake_record *record = &n->records[n->count++];

    (void)err;
    ck_assert_uint_le(n->count, FAKE_RECORDS);
    ck_assert_uint_lt(out->value_len, FAKE_VALUE);
    *record = (struct fake_record){.len = out->value_len, .position = out->position};
    memcpy(record->value, out->value, out->value_len);
    if (out->replace_key)
        memcpy(record->key, out->key, out->key_len);
    return 0;
}

const char *const *dagnode_args(const struct dagnode *n, int *count)
{
    (void)n;
    *count = 0;
    return NULL;
}

const char *dagnode_option_string(const struct dagnode *n, const char *name)
{
    for (size_t i = 0; n->options[i][0] != NULL; i++) {
        if (strcmp(n->options[i][0], name) == 0)
            return n->options[i][1];
    }
    return NULL;
}

const char *dagnode_option_json(const struct dagnode *n, const char *name)
{
    return dagnode_option_string(n, name);
}

bool dagnode_option_given(const struct dagnode *n, const char *name)
{
    return dagnode_option_string(n, name) != NULL;
}

int64_t dagnode_option_int(const struct dagnode *n, const char *name)
{
    const char *text = dagnode_option_string(n, name);

    return text ? strtoll(text, NULL, 10) : 0;
}

double dagnode_option_number(const struct dagnode *n, const char *name)
{
    const char *text = dagnode_option_string(n, name);

    return text ? strtod(text, NULL) : 0;
}

bool dagnode_option_bool(const struct dagnode *n, const char *name)
{
    const char *text = dagnode_option_string(n, name);

    return text != NULL && strcmp(text, "true") == 0;
}

int64_t dagnode_position(const struct dagnode *n)
{
    return n->position;
}

void dagnode_wait_for(struct dagnode *n, int fd, int64_t delay_ms)
{
    (void)n;
    (void)fd;
    ck_assert_int_ge(delay_ms, 0);
}
