/* SPDX-License-Identifier: MIT
 *
 * Every route of the table under every bad request.
 */
#include "web/routes.h"

#include "support/guard_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bad {
    const char *name;
    struct guard_request change; /* what differs from a good request; NULL: as that */
    bool no_host;
    bool no_token;
    bool
        public_is_served; /* public routes ask for no token and take a link from afar */
    enum guard_role has;  /* routes of this role and below are served; 0: none */
    const char *user;     /* with this password, in place of the token */
    const char *password;
    int status;
};

static const struct bad bads[] = {
    {.name = "no token", .no_token = true, .public_is_served = true, .status = 401},
    {.name = "bad token",
     .change = {.authorization = "Bearer 0123456789abcdef0123456789abcdef"},
     .public_is_served = true,
     .status = 401},
    {.name = "token as Basic",
     .change = {.authorization = "Basic eDp5"},
     .public_is_served = true,
     .status = 401},
    {.name = "bad cookie",
     .change = {.cookie = "dagrun_7117=99999999999999.00"},
     .no_token = true,
     .public_is_served = true,
     .status = 401},
    {.name = "wrong password",
     .user = "anna",
     .password = "wrong-password",
     .public_is_served = true,
     .status = 401},
    {.name = "removed user",
     .user = "gone",
     .password = "gone-password",
     .public_is_served = true,
     .status = 401},
    {.name = "viewer",
     .user = "vera",
     .password = "vera-password",
     .public_is_served = true,
     .has = GUARD_VIEWER,
     .status = 403},
    {.name = "operator",
     .user = "otto",
     .password = "otto-password",
     .public_is_served = true,
     .has = GUARD_OPERATOR,
     .status = 403},
    {.name = "admin from another site",
     .user = "anna",
     .password = "anna-password",
     .change = {.fetch_site = "cross-site"},
     .public_is_served = true,
     .status = 403},
    {.name = "wrong Host", .change = {.host = "evil.example"}, .status = 403},
    {.name = "missing Host", .no_host = true, .status = 400},
    {.name = "two Hosts", .change = {.host_count = 2}, .status = 400},
    {.name = "wrong Origin",
     .change = {.origin = "http://evil.example"},
     .status = 403},
    {.name = "null Origin", .change = {.origin = "null"}, .status = 403},
    {.name = "Origin of another port",
     .change = {.origin = "http://127.0.0.1:8000"},
     .status = 403},
    {.name = "cross-site",
     .change = {.fetch_site = "cross-site"},
     .public_is_served = true,
     .status = 403},
    {.name = "same-site",
     .change = {.fetch_site = "same-site"},
     .public_is_served = true,
     .status = 403},
};

static void forget_tries(void)
{
    struct error err = {0};

    guard_free(fixture.guard);
    fixture.guard = fixture_open_guard(&err);
    ck_assert_ptr_nonnull(fixture.guard);
}

static struct guard_request make_bad(const struct bad *bad,
                                     const struct web_route *route)
{
    struct guard_request request = fixture_request();

    request.safe = strcmp(route->method, "GET") == 0;
    if (bad->no_token)
        request.authorization = NULL;
    if (bad->change.authorization)
        request.authorization = bad->change.authorization;
    if (bad->change.cookie)
        request.cookie = bad->change.cookie;
    if (bad->change.host)
        request.host = bad->change.host;
    if (bad->change.host_count)
        request.host_count = bad->change.host_count;
    if (bad->no_host) {
        request.host = NULL;
        request.host_count = 0;
    }
    request.origin = bad->change.origin;
    request.fetch_site = bad->change.fetch_site;
    return request;
}

START_TEST(no_route_is_served_to_a_bad_request)
{
    const struct bad *bad = &bads[_i];
    char *authorization = bad->user ? fixture_basic(bad->user, bad->password) : NULL;
    char peer[32];
    int tries = 0;

    for (const struct web_route *route = web_routes; route->method; route++) {
        struct guard_request request = make_bad(bad, route);
        bool by_site = bad->change.fetch_site != NULL;
        bool served = (bad->public_is_served && route->role == GUARD_PUBLIC &&
                       (!by_site || request.safe)) ||
                      (route->role != GUARD_PUBLIC && route->role <= bad->has);
        int status;

        /* A new guard now and then: what is tested is not how often one may try. */
        (void)snprintf(peer, sizeof peer, "10.0.0.%d", tries);
        request.peer = peer;
        if (authorization)
            request.authorization = authorization;
        if (++tries % GUARD_TRIES == 0)
            forget_tries();
        status = fixture_status(&request, route->role);
        ck_assert_msg(status == (served ? 200 : bad->status), "%s %s: %s, %d",
                      route->method, route->pattern, bad->name, status);
    }
    free(authorization);
}
END_TEST

START_TEST(every_route_is_served_to_a_good_request)
{
    for (const struct web_route *route = web_routes; route->method; route++) {
        struct guard_request request = fixture_request();

        request.origin = "http://127.0.0.1:7117";
        request.fetch_site = "same-origin";
        request.safe = strcmp(route->method, "GET") == 0;
        ck_assert_msg(fixture_status(&request, route->role) == 200, "%s %s",
                      route->method, route->pattern);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guard_routes");
    TCase *tcase = tcase_create("guard_routes");

    tcase_add_loop_test(tcase, no_route_is_served_to_a_bad_request, 0,
                        sizeof bads / sizeof *bads);
    tcase_add_test(tcase, every_route_is_served_to_a_good_request);
    return fixture_run(suite, tcase);
}
