/* SPDX-License-Identifier: MIT
 *
 * guard_fixture.h - a guard with a token and three users, and what it says to a
 * request.
 */
#ifndef TESTS_SUPPORT_GUARD_FIXTURE_H
#define TESTS_SUPPORT_GUARD_FIXTURE_H

#include "web/guard.h"

#include <check.h>

/* The password of each user is its name and "-password". */
enum { FIXTURE_ANNA, FIXTURE_VERA, FIXTURE_OTTO, FIXTURE_USERS };
struct fixture_user {
    const char *name;
    enum guard_role role;
};
extern const struct fixture_user fixture_users[FIXTURE_USERS];

/* Of one test; hashes are of the users' passwords. */
extern struct fixture {
    char *hashes[FIXTURE_USERS];
    char folder[64];
    char path[96]; /* of the token */
    char users_path[96];
    struct loop *loop;
    struct guard *guard;
    char bearer[GUARD_TOKEN_LEN + 16];
} fixture;

struct fixture_answer {
    bool came;
    struct guard_who who;
    struct guard_refusal no;
};

/* suite_run of one case whose tests begin with a new guard each. */
int fixture_run(Suite *suite, TCase *tcase);

/* Another guard over the same files; NULL and err. */
struct guard *fixture_open_guard(struct error *err);
/* hash NULL: remove the user. */
void fixture_put_user(const char *name, enum guard_role role, const char *hash);

/* A request that is served: the token, from here, to here. */
struct guard_request fixture_request(void);
/* "Basic …" of a name and a password; the caller frees. */
char *fixture_basic(const char *name, const char *password);

/* A guard_verify answer into the fixture_answer that arg is. */
void fixture_on_answer(void *arg, const struct guard_who *who,
                       const struct guard_refusal *no);
/* The status that a route of this role gets. */
int fixture_status(const struct guard_request *request, enum guard_role needs);
int fixture_basic_status(const char *name, const char *password, enum guard_role needs);

#endif
