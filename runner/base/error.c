/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int exit_code;
    int http_status;
} kinds[ERROR_KINDS] = {
    [ERROR_NONE] = {0, 200},         [ERROR_FAILED] = {1, 500},
    [ERROR_INPUT] = {2, 422},        [ERROR_UNREACHABLE] = {3, 503},
    [ERROR_NOT_FOUND] = {4, 404},    [ERROR_CONFLICT] = {5, 409},
    [ERROR_INTERNAL] = {1, 500},     [ERROR_TIMEOUT] = {124, 504},
    [ERROR_INTERRUPTED] = {130, 499},
};

void error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    va_list ap;

    if (err->kind != ERROR_NONE)
        return;
    err->kind = kind;
    va_start(ap, format);
    (void)vsnprintf(err->text, sizeof err->text, format, ap);
    va_end(ap);
}

void error_prefix(struct error *err, const char *format, ...)
{
    char rest[sizeof err->text];
    va_list ap;
    int len;

    memcpy(rest, err->text, sizeof rest);
    va_start(ap, format);
    len = vsnprintf(err->text, sizeof err->text, format, ap);
    va_end(ap);
    if (len >= 0 && (size_t)len < sizeof err->text)
        (void)snprintf(err->text + len, sizeof err->text - (size_t)len, "%s", rest);
}

void error_near(struct error *err, const char *near)
{
    size_t len = strlen(err->text);

    if (near)
        (void)snprintf(err->text + len, sizeof err->text - len, " (did you mean '%s'?)",
                       near);
}

bool error_is_set(const struct error *err)
{
    return err->kind != ERROR_NONE;
}

int error_exit_code(enum error_kind kind)
{
    return kinds[kind].exit_code;
}

int error_http_status(enum error_kind kind)
{
    return kinds[kind].http_status;
}
