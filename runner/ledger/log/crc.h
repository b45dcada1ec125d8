/* SPDX-License-Identifier: MIT
 *
 * crc.h - CRC32C, the checksum of batches and of our own files. Layer: ledger/log
 * (pure).
 */
#ifndef LEDGER_LOG_CRC_H
#define LEDGER_LOG_CRC_H

#include <isa-l/crc.h>
#include <stddef.h>
#include <stdint.h>

/* The checksum of data behind what crc stands for; 0 to begin with. */
static inline uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *next = data;

    crc = ~crc;
    while (len > 0) { /* isa-l counts in int */
        int part = len > (1u << 30) ? 1 << 30 : (int)len;

        crc = crc32_iscsi((unsigned char *)(uintptr_t)next, part, crc);
        next += part;
        len -= (size_t)part;
    }
    return ~crc;
}

#endif
