/* SPDX-License-Identifier: MIT
 *
 * txns_private.h - what the files of the coordinator share. Layer: ledger/txn.
 */
#ifndef LEDGER_TXN_TXNS_PRIVATE_H
#define LEDGER_TXN_TXNS_PRIVATE_H

#include "ledger/txn/txns.h"

#include <uthash.h>

enum {
    TXN_EPOCH_EXHAUSTED = INT16_MAX - 1, /* the last one is kept for fencing */
    TXN_NO_ID = -1,
};

/* What the store knows of a transactional.id. */
struct txn_data {
    enum txn_state state;
    bool bumps_epoch;   /* transactions version 2: the end's markers have a new epoch */
    int16_t last_epoch; /* before the last bump that its client made, -1: none */
    int32_t timeout_ms;
    struct txns_producer producer;
    int64_t previous_id; /* producer id before the last change */
    int64_t next_id;     /* producer id after the end, -1: the same */
    int64_t start_ms;
    int64_t updated_ms;
    struct txns_partition
        *partitions; /* sorted; texts owned. Complete: of the last end */
    int32_t partitions_count;
};

struct txn {
    char *id;
    int32_t id_len;
    struct txn_data data;
    int64_t due_ms; /* Ongoing: its timeout; Prepare: the next try */
    int32_t marked; /* Prepare: partitions that have their marker */
    bool recovered; /* Prepare, from before a restart: some may have it */
    bool complained;
    struct txn *prev, *next; /* busy ones: Ongoing and Prepare */
    UT_hash_handle hh;
};

struct txns {
    struct store *store;
    struct txns_host host;
    struct txn *table; /* uthash by id */
    struct txn *busy;
    int64_t due_ms;            /* of the first busy one */
    int64_t expiry_ms;         /* next look for ids to forget */
    int64_t next_id, limit_id; /* producer ids of the block in hand */
};

struct txn *txns_lookup(const struct txns *txns, struct wire_string id);

/* ---- txns_store.c -------------------------------------------------------- */

int txns_load(struct txns *txns, int64_t now_ms, int64_t wall_ms, struct error *err);
/* A new producer id, -1: the store refused. */
int64_t txns_new_id(struct txns *txns);
/*
 * Write data and make it the transaction's; txn->data's partitions are freed unless
 * data has them as well. sync: it must not be lost by a power cut (with host.sync).
 * False: the store refused (logged), nothing has changed and data's own partitions are
 * the caller's.
 */
bool txn_save(struct txns *txns, struct txn *txn, const struct txn_data *data,
              bool sync);
bool txn_forget(struct txns *txns, struct txn *txn);

int txn_partition_compare(const struct txns_partition *a,
                          const struct txns_partition *b);
void txn_partitions_free(struct txns_partition *partitions, int32_t count);

/* ---- txns_end.c ---------------------------------------------------------- */

/* Put it on or off the list of busy ones, as its state says. */
void txn_watch(struct txns *txns, struct txn *txn, int64_t due_ms);
/*
 * Decide an end: PREPARE_COMMIT or PREPARE_ABORT is in the store when it returns
 * KAFKA_NONE. bumps_epoch: transactions version 2; fence: nobody gets the new epoch.
 */
enum kafka_error txn_decide(struct txns *txns, struct txn *txn, bool commit,
                            bool bumps_epoch, bool fence, const struct txns_time *time);
/* Carry out what was decided, as far as the disk allows. */
void txn_complete(struct txns *txns, struct txn *txn, const struct txns_time *time);

#endif
