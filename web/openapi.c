/* SPDX-License-Identifier: MIT
 *
 * The table of routes as an OpenAPI 3.1 document.
 */
#include "web/routes.h"

#include <stdio.h>
#include <string.h>

static const char *param_type(const struct web_param *param)
{
    if (param->type == WEB_BOOL)
        return "boolean";
    return param->type == WEB_INT || param->type == WEB_TIME ? "integer" : "string";
}

static json_t *schema(const struct web_param *param)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "type", json_string(param_type(param)));
    if (param->type == WEB_INT && param->min != INT64_MIN) {
        (void)json_object_set_new(object, "minimum", json_integer(param->min));
        (void)json_object_set_new(object, "maximum", json_integer(param->max));
    }
    return object;
}

static json_t *parameter(const struct web_param *param, const char *place)
{
    return json_pack("{s:s,s:s,s:b,s:s*,s:o}", "name", param->name, "in", place,
                     "required", param->required || strcmp(place, "path") == 0,
                     "description", param->doc, "schema", schema(param));
}

static json_t *parameters(const struct web_route *route)
{
    json_t *list = json_array();
    const char *at = route->pattern;
    const char *segment;
    size_t len;

    while (web_route_segment(&at, &segment, &len)) {
        char name[32];
        struct web_param param;

        if (segment[0] != '{')
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)len - 2, segment + 1);
        param = web_route_param(name);
        (void)json_array_append_new(list, parameter(&param, "path"));
    }
    for (const struct web_param *p = route->query; p && p->name; p++)
        (void)json_array_append_new(list, parameter(p, "query"));
    return list;
}

static json_t *request_body(const struct web_route *route)
{
    json_t *properties = json_object();
    json_t *required = json_array();

    for (const struct web_param *p = route->body; p && p->name; p++) {
        (void)json_object_set_new(
            properties, p->name,
            json_pack("{s:s,s:s*}", "type", param_type(p), "description", p->doc));
        if (p->required)
            (void)json_array_append_new(required, json_string(p->name));
    }
    return json_pack("{s:b,s:{s:{s:{s:s,s:b,s:o,s:o}}}}", "required",
                     json_array_size(required) > 0, "content", "application/json",
                     "schema", "type", "object", "additionalProperties", 0,
                     "properties", properties, "required", required);
}

static json_t *operation(const struct web_route *route)
{
    json_t *object = json_pack(
        "{s:s,s:s,s:o,s:{s:{s:s,s:{s:{}}}}}", "summary", route->doc, "x-dagrun-role",
        guard_role_name(route->role), "parameters", parameters(route), "responses",
        "200", "description", route->doc, "content", route->type);

    if (route->role == GUARD_PUBLIC)
        (void)json_object_set_new(object, "security", json_array());
    if (route->body)
        (void)json_object_set_new(object, "requestBody", request_body(route));
    return object;
}

json_t *web_openapi(void)
{
    json_t *paths = json_object();

    for (const struct web_route *route = web_routes; route->method; route++) {
        json_t *path = json_object_get(paths, route->pattern);
        char method[8];

        if (path == NULL) {
            path = json_object();
            (void)json_object_set_new(paths, route->pattern, path);
        }
        (void)snprintf(method, sizeof method, "%s", route->method);
        for (char *c = method; *c; c++)
            *c = (char)(*c | 0x20);
        (void)json_object_set_new(path, method, operation(route));
    }
    return json_pack("{s:s,s:{s:s,s:s},s:[{s:[]}],s:{s:{s:{s:s,s:s}}},s:o}", "openapi",
                     "3.1.0", "info", "title", "dagrun", "version", DAGRUN_VERSION,
                     "security", "token", "components", "securitySchemes", "token",
                     "type", "http", "scheme", "bearer", "paths", paths);
}
