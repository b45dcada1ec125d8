/* SPDX-License-Identifier: MIT
 *
 * ledger_private.h - what ledger.c and its helpers share. Layer: ledger, private.
 */
#ifndef LEDGER_LEDGER_PRIVATE_H
#define LEDGER_LEDGER_PRIVATE_H

#include "ledger/api/ledger.h"
#include "ledger/group/groups.h"
#include "ledger/ledger.h"
#include "ledger/log/log.h"
#include "ledger/log/sync.h"
#include "ledger/topic/topics.h"
#include "ledger/txn/txns.h"

struct ledger_private {
    struct ledger *ledger;
    struct ledger_settings settings; /* texts owned */
    int lock_fd;
    struct log_pool *pool;
    struct consumer_env consumers;
    struct sync_entry store_entry; /* the store, as something to flush */
    int64_t store_bytes;           /* its size when we looked last */
    int64_t store_bytes_answered;  /* the same, before an answer */
    struct config_set fixed;       /* the settings that are configs of the broker */
    int64_t client_ms;             /* when a client was connected last */
    int64_t next_ms; /* when the loop was to be here again; 0: never was */
};

/* ledger_data.c: the folder, its lock (-1 and err: ERROR_CONFLICT), the cluster's id.
 */
int ledger_lock(const char *dir, struct error *err);
int ledger_identify(struct ledger *ledger, struct error *err);
/* That the files in it are there is on the disk. */
int ledger_sync_folder(const char *dir, struct error *err);

/* ledger_glue.c: what groups and transactions ask of the other parts. */
void ledger_group_answer(void *ticket, const void *response);
struct txns_host ledger_txns_host(struct ledger *ledger);
bool ledger_topic_exists(void *arg, struct wire_string topic);

#endif
