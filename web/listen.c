/* SPDX-License-Identifier: MIT */
#include "web/listen.h"

#include "base/text.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static int listen_at(const struct addrinfo *address)
{
    const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int reason;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

/* One port: a descriptor, or -1 with err (no such address) or errno. */
static int try_port(const char *host, int port, struct error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    char service[16];
    int reason;
    int fd;
    int rc;

    (void)snprintf(service, sizeof service, "%d", port);
    rc = getaddrinfo(host, service, &hints, &list);
    if (rc != 0) {
        error_set(err, ERROR_INPUT, "can't listen on %s: %s", host, gai_strerror(rc));
        return -1;
    }
    fd = listen_at(list);
    reason = errno;
    freeaddrinfo(list);
    errno = reason;
    return fd;
}

/* What port 0 came to. */
static int port_of(int fd, int port)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char service[16];
    int64_t value = port;

    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
        getnameinfo((struct sockaddr *)&address, len, NULL, 0, service, sizeof service,
                    NI_NUMERICSERV) == 0)
        (void)text_parse_int(service, &value);
    return (int)value;
}

int web_listen(const char *host, int port_count, int *port, struct error *err)
{
    int first = *port;
    int reason = EADDRINUSE;

    for (int i = 0; i < port_count && reason == EADDRINUSE; i++) {
        int fd = try_port(host, first + i, err);

        if (fd >= 0) {
            *port = port_of(fd, first + i);
            return fd;
        }
        reason = error_is_set(err) ? 0 : errno;
    }
    error_set(err, reason == EADDRINUSE ? ERROR_CONFLICT : ERROR_INPUT,
              "can't listen on %s, port %d: %s", host, first, strerror(reason));
    return -1;
}
