/* SPDX-License-Identifier: MIT
 *
 * fetches.h - the fetches that wait for data, and who wakes them.
 * Layer: ledger/api. Every opened partition has a watch with the parts of fetches that
 * wait for it; when its end or last stable offset moves, only they are looked at. A
 * woken fetch is served in the same round, by fetches_tick.
 */
#ifndef LEDGER_API_FETCHES_H
#define LEDGER_API_FETCHES_H

#include "ledger/api/fetch_session.h"
#include "ledger/server/request.h"
#include "ledger/wire/errors.h"

#include <stdbool.h>
#include <stdint.h>

struct fetch_result;
struct fetches;
struct ledger;
struct partition;
struct topic;

/* A fetch in work; lies in its request's arena. */
struct fetch {
    struct fetches *fetches;
    struct request *request;
    enum fetch_kind kind;
    struct fetch_session *session; /* NULL: none */
    struct fetch_part *own;        /* without a session */
    int64_t deadline_ms;
    int64_t min_bytes, max_bytes;
    bool committed; /* read_committed */
    bool waiting, ready;
    struct fetch *prev, *next;             /* of the waiting ones, by deadline */
    struct fetch *prev_ready, *next_ready; /* of the woken ones */
    struct fetch_result *results;          /* api_fetch.c */
};

/* To be made before any partition is opened. */
struct fetches *fetches_new(struct ledger *ledger);
/* All waiting ones lose their requests, unanswered. NULL is fine. */
void fetches_free(struct fetches *fetches);
struct fetch_sessions *fetches_sessions(struct fetches *fetches);

/*
 * The partition of this part; out->watch is set. KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
 * KAFKA_UNKNOWN_TOPIC_ID, KAFKA_STORAGE_ERROR.
 */
enum kafka_error fetches_find(struct fetches *fetches, struct fetch_part *part,
                              struct partition **out);

/* The first part of a fetch, in the order of service; the rest by ->next. */
struct fetch_part *fetch_first(const struct fetch *fetch);

/* Wait for data in any part, at most until the fetch's deadline. */
void fetches_wait(struct fetch *fetch);
/* It waits no more (no effect when it does not). */
void fetches_stop(struct fetch *fetch);

/* Every partition that is opened, before anybody asks for it. */
void fetches_opened(struct fetches *fetches, struct partition *partition);
/* The topic is about to be deleted: who waits for it is answered. */
void fetches_forget_topic(struct fetches *fetches, const struct topic *topic);

/* Serve the woken ones and those whose time is over. Returns the next deadline. */
int64_t fetches_tick(struct fetches *fetches, int64_t now_ms);

/* api_fetch.c: read again; answer if there is enough or this is the last time. */
void fetch_serve(struct fetch *fetch, bool last);

#endif
