/* SPDX-License-Identifier: MIT
 *
 * Dead letters: groups, pages, sent again or dropped. Another process does it, so the
 * answer comes later.
 */
#include "web/later.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 20 };

static struct web_letters letters_of(const struct web_call *call,
                                     enum web_letters_what what)
{
    const char *node = call_path(call, "node");

    return (struct web_letters){.what = what,
                                .dag = call_path(call, "dag"),
                                .node = node ? node : call_text(call, "node"),
                                .reason = call_text(call, "reason"),
                                .failed_at = call_text(call, "failed_at"),
                                .since = call_text(call, "since"),
                                .until = call_text(call, "until"),
                                .offsets = call_text(call, "offsets"),
                                .partition = -1};
}

void api_letter_groups(struct web_call *call)
{
    const struct web_letters query = letters_of(call, WEB_LETTERS_GROUPS);
    struct later *later = later_new(call);

    later_job(later,
              call->source->letters(call->source->arg, &query, later_done, later));
}

void api_letters(struct web_call *call)
{
    struct web_letters query = letters_of(call, WEB_LETTERS_PAGE);
    struct later *later = later_new(call);

    query.state = call_text(call, "state");
    query.from = call_text(call, "from");
    query.limit = call_int(call, "limit", PAGE);
    later_job(later,
              call->source->letters(call->source->arg, &query, later_done, later));
}

/* What was begun goes on when who asked goes away: no half of it is to be left. */
static void on_acted(void *arg, char *text, const struct error *err)
{
    struct http_request *request = arg;

    if (!error_is_set(err)) {
        http_answer(request, 200, "application/json", text, strlen(text));
        return;
    }
    free(text);
    call_refuse(request, error_http_status(err->kind), err->text);
}

void api_letters_act(struct web_call *call)
{
    bool replay = strcmp(strrchr(call->route->pattern, '/'), "/replay") == 0;
    struct web_letters query =
        letters_of(call, replay ? WEB_LETTERS_REPLAY : WEB_LETTERS_DROP);
    char by[160];

    (void)snprintf(by, sizeof by, "%s, web from %s", call->who.name,
                   http_peer(call->request));
    query.all = call_bool(call, "all");
    query.dry_run = call_bool(call, "dry_run");
    query.force = call_bool(call, "force");
    query.note = call_text(call, "note");
    query.by = by;
    if (!query.dry_run)
        log_write(LOG_INFO, "web", NULL, "%s of dead letters of %s%s%s asked by %s",
                  replay ? "replay" : "drop", query.dag, query.node ? "/" : "",
                  query.node ? query.node : "", by);
    (void)call->source->letters(call->source->arg, &query, on_acted, call->request);
}
