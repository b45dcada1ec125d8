/* SPDX-License-Identifier: MIT */
#include "cli/web_letters.h"

#include "base/mem.h"
#include "cli/web_args.h"


enum {
    READ_MS = 60000,         /* a topic of letters is read as a whole */
    ACT_MS = 30 * 60 * 1000, /* what is cut off is settled by the next one */
    GROUPS_OUTPUT = 16 << 20,
    LETTERS_OUTPUT = 48 << 20,
};

static void add_selection(struct web_args *args, const struct web_letters *query)
{
    web_args_option(args, "reason", query->reason);
    web_args_option(args, "failed-at", query->failed_at);
    web_args_option(args, "since", query->since);
    web_args_option(args, "until", query->until);
    web_args_option(args, "offset", query->offsets);
    if (query->partition >= 0)
        web_args_number(args, "partition", query->partition);
}

static void add_verb(struct web_args *args, const struct web_letters *query)
{
    switch (query->what) {
    case WEB_LETTERS_GROUPS:
        break;
    case WEB_LETTERS_PAGE:
        web_args_option(args, "state", query->state);
        web_args_option(args, "from", query->from);
        web_args_number(args, "limit", query->limit);
        web_args_add(args, "--cut=65536");
        break;
    case WEB_LETTERS_DROP:
        web_args_flag(args, "yes", true); /* the page has asked */
        /* fall through */
    case WEB_LETTERS_REPLAY:
        web_args_flag(args, "all", query->all);
        web_args_flag(args, "dry-run", query->dry_run);
        web_args_flag(args, "force", query->force);
        web_args_option(args, "note", query->note);
        web_args_option(args, "by", query->by);
        break;
    }
}

struct asked {
    web_done_fn *done;
    void *done_arg;
};

static void on_end(void *arg, char *out, const struct error *err)
{
    const struct asked *asked = arg;

    asked->done(asked->done_arg, out, err);
}

struct web_child *web_letters(struct web_children *children,
                              const struct web_letters *query, web_done_fn *done,
                              void *done_arg)
{
    static const char *const verbs[] = {[WEB_LETTERS_GROUPS] = "list",
                                        [WEB_LETTERS_PAGE] = "show",
                                        [WEB_LETTERS_REPLAY] = "replay",
                                        [WEB_LETTERS_DROP] = "drop"};
    bool acts = query->what >= WEB_LETTERS_REPLAY && !query->dry_run;
    struct web_args args = {0};
    struct asked *asked = mem_alloc(sizeof *asked);
    struct web_child *child;

    *asked = (struct asked){done, done_arg};
    web_args_add(&args, "dagrun");
    web_args_add(&args, "dlq");
    web_args_add(&args, verbs[query->what]);
    web_args_add(&args, "--json");
    add_selection(&args, query);
    add_verb(&args, query);
    web_args_take(&args, mem_printf("%s@last%s%s", query->dag, query->node ? "/" : "",
                                    query->node ? query->node : ""));
    child = web_child_run(children, &(struct web_child_spec){
                                        .argv = args.items,
                                        .limit_ms = acts ? ACT_MS : READ_MS,
                                        .output_bytes = query->what == WEB_LETTERS_PAGE
                                                            ? LETTERS_OUTPUT
                                                            : GROUPS_OUTPUT,
                                        .acts = acts,
                                        .done = on_end,
                                        .done_arg = asked});
    web_args_clear(&args);
    return child;
}
