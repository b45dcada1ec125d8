/* SPDX-License-Identifier: MIT */
#include "web/guard.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TOKEN_BYTES = GUARD_TOKEN_LEN / 2,
    TOKEN_MIN = 32,
    MAC_BYTES = 32,
    HOST_MAX = 255,
};

struct guard {
    char *token;
    char *cookie; /* its name */
    const char *const *hosts;
};

const char *guard_role_name(enum guard_role role)
{
    static const char *const names[] = {"public", "viewer", "operator", "admin"};

    return names[role];
}

/* ---------------------------------------------------------------------------- token */

static void hex_text(const unsigned char *bytes, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static char *new_token(struct error *err)
{
    unsigned char bytes[TOKEN_BYTES];
    char *token;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        error_set(err, ERROR_INTERNAL, "no random numbers: %s", strerror(errno));
        return NULL;
    }
    token = mem_alloc(GUARD_TOKEN_LEN + 1);
    hex_text(bytes, sizeof bytes, token);
    return token;
}

static char *read_token(int fd, const char *path, struct error *err)
{
    char text[512];
    struct stat st;
    ssize_t len = fstat(fd, &st) == 0 ? read(fd, text, sizeof text - 1) : -1;
    size_t used;

    if (len < 0) {
        error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    text[len] = '\0';
    used = strcspn(text, "\r\n");
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        error_set(err, ERROR_INPUT,
                  "%s can be read by others: chmod 600 it, or remove it "
                  "to get a new token",
                  path);
    else if (used < TOKEN_MIN || strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
                                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != used)
        error_set(err, ERROR_INPUT,
                  "%s holds no token (%d or more of a-z A-Z 0-9 - _): "
                  "remove it to get a new one",
                  path, TOKEN_MIN);
    return error_is_set(err) ? NULL : mem_strndup(text, used);
}

static char *make_token(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    char *token = fd < 0 ? NULL : new_token(err);

    if (fd < 0)
        error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
    if (token && dprintf(fd, "%s\n", token) != GUARD_TOKEN_LEN + 1) {
        error_set(err, ERROR_INTERNAL, "%s could not be written: %s", path,
                  strerror(errno));
        (void)unlink(path);
        free(token);
        token = NULL;
    }
    if (fd >= 0)
        (void)close(fd);
    return token;
}

static char *load_token(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char *token;

    if (fd < 0 && errno == ENOENT)
        return make_token(path, err);
    if (fd < 0) {
        error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    token = read_token(fd, path, err);
    (void)close(fd);
    return token;
}

struct guard *guard_open(const char *token_path, int port, const char *const *hosts,
                         struct error *err)
{
    char *token = load_token(token_path, err);
    struct guard *guard;

    if (token == NULL)
        return NULL;
    guard = mem_alloc(sizeof *guard);
    *guard = (struct guard){
        .token = token, .cookie = mem_printf("dagrun_%d", port), .hosts = hosts};
    return guard;
}

void guard_free(struct guard *guard)
{
    if (guard == NULL)
        return;
    free(guard->token);
    free(guard->cookie);
    free(guard);
}

const char *guard_token(const struct guard *guard)
{
    return guard->token;
}

/* How long it takes says nothing about where they differ. */
static bool is_same(const char *a, const char *b)
{
    size_t len = strlen(a);
    size_t other = strlen(b);
    unsigned int difference = len != other;

    for (size_t i = 0; i < other; i++)
        difference |= (unsigned char)a[len ? i % len : 0] ^ (unsigned char)b[i];
    return difference == 0;
}

bool guard_is_token(const struct guard *guard, const char *text)
{
    return is_same(guard->token, text);
}

/* -------------------------------------------------------------------------- session */

/* "<end>.<mac>": whoever has it was given it for the token, and a new token ends it. */
static void sign(const struct guard *guard, int64_t end_ms, char text[128])
{
    unsigned char mac[EVP_MAX_MD_SIZE] = {0};
    unsigned int mac_len = 0;
    char message[64];
    int len =
        snprintf(message, sizeof message, "session %s %" PRId64, guard->cookie, end_ms);
    char mac_text[2 * MAC_BYTES + 1];

    (void)HMAC(EVP_sha256(), guard->token, (int)strlen(guard->token),
               (const unsigned char *)message, (size_t)len, mac, &mac_len);
    hex_text(mac, MAC_BYTES, mac_text);
    (void)snprintf(text, 128, "%" PRId64 ".%s", end_ms, mac_text);
}

char *guard_session(const struct guard *guard, int64_t now_ms)
{
    const int64_t seconds = (int64_t)GUARD_SESSION_DAYS * 24 * 3600;
    char value[128];

    sign(guard, now_ms + seconds * 1000, value);
    return mem_printf("%s=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Strict",
                      guard->cookie, value, seconds);
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

static bool has_session(const struct guard *guard, const char *cookies)
{
    char *value = own_cookie(guard, cookies);
    char *dot = value ? strchr(value, '.') : NULL;
    char expected[128];
    int64_t end_ms = 0;
    bool valid = false;

    if (dot) {
        *dot = '\0';
        valid = text_parse_int(value, &end_ms) && end_ms > clock_wall_ms();
        *dot = '.';
    }
    if (valid) {
        sign(guard, end_ms, expected);
        valid = is_same(expected, value);
    }
    free(value);
    return valid;
}

static bool has_bearer(const struct guard *guard, const char *authorization)
{
    static const char scheme[] = "Bearer ";

    return authorization &&
           strncasecmp(authorization, scheme, sizeof scheme - 1) == 0 &&
           guard_is_token(guard, authorization + sizeof scheme - 1);
}

/* ------------------------------------------------------------------ Host and Origin */

/* The name in "name:port" or "[address]:port"; false: it is neither. */
static bool split_host(const char *host, char name[HOST_MAX + 1])
{
    const char *end;
    const char *port;

    if (host[0] == '[') {
        end = strchr(++host, ']');
        port = end ? end + 1 : NULL;
    } else {
        end = port = host + strcspn(host, ":");
    }
    if (port == NULL || end == host || end - host > HOST_MAX)
        return false;
    if (*port == ':' &&
        (port[1] == '\0' || strspn(port + 1, "0123456789") != strlen(port + 1)))
        return false;
    if (*port != ':' && *port != '\0')
        return false;
    memcpy(name, host, (size_t)(end - host));
    name[end - host] = '\0';
    return true;
}

static bool is_local_name(const char *name)
{
    static const char suffix[] = ".localhost";
    size_t len = strlen(name);

    return strcasecmp(name, "localhost") == 0 ||
           (len > sizeof suffix - 1 &&
            strcasecmp(name + len - (sizeof suffix - 1), suffix) == 0);
}

static bool is_known_host(const struct guard *guard, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char name[HOST_MAX + 1];

    if (!split_host(host, name))
        return false;
    if (host[0] == '[')
        return inet_pton(AF_INET6, name, address) == 1;
    if (inet_pton(AF_INET, name, address) == 1 || is_local_name(name))
        return true;
    for (const char *const *h = guard->hosts; h && *h; h++) {
        if (strcasecmp(*h, name) == 0)
            return true;
    }
    return false;
}

/* The page that asks came from where it asks. TLS may end at a proxy in front of us. */
static bool is_own_origin(const char *origin, const char *host)
{
    const char *rest = strncmp(origin, "http://", 7) == 0    ? origin + 7
                       : strncmp(origin, "https://", 8) == 0 ? origin + 8
                                                             : NULL;

    return rest && strcasecmp(rest, host) == 0;
}

static bool is_own_site(const char *site)
{
    return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

static bool refuse(int *status, int code, struct error *err, const char *text)
{
    *status = code;
    error_set(err, ERROR_INPUT, "%s", text);
    return false;
}

bool guard_allows(const struct guard *guard, const struct guard_request *request,
                  enum guard_role needs, int *status, struct error *err)
{
    bool is_public = needs == GUARD_PUBLIC;

    if (request->host == NULL || request->host_count != 1)
        return refuse(status, 400, err, "exactly one Host header is needed");
    if (!is_known_host(guard, request->host))
        return refuse(
            status, 403, err,
            "this Host is not served: 'dagrun web --allow-host NAME' allows one");
    if (request->origin && !is_own_origin(request->origin, request->host))
        return refuse(status, 403, err, "a page of another origin may not ask");
    if (request->fetch_site && !is_own_site(request->fetch_site) &&
        !(is_public && request->safe))
        return refuse(status, 403, err, "a page of another site may not ask");
    if (is_public || has_bearer(guard, request->authorization) ||
        has_session(guard, request->cookie))
        return true;
    return refuse(
        status, 401, err,
        "the token is needed: 'dagrun web --url' prints the page's address with "
        "it; scripts send 'Authorization: Bearer TOKEN'");
}
