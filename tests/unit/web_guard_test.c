/* SPDX-License-Identifier: MIT
 *
 * The guard, and every route of the table under every bad request.
 */
#include "web/guard.h"
#include "web/routes.h"

#include "base/clock.h"
#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PORT = 7117 };

static char folder[64];
static char path[96];
static struct guard *guard;
static char bearer[GUARD_TOKEN_LEN + 16];
static const char *const hosts[] = {"dagrun.example", NULL};

static void set_up(void)
{
    struct error err = {0};

    (void)snprintf(folder, sizeof folder, "/tmp/dagrun-guard-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/web.token", folder);
    guard = guard_open(path, PORT, hosts, &err);
    ck_assert_msg(guard != NULL, "%s", err.text);
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", guard_token(guard));
}

static void tear_down(void)
{
    guard_free(guard);
    (void)unlink(path);
    (void)rmdir(folder);
}

static struct guard_request good(void)
{
    return (struct guard_request){.host = "127.0.0.1:7117",
                                  .host_count = 1,
                                  .authorization = bearer,
                                  .safe = true};
}

static int status_of(const struct guard_request *request, enum guard_role needs)
{
    struct error err = {0};
    int status = 0;

    if (guard_allows(guard, request, needs, &status, &err))
        return 200;
    ck_assert(error_is_set(&err));
    return status;
}

/* ---------------------------------------------------------------------------- token */

START_TEST(a_token_is_made_once_and_only_for_us)
{
    struct error err = {0};
    struct stat st;
    struct guard *again;

    ck_assert_uint_eq(strlen(guard_token(guard)), GUARD_TOKEN_LEN);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    again = guard_open(path, PORT, NULL, &err);
    ck_assert_ptr_nonnull(again);
    ck_assert_str_eq(guard_token(again), guard_token(guard));
    guard_free(again);
}
END_TEST

START_TEST(a_token_that_others_can_read_is_refused)
{
    struct error err = {0};

    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_ptr_null(guard_open(path, PORT, NULL, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
}
END_TEST

static const char *const bad_tokens[] = {
    "", "short\n", "\n", "spaces are not in a token, however long it is\n"};

START_TEST(a_file_without_a_token_is_refused)
{
    struct error err = {0};
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    (void)fputs(bad_tokens[_i], file);
    (void)fclose(file);
    ck_assert_ptr_null(guard_open(path, PORT, NULL, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

START_TEST(only_the_whole_token_is_the_token)
{
    char text[GUARD_TOKEN_LEN + 2];

    ck_assert(guard_is_token(guard, guard_token(guard)));
    ck_assert(!guard_is_token(guard, ""));
    (void)snprintf(text, sizeof text, "%sx", guard_token(guard));
    ck_assert(!guard_is_token(guard, text));
    text[GUARD_TOKEN_LEN - 1] = '\0';
    ck_assert(!guard_is_token(guard, text));
    (void)snprintf(text, sizeof text, "%s", guard_token(guard));
    text[0] = text[0] == 'a' ? 'b' : 'a';
    ck_assert(!guard_is_token(guard, text));
}
END_TEST

/* ----------------------------------------------------------------------------- Host */

static const struct {
    const char *host;
    int status;
} hosts_seen[] = {
    {"127.0.0.1", 200},
    {"127.0.0.1:7117", 200},
    {"10.1.2.3:80", 200},
    {"[::1]:7117", 200},
    {"localhost:7117", 200},
    {"LocalHost", 200},
    {"a.localhost:1", 200},
    {"dagrun.example", 200},
    {"DAGRUN.example:443", 200},
    {"evil.example", 403},
    {"localhost.evil", 403},
    {"xlocalhost", 403},
    {".localhost", 403},
    {"127.0.0.1.evil.example", 403},
    {"127.0.0.1:", 403},
    {"127.0.0.1:x", 403},
    {"127.0.0.1:1:2", 403},
    {"[::1", 403},
    {"[::1]x", 403},
    {"[127.0.0.1]", 403},
    {"[localhost]", 403},
    {"", 403},
    {":7117", 403},
    {"user@127.0.0.1", 403},
    {"0x7f.1", 403},
    {"127.1", 403},
};

START_TEST(only_addresses_localhost_and_allowed_names_are_hosts)
{
    struct guard_request request = good();

    request.host = hosts_seen[_i].host;
    ck_assert_msg(status_of(&request, GUARD_VIEWER) == hosts_seen[_i].status, "%s",
                  request.host);
}
END_TEST

/* -------------------------------------------------------------------------- session */

/* "name=value" of a Set-Cookie; the caller frees. */
static char *cookie_of(int64_t begun_ms)
{
    char *set = guard_session(guard, begun_ms);

    ck_assert_ptr_nonnull(strstr(set, "; HttpOnly; SameSite=Strict"));
    set[strcspn(set, ";")] = '\0';
    return set;
}

START_TEST(a_session_stands_for_the_token_until_it_ends)
{
    struct guard_request request = good();
    char *cookie = cookie_of(clock_wall_ms());
    char *among = mem_printf("a=1; %s; b=2", cookie);
    char *old =
        cookie_of(clock_wall_ms() - (GUARD_SESSION_DAYS * 24LL * 3600 * 1000 + 1));

    request.authorization = NULL;
    request.cookie = cookie;
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 200);
    request.cookie = among;
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 200);
    request.cookie = old;
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    free(cookie);
    free(among);
    free(old);
}
END_TEST

START_TEST(a_session_can_not_be_made_longer_or_for_another_server)
{
    struct guard_request request = good();
    char *cookie = cookie_of(clock_wall_ms());
    char *digit = strchr(cookie, '=') + 1;
    char *other;

    request.authorization = NULL;
    *digit = *digit == '9' ? '8' : '9';
    request.cookie = cookie;
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    free(cookie);
    cookie = cookie_of(clock_wall_ms());
    other = mem_printf("x%s", cookie);
    request.cookie = other;
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    cookie[strcspn(cookie, ".")] = '\0';
    request.cookie = cookie;
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    request.cookie = "dagrun_7117=";
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    request.cookie = "dagrun_7117=.";
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    free(cookie);
    free(other);
}
END_TEST

START_TEST(a_new_token_ends_every_session)
{
    struct guard_request request = good();
    struct error err = {0};
    char *cookie = cookie_of(clock_wall_ms());

    guard_free(guard);
    ck_assert_int_eq(unlink(path), 0);
    guard = guard_open(path, PORT, NULL, &err);
    ck_assert_ptr_nonnull(guard);
    request.cookie = cookie;
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    free(cookie);
}
END_TEST

/* ----------------------------------------------------------------------- the matrix */

struct bad {
    const char *name;
    struct guard_request change; /* what differs from a good request; NULL: as that */
    bool no_host;
    bool no_token;
    bool
        public_is_served; /* public routes ask for no token and take a link from afar */
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

static struct guard_request make_bad(const struct bad *bad,
                                     const struct web_route *route)
{
    struct guard_request request = good();

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

    for (const struct web_route *route = web_routes; route->method; route++) {
        struct guard_request request = make_bad(bad, route);
        bool by_site = bad->change.fetch_site != NULL;
        bool served = bad->public_is_served && route->role == GUARD_PUBLIC &&
                      (!by_site || request.safe);

        ck_assert_msg(status_of(&request, route->role) == (served ? 200 : bad->status),
                      "%s %s: %s", route->method, route->pattern, bad->name);
    }
}
END_TEST

START_TEST(every_route_is_served_to_a_good_request)
{
    for (const struct web_route *route = web_routes; route->method; route++) {
        struct guard_request request = good();

        request.origin = "http://127.0.0.1:7117";
        request.fetch_site = "same-origin";
        request.safe = strcmp(route->method, "GET") == 0;
        ck_assert_msg(status_of(&request, route->role) == 200, "%s %s", route->method,
                      route->pattern);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guard");
    TCase *tcase = tcase_create("guard");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_token_is_made_once_and_only_for_us);
    tcase_add_test(tcase, a_token_that_others_can_read_is_refused);
    tcase_add_loop_test(tcase, a_file_without_a_token_is_refused, 0,
                        sizeof bad_tokens / sizeof *bad_tokens);
    tcase_add_test(tcase, only_the_whole_token_is_the_token);
    tcase_add_loop_test(tcase, only_addresses_localhost_and_allowed_names_are_hosts, 0,
                        sizeof hosts_seen / sizeof *hosts_seen);
    tcase_add_test(tcase, a_session_stands_for_the_token_until_it_ends);
    tcase_add_test(tcase, a_session_can_not_be_made_longer_or_for_another_server);
    tcase_add_test(tcase, a_new_token_ends_every_session);
    tcase_add_loop_test(tcase, no_route_is_served_to_a_bad_request, 0,
                        sizeof bads / sizeof *bads);
    tcase_add_test(tcase, every_route_is_served_to_a_good_request);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
