/* SPDX-License-Identifier: MIT
 *
 * Messages of an edge. Another process reads them, so the answer comes later; when who
 * asks goes away, it is stopped.
 */
#include "web/later.h"

enum { PAGE = 50 };

static void ask(struct web_call *call, const struct web_messages *query)
{
    struct later *later = later_new(call);

    later_job(later,
              call->source->messages(call->source->arg, query, later_done, later));
}

void api_messages(struct web_call *call)
{
    const struct web_messages query = {.dag = call_path(call, "dag"),
                                       .writer = call_path(call, "writer"),
                                       .reader = call_path(call, "reader"),
                                       .partition = call_int(call, "partition", -1),
                                       .offset = -1,
                                       .limit = call_int(call, "limit", PAGE),
                                       .from = call_text(call, "from"),
                                       .until = call_text(call, "until"),
                                       .contains = call_text(call, "contains"),
                                       .key = call_text(call, "key"),
                                       .header = call_text(call, "header"),
                                       .where = call_text(call, "where")};

    ask(call, &query);
}

void api_message(struct web_call *call)
{
    const struct web_messages query = {.dag = call_path(call, "dag"),
                                       .writer = call_path(call, "writer"),
                                       .reader = call_path(call, "reader"),
                                       .partition = call_int(call, "partition", 0),
                                       .offset = call_int(call, "offset", 0)};

    ask(call, &query);
}
