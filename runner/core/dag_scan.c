/* SPDX-License-Identifier: MIT */
#include "core/dag_scan.h"

#include "base/text.h"
#include "core/dag.h"

#include <string.h>

struct place {
    int line;
    int column;
};

static bool refuse(struct diag_list *diags, struct place at, const char *why)
{
    diag_add(diags, at.line, at.column, "%s", why);
    return false;
}

static bool is_utf16(const char *text, size_t len)
{
    return len >= 2 &&
           (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
}

/* %TAG lines cost libyaml quadratic time, and no tag is taken anyway. */
static bool is_tag_directive(const char *text, size_t left)
{
    return left >= 5 && memcmp(text, "%TAG", 4) == 0 &&
           (text[4] == ' ' || text[4] == '\t');
}

/* One character, step bytes long, that YAML does not allow: say so. */
static bool scan_character(const char *text, size_t step, struct place at,
                           struct diag_list *diags)
{
    unsigned char c = (unsigned char)*text;

    if (step == 0) {
        diag_add(diags, at.line, at.column,
                 "byte 0x%02x is not UTF-8 text: expected a YAML file in UTF-8", c);
        return false;
    }
    if (step == 1 && ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)) {
        diag_add(diags, at.line, at.column,
                 "control character 0x%02x: expected a YAML text file", c);
        return false;
    }
    if (step == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0 &&
        (unsigned char)text[1] != 0x85)
        return refuse(diags, at, "control character: expected a YAML text file");
    if (step == 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return refuse(diags, at,
                      "byte order mark inside the file: it may only stand at its "
                      "beginning");
    if (step == 3 && memcmp(text, "\xef\xbf", 2) == 0 && (unsigned char)text[2] >= 0xbe)
        return refuse(diags, at, "character that Unicode does not assign");
    return true;
}

bool dag_scan(const char *text, size_t len, size_t *skip, struct diag_list *diags)
{
    struct place at = {1, 1};

    if (len > DAG_FILE_BYTES_MAX)
        return refuse(diags, (struct place){0, 0},
                      "larger than 1 MiB, the most for a dag");
    if (is_utf16(text, len))
        return refuse(diags, at, "UTF-16 text: save the file as UTF-8");
    *skip = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (size_t i = *skip; i < len;) {
        size_t step = text_utf8_length(text + i, len - i);

        if (!scan_character(text + i, step, at, diags))
            return false;
        if (at.column == 1 && is_tag_directive(text + i, len - i))
            return refuse(diags, at, "%TAG: tags are not taken; leave the line out");
        if (text[i] == '\n' ||
            (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n'))) {
            at.line++;
            at.column = 1;
        } else {
            at.column++;
        }
        i += step;
    }
    return true;
}
