/* SPDX-License-Identifier: MIT
 *
 * Which Host and Origin are ours.
 */
#include "web/guard_private.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 255 };

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

bool guard_admits(const struct guard *guard, const struct guard_request *request,
                  bool is_public, struct guard_refusal *no)
{
    if (request->host == NULL || request->host_count != 1)
        return guard_refuse(no, 400, "exactly one Host header is needed");
    if (!is_known_host(guard, request->host))
        return guard_refuse(
            no, 403,
            "this Host is not served: 'dagrun web --allow-host NAME' allows one");
    if (request->origin && !is_own_origin(request->origin, request->host))
        return guard_refuse(no, 403, "a page of another origin may not ask");
    if (request->fetch_site && !is_own_site(request->fetch_site) &&
        !(is_public && request->safe))
        return guard_refuse(no, 403, "a page of another site may not ask");
    return true;
}
