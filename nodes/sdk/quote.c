/* SPDX-License-Identifier: MIT */
#include "sdk/quote.h"

#include <string.h>

/* Length of the UTF-8 sequence at p, 0 when it is broken (overlong, surrogate, cut). */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (len == 0 || len > left || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

static void quote_ascii(struct text_buf *buf, unsigned char c)
{
    switch (c) {
    case '"':
        text_append(buf, "\\\"");
        break;
    case '\\':
        text_append(buf, "\\\\");
        break;
    case '\n':
        text_append(buf, "\\n");
        break;
    case '\t':
        text_append(buf, "\\t");
        break;
    case '\r':
        text_append(buf, "\\r");
        break;
    default:
        if (c < 0x20 || c == 0x7f)
            text_appendf(buf, "\\u%04x", c);
        else
            text_append_bytes(buf, &c, 1);
    }
}

void quote_bytes(struct text_buf *buf, const void *data, size_t len)
{
    const unsigned char *p = data;
    size_t i = 0;

    text_append(buf, "\"");
    while (i < len) {
        size_t step = utf8_len(p + i, len - i);

        if (step == 1)
            quote_ascii(buf, p[i]);
        else if (step == 0)
            text_append(buf, "\xef\xbf\xbd");
        else
            text_append_bytes(buf, p + i, step);
        i += step ? step : 1;
    }
    text_append(buf, "\"");
}

void quote_text(struct text_buf *buf, const char *text)
{
    if (text)
        quote_bytes(buf, text, strlen(text));
    else
        text_append(buf, "null");
}
