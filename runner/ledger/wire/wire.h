/* SPDX-License-Identifier: MIT
 *
 * wire.h - Kafka's protocol as C structs: reading and writing messages in any version.
 * Layer: ledger/wire. Pure. One table per message (messages_*.h, grammar in table.h)
 * makes the struct as well as the descriptor that the reader and the writer walk.
 */
#ifndef LEDGER_WIRE_WIRE_H
#define LEDGER_WIRE_WIRE_H

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text, not NUL-terminated, borrowed. len -1 is null. */
struct wire_string {
    const char *data;
    int32_t len;
};

/* Bytes, borrowed. len -1 is null. */
struct wire_bytes {
    const uint8_t *data;
    int32_t len;
};

struct wire_uuid {
    uint8_t bytes[16];
};

/*
 * Record batches. In memory: data and len, borrowed. In a response it may be a slice of
 * a file instead: data NULL, len > 0, fd and position say where; release(owner), when
 * set, is called once: after the slice was sent or when it is dropped.
 */
struct wire_records {
    const uint8_t *data;
    int64_t len; /* -1 is null */
    int fd;
    int64_t position;
    void *owner;
    void (*release)(void *owner);
};

struct wire_message; /* the descriptor of a struct, see table.h */

/*
 * What one request may cost in the arena beyond its own bytes. Below that it is at most
 * 19 times as many: the widest struct against the fewest bytes it takes on the wire.
 */
enum { WIRE_ARENA_MAX = 16 * 1024 * 1024 };

/*
 * Read the body of message m in this version from data into *out (a struct of m's
 * type). Strings, bytes and records borrow from data; arrays and nullable structs lie
 * in the arena. A field that the version lacks gets its default, unknown tagged fields
 * are skipped, bytes behind the message are ignored (Apache Kafka does the same).
 * Errors: ERROR_INPUT, names the field: too short, a length or count beyond the bytes
 *         that are left, a null where none may be, more than WIRE_ARENA_MAX in the
 * arena.
 */
int wire_read(const struct wire_message *m, int16_t version, const uint8_t *data,
              size_t len, struct mem_arena *arena, void *out, struct error *err);

/* As wire_read; *used is the number of bytes that the message took. */
int wire_read_some(const struct wire_message *m, int16_t version, const uint8_t *data,
                   size_t len, struct mem_arena *arena, void *out, size_t *used,
                   struct error *err);

/*
 * Set every field of *value (a struct of m's type) to its default. Begin every response
 * (and every element of its arrays) so: a zeroed struct is not one at its defaults.
 */
void wire_defaults(const struct wire_message *m, void *value);

/* An array of count structs of m's type in the arena, each at its defaults. */
void *wire_array(struct mem_arena *arena, const struct wire_message *m, size_t count);

/* A part of an answer that is still in a file; it goes before bytes.data[at]. */
struct wire_slice {
    size_t at;
    int fd;
    int64_t position;
    int64_t len;
    void *owner;
    void (*release)(void *owner);
};

/* What is to be sent: bytes with file slices between them. Zero-initialise it. */
struct wire_out {
    struct text_buf bytes;
    struct wire_slice *slices; /* ascending by at */
    size_t slices_count;
    size_t slices_capacity;
    int64_t slices_bytes; /* sum of their len */
    size_t limit;         /* 0: none; arrays end when there are more bytes than that */
    bool overflowed;      /* that happened: what is there is no message */
};

/*
 * Append value as the body of message m in this version. Fields that the version lacks
 * are left out; a null where the version allows none is written as empty, a text beyond
 * 32,767 bytes is cut.
 * Owns: file slices move to out (their release is called by whoever sends them, or by
 *       wire_out_clear); everything else is copied.
 */
void wire_write(const struct wire_message *m, int16_t version, const void *value,
                struct wire_out *out);

/* Release the slices that were not taken out, free the bytes. */
void wire_out_clear(struct wire_out *out);

/* The head of a request; client_id borrows. */
struct wire_header {
    int16_t key;
    int16_t version;
    int32_t correlation;
    struct wire_string client_id;
    size_t len; /* the body begins at data + len */
};

/*
 * Read the head of a request (the bytes behind the length of the frame). The key and
 * version may be some that we do not offer: the caller looks them up with
 * wire_api_find.
 */
int wire_header_read(const uint8_t *data, size_t len, struct wire_header *out,
                     struct error *err);

struct wire_api;

/*
 * Append a whole frame: length, head, body. For wire_write_response out may hold
 * earlier frames; the length counts file slices too.
 */
void wire_write_response(const struct wire_api *api, int16_t version,
                         int32_t correlation, const void *value, struct wire_out *out);
void wire_write_request(const struct wire_api *api, int16_t version,
                        int32_t correlation, struct wire_string client_id,
                        const void *value, struct wire_out *out);

/* A wire_string of a C string (NULL is null), and whether it equals one. */
struct wire_string wire_string_of(const char *text);
bool wire_string_is(struct wire_string string, const char *text);
bool wire_string_equal(struct wire_string a, struct wire_string b);
bool wire_uuid_is_zero(const struct wire_uuid *uuid);

#endif
