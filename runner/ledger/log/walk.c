/* SPDX-License-Identifier: MIT */
#include "ledger/log/log_private.h"

#include <inttypes.h>
#include <string.h>

void walk_begin(struct walk *walk, struct log *log, struct segment *segment,
                int64_t position, int64_t ahead)
{
    *walk = (struct walk){.log = log,
                          .segment = segment,
                          .at = position,
                          .position = position,
                          .ahead = ahead,
                          .expected = segment->base,
                          .buffer = pool_take_buffer(log->pool, (size_t)ahead)};
}

void walk_end(struct walk *walk)
{
    pool_give_buffer(walk->log->pool, walk->buffer);
    walk->buffer = (struct pool_buffer){0};
}

/* The bytes position … position + len of the segment, which has them. */
static const uint8_t *bytes_at(struct walk *walk, int64_t position, int64_t len,
                               struct error *err)
{
    int64_t wanted = len > walk->ahead ? len : walk->ahead;

    if (position >= walk->buffer_at &&
        position + len <= walk->buffer_at + walk->buffer_len)
        return walk->buffer.data + (position - walk->buffer_at);
    if (wanted > walk->segment->size - position)
        wanted = walk->segment->size - position;
    if (wanted < len) {
        error_set(err, ERROR_INTERNAL, "a batch reaches beyond the end of its segment");
        return NULL;
    }
    if ((int64_t)walk->buffer.capacity < wanted) {
        pool_give_buffer(walk->log->pool, walk->buffer);
        walk->buffer = pool_take_buffer(walk->log->pool, (size_t)wanted);
    }
    walk->buffer_len = 0;
    if (file_read(walk->segment->file, walk->buffer.data, (size_t)wanted, position,
                  err) != 0) {
        error_set(err, ERROR_INTERNAL, "the file is shorter than it was");
        return NULL;
    }
    walk->buffer_at = position;
    walk->buffer_len = wanted;
    return walk->buffer.data;
}

/* Step over damages and check what was not; false at the segment's end. */
static int advance(struct walk *walk, struct error *err)
{
    struct segment *segment = walk->segment;

    while (walk->position < segment->size) {
        const struct damage *damage =
            segment_damage(walk->log, segment, walk->position);
        bool checked = walk->position >= segment->trusted_from ||
                       (walk->position >= segment->checked_from &&
                        walk->position < segment->checked_to);

        if (damage != NULL && damage->from <= walk->position)
            walk->position = damage->to;
        else if (checked)
            return 1;
        else if (segment_check(walk->log, segment, walk->position, walk->position + 1,
                               err) != 0)
            return -1;
    }
    return 0;
}

int walk_next(struct walk *walk, struct batch *out, struct error *err)
{
    int status = advance(walk, err);
    const uint8_t *data;

    if (status <= 0)
        return status;
    data = bytes_at(walk, walk->position, BATCH_HEADER_BYTES, err);
    if (data == NULL)
        return -1;
    if (batch_read(data, BATCH_HEADER_BYTES, out) != KAFKA_NONE ||
        out->size > walk->segment->size - walk->position ||
        out->base_offset < walk->expected) {
        error_set(err, ERROR_INTERNAL,
                  "%s: no batch at position %" PRId64 " of segment %" PRId64
                  " although there was one when it was written or checked",
                  walk->log->name, walk->position, walk->segment->base);
        return -1;
    }
    walk->at = walk->position;
    walk->position += out->size;
    walk->expected = batch_next_offset(out);
    return 1;
}

const uint8_t *walk_data(struct walk *walk, const struct batch *batch,
                         struct error *err)
{
    const uint8_t *data = bytes_at(walk, walk->at, batch->size, err);

    if (data != NULL && !batch_crc_ok(data, (size_t)batch->size)) {
        error_set(err, ERROR_INTERNAL,
                  "%s: the batch at offset %" PRId64
                  " has gone bad since it was written",
                  walk->log->name, batch->base_offset);
        return NULL;
    }
    return data;
}
