/* SPDX-License-Identifier: MIT */
#include "web/call.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *call_path(const struct web_call *call, const char *name)
{
    return web_route_value(call->route, &call->url, name);
}

const char *call_text(const struct web_call *call, const char *name)
{
    const char *value = url_member(&call->url, name);

    return value ? value : json_get_string(call->body, name, NULL);
}

int64_t call_int(const struct web_call *call, const char *name, int64_t fallback)
{
    const char *value = call_path(call, name);
    int64_t number = fallback;

    if (value == NULL)
        value = call_text(call, name);
    if (value)
        (void)text_parse_int(value, &number);
    return json_get_int(call->body, name, number);
}

bool call_bool(const struct web_call *call, const char *name)
{
    return json_get_bool(call->body, name, false);
}

int64_t call_run(const struct web_call *call)
{
    return call_int(call, "run", 0); /* "last" is no number: 0 */
}

void call_answer_json(struct web_call *call, int status, json_t *value)
{
    char *line = json_line(value);
    size_t len = strlen(line);

    line[len] = '\n'; /* in place of the terminator: it is sent by length */
    json_decref(value);
    http_answer(call->request, status, "application/json", line, len + 1);
}

void call_answer_text(struct web_call *call, const char *type, struct text_buf *text)
{
    size_t len = text->len;

    http_answer(call->request, 200, type, text_take(text), len);
}

static const char *kind_name(int status)
{
    static const struct {
        int status;
        const char *name;
    } kinds[] = {{400, "input"},     {401, "token"},       {403, "forbidden"},
                 {404, "not found"}, {405, "method"},      {409, "conflict"},
                 {413, "too large"}, {415, "media type"},  {422, "input"},
                 {429, "too many"},  {503, "unreachable"}, {504, "timeout"}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].status == status)
            return kinds[i].name;
    }
    return "internal";
}

void call_refuse(struct http_request *request, int status, const char *text)
{
    json_t *value =
        json_pack("{s:o,s:s}", "error", json_text(text), "kind", kind_name(status));
    char *line = json_line(value);
    size_t len = strlen(line);

    line[len] = '\n';
    json_decref(value);
    http_answer(request, status, "application/json", line, len + 1);
}

/* A script of ours that asks must not make the browser ask for a password. */
static bool is_from_page(const struct http_request *request)
{
    const char *mode = http_header(request, "Sec-Fetch-Mode");

    return mode && strcmp(mode, "navigate") != 0;
}

void call_refuse_who(struct http_request *request, const struct guard_refusal *no)
{
    char seconds[16];

    if (no->status == 401) {
        if (!is_from_page(request))
            http_add_header(request, "WWW-Authenticate",
                            "Basic realm=\"dagrun\", charset=\"UTF-8\"");
        http_add_header(request, "WWW-Authenticate", "Bearer realm=\"dagrun\"");
    }
    if (no->after_s > 0) {
        (void)snprintf(seconds, sizeof seconds, "%d", no->after_s);
        http_add_header(request, "Retry-After", seconds);
    }
    call_refuse(request, no->status, no->text);
}

void call_fail(struct web_call *call, const struct error *err)
{
    call_refuse(call->request, error_http_status(err->kind), err->text);
}

void call_finish(struct web_call *call, json_t *value, const struct error *err)
{
    if (value)
        call_answer_json(call, 200, value);
    else
        call_fail(call, err);
}
