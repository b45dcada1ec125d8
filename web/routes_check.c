/* SPDX-License-Identifier: MIT */
#include "web/routes.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128 };

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

bool web_route_is_action(const struct web_route *route)
{
    return route->role > GUARD_VIEWER && strcmp(route->method, "GET") != 0;
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

static int not_in_range(const struct web_param *param, struct error *err)
{
    error_set(err, ERROR_INPUT, "%s: a number from %" PRId64 " to %" PRId64 " expected",
              param->name, param->min, param->max);
    return -1;
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
    return not_in_range(param, err);
}

/* A member of a body: of its type in JSON, too. */
static int check_member(const struct web_param *param, const json_t *value,
                        struct error *err)
{
    if (param->type == WEB_INT) {
        json_int_t number = json_integer_value(value);

        if (json_is_integer(value) && number >= param->min && number <= param->max)
            return 0;
        return not_in_range(param, err);
    }
    if (param->type == WEB_BOOL ? !json_is_boolean(value) : !json_is_string(value)) {
        error_set(err, ERROR_INPUT, "%s: %s expected", param->name,
                  param->type == WEB_BOOL ? "true or false" : "a string");
        return -1;
    }
    return param->type == WEB_BOOL ? 0 : check_value(param, json_string_value(value), err);
}

struct web_param web_route_param(const char *name)
{
    struct web_param param = {.name = name, .type = WEB_NAME};

    if (strcmp(name, "run") == 0)
        param.type = WEB_RUN;
    if (strcmp(name, "attempt") == 0 || strcmp(name, "partition") == 0 ||
        strcmp(name, "offset") == 0) {
        param.type = WEB_INT;
        param.min = strcmp(name, "attempt") == 0;
        param.max = strcmp(name, "offset") == 0 ? INT64_MAX - 1 : INT32_MAX;
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
        if (check_member(param, value, err) != 0)
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
