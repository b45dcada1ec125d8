/* SPDX-License-Identifier: MIT */
#include "cli/web_messages.h"

#include "base/mem.h"
#include "cli/web_args.h"

#include <inttypes.h>

enum {
    CHILD_MS = 25000, /* connecting included */
    PAGE_OUTPUT =
        32 << 20, /* tap keeps a page at 8 MiB, but for thousands of headers */
    RECORD_OUTPUT = 64 << 20, /* a record of 2 MiB, all of it escapes */
};

static void page_args(struct web_args *args, const struct web_messages *query)
{
    web_args_add(args, "--page");
    web_args_add(args, "--cut=64KiB");
    web_args_add(args, "--timeout=5s");
    web_args_add(args, "--scan=200000");
    web_args_add(args, "--scan-bytes=256MiB");
    web_args_number(args, "count", query->limit);
    if (query->partition >= 0)
        web_args_number(args, "partition", query->partition);
    web_args_option(args, "from", query->from);
    web_args_option(args, "until", query->until);
    web_args_option(args, "contains", query->contains);
    web_args_option(args, "key", query->key);
    web_args_option(args, "header", query->header);
    web_args_option(args, "where", query->where);
}

static void record_args(struct web_args *args, const struct web_messages *query)
{
    web_args_add(args, "--json");
    web_args_number(args, "partition", query->partition);
    web_args_number(args, "from", query->offset);
    web_args_number(args, "until", query->offset + 1);
}

struct asked {
    web_done_fn *done;
    void *done_arg;
    bool one; /* record */
    int64_t offset;
};

static void on_end(void *arg, char *out, const struct error *err)
{
    const struct asked *asked = arg;
    struct error missing = {0};

    if (!error_is_set(err) && asked->one && *out == '\0') {
        error_set(&missing, ERROR_NOT_FOUND,
                  "there is no record %" PRId64 " (any more)", asked->offset);
        err = &missing;
    }
    asked->done(asked->done_arg, out, err);
}

struct web_child *web_messages(struct web_children *children,
                               const struct web_messages *query, web_done_fn *done,
                               void *done_arg)
{
    struct web_args args = {0};
    struct asked *asked = mem_alloc(sizeof *asked);
    struct web_child *child;

    *asked = (struct asked){done, done_arg, query->offset >= 0, query->offset};
    web_args_add(&args, "dagrun");
    web_args_add(&args, "tap");
    if (asked->one)
        record_args(&args, query);
    else
        page_args(&args, query);
    web_args_take(&args,
                  mem_printf("%s/%s:%s", query->dag, query->writer, query->reader));
    child = web_child_run(children,
                          &(struct web_child_spec){
                              .argv = args.items,
                              .limit_ms = CHILD_MS,
                              .output_bytes = asked->one ? RECORD_OUTPUT : PAGE_OUTPUT,
                              .done = on_end,
                              .done_arg = asked});
    web_args_clear(&args);
    return child;
}
