/* SPDX-License-Identifier: MIT
 *
 * The guard, and every route of the table under every bad request.
 */
#include "web/guard.h"
#include "web/routes.h"
#include "web/users.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/suite.h"

#include <check.h>
#include <crypt.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PORT = 7117 };

/* Users of the tests; the password of each is its name and "-password". */
enum { ANNA, VERA, OTTO, USERS };
static const struct {
    const char *name;
    enum guard_role role;
} people[USERS] = {[ANNA] = {"anna", GUARD_ADMIN},
                   [VERA] = {"vera", GUARD_VIEWER},
                   [OTTO] = {"otto", GUARD_OPERATOR}};
static char *hashes[USERS];

static char folder[64];
static char path[96];
static char users_path[96];
static struct loop *loop;
static struct guard *guard;
static char bearer[GUARD_TOKEN_LEN + 16];
static const char *const hosts[] = {"dagrun.example", NULL};

static struct guard *open_guard(struct error *err)
{
    const struct guard_config config = {.loop = loop,
                                        .token_path = path,
                                        .users_path = users_path,
                                        .port = PORT,
                                        .hosts = hosts};

    return guard_open(&config, err);
}

static void put_user(const char *name, enum guard_role role, const char *hash)
{
    struct error err = {0};
    struct users *users = users_open(users_path, &err);

    ck_assert_ptr_nonnull(users);
    if (hash)
        ck_assert_int_eq(users_put(users, name, role, hash, &err), 0);
    else
        ck_assert(users_remove(users, name));
    ck_assert_int_eq(users_write(users, &err), 0);
    users_free(users);
}

static void set_up(void)
{
    struct error err = {0};

    (void)snprintf(folder, sizeof folder, "/tmp/dagrun-guard-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/web.token", folder);
    (void)snprintf(users_path, sizeof users_path, "%s/web.users", folder);
    for (int i = 0; i < USERS; i++)
        put_user(people[i].name, people[i].role, hashes[i]);
    loop = loop_new(&err);
    guard = open_guard(&err);
    ck_assert_msg(guard != NULL, "%s", err.text);
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", guard_token(guard));
}

static void tear_down(void)
{
    guard_free(guard);
    loop_free(loop);
    (void)unlink(users_path);
    (void)unlink(path);
    (void)rmdir(folder);
}

/* Cheap ones: what is tested is who is served, not the cost. */
static void make_hashes(void)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data data = {0};

    for (int i = 0; i < USERS; i++) {
        char *password = mem_printf("%s-password", people[i].name);

        if (crypt_gensalt_rn("$y$", 1, NULL, 0, setting, sizeof setting) == NULL)
            abort();
        hashes[i] = mem_strdup(crypt_rn(password, setting, &data, sizeof data));
        free(password);
    }
}

static struct guard_request good(void)
{
    return (struct guard_request){.host = "127.0.0.1:7117",
                                  .host_count = 1,
                                  .authorization = bearer,
                                  .peer = "127.0.0.1",
                                  .safe = true};
}

struct answer {
    bool came;
    struct guard_who who;
    struct guard_refusal no;
};

static void on_answer(void *arg, const struct guard_who *who,
                      const struct guard_refusal *no)
{
    struct answer *answer = arg;

    ck_assert(!answer->came);
    answer->came = true;
    if (who)
        answer->who = *who;
    else
        answer->no = *no;
}

/* Everything the server does with a request before its route's function. */
static int ask(const struct guard_request *request, enum guard_role needs,
               struct answer *answer)
{
    *answer = (struct answer){0};
    if (!guard_admits(guard, request, needs == GUARD_PUBLIC, &answer->no))
        return answer->no.status;
    if (needs == GUARD_PUBLIC)
        return 200;
    if (!guard_identify(guard, request, &answer->who, &answer->no)) {
        if (answer->no.status == 0)
            guard_verify_request(guard, request, on_answer, answer);
        while (answer->no.status == 0 && !answer->came)
            loop_wait(loop, INT64_MAX);
        if (answer->no.status)
            return answer->no.status;
    }
    return guard_permits(&answer->who, needs, &answer->no) ? 200 : answer->no.status;
}

static int status_of(const struct guard_request *request, enum guard_role needs)
{
    struct answer answer;
    int status = ask(request, needs, &answer);

    ck_assert(status == 200 || *answer.no.text);
    return status;
}

/* "Basic …" of a name and a password; the caller frees. */
static char *basic(const char *name, const char *password)
{
    char *text = mem_printf("%s:%s", name, password);
    char coded[256];

    (void)EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)text,
                          (int)strlen(text));
    free(text);
    return mem_printf("Basic %s", coded);
}

static int basic_status(const char *name, const char *password, enum guard_role needs)
{
    struct guard_request request = good();
    char *authorization = basic(name, password);
    int status;

    request.authorization = authorization;
    status = status_of(&request, needs);
    free(authorization);
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
    again = open_guard(&err);
    ck_assert_ptr_nonnull(again);
    ck_assert_str_eq(guard_token(again), guard_token(guard));
    guard_free(again);
}
END_TEST

START_TEST(a_token_that_others_can_read_is_refused)
{
    struct error err = {0};

    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_ptr_null(open_guard(&err));
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
    ck_assert_ptr_null(open_guard(&err));
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
    const struct guard_who who = {.role = GUARD_ADMIN, .name = USERS_TOKEN};
    char *set = guard_session(guard, &who, false, begun_ms);

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
    guard = open_guard(&err);
    ck_assert_ptr_nonnull(guard);
    request.cookie = cookie;
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    free(cookie);
}
END_TEST

/* ---------------------------------------------------------------------------- users */

START_TEST(a_user_is_served_with_the_right_password_only)
{
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_VIEWER), 200);
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_VIEWER), 200);
    ck_assert_int_eq(basic_status("vera", "anna-password", GUARD_VIEWER), 401);
    ck_assert_int_eq(basic_status("vera", "", GUARD_VIEWER), 401);
    ck_assert_int_eq(basic_status("nobody", "vera-password", GUARD_VIEWER), 401);
    ck_assert_int_eq(basic_status("", "", GUARD_VIEWER), 401);
}
END_TEST

START_TEST(the_token_is_the_password_of_token)
{
    ck_assert_int_eq(basic_status("token", guard_token(guard), GUARD_ADMIN), 200);
    ck_assert_int_eq(basic_status("token", "token-password", GUARD_VIEWER), 401);
}
END_TEST

static const char *const no_basics[] = {
    "Basic",          "Basic ",          "Basic !!!!", "Basic eA==",
    "Basic dmVyYQ==", "Digest dmVyYTp4", "Bearer "};

START_TEST(what_is_no_basic_authentication_is_nobody)
{
    struct guard_request request = good();

    request.authorization = no_basics[_i];
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
}
END_TEST

START_TEST(a_role_has_the_rights_of_the_lower_ones)
{
    for (int i = 0; i < USERS; i++) {
        char *password = mem_printf("%s-password", people[i].name);

        for (int needs = GUARD_VIEWER; needs <= GUARD_ADMIN; needs++)
            ck_assert_int_eq(
                basic_status(people[i].name, password, (enum guard_role)needs),
                (int)people[i].role >= needs ? 200 : 403);
        free(password);
    }
}
END_TEST

START_TEST(a_change_of_the_users_holds_at_once)
{
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_VIEWER), 200);
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_ADMIN), 403);
    put_user("vera", GUARD_ADMIN, hashes[VERA]);
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_ADMIN), 200);
    put_user("vera", GUARD_ADMIN, hashes[OTTO]);
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_VIEWER), 401);
    ck_assert_int_eq(basic_status("vera", "otto-password", GUARD_VIEWER), 200);
    put_user("vera", GUARD_ADMIN, NULL);
    ck_assert_int_eq(basic_status("vera", "otto-password", GUARD_VIEWER), 401);
}
END_TEST

/* 0: the user is removed; 1: another role; 2: another password; 3: its session, named
 * as another's. */
START_TEST(a_session_ends_with_what_it_was_given_for)
{
    struct guard_request request = good();
    const struct guard_who who = {.role = GUARD_OPERATOR, .name = "otto"};
    char *cookie = guard_session(guard, &who, false, clock_wall_ms());

    cookie[strcspn(cookie, ";")] = '\0';
    request.authorization = NULL;
    request.cookie = cookie;
    ck_assert_int_eq(status_of(&request, GUARD_OPERATOR), 200);
    ck_assert_int_eq(status_of(&request, GUARD_ADMIN), 403);
    if (_i == 0)
        put_user("otto", GUARD_OPERATOR, NULL);
    else if (_i == 1)
        put_user("otto", GUARD_ADMIN, hashes[OTTO]);
    else if (_i == 2)
        put_user("otto", GUARD_OPERATOR, hashes[VERA]);
    else
        memcpy(strstr(cookie, "otto"), "anna", 4);
    ck_assert_int_eq(status_of(&request, GUARD_VIEWER), 401);
    free(cookie);
}
END_TEST

/* From many addresses at one user, from one address at many names; all at once, so that
 * it does not matter how long one takes. */
START_TEST(wrong_passwords_are_slowed_down)
{
    struct answer answers[GUARD_TRIES + 1] = {0};

    for (int i = 0; i <= GUARD_TRIES; i++) {
        char *address = mem_printf("10.0.1.%d", _i == 0 ? i : 0);
        char *name = _i == 0 ? mem_strdup("otto") : mem_printf("guess%d", i);

        guard_verify(guard, address, name, "wrong", on_answer, &answers[i]);
        free(address);
        free(name);
    }
    ck_assert_int_eq(answers[GUARD_TRIES].no.status, 429);
    ck_assert_int_ge(answers[GUARD_TRIES].no.after_s, 1);
    for (int i = 0; i < GUARD_TRIES; i++) {
        while (!answers[i].came)
            loop_wait(loop, INT64_MAX);
        ck_assert_int_eq(answers[i].no.status, 401);
    }
    /* Others are not concerned. */
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_VIEWER), 200);
}
END_TEST

START_TEST(the_same_password_at_once_is_verified_once)
{
    struct answer answers[5 * GUARD_TRIES] = {0};

    for (int i = 0; i < 5 * GUARD_TRIES; i++)
        guard_verify(guard, "127.0.0.1", "vera", "vera-password", on_answer,
                     &answers[i]);
    for (int i = 0; i < 5 * GUARD_TRIES; i++) {
        while (!answers[i].came)
            loop_wait(loop, INT64_MAX);
        ck_assert_int_eq(answers[i].who.role, GUARD_VIEWER);
    }
}
END_TEST

START_TEST(right_passwords_are_never_slowed_down)
{
    for (int i = 0; i < 3 * GUARD_TRIES; i++) {
        struct answer answer = {0};

        guard_verify(guard, "127.0.0.1", "vera", "vera-password", on_answer, &answer);
        while (!answer.came)
            loop_wait(loop, INT64_MAX);
        ck_assert_int_eq(answer.who.role, GUARD_VIEWER);
    }
}
END_TEST

START_TEST(passwords_that_wait_when_the_server_ends_are_answered)
{
    struct answer answers[6] = {0};

    for (int i = 0; i < 6; i++) {
        char *password = mem_printf("%d", i / 2); /* each twice */

        guard_verify(guard, "127.0.0.1", "vera", password, on_answer, &answers[i]);
        free(password);
    }
    guard_free(guard);
    guard = NULL;
    for (int i = 0; i < 6; i++)
        ck_assert(answers[i].came && answers[i].no.status);
}
END_TEST

START_TEST(a_users_file_that_is_no_good_lets_no_user_in)
{
    struct guard_request request = good();
    struct error err = {0};

    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_VIEWER), 200);
    ck_assert_int_eq(chmod(users_path, 0644), 0);
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_VIEWER), 503);
    ck_assert_int_eq(status_of(&request, GUARD_ADMIN), 200); /* the token */
    ck_assert_ptr_null(open_guard(&err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
    ck_assert_int_eq(chmod(users_path, 0600), 0);
    ck_assert_int_eq(basic_status("vera", "vera-password", GUARD_VIEWER), 200);
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

    guard_free(guard);
    guard = open_guard(&err);
    ck_assert_ptr_nonnull(guard);
}

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
    char *authorization = bad->user ? basic(bad->user, bad->password) : NULL;
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
        status = status_of(&request, route->role);
        ck_assert_msg(status == (served ? 200 : bad->status), "%s %s: %s, %d",
                      route->method, route->pattern, bad->name, status);
    }
    free(authorization);
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
    int code;

    make_hashes();
    tcase_set_timeout(tcase, 60);
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
    tcase_add_test(tcase, a_user_is_served_with_the_right_password_only);
    tcase_add_test(tcase, the_token_is_the_password_of_token);
    tcase_add_loop_test(tcase, what_is_no_basic_authentication_is_nobody, 0,
                        sizeof no_basics / sizeof *no_basics);
    tcase_add_test(tcase, a_role_has_the_rights_of_the_lower_ones);
    tcase_add_test(tcase, a_change_of_the_users_holds_at_once);
    tcase_add_loop_test(tcase, a_session_ends_with_what_it_was_given_for, 0, 4);
    tcase_add_loop_test(tcase, wrong_passwords_are_slowed_down, 0, 2);
    tcase_add_test(tcase, the_same_password_at_once_is_verified_once);
    tcase_add_test(tcase, right_passwords_are_never_slowed_down);
    tcase_add_test(tcase, passwords_that_wait_when_the_server_ends_are_answered);
    tcase_add_test(tcase, a_users_file_that_is_no_good_lets_no_user_in);
    tcase_add_loop_test(tcase, no_route_is_served_to_a_bad_request, 0,
                        sizeof bads / sizeof *bads);
    tcase_add_test(tcase, every_route_is_served_to_a_good_request);
    suite_add_tcase(suite, tcase);
    code = suite_run(suite);
    for (int i = 0; i < USERS; i++)
        free(hashes[i]);
    return code;
}
