/* SPDX-License-Identifier: MIT */
#include "ledger/group/pattern.h"

#include "base/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name has at most 249 characters: an honest pattern needs far fewer steps. */
enum { MATCH_STEPS = 100000, MATCH_DEPTH = 1000, MATCH_HEAP_KIB = 1024 };
enum { REPEAT_MAX = 1000 };

struct pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* RE2's words for the most usual errors, so that clients show what Kafka shows. */
static const struct {
    int number;
    const char *text;
} reasons[] = {
    {PCRE2_ERROR_END_BACKSLASH, "trailing backslash at end of expression"},
    {PCRE2_ERROR_UNKNOWN_ESCAPE, "invalid escape sequence"},
    {PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER, "invalid repeat count"},
    {PCRE2_ERROR_QUANTIFIER_TOO_BIG, "invalid repeat count"},
    {PCRE2_ERROR_MISSING_SQUARE_BRACKET, "missing closing ]"},
    {PCRE2_ERROR_CLASS_RANGE_ORDER, "invalid character class range"},
    {PCRE2_ERROR_CLASS_INVALID_RANGE, "invalid character class range"},
    {PCRE2_ERROR_UNKNOWN_POSIX_CLASS, "invalid character class range"},
    {PCRE2_ERROR_QUANTIFIER_INVALID, "missing argument to repetition operator"},
    {PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS, "missing closing )"},
    {PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS, "regexp/syntax: internal error"},
    {PCRE2_ERROR_INVALID_AFTER_PARENS_QUERY, "invalid or unsupported Perl syntax"},
    {PCRE2_ERROR_MISSING_NAME_TERMINATOR, "invalid named capture"},
    {PCRE2_ERROR_INVALID_SUBPATTERN_NAME, "invalid named capture"},
    {PCRE2_ERROR_MALFORMED_UNICODE_PROPERTY, "invalid character class range"},
    {PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY, "invalid character class range"},
    {PCRE2_ERROR_DUPLICATE_SUBPATTERN_NAME, "duplicate capture group name"},
};

static void explain(int number, char why[PATTERN_WHY])
{
    PCRE2_UCHAR text[PATTERN_WHY] = {0};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].number == number) {
            snprintf(why, PATTERN_WHY, "%s", reasons[i].text);
            return;
        }
    pcre2_get_error_message(number, text, sizeof(text));
    snprintf(why, PATTERN_WHY, "%s", (const char *)text);
}

/* The end of a class that begins at text[i] == '['; len when it has none. */
static size_t class_end(const char *text, size_t len, size_t i)
{
    i++;
    if (i < len && text[i] == '^')
        i++;
    if (i < len && text[i] == ']')
        i++;
    while (i < len && text[i] != ']')
        i += text[i] == '\\' ? 2 : 1;
    return i < len ? i : len;
}

/* "(?…" of RE2: groups without capture, with flags, or with a name. */
static bool known_group(const char *text, size_t left)
{
    if (left > 1 && text[0] == 'P')
        return text[1] == '<';
    if (left > 1 && text[0] == '<')
        return text[1] != '=' && text[1] != '!';
    return left > 0 && strchr(":imsU-", text[0]) != NULL;
}

/* "{n", "{n,m": is a number in it beyond RE2's limit? */
static bool repeats_too_often(const char *text, size_t left)
{
    int number = 0;

    for (size_t i = 0; i < left && (isdigit((unsigned char)text[i]) || text[i] == ',');
         i++) {
        number = text[i] == ',' ? 0 : number * 10 + (text[i] - '0');
        if (number > REPEAT_MAX)
            return true;
    }
    return false;
}

/*
 * What PCRE2 knows and RE2 does not is refused as RE2 refuses it: what it leaves out is
 * just what makes matching slow.
 */
static const char *foreign(const char *text, size_t len)
{
    bool repeated = false; /* the last thing was a repetition */

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool repeats = strchr("*+?", c) != NULL && c != '\0';

        if (c == '\\' && i + 1 < len) {
            i++;
            if (memchr("kKgGRXZHhVNloOuU123456789", text[i], 25) != NULL)
                return "invalid escape sequence";
        } else if (c == '[') {
            i = class_end(text, len, i);
        } else if (c == '(' && i + 1 < len && text[i + 1] == '*') {
            return "missing argument to repetition operator";
        } else if (c == '(' && i + 1 < len && text[i + 1] == '?') {
            if (!known_group(text + i + 2, len - i - 2))
                return "invalid or unsupported Perl syntax";
            i++; /* that question mark repeats nothing */
        } else if (c == '{' && repeats_too_often(text + i + 1, len - i - 1)) {
            return "invalid repeat count";
        } else if (repeats && repeated && c != '?') {
            return "invalid nested repetition operator";
        }
        repeated = repeats || c == '}';
    }
    return NULL;
}

struct pattern *pattern_new(const char *text, size_t len, char why[PATTERN_WHY])
{
    uint32_t options =
        PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
    const char *refused = foreign(text, len);
    struct pattern *pattern;
    pcre2_code *code;
    PCRE2_SIZE where;
    int number;

    if (refused != NULL) {
        snprintf(why, PATTERN_WHY, "%s", refused);
        return NULL;
    }
    code = pcre2_compile((PCRE2_SPTR)text, len, options, &number, &where, NULL);
    if (code == NULL) {
        explain(number, why);
        return NULL;
    }
    pattern = mem_alloc(sizeof(*pattern));
    pattern->code = code;
    pattern->match = pcre2_match_data_create(1, NULL);
    pattern->limits = pcre2_match_context_create(NULL);
    if (pattern->match == NULL || pattern->limits == NULL)
        abort();
    pcre2_set_match_limit(pattern->limits, MATCH_STEPS);
    pcre2_set_depth_limit(pattern->limits, MATCH_DEPTH);
    pcre2_set_heap_limit(pattern->limits, MATCH_HEAP_KIB);
    return pattern;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_match_data_free(pattern->match);
    pcre2_code_free(pattern->code);
    free(pattern);
}

bool pattern_matches(struct pattern *pattern, const char *name)
{
    return pcre2_match(pattern->code, (PCRE2_SPTR)name, strlen(name), 0, 0,
                       pattern->match, pattern->limits) >= 0;
}
