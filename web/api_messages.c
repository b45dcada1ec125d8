/* SPDX-License-Identifier: MIT
 *
 * Messages of an edge. Another process reads them, so the answer comes later; when who
 * asks goes away, it is stopped.
 */
#include "web/call.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 50 };

struct asking {
    const struct web_source *source;
    struct http_request *request;
    struct web_job *job;
};

static void on_done(void *arg, const char *text, const struct error *err)
{
    struct asking *asking = arg;
    struct http_request *request = asking->request;

    free(asking);
    http_on_gone(request, NULL, NULL);
    if (error_is_set(err))
        call_refuse(request, error_http_status(err->kind), err->text);
    else
        http_answer(request, 200, "application/json", mem_strdup(text), strlen(text));
}

static void on_gone(void *arg, struct http_request *request)
{
    struct asking *asking = arg;

    (void)request; /* on_done answers it */
    asking->source->cancel(asking->source->arg, asking->job);
}

static void ask(struct web_call *call, const struct web_messages *query)
{
    struct asking *asking = mem_alloc(sizeof *asking);
    struct web_job *job;

    *asking = (struct asking){.source = call->source, .request = call->request};
    job = call->source->messages(call->source->arg, query, on_done, asking);
    if (job) {
        asking->job = job;
        http_on_gone(call->request, on_gone, asking);
    }
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
