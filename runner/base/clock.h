/* SPDX-License-Identifier: MIT
 *
 * clock.h - the two clocks. Layer: base.
 * Durations, back-off and deadlines use the monotonic clock, which a step of the wall
 * clock does not touch; the wall clock is only for what people and the history read.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void); /* since 1970-01-01 UTC */

/* Write wall_ms as 2026-11-21T13:40:00.123Z (utc) or with the local offset. */
enum { CLOCK_TEXT = 40 };
void clock_format_utc(int64_t wall_ms, char text[CLOCK_TEXT]);
void clock_format_local(int64_t wall_ms, char text[CLOCK_TEXT]);

#endif
