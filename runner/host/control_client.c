/* SPDX-License-Identifier: MIT
 *
 * control_client.c - the commands' end of a control socket: blocking, with a deadline.
 */
#include "host/control.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/control_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CONNECT_SECONDS = 5, READ_BYTES = 64 * 1024 };

struct control_client {
    int fd;
    struct text_buf in;
};

static int connect_to(const struct sockaddr_un *address)
{
    struct timeval patience = {.tv_sec = CONNECT_SECONDS};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        int code = errno;

        (void)close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

struct control_client *control_connect(const char *path, struct error *err)
{
    struct control_client *client;
    struct sockaddr_un address;
    int dir_fd;
    int fd;

    if (control_path(path, &address, &dir_fd, err) < 0)
        return NULL;
    fd = connect_to(&address);
    if (fd < 0)
        error_set(err,
                  errno == ENOENT || errno == ECONNREFUSED ? ERROR_NOT_FOUND
                                                           : ERROR_UNREACHABLE,
                  "%s: %s", path, errno == EAGAIN ? "nobody answers" : strerror(errno));
    if (dir_fd >= 0)
        (void)close(dir_fd);
    if (fd < 0)
        return NULL;
    client = mem_alloc(sizeof *client);
    client->fd = fd;
    return client;
}

void control_client_free(struct control_client *client)
{
    if (client == NULL)
        return;
    (void)close(client->fd);
    text_buf_clear(&client->in);
    free(client);
}

int control_client_fd(const struct control_client *client)
{
    return client->fd;
}

static int64_t deadline_in(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
}

/* Wait for events on the socket until the deadline. */
static int wait_for(struct control_client *client, short events, int64_t deadline_ms,
                    struct error *err)
{
    struct pollfd watched = {.fd = client->fd, .events = events};

    for (;;) {
        int64_t left = deadline_ms == INT64_MAX ? -1 : deadline_ms - clock_mono_ms();
        int rc;

        if (deadline_ms != INT64_MAX && left < 0)
            left = 0;
        rc = poll(&watched, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (rc > 0)
            return 0;
        if (rc == 0 && left <= INT_MAX) {
            error_set(err, ERROR_TIMEOUT, "the runner did not answer in time");
            return -1;
        }
        if (rc < 0) {
            error_set(err, errno == EINTR ? ERROR_INTERRUPTED : ERROR_INTERNAL,
                      "interrupted while waiting for the runner: %s", strerror(errno));
            return -1;
        }
    }
}

static int send_all(struct control_client *client, const char *data, size_t len,
                    int64_t deadline_ms, struct error *err)
{
    while (len > 0) {
        ssize_t sent = send(client->fd, data, len, MSG_NOSIGNAL);

        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            error_set(err, ERROR_UNREACHABLE, "the runner went away: %s",
                      strerror(errno));
            return -1;
        }
        if (sent > 0) {
            data += sent;
            len -= (size_t)sent;
        } else if (wait_for(client, POLLOUT, deadline_ms, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Read until in holds a whole line; its length without the newline, -1 and err. */
static ssize_t read_line(struct control_client *client, int64_t deadline_ms,
                         struct error *err)
{
    size_t scanned = 0;

    for (;;) {
        char data[READ_BYTES];
        const char *newline =
            client->in.len > scanned
                ? memchr(client->in.data + scanned, '\n', client->in.len - scanned)
                : NULL;
        ssize_t len;

        if (newline)
            return newline - client->in.data;
        scanned = client->in.len;
        if (wait_for(client, POLLIN, deadline_ms, err) < 0)
            return -1;
        len = recv(client->fd, data, sizeof data, 0);
        if (len > 0) {
            text_append_bytes(&client->in, data, (size_t)len);
        } else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
            error_set(err, ERROR_UNREACHABLE, "the runner went away");
            return -1;
        }
    }
}

static json_t *next_until(struct control_client *client, int64_t deadline_ms,
                          struct error *err)
{
    ssize_t len = read_line(client, deadline_ms, err);
    json_t *value;

    if (len < 0)
        return NULL;
    value = json_parse(client->in.data, (size_t)len, err);
    text_drop_front(&client->in, (size_t)len + 1);
    return value;
}

json_t *control_next(struct control_client *client, int timeout_ms, struct error *err)
{
    return next_until(client, deadline_in(timeout_ms), err);
}

json_t *control_call(struct control_client *client, const json_t *request,
                     int timeout_ms, struct error *err)
{
    int64_t deadline_ms = deadline_in(timeout_ms);
    char *line = json_line(request);
    size_t len = strlen(line);
    int rc;

    line[len] = '\n'; /* in place of the terminator: it is sent by length */
    rc = send_all(client, line, len + 1, deadline_ms, err);
    free(line);
    return rc < 0 ? NULL : next_until(client, deadline_ms, err);
}
