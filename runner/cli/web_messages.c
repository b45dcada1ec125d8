/* SPDX-License-Identifier: MIT */
#include "cli/web_messages.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARGS_MAX = 24,
    CHILD_MS = 25000, /* connecting included */
    PAGE_OUTPUT =
        32 << 20, /* tap keeps a page at 8 MiB, but for thousands of headers */
    RECORD_OUTPUT = 64 << 20, /* a record of 2 MiB, all of it escapes */
};

struct args {
    char *items[ARGS_MAX + 1];
    size_t count;
};

static void add(struct args *args, char *text)
{
    if (args->count == ARGS_MAX)
        abort(); /* there are fewer options than that */
    args->items[args->count++] = text;
}

/* As one word with its option: what somebody wrote is never an option itself. */
static void add_option(struct args *args, const char *name, const char *value)
{
    if (value)
        add(args, mem_printf("--%s=%s", name, value));
}

static void add_number(struct args *args, const char *name, int64_t value)
{
    add(args, mem_printf("--%s=%" PRId64, name, value));
}

static void page_args(struct args *args, const struct web_messages *query)
{
    add(args, mem_strdup("--page"));
    add(args, mem_strdup("--cut=64KiB"));
    add(args, mem_strdup("--timeout=5s"));
    add(args, mem_strdup("--scan=200000"));
    add(args, mem_strdup("--scan-bytes=256MiB"));
    add_number(args, "count", query->limit);
    if (query->partition >= 0)
        add_number(args, "partition", query->partition);
    add_option(args, "from", query->from);
    add_option(args, "until", query->until);
    add_option(args, "contains", query->contains);
    add_option(args, "key", query->key);
    add_option(args, "header", query->header);
    add_option(args, "where", query->where);
}

static void record_args(struct args *args, const struct web_messages *query)
{
    add(args, mem_strdup("--json"));
    add_number(args, "partition", query->partition);
    add_number(args, "from", query->offset);
    add_number(args, "until", query->offset + 1);
}

struct asked {
    web_done_fn *done;
    void *done_arg;
    bool one; /* record */
    int64_t offset;
};

static void on_end(void *arg, const char *out, const struct error *err)
{
    struct asked asked = *(struct asked *)arg;
    struct error missing = {0};

    free(arg);
    if (!error_is_set(err) && asked.one && *out == '\0') {
        error_set(&missing, ERROR_NOT_FOUND,
                  "there is no record %" PRId64 " (any more)", asked.offset);
        err = &missing;
    }
    asked.done(asked.done_arg, error_is_set(err) ? NULL : out, err);
}

struct web_child *web_messages(struct web_children *children,
                               const struct web_messages *query, web_done_fn *done,
                               void *done_arg)
{
    struct args args = {0};
    struct asked *asked = mem_alloc(sizeof *asked);
    struct web_child *child;

    *asked = (struct asked){done, done_arg, query->offset >= 0, query->offset};
    add(&args, mem_strdup("dagrun"));
    add(&args, mem_strdup("tap"));
    if (asked->one)
        record_args(&args, query);
    else
        page_args(&args, query);
    add(&args, mem_printf("%s/%s:%s", query->dag, query->writer, query->reader));
    child = web_child_run(children,
                          &(struct web_child_spec){
                              .argv = args.items,
                              .limit_ms = CHILD_MS,
                              .output_bytes = asked->one ? RECORD_OUTPUT : PAGE_OUTPUT,
                              .done = on_end,
                              .done_arg = asked});
    for (size_t i = 0; i < args.count; i++)
        free(args.items[i]);
    return child;
}
