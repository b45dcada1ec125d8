/* SPDX-License-Identifier: MIT */
#include "web/routes.h"

#include "base/text.h"
#include "web/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128, PAGE_MAX = 1000, LOG_PIECE_MAX = 1024 * 1024 };

static const char json[] = "application/json";
static const char text[] = "text/plain; charset=utf-8";

static const struct web_param login_body[] = {
    {.name = "token",
     .type = WEB_TEXT,
     .required = true,
     .doc = "of the file web.token"},
    {0},
};

static const struct web_param runs_query[] = {
    {.name = "dag", .type = WEB_NAME, .doc = "only runs of this dag"},
    {.name = "state", .type = WEB_TEXT, .doc = "only runs in this state"},
    {.name = "since", .type = WEB_TIME, .doc = "only runs begun at or after"},
    {.name = "after", .type = WEB_TEXT, .doc = "\"next\" of the page before"},
    {.name = "limit",
     .type = WEB_INT,
     .min = 1,
     .max = PAGE_MAX,
     .doc = "runs a page, 50 when it is not said"},
    {0},
};

static const struct web_param stop_body[] = {
    {.name = "now",
     .type = WEB_BOOL,
     .doc = "kill at once; what is not finished stays in its topics"},
    {0},
};

static const struct web_param start_body[] = {
    {.name = "fresh", .type = WEB_BOOL, .doc = "begin anew, as start --fresh"},
    {.name = "keep", .type = WEB_BOOL, .doc = "stay when the sources have finished"},
    {0},
};

static const struct web_param node_body[] = {
    {.name = "node", .type = WEB_NAME, .doc = "only this one; else all nodes"},
    {0},
};

static const struct web_param client_body[] = {
    {.name = "client", .type = WEB_NAME, .doc = "only this one; else all of the node"},
    {0},
};

static const struct web_param log_query[] = {
    {.name = "from",
     .type = WEB_INT,
     .min = INT64_MIN,
     .max = INT64_MAX,
     .doc = "the first byte; negative: so many before the end. 0 when it is not said"},
    {.name = "limit",
     .type = WEB_INT,
     .min = 1,
     .max = LOG_PIECE_MAX,
     .doc = "bytes at most, 65536 when it is not said"},
    {0},
};

const struct web_route web_routes[] = {
    {.method = "GET",
     .pattern = "/",
     .role = GUARD_PUBLIC,
     .fn = api_asset,
     .type = "text/html; charset=utf-8",
     .doc = "The pages; without them, a line that says so."},
    {.method = "GET",
     .pattern = "/app.js",
     .role = GUARD_PUBLIC,
     .fn = api_asset,
     .type = "text/javascript; charset=utf-8",
     .doc = "The pages' script."},
    {.method = "GET",
     .pattern = "/app.css",
     .role = GUARD_PUBLIC,
     .fn = api_asset,
     .type = "text/css; charset=utf-8",
     .doc = "The pages' style."},
    {.method = "GET",
     .pattern = "/favicon.svg",
     .role = GUARD_PUBLIC,
     .fn = api_asset,
     .type = "image/svg+xml",
     .doc = "The pages' picture."},
    {.method = "GET",
     .pattern = "/healthz",
     .role = GUARD_PUBLIC,
     .fn = api_healthz,
     .type = json,
     .doc = "The server answers."},
    {.method = "GET",
     .pattern = "/readyz",
     .role = GUARD_PUBLIC,
     .fn = api_readyz,
     .type = json,
     .doc = "The server can read the history; 503 when not."},
    {.method = "GET",
     .pattern = "/metrics",
     .role = GUARD_VIEWER,
     .fn = api_metrics,
     .type = "text/plain; version=0.0.4",
     .doc = "The runs that live, for Prometheus."},
    {.method = "GET",
     .pattern = "/api/v1/openapi.json",
     .role = GUARD_VIEWER,
     .fn = api_openapi,
     .type = json,
     .doc = "This document."},
    {.method = "POST",
     .pattern = "/api/v1/session",
     .role = GUARD_PUBLIC,
     .fn = api_login,
     .type = json,
     .body = login_body,
     .doc = "Trade the token for the session cookie of a browser."},
    {.method = "GET",
     .pattern = "/api/v1/session",
     .role = GUARD_VIEWER,
     .fn = api_session,
     .type = json,
     .doc = "Who asks."},
    {.method = "DELETE",
     .pattern = "/api/v1/session",
     .role = GUARD_VIEWER,
     .fn = api_logout,
     .type = json,
     .doc = "Forget the cookie."},
    {.method = "GET",
     .pattern = "/api/v1/dags",
     .role = GUARD_VIEWER,
     .fn = api_dags,
     .type = json,
     .doc = "The dags that are known, with their last run."},
    {.method = "GET",
     .pattern = "/api/v1/dags/{dag}/status",
     .role = GUARD_VIEWER,
     .fn = api_status,
     .type = json,
     .doc = "The status object of a dag's last run, live or not."},
    {.method = "POST",
     .pattern = "/api/v1/dags/{dag}/stop",
     .role = GUARD_OPERATOR,
     .fn = api_act,
     .type = json,
     .body = stop_body,
     .doc = "Stop the run: sources first, then the rest, until everything is handled."},
    {.method = "POST",
     .pattern = "/api/v1/dags/{dag}/pause",
     .role = GUARD_OPERATOR,
     .fn = api_act,
     .type = json,
     .body = node_body,
     .doc = "Take no more input; what is in hand is finished."},
    {.method = "POST",
     .pattern = "/api/v1/dags/{dag}/resume",
     .role = GUARD_OPERATOR,
     .fn = api_act,
     .type = json,
     .body = node_body,
     .doc = "Go on."},
    {.method = "POST",
     .pattern = "/api/v1/dags/{dag}/nodes/{node}/restart",
     .role = GUARD_OPERATOR,
     .fn = api_act_node,
     .type = json,
     .body = client_body,
     .doc = "New processes for the clients of a node, once what is in hand is finished."},
    {.method = "GET",
     .pattern = "/api/v1/files",
     .role = GUARD_VIEWER,
     .fn = api_files,
     .type = json,
     .doc = "The YAML files that may be started."},
    {.method = "POST",
     .pattern = "/api/v1/files/{file}/start",
     .role = GUARD_OPERATOR,
     .fn = api_start,
     .type = json,
     .body = start_body,
     .doc = "Start a run, as dagrun start -d."},
    {.method = "GET",
     .pattern = "/api/v1/runs",
     .role = GUARD_VIEWER,
     .fn = api_runs,
     .type = json,
     .query = runs_query,
     .doc = "Runs, newest first, in pages."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}",
     .role = GUARD_VIEWER,
     .fn = api_run,
     .type = json,
     .doc = "Everything about one run."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/nodes",
     .role = GUARD_VIEWER,
     .fn = api_run_part,
     .type = json,
     .doc = "The nodes of a run with their totals."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/attempts",
     .role = GUARD_VIEWER,
     .fn = api_run_part,
     .type = json,
     .doc = "Every life of every client, in the order of their begin."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/edges",
     .role = GUARD_VIEWER,
     .fn = api_run_part,
     .type = json,
     .doc = "The edges of a run with the offsets it wrote and read."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/events",
     .role = GUARD_VIEWER,
     .fn = api_run_part,
     .type = json,
     .doc = "What happened in a run, oldest first."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/dead_letters",
     .role = GUARD_VIEWER,
     .fn = api_run_part,
     .type = json,
     .doc = "Its dead letters by node and reason, most frequent first."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/yaml",
     .role = GUARD_VIEWER,
     .fn = api_run_yaml,
     .type = text,
     .doc = "The YAML text that the run had."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/graph",
     .role = GUARD_VIEWER,
     .fn = api_graph,
     .type = json,
     .doc = "Where the boxes and lines of its graph go."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/logs",
     .role = GUARD_VIEWER,
     .fn = api_logs,
     .type = json,
     .doc = "Which logs a run has, with their sizes."},
    {.method = "GET",
     .pattern = "/api/v1/runs/{dag}/{run}/logs/{node}/{client}/{attempt}",
     .role = GUARD_VIEWER,
     .fn = api_log,
     .type = text,
     .query = log_query,
     .doc = "Bytes of one log; Dagrun-Log-From and Dagrun-Log-Size say which."},
    {0},
};

/* ------------------------------------------------------------------------- matching */

bool web_route_segment(const char **at, const char **segment, size_t *len)
{
    if (**at != '/' || (*at)[1] == '\0')
        return false;
    *segment = *at + 1;
    *len = strcspn(*segment, "/");
    *at = *segment + *len;
    return true;
}

static bool is_value(const char *segment)
{
    return segment[0] == '{';
}

static bool matches(const struct web_route *route, const struct url *url)
{
    const char *at = route->pattern;
    const char *segment;
    size_t count = 0;
    size_t len;

    while (web_route_segment(&at, &segment, &len)) {
        if (count == url->segment_count)
            return false;
        if (!is_value(segment) && (strlen(url->segments[count]) != len ||
                                   strncmp(segment, url->segments[count], len) != 0))
            return false;
        count++;
    }
    return count == url->segment_count;
}

const struct web_route *web_route_find(const char *method, const struct url *url,
                                       char allowed[64])
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    size_t used = 0;

    allowed[0] = '\0';
    for (const struct web_route *route = web_routes; route->method; route++) {
        if (!matches(route, url))
            continue;
        if (strcmp(route->method, wanted) == 0)
            return route;
        used += (size_t)snprintf(allowed + used, 64 - used, "%s%s", used ? ", " : "",
                                 route->method);
    }
    return NULL;
}

const char *web_route_value(const struct web_route *route, const struct url *url,
                            const char *name)
{
    const char *at = route->pattern;
    const char *segment;
    size_t len;

    for (size_t i = 0; web_route_segment(&at, &segment, &len); i++) {
        if (is_value(segment) && strlen(name) == len - 2 &&
            strncmp(segment + 1, name, len - 2) == 0)
            return url->segments[i];
    }
    return NULL;
}

/* ------------------------------------------------------------------------- checking */

/* Every name that YAML allows, and none that means something in a path. */
static bool is_name(const char *value)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789";
    size_t len = strlen(value);

    return len > 0 && len <= NAME_MAX_BYTES && strchr(letters, value[0]) &&
           strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789-_") == len;
}

static bool is_run(const char *value)
{
    int64_t run;

    return strcmp(value, "last") == 0 || (text_parse_int(value, &run) && run > 0);
}

static int check_value(const struct web_param *param, const char *value,
                       struct error *err)
{
    int64_t number = 0;

    switch (param->type) {
    case WEB_TEXT:
    case WEB_BOOL: /* its JSON type says it */
        return 0;
    case WEB_NAME:
        if (is_name(value))
            return 0;
        error_set(err, ERROR_INPUT, "%s: a name expected", param->name);
        return -1;
    case WEB_RUN:
        if (is_run(value))
            return 0;
        error_set(err, ERROR_INPUT, "%s: a number from 1 on or 'last' expected",
                  param->name);
        return -1;
    case WEB_TIME:
        if (text_parse_int(value, &number) && number >= 0)
            return 0;
        error_set(err, ERROR_INPUT, "%s: milliseconds since 1970 expected",
                  param->name);
        return -1;
    case WEB_INT:
        break;
    }
    if (text_parse_int(value, &number) && number >= param->min && number <= param->max)
        return 0;
    error_set(err, ERROR_INPUT, "%s: a number from %" PRId64 " to %" PRId64 " expected",
              param->name, param->min, param->max);
    return -1;
}

struct web_param web_route_param(const char *name)
{
    struct web_param param = {.name = name, .type = WEB_NAME};

    if (strcmp(name, "run") == 0)
        param.type = WEB_RUN;
    if (strcmp(name, "attempt") == 0) {
        param.type = WEB_INT;
        param.min = 1;
        param.max = INT32_MAX;
    }
    return param;
}

static int check_path(const struct web_route *route, const struct url *url,
                      struct error *err)
{
    const char *at = route->pattern;
    const char *segment;
    size_t len;

    for (size_t i = 0; web_route_segment(&at, &segment, &len); i++) {
        char name[32];
        struct web_param param;

        if (!is_value(segment))
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)len - 2, segment + 1);
        param = web_route_param(name);
        if (check_value(&param, url->segments[i], err) != 0)
            return -1;
    }
    return 0;
}

static const struct web_param *find_param(const struct web_param *params,
                                          const char *name)
{
    for (; params && params->name; params++) {
        if (strcmp(params->name, name) == 0)
            return params;
    }
    return NULL;
}

static int unknown_param(const struct web_param *params, const char *name,
                         struct error *err)
{
    const char *names[URL_MEMBERS];
    size_t count = 0;
    const char *near;

    for (; params && params->name && count < URL_MEMBERS; params++)
        names[count++] = params->name;
    near = text_nearest(name, names, count);
    error_set(err, ERROR_INPUT, "no parameter '%s'%s%s%s", name,
              near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    return -1;
}

static int check_query(const struct web_route *route, const struct url *url,
                       struct error *err)
{
    for (size_t i = 0; i < url->member_count; i++) {
        const struct web_param *param = find_param(route->query, url->members[i].name);

        if (param == NULL)
            return unknown_param(route->query, url->members[i].name, err);
        if (check_value(param, url->members[i].value, err) != 0)
            return -1;
    }
    for (const struct web_param *p = route->query; p && p->name; p++) {
        if (p->required && url_member(url, p->name) == NULL) {
            error_set(err, ERROR_INPUT, "the parameter '%s' is missing", p->name);
            return -1;
        }
    }
    return 0;
}

static int check_body(const struct web_route *route, const json_t *body,
                      struct error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)body, name, value)
    {
        const struct web_param *param = find_param(route->body, name);

        if (param == NULL)
            return unknown_param(route->body, name, err);
        if (param->type == WEB_BOOL ? !json_is_boolean(value) : !json_is_string(value)) {
            error_set(err, ERROR_INPUT, "%s: %s expected", name,
                      param->type == WEB_BOOL ? "true or false" : "a string");
            return -1;
        }
        if (param->type == WEB_BOOL)
            continue;
        if (check_value(param, json_string_value(value), err) != 0)
            return -1;
    }
    for (const struct web_param *p = route->body; p && p->name; p++) {
        if (p->required && json_object_get(body, p->name) == NULL) {
            error_set(err, ERROR_INPUT, "the member '%s' is missing", p->name);
            return -1;
        }
    }
    return 0;
}

int web_route_check(const struct web_route *route, const struct url *url,
                    const json_t *body, struct error *err)
{
    if (check_path(route, url, err) != 0 || check_query(route, url, err) != 0)
        return -1;
    return check_body(route, body, err);
}
