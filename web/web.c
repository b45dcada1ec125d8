/* SPDX-License-Identifier: MIT */
#include "web/web.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct web {
    struct http *http;
    struct guard *guard;
    struct web_audit *audit;
    struct sse *sse;
    const struct web_source *source;
    bool read_only;
    bool closing;
    int64_t look_ms; /* at the users, next */
};

enum { USERS_EVERY_MS = 1000 };

static bool is_safe(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* What the guard looks at. */
static struct guard_request facts_of(const struct http_request *request)
{
    return (struct guard_request){.host = http_header(request, "Host"),
                                  .host_count = http_header_count(request, "Host"),
                                  .origin = http_header(request, "Origin"),
                                  .fetch_site = http_header(request, "Sec-Fetch-Site"),
                                  .authorization =
                                      http_header(request, "Authorization"),
                                  .cookie = http_header(request, "Cookie"),
                                  .peer = http_peer(request),
                                  .safe = is_safe(http_method(request))};
}

static void refuse_route(struct http_request *request, const char *allowed)
{
    if (allowed[0])
        http_add_header(request, "Allow", allowed);
    call_refuse(request, allowed[0] ? 405 : 404,
                allowed[0] ? "this address does not take this method"
                           : "there is nothing at this address");
}

static bool is_json_type(const char *type)
{
    static const char json[] = "application/json";

    return type && strncasecmp(type, json, sizeof json - 1) == 0 &&
           strchr("; ", type[sizeof json - 1]);
}

/* The body as an object; NULL without err when the route takes none and there is none.
 */
static json_t *read_body(struct http_request *request, const struct web_route *route,
                         int *status, struct error *err)
{
    size_t len;
    const char *text = http_body(request, &len);
    json_t *body = NULL;

    if (len == 0)
        return route->body ? json_object() : NULL;
    if (route->body == NULL || !is_json_type(http_header(request, "Content-Type"))) {
        *status = 415;
        error_set(err, ERROR_INPUT,
                  route->body ? "the body must be application/json"
                              : "this address takes no body");
        return NULL;
    }
    body = json_parse(text, len, err);
    if (body == NULL || json_is_object(body))
        return body;
    error_set(err, ERROR_INPUT, "the body must be a JSON object");
    json_decref(body);
    return NULL;
}

/* The body, the parameters, and then the route's function. */
static void serve(struct web_call *call)
{
    struct error err = {0};
    int status = 422;

    call->body = read_body(call->request, call->route, &status, &err);
    if (!error_is_set(&err))
        (void)web_route_check(call->route, &call->url, call->body, &err);
    if (error_is_set(&err))
        call_refuse(call->request, status, err.text);
    else
        call->route->fn(call);
    json_decref(call->body);
}

static bool may(const struct web *web, const struct web_route *route,
                const struct guard_who *who, struct guard_refusal *no)
{
    if (!guard_permits(who, route->role, no))
        return false;
    if (!web->read_only || !web_route_is_action(route))
        return true;
    no->status = 403;
    (void)snprintf(no->text, sizeof no->text,
                   "nothing can be done through this server: it was started with "
                   "--read-only");
    return false;
}

static void receive(struct web *web, struct http_request *request,
                    const struct guard_who *known);

/* A request that waited for its password to be verified. */
struct waiting {
    struct web *web;
    struct http_request *request;
};

static void on_verified(void *arg, const struct guard_who *who,
                        const struct guard_refusal *no)
{
    struct waiting waiting = *(struct waiting *)arg;

    free(arg);
    if (who == NULL)
        web_audit_login(waiting.web->audit, waiting.request, NULL, no);
    if (who)
        receive(waiting.web, waiting.request, who);
    else
        call_refuse_who(waiting.request, no);
}

static void verify(struct web *web, struct http_request *request,
                   const struct guard_request *facts)
{
    struct waiting *waiting = mem_alloc(sizeof *waiting);

    *waiting = (struct waiting){web, request};
    guard_verify_request(web->guard, facts, on_verified, waiting);
}

/* Who asks, whether that may, and then what for. known: it has been found out. */
static void let_in(struct web *web, struct web_call *call,
                   const struct guard_request *facts, const struct guard_who *known)
{
    struct guard_refusal no = {0};
    bool is_public = call->route->role == GUARD_PUBLIC;

    if (known)
        call->who = *known;
    if (is_public || known || guard_identify(web->guard, facts, &call->who, &no)) {
        web_audit_who(call->request, &call->who);
        if (is_public || may(web, call->route, &call->who, &no))
            serve(call);
        else
            call_refuse_who(call->request, &no);
    } else if (no.status) {
        call_refuse_who(call->request, &no);
    } else {
        verify(web, call->request, facts);
    }
}

static void receive(struct web *web, struct http_request *request,
                    const struct guard_who *known)
{
    const struct guard_request facts = facts_of(request);
    struct guard_refusal no = {0};
    struct error err = {0};
    char allowed[64] = "";
    struct web_call call = {.source = web->source,
                            .sse = web->sse,
                            .guard = web->guard,
                            .audit = web->audit,
                            .request = request,
                            .read_only = web->read_only};

    if (url_parse(http_target(request), &call.url, &err) == 0)
        call.route = web_route_find(http_method(request), &call.url, allowed);
    if (call.route && known == NULL)
        web_audit_watch(web->audit, request, call.route, &call.url);
    /* Host and Origin before anything else, also of what is not there. */
    if (!guard_admits(web->guard, &facts,
                      call.route == NULL || call.route->role == GUARD_PUBLIC, &no))
        call_refuse_who(request, &no);
    else if (error_is_set(&err))
        call_refuse(request, 400, err.text);
    else if (call.route == NULL)
        refuse_route(request, allowed);
    else
        let_in(web, &call, &facts, known);
    url_clear(&call.url);
}

static void on_request(void *arg, struct http_request *request)
{
    struct web *web = arg;

    log_write(LOG_DEBUG, "web", NULL, "%s %s from %s", http_method(request),
              http_target(request), http_peer(request));
    if (web->closing)
        call_refuse(request, 503, "the server is being stopped");
    else
        receive(web, request, NULL);
}

struct web *web_open(struct loop *loop, const struct web_config *config,
                     struct error *err)
{
    struct web *web = mem_alloc(sizeof *web);
    const struct http_config http = {.host = config->host,
                                     .port = config->port,
                                     .port_count = config->port_count,
                                     .fn = on_request,
                                     .arg = web};
    struct guard_config guard = {.loop = loop,
                                 .token_path = config->token_path,
                                 .users_path = config->users_path,
                                 .hosts = config->hosts};

    web->source = config->source;
    web->sse = sse_new(config->source);
    web->audit = web_audit_new(config->source);
    web->read_only = config->read_only;
    web->http = http_open(loop, &http, err);
    if (web->http) {
        guard.port = http_port(web->http);
        web->guard = guard_open(&guard, err);
    }
    if (web->guard)
        return web;
    web_close(web);
    return NULL;
}

void web_close(struct web *web)
{
    if (web == NULL)
        return;
    web->closing = true;
    guard_free(web->guard); /* answers those that wait for it */
    http_close(web->http);  /* which ends the streams */
    sse_free(web->sse);
    web_audit_free(web->audit);
    free(web);
}

int web_port(const struct web *web)
{
    return http_port(web->http);
}

const char *web_token(const struct web *web)
{
    return guard_token(web->guard);
}

size_t web_user_count(const struct web *web)
{
    return guard_user_count(web->guard);
}

/* A stream is asked for once and goes on: whoever may no more see it is cut off. While
 * there are streams this is called every second. */
static void watch_users(struct web *web)
{
    int64_t now_ms = clock_mono_ms();

    if (now_ms < web->look_ms)
        return;
    web->look_ms = now_ms + USERS_EVERY_MS;
    if (guard_users_changed(web->guard))
        sse_cut(web->sse);
}

int64_t web_tick(struct web *web)
{
    int64_t sse_ms;
    int64_t http_ms;

    watch_users(web);
    sse_ms = sse_tick(web->sse);
    http_ms = http_tick(web->http);

    return sse_ms < http_ms ? sse_ms : http_ms;
}
