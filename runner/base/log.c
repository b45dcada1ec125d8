/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>

static enum log_level threshold = LOG_WARN;

void log_set_level(enum log_level level)
{
    threshold = level;
}

void log_write(enum log_level level, const char *module, const char *fields,
               const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char when[CLOCK_TEXT];
    char text[1024];
    va_list ap;

    if (level > threshold)
        return;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    for (char *c = text; *c; c++) {
        if (*c == '"')
            *c = '\'';
        else if ((unsigned char)*c < 0x20)
            *c = ' ';
    }
    clock_format_utc(clock_wall_ms(), when);
    (void)fprintf(stderr, "%s %s %s%s%s msg=\"%s\"\n", when, names[level], module,
                  fields ? " " : "", fields ? fields : "", text);
}
