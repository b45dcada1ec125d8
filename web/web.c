/* SPDX-License-Identifier: MIT */
#include "web/web.h"

#include "base/log.h"
#include "base/mem.h"
#include "web/call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct web {
    struct http *http;
    struct guard *guard;
    struct sse *sse;
    const struct web_source *source;
};

static bool is_safe(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool is_allowed(const struct web *web, struct http_request *request,
                       enum guard_role needs)
{
    const struct guard_request facts = {
        .host = http_header(request, "Host"),
        .host_count = http_header_count(request, "Host"),
        .origin = http_header(request, "Origin"),
        .fetch_site = http_header(request, "Sec-Fetch-Site"),
        .authorization = http_header(request, "Authorization"),
        .cookie = http_header(request, "Cookie"),
        .safe = is_safe(http_method(request))};
    struct error err = {0};
    int status = 0;

    if (guard_allows(web->guard, &facts, needs, &status, &err))
        return true;
    if (status == 401)
        http_add_header(request, "WWW-Authenticate", "Bearer realm=\"dagrun\"");
    call_refuse(request, status, err.text);
    return false;
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

static void serve(const struct web *web, struct http_request *request, struct url *url)
{
    char allowed[64];
    const struct web_route *route = web_route_find(http_method(request), url, allowed);
    struct web_call call = {.source = web->source,
                            .sse = web->sse,
                            .guard = web->guard,
                            .request = request,
                            .route = route,
                            .url = *url};
    struct error err = {0};
    int status = 422;

    /* Host and Origin before anything else, also of what is not there. */
    if (!is_allowed(web, request, route ? route->role : GUARD_PUBLIC))
        return;
    if (route == NULL) {
        refuse_route(request, allowed);
        return;
    }
    call.body = read_body(request, route, &status, &err);
    if (!error_is_set(&err))
        (void)web_route_check(route, url, call.body, &err);
    if (error_is_set(&err))
        call_refuse(request, status, err.text);
    else
        route->fn(&call);
    json_decref(call.body);
}

static void on_request(void *arg, struct http_request *request)
{
    const struct web *web = arg;
    struct url url = {0};
    struct error err = {0};

    log_write(LOG_DEBUG, "web", NULL, "%s %s from %s", http_method(request),
              http_target(request), http_peer(request));
    if (url_parse(http_target(request), &url, &err) == 0)
        serve(web, request, &url);
    else if (is_allowed(web, request, GUARD_PUBLIC))
        call_refuse(request, 400, err.text);
    url_clear(&url);
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

    web->source = config->source;
    web->sse = sse_new(config->source);
    web->http = http_open(loop, &http, err);
    if (web->http)
        web->guard =
            guard_open(config->token_path, http_port(web->http), config->hosts, err);
    if (web->guard)
        return web;
    web_close(web);
    return NULL;
}

void web_close(struct web *web)
{
    if (web == NULL)
        return;
    http_close(web->http); /* which ends the streams */
    sse_free(web->sse);
    guard_free(web->guard);
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

int64_t web_tick(struct web *web)
{
    int64_t sse_ms = sse_tick(web->sse);
    int64_t http_ms = http_tick(web->http);

    return sse_ms < http_ms ? sse_ms : http_ms;
}
