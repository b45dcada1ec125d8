/* SPDX-License-Identifier: MIT
 *
 * txns.h - the transaction coordinator: who has which transactional.id, in which state
 * his transaction is, what belongs to it, and its end. Layer: ledger/txn.
 *
 * Every state is in the store before it counts, so a crash at any moment leaves either
 * an open transaction, which goes on or is aborted by its timeout, or a decision
 * (PrepareCommit, PrepareAbort), which the first txns_tick carries out: markers in
 * every partition, then the groups' offsets, then Complete. The partitions of the last
 * end are kept, so that markers which a power cut took are written again.
 *
 * Offsets of a group belong to a transaction as Kafka shows it: as a partition of
 * __consumer_offsets.
 *
 * Kafka 4.2's rules and error codes; transactions version 2 (KIP-890) where clients
 * ask.
 */
#ifndef LEDGER_TXN_TXNS_H
#define LEDGER_TXN_TXNS_H

#include "base/error.h"
#include "ledger/log/partition.h"
#include "ledger/store/store.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TXNS_TIMEOUT_MAX_MS = 15 * 60 * 1000,     /* transaction.max.timeout.ms */
    TXNS_EXPIRE_MS = 7 * 24 * 60 * 60 * 1000, /* transactional.id.expiration.ms */
    TXNS_RETRY_MS = 1000,                     /* of an end that a disk refused */
    TXNS_OFFSETS_PARTITIONS = 50,             /* of __consumer_offsets */
    TXNS_COORDINATOR_EPOCH = 0,
};
#define TXNS_OFFSETS_TOPIC "__consumer_offsets"

enum txn_state {
    TXN_EMPTY,
    TXN_ONGOING,
    TXN_PREPARE_COMMIT,
    TXN_PREPARE_ABORT,
    TXN_COMPLETE_COMMIT,
    TXN_COMPLETE_ABORT,
    TXN_STATES
};
/* Kafka's names: "Empty", "Ongoing", "PrepareCommit" … */
const char *txn_state_text(enum txn_state state);
/* TXN_STATES when it names none; *known for Kafka's Dead and PrepareEpochFence. */
enum txn_state txn_state_find(struct wire_string text, bool *known);

struct txns;

/* What the coordinator needs of the rest; tests make it fail. */
struct txns_host {
    /* NULL: there is no such partition any more; *broken: there is, but it cannot be
     * opened. */
    struct partition *(*partition)(void *arg, struct wire_string topic, int32_t index,
                                   bool *broken);
    /* As offsets_settle. */
    int (*settle)(void *arg, int64_t producer_id, bool commit, struct error *err);
    void *arg;
    bool sync; /* fsync always: ids, epochs and decisions are on the disk before they
                  count */
};

/*
 * Load all transactions from the store, which must outlive them. Those that were
 * decided are finished by the first txns_tick: call it before requests are served.
 * Errors: NULL when the store cannot be read.
 */
struct txns *txns_open(struct store *store, const struct txns_host *host,
                       int64_t now_ms, int64_t wall_ms, struct error *err);
void txns_close(struct txns *txns); /* the store has everything; NULL is fine */

/*
 * A partition was opened: a transaction that it has open and the coordinator does not
 * is ended there, committed if that was the decision, else aborted. Only a power cut
 * makes any.
 */
void txns_reconcile(struct txns *txns, struct wire_string topic, int32_t index,
                    struct partition *partition, int64_t wall_ms);

/*
 * Abort transactions that took too long, go on with ends that were not finished, forget
 * transactional.ids not used for 7 days. Returns when to call again (now_ms's clock).
 */
int64_t txns_tick(struct txns *txns, int64_t now_ms, int64_t wall_ms);

/* ---- requests ------------------------------------------------------------ */

/* When a request came. */
struct txns_time {
    int64_t now_ms;
    int64_t wall_ms;
};

struct txns_producer {
    int64_t id;
    int16_t epoch;
};

struct txns_init {
    struct wire_string transactional_id; /* null: idempotent only */
    int32_t timeout_ms;
    struct txns_producer expected; /* id -1: none (KIP-360) */
};
/* InitProducerId. */
enum kafka_error txns_init(struct txns *txns, const struct txns_init *init,
                           const struct txns_time *time, struct txns_producer *out);

/* Who writes in which transaction, as most requests name it. */
struct txns_writer {
    struct wire_string transactional_id;
    struct txns_producer producer;
};

struct txns_partition {
    struct wire_string topic;
    int32_t index;
};

/* AddPartitionsToTxn; it also begins the transaction. The caller checked the topics. */
enum kafka_error txns_add(struct txns *txns, const struct txns_writer *who,
                          const struct txns_partition *partitions, int32_t count,
                          const struct txns_time *time);
/* AddPartitionsToTxn with VerifyOnly: is the partition part of the open transaction? */
enum kafka_error txns_verify(struct txns *txns, const struct txns_writer *who,
                             const struct txns_partition *partition);

/*
 * Before a transactional batch is appended to a partition in which its producer has no
 * open transaction: from Produce 12 on the partition is added, before it must have
 * been. The code is as Produce answers it. KAFKA_NONE: append with how.verified.
 */
enum kafka_error txns_produce(struct txns *txns, const struct txns_writer *who,
                              const struct txns_partition *partition, int16_t version,
                              const struct txns_time *time);

/* AddOffsetsToTxn. */
enum kafka_error txns_add_group(struct txns *txns, const struct txns_writer *who,
                                struct wire_string group, const struct txns_time *time);
/*
 * Before offsets are pended for a TxnOffsetCommit: from version 5 on the group is
 * added, before it must have been. The code is as TxnOffsetCommit answers it.
 */
enum kafka_error txns_offset_commit(struct txns *txns, const struct txns_writer *who,
                                    struct wire_string group, int16_t version,
                                    const struct txns_time *time);

/*
 * EndTxn. From version 5 on *out is what the producer goes on with, before it is -1,
 * -1. KAFKA_NONE: it is decided and in the store; markers and offsets are settled too,
 * unless a disk refused (then txns_tick goes on, and requests get
 * CONCURRENT_TRANSACTIONS).
 */
enum kafka_error txns_end(struct txns *txns, const struct txns_writer *who, bool commit,
                          int16_t version, const struct txns_time *time,
                          struct txns_producer *out);

/*
 * Whether the markers of this transactional.id's last end can be flushed to disk, as
 * far as is known: no log that has one has failed.
 */
bool txns_end_kept(struct txns *txns, struct wire_string transactional_id);

/* ---- administration ------------------------------------------------------ */

/* A transaction as DescribeTransactions shows it; borrowed until the next change. */
struct txns_view {
    struct wire_string transactional_id;
    enum txn_state state;
    struct txns_producer producer;
    int32_t timeout_ms;
    int64_t start_ms; /* wall clock, of the last one; -1: there was none */
    const struct txns_partition *partitions; /* in order of topic, then index */
    int32_t partitions_count;
};
bool txns_find(struct txns *txns, struct wire_string transactional_id,
               struct txns_view *out);
int64_t txns_count(const struct txns *txns);
/* Return false to end the walk. Nothing may be changed meanwhile. */
typedef bool txns_each_fn(void *arg, const struct txns_view *view);
void txns_each(struct txns *txns, txns_each_fn *fn, void *arg);

#endif
