/* SPDX-License-Identifier: MIT
 *
 * control.h - a runner's control socket, both ends: JSON objects, one a line.
 * Layer: host. Server on the loop; client blocking, with a timeout, for the commands.
 * A request is answered by control_send; subscribers get every control_broadcast, or,
 * when they read too slowly, only the latest.
 */
#ifndef HOST_CONTROL_H
#define HOST_CONTROL_H

#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"

#include <stdbool.h>

struct control;      /* server */
struct control_conn; /* one connection to it */
struct control_client;

/* One request line, an object. Lines that are none are answered by the server itself
 * with {"error": …}. request and conn are borrowed; see control_hold. */
typedef void control_fn(void *arg, struct control_conn *conn, const json_t *request);

/*
 * Listen at path with mode 0600. A path of any length (its last part up to 80 bytes);
 * a file left by a dead server is replaced, one that a living server answers on is
 * ERROR_CONFLICT.
 */
struct control *control_open(struct loop *loop, const char *path, control_fn *fn,
                             void *arg, struct error *err);
/* Removes the path, closes every connection after sending what the socket takes. Not to
 * be called from within the request function. */
void control_close(struct control *control);

int control_subscribers(const struct control *control);

/* Answer; does nothing when the peer has gone meanwhile. */
void control_send(struct control_conn *conn, const json_t *object);
void control_subscribe(struct control_conn *conn);
void control_broadcast(struct control *control, const json_t *object);
/*
 * For an answer that comes later: the connection's handle stays valid until released,
 * also when the peer goes or the server closes.
 */
struct control_conn *control_hold(struct control_conn *conn);
void control_release(struct control_conn *conn);

/* ERROR_NOT_FOUND when nobody listens at path. */
struct control_client *control_connect(const char *path, struct error *err);
void control_client_free(struct control_client *client);
int control_client_fd(const struct control_client *client);
/* Send a request and wait for the next line. NULL: err (ERROR_TIMEOUT,
 * ERROR_UNREACHABLE when the runner went away). The caller owns the reply. */
json_t *control_call(struct control_client *client, const json_t *request,
                     int timeout_ms, struct error *err);
/* The next line of a subscription; timeout_ms -1: as long as it takes. */
json_t *control_next(struct control_client *client, int timeout_ms, struct error *err);

#endif
