/* SPDX-License-Identifier: MIT
 *
 * keymap.h - for compaction: the last offset of every key. Layer: ledger/log (pure).
 *
 * Keys are kept as the first 16 bytes of their SHA-256, so a key costs 24 bytes however
 * long it is (uthash would take four times that, and memory decides how much one pass
 * of compaction gets done). The map is bounded; when it is full the pass ends there.
 */
#ifndef LEDGER_LOG_KEYMAP_H
#define LEDGER_LOG_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keymap_slot;

struct keymap {
    struct keymap_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    size_t max_keys;
    void *hasher;
};

void keymap_init(struct keymap *map, size_t max_keys);
void keymap_clear(struct keymap *map);

/* Whether so many more keys fit, all of them being new. */
bool keymap_has_room(const struct keymap *map, size_t keys);
/* Remember offset for the key; offsets come in rising order. */
void keymap_put(struct keymap *map, const uint8_t *key, size_t len, int64_t offset);
/* The key's last offset, -1: never seen. */
int64_t keymap_get(struct keymap *map, const uint8_t *key, size_t len);

#endif
