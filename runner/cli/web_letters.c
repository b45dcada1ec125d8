/* SPDX-License-Identifier: MIT */
#include "cli/web_letters.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    ARGS_MAX = 24,
    READ_MS = 60000,         /* a topic of letters is read as a whole */
    ACT_MS = 30 * 60 * 1000, /* what is cut off is settled by the next one */
    GROUPS_OUTPUT = 16 << 20,
    LETTERS_OUTPUT = 48 << 20,
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

static void add_flag(struct args *args, const char *name, bool value)
{
    if (value)
        add(args, mem_printf("--%s", name));
}

static void add_selection(struct args *args, const struct web_letters *query)
{
    add_option(args, "reason", query->reason);
    add_option(args, "failed-at", query->failed_at);
    add_option(args, "since", query->since);
    add_option(args, "until", query->until);
    add_option(args, "offset", query->offsets);
    if (query->partition >= 0)
        add(args, mem_printf("--partition=%" PRId64, query->partition));
}

static void add_verb(struct args *args, const struct web_letters *query)
{
    switch (query->what) {
    case WEB_LETTERS_GROUPS:
        break;
    case WEB_LETTERS_PAGE:
        add_option(args, "state", query->state);
        add_option(args, "from", query->from);
        add(args, mem_printf("--limit=%" PRId64, query->limit));
        add(args, mem_strdup("--cut=65536"));
        break;
    case WEB_LETTERS_DROP:
        add_flag(args, "yes", true); /* the page has asked */
        /* fall through */
    case WEB_LETTERS_REPLAY:
        add_flag(args, "all", query->all);
        add_flag(args, "dry-run", query->dry_run);
        add_flag(args, "force", query->force);
        add_option(args, "note", query->note);
        add_option(args, "by", query->by);
        break;
    }
}

struct asked {
    web_done_fn *done;
    void *done_arg;
};

static void on_end(void *arg, const char *out, const struct error *err)
{
    struct asked asked = *(struct asked *)arg;

    free(arg);
    asked.done(asked.done_arg, error_is_set(err) ? NULL : out, err);
}

struct web_child *web_letters(struct web_children *children,
                              const struct web_letters *query, web_done_fn *done,
                              void *done_arg)
{
    static const char *const verbs[] = {[WEB_LETTERS_GROUPS] = "list",
                                        [WEB_LETTERS_PAGE] = "show",
                                        [WEB_LETTERS_REPLAY] = "replay",
                                        [WEB_LETTERS_DROP] = "drop"};
    bool acts = query->what >= WEB_LETTERS_REPLAY;
    struct args args = {0};
    struct asked *asked = mem_alloc(sizeof *asked);
    struct web_child *child;

    *asked = (struct asked){done, done_arg};
    add(&args, mem_strdup("dagrun"));
    add(&args, mem_strdup("dlq"));
    add(&args, mem_strdup(verbs[query->what]));
    add(&args, mem_strdup("--json"));
    add_selection(&args, query);
    add_verb(&args, query);
    add(&args, mem_printf("%s@last%s%s", query->dag, query->node ? "/" : "",
                          query->node ? query->node : ""));
    child = web_child_run(children, &(struct web_child_spec){
                                        .argv = args.items,
                                        .limit_ms = acts ? ACT_MS : READ_MS,
                                        .output_bytes = query->what == WEB_LETTERS_PAGE
                                                            ? LETTERS_OUTPUT
                                                            : GROUPS_OUTPUT,
                                        .done = on_end,
                                        .done_arg = asked});
    for (size_t i = 0; i < args.count; i++)
        free(args.items[i]);
    return child;
}
