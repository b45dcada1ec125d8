/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/store/frame.h"
#include "ledger/store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REWRITE_MIN = 1024 * 1024, /* bytes: a smaller file is left as it is */
    REWRITE_FRAME = 64 * 1024, /* bytes after which a frame of the new file ends */
};

/* The new file while it is written; positions are taken over when it is in place. */
struct rewrite {
    const struct store *store;
    char *path;
    int fd;
    uint64_t salt;
    int64_t end;
    struct text_buf frame;
    int64_t *positions; /* of every slot's value, in their order; -1: damaged */
};

static int flush_frame(struct rewrite *to, struct error *err)
{
    struct text_buf *frame = &to->frame;

    if (frame->len <= FRAME_HEAD)
        return 0;
    frame_seal((uint8_t *)frame->data, (uint32_t)(frame->len - FRAME_HEAD), to->salt,
               to->end);
    if (store_write_at(to->fd, frame->data, frame->len, to->end, to->path, err) != 0)
        return -1;
    to->end += (int64_t)frame->len;
    frame->len = FRAME_HEAD;
    return 0;
}

/* A value that is damaged by now is lost, which is said, and goes no further. */
static int64_t copy_slot(struct rewrite *to, const struct store_slot *slot,
                         struct text_buf *value)
{
    struct error damage = {0};

    value->len = 0;
    if (store_read_slot(to->store, slot, value, &damage) != 0) {
        log_write(LOG_ERROR, "store", NULL, "%s: left out", damage.text);
        return -1;
    }
    store_append_put(&to->frame, slot->key, slot->key_len, value->data, value->len);
    return to->end + (int64_t)(to->frame.len - value->len);
}

static int copy_slots(struct rewrite *to, struct error *err)
{
    static const uint8_t head[FRAME_HEAD];
    struct text_buf value = {0};
    int result = 0;
    size_t at = 0;

    text_append_bytes(&to->frame, head, sizeof(head));
    for (const struct store_slot *slot = to->store->slots; slot != NULL && result == 0;
         slot = slot->hh.next) {
        to->positions[at++] = copy_slot(to, slot, &value);
        if (to->frame.len >= REWRITE_FRAME)
            result = flush_frame(to, err);
    }
    if (result == 0)
        result = flush_frame(to, err);
    text_buf_clear(&value);
    return result;
}

/* Without this a power cut could bring the old file back, after changes to the new one.
 */
static int sync_folder(const char *path, struct error *err)
{
    char *copy = mem_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd >= 0 ? fsync(fd) : -1;

    if (result != 0)
        error_set(err, ERROR_INTERNAL, "%s: cannot sync its folder: %s", path,
                  strerror(errno));
    if (fd >= 0)
        close(fd);
    free(copy);
    return result;
}

static int write_new(struct rewrite *to, struct error *err)
{
    to->fd = open(to->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    to->end = FRAME_FILE_HEAD;
    if (to->fd < 0) {
        error_set(err, ERROR_INTERNAL, "%s: cannot make: %s", to->path,
                  strerror(errno));
        return -1;
    }
    if (store_begin_file(to->fd, &to->salt, to->path, err) != 0 ||
        copy_slots(to, err) != 0)
        return -1;
    if (fdatasync(to->fd) != 0 || rename(to->path, to->store->path) != 0) {
        error_set(err, ERROR_INTERNAL, "%s: cannot put in place: %s", to->path,
                  strerror(errno));
        return -1;
    }
    return 0;
}

/* The new file has the old one's name: go on with it. */
static void take_over(struct store *store, struct rewrite *from)
{
    struct store_slot *slot, *next;
    size_t at = 0;

    HASH_ITER(hh, store->slots, slot, next)
    {
        slot->position = from->positions[at++];
        if (slot->position >= 0)
            continue;
        store->live_bytes -= store_slot_bytes(slot);
        HASH_DEL(store->slots, slot);
        free(slot);
    }
    close(store->fd);
    store->fd = from->fd;
    store->salt = from->salt;
    store->end = from->end;
    store->retry_at = 0;
    from->fd = -1;
}

static void rewrite(struct store *store)
{
    struct rewrite to = {.store = store, .fd = -1};
    struct error err = {0};

    to.path = mem_printf("%s.new", store->path);
    to.positions = mem_alloc((HASH_COUNT(store->slots) + 1) * sizeof(*to.positions));
    if (write_new(&to, &err) == 0) {
        take_over(store, &to);
        sync_folder(store->path, &err);
    } else {
        unlink(to.path);
        store->retry_at = store->end + store->end / 4;
    }
    if (error_is_set(&err))
        log_write(LOG_WARN, "store", NULL, "%s", err.text);
    if (to.fd >= 0)
        close(to.fd);
    text_buf_clear(&to.frame);
    free(to.positions);
    free(to.path);
}

void store_rewrite_if_due(struct store *store)
{
    if (store->end < REWRITE_MIN || store->end < store->retry_at ||
        store->end - FRAME_FILE_HEAD < 2 * store->live_bytes + REWRITE_MIN / 16)
        return;
    rewrite(store);
}
