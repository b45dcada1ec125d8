/* SPDX-License-Identifier: MIT
 *
 * Names with passwords: what a request says, what is known already, and the verifying
 * of the rest, no oftener than the throttles let it.
 */
#include "web/guard_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "web/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BASIC_MAX = 1024 };

void guard_wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

char *guard_basic(const char *authorization, const char **name, const char **password)
{
    static const char scheme[] = "Basic ";
    const char *coded = authorization;
    size_t len;
    char *text;
    char *colon;

    if (coded == NULL || strncasecmp(coded, scheme, sizeof scheme - 1) != 0)
        return NULL;
    coded += sizeof scheme - 1;
    len = strlen(coded);
    if (len > BASIC_MAX)
        return NULL;
    text = mem_alloc(len + 4); /* zeroed: what is decoded ends there */
    colon = EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)coded,
                            (int)len) > 0
                ? strchr(text, ':')
                : NULL;
    if (colon == NULL) {
        guard_wipe(text);
        return NULL;
    }
    *colon = '\0';
    *name = text;
    *password = colon + 1;
    return text;
}

/* ----------------------------------------------------------------------------- known
 */

static void mac_of(const struct guard *guard, const struct user *user,
                   const char *password, unsigned char mac[EVP_MAX_MD_SIZE])
{
    char *message = mem_printf("%s %s %s", user->name, user->hash, password);
    unsigned int len = 0;

    (void)HMAC(EVP_sha256(), guard->key, sizeof guard->key,
               (const unsigned char *)message, strlen(message), mac, &len);
    guard_wipe(message);
}

static void remember(struct guard *guard, const struct user *user, const char *password)
{
    unsigned char mac[EVP_MAX_MD_SIZE] = {0};
    struct guard_known *known = &guard->known[guard->known_next++ % GUARD_KNOWN_MAX];

    mac_of(guard, user, password, mac);
    memcpy(known->mac, mac, sizeof known->mac);
    known->until_ms = clock_mono_ms() + GUARD_KNOWN_MS;
}

bool guard_password_known(struct guard *guard, const char *name, const char *password,
                          struct guard_who *who)
{
    const struct user *user = users_find(guard->users, name);
    unsigned char mac[EVP_MAX_MD_SIZE] = {0};
    int64_t now_ms = clock_mono_ms();
    bool found = false;

    if (user == NULL)
        return false;
    mac_of(guard, user, password, mac);
    for (size_t i = 0; i < GUARD_KNOWN_MAX; i++)
        found |= guard->known[i].until_ms > now_ms &&
                 CRYPTO_memcmp(guard->known[i].mac, mac, GUARD_MAC_BYTES) == 0;
    if (found)
        guard_user_is(who, user);
    return found;
}

/* ------------------------------------------------------------------------- verifying
 */

/* Somebody who wants to know. */
struct asker {
    guard_fn *fn;
    void *arg;
    struct asker *next;
};

/* A password that is being verified, for all who gave the same one meanwhile. */
struct trial {
    struct guard *guard;
    char *peer;
    char *name;
    char *password;
    char *hash; /* NULL: there was no such user */
    struct asker *askers;
    struct trial *next;
};

static void add_asker(struct trial *trial, guard_fn *fn, void *arg)
{
    struct asker *asker = mem_alloc(sizeof *asker);

    *asker = (struct asker){fn, arg, trial->askers};
    trial->askers = asker;
}

static void trial_free(struct trial *trial)
{
    struct trial **link = &trial->guard->trials;

    while (*link != trial)
        link = &(*link)->next;
    *link = trial->next;
    free(trial->peer);
    free(trial->name);
    free(trial->hash);
    guard_wipe(trial->password);
    free(trial);
}

/* The same user, password and address are being tried already; NULL: they are not. */
static struct trial *find_trial(const struct guard *guard, const char *peer,
                                const struct user *user, const char *password)
{
    struct trial *trial = user ? guard->trials : NULL;

    while (trial &&
           (trial->hash == NULL || strcmp(trial->name, user->name) != 0 ||
            strcmp(trial->hash, user->hash) != 0 || strcmp(trial->peer, peer) != 0 ||
            !guard_is_same(trial->password, password)))
        trial = trial->next;
    return trial;
}

static void tell(const struct trial *trial, const struct guard_who *who,
                 const struct guard_refusal *no)
{
    for (struct asker *asker = trial->askers, *next; asker; asker = next) {
        next = asker->next;
        asker->fn(asker->arg, who, no);
        free(asker);
    }
}

/* The token is long and random: nobody guesses it, nothing has to be slow. */
static void verify_token(const struct guard *guard, const char *token, guard_fn *fn,
                         void *arg)
{
    struct guard_refusal no = {.password = true};
    struct guard_who who = {0};

    if (guard_is_token(guard, token)) {
        guard_token_is(&who);
        fn(arg, &who, NULL);
        return;
    }
    (void)guard_refuse(&no, 401, "this is not the token");
    (void)snprintf(no.name, sizeof no.name, USERS_TOKEN);
    fn(arg, NULL, &no);
}

static void say_wrong(const struct trial *trial)
{
    struct guard_refusal no = {.password = true};

    (void)guard_refuse(&no, 401, "there is no such user with this password");
    if (users_find(trial->guard->users, trial->name))
        (void)snprintf(no.name, sizeof no.name, "%s", trial->name);
    tell(trial, NULL, &no);
}

static void say_trouble(const struct trial *trial, const struct error *err)
{
    struct guard_refusal no = {.after_s = 1};

    (void)guard_refuse(&no, 503, err->text);
    tell(trial, NULL, &no);
}

/* The user may have been changed while the password was verified. */
static const struct user *user_of(const struct trial *trial)
{
    const struct user *user = users_find(trial->guard->users, trial->name);

    return user && trial->hash && strcmp(user->hash, trial->hash) == 0 ? user : NULL;
}

static void on_verified(void *arg, bool matches, const struct error *err)
{
    struct trial *trial = arg;
    struct guard *guard = trial->guard;
    const struct user *user = matches ? user_of(trial) : NULL;
    struct guard_who who = {0};

    if (user || error_is_set(err)) {
        throttle_give_back(guard->addresses, trial->peer);
        throttle_give_back(guard->names, trial->name);
    }
    if (user) {
        remember(guard, user, trial->password);
        guard_user_is(&who, user);
        tell(trial, &who, NULL);
    } else if (error_is_set(err)) {
        say_trouble(trial, err);
    } else {
        say_wrong(trial);
    }
    trial_free(trial);
}

/* True: it may not be tried now. */
static bool is_throttled(const struct guard *guard, const char *peer, const char *name,
                         struct guard_refusal *no)
{
    int64_t now_ms = clock_mono_ms();
    int64_t address_ms = throttle_wait_ms(guard->addresses, peer, now_ms);
    int64_t name_ms = throttle_wait_ms(guard->names, name, now_ms);
    int64_t wait_ms = address_ms > name_ms ? address_ms : name_ms;

    if (wait_ms == 0)
        return false;
    no->after_s = (int)(wait_ms / 1000) + 1;
    return !guard_refuse(no, 429, "too many wrong passwords; try again later");
}

static void try_password(struct guard *guard, const char *peer, const char *name,
                         const char *password, struct asker asker)
{
    const struct user *user = users_find(guard->users, name);
    struct trial *trial = mem_alloc(sizeof *trial);

    *trial = (struct trial){.guard = guard,
                            .peer = mem_strdup(peer),
                            .name = mem_strdup(name),
                            .password = mem_strdup(password),
                            .hash = user ? mem_strdup(user->hash) : NULL,
                            .next = guard->trials};
    guard->trials = trial;
    add_asker(trial, asker.fn, asker.arg);
    throttle_take(guard->addresses, peer, clock_mono_ms());
    throttle_take(guard->names, name, clock_mono_ms());
    verify_start(guard->verifier, password, trial->hash, on_verified, trial);
}

void guard_verify(struct guard *guard, const char *peer, const char *name,
                  const char *password, guard_fn *fn, void *arg)
{
    bool has_users = guard_users_refresh(guard);
    struct trial *trial =
        find_trial(guard, peer, users_find(guard->users, name), password);
    struct guard_refusal no = {0};

    if (strcmp(name, USERS_TOKEN) == 0) {
        verify_token(guard, password, fn, arg);
        return;
    }
    if (trial) {
        add_asker(trial, fn, arg);
        return;
    }
    if (!has_users)
        (void)guard_refuse(&no, 503,
                           "the users can't be read; the server's log says why");
    if (!has_users || is_throttled(guard, peer, name, &no))
        fn(arg, NULL, &no);
    else
        try_password(guard, peer, name, password, (struct asker){fn, arg, NULL});
}

void guard_verify_request(struct guard *guard, const struct guard_request *request,
                          guard_fn *fn, void *arg)
{
    const char *name = "";
    const char *password = "";
    char *text = guard_basic(request->authorization, &name, &password);

    guard_verify(guard, request->peer, name, password, fn, arg);
    guard_wipe(text);
}
