/* SPDX-License-Identifier: MIT
 *
 * store_private.h - what store.c and store_rewrite.c share. Layer: ledger/store.
 */
#ifndef LEDGER_STORE_PRIVATE_H
#define LEDGER_STORE_PRIVATE_H

#include "ledger/store/store.h"

#include <uthash.h>

enum { STORE_ENTRY_HEAD = 9 };

struct store_slot {
    UT_hash_handle hh;
    int64_t position; /* of the value in the file */
    uint32_t value_len;
    uint32_t value_crc;
    uint32_t key_len;
    uint8_t key[];
};

struct store {
    char *path;
    int fd;
    uint64_t salt;
    int64_t end;        /* where the next frame goes */
    int64_t live_bytes; /* what the file would need for what is live */
    int64_t retry_at;   /* file size at which a failed rewrite is tried again */
    struct store_slot *slots;
    struct text_buf batch; /* a frame's head, then changes; empty outside of a batch */
    int depth;
    bool dropped;
    bool failed; /* a flush has failed */
};

static inline int64_t store_slot_bytes(const struct store_slot *slot)
{
    return (int64_t)STORE_ENTRY_HEAD + slot->key_len + slot->value_len;
}

/* Give a new file its lock and head. */
int store_begin_file(int fd, uint64_t *salt, const char *path, struct error *err);
int store_write_at(int fd, const void *data, size_t len, int64_t position,
                   const char *path, struct error *err);
void store_append_put(struct text_buf *buf, const void *key, size_t key_len,
                      const void *value, size_t value_len);
/* Append the slot's value to value. */
int store_read_slot(const struct store *store, const struct store_slot *slot,
                    struct text_buf *value, struct error *err);

/* Rewrite the file without what is dead when that is more than half. Never fails: the
 * old file stays until the new one is whole and synced. */
void store_rewrite_if_due(struct store *store);

#endif
