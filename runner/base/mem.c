/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16 * 1024 };

struct mem_chunk {
    struct mem_chunk *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char data[];
};

static void *or_abort(void *ptr)
{
    if (ptr == NULL) {
        (void)fputs("dagrun: out of memory\n", stderr);
        abort();
    }
    return ptr;
}

void *mem_alloc(size_t size)
{
    return or_abort(calloc(1, size ? size : 1));
}

void *mem_resize(void *ptr, size_t size)
{
    return or_abort(realloc(ptr, size ? size : 1));
}

char *mem_strdup(const char *text)
{
    return text ? or_abort(strdup(text)) : NULL;
}

char *mem_strndup(const char *text, size_t len)
{
    char *copy = mem_resize(NULL, len + 1);

    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static char *print(const char *format, va_list ap)
{
    char *text = NULL;

    if (vasprintf(&text, format, ap) < 0)
        text = NULL;
    return or_abort(text);
}

char *mem_printf(const char *format, ...)
{
    va_list ap;
    char *text;

    va_start(ap, format);
    text = print(format, ap);
    va_end(ap);
    return text;
}

void *mem_grow(void *array, size_t count, size_t *capacity, size_t element_size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 8;
    if (*capacity > SIZE_MAX / element_size)
        return or_abort(NULL);
    return mem_resize(array, *capacity * element_size);
}

void *mem_arena_alloc(struct mem_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct mem_chunk *chunk = arena->chunks;
    void *ptr;

    size = (size + align - 1) / align * align;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

        chunk = mem_resize(NULL, sizeof *chunk + room);
        chunk->used = 0;
        chunk->size = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    ptr = chunk->data + chunk->used;
    chunk->used += size;
    arena->bytes += size;
    return memset(ptr, 0, size); /* here: most of a chunk may never be used */
}

char *mem_arena_strndup(struct mem_arena *arena, const char *text, size_t len)
{
    char *copy = mem_arena_alloc(arena, len + 1);

    memcpy(copy, text, len);
    return copy;
}

char *mem_arena_strdup(struct mem_arena *arena, const char *text)
{
    return text ? mem_arena_strndup(arena, text, strlen(text)) : NULL;
}

char *mem_arena_printf(struct mem_arena *arena, const char *format, ...)
{
    va_list ap;
    char *text;
    char *copy;

    va_start(ap, format);
    text = print(format, ap);
    va_end(ap);
    copy = mem_arena_strdup(arena, text);
    free(text);
    return copy;
}

char *mem_arena_join(struct mem_arena *arena, const char *first, ...)
{
    size_t len = 0;
    char *text;
    char *end;
    va_list ap;

    va_start(ap, first);
    for (const char *part = first; part; part = va_arg(ap, const char *))
        len += strlen(part);
    va_end(ap);
    text = mem_arena_alloc(arena, len + 1);
    end = text;
    va_start(ap, first);
    for (const char *part = first; part; part = va_arg(ap, const char *))
        end = stpcpy(end, part);
    va_end(ap);
    return text;
}

void mem_arena_clear(struct mem_arena *arena)
{
    while (arena->chunks) {
        struct mem_chunk *next = arena->chunks->next;

        free(arena->chunks);
        arena->chunks = next;
    }
    arena->bytes = 0;
}
