/* SPDX-License-Identifier: MIT
 *
 * The server itself: is it well, who asks, what is there to ask.
 */
#include "web/call.h"

#include "base/clock.h"
#include "base/mem.h"
#include "web/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static json_t *session(const struct guard_who *who, bool read_only)
{
    return json_pack("{s:o,s:s,s:b,s:s}", "user", json_text(who->name), "role",
                     guard_role_name(who->role), "read_only", read_only, "version",
                     DAGRUN_VERSION);
}

/* A login whose password is being verified. */
struct login {
    struct http_request *request;
    struct guard *guard;
    struct web_audit *audit;
    bool read_only;
};

static void on_login(void *arg, const struct guard_who *who,
                     const struct guard_refusal *no)
{
    struct login login = *(struct login *)arg;
    struct web_call call = {.request = login.request};
    const char *origin;
    char *cookie;

    free(arg);
    web_audit_login(login.audit, login.request, who, no);
    if (who == NULL) {
        call_refuse_who(login.request, no);
        return;
    }
    origin = http_header(login.request, "Origin");
    cookie =
        guard_session(login.guard, who, origin && strncmp(origin, "https://", 8) == 0,
                      clock_wall_ms());
    http_add_header(login.request, "Set-Cookie", cookie);
    free(cookie);
    call_answer_json(&call, 200, session(who, login.read_only));
}

void api_login(struct web_call *call)
{
    const char *token = call_text(call, "token");
    const char *user = call_text(call, "user");
    const char *password = call_text(call, "password");
    struct login *login;

    if (token ? user || password : !user || !password) {
        call_refuse(call->request, 422,
                    "either 'token' or 'user' and 'password' expected");
        return;
    }
    login = mem_alloc(sizeof *login);
    *login = (struct login){call->request, call->guard, call->audit, call->read_only};
    guard_verify(call->guard, http_peer(call->request), token ? USERS_TOKEN : user,
                 token ? token : password, on_login, login);
}

void api_session(struct web_call *call)
{
    call_answer_json(call, 200, session(&call->who, call->read_only));
}

void api_logout(struct web_call *call)
{
    char *cookie = guard_no_session(call->guard);

    http_add_header(call->request, "Set-Cookie", cookie);
    free(cookie);
    call_answer_json(call, 200, json_object());
}
