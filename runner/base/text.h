/* SPDX-License-Identifier: MIT
 *
 * text.h - small things with text: a growing buffer, numbers with units, suggestions.
 * Layer: base. Pure.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A growing, always NUL-terminated buffer. Zero-initialise; text_buf_clear frees. */
struct text_buf {
    char *data;
    size_t len;
    size_t capacity;
};

/* Room for so many more bytes at data + len; the caller moves len on. */
void text_reserve(struct text_buf *buf, size_t extra);
void text_append(struct text_buf *buf, const char *text);
void text_append_bytes(struct text_buf *buf, const void *data, size_t len);
void text_appendf(struct text_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_drop_front(struct text_buf *buf, size_t len); /* remove the first len bytes */
const char *text_str(const struct text_buf *buf);       /* never NULL */
char *text_take(struct text_buf *buf);                  /* moves; buf is empty after */
void text_buf_clear(struct text_buf *buf);

/* "250ms" "10s" "5m" "6h" "7d" → milliseconds. A number without a unit is refused. */
bool text_parse_duration_ms(const char *text, int64_t *ms);
/* "512" "64KiB" "2MiB" "1GiB" "64kB" "2MB" → bytes. */
bool text_parse_bytes(const char *text, int64_t *bytes);
/* A whole decimal integer, nothing else around it. */
bool text_parse_int(const char *text, int64_t *value);

/* 1500 → "1.5s", 3 → "3ms"; 2097152 → "2 MiB"; 1234567 → "1,234,567". */
enum { TEXT_NUMBER = 32 };
void text_format_duration(int64_t ms, char text[TEXT_NUMBER]);
void text_format_bytes(int64_t bytes, char text[TEXT_NUMBER]);
void text_format_count(int64_t count, char text[TEXT_NUMBER]);

/* The candidate nearest to word (edit distance ≤ 2 or a third of it); NULL when none is near. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* Length of the UTF-8 sequence at text, left > 0 bytes remain; 0 when it is broken. */
size_t text_utf8_length(const char *text, size_t left);

/*
 * How many bytes at text, left > 0 remain, a terminal would act on instead of showing
 * them: controls (but not tab), also those of 0x80 to 0x9f, marks that turn the direction
 * of writing, separators of lines, broken UTF-8. 0: none, text is harmless here.
 */
size_t text_unsafe_length(const char *text, size_t left);

/* Write text with the bytes of text_unsafe_length as \xHH. */
void text_print_safe(FILE *out, const char *text, size_t len);
/* printf whose result is written so, but that line breaks stay. */
void text_printf_safe(FILE *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
