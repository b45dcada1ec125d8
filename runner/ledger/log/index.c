/* SPDX-License-Identifier: MIT */
#include "ledger/log/index.h"

#include "base/mem.h"
#include "ledger/log/crc.h"
#include "ledger/wire/bytes.h"

#include <stdlib.h>

int32_t index_count(struct index *index, struct error *err)
{
    if (index->count == INDEX_UNKNOWN) {
        int64_t size = file_size(index->file, err);

        if (size < 0)
            return -1;
        index->count = (int32_t)(size / INDEX_ENTRY_BYTES);
    }
    return index->count + index->pending_count;
}

static void encode(const struct index *index, const struct index_entry *entry,
                   uint8_t data[INDEX_ENTRY_BYTES])
{
    bytes_put32(data, (uint32_t)(entry->offset - index->base));
    bytes_put32(data + 4, (uint32_t)entry->position);
    bytes_put64(data + 8, (uint64_t)entry->max_timestamp);
    bytes_put32(data + 16, entry->chain);
    bytes_put32(data + 20, crc32c((uint32_t)index->base, data, 20));
}

static bool decode(const struct index *index, const uint8_t data[INDEX_ENTRY_BYTES],
                   struct index_entry *entry)
{
    *entry = (struct index_entry){
        .offset = index->base + bytes_get32(data),
        .position = bytes_get32(data + 4),
        .max_timestamp = (int64_t)bytes_get64(data + 8),
        .chain = bytes_get32(data + 16),
    };
    return bytes_get32(data + 20) == crc32c((uint32_t)index->base, data, 20);
}

int index_get(struct index *index, int32_t i, struct index_entry *out,
              struct error *err)
{
    uint8_t data[INDEX_ENTRY_BYTES];
    int status;

    if (i == INDEX_BEGIN) {
        *out = (struct index_entry){.offset = index->base, .max_timestamp = -1};
        return 0;
    }
    if (i >= index->count) {
        *out = index->pending[i - index->count];
        return 0;
    }
    status =
        file_read(index->file, data, sizeof(data), (int64_t)i * INDEX_ENTRY_BYTES, err);
    if (status != 0)
        return status;
    return decode(index, data, out) ? 0 : 1;
}

static bool is_before(const struct index_entry *entry, enum index_key by, int64_t key)
{
    switch (by) {
    case INDEX_OFFSET:
        return entry->offset <= key;
    case INDEX_POSITION:
        return entry->position <= key;
    case INDEX_TIME:
        return entry->max_timestamp < key;
    }
    return false;
}

int index_find(struct index *index, enum index_key by, int64_t key, int32_t *number,
               struct index_entry *out, struct error *err)
{
    int32_t low = INDEX_BEGIN, high = index_count(index, err);
    struct index_entry entry;
    int status;

    if (high < 0)
        return -1;
    /* Most look-ups are near the end, and those entries are in memory. */
    if (index->pending_count > 0 && high - low > index->pending_count) {
        if (is_before(&index->pending[0], by, key))
            low = index->count;
        else
            high = index->count;
    }
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;

        status = index_get(index, middle, &entry, err);
        if (status != 0)
            return status;
        if (is_before(&entry, by, key))
            low = middle;
        else
            high = middle;
    }
    *number = low;
    return index_get(index, low, out, err);
}

static int write_pending(struct index *index, struct error *err)
{
    uint8_t data[INDEX_PENDING * INDEX_ENTRY_BYTES];

    if (index->pending_count == 0)
        return 0;
    for (int32_t i = 0; i < index->pending_count; i++)
        encode(index, &index->pending[i], data + (size_t)i * INDEX_ENTRY_BYTES);
    if (file_write(index->file, data, (size_t)index->pending_count * INDEX_ENTRY_BYTES,
                   (int64_t)index->count * INDEX_ENTRY_BYTES, err) != 0)
        return -1;
    index->count += index->pending_count;
    index->pending_count = 0;
    return 0;
}

void index_add(struct index *index, const struct index_entry *entry)
{
    struct error ignored = {0};

    if (index->pending == NULL)
        index->pending = mem_alloc(INDEX_PENDING * sizeof(*index->pending));
    if (index->pending_count == INDEX_PENDING && write_pending(index, &ignored) != 0)
        return;
    index->pending[index->pending_count++] = *entry;
}

int index_write(struct index *index, struct error *err)
{
    if (write_pending(index, err) != 0)
        return -1;
    free(index->pending);
    index->pending = NULL;
    return 0;
}

int index_cut(struct index *index, int32_t count, struct error *err)
{
    index->pending_count = 0;
    if (file_cut(index->file, (int64_t)count * INDEX_ENTRY_BYTES, err) != 0)
        return -1;
    index->count = count;
    return 0;
}
