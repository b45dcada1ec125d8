/* SPDX-License-Identifier: MIT */
#include "guard_fixture.h"

#include "web/users.h"

#include "base/mem.h"
#include "suite.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct fixture_user fixture_users[FIXTURE_USERS] = {
    [FIXTURE_ANNA] = {"anna", GUARD_ADMIN},
    [FIXTURE_VERA] = {"vera", GUARD_VIEWER},
    [FIXTURE_OTTO] = {"otto", GUARD_OPERATOR}};
struct fixture fixture;

struct guard *fixture_open_guard(struct error *err)
{
    static const char *const hosts[] = {"dagrun.example", NULL};
    const struct guard_config config = {.loop = fixture.loop,
                                        .token_path = fixture.path,
                                        .users_path = fixture.users_path,
                                        .port = 7117,
                                        .hosts = hosts};

    return guard_open(&config, err);
}

void fixture_put_user(const char *name, enum guard_role role, const char *hash)
{
    struct error err = {0};
    struct users *users = users_open(fixture.users_path, &err);

    ck_assert_ptr_nonnull(users);
    if (hash)
        ck_assert_int_eq(users_put(users, name, role, hash, &err), 0);
    else
        ck_assert(users_remove(users, name));
    ck_assert_int_eq(users_write(users, &err), 0);
    users_free(users);
}

static void begin(void)
{
    struct error err = {0};

    (void)snprintf(fixture.folder, sizeof fixture.folder, "/tmp/dagrun-guard-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture.folder));
    (void)snprintf(fixture.path, sizeof fixture.path, "%s/web.token", fixture.folder);
    (void)snprintf(fixture.users_path, sizeof fixture.users_path, "%s/web.users",
                   fixture.folder);
    for (int i = 0; i < FIXTURE_USERS; i++)
        fixture_put_user(fixture_users[i].name, fixture_users[i].role,
                         fixture.hashes[i]);
    fixture.loop = loop_new(&err);
    fixture.guard = fixture_open_guard(&err);
    ck_assert_msg(fixture.guard != NULL, "%s", err.text);
    (void)snprintf(fixture.bearer, sizeof fixture.bearer, "Bearer %s",
                   guard_token(fixture.guard));
}

static void end(void)
{
    guard_free(fixture.guard);
    loop_free(fixture.loop);
    (void)unlink(fixture.users_path);
    (void)unlink(fixture.path);
    (void)rmdir(fixture.folder);
}

/* Cheap ones: what is tested is who is served, not the cost. */
static void make_hashes(void)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data data = {0};

    for (int i = 0; i < FIXTURE_USERS; i++) {
        char *password = mem_printf("%s-password", fixture_users[i].name);

        if (crypt_gensalt_rn("$y$", 1, NULL, 0, setting, sizeof setting) == NULL)
            abort();
        fixture.hashes[i] = mem_strdup(crypt_rn(password, setting, &data, sizeof data));
        free(password);
    }
}

int fixture_run(Suite *suite, TCase *tcase)
{
    int code;

    make_hashes();
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, end);
    suite_add_tcase(suite, tcase);
    code = suite_run(suite);
    for (int i = 0; i < FIXTURE_USERS; i++)
        free(fixture.hashes[i]);
    return code;
}

struct guard_request fixture_request(void)
{
    return (struct guard_request){.host = "127.0.0.1:7117",
                                  .host_count = 1,
                                  .authorization = fixture.bearer,
                                  .peer = "127.0.0.1",
                                  .safe = true};
}

void fixture_on_answer(void *arg, const struct guard_who *who,
                       const struct guard_refusal *no)
{
    struct fixture_answer *answer = arg;

    ck_assert(!answer->came);
    answer->came = true;
    if (who)
        answer->who = *who;
    else
        answer->no = *no;
}

/* Everything the server does with a request before its route's function. */
static int ask(const struct guard_request *request, enum guard_role needs,
               struct fixture_answer *answer)
{
    *answer = (struct fixture_answer){0};
    if (!guard_admits(fixture.guard, request, needs == GUARD_PUBLIC, &answer->no))
        return answer->no.status;
    if (needs == GUARD_PUBLIC)
        return 200;
    if (!guard_identify(fixture.guard, request, &answer->who, &answer->no)) {
        if (answer->no.status == 0)
            guard_verify_request(fixture.guard, request, fixture_on_answer, answer);
        while (answer->no.status == 0 && !answer->came)
            loop_wait(fixture.loop, INT64_MAX);
        if (answer->no.status)
            return answer->no.status;
    }
    return guard_permits(&answer->who, needs, &answer->no) ? 200 : answer->no.status;
}

int fixture_status(const struct guard_request *request, enum guard_role needs)
{
    struct fixture_answer answer;
    int status = ask(request, needs, &answer);

    ck_assert(status == 200 || *answer.no.text);
    return status;
}

char *fixture_basic(const char *name, const char *password)
{
    char *text = mem_printf("%s:%s", name, password);
    char coded[256];

    (void)EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)text,
                          (int)strlen(text));
    free(text);
    return mem_printf("Basic %s", coded);
}

int fixture_basic_status(const char *name, const char *password, enum guard_role needs)
{
    struct guard_request request = fixture_request();
    char *authorization = fixture_basic(name, password);
    int status;

    request.authorization = authorization;
    status = fixture_status(&request, needs);
    free(authorization);
    return status;
}
