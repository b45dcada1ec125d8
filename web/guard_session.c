/* SPDX-License-Identifier: MIT
 *
 * Sessions: "<end>.<mac>" for the token, "<end>.<name>.<mac>" for a user. Nothing is
 * kept of them: the mac covers what they depend on, so a new token ends all, and
 * another role or password those of a user.
 */
#include "web/guard_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 256 };

/* user NULL: of the token. */
static void sign(const struct guard *guard, const struct user *user, int64_t end_ms,
                 char text[VALUE_MAX])
{
    unsigned char mac[EVP_MAX_MD_SIZE] = {0};
    unsigned int mac_len = 0;
    char mac_text[2 * GUARD_MAC_BYTES + 1];
    char *message =
        mem_printf("session %s %" PRId64 " %s %s %s", guard->cookie, end_ms,
                   user ? user->name : "", user ? guard_role_name(user->role) : "",
                   user ? user->hash : "");

    (void)HMAC(EVP_sha256(), guard->token, (int)strlen(guard->token),
               (const unsigned char *)message, strlen(message), mac, &mac_len);
    guard_hex(mac, GUARD_MAC_BYTES, mac_text);
    (void)snprintf(text, VALUE_MAX, "%" PRId64 ".%s%s%s", end_ms,
                   user ? user->name : "", user ? "." : "", mac_text);
    free(message);
}

char *guard_session(const struct guard *guard, const struct guard_who *who, bool secure,
                    int64_t now_ms)
{
    const int64_t seconds = (int64_t)GUARD_SESSION_DAYS * 24 * 3600;
    const struct user *user = users_find(guard->users, who->name);
    char value[VALUE_MAX];

    if (user == NULL && strcmp(who->name, USERS_TOKEN) != 0)
        return guard_no_session(guard); /* removed meanwhile: never the token's */
    sign(guard, user, now_ms + seconds * 1000, value);
    return mem_printf("%s=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Strict%s",
                      guard->cookie, value, seconds, secure ? "; Secure" : "");
}

char *guard_no_session(const struct guard *guard)
{
    return mem_printf("%s=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
                      guard->cookie);
}

/* The value of our cookie in "a=1; dagrun_7117=…; b=2"; the caller frees. */
static char *own_cookie(const struct guard *guard, const char *cookies)
{
    size_t name_len = strlen(guard->cookie);

    while (cookies && *cookies) {
        size_t len;

        cookies += strspn(cookies, " ;");
        len = strcspn(cookies, ";");
        if (len > name_len && cookies[name_len] == '=' &&
            strncmp(cookies, guard->cookie, name_len) == 0)
            return mem_strndup(cookies + name_len + 1, len - name_len - 1);
        cookies += len;
    }
    return NULL;
}

/* The end in "<end>.…"; 0: there is none. */
static int64_t end_of(const char *value)
{
    size_t len = strcspn(value, ".");
    char *digits = mem_strndup(value, len);
    int64_t end_ms = 0;

    if (!text_parse_int(digits, &end_ms))
        end_ms = 0;
    free(digits);
    return end_ms;
}

/* The name in "<end>.<name>.<mac>", NULL in "<end>.<mac>". The caller frees. */
static char *name_of(const char *value)
{
    const char *first = strchr(value, '.');
    const char *last = strrchr(value, '.');

    return first == last ? NULL : mem_strndup(first + 1, (size_t)(last - first - 1));
}

bool guard_session_find(const struct guard *guard, const char *cookies,
                        struct guard_who *who)
{
    char *value = own_cookie(guard, cookies);
    char *name = value ? name_of(value) : NULL;
    const struct user *user = name ? users_find(guard->users, name) : NULL;
    int64_t end_ms = value ? end_of(value) : 0;
    char expected[VALUE_MAX];
    bool valid = end_ms > clock_wall_ms() && (name == NULL || user);

    if (valid) {
        sign(guard, user, end_ms, expected);
        valid = guard_is_same(expected, value);
    }
    if (valid && user)
        guard_user_is(who, user);
    else if (valid)
        guard_token_is(who);
    free(name);
    free(value);
    return valid;
}
