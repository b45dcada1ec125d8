/* SPDX-License-Identifier: MIT */
#include "web/routes.h"

#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct web_route *find(const char *method, const char *target,
                                    struct url *url, char allowed[64])
{
    struct error err = {0};

    *url = (struct url){0};
    ck_assert_msg(url_parse(target, url, &err) == 0, "%s", err.text);
    return web_route_find(method, url, allowed);
}

START_TEST(every_route_is_whole_and_found_by_its_own_pattern)
{
    for (const struct web_route *route = web_routes; route->method; route++) {
        char target[128];
        char allowed[64];
        struct url url;

        ck_assert_msg(route->fn && route->doc && route->type, "%s", route->pattern);
        (void)snprintf(target, sizeof target, "%s", route->pattern);
        for (char *c = target; *c; c++) {
            if (*c == '{' || *c == '}')
                *c = 'x';
        }
        ck_assert_msg(find(route->method, target, &url, allowed) == route, "%s %s",
                      route->method, route->pattern);
        url_clear(&url);
    }
}
END_TEST

START_TEST(another_method_is_told_which_there_are)
{
    char allowed[64];
    struct url url;

    ck_assert_ptr_null(find("PUT", "/api/v1/session", &url, allowed));
    ck_assert_str_eq(allowed, "POST, GET, DELETE");
    url_clear(&url);
    ck_assert_ptr_null(find("GET", "/api/v1/nothing", &url, allowed));
    ck_assert_str_eq(allowed, "");
    url_clear(&url);
    ck_assert_ptr_nonnull(find("HEAD", "/healthz", &url, allowed));
    url_clear(&url);
}
END_TEST

static const struct {
    const char *target;
    bool fine;
} checked[] = {
    {"/api/v1/runs", true},
    {"/api/v1/runs?dag=a&state=failed&since=5&limit=1000", true},
    {"/api/v1/runs?limit=0", false},
    {"/api/v1/runs?limit=1001", false},
    {"/api/v1/runs?limit=ten", false},
    {"/api/v1/runs?limit=", false},
    {"/api/v1/runs?since=-1", false},
    {"/api/v1/runs?dag=a%20b", false},
    {"/api/v1/runs?dagg=a", false},
    {"/api/v1/runs/a/1", true},
    {"/api/v1/runs/a/last", true},
    {"/api/v1/runs/a/0", false},
    {"/api/v1/runs/a/-1", false},
    {"/api/v1/runs/a/first", false},
    {"/api/v1/runs/-a/1", false},
    {"/api/v1/runs/a.b/1", false},
    {"/api/v1/runs/a@1/1", false},
    {"/api/v1/runs/a/1?x", false},
    {"/api/v1/runs/a/1/logs/n/0/1?from=-5&limit=10", true},
    {"/api/v1/runs/a/1/logs/n/0/0", false},
    {"/api/v1/runs/a/1/logs/n/0/99999999999999999999", false},
    {"/api/v1/runs/a/1/logs/n/0/1?limit=1048577", false},
};

START_TEST(parameters_are_of_their_type_or_refused)
{
    char allowed[64];
    struct url url;
    struct error err = {0};
    const struct web_route *route = find("GET", checked[_i].target, &url, allowed);
    int rc;

    ck_assert_ptr_nonnull(route);
    rc = web_route_check(route, &url, NULL, &err);
    ck_assert_msg((rc == 0) == checked[_i].fine, "%s: %s", checked[_i].target,
                  err.text);
    url_clear(&url);
}
END_TEST

static const struct {
    const char *target;
    const char *body;
    bool fine;
} bodies[] = {
    {"/api/v1/session", "{\"token\":\"x\"}", true},
    {"/api/v1/session", "{}", true},
    {"/api/v1/session", "{\"token\":1}", false},
    {"/api/v1/session", "{\"token\":\"x\",\"more\":\"y\"}", false},
    {"/api/v1/session", "{\"tokem\":\"x\"}", false},
    {"/api/v1/dags/d/stop", "{\"now\":true}", true},
    {"/api/v1/dags/d/stop", "{\"now\":1}", false},
    {"/api/v1/dags/d/nodes/n/scale", "{\"clients\":1}", true},
    {"/api/v1/dags/d/nodes/n/scale", "{\"clients\":0}", false},
    {"/api/v1/dags/d/nodes/n/scale", "{\"clients\":10001}", false},
    {"/api/v1/dags/d/nodes/n/scale", "{\"clients\":\"1\"}", false},
    {"/api/v1/dags/d/nodes/n/scale", "{\"clients\":1.0}", false},
    {"/api/v1/dags/d/nodes/n/scale", "{}", false},
};

START_TEST(members_of_a_body_are_checked_like_parameters)
{
    char allowed[64];
    struct url url;
    struct error err = {0};
    const struct web_route *route = find("POST", bodies[_i].target, &url, allowed);
    json_t *body = json_parse(bodies[_i].body, strlen(bodies[_i].body), &err);

    ck_assert_ptr_nonnull(body);
    ck_assert_msg((web_route_check(route, &url, body, &err) == 0) == bodies[_i].fine,
                  "%s", bodies[_i].body);
    json_decref(body);
    url_clear(&url);
}
END_TEST

START_TEST(the_openapi_document_has_every_route)
{
    json_t *document = web_openapi();
    const json_t *paths = json_object_get(document, "paths");

    ck_assert_ptr_nonnull(document);
    for (const struct web_route *route = web_routes; route->method; route++) {
        const json_t *path = json_object_get(paths, route->pattern);
        char method[8] = "";
        const json_t *operation;

        for (size_t i = 0; route->method[i]; i++)
            method[i] = (char)(route->method[i] | 0x20);
        operation = json_object_get(path, method);
        ck_assert_msg(operation != NULL, "%s %s", route->method, route->pattern);
        ck_assert_str_eq(json_get_string(operation, "x-dagrun-role", ""),
                         guard_role_name(route->role));
    }
    json_decref(document);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("routes");
    TCase *tcase = tcase_create("routes");

    tcase_add_test(tcase, every_route_is_whole_and_found_by_its_own_pattern);
    tcase_add_test(tcase, another_method_is_told_which_there_are);
    tcase_add_loop_test(tcase, parameters_are_of_their_type_or_refused, 0,
                        sizeof checked / sizeof *checked);
    tcase_add_loop_test(tcase, members_of_a_body_are_checked_like_parameters, 0,
                        sizeof bodies / sizeof *bodies);
    tcase_add_test(tcase, the_openapi_document_has_every_route);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
