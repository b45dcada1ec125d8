/* SPDX-License-Identifier: MIT
 *
 * fetch_session.h - fetch sessions (KIP-227): a client names its partitions once, later
 * only what changed, and is answered only what changed.
 * Layer: ledger/api. Pure: it knows no partitions, only what clients said and were
 * told.
 *
 * Sessions and their partitions are bounded. A new session takes the place of the one
 * that rested longest, if that rested for FETCH_SESSION_REST_MS; else there is none,
 * and the client goes on without.
 */
#ifndef LEDGER_API_FETCH_SESSION_H
#define LEDGER_API_FETCH_SESSION_H

#include "base/mem.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

enum {
    FETCH_SESSIONS_MAX = 1000,
    FETCH_SESSION_PARTS_MAX = 200000, /* of all sessions together */
    FETCH_SESSION_REST_MS = 120 * 1000,
};

struct fetch;
struct fetch_request;
struct fetch_watch;

/* One partition of a session, or of a fetch without one. */
struct fetch_part {
    struct fetch_part *prev, *next; /* in the order in which they are served */
    struct wire_uuid id;            /* from Fetch 13 on, else zero */
    struct wire_string topic;       /* before */
    int32_t index;
    int32_t max_bytes;
    int32_t leader_epoch;
    int32_t last_epoch;
    int64_t offset;
    int64_t told_high_watermark; /* in the last answer; -1: tell it */
    int64_t told_start;

    /* fetches.c: which partition that is, and who waits for it. */
    struct fetch_part *prev_waiting, *next_waiting;
    struct fetch *fetch; /* that waits */
    struct fetch_watch *watch;
    uint64_t generation;

    UT_hash_handle hh; /* of the session, by key */
    size_t key_len;
    char key[];
};

struct fetch_session {
    int32_t id;
    int32_t epoch; /* of the next request */
    bool by_id;
    struct fetch_part *parts;  /* list, in the order of service */
    struct fetch_part *by_key; /* hash */
    struct fetch *fetch;       /* the one that waits */
    int64_t used_ms;
    struct fetch_session *prev, *next; /* by last use, oldest first */
    UT_hash_handle hh;
};

struct fetch_sessions {
    struct fetch_session *by_id;
    struct fetch_session *oldest;
    int32_t next_id;
    size_t parts;
    size_t max_sessions, max_parts;
    /* Told before a session goes: its waiting fetch must be ended. */
    void (*going)(void *arg, struct fetch_session *session);
    void *arg;
};

/* seed: where the ids begin, so that a client of the broker's last life finds none. */
void fetch_sessions_init(struct fetch_sessions *sessions, uint32_t seed);
void fetch_sessions_clear(struct fetch_sessions *sessions);

/* How a request is to be answered. */
enum fetch_kind {
    FETCH_SESSIONLESS, /* all that it names; no session */
    FETCH_FULL,        /* all that it names; and a new session, if there is one */
    FETCH_INCREMENTAL, /* what changed in the session */
    FETCH_REFUSED,     /* only *error */
};

/*
 * Take the request's word about sessions. *session is set for FULL and INCREMENTAL;
 * FULL without room has NULL. Parts are in the session, in order; without a session
 * they are made by fetch_parts.
 */
enum fetch_kind fetch_session_begin(struct fetch_sessions *sessions,
                                    const struct fetch_request *request,
                                    int16_t version, int64_t now_ms,
                                    struct fetch_session **session,
                                    enum kafka_error *error);

/* The partitions that a request without a session names, in the arena. */
struct fetch_part *fetch_parts(const struct fetch_request *request,
                               struct mem_arena *arena);

/* The part was served with records: others come first the next time. */
void fetch_session_served(struct fetch_session *session, struct fetch_part *part);

#endif
