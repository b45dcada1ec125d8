/* SPDX-License-Identifier: MIT
 *
 * Three lists, one a class, so that dropping takes the oldest sample without a search. A
 * hash table finds the waiting row of a key. The last written row of a key stays with it:
 * that makes "nothing changed" free of I/O, and lets a new file be filled after damage.
 */
#include "host/history_queue.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct history_entry {
    struct history_entry *next;
    struct history_row row;
    struct history_value *values; /* one block with the strings behind them */
    size_t bytes;
    struct slot *slot; /* NULL without a key */
};

struct slot {
    struct slot *next_hash;
    struct slot *before; /* in the order of their first rows */
    struct slot *after;
    struct history_entry *waiting;
    struct history_entry *written;
    char key[];
};

struct list {
    struct history_entry *first;
    struct history_entry *last;
};

struct history_queue {
    struct list lists[HISTORY_CLASSES];
    size_t count;
    size_t bytes; /* of what waits */
    size_t bytes_max;
    int64_t dropped;
    struct slot **table;
    size_t slot_count;
    size_t table_size;
    struct slot *oldest;
    struct slot *newest;
};

enum { TABLE_FIRST = 64 };

struct history_queue *history_queue_new(size_t bytes_max)
{
    struct history_queue *queue = mem_alloc(sizeof *queue);

    queue->bytes_max = bytes_max;
    queue->table_size = TABLE_FIRST;
    queue->table = mem_alloc(queue->table_size * sizeof(struct slot *));
    return queue;
}

static void entry_free(struct history_entry *entry)
{
    if (entry == NULL)
        return;
    free(entry->values);
    free(entry);
}

void history_queue_free(struct history_queue *queue)
{
    if (queue == NULL)
        return;
    for (int class = 0; class < HISTORY_CLASSES; class++) {
        for (struct history_entry *next, *e = queue->lists[class].first; e; e = next) {
            next = e->next;
            entry_free(e);
        }
    }
    for (struct slot *next, *slot = queue->oldest; slot; slot = next) {
        next = slot->after;
        entry_free(slot->written);
        free(slot);
    }
    free(queue->table);
    free(queue);
}

size_t history_queue_count(const struct history_queue *queue)
{
    return queue->count;
}

int64_t history_queue_dropped(const struct history_queue *queue)
{
    return queue->dropped;
}

/* FNV-1a. */
static size_t hash_key(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *c = key; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    return (size_t)hash;
}

static void grow_table(struct history_queue *queue)
{
    free(queue->table);
    queue->table_size *= 2;
    queue->table = mem_alloc(queue->table_size * sizeof(struct slot *));
    for (struct slot *slot = queue->oldest; slot; slot = slot->after) {
        size_t at = hash_key(slot->key) % queue->table_size;

        slot->next_hash = queue->table[at];
        queue->table[at] = slot;
    }
}

static struct slot *find_slot(struct history_queue *queue, const char *key)
{
    struct slot *slot = queue->table[hash_key(key) % queue->table_size];

    while (slot && strcmp(slot->key, key) != 0)
        slot = slot->next_hash;
    return slot;
}

static struct slot *add_slot(struct history_queue *queue, const char *key)
{
    size_t len = strlen(key) + 1;
    struct slot *slot = mem_alloc(sizeof *slot + len);
    size_t at;

    if (queue->slot_count++ >= queue->table_size)
        grow_table(queue);
    memcpy(slot->key, key, len);
    at = hash_key(key) % queue->table_size;
    slot->next_hash = queue->table[at];
    queue->table[at] = slot;
    slot->before = queue->newest;
    if (queue->newest)
        queue->newest->after = slot;
    else
        queue->oldest = slot;
    queue->newest = slot;
    return slot;
}

static void remove_slot(struct history_queue *queue, struct slot *slot)
{
    struct slot **at = &queue->table[hash_key(slot->key) % queue->table_size];

    while (*at != slot)
        at = &(*at)->next_hash;
    *at = slot->next_hash;
    if (slot->before)
        slot->before->after = slot->after;
    else
        queue->oldest = slot->after;
    if (slot->after)
        slot->after->before = slot->before;
    else
        queue->newest = slot->before;
    queue->slot_count--;
    entry_free(slot->written);
    free(slot);
}

static bool same_value(const struct history_value *a, const struct history_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case HISTORY_INT:
        return a->as.number == b->as.number;
    case HISTORY_REAL:
        return !(a->as.real < b->as.real) && !(a->as.real > b->as.real);
    case HISTORY_TEXT:
        return strcmp(a->as.text, b->as.text) == 0;
    case HISTORY_NULL:
        break;
    }
    return true;
}

static bool same_row(const struct history_row *a, const struct history_row *b)
{
    if (a->statement != b->statement || a->count != b->count || a->final != b->final)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!same_value(&a->values[i], &b->values[i]))
            return false;
    }
    return true;
}

/* Copy the row into the entry, whose old values are freed. */
static void fill(struct history_entry *entry, const struct history_row *row)
{
    size_t bytes = row->count * sizeof *row->values;
    struct history_value *values;
    char *at;

    for (size_t i = 0; i < row->count; i++) {
        if (row->values[i].type == HISTORY_TEXT)
            bytes += strlen(row->values[i].as.text) + 1;
    }
    values = mem_alloc(bytes ? bytes : 1);
    at = (char *)(values + row->count);
    for (size_t i = 0; i < row->count; i++) {
        values[i] = row->values[i];
        if (values[i].type == HISTORY_TEXT) {
            size_t len = strlen(row->values[i].as.text) + 1;

            memcpy(at, row->values[i].as.text, len);
            values[i].as.text = at;
            at += len;
        }
    }
    free(entry->values);
    entry->values = values;
    entry->row = *row;
    entry->row.values = values;
    entry->row.key = entry->slot ? entry->slot->key : NULL;
    entry->bytes = sizeof *entry + bytes;
}

static void push(struct history_queue *queue, struct history_entry *entry)
{
    struct list *list = &queue->lists[entry->row.class];

    entry->next = NULL;
    if (list->last)
        list->last->next = entry;
    else
        list->first = entry;
    list->last = entry;
    queue->count++;
    queue->bytes += entry->bytes;
}

static struct history_entry *pop(struct history_queue *queue, struct list *list)
{
    struct history_entry *entry = list->first;

    list->first = entry->next;
    if (list->first == NULL)
        list->last = NULL;
    if (entry->slot)
        entry->slot->waiting = NULL;
    queue->count--;
    queue->bytes -= entry->bytes;
    return entry;
}

static void make_room(struct history_queue *queue)
{
    for (int class = HISTORY_SAMPLES; class > HISTORY_KEEP; class--) {
        while (queue->bytes > queue->bytes_max && queue->lists[class].first) {
            entry_free(pop(queue, &queue->lists[class]));
            queue->dropped++;
        }
    }
}

static void add_new(struct history_queue *queue, const struct history_row *row,
                    struct slot *slot)
{
    struct history_entry *entry = mem_alloc(sizeof *entry);

    entry->slot = slot;
    if (slot)
        slot->waiting = entry;
    fill(entry, row);
    push(queue, entry);
    make_room(queue);
}

void history_queue_add(struct history_queue *queue, const struct history_row *row)
{
    struct slot *slot = row->key ? find_slot(queue, row->key) : NULL;

    assert(row->key == NULL || row->class == HISTORY_KEEP);
    if (slot && slot->waiting) {
        queue->bytes -= slot->waiting->bytes;
        fill(slot->waiting, row);
        queue->bytes += slot->waiting->bytes;
        return;
    }
    if (slot && slot->written && same_row(&slot->written->row, row))
        return;
    if (row->key && slot == NULL)
        slot = add_slot(queue, row->key);
    add_new(queue, row, slot);
}

const struct history_row *history_queue_next(const struct history_queue *queue,
                                             const struct history_entry **cursor)
{
    const struct history_entry *entry = *cursor;
    int class = entry ? (int)entry->row.class + 1 : 0;

    entry = entry ? entry->next : NULL;
    for (; entry == NULL && class < HISTORY_CLASSES; class++)
        entry = queue->lists[class].first;
    *cursor = entry;
    return entry ? &entry->row : NULL;
}

/* Its key keeps the row, unless nothing comes after it. */
static void settle(struct history_queue *queue, struct history_entry *entry)
{
    struct slot *slot = entry->slot;

    if (slot == NULL) {
        entry_free(entry);
        return;
    }
    entry_free(slot->written);
    slot->written = entry;
    if (entry->row.final)
        remove_slot(queue, slot);
}

void history_queue_written(struct history_queue *queue, size_t count)
{
    for (int class = 0; class < HISTORY_CLASSES; class++) {
        struct list *list = &queue->lists[class];

        for (; count > 0 && list->first; count--)
            settle(queue, pop(queue, list));
    }
}

void history_queue_again(struct history_queue *queue)
{
    struct list rest = queue->lists[HISTORY_KEEP];
    struct list *keep = &queue->lists[HISTORY_KEEP];

    *keep = (struct list){0};
    for (struct slot *slot = queue->oldest; slot; slot = slot->after) {
        if (slot->written == NULL)
            continue;
        if (slot->waiting == NULL) {
            slot->waiting = slot->written;
            push(queue, slot->written);
        } else {
            entry_free(slot->written);
        }
        slot->written = NULL;
    }
    if (keep->last)
        keep->last->next = rest.first;
    else
        keep->first = rest.first;
    if (rest.last)
        keep->last = rest.last;
}
