/* SPDX-License-Identifier: MIT
 *
 * bytes.h - numbers as they lie on the wire: big-endian, and varints.
 * Layer: ledger/wire. Pure.
 */
#ifndef LEDGER_WIRE_BYTES_H
#define LEDGER_WIRE_BYTES_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t bytes_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t bytes_get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

static inline uint64_t bytes_get64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return be64toh(value);
}

static inline void bytes_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void bytes_put32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

static inline void bytes_put64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof value);
}

enum { BYTES_VARINT_MAX = 5 };

/* An unsigned varint of up to 32 bits: how many bytes it takes; 0 when it is none. */
static inline size_t bytes_get_varint(const uint8_t *at, size_t left, uint32_t *value)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < BYTES_VARINT_MAX && i < left; i++) {
        sum |= (uint64_t)(at[i] & 0x7f) << (7 * i);
        if (at[i] < 0x80) {
            *value = (uint32_t)sum;
            return sum > UINT32_MAX ? 0 : i + 1;
        }
    }
    return 0;
}

/* Write it at `at`, which has room for BYTES_VARINT_MAX; how many bytes it took. */
static inline size_t bytes_put_varint(uint8_t *at, uint32_t value)
{
    size_t i = 0;

    for (; value >= 0x80; value >>= 7)
        at[i++] = (uint8_t)(value | 0x80);
    at[i++] = (uint8_t)value;
    return i;
}

#endif
