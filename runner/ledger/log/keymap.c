/* SPDX-License-Identifier: MIT */
#include "ledger/log/keymap.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024, HASH_BYTES = 16 };

struct keymap_slot {
    uint8_t hash[HASH_BYTES];
    int64_t offset; /* plus one; 0: free */
};

void keymap_init(struct keymap *map, size_t max_keys)
{
    *map = (struct keymap){.max_keys = max_keys, .hasher = EVP_MD_CTX_new()};
}

void keymap_clear(struct keymap *map)
{
    EVP_MD_CTX_free(map->hasher);
    free(map->slots);
    *map = (struct keymap){0};
}

bool keymap_has_room(const struct keymap *map, size_t keys)
{
    return keys <= map->max_keys && map->count <= map->max_keys - keys;
}

static void hash_key(struct keymap *map, const uint8_t *key, size_t len,
                     uint8_t hash[HASH_BYTES])
{
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    static const uint8_t nothing[1];

    if (map->hasher == NULL ||
        EVP_DigestInit_ex(map->hasher, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(map->hasher, len > 0 ? key : nothing, len) != 1 ||
        EVP_DigestFinal_ex(map->hasher, digest, NULL) != 1)
        abort(); /* out of memory; a wrong hash would lose records */
    memcpy(hash, digest, HASH_BYTES);
}

/* The slot of the hash, or the free one where it belongs. */
static struct keymap_slot *find(struct keymap_slot *slots, size_t capacity,
                                const uint8_t hash[HASH_BYTES])
{
    size_t at;

    memcpy(&at, hash, sizeof(at));
    for (at &= capacity - 1; slots[at].offset != 0; at = (at + 1) & (capacity - 1))
        if (memcmp(slots[at].hash, hash, HASH_BYTES) == 0)
            break;
    return &slots[at];
}

static void grow(struct keymap *map)
{
    size_t capacity = map->capacity == 0 ? FIRST_SLOTS : map->capacity * 2;
    struct keymap_slot *slots = mem_alloc(capacity * sizeof(*slots));

    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].offset != 0)
            *find(slots, capacity, map->slots[i].hash) = map->slots[i];
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
}

void keymap_put(struct keymap *map, const uint8_t *key, size_t len, int64_t offset)
{
    uint8_t hash[HASH_BYTES];
    struct keymap_slot *slot;

    if (map->count >= map->capacity / 4 * 3)
        grow(map);
    hash_key(map, key, len, hash);
    slot = find(map->slots, map->capacity, hash);
    if (slot->offset == 0) {
        memcpy(slot->hash, hash, HASH_BYTES);
        map->count++;
    }
    slot->offset = offset + 1;
}

int64_t keymap_get(struct keymap *map, const uint8_t *key, size_t len)
{
    uint8_t hash[HASH_BYTES];

    if (map->count == 0)
        return -1;
    hash_key(map, key, len, hash);
    return find(map->slots, map->capacity, hash)->offset - 1;
}
