/* SPDX-License-Identifier: MIT
 *
 * screen.h - a terminal as a whole: the alternate screen, keys as they are pressed, and
 * the terminal as it was afterwards, however the program ends.
 * Layer: cli.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/error.h"
#include "cli/grid.h"

struct screen;

/*
 * Take the terminal of standard input and output. A child of its own waits for our end
 * and puts the terminal back when we could not, kill -9 included. NULL and err when there
 * is none. Call it before any thread is made.
 */
struct screen *screen_open(struct error *err);
/* The terminal as it was. */
void screen_close(struct screen *screen);

/* Between the two: give the terminal back to stop, and take it again. */
void screen_suspend(struct screen *screen);
void screen_resume(struct screen *screen);

void screen_size(const struct screen *screen, int *width, int *height);
void screen_paint(struct screen *screen, const struct lines *lines);

/* The next key that was pressed, 0: none. Keys of several bytes (arrows) are skipped. */
int screen_key(struct screen *screen);

#endif
