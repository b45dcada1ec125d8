/* SPDX-License-Identifier: MIT */
#include "ledger/group/pack.h"

void pack_i32(struct text_buf *out, int32_t value)
{
    uint32_t bits = (uint32_t)value;
    uint8_t bytes[4] = {(uint8_t)(bits >> 24), (uint8_t)(bits >> 16),
                        (uint8_t)(bits >> 8), (uint8_t)bits};

    text_append_bytes(out, bytes, sizeof bytes);
}

void pack_i64(struct text_buf *out, int64_t value)
{
    pack_i32(out, (int32_t)(uint32_t)((uint64_t)value >> 32));
    pack_i32(out, (int32_t)(uint32_t)(uint64_t)value);
}

void pack_bytes(struct text_buf *out, struct wire_bytes value)
{
    pack_i32(out, value.len);
    if (value.len > 0)
        text_append_bytes(out, value.data, (size_t)value.len);
}

void pack_string(struct text_buf *out, struct wire_string value)
{
    pack_bytes(out, (struct wire_bytes){(const uint8_t *)value.data, value.len});
}

int32_t unpack_i32(struct unpack *in)
{
    const uint8_t *at = in->data;

    if (in->left < 4) {
        in->bad = true;
        in->left = 0;
        return 0;
    }
    in->data += 4;
    in->left -= 4;
    return (int32_t)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                     (uint32_t)at[2] << 8 | at[3]);
}

int64_t unpack_i64(struct unpack *in)
{
    uint64_t high = (uint32_t)unpack_i32(in);

    return (int64_t)(high << 32 | (uint32_t)unpack_i32(in));
}

struct wire_bytes unpack_bytes(struct unpack *in)
{
    struct wire_bytes value = {NULL, -1};
    int32_t len = unpack_i32(in);

    if (in->bad || len == -1)
        return value;
    if (len < 0 || (size_t)len > in->left) {
        in->bad = true;
        in->left = 0;
        return value;
    }
    value = (struct wire_bytes){in->data, len};
    in->data += len;
    in->left -= (size_t)len;
    return value;
}

struct wire_string unpack_string(struct unpack *in)
{
    struct wire_bytes bytes = unpack_bytes(in);

    return (struct wire_string){(const char *)bytes.data, bytes.len};
}

bool unpack_done(const struct unpack *in)
{
    return !in->bad && in->left == 0;
}
