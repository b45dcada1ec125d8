/* SPDX-License-Identifier: MIT */
#include "common/dumps.h"

#include <stdint.h>
#include <string.h>

/* Decode the character at *text and step over it; -1 when it is not UTF-8. */
static int32_t next_character(const unsigned char **text)
{
    static const int32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = *text;
    int len = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    int32_t code = len == 1 ? s[0] : s[0] & (0x7f >> len);

    if (len == 0 || s[0] > 0xf4)
        return -1;
    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return -1; /* the NUL at the end is none either */
        code = code << 6 | (s[i] & 0x3f);
    }
    if (code < lowest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return -1;
    *text = s + len;
    return code;
}

static void append_character(struct text_buf *out, int32_t code)
{
    static const char escaped[] = "\"\\\n\r\t\f\b";
    static const char letters[] = "\"\\nrtfb";
    const char *at = code > 0 && code < 0x80 ? strchr(escaped, (int)code) : NULL;

    if (at != NULL)
        text_append_bytes(out, (const char[]){'\\', letters[at - escaped]}, 2);
    else if (code >= 0x20 && code < 0x7f)
        text_append_bytes(out, &(char){(char)code}, 1);
    else if (code < 0x10000)
        text_appendf(out, "\\u%04x", (unsigned int)code);
    else
        text_appendf(out, "\\u%04x\\u%04x",
                     0xd800u + (unsigned int)((code - 0x10000) >> 10),
                     0xdc00u + ((unsigned int)code & 0x3ff));
}

bool dumps_append(struct text_buf *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t begin = out->len;

    text_append_bytes(out, "\"", 1);
    while (*s != '\0') {
        int32_t code = next_character(&s);

        if (code < 0) {
            out->len = begin;
            return false;
        }
        append_character(out, code);
    }
    text_append_bytes(out, "\"", 1);
    return true;
}
