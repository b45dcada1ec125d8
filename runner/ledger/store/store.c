/* SPDX-License-Identifier: MIT */
#include "ledger/store/store.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/store/frame.h"
#include "ledger/store/store_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KIND_PUT = 1,
    KIND_DELETE = 2,
    BATCH_MAX = 1 << 30, /* bytes of one frame */
};

/* One change as it stands in a payload: kind, key length, value length, key, value. */
struct change {
    int kind;
    const uint8_t *key;
    uint32_t key_len;
    const uint8_t *value;
    uint32_t value_len;
};

static void append_change(struct text_buf *buf, const struct change *change)
{
    uint8_t head[STORE_ENTRY_HEAD];

    head[0] = (uint8_t)change->kind;
    frame_put32(head + 1, change->key_len);
    frame_put32(head + 5, change->value_len);
    text_append_bytes(buf, head, sizeof(head));
    text_append_bytes(buf, change->key, change->key_len);
    text_append_bytes(buf, change->value, change->value_len);
}

void store_append_put(struct text_buf *buf, const void *key, size_t key_len,
                      const void *value, size_t value_len)
{
    struct change change = {KIND_PUT, key, (uint32_t)key_len, value,
                            (uint32_t)value_len};
    append_change(buf, &change);
}

/* Read the change at *at of a payload and move on; false at its end or when it is
 * broken. */
static bool next_change(const uint8_t *payload, size_t len, size_t *at,
                        struct change *out)
{
    const uint8_t *head = payload + *at;

    if (len - *at < STORE_ENTRY_HEAD)
        return false;
    out->kind = head[0];
    out->key_len = frame_get32(head + 1);
    out->value_len = frame_get32(head + 5);
    if ((uint64_t)out->key_len + out->value_len > len - *at - STORE_ENTRY_HEAD)
        return false;
    out->key = head + STORE_ENTRY_HEAD;
    out->value = out->key + out->key_len;
    *at += STORE_ENTRY_HEAD + out->key_len + out->value_len;
    return true;
}

static struct store_slot *find_slot(const struct store *store, const void *key,
                                    size_t key_len)
{
    struct store_slot *slot;

    HASH_FIND(hh, store->slots, key, (unsigned)key_len, slot);
    return slot;
}

static void drop_slot(struct store *store, struct store_slot *slot)
{
    store->live_bytes -= store_slot_bytes(slot);
    HASH_DEL(store->slots, slot);
    free(slot);
}

/* Make a change visible; position is where its value stands in the file. */
static void apply_change(struct store *store, const struct change *change,
                         int64_t position)
{
    struct store_slot *slot = find_slot(store, change->key, change->key_len);

    if (slot != NULL)
        drop_slot(store, slot);
    if (change->kind != KIND_PUT)
        return;
    slot = mem_alloc(sizeof(*slot) + change->key_len);
    slot->position = position;
    slot->value_len = change->value_len;
    slot->value_crc = frame_crc(0, change->value, change->value_len);
    slot->key_len = change->key_len;
    memcpy(slot->key, change->key, change->key_len);
    HASH_ADD(hh, store->slots, key, slot->key_len, slot);
    store->live_bytes += store_slot_bytes(slot);
}

/* Apply all changes of a payload that stands at position; returns how many. */
static int64_t apply_payload(struct store *store, const uint8_t *payload, size_t len,
                             int64_t position)
{
    struct change change;
    size_t at = 0;
    int64_t count = 0;

    for (; next_change(payload, len, &at, &change); count++)
        apply_change(store, &change, position + (change.value - payload));
    return count;
}

static void name_damage(const struct store *store, struct store_report *report,
                        size_t from, size_t to)
{
    if (report->damaged_count++ == 0)
        report->damaged_at = (int64_t)from;
    report->damaged_bytes += (int64_t)(to - from);
    log_write(LOG_ERROR, "store", NULL,
              "%s: %zu bytes at %zu are damaged: the changes in them are lost",
              store->path, to - from, from);
}

/* Read all frames; what cannot be read is skipped if a frame follows, else cut. */
static void load(struct store *store, const uint8_t *file, size_t size,
                 struct store_report *report)
{
    size_t at = FRAME_FILE_HEAD;

    while (at < size) {
        uint32_t length = 0;
        enum frame_state state = frame_check(file, size, store->salt, at, &length);
        size_t skip = state == FRAME_BAD ? 1 : FRAME_HEAD + (size_t)length;
        size_t next;
        if (state == FRAME_WHOLE) {
            report->records += apply_payload(store, file + at + FRAME_HEAD, length,
                                             (int64_t)at + FRAME_HEAD);
            at += skip;
            continue;
        }
        next = frame_find(file, size, store->salt, at + skip);
        if (next == size)
            break;
        name_damage(store, report, at, next);
        at = next;
    }
    report->cut_bytes = (int64_t)(size - at);
    store->end = (int64_t)at;
    if (report->cut_bytes > 0)
        log_write(LOG_WARN, "store", NULL,
                  "%s: %zu bytes after %zu are no whole change: cut", store->path,
                  size - at, at);
}

int store_begin_file(int fd, uint64_t *salt, const char *path, struct error *err)
{
    uint8_t head[FRAME_FILE_HEAD];

    if (getrandom(salt, sizeof(*salt), 0) != (ssize_t)sizeof(*salt)) {
        error_set(err, ERROR_INTERNAL, "%s: no random bytes: %s", path,
                  strerror(errno));
        return -1;
    }
    frame_file_head(head, *salt);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        error_set(err, ERROR_CONFLICT, "%s is in use by another process", path);
        return -1;
    }
    return store_write_at(fd, head, sizeof(head), 0, path, err);
}

int store_write_at(int fd, const void *data, size_t len, int64_t position,
                   const char *path, struct error *err)
{
    const uint8_t *at = data;

    while (len > 0) {
        ssize_t done = pwrite(fd, at, len, position);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            error_set(err, ERROR_INTERNAL, "%s: cannot write: %s", path,
                      strerror(done < 0 ? errno : ENOSPC));
            return -1;
        }
        at += done;
        position += done;
        len -= (size_t)done;
    }
    return 0;
}

/* A file too short for its head is one whose making was cut off: begin it again. */
static int begin_again(struct store *store, size_t size, struct store_report *report,
                       struct error *err)
{
    if (ftruncate(store->fd, 0) != 0) {
        error_set(err, ERROR_INTERNAL, "%s: cannot cut: %s", store->path,
                  strerror(errno));
        return -1;
    }
    report->cut_bytes = (int64_t)size;
    store->end = FRAME_FILE_HEAD;
    return store_begin_file(store->fd, &store->salt, store->path, err);
}

static int load_file(struct store *store, size_t size, struct store_report *report,
                     struct error *err)
{
    void *file;

    if (size < FRAME_FILE_HEAD)
        return begin_again(store, size, report, err);
    file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, store->fd, 0);
    if (file == MAP_FAILED) {
        error_set(err, ERROR_INTERNAL, "%s: cannot map: %s", store->path,
                  strerror(errno));
        return -1;
    }
    if (frame_file_salt(file, &store->salt))
        load(store, file, size, report);
    else
        error_set(
            err, ERROR_FAILED,
            "%s: its first %d bytes are damaged, so that nothing in it can be read",
            store->path, FRAME_FILE_HEAD);
    munmap(file, size);
    if (error_is_set(err))
        return -1;
    if (report->cut_bytes > 0 && ftruncate(store->fd, store->end) != 0) {
        error_set(err, ERROR_INTERNAL, "%s: cannot cut: %s", store->path,
                  strerror(errno));
        return -1;
    }
    return 0;
}

struct store *store_open(const char *path, struct store_report *report,
                         struct error *err)
{
    struct store *store = mem_alloc(sizeof(*store));
    struct stat info;

    *report = (struct store_report){0};
    store->path = mem_strdup(path);
    store->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->fd < 0 || fstat(store->fd, &info) != 0)
        error_set(err, ERROR_INTERNAL, "%s: cannot open: %s", path, strerror(errno));
    else if (flock(store->fd, LOCK_EX | LOCK_NB) != 0)
        error_set(err, ERROR_CONFLICT, "%s is in use by another process", path);
    else if (load_file(store, (size_t)info.st_size, report, err) == 0)
        return store;
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    struct store_slot *slot, *next;

    if (store == NULL)
        return;
    HASH_ITER(hh, store->slots, slot, next)
    {
        HASH_DEL(store->slots, slot);
        free(slot);
    }
    text_buf_clear(&store->batch);
    if (store->fd >= 0)
        close(store->fd);
    free(store->path);
    free(store);
}

int64_t store_count(const struct store *store)
{
    return HASH_COUNT(store->slots);
}

int64_t store_bytes(const struct store *store)
{
    return store->end;
}

int store_fd(const struct store *store)
{
    return store->fd;
}

bool store_has(const struct store *store, const void *key, size_t key_len)
{
    return find_slot(store, key, key_len) != NULL;
}

int store_read_slot(const struct store *store, const struct store_slot *slot,
                    struct text_buf *value, struct error *err)
{
    text_reserve(value, slot->value_len);
    for (size_t have = 0; have < slot->value_len;) {
        ssize_t got = pread(store->fd, value->data + value->len + have,
                            slot->value_len - have, slot->position + (int64_t)have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            error_set(err, ERROR_INTERNAL, "%s: cannot read %u bytes at %lld: %s",
                      store->path, slot->value_len, (long long)slot->position,
                      got < 0 ? strerror(errno) : "the file is shorter");
            return -1;
        }
        have += (size_t)got;
    }
    if (frame_crc(0, value->data + value->len, slot->value_len) != slot->value_crc) {
        error_set(err, ERROR_FAILED, "%s: the value of %u bytes at %lld is damaged",
                  store->path, slot->value_len, (long long)slot->position);
        return -1;
    }
    value->len += slot->value_len;
    value->data[value->len] = '\0';
    return 0;
}

int store_get(struct store *store, const void *key, size_t key_len,
              struct text_buf *value, struct error *err)
{
    const struct store_slot *slot = find_slot(store, key, key_len);

    text_drop_front(value, value->len);
    if (slot == NULL)
        return 0;
    return store_read_slot(store, slot, value, err) == 0 ? 1 : -1;
}

void store_each(struct store *store, const void *prefix, size_t prefix_len,
                store_each_fn *fn, void *arg)
{
    struct text_buf value = {0};
    bool more = true;

    for (const struct store_slot *slot = store->slots; slot != NULL && more;
         slot = slot->hh.next) {
        struct error err = {0};
        if (slot->key_len < prefix_len || memcmp(slot->key, prefix, prefix_len) != 0)
            continue;
        value.len = 0;
        if (store_read_slot(store, slot, &value, &err) == 0)
            more = fn(arg, slot->key, slot->key_len, value.data, value.len);
        else
            log_write(LOG_ERROR, "store", NULL, "%s", err.text);
    }
    text_buf_clear(&value);
}

static int refuse(const struct store *store, struct error *err)
{
    error_set(err, ERROR_INTERNAL,
              "%s: an earlier flush to disk failed; start the broker again",
              store->path);
    return -1;
}

/* Write the collected changes as one frame and make them visible. */
static int write_batch(struct store *store, struct error *err)
{
    struct text_buf *batch = &store->batch;
    size_t length = batch->len - FRAME_HEAD;

    if (store->failed)
        return refuse(store, err);
    if (length > BATCH_MAX) {
        error_set(err, ERROR_INPUT, "%s: a batch of %zu bytes is too large",
                  store->path, length);
        return -1;
    }
    frame_seal((uint8_t *)batch->data, (uint32_t)length, store->salt, store->end);
    if (store_write_at(store->fd, batch->data, batch->len, store->end, store->path,
                       err) != 0) {
        /* If this fails as well the leftover is overwritten by the next change. */
        if (ftruncate(store->fd, store->end) != 0)
            log_write(LOG_WARN, "store", NULL, "%s: cannot cut: %s", store->path,
                      strerror(errno));
        return -1;
    }
    apply_payload(store, (uint8_t *)batch->data + FRAME_HEAD, length,
                  store->end + FRAME_HEAD);
    store->end += (int64_t)batch->len;
    return 0;
}

static void forget_batch(struct store *store)
{
    enum { KEEP = 64 * 1024 };

    store->batch.len = 0;
    store->dropped = false;
    if (store->batch.capacity > KEEP)
        text_buf_clear(&store->batch);
}

void store_batch_begin(struct store *store)
{
    static const uint8_t head[FRAME_HEAD];

    if (store->depth++ == 0)
        text_append_bytes(&store->batch, head, sizeof(head));
}

int store_batch_end(struct store *store, struct error *err)
{
    int result = 0;

    assert(store->depth > 0);
    if (--store->depth > 0)
        return 0;
    if (store->dropped) {
        error_set(err, ERROR_FAILED, "%s: the batch was dropped", store->path);
        result = -1;
    } else if (store->batch.len > FRAME_HEAD) {
        result = write_batch(store, err);
    }
    forget_batch(store);
    if (result == 0)
        store_rewrite_if_due(store);
    return result;
}

void store_batch_drop(struct store *store)
{
    assert(store->depth > 0);
    store->dropped = true;
    if (--store->depth == 0)
        forget_batch(store);
}

int store_put(struct store *store, const void *key, size_t key_len, const void *value,
              size_t value_len, struct error *err)
{
    if (key_len == 0 || key_len > STORE_KEY_MAX || value_len > STORE_VALUE_MAX) {
        error_set(err, ERROR_INPUT,
                  "%s: a key of %zu and a value of %zu bytes are not kept", store->path,
                  key_len, value_len);
        return -1;
    }
    store_batch_begin(store);
    store_append_put(&store->batch, key, key_len, value, value_len);
    return store_batch_end(store, err);
}

int store_delete(struct store *store, const void *key, size_t key_len,
                 struct error *err)
{
    struct change change = {KIND_DELETE, key, (uint32_t)key_len, NULL, 0};

    if (key_len > STORE_KEY_MAX ||
        (store->depth == 0 && !store_has(store, key, key_len)))
        return 0;
    store_batch_begin(store);
    append_change(&store->batch, &change);
    return store_batch_end(store, err);
}

int store_sync(struct store *store, struct error *err)
{
    if (store->failed)
        return refuse(store, err);
    if (fdatasync(store->fd) == 0)
        return 0;
    store->failed = true;
    error_set(err, ERROR_INTERNAL, "%s: cannot sync: %s", store->path, strerror(errno));
    return -1;
}

void store_sync_failed(struct store *store)
{
    store->failed = true;
}
