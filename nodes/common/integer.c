/* SPDX-License-Identifier: MIT */
#include "common/integer.h"

#include <stdint.h>
#include <string.h>

/* Two numbers of so many digits are added in an int64_t: 2 × (10^18 - 1) fits. */
enum { SMALL_DIGITS = 18 };

bool integer_parse(const char *text, size_t len, struct integer *out)
{
    size_t at = 0;

    out->negative = len > 0 && text[0] == '-';
    if (len > 0 && (text[0] == '-' || text[0] == '+'))
        at = 1;
    if (at == len)
        return false;
    for (size_t i = at; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    while (at + 1 < len && text[at] == '0')
        at++;
    out->digits = text + at;
    out->len = len - at;
    if (out->digits[0] == '0')
        out->negative = false;
    return true;
}

static int64_t small_value(const struct integer *a)
{
    int64_t value = 0;

    for (size_t i = 0; i < a->len; i++)
        value = value * 10 + (a->digits[i] - '0');
    return a->negative ? -value : value;
}

static size_t write_small(int64_t value, char *out)
{
    char digits[SMALL_DIGITS + 2];
    size_t count = 0;
    size_t len = 0;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;

    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        out[len++] = '-';
    while (count > 0)
        out[len++] = digits[--count];
    return len;
}

/* Compare without signs. */
static int compare_digits(const struct integer *a, const struct integer *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->digits, b->digits, a->len);
}

/* |a| + |b|. */
static size_t add_digits(const struct integer *a, const struct integer *b, char *out)
{
    size_t width = (a->len > b->len ? a->len : b->len) + 1;
    int carry = 0;

    for (size_t i = 0; i < width; i++) {
        int digit = carry;

        digit += i < a->len ? a->digits[a->len - 1 - i] - '0' : 0;
        digit += i < b->len ? b->digits[b->len - 1 - i] - '0' : 0;
        carry = digit >= 10;
        out[width - 1 - i] = (char)('0' + (carry ? digit - 10 : digit));
    }
    if (out[0] != '0')
        return width;
    memmove(out, out + 1, width - 1);
    return width - 1;
}

/* |a| - |b|, where |a| > |b|. */
static size_t subtract_digits(const struct integer *a, const struct integer *b,
                              char *out)
{
    size_t zeros = 0;
    int borrow = 0;

    for (size_t i = 0; i < a->len; i++) {
        int digit = a->digits[a->len - 1 - i] - '0' - borrow;

        digit -= i < b->len ? b->digits[b->len - 1 - i] - '0' : 0;
        borrow = digit < 0;
        out[a->len - 1 - i] = (char)('0' + (borrow ? digit + 10 : digit));
    }
    while (out[zeros] == '0')
        zeros++;
    memmove(out, out + zeros, a->len - zeros);
    return a->len - zeros;
}

static size_t add_any(const struct integer *a, const struct integer *b, char *out)
{
    int order = compare_digits(a, b);
    bool same_sign = a->negative == b->negative;
    bool negative = same_sign || order > 0 ? a->negative : b->negative;

    if (!same_sign && order == 0) {
        out[0] = '0';
        return 1;
    }
    if (negative)
        *out++ = '-';
    if (same_sign)
        return add_digits(a, b, out) + negative;
    if (order > 0)
        return subtract_digits(a, b, out) + negative;
    return subtract_digits(b, a, out) + negative;
}

size_t integer_room(const struct integer *a, const struct integer *b)
{
    return (a->len > b->len ? a->len : b->len) + 2; /* a sign and a carry */
}

size_t integer_add(const struct integer *a, const struct integer *b, char *out)
{
    if (a->len <= SMALL_DIGITS && b->len <= SMALL_DIGITS)
        return write_small(small_value(a) + small_value(b), out);
    return add_any(a, b, out);
}

size_t integer_subtract(const struct integer *a, const struct integer *b, char *out)
{
    struct integer opposite = *b;

    opposite.negative = !b->negative && b->digits[0] != '0';
    return integer_add(a, &opposite, out);
}

size_t integer_distance(const struct integer *a, const struct integer *b, char *out)
{
    size_t len = integer_subtract(a, b, out);

    if (out[0] == '-')
        memmove(out, out + 1, --len);
    return len;
}
