/* SPDX-License-Identifier: MIT
 *
 * sse.h - the feed of what has changed (feed.h) as Server-Sent Events to many clients.
 * Layer: web. One thread.
 *
 * A client costs a place in the feed and the event that it is being sent. Changes go
 * out together, twice a second at most; one that is too slow for that gets the newest
 * state when it can take it. A comment goes to those that had nothing for a while, so
 * that both sides notice when the other has gone.
 */
#ifndef WEB_SSE_H
#define WEB_SSE_H

#include "web/http.h"
#include "web/source.h"

enum {
    SSE_CLIENTS_MAX = 1000, /* of HTTP_CONNECTIONS_MAX: the rest is for requests */
    SSE_EVERY_MS = 500,
    SSE_PING_MS = 10000,
    SSE_EVENT_MS = 60000, /* to take one event */
    SSE_RETRY_MS = 2000,  /* after which browsers come back */
};

struct sse;

/* source: borrowed. */
struct sse *sse_new(const struct web_source *source);
/* When all requests have ended: after http_close. */
void sse_free(struct sse *sse);

/*
 * Answer with the stream: of one dag, or NULL; after last_id, or NULL. False: there are
 * SSE_CLIENTS_MAX already, and the request is not answered.
 */
bool sse_answer(struct sse *sse, struct http_request *request, const char *dag,
                const char *last_id);

/* End all streams: browsers come back, as far as they are still let in. */
void sse_cut(struct sse *sse);

/* Call it before http_tick; returns the deadline of the next one. */
int64_t sse_tick(struct sse *sse);

#endif
