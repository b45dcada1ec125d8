/* SPDX-License-Identifier: MIT
 *
 * rescan.c - reading a segment from end to end after a crash or without its index.
 */
#include "ledger/log/crc.h"
#include "ledger/log/log_private.h"
#include "ledger/wire/bytes.h"

#include <string.h>

enum { CHUNK_BYTES = 1 << 20 };

struct rescanner {
    struct log *log;
    struct segment *segment;
    int64_t end;      /* of the file */
    int64_t limit;    /* offset */
    int64_t expected; /* offset */
    bool gaps;        /* offsets may be missing */
    struct pool_buffer buffer;
    int64_t at, len; /* what the buffer holds */
};

/* At least len bytes (not more than a chunk) at position, or NULL and err. */
static const uint8_t *look(struct rescanner *scanner, int64_t position, int64_t len,
                           struct error *err)
{
    int64_t kept = scanner->at + scanner->len - position;

    if (position >= scanner->at && kept >= len)
        return scanner->buffer.data + (position - scanner->at);
    if (position < scanner->at || kept < 0)
        kept = 0;
    memmove(scanner->buffer.data, scanner->buffer.data + (scanner->len - kept),
            (size_t)kept);
    scanner->at = position;
    scanner->len = CHUNK_BYTES;
    if (scanner->len > scanner->end - position)
        scanner->len = scanner->end - position;
    if (file_read(scanner->segment->file, scanner->buffer.data + kept,
                  (size_t)(scanner->len - kept), position + kept, err) == 0)
        return scanner->buffer.data;
    error_set(err, ERROR_INTERNAL, "the file is shorter than it was");
    scanner->len = 0;
    return NULL;
}

/* Compare the checksum of a batch that may be larger than the buffer. 1, 0 or -1. */
static int crc_is_right(struct rescanner *scanner, int64_t position,
                        const struct batch *batch, struct error *err)
{
    int64_t next = position + INDEX_CHAIN_BYTES, end = position + batch->size;
    uint32_t crc = 0;

    /* What fits is looked at from its header on, which is asked for again afterwards.
     */
    if (batch->size <= CHUNK_BYTES && look(scanner, position, batch->size, err) == NULL)
        return -1;
    while (next < end) {
        int64_t part = end - next < CHUNK_BYTES ? end - next : CHUNK_BYTES;
        const uint8_t *data = look(scanner, next, part, err);

        if (data == NULL)
            return -1;
        crc = crc32c(crc, data, (size_t)part);
        next += part;
    }
    return crc == batch->crc;
}

static bool is_plausible(const struct rescanner *scanner, const struct batch *batch,
                         int64_t position, bool may_skip)
{
    return batch->size <= scanner->end - position &&
           batch->leader_epoch == BATCH_LEADER_EPOCH &&
           batch_next_offset(batch) <= scanner->limit &&
           (batch->base_offset == scanner->expected ||
            (may_skip && batch->base_offset > scanner->expected));
}

/* Whether a good batch begins at position: 1, 0 or -1 and err. */
static int try_batch(struct rescanner *scanner, int64_t position, bool may_skip,
                     struct batch *out, struct error *err)
{
    const uint8_t *data;

    if (scanner->end - position < BATCH_HEADER_BYTES)
        return 0;
    data = look(scanner, position, BATCH_HEADER_BYTES, err);
    if (data == NULL)
        return -1;
    if (batch_read(data, BATCH_HEADER_BYTES, out) != KAFKA_NONE ||
        !is_plausible(scanner, out, position, may_skip || scanner->gaps))
        return 0;
    return crc_is_right(scanner, position, out, err);
}

/* Cheap, for every byte: could a header begin here? */
static bool may_begin(const uint8_t *data)
{
    return data[16] == BATCH_MAGIC && bytes_get32(data + 12) == BATCH_LEADER_EPOCH;
}

/* The next position where a good batch begins; the file's end when there is none. */
static int64_t resync(struct rescanner *scanner, int64_t position, struct batch *out,
                      struct error *err)
{
    for (position++; scanner->end - position >= BATCH_HEADER_BYTES; position++) {
        const uint8_t *data = look(scanner, position, BATCH_HEADER_BYTES, err);
        int64_t left = scanner->at + scanner->len - position - BATCH_HEADER_BYTES;
        int found;

        if (data == NULL)
            return -1;
        for (; left > 0 && !may_begin(data); left--, data++)
            position++;
        found = may_begin(data) ? try_batch(scanner, position, true, out, err) : 0;
        if (found != 0)
            return found > 0 ? position : -1;
    }
    return scanner->end;
}

static void add_entry(struct segment *segment, int64_t offset)
{
    struct index_entry entry = {offset, segment->size, segment->max_timestamp,
                                segment->chain};

    index_add(&segment->index, &entry);
    segment->indexed = segment->size;
}

/*
 * Nothing good at the segment's end so far. Go to the next good batch, with an index
 * entry on either side of the damage. 1: there is one; 0: there is none; -1 and err.
 */
static int skip_damage(struct rescanner *scanner, const struct segment_rescan *rescan,
                       struct error *err)
{
    struct segment *segment = scanner->segment;
    struct damage damage = {.base = segment->base,
                            .from = segment->size,
                            .lost_from = scanner->expected,
                            .lost_to = rescan->limit};
    struct batch batch;

    damage.to = resync(scanner, segment->size, &batch, err);
    if (damage.to < 0)
        return -1;
    if (damage.to == scanner->end && rescan->may_cut)
        return 0;
    if (damage.to < scanner->end)
        damage.lost_to = batch.base_offset;
    add_entry(segment, damage.lost_from);
    segment->size = damage.to;
    segment->end = scanner->expected = damage.lost_to;
    add_entry(segment, damage.lost_to);
    log_damage(scanner->log, &damage);
    return damage.to < scanner->end;
}

static int scan(struct rescanner *scanner, const struct segment_rescan *rescan,
                struct error *err)
{
    struct segment *segment = scanner->segment;
    int64_t interval = scanner->log->config.index_interval_bytes;
    const uint8_t *header;
    struct batch batch;

    while (segment->size < scanner->end) {
        int found = try_batch(scanner, segment->size, false, &batch, err);

        if (found == 0 && scanner->expected >= rescan->keep)
            return 0;
        if (found == 0) {
            found = skip_damage(scanner, rescan, err);
            if (found <= 0)
                return found;
            found = try_batch(scanner, segment->size, true, &batch, err);
        }
        if (found <= 0)
            return -1;
        header = look(scanner, segment->size, BATCH_HEADER_BYTES, err);
        if (header == NULL)
            return -1;
        scanner->expected = batch_next_offset(&batch);
        segment_note(segment, &batch, header, interval);
    }
    return 0;
}

int segment_rescan(struct log *log, struct segment *segment,
                   struct segment_rescan *rescan, struct error *err)
{
    struct rescanner scanner = {
        .log = log,
        .segment = segment,
        .end = segment->size,
        .limit = rescan->limit,
        .expected = rescan->from.offset,
        .gaps = segment != log_last(log) && (log->gaps || segment->base < log->sparse),
        .at = rescan->from.position,
        .buffer = pool_take_buffer(log->pool, CHUNK_BYTES),
    };
    int64_t trusted = segment->trusted_from;
    int status;

    log_forget_damages(log, segment->base);
    segment->size = segment->indexed = rescan->from.position;
    segment->end = rescan->from.offset;
    segment->chain = rescan->from.chain;
    segment->max_timestamp = rescan->from.max_timestamp;
    status = index_cut(&segment->index, rescan->number + 1, err);
    if (status == 0)
        status = scan(&scanner, rescan, err);
    log_name_damages(log);
    pool_give_buffer(log->pool, scanner.buffer);
    rescan->cut = scanner.end - segment->size;
    rescan->checked = segment->size - rescan->from.position;
    if (status != 0) {
        segment->size = scanner.end;
        return -1;
    }
    segment->trusted_from =
        trusted < rescan->from.position ? trusted : rescan->from.position;
    return 0;
}
