/* SPDX-License-Identifier: MIT
 *
 * read.c - from offsets to bytes: slices for fetches, and walks over all batches.
 */
#include "base/mem.h"
#include "ledger/log/log_private.h"

#include <inttypes.h>

/* What must be checked first comes in pieces, so that nobody else waits for long. */
enum { COLD_BYTES = 1 << 20 };

static struct log_hot *hot_of(struct log *log)
{
    log->used = true;
    if (log->hot == NULL)
        log->hot = mem_alloc(sizeof(*log->hot));
    return log->hot;
}

/* Where a batch with exactly this base offset begins, if it was seen lately. */
static int64_t remembered(const struct log_hot *hot, const struct segment *segment,
                          int64_t offset)
{
    for (int i = 0; i < HOT_PLACES; i++) {
        if (hot->reads[i].offset == offset && hot->reads[i].base == segment->base &&
            hot->reads[i].position > 0)
            return hot->reads[i].position;
        if (hot->appends[i].offset == offset && hot->appends[i].base == segment->base &&
            hot->appends[i].position > 0)
            return hot->appends[i].position;
    }
    return -1;
}

static void remember(struct log_hot *hot, const struct place *place)
{
    for (int i = 0; i < HOT_PLACES; i++)
        if (hot->reads[i].offset == place->offset && hot->reads[i].base == place->base)
            return;
    hot->reads[hot->next_read++ % HOT_PLACES] = *place;
}

/* The first batch that ends behind offset. 1: *at and *first; 0: none here; -1: err. */
static int find_batch(struct log *log, struct segment *segment, int64_t offset,
                      int64_t *at, struct batch *first, struct error *err)
{
    struct index_entry entry;
    struct walk walk;
    int64_t position = remembered(log->hot, segment, offset);
    int found;

    if (position < 0) {
        if (segment_find(log, segment, INDEX_OFFSET, offset, &entry, err) != 0)
            return -1;
        position = entry.position;
    }
    walk_begin(&walk, log, segment, position, WALK_HEADERS);
    while ((found = walk_next(&walk, first, err)) > 0)
        if (batch_next_offset(first) > offset)
            break;
    *at = walk.at;
    walk_end(&walk);
    return found;
}

/* Where a run of whole batches ends: before `until` bytes and before the offset limit.
 */
struct bound {
    int64_t until;
    int64_t limit;
    int64_t position; /* out */
    int64_t next;     /* out: offset there */
};

/* Walk from an index entry near the bound to it; batches up to `from` are in already.
 */
static int find_bound(struct log *log, struct segment *segment, int64_t from,
                      struct bound *bound, struct error *err)
{
    struct index_entry near, other;
    struct walk walk;
    struct batch batch;
    int found;

    if (segment_find(log, segment, INDEX_POSITION, bound->until, &near, err) != 0 ||
        segment_find(log, segment, INDEX_OFFSET, bound->limit, &other, err) != 0)
        return -1;
    if (other.position < near.position)
        near = other;
    if (near.position > from) {
        bound->position = near.position;
        bound->next = near.offset;
    }
    walk_begin(&walk, log, segment, bound->position, WALK_HEADERS);
    while ((found = walk_next(&walk, &batch, err)) > 0) {
        if (walk.position > bound->until || batch.base_offset >= bound->limit)
            break;
        bound->position = walk.position;
        bound->next = batch_next_offset(&batch);
    }
    walk_end(&walk);
    return found < 0 ? -1 : 0;
}

/* The slice ends before the first damage in it, which reading on steps over. */
static int stop_at_damage(struct log *log, struct segment *segment, int64_t from,
                          struct bound *bound, struct error *err)
{
    const struct damage *damage;

    if (segment_check(log, segment, from, bound->position, err) != 0)
        return -1;
    damage = segment_damage(log, segment, from);
    if (damage == NULL || damage->from >= bound->position)
        return 0;
    bound->position = damage->from;
    bound->next = damage->lost_to;
    return 0;
}

/* Pin the bytes from where the slice begins up to the bound. 1, or -1 and err. */
static int fill(struct log *log, struct segment *segment, const struct bound *bound,
                struct log_slice *out, struct error *err)
{
    out->len = bound->position - out->position;
    out->next = bound->next;
    out->fd = file_pin(segment->file, err);
    out->file = segment->file;
    if (out->fd < 0)
        return -1;
    remember(log->hot, &(struct place){bound->next, bound->position, segment->base});
    return 1;
}

/*
 * The usual case: a consumer at the end of the log wants what was appended since, all
 * of it. Where that begins is remembered, and where it ends needs no looking.
 */
static bool is_tail(const struct log *log, const struct segment *segment,
                    int64_t offset, const struct log_slice *asked, int64_t *at)
{
    if (segment != log_last(log) || asked->next < segment->end)
        return false;
    *at = remembered(log->hot, segment, offset);
    return *at >= segment->trusted_from && *at < segment->size &&
           segment->size - *at <= asked->len &&
           segment_damage(log, segment, *at) == NULL;
}

/* Fill out with what the segment has from offset on. 1, 0: nothing, -1 and err. */
static int read_segment(struct log *log, struct segment *segment, int64_t offset,
                        const struct log_slice *asked, bool min_one,
                        struct log_slice *out, struct error *err)
{
    int64_t at, limit = asked->next, max_bytes = asked->len;
    struct batch first;
    struct bound bound = {.position = segment->size, .next = segment->end};
    int found;

    *out = (struct log_slice){.fd = -1, .offset = offset, .next = offset};
    if (is_tail(log, segment, offset, asked, &out->position))
        return fill(log, segment, &bound, out, err);
    found = find_batch(log, segment, offset, &at, &first, err);
    if (found <= 0)
        return found;
    out->position = at;
    out->offset = first.base_offset;
    if (at < segment->trusted_from && max_bytes > COLD_BYTES)
        max_bytes = COLD_BYTES;
    if (first.base_offset >= limit || (first.size > max_bytes && !min_one))
        return 1;
    bound = (struct bound){at + (max_bytes > first.size ? max_bytes : first.size),
                           limit, at + first.size, batch_next_offset(&first)};
    if (bound.until >= segment->size && limit >= segment->end) {
        bound.position = segment->size;
        bound.next = segment->end;
    } else if (find_bound(log, segment, at, &bound, err) != 0) {
        return -1;
    }
    if (stop_at_damage(log, segment, at, &bound, err) != 0)
        return -1;
    return fill(log, segment, &bound, out, err);
}

enum kafka_error log_read(struct log *log, int64_t offset, int64_t max_bytes,
                          int64_t limit, bool min_one, struct log_slice *out,
                          struct error *err)
{
    struct log_slice asked = {.len = max_bytes,
                              .next = limit < log->end ? limit : log->end};

    *out = (struct log_slice){.fd = -1, .offset = offset, .next = offset};
    if (offset < log->start || offset > log->end)
        return KAFKA_OFFSET_OUT_OF_RANGE;
    if (offset >= asked.next)
        return KAFKA_NONE;
    (void)hot_of(log);
    for (size_t i = log_segment_of(log, offset); i < log->count; i++) {
        int found =
            read_segment(log, &log->segments[i], offset, &asked, min_one, out, err);

        if (found < 0) {
            *out = (struct log_slice){.fd = -1, .offset = offset, .next = offset};
            return KAFKA_STORAGE_ERROR;
        }
        if (found > 0)
            return KAFKA_NONE;
        /* All that the segment had there was compacted away or is damaged. */
        out->next =
            log->segments[i].end < asked.next ? log->segments[i].end : asked.next;
    }
    return KAFKA_NONE;
}

void log_slice_release(void *file)
{
    file_unpin(file);
}

static int each_in_segment(struct log *log, size_t i, int64_t from, log_batch_fn *fn,
                           void *arg, struct error *err)
{
    struct index_entry entry;
    struct batch batch;
    struct walk walk;
    int status;

    if (segment_find(log, &log->segments[i], INDEX_OFFSET, from, &entry, err) != 0)
        return -1;
    walk_begin(&walk, log, &log->segments[i], entry.position, WALK_HEADERS);
    while ((status = walk_next(&walk, &batch, err)) > 0) {
        const uint8_t *data = NULL;

        if (batch_next_offset(&batch) <= from)
            continue;
        if (batch_is_control(&batch) && (data = walk_data(&walk, &batch, err)) == NULL)
            status = -1;
        else if (fn(arg, &batch, data) != 0)
            status = -1;
        if (status < 0)
            break;
    }
    walk_end(&walk);
    return status;
}

int log_each_batch(struct log *log, int64_t from, log_batch_fn *fn, void *arg,
                   struct error *err)
{
    for (size_t i = log_segment_of(log, from); i < log->count; i++)
        if (each_in_segment(log, i, from, fn, arg, err) != 0) {
            error_set(err, ERROR_INTERNAL, "%s: reading its batches was stopped",
                      log->name);
            return -1;
        }
    return 0;
}
