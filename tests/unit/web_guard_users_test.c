/* SPDX-License-Identifier: MIT
 *
 * Users: their passwords, roles and sessions.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "support/guard_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

START_TEST(a_user_is_served_with_the_right_password_only)
{
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_VIEWER), 200);
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_VIEWER), 200);
    ck_assert_int_eq(fixture_basic_status("vera", "anna-password", GUARD_VIEWER), 401);
    ck_assert_int_eq(fixture_basic_status("vera", "", GUARD_VIEWER), 401);
    ck_assert_int_eq(fixture_basic_status("nobody", "vera-password", GUARD_VIEWER),
                     401);
    ck_assert_int_eq(fixture_basic_status("", "", GUARD_VIEWER), 401);
}
END_TEST

START_TEST(the_token_is_the_password_of_token)
{
    ck_assert_int_eq(
        fixture_basic_status("token", guard_token(fixture.guard), GUARD_ADMIN), 200);
    ck_assert_int_eq(fixture_basic_status("token", "token-password", GUARD_VIEWER),
                     401);
}
END_TEST

static const char *const no_basics[] = {
    "Basic",          "Basic ",          "Basic !!!!", "Basic eA==",
    "Basic dmVyYQ==", "Digest dmVyYTp4", "Bearer "};

START_TEST(what_is_no_basic_authentication_is_nobody)
{
    struct guard_request request = fixture_request();

    request.authorization = no_basics[_i];
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
}
END_TEST

START_TEST(a_role_has_the_rights_of_the_lower_ones)
{
    for (int i = 0; i < FIXTURE_USERS; i++) {
        char *password = mem_printf("%s-password", fixture_users[i].name);

        for (int needs = GUARD_VIEWER; needs <= GUARD_ADMIN; needs++)
            ck_assert_int_eq(fixture_basic_status(fixture_users[i].name, password,
                                                  (enum guard_role)needs),
                             (int)fixture_users[i].role >= needs ? 200 : 403);
        free(password);
    }
}
END_TEST

START_TEST(a_change_of_the_users_holds_at_once)
{
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_VIEWER), 200);
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_ADMIN), 403);
    fixture_put_user("vera", GUARD_ADMIN, fixture.hashes[FIXTURE_VERA]);
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_ADMIN), 200);
    fixture_put_user("vera", GUARD_ADMIN, fixture.hashes[FIXTURE_OTTO]);
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_VIEWER), 401);
    ck_assert_int_eq(fixture_basic_status("vera", "otto-password", GUARD_VIEWER), 200);
    fixture_put_user("vera", GUARD_ADMIN, NULL);
    ck_assert_int_eq(fixture_basic_status("vera", "otto-password", GUARD_VIEWER), 401);
}
END_TEST

/* 0: the user is removed; 1: another role; 2: another password; 3: its session, named
 * as another's. */
START_TEST(a_session_ends_with_what_it_was_given_for)
{
    struct guard_request request = fixture_request();
    const struct guard_who who = {.role = GUARD_OPERATOR, .name = "otto"};
    char *cookie = guard_session(fixture.guard, &who, false, clock_wall_ms());

    cookie[strcspn(cookie, ";")] = '\0';
    request.authorization = NULL;
    request.cookie = cookie;
    ck_assert_int_eq(fixture_status(&request, GUARD_OPERATOR), 200);
    ck_assert_int_eq(fixture_status(&request, GUARD_ADMIN), 403);
    if (_i == 0)
        fixture_put_user("otto", GUARD_OPERATOR, NULL);
    else if (_i == 1)
        fixture_put_user("otto", GUARD_ADMIN, fixture.hashes[FIXTURE_OTTO]);
    else if (_i == 2)
        fixture_put_user("otto", GUARD_OPERATOR, fixture.hashes[FIXTURE_VERA]);
    else
        memcpy(strstr(cookie, "otto"), "anna", 4);
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    free(cookie);
}
END_TEST

START_TEST(a_user_that_was_removed_gets_no_session)
{
    struct guard_request request = fixture_request();
    const struct guard_who who = {.role = GUARD_VIEWER, .name = "vera"};
    char *cookie;

    fixture_put_user("vera", GUARD_VIEWER, NULL);
    ck_assert(guard_users_changed(fixture.guard));
    cookie = guard_session(fixture.guard, &who, false, clock_wall_ms());
    cookie[strcspn(cookie, ";")] = '\0';
    request.authorization = NULL;
    request.cookie = cookie;
    ck_assert_int_eq(fixture_status(&request, GUARD_VIEWER), 401);
    free(cookie);
}
END_TEST

/* From many addresses at one user, from one address at many names; all at once, so that
 * it does not matter how long one takes. */
START_TEST(wrong_passwords_are_slowed_down)
{
    struct fixture_answer answers[GUARD_TRIES + 1] = {0};

    for (int i = 0; i <= GUARD_TRIES; i++) {
        char *address = mem_printf("10.0.1.%d", _i == 0 ? i : 0);
        char *name = _i == 0 ? mem_strdup("otto") : mem_printf("guess%d", i);

        guard_verify(fixture.guard, address, name, "wrong", fixture_on_answer,
                     &answers[i]);
        free(address);
        free(name);
    }
    ck_assert_int_eq(answers[GUARD_TRIES].no.status, 429);
    ck_assert_int_ge(answers[GUARD_TRIES].no.after_s, 1);
    for (int i = 0; i < GUARD_TRIES; i++) {
        while (!answers[i].came)
            loop_wait(fixture.loop, INT64_MAX);
        ck_assert_int_eq(answers[i].no.status, 401);
    }
    /* Others are not concerned. */
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_VIEWER), 200);
}
END_TEST

START_TEST(the_same_password_at_once_is_verified_once)
{
    struct fixture_answer answers[5 * GUARD_TRIES] = {0};

    for (int i = 0; i < 5 * GUARD_TRIES; i++)
        guard_verify(fixture.guard, "127.0.0.1", "vera", "vera-password",
                     fixture_on_answer, &answers[i]);
    for (int i = 0; i < 5 * GUARD_TRIES; i++) {
        while (!answers[i].came)
            loop_wait(fixture.loop, INT64_MAX);
        ck_assert_int_eq(answers[i].who.role, GUARD_VIEWER);
    }
}
END_TEST

START_TEST(right_passwords_are_never_slowed_down)
{
    for (int i = 0; i < 3 * GUARD_TRIES; i++) {
        struct fixture_answer answer = {0};

        guard_verify(fixture.guard, "127.0.0.1", "vera", "vera-password",
                     fixture_on_answer, &answer);
        while (!answer.came)
            loop_wait(fixture.loop, INT64_MAX);
        ck_assert_int_eq(answer.who.role, GUARD_VIEWER);
    }
}
END_TEST

START_TEST(passwords_that_wait_when_the_server_ends_are_answered)
{
    struct fixture_answer answers[6] = {0};

    for (int i = 0; i < 6; i++) {
        char *password = mem_printf("%d", i / 2); /* each twice */

        guard_verify(fixture.guard, "127.0.0.1", "vera", password, fixture_on_answer,
                     &answers[i]);
        free(password);
    }
    guard_free(fixture.guard);
    fixture.guard = NULL;
    for (int i = 0; i < 6; i++)
        ck_assert(answers[i].came && answers[i].no.status);
}
END_TEST

START_TEST(a_users_file_that_is_no_good_lets_no_user_in)
{
    struct guard_request request = fixture_request();
    struct error err = {0};

    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_VIEWER), 200);
    ck_assert_int_eq(chmod(fixture.users_path, 0644), 0);
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_VIEWER), 503);
    ck_assert_int_eq(fixture_status(&request, GUARD_ADMIN), 200); /* the token */
    ck_assert_ptr_null(fixture_open_guard(&err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
    ck_assert_int_eq(chmod(fixture.users_path, 0600), 0);
    ck_assert_int_eq(fixture_basic_status("vera", "vera-password", GUARD_VIEWER), 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guard_users");
    TCase *tcase = tcase_create("guard_users");

    tcase_add_test(tcase, a_user_is_served_with_the_right_password_only);
    tcase_add_test(tcase, the_token_is_the_password_of_token);
    tcase_add_loop_test(tcase, what_is_no_basic_authentication_is_nobody, 0,
                        sizeof no_basics / sizeof *no_basics);
    tcase_add_test(tcase, a_role_has_the_rights_of_the_lower_ones);
    tcase_add_test(tcase, a_change_of_the_users_holds_at_once);
    tcase_add_loop_test(tcase, a_session_ends_with_what_it_was_given_for, 0, 4);
    tcase_add_test(tcase, a_user_that_was_removed_gets_no_session);
    tcase_add_loop_test(tcase, wrong_passwords_are_slowed_down, 0, 2);
    tcase_add_test(tcase, the_same_password_at_once_is_verified_once);
    tcase_add_test(tcase, right_passwords_are_never_slowed_down);
    tcase_add_test(tcase, passwords_that_wait_when_the_server_ends_are_answered);
    tcase_add_test(tcase, a_users_file_that_is_no_good_lets_no_user_in);
    return fixture_run(suite, tcase);
}
