/* SPDX-License-Identifier: MIT */
#include "web/later.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct later {
    const struct web_source *source;
    struct http_request *request;
    struct web_job *job;
    const char *type; /* of the answer */
};

struct later *later_new(struct web_call *call)
{
    struct later *later = mem_alloc(sizeof *later);

    *later = (struct later){
        .source = call->source, .request = call->request, .type = call->route->type};
    return later;
}

void later_done(void *arg, char *text, const struct error *err)
{
    struct later *later = arg;
    struct http_request *request = later->request;
    const char *type = later->type;

    free(later);
    if (!error_is_set(err)) {
        http_answer(request, 200, type, text, strlen(text));
        return;
    }
    free(text);
    call_refuse(request, error_http_status(err->kind), err->text);
}

static void on_gone(void *arg, struct http_request *request)
{
    struct later *later = arg;

    (void)request; /* later_done answers it */
    later->source->cancel(later->source->arg, later->job);
}

void later_job(struct later *later, struct web_job *job)
{
    if (job == NULL)
        return;
    later->job = job;
    http_on_gone(later->request, on_gone, later);
}
