/* SPDX-License-Identifier: MIT */
#include "web/guard_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

const char *guard_role_name(enum guard_role role)
{
    static const char *const names[] = {"public", "viewer", "operator", "admin"};

    return names[role];
}

void guard_hex(const unsigned char *bytes, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

bool guard_is_same(const char *a, const char *b)
{
    size_t len = strlen(a);
    size_t other = strlen(b);
    unsigned int difference = len != other;

    for (size_t i = 0; i < other; i++)
        difference |= (unsigned char)a[len ? i % len : 0] ^ (unsigned char)b[i];
    return difference == 0;
}

bool guard_refuse(struct guard_refusal *no, int status, const char *text)
{
    no->status = status;
    (void)snprintf(no->text, sizeof no->text, "%.*s", (int)sizeof no->text - 1, text);
    return false;
}

void guard_token_is(struct guard_who *who)
{
    who->role = GUARD_ADMIN;
    (void)snprintf(who->name, sizeof who->name, USERS_TOKEN);
}

void guard_user_is(struct guard_who *who, const struct user *user)
{
    who->role = user->role;
    (void)snprintf(who->name, sizeof who->name, "%s", user->name);
}

struct guard *guard_open(const struct guard_config *config, struct error *err)
{
    struct guard *guard = mem_alloc(sizeof *guard);

    guard->token = guard_token_load(config->token_path, err);
    guard->users = guard->token ? users_open(config->users_path, err) : NULL;
    guard->cookie = mem_printf("dagrun_%d", config->port);
    guard->hosts = config->hosts;
    guard->verifier = verifier_new(config->loop);
    guard->addresses = throttle_new(GUARD_TRIES, GUARD_TRY_MS);
    guard->names = throttle_new(GUARD_TRIES, GUARD_TRY_MS);
    if (getrandom(guard->key, sizeof guard->key, 0) != (ssize_t)sizeof guard->key)
        error_set(err, ERROR_INTERNAL, "no random numbers");
    if (!error_is_set(err))
        return guard;
    guard_free(guard);
    return NULL;
}

void guard_free(struct guard *guard)
{
    if (guard == NULL)
        return;
    verifier_free(guard->verifier);
    users_free(guard->users);
    throttle_free(guard->addresses);
    throttle_free(guard->names);
    explicit_bzero(guard->key, sizeof guard->key);
    free(guard->token);
    free(guard->cookie);
    free(guard);
}

const char *guard_token(const struct guard *guard)
{
    return guard->token;
}

size_t guard_user_count(const struct guard *guard)
{
    return users_count(guard->users);
}

bool guard_is_token(const struct guard *guard, const char *text)
{
    return guard_is_same(guard->token, text);
}

static bool has_bearer(const struct guard *guard, const char *authorization)
{
    static const char scheme[] = "Bearer ";

    return authorization &&
           strncasecmp(authorization, scheme, sizeof scheme - 1) == 0 &&
           guard_is_token(guard, authorization + sizeof scheme - 1);
}

enum basic { BASIC_NONE, BASIC_KNOWN, BASIC_TO_VERIFY };

static enum basic look_at_basic(struct guard *guard, const char *authorization,
                                struct guard_who *who)
{
    const char *name;
    const char *password;
    char *text = guard_basic(authorization, &name, &password);
    enum basic basic = BASIC_TO_VERIFY;

    if (text == NULL)
        return BASIC_NONE;
    if (guard_password_known(guard, name, password, who))
        basic = BASIC_KNOWN;
    guard_wipe(text);
    return basic;
}

bool guard_users_refresh(struct guard *guard)
{
    struct error err = {0};
    bool fine = users_refresh(guard->users, &err) == 0;

    if (!fine && !guard->users_refused)
        log_write(LOG_ERROR, "web", NULL, "%s; until then no user is served", err.text);
    guard->users_refused = !fine;
    return fine;
}

bool guard_users_changed(struct guard *guard)
{
    uint64_t before = guard->users_seen;

    (void)guard_users_refresh(guard);
    guard->users_seen = users_version(guard->users);
    return guard->users_seen != before;
}

bool guard_identify(struct guard *guard, const struct guard_request *request,
                    struct guard_who *who, struct guard_refusal *no)
{
    enum basic basic;

    if (has_bearer(guard, request->authorization)) {
        guard_token_is(who);
        return true;
    }
    (void)guard_users_refresh(guard); /* when it fails there are none */
    basic = look_at_basic(guard, request->authorization, who);
    if (basic == BASIC_KNOWN)
        return true;
    if (basic == BASIC_TO_VERIFY)
        return false;
    if (guard_session_find(guard, request->cookie, who))
        return true;
    return guard_refuse(
        no, 401,
        "the token is needed, or a user's name and password: 'dagrun web --url' prints "
        "the page's address with the token; scripts send 'Authorization: Bearer TOKEN' "
        "or basic authentication");
}

bool guard_permits(const struct guard_who *who, enum guard_role needs,
                   struct guard_refusal *no)
{
    if (who->role >= needs)
        return true;
    no->status = 403;
    (void)snprintf(no->text, sizeof no->text, "this needs the role %s, and %s is %s",
                   guard_role_name(needs), who->name, guard_role_name(who->role));
    return false;
}
