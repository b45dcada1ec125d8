/* SPDX-License-Identifier: MIT
 *
 * outlet.h - lines for a descriptor whose reader may be slow: written while it takes
 * them, kept while it doesn't, dropped and counted when that is too much. So the reader
 * of "dagrun start | less" never stops the runner.
 * Layer: cli.
 */
#ifndef CLI_OUTLET_H
#define CLI_OUTLET_H

#include "base/text.h"

enum { OUTLET_KEPT_BYTES = 4 << 20 };

/* Zero-initialise with fd; outlet_close frees. */
struct outlet {
    int fd;
    struct text_buf kept;
    int64_t dropped; /* lines since the last outlet_take_dropped */
    bool broken;     /* nobody reads any more */
};

/* Add a line (a newline is put behind it) and write what the reader takes now. */
void outlet_line(struct outlet *outlet, const char *text, size_t len);
/* Write what the reader takes now. True when nothing is kept any more. */
bool outlet_flush(struct outlet *outlet);
int64_t outlet_take_dropped(struct outlet *outlet);
/* Write the rest, waiting for the reader as any program does at its end. */
void outlet_close(struct outlet *outlet);

#endif
