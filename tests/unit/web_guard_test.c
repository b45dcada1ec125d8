/* SPDX-License-Identifier: MIT
 *
 * The token, the Host and the session.
 */
#include "web/users.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/guard_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------------------- token */

START_TEST(a_token_is_made_once_and_only_for_us)
{
    struct error err = {0};
    struct stat st;
    struct guard *again;

    ck_assert_uint_eq(strlen(guard_token(fixture.guard)), GUARD_TOKEN_LEN);
    ck_assert_int_eq(stat(fixture.path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    again = fixture_open_guard(&err);
    ck_assert_ptr_nonnull(again);
    ck_assert_str_eq(guard_token(again), guard_token(fixture.guard));
    guard_free(again);
}
END_TEST

START_TEST(a_token_that_others_can_read_is_refused)
{
    struct error err = {0};

    ck_assert_int_eq(chmod(fixture.path, 0640), 0);
    ck_assert_ptr_null(fixture_open_guard(&err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
}
END_TEST

static const char *const bad_tokens[] = {
    "", "short\n", "\n", "spaces are not in a token, however long it is\n"};

START_TEST(a_file_without_a_token_is_refused)
{
    struct error err = {0};
    FILE *file = fopen(fixture.path, "w");

    ck_assert_ptr_nonnull(file);
    (void)fputs(bad_tokens[_i], file);
    (void)fclose(file);
    ck_assert_ptr_null(fixture_open_guard(&err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

START_TEST(only_the_whole_token_is_the_token)
{
    char text[GUARD_TOKEN_LEN + 2];

    ck_assert(guard_is_token(fixture.guard, guard_token(fixture.guard)));
    ck_assert(!guard_is_token(fixture.guard, ""));
    (void)snprintf(text, sizeof text, "%sx", guard_token(fixture.guard));
    ck_assert(!guard_is_token(fixture.guard, text));
    text[GUARD_TOKEN_LEN - 1] = '\0';
    ck_assert(!guard_is_token(fixture.guard, text));
    (void)snprintf(text, sizeof text, "%s", guard_token(fixture.guard));
    text[0] = text[0] == 'a' ? 'b' : 'a';
    ck_assert(!guard_is_token(fixture.guard, text));
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
    struct guard_request request = fixture_request();

    request.host = hosts_seen[_i].host;
    ck_assert_msg(fixture_status(&request, GUARD_VIEWER) == hosts_seen[_i].status, "%s",
                  request.host);
}
END_TEST

/* -------------------------------------------------------------------------- session */

/* "name=value" of a Set-Cookie; the caller frees. */
static char *cookie_of(int64_t begun_ms)
{
    const struct guard_who who = {.role = GUARD_ADMIN, .name = USERS_TOKEN};
    char *set = guard_session(fixture.guard, &who, false, begun_ms);

    ck_assert_ptr_nonnull(strstr(set, "; HttpOnly; SameSite=Strict"));
    set[strcspn(set, ";")] = '\0';
    return set;
}

START_TEST(a_session_stands_for_the_token_until_it_ends)
{
    struct guard_request request = fixture_request();
    char *cookie = cookie_of(clock_wall_ms());
    char *among = mem_printf("a=1; %s; b=2", cookie);
    char *old =
        cookie_of(clock_wall_ms() - (GUARD_SESSION_DAYS * 24LL * 3600 * 1000 + 1));

    request.authorization = NULL;
    request.cookie = cookie;
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 200);
    request.cookie = among;
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 200);
    request.cookie = old;
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    free(cookie);
    free(among);
    free(old);
}
END_TEST

START_TEST(a_session_can_not_be_made_longer_or_for_another_server)
{
    struct guard_request request = fixture_request();
    char *cookie = cookie_of(clock_wall_ms());
    char *digit = strchr(cookie, '=') + 1;
    char *other;

    request.authorization = NULL;
    *digit = *digit == '9' ? '8' : '9';
    request.cookie = cookie;
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    free(cookie);
    cookie = cookie_of(clock_wall_ms());
    other = mem_printf("x%s", cookie);
    request.cookie = other;
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    cookie[strcspn(cookie, ".")] = '\0';
    request.cookie = cookie;
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    request.cookie = "dagrun_7117=";
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    request.cookie = "dagrun_7117=.";
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    free(cookie);
    free(other);
}
END_TEST

START_TEST(a_new_token_ends_every_session)
{
    struct guard_request request = fixture_request();
    struct error err = {0};
    char *cookie = cookie_of(clock_wall_ms());

    guard_free(fixture.guard);
    ck_assert_int_eq(unlink(fixture.path), 0);
    fixture.guard = fixture_open_guard(&err);
    ck_assert_ptr_nonnull(fixture.guard);
    request.cookie = cookie;
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    free(cookie);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guard");
    TCase *tcase = tcase_create("guard");

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
    return fixture_run(suite, tcase);
}
