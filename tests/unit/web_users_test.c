/* SPDX-License-Identifier: MIT
 *
 * The file of the users, passwords, and how often something may be tried.
 */
#include "web/password.h"
#include "web/throttle.h"
#include "web/users.h"

#include "base/mem.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH "$y$j75$I2XNNKor/4gVTh967zWsc/$bUQ.w5eEHd84n/jkndSelVj1lUc/P4d/FLJZpxTdf2A"

static char folder[64];
static char path[96];

static void set_up(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/dagrun-users-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/web.users", folder);
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    (void)fclose(file);
    ck_assert_int_eq(chmod(path, mode), 0);
}

/* ----------------------------------------------------------------------------- users
 */

START_TEST(no_file_is_no_users)
{
    struct error err = {0};
    struct users *users = users_open(path, &err);

    ck_assert_ptr_nonnull(users);
    ck_assert_uint_eq(users_count(users), 0);
    ck_assert_ptr_null(users_find(users, "anna"));
    users_free(users);
}
END_TEST

START_TEST(users_are_written_and_read_again_by_name)
{
    struct error err = {0};
    struct users *users = users_open(path, &err);
    struct users *other = users_open(path, &err);
    struct stat st;

    ck_assert_int_eq(users_put(users, "vera", GUARD_VIEWER, HASH, &err), 0);
    ck_assert_int_eq(users_put(users, "anna", GUARD_VIEWER, HASH, &err), 0);
    ck_assert_int_eq(users_put(users, "otto", GUARD_OPERATOR, HASH, &err), 0);
    ck_assert_int_eq(users_put(users, "anna", GUARD_ADMIN, HASH, &err), 0);
    ck_assert(users_remove(users, "otto"));
    ck_assert(!users_remove(users, "otto"));
    ck_assert_int_eq(users_write(users, &err), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(users_refresh(other, &err), 0);
    ck_assert_uint_eq(users_count(other), 2);
    ck_assert_str_eq(users_at(other, 0)->name, "anna");
    ck_assert_int_eq(users_at(other, 0)->role, GUARD_ADMIN);
    ck_assert_str_eq(users_at(other, 1)->name, "vera");
    ck_assert_str_eq(users_find(other, "vera")->hash, HASH);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(users_refresh(other, &err), 0);
    ck_assert_uint_eq(users_count(other), 0);
    users_free(users);
    users_free(other);
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} bad_files[] = {
    {"anna\n", "web.users:1: NAME:ROLE:HASH expected"},
    {"anna:admin\n", "web.users:1: NAME:ROLE:HASH expected"},
    {"vera:viewer:" HASH "\nanna:boss:" HASH "\n", "web.users:2: 'boss' is no role"},
    {"anna:public:" HASH "\n", "'public' is no role"},
    {"anna:admin:secret\n", "web.users:1: this is no hash"},
    {"anna:admin:\n", "web.users:1: this is no hash"},
    {"a b:admin:" HASH "\n", "web.users:1: a user's name has"},
    {":admin:" HASH "\n", "web.users:1: a user's name has"},
    {"token:admin:" HASH "\n", "web.users:1: no user is named 'token'"},
    {"anna:admin:" HASH "\nanna:viewer:" HASH "\n", "web.users:2: there is a 'anna'"},
};

START_TEST(a_line_that_is_no_user_makes_the_file_unusable)
{
    struct error err = {0};

    write_file(bad_files[_i].text, 0600);
    ck_assert_ptr_null(users_open(path, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_msg(strstr(err.text, bad_files[_i].says) != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_file_that_others_can_open_is_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610};
    struct error err = {0};

    write_file("anna:admin:" HASH "\n", modes[_i]);
    ck_assert_ptr_null(users_open(path, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
}
END_TEST

START_TEST(a_file_of_somebody_else_is_refused)
{
    struct error err = {0};

    write_file("anna:admin:" HASH "\n", 0600);
    if (geteuid() != 0 || chown(path, 65534, (gid_t)-1) != 0)
        return; /* only root can make one */
    ck_assert_ptr_null(users_open(path, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "chown"));
}
END_TEST

START_TEST(a_link_or_a_folder_in_its_place_is_refused)
{
    struct error err = {0};

    ck_assert_int_eq(_i == 0 ? symlink("/etc/passwd", path) : mkdir(path, 0700), 0);
    ck_assert_ptr_null(users_open(path, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    if (_i == 1)
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* ------------------------------------------------------------------------- passwords
 */

START_TEST(a_password_matches_its_hash_and_no_other)
{
    struct error err = {0};
    char *hash = password_hash("correct horse", &err);
    char *again = password_hash("correct horse", &err);

    ck_assert_ptr_nonnull(hash);
    ck_assert_int_eq(strncmp(hash, "$y$", 3), 0);
    ck_assert_str_ne(hash, again); /* each has a salt of its own */
    ck_assert(password_is_hash(hash));
    ck_assert(password_matches("correct horse", hash));
    ck_assert(password_matches("correct horse", again));
    ck_assert(!password_matches("correct horsf", hash));
    ck_assert(!password_matches("", hash));
    ck_assert(!password_matches("correct horse", NULL));
    ck_assert(!password_matches("correct horse", "*0"));
    free(hash);
    free(again);
}
END_TEST

START_TEST(short_long_and_strange_passwords_are_refused)
{
    static const char *const bad[] = {"", "1234567", "12345678\n", "1234\t5678"};
    char text[PASSWORD_MAX + 2];
    struct error err = {0};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct error){0};
        ck_assert_int_eq(password_check(bad[i], &err), -1);
        ck_assert_int_eq(err.kind, ERROR_INPUT);
    }
    memset(text, 'x', sizeof text);
    text[PASSWORD_MAX + 1] = '\0';
    err = (struct error){0};
    ck_assert_int_eq(password_check(text, &err), -1);
    text[PASSWORD_MAX] = '\0';
    err = (struct error){0};
    ck_assert_int_eq(password_check(text, &err), 0);
    ck_assert_int_eq(password_check("p\xc3\xa4ssw\xc3\xb6rt", &err), 0);
}
END_TEST

/* -------------------------------------------------------------------------- throttle
 */

START_TEST(a_throttle_lets_some_through_and_then_one_at_a_time)
{
    struct throttle *throttle = throttle_new(3, 1000);

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(throttle_wait_ms(throttle, "a", 5000), 0);
        throttle_take(throttle, "a", 5000);
    }
    ck_assert_int_eq(throttle_wait_ms(throttle, "a", 5000), 1000);
    ck_assert_int_eq(throttle_wait_ms(throttle, "a", 5999), 1);
    ck_assert_int_eq(throttle_wait_ms(throttle, "a", 6000), 0);
    throttle_take(throttle, "a", 6000);
    ck_assert_int_eq(throttle_wait_ms(throttle, "a", 6000), 1000);
    throttle_give_back(throttle, "a");
    ck_assert_int_eq(throttle_wait_ms(throttle, "a", 6000), 0);
    for (int i = 0; i < 3; i++)
        throttle_take(throttle, "a", 1000000);
    ck_assert_int_eq(throttle_wait_ms(throttle, "a", 1000000), 1000);
    throttle_free(throttle);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("users");
    TCase *tcase = tcase_create("users");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, no_file_is_no_users);
    tcase_add_test(tcase, users_are_written_and_read_again_by_name);
    tcase_add_loop_test(tcase, a_line_that_is_no_user_makes_the_file_unusable, 0,
                        sizeof bad_files / sizeof *bad_files);
    tcase_add_loop_test(tcase, a_file_that_others_can_open_is_refused, 0, 5);
    tcase_add_test(tcase, a_file_of_somebody_else_is_refused);
    tcase_add_loop_test(tcase, a_link_or_a_folder_in_its_place_is_refused, 0, 2);
    tcase_add_test(tcase, a_password_matches_its_hash_and_no_other);
    tcase_add_test(tcase, short_long_and_strange_passwords_are_refused);
    tcase_add_test(tcase, a_throttle_lets_some_through_and_then_one_at_a_time);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
