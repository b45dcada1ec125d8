/* SPDX-License-Identifier: MIT
 *
 * tap_filter.h - which records of a tap are wanted: those that all terms fit.
 * Layer: host. Pure. Nothing of a term is ever evaluated as code.
 */
#ifndef HOST_TAP_FILTER_H
#define HOST_TAP_FILTER_H

#include "base/error.h"
#include "host/tap.h"

enum { TAP_TERMS_MAX = 16 };

enum tap_term_kind {
    TAP_CONTAINS, /* key, value or a header's name or value contains the text */
    TAP_KEY,      /* the key contains it */
    TAP_VALUE,    /* the value contains it */
    TAP_HEADER,   /* "NAME": it has this header; "NAME=TEXT": one that contains TEXT */
    TAP_WHERE, /* "a.b.0=x": the value is JSON and has x there: text x, number x, true,
                  false or null */
};

struct tap_term {
    enum tap_term_kind kind;
    const char *text;
};

/* Zero-initialise. Nothing to free. */
struct tap_filter {
    struct tap_term terms[TAP_TERMS_MAX];
    size_t count;
};

/* text is borrowed. ERROR_INPUT: too many, or not of the kind's form. */
int tap_filter_add(struct tap_filter *filter, enum tap_term_kind kind, const char *text,
                   struct error *err);

/* A tap_wanted_fn; arg is a const struct tap_filter. Compares bytes, so case counts. */
bool tap_filter_fits(void *arg, const struct tap_record *record);

#endif
