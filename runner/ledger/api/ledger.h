/* SPDX-License-Identifier: MIT
 *
 * ledger.h - what the handlers share: the broker's parts and its settings.
 * Layer: ledger/api. ledger.c fills it; a handler takes what it needs from it.
 */
#ifndef LEDGER_API_LEDGER_H
#define LEDGER_API_LEDGER_H

#include "ledger/server/request.h"

#include <stdbool.h>
#include <stdint.h>

struct fetches; /* api/fetches.h: waiting fetches and fetch sessions */
struct groups;  /* group/groups.h */
struct loop;    /* base/loop.h */
struct offsets; /* group/offsets.h */
struct server;  /* server/server.h */
struct store;   /* store/store.h */
struct sync;    /* log/sync.h */
struct topics;  /* topic/topics.h */
struct txns;    /* txn/txns.h */

enum { LEDGER_NODE_ID = 1, LEDGER_LEADER_EPOCH = 0 };

/*
 * One store keeps what is not a log. Its keys begin with the letter of their owner:
 * b broker · t topics · g groups · o offsets · x transactions.
 */
struct ledger {
    struct loop *loop;
    struct server *server;
    struct store *store;
    struct sync *sync;
    struct topics *topics;
    struct offsets *offsets;
    struct groups *groups;
    struct txns *txns;
    struct fetches *fetches;
    struct flush_wait *flushes; /* api/flushes.h: answers that wait for fsync */

    char cluster_id[32]; /* base64 of a uuid, as Kafka writes it */
    const char *data_dir;
    const char *host; /* as clients are told */
    int port;
    bool auto_create_topics;
    int default_partitions;
    bool fsync_always; /* what is answered is on the disk */
    int64_t fsync_interval_ms;
    int64_t now_ms, wall_ms;    /* of the current round */
    struct ledger_private *own; /* ledger.c's */
};

#endif
