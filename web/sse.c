/* SPDX-License-Identifier: MIT */
#include "web/sse.h"

#include "base/clock.h"
#include "base/mem.h"
#include "web/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_EVERY_MS = 1000 };

struct client {
    struct sse *sse;
    struct http_request *request;
    char *dag; /* NULL: all */
    struct feed_place place;
    struct feed_event *event; /* that is being sent, or NULL */
    const char *text;         /* what of it is left */
    size_t left;
    int64_t begun_ms; /* the event */
    int64_t sent_ms;  /* the last bytes */
    struct client *next;
    struct client **link;
};

struct sse {
    const struct web_source *source;
    struct feed *feed;
    struct client *clients;
    int count;
    int64_t update_ms; /* not before */
    int64_t look_ms;   /* at the clients */
};

struct sse *sse_new(const struct web_source *source)
{
    struct sse *sse = mem_alloc(sizeof *sse);
    char *life = mem_printf("%" PRIx64, clock_wall_ms());

    *sse = (struct sse){.source = source, .feed = feed_new(life)};
    free(life);
    return sse;
}

void sse_free(struct sse *sse)
{
    if (sse == NULL)
        return;
    feed_free(sse->feed);
    free(sse);
}

/* ------------------------------------------------------------------------- a client */

static void set_text(struct client *client, const char *text, size_t len)
{
    client->text = text;
    client->left = len;
    client->begun_ms = clock_mono_ms();
}

/* False: there is nothing for it now. */
static bool next_event(struct client *client)
{
    const char *text;
    size_t len;

    client->event = feed_take(client->sse->feed, &client->place, client->dag);
    if (client->event == NULL)
        return false;
    text = feed_event_text(client->event, &len);
    set_text(client, text, len);
    return true;
}

static size_t pull(void *arg, char *bytes, size_t room)
{
    struct client *client = arg;
    size_t put = 0;

    while (put < room && (client->left > 0 || next_event(client))) {
        size_t len = client->left < room - put ? client->left : room - put;

        memcpy(bytes + put, client->text, len);
        put += len;
        client->text += len;
        client->left -= len;
        if (client->left == 0) {
            feed_event_drop(client->event);
            client->event = NULL;
        }
    }
    if (put > 0)
        client->sent_ms = clock_mono_ms();
    return put;
}

static void on_end(void *arg)
{
    struct client *client = arg;

    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
    client->sse->count--;
    feed_event_drop(client->event);
    free(client->dag);
    free(client);
}

bool sse_answer(struct sse *sse, struct http_request *request, const char *dag,
                const char *last_id)
{
    static const char opening[] = "retry: 2000\n\n";
    struct client *client;

    _Static_assert(SSE_RETRY_MS == 2000, "as in the opening");
    if (sse->count >= SSE_CLIENTS_MAX)
        return false;
    client = mem_alloc(sizeof *client);
    *client = (struct client){.sse = sse,
                              .request = request,
                              .dag = mem_strdup(dag),
                              .place = feed_place(sse->feed, last_id),
                              .next = sse->clients,
                              .link = &sse->clients};
    if (client->next)
        client->next->link = &client->next;
    sse->clients = client;
    sse->count++;
    set_text(client, opening, sizeof opening - 1);
    http_add_header(request, "X-Accel-Buffering", "no"); /* nginx would keep it */
    http_answer_stream(request, "text/event-stream", pull, on_end, client);
    return true;
}

/* ------------------------------------------------------------------------------ all */

static void look_at(struct client *client, int64_t now_ms)
{
    static const char ping[] = ": still here\n\n";

    if (client->event && client->begun_ms + SSE_EVENT_MS <= now_ms) {
        http_stream_cut(client->request);
    } else if (client->left == 0 && client->sent_ms + SSE_PING_MS <= now_ms) {
        set_text(client, ping, sizeof ping - 1);
        http_stream_wake(client->request);
    }
}

static void tell_all(const struct sse *sse)
{
    for (struct client *client = sse->clients; client; client = client->next) {
        if (feed_has_next(sse->feed, &client->place, client->dag))
            http_stream_wake(client->request);
    }
}

void sse_cut(struct sse *sse)
{
    for (struct client *client = sse->clients; client; client = client->next)
        http_stream_cut(client->request);
}

/* When to do so again; INT64_MAX: when something has woken the loop. */
static int64_t update(struct sse *sse, int64_t now_ms)
{
    const json_t *live = sse->source->live(sse->source->arg);

    if (feed_knows(sse->feed, live))
        return INT64_MAX;
    if (now_ms < sse->update_ms)
        return sse->update_ms;
    sse->update_ms = now_ms + SSE_EVERY_MS;
    if (feed_update(sse->feed, live))
        tell_all(sse);
    return INT64_MAX;
}

int64_t sse_tick(struct sse *sse)
{
    int64_t now_ms = clock_mono_ms();
    int64_t next_ms = update(sse, now_ms);

    if (now_ms >= sse->look_ms) {
        sse->look_ms = now_ms + LOOK_EVERY_MS;
        for (struct client *client = sse->clients; client; client = client->next)
            look_at(client, now_ms);
    }
    return sse->clients && sse->look_ms < next_ms ? sse->look_ms : next_ms;
}
