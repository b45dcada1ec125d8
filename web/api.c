/* SPDX-License-Identifier: MIT
 *
 * The server itself: is it well, who asks, what is there to ask.
 */
#include "web/call.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

void api_healthz(struct web_call *call)
{
    call_answer_json(call, 200, json_pack("{s:s}", "status", "ok"));
}

void api_readyz(struct web_call *call)
{
    struct error err = {0};

    if (call->source->ready(call->source->arg, &err))
        call_answer_json(call, 200, json_pack("{s:s}", "status", "ready"));
    else /* why not is in the log: this route is public */
        call_refuse(call->request, 503, "the history can't be read");
}

void api_openapi(struct web_call *call)
{
    call_answer_json(call, 200, web_openapi());
}

void api_events(struct web_call *call)
{
    const char *last_id = http_header(call->request, "Last-Event-ID");
    char text[96];

    /* A browser that comes back by itself sends the header, and the address of before.
     */
    if (last_id == NULL)
        last_id = call_text(call, "last_event_id");
    if (sse_answer(call->sse, call->request, call_text(call, "dag"), last_id))
        return;
    (void)snprintf(text, sizeof text, "%d streams are open: ask without one, or later",
                   SSE_CLIENTS_MAX);
    http_add_header(call->request, "Retry-After", "60");
    call_refuse(call->request, 503, text);
}

static json_t *session(void)
{
    return json_pack("{s:s,s:s}", "role", guard_role_name(GUARD_ADMIN), "version",
                     DAGRUN_VERSION);
}

void api_login(struct web_call *call)
{
    char *cookie;

    if (!guard_is_token(call->guard, call_text(call, "token"))) {
        call_refuse(call->request, 401, "this is not the token");
        return;
    }
    cookie = guard_session(call->guard, clock_wall_ms());
    http_add_header(call->request, "Set-Cookie", cookie);
    free(cookie);
    call_answer_json(call, 200, session());
}

void api_session(struct web_call *call)
{
    call_answer_json(call, 200, session());
}

void api_logout(struct web_call *call)
{
    char *cookie = guard_no_session(call->guard);

    http_add_header(call->request, "Set-Cookie", cookie);
    free(cookie);
    call_answer_json(call, 200, json_object());
}
