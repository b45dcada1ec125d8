/* SPDX-License-Identifier: MIT
 *
 * diag.h - the list of everything that is wrong with one file, in the order of its lines.
 * Layer: core (pure).
 */
#ifndef CORE_DIAG_H
#define CORE_DIAG_H

#include <stddef.h>

struct diag {
    int line;   /* from 1; 0: the file as a whole */
    int column; /* from 1 */
    char *text; /* what, and what was expected */
};

/* Zero-initialise; diag_clear frees. At most DIAG_MAX are kept, the rest is counted. */
enum { DIAG_MAX = 100 };
struct diag_list {
    struct diag *items;
    size_t count;
    size_t capacity;
    size_t dropped;
};

void diag_add(struct diag_list *list, int line, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_sort(struct diag_list *list); /* by line, then column; stable */
void diag_clear(struct diag_list *list);

/* All of them as "file:line:column: error: text\n"; the caller frees. */
char *diag_text(const struct diag_list *list, const char *file);

#endif
