/* SPDX-License-Identifier: MIT */
#include "host/control.h"

#include "base/log.h"
#include "base/mem.h"
#include "host/channel.h"
#include "host/control_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 256,
    LAG_MAX =
        256 * 1024, /* unsent bytes from which a subscriber gets only the latest */
};

struct control_conn {
    struct control *control; /* NULL once the server or the peer is gone */
    struct channel *channel; /* NULL likewise */
    bool subscribed;
    char *latest; /* the broadcast that waits for a slow subscriber; NULL: none */
    int refs;
    struct control_conn *next;
};

struct control {
    struct loop *loop;
    int fd;
    int spare_fd; /* closed to accept, and refuse, when descriptors run out */
    bool short_of_fds; /* the last accept found none */
    char *path;
    dev_t device; /* of the file at path, to remove only our own */
    ino_t inode;
    control_fn *fn;
    void *arg;
    struct control_conn *conns;
    int conn_count;
};

struct control_conn *control_hold(struct control_conn *conn)
{
    conn->refs++;
    return conn;
}

void control_release(struct control_conn *conn)
{
    if (conn == NULL || --conn->refs > 0)
        return;
    free(conn->latest);
    free(conn);
}

static void drop(struct control_conn *conn)
{
    struct control_conn **at = &conn->control->conns;

    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    conn->control->conn_count--;
    conn->control = NULL;
    channel_close(conn->channel);
    conn->channel = NULL;
    control_release(conn);
}

static void send_latest(struct control_conn *conn)
{
    char *latest = conn->latest;

    conn->latest = NULL;
    if (latest)
        channel_send_text(conn->channel, latest, strlen(latest));
    free(latest);
}

static void refuse_line(struct control_conn *conn, const char *why)
{
    json_t *answer = json_object();

    (void)json_object_set_new(answer, "error", json_text(why));
    control_send(conn, answer);
    json_decref(answer);
}

static void on_channel(void *arg, enum channel_event event, const json_t *line,
                       const char *text)
{
    struct control_conn *conn = arg;

    switch (event) {
    case CHANNEL_LINE:
        conn->control->fn(conn->control->arg, conn, line);
        break;
    case CHANNEL_MALFORMED:
        refuse_line(conn, text);
        break;
    case CHANNEL_DRAINED:
        send_latest(conn);
        break;
    case CHANNEL_CLOSED:
        drop(conn);
        break;
    }
}

/*
 * Peers that have gone may wait behind this event in the same round, with descriptors to
 * give back: refuse only when the next round finds none either.
 */
static void refuse_for_want_of_descriptors(struct control *control)
{
    int fd;

    control->short_of_fds = !control->short_of_fds;
    if (control->short_of_fds)
        return;
    (void)close(control->spare_fd);
    fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    control->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_connect(void *arg, uint32_t events)
{
    struct control *control = arg;
    struct control_conn *conn;
    struct error err = {0};
    int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            refuse_for_want_of_descriptors(control);
        return;
    }
    control->short_of_fds = false;
    if (control->conn_count >= CONNECTIONS_MAX) {
        log_write(LOG_WARN, "control", NULL, "refused a connection: there are %d",
                  CONNECTIONS_MAX);
        (void)close(fd);
        return;
    }
    conn = mem_alloc(sizeof *conn);
    *conn = (struct control_conn){.control = control, .refs = 1};
    conn->channel = channel_open(control->loop, fd, on_channel, conn, &err);
    if (conn->channel == NULL) {
        log_write(LOG_WARN, "control", NULL, "%s", err.text);
        free(conn);
        return;
    }
    conn->next = control->conns;
    control->conns = conn;
    control->conn_count++;
}

/* Make way at path: a socket that nobody answers on is removed. */
static int clear_path(const char *path, const struct sockaddr_un *address,
                      struct error *err)
{
    struct stat file;
    int fd;
    int rc;

    if (lstat(path, &file) < 0)
        return 0;
    if (!S_ISSOCK(file.st_mode)) {
        error_set(err, ERROR_CONFLICT, "%s is in the way: it is no socket", path);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    rc = connect(fd, (const struct sockaddr *)address, sizeof *address);
    if (rc == 0 || errno == EAGAIN) {
        error_set(err, ERROR_CONFLICT, "%s: another process answers there", path);
        rc = -1;
    } else {
        rc = unlink(path);
        if (rc < 0)
            error_set(err, ERROR_INTERNAL, "%s can't be removed: %s", path,
                      strerror(errno));
    }
    (void)close(fd);
    return rc;
}

static int listen_at(const char *path, struct error *err)
{
    struct sockaddr_un address;
    int dir_fd;
    int fd;

    if (control_path(path, &address, &dir_fd, err) < 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The file gets the mode that the socket has when it is bound: no umask, no race.
     */
    if (fd < 0 || fchmod(fd, 0600) < 0) {
        error_set(err, ERROR_INTERNAL, "socket: %s", strerror(errno));
    } else if (clear_path(path, &address, err) == 0) {
        if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
            listen(fd, SOMAXCONN) < 0)
            error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
    }
    if (dir_fd >= 0)
        (void)close(dir_fd);
    if (error_is_set(err) && fd >= 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

struct control *control_open(struct loop *loop, const char *path, control_fn *fn,
                             void *arg, struct error *err)
{
    struct control *control;
    struct stat file = {0};
    int fd = listen_at(path, err);

    if (fd < 0)
        return NULL;
    (void)lstat(path, &file);
    control = mem_alloc(sizeof *control);
    *control = (struct control){.loop = loop,
                                .fd = fd,
                                .spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
                                .path = mem_strdup(path),
                                .device = file.st_dev,
                                .inode = file.st_ino,
                                .fn = fn,
                                .arg = arg};
    if (loop_add(loop, fd, EPOLLIN, on_connect, control, err) < 0) {
        control_close(control);
        return NULL;
    }
    return control;
}

void control_close(struct control *control)
{
    struct stat file;

    if (control == NULL)
        return;
    if (lstat(control->path, &file) == 0 && file.st_dev == control->device &&
        file.st_ino == control->inode)
        (void)unlink(control->path);
    while (control->conns)
        drop(control->conns);
    loop_remove(control->loop, control->fd);
    (void)close(control->fd);
    if (control->spare_fd >= 0)
        (void)close(control->spare_fd);
    free(control->path);
    free(control);
}

int control_subscribers(const struct control *control)
{
    int count = 0;

    for (const struct control_conn *conn = control->conns; conn; conn = conn->next)
        count += conn->subscribed;
    return count;
}

void control_send(struct control_conn *conn, const json_t *object)
{
    if (conn->channel)
        channel_send(conn->channel, object);
}

void control_subscribe(struct control_conn *conn)
{
    conn->subscribed = true;
}

void control_broadcast(struct control *control, const json_t *object)
{
    char *line = json_line(object);

    for (struct control_conn *conn = control->conns; conn; conn = conn->next) {
        if (!conn->subscribed)
            continue;
        if (channel_unsent(conn->channel) <= LAG_MAX) {
            channel_send_text(conn->channel, line, strlen(line));
        } else {
            free(conn->latest);
            conn->latest = mem_strdup(line);
        }
    }
    free(line);
}
