/* SPDX-License-Identifier: MIT
 *
 * mem.h - memory: allocation that never returns NULL, and an arena freed in one go.
 * Layer: base. Out of memory aborts the process with one line on stderr.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);                 /* zeroed */
void *mem_resize(void *ptr, size_t size);     /* as realloc */
char *mem_strdup(const char *text);           /* NULL stays NULL */
char *mem_strndup(const char *text, size_t len); /* exactly len bytes and a NUL */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Make room for one more element of a growing array: if count has reached *capacity,
 * double it. Returns the (moved) array; new elements are not zeroed.
 */
void *mem_grow(void *array, size_t count, size_t *capacity, size_t element_size);

/* An arena: many small allocations with one lifetime. Zero-initialise it. */
struct mem_arena {
    struct mem_chunk *chunks;
    size_t bytes; /* handed out so far */
};

void *mem_arena_alloc(struct mem_arena *arena, size_t size); /* zeroed, aligned for any type */
char *mem_arena_strdup(struct mem_arena *arena, const char *text);
char *mem_arena_strndup(struct mem_arena *arena, const char *text, size_t len);
char *mem_arena_printf(struct mem_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The texts one after the other; the last argument is NULL. */
char *mem_arena_join(struct mem_arena *arena, const char *first, ...)
    __attribute__((sentinel));
void mem_arena_clear(struct mem_arena *arena);

#endif
