/* SPDX-License-Identifier: MIT
 *
 * sync.h - flushing files to disk (fsync) without stopping the loop.
 * Layer: ledger/log. One thread that owns nothing: it is handed descriptors, calls
 * fdatasync on them and reports by an eventfd. Everything else runs on the loop's
 * thread.
 *
 * Flushing goes in rounds. A round takes everything that is dirty at its beginning;
 * what becomes dirty meanwhile waits for the next one, all together (group commit).
 *
 * Interval policy:  sync_tick(sync, now_ms) in every turn of the loop.
 * Always policy:    ticket = sync_ticket(sync) after the append; answer when
 *                   sync_reached(sync, ticket) says so, looked at after sync_poll.
 */
#ifndef LEDGER_LOG_SYNC_H
#define LEDGER_LOG_SYNC_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct sync;
struct sync_entry;

/* A round begins: hand over this entry's descriptors by sync_add. */
typedef void sync_collect_fn(struct sync *sync, struct sync_entry *entry);
/* The round is over. error: 0, or the errno of a flush that failed. */
typedef void sync_done_fn(struct sync_entry *entry, int error);

/* Something with files to flush: embedded in its owner, zeroed but for the functions.
 */
struct sync_entry {
    sync_collect_fn *collect;
    sync_done_fn *done;
    struct sync_entry *prev, *next; /* of the dirty ones */
    uint64_t sequence;              /* when it became dirty */
    uint64_t round_sequence;        /* the same, of the round that runs */
    bool dirty;
    bool busy;  /* in the round that runs */
    bool later; /* sync_later was called for that */
};

/* interval_ms: at most so long after it was written is data flushed (sync_tick). */
struct sync *sync_start(int64_t interval_ms, struct error *err);

/* Becomes readable when a round is over: call sync_poll then. */
int sync_fd(const struct sync *sync);

/* Whether everything up to the ticket is flushed, or its flushing has failed (the logs
 * concerned refuse to go on then; see sync_failed). */
bool sync_reached(const struct sync *sync, uint64_t ticket);

/* The errno of a flush since the start that failed; 0: none did. */
int sync_failed(const struct sync *sync);

/* This entry has something to flush. Cheap; may be called at every write. */
void sync_dirty(struct sync *sync, struct sync_entry *entry);

/* In collect: flush fd in this round, then release(owner), if given. */
void sync_add(struct sync *sync, int fd, void (*release)(void *owner), void *owner);

/*
 * In collect: something cannot be handed over now (there are no descriptors left). The
 * entry stays dirty, nobody is told that it is flushed, and it is asked again after the
 * interval.
 */
void sync_later(struct sync *sync);

/* Begin a round when it is due. The time to be called again, INT64_MAX: nothing is
 * dirty. */
int64_t sync_tick(struct sync *sync, int64_t now_ms);

/* Begin a round as soon as may be. The ticket stands for all that is dirty now. */
uint64_t sync_ticket(struct sync *sync);

/* Take what the thread has finished; calls done functions, begins a round that waits.
 */
void sync_poll(struct sync *sync);

/* Before an entry's owner is freed: neither of its functions is called any more. */
void sync_forget(struct sync *sync, struct sync_entry *entry);

/* Flush what is dirty now and wait for it; for closing. */
void sync_flush(struct sync *sync);

/* Waits for the round that runs. No entry may be left. */
void sync_stop(struct sync *sync);

#endif
