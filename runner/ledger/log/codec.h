/* SPDX-License-Identifier: MIT
 *
 * codec.h - the four codecs of record batches. Layer: ledger/log (pure).
 * The only file that includes zlib, snappy, lz4 and zstd.
 */
#ifndef LEDGER_LOG_CODEC_H
#define LEDGER_LOG_CODEC_H

#include "ledger/log/batch.h"

#include <stddef.h>
#include <stdint.h>

/* Memory that grows as needed; zero-initialise it, codec_buffer_clear frees. */
struct codec_buffer {
    uint8_t *data;
    size_t len;
    size_t capacity;
};

/*
 * Decompress len bytes at in, whole, to the buffer's beginning; never more than
 * max_bytes. snappy: one block, or Java's framing of blocks. KAFKA_CORRUPT_MESSAGE:
 * broken or too large; KAFKA_UNSUPPORTED_COMPRESSION_TYPE.
 */
enum kafka_error codec_unpack(enum batch_codec codec, const uint8_t *in, size_t len,
                              size_t max_bytes, struct codec_buffer *out);

/*
 * Compress, so that Java clients can read it, behind what the buffer holds. level: as
 * in Kafka's compression.*.level, 0 the codec's usual one; snappy has none. -1: failed.
 */
int codec_pack(enum batch_codec codec, int level, const uint8_t *in, size_t len,
               struct codec_buffer *out);

void codec_reserve(struct codec_buffer *buffer, size_t extra);
void codec_buffer_clear(struct codec_buffer *buffer);

#endif
