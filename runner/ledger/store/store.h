/* SPDX-License-Identifier: MIT
 *
 * store.h - a durable map from keys to values: one append-only file with CRCs.
 * Layer: ledger/store. What the broker must remember besides records: topics, committed
 * offsets, groups, transactions. Only the keys are in memory, values stay in the file.
 *
 * A change is in the file (one write(2)) when the call returns: kill -9 loses nothing.
 * Who needs it to survive a power cut as well syncs store_fd. At open a torn tail is
 * cut; a damaged stretch in the middle is skipped, counted and named, and what follows
 * it counts. The damage costs the changes in that stretch; a key whose last change was
 * there has its value before. No other value is ever returned. A file of which more
 * than half is dead rewrites itself beside and takes its own place.
 *
 * Keys of different owners begin with different letters: api/ledger.h lists them.
 */
#ifndef LEDGER_STORE_H
#define LEDGER_STORE_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STORE_KEY_MAX = 64 * 1024,          /* bytes */
    STORE_VALUE_MAX = 64 * 1024 * 1024, /* bytes */
};

struct store;

/* What store_open found besides whole records. */
struct store_report {
    int64_t records;       /* changes read */
    int64_t cut_bytes;     /* of a torn tail, cut off */
    int64_t damaged_bytes; /* skipped in the middle */
    int64_t damaged_at;    /* file position of the first of them */
    int64_t damaged_count; /* stretches */
};

/*
 * Open or make the file. Damage is no error: it is reported and logged.
 * Errors: NULL when the file cannot be opened, locked, read, cut or is no such journal.
 */
struct store *store_open(const char *path, struct store_report *report,
                         struct error *err);
void store_close(struct store *store); /* an open batch is dropped; NULL is fine */

int64_t store_count(const struct store *store); /* live keys */
int64_t store_bytes(const struct store *store); /* of the file */
int store_fd(const struct store *store); /* changes with a rewrite: dup it at once */
bool store_has(const struct store *store, const void *key, size_t key_len);

/*
 * Replace the content of value with that of the key. Changes of an open batch are not
 * seen. Returns 1 found, 0 no such key (value is empty), -1 the file cannot be read or
 * is damaged.
 */
int store_get(struct store *store, const void *key, size_t key_len,
              struct text_buf *value, struct error *err);

/* key and value are valid during the call. Return false to end the walk. */
typedef bool store_each_fn(void *arg, const void *key, size_t key_len,
                           const void *value, size_t value_len);
/*
 * Call fn for every live key with this prefix, in the order of their last change. The
 * store must not be changed meanwhile. Values that cannot be read are logged and left
 * out.
 */
void store_each(struct store *store, const void *prefix, size_t prefix_len,
                store_each_fn *fn, void *arg);

/*
 * Set or remove a key. On failure (disk full) nothing has changed, in the file or here,
 * and the same call may be made again. Removing a key that is not there writes nothing.
 */
int store_put(struct store *store, const void *key, size_t key_len, const void *value,
              size_t value_len, struct error *err);
int store_delete(struct store *store, const void *key, size_t key_len,
                 struct error *err);

/*
 * Between begin and end, puts and deletes are only collected (and succeed, limits
 * aside); end writes them at once: after a crash all of them are there or none. On
 * failure of end none has happened. Batches nest; the outermost end writes. Drop
 * forgets the whole batch.
 */
void store_batch_begin(struct store *store);
int store_batch_end(struct store *store, struct error *err);
void store_batch_drop(struct store *store);

/*
 * fdatasync. After a flush that failed nothing is known about what was written before:
 * from then on every change and every flush fails until the store is opened again.
 */
int store_sync(struct store *store, struct error *err);
/* Somebody else's flush of store_fd has failed: as if store_sync had. */
void store_sync_failed(struct store *store);

#endif
