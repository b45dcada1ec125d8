/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum log_level threshold = LOG_WARN;

void log_set_level(enum log_level level)
{
    threshold = level;
}

/* A line stays one line, the message in its quotes, and a terminal only shows it. */
static void make_safe(char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t unsafe = text_unsafe_length(text, left);
        size_t len = unsafe ? unsafe : text_utf8_length(text, left);

        if (unsafe)
            memset(text, (unsigned char)*text < 0x20 ? ' ' : '?', unsafe);
        if (*text == '"')
            *text = '\'';
        if (*text == '\t')
            *text = ' ';
        text += len;
        left -= len;
    }
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
    make_safe(text);
    clock_format_utc(clock_wall_ms(), when);
    (void)fprintf(stderr, "%s %s %s%s%s msg=\"%s\"\n", when, names[level], module,
                  fields ? " " : "", fields ? fields : "", text);
}
