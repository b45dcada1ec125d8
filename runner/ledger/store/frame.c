/* SPDX-License-Identifier: MIT */
#include "ledger/store/frame.h"

#include <isa-l/crc.h>
#include <string.h>

static const uint8_t MAGIC[8] = {'d', 'a', 'g', 's', 't', 'o', 'r', '1'};
static const uint8_t MARKER[4] = {0xd5, 0x4c, 0x47, 0x1a};

enum { SALT_COPIES = 3, SALT_COPY = 12, SALT_AT = 8 };

uint32_t frame_get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

void frame_put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void put64(uint8_t *at, uint64_t value)
{
    frame_put32(at, (uint32_t)value);
    frame_put32(at + 4, (uint32_t)(value >> 32));
}

/* The library takes an int, and a pointer it does not write through. */
uint32_t frame_crc(uint32_t seed, const void *data, size_t len)
{
    const uint8_t *at = data;
    uint32_t crc = ~seed;

    while (len > 0) {
        size_t piece = len < (1u << 30) ? len : (1u << 30);
        crc = crc32_iscsi((unsigned char *)at, (int)piece, crc);
        at += piece;
        len -= piece;
    }
    return ~crc;
}

void frame_file_head(uint8_t head[FRAME_FILE_HEAD], uint64_t salt)
{
    memset(head, 0, FRAME_FILE_HEAD);
    memcpy(head, MAGIC, sizeof(MAGIC));
    for (int i = 0; i < SALT_COPIES; i++) {
        uint8_t *copy = head + SALT_AT + (ptrdiff_t)i * SALT_COPY;
        put64(copy, salt);
        frame_put32(copy + 8, frame_crc(0, copy, 8));
    }
}

bool frame_file_salt(const uint8_t head[FRAME_FILE_HEAD], uint64_t *salt)
{
    for (int i = 0; i < SALT_COPIES; i++) {
        const uint8_t *copy = head + SALT_AT + (ptrdiff_t)i * SALT_COPY;
        if (frame_get32(copy + 8) == frame_crc(0, copy, 8)) {
            *salt = frame_get32(copy) | (uint64_t)frame_get32(copy + 4) << 32;
            return true;
        }
    }
    return false;
}

/* Salt and position, as both CRCs of a frame begin. */
static uint32_t seed_crc(uint64_t salt, uint64_t position)
{
    uint8_t seed[16];

    put64(seed, salt);
    put64(seed + 8, position);
    return frame_crc(0, seed, sizeof(seed));
}

void frame_seal(uint8_t *frame, uint32_t length, uint64_t salt, int64_t position)
{
    uint32_t seed = seed_crc(salt, (uint64_t)position);

    memcpy(frame, MARKER, sizeof(MARKER));
    frame_put32(frame + 4, length);
    frame_put32(frame + 8, frame_crc(seed, frame, 8));
    frame_put32(frame + 12, frame_crc(seed, frame + FRAME_HEAD, length));
}

enum frame_state frame_check(const uint8_t *file, size_t size, uint64_t salt,
                             size_t position, uint32_t *length)
{
    const uint8_t *frame = file + position;
    uint32_t seed;

    if (position > size || size - position < FRAME_HEAD ||
        memcmp(frame, MARKER, sizeof(MARKER)) != 0)
        return FRAME_BAD;
    seed = seed_crc(salt, position);
    if (frame_get32(frame + 8) != frame_crc(seed, frame, 8))
        return FRAME_BAD;
    *length = frame_get32(frame + 4);
    if (*length > size - position - FRAME_HEAD)
        return FRAME_BAD;
    if (frame_get32(frame + 12) != frame_crc(seed, frame + FRAME_HEAD, *length))
        return FRAME_BAD_PAYLOAD;
    return FRAME_WHOLE;
}

size_t frame_find(const uint8_t *file, size_t size, uint64_t salt, size_t position)
{
    while (position < size) {
        const uint8_t *at =
            memmem(file + position, size - position, MARKER, sizeof(MARKER));
        uint32_t seed;
        if (at == NULL || size - (size_t)(at - file) < FRAME_HEAD)
            return size;
        position = (size_t)(at - file);
        seed = seed_crc(salt, position);
        if (frame_get32(at + 8) == frame_crc(seed, at, 8) &&
            frame_get32(at + 4) <= size - position - FRAME_HEAD)
            return position;
        position++;
    }
    return size;
}
