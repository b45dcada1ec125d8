/* SPDX-License-Identifier: MIT
 *
 * frame.h - how the store's file is cut into frames that find themselves again.
 * Layer: ledger/store (pure). A file is a head and frames. A frame is marker, length,
 * CRC of its head, CRC of its payload, payload. Both CRCs also cover the file's random
 * salt and the frame's position: bytes of a value that look like a frame are none, and
 * neither is a leftover of an older write.
 */
#ifndef LEDGER_FRAME_H
#define LEDGER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_FILE_HEAD = 48, /* bytes: magic, salt three times with a CRC each, padding */
    FRAME_HEAD = 16,      /* bytes */
};

enum frame_state {
    FRAME_WHOLE,
    FRAME_BAD_PAYLOAD, /* its head is right: so is its length */
    FRAME_BAD,
};

uint32_t frame_crc(uint32_t seed, const void *data, size_t len);

/* One right copy of the salt is enough. */
void frame_file_head(uint8_t head[FRAME_FILE_HEAD], uint64_t salt);
bool frame_file_salt(const uint8_t head[FRAME_FILE_HEAD], uint64_t *salt);

/* Fill the head in front of a payload of length bytes. */
void frame_seal(uint8_t *frame, uint32_t length, uint64_t salt, int64_t position);

/* Look at what stands at position; *length is set unless FRAME_BAD. */
enum frame_state frame_check(const uint8_t *file, size_t size, uint64_t salt,
                             size_t position, uint32_t *length);

/* The next position from here on with the right head of a frame; size when there is
 * none. */
size_t frame_find(const uint8_t *file, size_t size, uint64_t salt, size_t position);

uint32_t frame_get32(const uint8_t *at);
void frame_put32(uint8_t *at, uint32_t value);

#endif
