/* SPDX-License-Identifier: MIT */
#include "ledger/log/codec.h"

#include "base/mem.h"
#include "ledger/wire/bytes.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    FIRST_BYTES = 64 * 1024,
    GZIP_WINDOW = 15 + 16, /* zlib: the largest window, gzip's header */
    XERIAL_HEADER = 16,
    XERIAL_BLOCK = 32 * 1024,
    LZ4_USUAL = 9, /* in Kafka */
    LZ4_LEAST = 3, /* of the compressor that looks longer */
    LZ4_MOST = 12,
};

/* Java's snappy streams: magic, two version numbers, then blocks behind their lengths.
 */
static const uint8_t xerial_magic[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
static const uint8_t xerial_versions[8] = {0, 0, 0, 1, 0, 0, 0, 1};

void codec_reserve(struct codec_buffer *buffer, size_t extra)
{
    size_t wanted = buffer->len + extra;

    if (wanted <= buffer->capacity)
        return;
    if (wanted < buffer->capacity * 2)
        wanted = buffer->capacity * 2;
    buffer->data = mem_resize(buffer->data, wanted);
    buffer->capacity = wanted;
}

void codec_buffer_clear(struct codec_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct codec_buffer){0};
}

/* Make room to go on decompressing; false when the bound is reached. */
static bool more_room(struct codec_buffer *out, size_t max_bytes)
{
    size_t wanted = out->capacity < FIRST_BYTES ? FIRST_BYTES : out->capacity * 2;

    if (out->len < out->capacity)
        return out->len < max_bytes;
    if (out->len >= max_bytes)
        return false;
    if (wanted > max_bytes)
        wanted = max_bytes;
    out->data = mem_resize(out->data, wanted);
    out->capacity = wanted;
    return true;
}

static size_t room(const struct codec_buffer *out, size_t max_bytes)
{
    size_t end = out->capacity < max_bytes ? out->capacity : max_bytes;

    return end - out->len;
}

/* Java reads members one after the other as one stream; so do we. */
static bool gunzip(const uint8_t *in, size_t len, size_t max_bytes,
                   struct codec_buffer *out)
{
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)in, .avail_in = (uInt)len};
    int status = Z_OK;

    if (len > UINT32_MAX || inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return false;
    while (status == Z_OK && more_room(out, max_bytes)) {
        size_t space = room(out, max_bytes);

        stream.next_out = out->data + out->len;
        stream.avail_out = space > UINT32_MAX ? UINT32_MAX : (uInt)space;
        status = inflate(&stream, Z_NO_FLUSH);
        out->len = (size_t)(stream.next_out - out->data);
        if (status == Z_STREAM_END && stream.avail_in > 0)
            status = inflateReset(&stream);
    }
    (void)inflateEnd(&stream);
    return status == Z_STREAM_END;
}

static bool unsnap_block(const uint8_t *in, size_t len, size_t max_bytes,
                         struct codec_buffer *out)
{
    size_t size = 0;

    /* A block cannot shrink to less than a 64th of what it says: refuse lies early. */
    if (snappy_uncompressed_length((const char *)in, len, &size) != SNAPPY_OK ||
        size > max_bytes - out->len || size / 64 > len)
        return false;
    codec_reserve(out, size + 1);
    if (snappy_uncompress((const char *)in, len, (char *)out->data + out->len, &size) !=
        SNAPPY_OK)
        return false;
    out->len += size;
    return true;
}

static bool unsnap(const uint8_t *in, size_t len, size_t max_bytes,
                   struct codec_buffer *out)
{
    size_t at = XERIAL_HEADER;

    if (len < XERIAL_HEADER || memcmp(in, xerial_magic, sizeof(xerial_magic)) != 0)
        return unsnap_block(in, len, max_bytes, out);
    while (len - at >= 4) {
        size_t block = bytes_get32(in + at);

        at += 4;
        if (block > len - at || !unsnap_block(in + at, block, max_bytes, out))
            return false;
        at += block;
    }
    return at == len;
}

static bool unlz4(const uint8_t *in, size_t len, size_t max_bytes,
                  struct codec_buffer *out)
{
    LZ4F_dctx *context = NULL;
    size_t left = 1; /* what the frame still wants; 0 at its end */

    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return false;
    while (left != 0 && more_room(out, max_bytes)) {
        size_t taken = len, made = room(out, max_bytes);

        left = LZ4F_decompress(context, out->data + out->len, &made, in, &taken, NULL);
        if (LZ4F_isError(left) || (made == 0 && taken == 0))
            break;
        out->len += made;
        in += taken;
        len -= taken;
    }
    (void)LZ4F_freeDecompressionContext(context);
    return left == 0 && len == 0;
}

static bool unzstd(const uint8_t *in, size_t len, size_t max_bytes,
                   struct codec_buffer *out)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer source = {.src = in, .size = len};
    size_t left = 1;

    if (stream == NULL)
        return false;
    /* The window is memory too: not more than the output may be. */
    (void)ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 27);
    while ((left != 0 || source.pos < source.size) && more_room(out, max_bytes)) {
        ZSTD_outBuffer sink = {out->data + out->len, room(out, max_bytes), 0};
        size_t before = source.pos;

        left = ZSTD_decompressStream(stream, &sink, &source);
        if (ZSTD_isError(left) || (sink.pos == 0 && source.pos == before))
            break;
        out->len += sink.pos;
    }
    ZSTD_freeDStream(stream);
    return left == 0 && source.pos == source.size;
}

enum kafka_error codec_unpack(enum batch_codec codec, const uint8_t *in, size_t len,
                              size_t max_bytes, struct codec_buffer *out)
{
    bool done;

    out->len = 0;
    switch (codec) {
    case BATCH_GZIP:
        done = gunzip(in, len, max_bytes, out);
        break;
    case BATCH_SNAPPY:
        done = unsnap(in, len, max_bytes, out);
        break;
    case BATCH_LZ4:
        done = unlz4(in, len, max_bytes, out);
        break;
    case BATCH_ZSTD:
        done = unzstd(in, len, max_bytes, out);
        break;
    default:
        return KAFKA_UNSUPPORTED_COMPRESSION_TYPE;
    }
    return done ? KAFKA_NONE : KAFKA_CORRUPT_MESSAGE;
}

static int pack_gzip(int level, const uint8_t *in, size_t len, struct codec_buffer *out)
{
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)in, .avail_in = (uInt)len};
    int status;

    if (len > UINT32_MAX / 2 ||
        deflateInit2(&stream, level == 0 ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED,
                     GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -1;
    codec_reserve(out, deflateBound(&stream, len));
    stream.next_out = out->data + out->len;
    stream.avail_out = (uInt)(out->capacity - out->len);
    status = deflate(&stream, Z_FINISH);
    out->len = (size_t)(stream.next_out - out->data);
    (void)deflateEnd(&stream);
    return status == Z_STREAM_END ? 0 : -1;
}

static int pack_snappy(const uint8_t *in, size_t len, struct codec_buffer *out)
{
    codec_reserve(out, XERIAL_HEADER);
    memcpy(out->data + out->len, xerial_magic, 8);
    memcpy(out->data + out->len + 8, xerial_versions, 8);
    out->len += XERIAL_HEADER;
    while (len > 0) {
        size_t block = len < XERIAL_BLOCK ? len : XERIAL_BLOCK;
        size_t size = snappy_max_compressed_length(block);

        codec_reserve(out, 4 + size);
        if (snappy_compress((const char *)in, block, (char *)out->data + out->len + 4,
                            &size) != SNAPPY_OK)
            return -1;
        bytes_put32(out->data + out->len, (uint32_t)size);
        out->len += 4 + size;
        in += block;
        len -= block;
    }
    return 0;
}

/* Kafka's 9 is the fast compressor, every other level the one that looks longer. */
static int lz4_level(int level)
{
    if (level == 0 || level == LZ4_USUAL)
        return 0;
    if (level < LZ4_LEAST)
        return LZ4_LEAST;
    return level < LZ4_MOST ? level : LZ4_MOST;
}

/* Java reads independent blocks only. */
static int pack_lz4(int level, const uint8_t *in, size_t len, struct codec_buffer *out)
{
    LZ4F_preferences_t how = {
        .frameInfo = {.blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max64KB},
        .compressionLevel = lz4_level(level)};
    size_t bound = LZ4F_compressFrameBound(len, &how), size;

    codec_reserve(out, bound);
    size = LZ4F_compressFrame(out->data + out->len, bound, in, len, &how);
    if (LZ4F_isError(size))
        return -1;
    out->len += size;
    return 0;
}

static int pack_zstd(int level, const uint8_t *in, size_t len, struct codec_buffer *out)
{
    size_t bound = ZSTD_compressBound(len), size;

    codec_reserve(out, bound);
    size = ZSTD_compress(out->data + out->len, bound, in, len, level);
    if (ZSTD_isError(size))
        return -1;
    out->len += size;
    return 0;
}

int codec_pack(enum batch_codec codec, int level, const uint8_t *in, size_t len,
               struct codec_buffer *out)
{
    switch (codec) {
    case BATCH_GZIP:
        return pack_gzip(level, in, len, out);
    case BATCH_SNAPPY:
        return pack_snappy(in, len, out);
    case BATCH_LZ4:
        return pack_lz4(level, in, len, out);
    case BATCH_ZSTD:
        return pack_zstd(level, in, len, out);
    case BATCH_NONE:
        break;
    }
    return -1;
}
